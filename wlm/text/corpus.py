"""Words, their ids, and texts cut into batches: the tutorial's section 2."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from wlm.errors import TextError, check_range

UNK = "<unk>"
EOS = "<eos>"
ORDERS = ("appearance", "frequency")


class Vocabulary:
    """A fixed list of different words; a word's id is its place in the list.

    Raises TextError for an empty list, a word that stands twice, or one with white space.
    """

    def __init__(self, words: Iterable[str]):
        self.words = list(words)
        self.ids = {word: i for i, word in enumerate(self.words)}
        if len(self.words) < 2:
            raise TextError(f"a vocabulary needs at least 2 words, got {len(self.words)}")
        if len(self.ids) < len(self.words):
            twice = next(word for i, word in enumerate(self.words) if self.ids[word] != i)
            raise TextError(f"the vocabulary must list each word once, but {twice!r} stands twice")
        for i, word in enumerate(self.words):
            if word.split() != [word]:
                raise TextError(f"word {i} of the vocabulary must be one word, got {word!r}")

    @classmethod
    def from_file(cls, path: str | Path) -> "Vocabulary":
        """Read one word a line, UTF-8, ids from 0. Raises TextError."""
        text = _read_utf8(Path(path), "vocabulary")
        # Not splitlines(): a character that it takes for a line end must not make two words.
        return cls(text.removesuffix("\n").split("\n"))

    def save(self, path: str | Path) -> None:
        """Write one word a line, as `from_file` reads it."""
        Path(path).write_text("".join(f"{word}\n" for word in self.words), "utf-8", newline="\n")

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.ids

    def encode(self, words: Iterable[str]) -> Tensor:
        """Return the words' ids, shape (N,), int64; unknown words become `<unk>`.

        Raises TextError for an unknown word where the vocabulary has no `<unk>`.
        """
        words, unk = list(words), self.ids.get(UNK)
        ids = [self.ids.get(word, unk) for word in words]
        if unk is None and None in ids:
            raise TextError(f"{words[ids.index(None)]!r} is not in the vocabulary, nor is {UNK}")
        return torch.tensor(ids, dtype=torch.int64)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the words that the ids stand for."""
        return [self.words[int(i)] for i in ids]


@dataclass(frozen=True)
class Text:
    """An encoded text: its name, word ids of shape (N,), and how many words were unknown."""

    name: str
    ids: Tensor
    unknown: int

    def first(self, tokens: int | None) -> Tensor:
        """Return the first `tokens` ids, or all for None. Raises SettingError."""
        if tokens is None:
            return self.ids
        check_range("tokens", tokens, 2, len(self.ids), hint=f"the length of {self.name!r}")
        return self.ids[:tokens]


@dataclass(frozen=True)
class Corpus:
    """The three splits of a corpus folder and the vocabulary of their words."""

    vocabulary: Vocabulary
    train: Tensor
    valid: Tensor
    test: Tensor

    @classmethod
    def from_folder(cls, folder: str | Path, order: str = "appearance") -> "Corpus":
        """Read train.txt, valid.txt and test.txt; ids go by first appearance in that order, or,
        for the order "frequency", by falling count in train.

        Raises TextError. Source: the tutorial, section 2 (`Corpus`).
        """
        check_order(order)
        splits = [read_words(Path(folder) / f"{name}.txt") for name in ("train", "valid", "test")]
        words = list(dict.fromkeys(word for words in splits for word in words))
        if order == "frequency":
            counts = Counter(splits[0])
            words.sort(key=lambda word: -counts[word])
        vocabulary = Vocabulary(words)
        return cls(vocabulary, *(vocabulary.encode(words) for words in splits))

    def sha256(self) -> str:
        """Return the hash of the words and of the ids of the three splits."""
        digest = hashlib.sha256("\n".join(self.vocabulary.words).encode())
        for ids in (self.train, self.valid, self.test):
            digest.update(ids.numpy().tobytes())
        return digest.hexdigest()


def check_order(order: str) -> None:
    """Raise TextError unless it is one of ORDERS."""
    if order not in ORDERS:
        raise TextError(f"order must be one of {', '.join(ORDERS)}, got {order!r}")


def read_words(path: str | Path) -> list[str]:
    """Return a text file's words, split at white space, with `<eos>` after each line.

    Raises TextError where the file is missing, empty or not UTF-8.
    """
    text = _read_utf8(Path(path), "text")
    if not text.strip():
        raise TextError(f"the text {str(path)!r} is empty: it must hold at least two words")
    return [word for line in text.removesuffix("\n").split("\n") for word in (*line.split(), EOS)]


def read_text(path: str | Path, vocabulary: Vocabulary, name: str | None = None) -> Text:
    """Read and encode a text file, called by its stem unless `name` is given.

    Raises TextError where the file is missing, empty, not UTF-8, or without a single word of the
    vocabulary.
    """
    words = read_words(path)
    name = name or Path(path).stem
    known = sum(word in vocabulary and word not in (UNK, EOS) for word in words)
    if known == 0:
        raise TextError(
            f"the text {name!r} has none of the vocabulary's {len(vocabulary):,} words: "
            "it must be in the model's language, words separated by spaces"
        )
    ids = vocabulary.encode(words)
    return Text(name, ids, unknown=int((ids == vocabulary.ids.get(UNK, -1)).sum()))


def batchify(data: Tensor, batch_size: int) -> Tensor:
    """Cut ids (N,) into `batch_size` equal columns: (N // B, B); the rest is dropped.

    Raises SettingError where a column would be shorter than two tokens. Source: the tutorial,
    section 2.
    """
    check_range("batch_size", batch_size, 1, min(256, len(data) // 2), hint="two tokens a column")
    rows = len(data) // batch_size
    return data[: rows * batch_size].view(batch_size, rows).t().contiguous()


def get_batch(source: Tensor, i: int, bptt: int) -> tuple[Tensor, Tensor]:
    """Return row i and the next ones, (T, B), and the words that follow each, (T * B,).

    T is `bptt`, or less at the end. Source: the tutorial, section 2.
    """
    length = min(bptt, len(source) - 1 - i)
    return source[i : i + length], source[i + 1 : i + 1 + length].reshape(-1)


def _read_utf8(path: Path, what: str) -> str:
    try:
        # utf-8-sig: a byte order mark, as some editors write, is not part of the first word.
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise TextError(f"there is no {what} file {str(path)!r}") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise TextError(
            f"the {what} {str(path)!r} must be UTF-8, but byte {error.start:,} is 0x{byte:02x}"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL character
        reason = getattr(error, "strerror", None) or str(error)
        raise TextError(f"the {what} {str(path)!r} cannot be read: {reason}") from None

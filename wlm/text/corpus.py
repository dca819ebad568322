"""Texts as word ids, cut into batches: the tutorial's section 2."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from wlm.errors import TextError, check_range
from wlm.text.splits import SPLITS, split_file
from wlm.text.utf8 import read_utf8
from wlm.text.vocabulary import EOS, UNK, Vocabulary, sha256_of_words

ORDERS = ("appearance", "frequency")


@dataclass(frozen=True)
class Text:
    """An encoded text: its name, its word ids of shape (N,), and the number of unknown words.

    Also the hash of the words, one per line, and which words the vocabulary composes differently:
    booleans of shape (N,).
    """

    name: str
    ids: Tensor
    unknown: int
    sha256: str | None = None
    recomposed: Tensor | None = None

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
        """Read the three splits in the files that `split_file` finds, such as train.txt, valid.txt
        and test.txt. Ids follow the first appearance in that order or, for the order "frequency",
        the falling count in train.

        Raises TextError. Source: the tutorial, section 2 (`Corpus`).
        """
        check_order(order)
        splits = [read_words(split_file(folder, name)) for name in SPLITS]
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
    """Raise TextError unless the order is one of ORDERS."""
    if order not in ORDERS:
        raise TextError(f"order must be one of {', '.join(ORDERS)}, got {order!r}")


def read_words(path: str | Path) -> list[str]:
    """Return a text file's words, split at white space, with `<eos>` after each line.

    Raises TextError if the file is missing, empty or not UTF-8.
    """
    text = read_utf8(Path(path), "text")
    if not text.strip():
        raise TextError(f"the text {str(path)!r} is empty: it must hold at least two words")
    return [word for line in text.removesuffix("\n").split("\n") for word in (*line.split(), EOS)]


def read_text(path: str | Path, vocabulary: Vocabulary, name: str | None = None) -> Text:
    """Read and encode a text file; the text's name is the file's stem unless `name` is given.

    Raises TextError if the file is missing, empty, not UTF-8, or has no word of the vocabulary.
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
    unknown = int(vocabulary.is_unknown(ids).sum())
    return Text(name, ids, unknown, sha256_of_words(words), vocabulary.is_recomposed(words))


def batchify(data: Tensor, batch_size: int) -> Tensor:
    """Cut ids (N,) into `batch_size` equal columns: (N // B, B); the rest is dropped.

    Raises SettingError if a column would be shorter than two tokens. Source: the tutorial,
    section 2.
    """
    check_range(
        "the batch size", batch_size, 1, min(256, len(data) // 2), hint="two tokens a column"
    )
    rows = len(data) // batch_size
    return data[: rows * batch_size].view(batch_size, rows).t().contiguous()


def get_batch(source: Tensor, i: int, bptt: int) -> tuple[Tensor, Tensor]:
    """Return row i and the next ones, (T, B), and the words that follow each, (T * B,).

    T is `bptt`, or less at the end. Source: the tutorial, section 2.
    """
    length = min(bptt, len(source) - 1 - i)
    return source[i : i + length], source[i + 1 : i + 1 + length].reshape(-1)

"""Words and their ids."""

import hashlib
import unicodedata
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from wlm.errors import TextError, shown
from wlm.text.word_list import read_word_list

UNK = "<unk>"
EOS = "<eos>"
NO_EOS = f"The vocabulary has no `{EOS}`: each line end is read as `{UNK}`"


class Vocabulary:
    """A fixed list of different words; a word's id is its place in the list.

    A word is also found if its accents are composed differently, as a letter and an accent or as
    one character (Unicode NFD and NFC). Raises TextError for an empty list, a repeated word, or a
    word with white space.
    """

    def __init__(self, words: Iterable[str]):
        self.words = list(words)
        self.ids = {word: i for i, word in enumerate(self.words)}
        if len(self.words) < 2:
            raise TextError(f"a vocabulary needs at least 2 words, got {len(self.words)}")
        if len(self.ids) < len(self.words):
            twice = next(word for i, word in enumerate(self.words) if self.ids[word] != i)
            raise TextError(
                f"the vocabulary must list each word once, but '{shown(twice)}' stands twice"
            )
        for i, word in enumerate(self.words):
            if word.split() != [word]:
                raise TextError(f"word {i} of the vocabulary must be one word, got '{shown(word)}'")

    @classmethod
    def from_file(cls, path: str | Path) -> "Vocabulary":
        """Read a file with one word per line, ids from 0, or in another form that `read_word_list`
        accepts. Raises TextError."""
        return cls(read_word_list(Path(path)))

    def save(self, path: str | Path) -> None:
        """Write one word per line, as `from_file` reads it."""
        Path(path).write_text("".join(f"{word}\n" for word in self.words), "utf-8", newline="\n")

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return self._id_of(word) is not None

    def _id_of(self, word: str) -> int | None:
        found = self.ids.get(word)
        if found is None and not word.isascii():
            found = self._ids_composed.get(unicodedata.normalize("NFC", word))
        return found

    @cached_property
    def _ids_composed(self) -> dict[str, int]:
        ids: dict[str, int] = {}
        for i, word in enumerate(self.words):
            if not word.isascii():
                ids.setdefault(unicodedata.normalize("NFC", word), i)
        return ids

    def is_recomposed(self, words: Iterable[str]) -> Tensor:
        """Return which words are found only with their accents composed differently: booleans of
        shape (N,)."""
        found = [word not in self.ids and word in self for word in words]
        return torch.tensor(found, dtype=torch.bool)

    def encode(self, words: Iterable[str]) -> Tensor:
        """Return the words' ids, shape (N,), int64; unknown words become `<unk>`.

        Raises TextError for an unknown word if the vocabulary has no `<unk>`.
        """
        words, unk = list(words), self.ids.get(UNK)
        ids = [unk if (found := self._id_of(word)) is None else found for word in words]
        if unk is None and None in ids:
            unknown = dict.fromkeys(word for word, i in zip(words, ids, strict=True) if i is None)
            word = next((word for word in unknown if word != UNK), UNK)
            raise TextError(
                f"the word '{shown(word)}' is not in the vocabulary, which has no {UNK} to read it "
                "as: use only words of the vocabulary, or a model whose vocabulary has "
                f"{UNK}"
            )
        return torch.tensor(ids, dtype=torch.int64)

    def is_unknown(self, ids: Tensor) -> Tensor:
        """Return which ids mean an unknown word: booleans of the same shape."""
        return ids == self.ids.get(UNK, -1)

    def sha256(self) -> str:
        """Return the hash of the file that `save` writes."""
        return sha256_of_words(self.words)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the words with these ids."""
        return [self.words[int(i)] for i in ids]


def sha256_of_words(words: Iterable[str]) -> str:
    """Return the hash of words, one per line, in UTF-8."""
    return hashlib.sha256("".join(f"{word}\n" for word in words).encode()).hexdigest()

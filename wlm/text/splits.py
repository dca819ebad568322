"""The files of a corpus: its three splits, under the names that are in use."""

from pathlib import Path

SPLITS = ("train", "valid", "test")
_FILES = ("{}.txt", "wiki.{}.tokens", "ptb.{}.txt")  # as corpora are published


def split_file(folder: str | Path, split: str) -> Path:
    """Return a split's file in a corpus folder: such as test.txt, or as WikiText (wiki.test.tokens)
    and Penn Treebank (ptb.test.txt) are published. It may not be there."""
    paths = [Path(folder) / name.format(split) for name in _FILES]
    return next((path for path in paths if path.exists()), paths[0])


def split_of(name: str) -> str | None:
    """Return which of SPLITS a file's name stands for; None for other names."""
    names = {each.format(split): split for each in _FILES for split in SPLITS}
    return names.get(name)

"""The files of a corpus: its three splits, under their usual names."""

from pathlib import Path

SPLITS = ("train", "valid", "test")
_FILES = ("{}.txt", "wiki.{}.tokens", "ptb.{}.txt")  # as corpora are published


def split_file(folder: str | Path, split: str) -> Path:
    """Return a split's file in a corpus folder, such as test.txt, or the published name in WikiText
    (wiki.test.tokens) or Penn Treebank (ptb.test.txt). The file may not exist."""
    paths = [Path(folder) / name.format(split) for name in _FILES]
    return next((path for path in paths if path.exists()), paths[0])


def split_of(name: str) -> str | None:
    """Return the split of SPLITS that a file's name means; None for other names."""
    names = {file.format(split): split for file in _FILES for split in SPLITS}
    return names.get(name)

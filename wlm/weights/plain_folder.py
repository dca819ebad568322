"""Folders without a card: the weights in them, and how to pass these to wlm."""

from itertools import islice
from pathlib import Path

from wlm.errors import CheckpointError, shown
from wlm.weights.file_kinds import SAVE, is_shard

_SUFFIXES = (*(".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".tar", ".npz"),)
_VOCABULARIES = ("vocab.txt", "vocabulary.txt", "words.txt", "vocab.json")
_MOST_FILES = 1_000


def without_card(folder: Path, card: str) -> CheckpointError:
    """Return the error for a folder without a card, which names the files to pass instead."""
    try:
        files = sorted(path for path in islice(folder.iterdir(), _MOST_FILES) if path.is_file())
    except OSError as error:
        return CheckpointError(f"the folder {str(folder)!r} cannot be read: {shown(error)}")
    said = f"there is no file {str(folder / card)!r}, as a model folder has"
    shards = [path.name for path in files if is_shard(path.name)]
    weights = [path.name for path in files if path.suffix in _SUFFIXES and not is_shard(path.name)]
    if shards and not weights:
        return CheckpointError(
            f"{said}: it holds a model in several files, such as {shown(shards[0])!r}: put all "
            f"parts into one state_dict and save that, {SAVE}"
        )
    if not weights:
        return CheckpointError(f"{said}: give a model folder, or a file of weights")
    names = {path.name for path in files}
    words = next((name for name in _VOCABULARIES if name in names), None)
    option = f"the vocabulary file {words!r}" if words else "the file of its vocabulary"
    which = shown(weights[0]) if len(weights) == 1 else shown(", ".join(weights))
    return CheckpointError(
        f"{said}: give the weights file {which!r} in the folder, with {option} (--vocabulary)"
    )

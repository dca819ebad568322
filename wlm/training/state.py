"""A training on disk while it is not finished."""

import pickle
import tempfile
from pathlib import Path

import torch

from wlm.errors import TrainError, shown
from wlm.files import write_whole
from wlm.training.recipe import Recipe
from wlm.weights.checkpoint import CARD

STATE = "training.pt"


def make_place(out: Path) -> None:
    """Make the folder `out` and make sure that it can be written to. Raises TrainError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise TrainError(f"the training cannot be saved in {str(out)!r}: {error}") from None


def save_state(out: Path, state: dict) -> None:
    """Write a state into the folder `out`, at once or not at all. Raises TrainError."""
    try:
        write_whole(out / STATE, lambda path: torch.save(state, path))
    except (OSError, RuntimeError) as error:
        raise TrainError(f"the training cannot be saved in {str(out)!r}: {error}") from None


def load_state(out: Path, resume: bool) -> dict | None:
    """Return the state to resume, its recipe checked, or None for a new training.

    Raises TrainError if there is none to resume, or if a new training would overwrite the one in
    `out`.
    """
    if not resume:
        for name, what in ((STATE, "an unfinished training"), (CARD, "a model")):
            if (out / name).exists():
                hint = ": --resume goes on with it" if name == STATE else ""
                raise TrainError(f"{str(out)!r} holds {what}{hint}; give another folder")
        return None
    if not (out / STATE).is_file():
        raise TrainError(f"there is no unfinished training in {str(out)!r}")
    try:
        state = torch.load(out / STATE, weights_only=True)
        recipe, begun_with = Recipe.from_json(state["recipe"]), str(state["data_sha256"])
        return {**state, "recipe": recipe, "data_sha256": begun_with}
    except (OSError, RuntimeError, pickle.UnpicklingError, KeyError, TypeError, EOFError) as error:
        raise damaged(out, error) from None


def damaged(out: Path, error: Exception) -> TrainError:
    """Return the error for a state in `out` that cannot be used."""
    reason = shown(" ".join(str(error).split()) or type(error).__name__)
    return TrainError(f"{STATE} in {str(out)!r} is damaged: {reason}")

"""The parts of a variant's file, and its matrices in words."""

from wlm.model.lstm import part_of
from wlm.quantization.prepare import PreparedModel

FILE_FORMAT = "file format"


def saved_parts(model: PreparedModel) -> dict[str, int]:
    """Return the bytes of a variant's file by part, with what is left over as the file's format.

    A part's bytes are its numbers, scales and zero points included. Names, headers and padding are
    the format. They sum to `saved_bytes`. Raises WLMError where that cannot be found out.
    """
    parts = model.part_bytes()
    return {**parts, FILE_FORMAT: model.saved_bytes - sum(parts.values())}


def matrix_label(name: str) -> str:
    """Return what a weight matrix is called in words, such as `LSTM 0 recurrent`."""
    roles = {"_ih_": " input", "_hh_": " recurrent"}
    return part_of(name) + next((word for sign, word in roles.items() if sign in name), "")

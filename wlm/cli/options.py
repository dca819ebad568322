"""Options that several commands have.

One that is not given is not set, so that the defaults are those of the settings it stands for:
help only tells them.
"""

from argparse import SUPPRESS, ArgumentParser
from collections.abc import Sequence

from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT, list_models, list_texts

VARIANT_HELP = (
    "fp32, int8, or such as pytorch:lstm=int8,linear=int8 or onnxruntime:lstm=int8; "
    "what is left out is fp32"
)


def add_model(parser: ArgumentParser) -> None:
    """Add the model, and what a bare weights file needs."""
    models = ", ".join(list_models())
    parser.add_argument(
        "--model",
        default=SUPPRESS,
        help=f"a name ({models}), a model folder, or a weights file; default {DEFAULT_MODEL}",
    )
    for name, what in (("--vocabulary", "vocabulary file"), ("--corpus", "corpus folder")):
        parser.add_argument(name, default=SUPPRESS, help=f"{what} of a bare weights file")


def add_variants(parser: ArgumentParser, default: Sequence[str] | str = SUPPRESS) -> None:
    """Add the variants."""
    parser.add_argument("--variants", nargs="+", default=default, help=VARIANT_HELP)


def add_text(parser: ArgumentParser) -> None:
    """Add the text."""
    texts = ", ".join(list_texts())
    parser.add_argument(
        "--text",
        default=SUPPRESS,
        help=f"a name ({texts}), a text file, or a folder with a test.txt; default {DEFAULT_TEXT}",
    )


def add_protocol(parser: ArgumentParser) -> None:
    """Add the text, and how a comparison reads it."""
    add_text(parser)
    share = "to within this share, such as 0.03"
    for name, kind, words in (
        ("--tokens", int, "read only the text's first tokens"),
        ("--seconds", float, "measure for this time; the text repeats"),
        (
            "--target",
            float,
            f"stop when each speed-up is known {share}",
        ),
        ("--batch-size", int, "default 1"),
    ):
        parser.add_argument(name, type=kind, default=SUPPRESS, help=words)
    add_timing(parser)


def add_timing(parser: ArgumentParser) -> None:
    """Add what everything that is timed has."""
    for name, words in (
        ("--bptt", "chunk length; default 25"),
        ("--threads", "default 1"),
        ("--seed", "seed for the order in which variants run"),
    ):
        parser.add_argument(name, type=int, default=SUPPRESS, help=words)

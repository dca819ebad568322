"""Options of several commands.

An option that is not given is None, so the settings' own defaults apply; help only shows them.
"""

from argparse import ArgumentParser
from collections.abc import Sequence

from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT, list_models, list_texts

VARIANT_HELP = (
    "fp32, int8, or a precision per part, for example pytorch:lstm=int8,linear=int8 or "
    "onnxruntime:lstm=int8; other parts are fp32"
)


def add_model(parser: ArgumentParser) -> None:
    """Add the options for a model and for the vocabulary of a bare weights file."""
    models = ", ".join(list_models())
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        help=f"a name ({models}), a model folder, or a weights file; default {DEFAULT_MODEL}",
    )
    for name, what in (("--vocabulary", "vocabulary file"), ("--corpus", "corpus folder")):
        parser.add_argument(name, help=f"{what} of a bare weights file")


def add_variants(parser: ArgumentParser, default: Sequence[str] | None = None) -> None:
    """Add the option for variants."""
    parser.add_argument("--variants", nargs="+", default=default, help=VARIANT_HELP)


def add_text(parser: ArgumentParser) -> None:
    """Add the option for a text."""
    texts = ", ".join(list_texts())
    parser.add_argument(
        "--text",
        help=f"a name ({texts}), a text file, or a folder with a test.txt; default {DEFAULT_TEXT}",
    )


def add_protocol(parser: ArgumentParser) -> None:
    """Add the options of a comparison: the text and how to read it."""
    add_text(parser)
    for name, kind, words in (
        ("--tokens", int, "read only the text's first tokens"),
        ("--seconds", float, "measure for this time; the text repeats"),
        ("--target", float, "stop when each speed-up is known to within this share, such as 0.03"),
        ("--batch-size", int, "default 1"),
    ):
        parser.add_argument(name, type=kind, help=words)
    add_timing(parser)


def add_timing(parser: ArgumentParser) -> None:
    """Add the options of every measurement."""
    for name, words in (
        ("--bptt", "chunk length; default 25"),
        ("--threads", "default 1"),
        ("--seed", "seed for the order in which variants run"),
    ):
        parser.add_argument(name, type=int, help=words)


def add_on_request(parser: ArgumentParser) -> None:
    """Add what is measured on request, after everything is timed: agreement and memory."""
    parser.add_argument(
        "--agreement",
        action="store_true",
        help="afterwards compare the predictions with those of the baseline (fp32 for evaluate)",
    )
    parser.add_argument(
        "--memory",
        action="store_true",
        help="afterwards measure the memory that each variant adds to a process, once, in about 6 "
        "seconds per variant",
    )

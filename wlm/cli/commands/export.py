"""Export a variant: its weights, a script that runs them without wlm, and a README."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from wlm.cli import output
from wlm.cli.measure import chosen_model
from wlm.cli.options import VARIANT_HELP, add_model

EXAMPLES = """\
  python -m wlm export --variant int8 --out FOLDER
  python -m wlm export --variant int8 --out model.npz
"""


def add_options(parser: ArgumentParser) -> None:
    from wlm.exporting.formats import FILES

    add_model(parser)
    parser.add_argument("--variant", default="fp32", help=f"{VARIANT_HELP}; default %(default)s")
    parser.add_argument(
        "--out",
        required=True,
        help="a folder, a .zip of one, or the file of the weights alone, called "
        + ", ".join(f"*.{file.rpartition('.')[2]}" for file in FILES.values()),
    )
    parser.add_argument(
        "--format",
        choices=tuple(FILES),
        help="default: by the file's name, else the variant's own: safetensors for fp32, torch, or "
        "onnx for ONNX Runtime's",
    )


def run(options: Namespace) -> None:
    from wlm.exporting.export import export
    from wlm.quantization.variant import Variant

    variant = Variant.parse(options.variant)
    made = export(chosen_model(options), variant, options.out, options.format)
    output.answer(
        options,
        asdict(made),
        lambda: output.say(
            f"{made.path}: {made.label} as {made.format}, {made.size_bytes:,} bytes, sha256 "
            f"{made.sha256[:12]}…; read back, its loss is {made.loss:.6f} nats on {made.tokens} "
            f"words of {made.text}"
        ),
    )

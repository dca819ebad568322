"""Print the bytes of each variant's saved file."""

from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import chosen_model
from wlm.cli.options import add_model, add_variants

EXAMPLES = """\
  python -m wlm size --variants fp32 int8
"""


def add_options(parser: ArgumentParser) -> None:
    add_model(parser)
    add_variants(parser)


def run(options: Namespace) -> None:
    from wlm.measuring.comparison import CompareSpec
    from wlm.measuring.wording import size_unit
    from wlm.quantization.prepare import prepare
    from wlm.quantization.variant import Variant

    names = getattr(options, "variants", CompareSpec.variants)
    variants = [Variant.parse(name) for name in names]
    model = chosen_model(options).model
    rows = [
        {
            "variant": str(variant),
            "label": variant.label,
            "bytes": prepare(model, variant).saved_bytes,
        }
        for variant in variants
    ]
    unit, scale = size_unit(row["bytes"] for row in rows)
    table = [[row["label"], f"{row['bytes']:,}", f"{row['bytes'] / scale:.1f}"] for row in rows]
    output.answer(options, rows, lambda: output.print_table(["variant", "bytes", unit], table))

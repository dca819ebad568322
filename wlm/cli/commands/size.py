"""Print the bytes of every variant's saved file, and on request its memory."""

from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import chosen_model
from wlm.cli.options import add_model, add_variants

EXAMPLES = """\
  python -m wlm size --variants fp32 int8
  python -m wlm size --memory --json
"""


def add_options(parser: ArgumentParser) -> None:
    add_model(parser)
    add_variants(parser)
    parser.add_argument(
        "--memory",
        action="store_true",
        help="add the memory that every variant takes in a process, measured once, in about 5 "
        "seconds per variant",
    )


def run(options: Namespace) -> None:
    from wlm.measuring.comparison import CompareSpec
    from wlm.measuring.wording import size_unit
    from wlm.quantization.prepare import prepare
    from wlm.quantization.variant import Variant

    names = getattr(options, "variants", CompareSpec.variants)
    variants = [Variant.parse(name) for name in names]
    checkpoint = chosen_model(options)
    rows = [
        {
            "variant": str(variant),
            "label": variant.label,
            "bytes": prepare(checkpoint.model, variant).saved_bytes,
        }
        for variant in variants
    ]
    unit, scale = size_unit(row["bytes"] for row in rows)
    table = [
        {
            "variant": row["label"],
            "bytes": f"{row['bytes']:,}",
            unit: f"{row['bytes'] / scale:.1f}",
        }
        for row in rows
    ]
    if options.memory:
        _add_memory(options, checkpoint, rows, table)
    output.answer(options, rows, lambda: _show(table, rows))


def _show(table: list[dict[str, str]], rows: list[dict]) -> None:
    from wlm.measuring.wording import repacked

    output.print_table(table)
    for row in rows:
        if memory := row.get("memory"):
            said = repacked(row["variant"], row["label"], memory["added_bytes"], row["bytes"])
            if said:
                output.say(f"\n{said}")


def _add_memory(
    options: Namespace, checkpoint, rows: list[dict], table: list[dict[str, str]]
) -> None:
    from wlm.catalog.registry import DEFAULT_MODEL
    from wlm.measuring.memory import memory_of
    from wlm.quantization.variant import Variant

    names = (getattr(options, name, None) for name in ("vocabulary", "corpus"))
    opened = getattr(options, "model", DEFAULT_MODEL), *names
    for row, cells in zip(rows, table, strict=True):
        found = memory_of(checkpoint, Variant.parse(row["variant"]), *opened)
        row["memory"] = vars(found)
        cells["memory (MB)"] = f"{found.added_bytes / 1e6:.0f}"
        cells["peak (MB)"] = f"{found.peak_bytes / 1e6:.0f}"
    if found.measure != "USS":
        output.note(f"memory is {found.measure}: this system cannot tell private memory")

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
    from wlm.quantization.prepare import prepare
    from wlm.quantization.variant import Variant

    names = options.variants or CompareSpec.variants
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
    if options.memory:
        _add_memory(options, checkpoint, rows)
    output.answer(options, rows, lambda: _show(rows))


def _show(rows: list[dict]) -> None:
    from wlm.measuring.wording import repacked, size_unit

    unit, scale = size_unit(row["bytes"] for row in rows)
    table, sentences = [], []
    for row in rows:
        cells = {
            "variant": row["label"],
            "bytes": f"{row['bytes']:,}",
            unit: f"{row['bytes'] / scale:.1f}",
        }
        if memory := row.get("memory"):
            cells["memory (MB)"] = f"{memory['added_bytes'] / 1e6:.0f}"
            cells["peak (MB)"] = f"{memory['peak_bytes'] / 1e6:.0f}"
            added = memory["added_bytes"]
            sentences.append(repacked(row["variant"], row["label"], added, row["bytes"]))
        table.append(cells)
    output.print_table(table)
    for sentence in filter(None, sentences):
        output.say(f"\n{sentence}")


def _add_memory(options: Namespace, checkpoint, rows: list[dict]) -> None:
    from wlm.measuring.memory import memory_steps
    from wlm.quantization.variant import Variant

    opened = options.model, options.vocabulary, options.corpus
    for row in rows:
        *_, found = memory_steps(checkpoint, Variant.parse(row["variant"]), *opened)
        row["memory"] = vars(found)
    if found.measure != "USS":
        output.note(f"memory is {found.measure}: this system cannot tell private memory")

"""Print the bytes, time and error of each module of each variant."""

from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import given, measure, note_reading
from wlm.cli.options import add_model, add_text, add_timing, add_variants

EXAMPLES = """\
  python -m wlm inspect --variants fp32 int8
"""


def add_options(parser: ArgumentParser) -> None:
    add_model(parser)
    add_variants(parser)
    add_text(parser)
    parser.add_argument("--seconds", type=float, help="time to measure; default 6.0")
    add_timing(parser)


def run(options: Namespace) -> None:
    from wlm.inspecting.summary import add_bytes_and_errors
    from wlm.inspecting.times import InspectSpec, inspect

    spec = InspectSpec(**given(InspectSpec, options))
    measured, _ = measure(inspect, spec)
    content = add_bytes_and_errors(measured.to_json(), spec)
    note_reading(content["protocol"].get("weights_read"))
    output.answer(options, content, lambda: output.print_inspection(content))

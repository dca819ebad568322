"""Print how much faster each variant is at several values of one setting."""

from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import STOPPED_EARLY, given, measure
from wlm.cli.options import add_model, add_protocol, add_variants

EXAMPLES = """\
  python -m wlm sweep --over bptt=1,5,25,100 --variants fp32 int8
"""


def add_options(parser: ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--over",
        required=True,
        metavar="KNOB=VALUES",
        help="bptt, batch_size, threads or hidden (random weights), such as bptt=1,5,25,100",
    )
    add_variants(parser)
    add_protocol(parser)


def run(options: Namespace) -> None:
    from wlm.measuring.compare import compare
    from wlm.measuring.comparison import CompareSpec
    from wlm.measuring.sweep import DEFAULT_SECONDS, KNOBS, SweepSpec, parse_over, to_json

    over, values = parse_over(options.over)
    # The knob's own option, such as --bptt, has no effect.
    base = CompareSpec(**{"seconds": DEFAULT_SECONDS, **given(CompareSpec, options)})
    spec = SweepSpec(over, values, base)
    unit, results = KNOBS[over].unit, []
    for i, (value, point) in enumerate(zip(spec.values, spec.points(), strict=True), start=1):
        name = f"{unit.format(value)} ({i} of {len(spec.values)})"
        try:
            measured, stopped = measure(compare, point, name, len(spec.values) - i)
        except KeyboardInterrupt:
            if not results:
                raise
            output.note(STOPPED_EARLY)
            break
        results.append(measured.to_json())
        if stopped:
            break
    results += [None] * (len(spec.values) - len(results))
    content = to_json(spec, results)
    output.answer(options, content, lambda: output.print_sweep(content))

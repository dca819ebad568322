"""Print size, loss and elapsed time of several variants over the same text, in turn."""

import time
from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import given, keep, measure, note_reading
from wlm.cli.options import add_model, add_on_request, add_protocol, add_variants

EXAMPLES = """\
  python -m wlm compare                                  fp32 against int8 on the bundled text
  python -m wlm compare --variants fp32 pytorch:lstm=int8 --tokens 5000 --json
"""


def add_options(parser: ArgumentParser) -> None:
    add_model(parser)
    add_variants(parser)
    add_protocol(parser)
    add_on_request(parser)


def run(options: Namespace) -> None:
    from wlm.measuring.compare import compare
    from wlm.measuring.comparison import CompareSpec

    spec, started = CompareSpec(**given(CompareSpec, options)), time.time()
    measured, stopped = measure(compare, spec)
    content = measured.to_json()
    note_reading(measured.weights_read, measured.reading_warnings if options.json else ())
    run_id = keep(spec, content, started, stopped)
    output.answer(options, content, lambda: output.print_results(content, run_id))

"""Print the loss of one variant over a text."""

from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import given, measure, note_reading
from wlm.cli.options import add_model, add_on_request, add_protocol, add_variants
from wlm.errors import WLMError

EXAMPLES = """\
  python -m wlm evaluate --variants int8 --text my.txt
"""


def add_options(parser: ArgumentParser) -> None:
    add_model(parser)
    add_variants(parser, ["fp32"])
    add_protocol(parser)
    add_on_request(parser)


def run(options: Namespace) -> None:
    from wlm.measuring.compare import compare
    from wlm.measuring.comparison import CompareSpec

    if len(options.variants) != 1:
        raise WLMError(
            f"evaluate takes one variant, got {len(options.variants)}: compare takes several"
        )
    measured, _ = measure(compare, CompareSpec(**given(CompareSpec, options)))
    content = measured.to_json()
    note_reading(measured.weights_read, measured.reading_warnings if options.json else ())
    protocol = content["protocol"]
    read = {key: protocol[key] for key in ("unknown", "weights_read") if key in protocol}
    result = {**content["results"][0], **read, "warnings": content["warnings"]}
    output.answer(options, result, lambda: output.print_results(content))

"""Print the loss of one variant over a text."""

from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.cli.measure import given, measure
from wlm.cli.options import add_model, add_protocol, add_variants
from wlm.errors import WLMError

EXAMPLES = """\
  python -m wlm evaluate --variants int8 --text my.txt
"""


def add_options(parser: ArgumentParser) -> None:
    add_model(parser)
    add_variants(parser, ["fp32"])
    add_protocol(parser)


def run(options: Namespace) -> None:
    from wlm.measuring.compare import compare
    from wlm.measuring.comparison import CompareSpec

    if len(options.variants) != 1:
        raise WLMError(
            f"evaluate takes one variant, got {len(options.variants)}: compare takes several"
        )
    measured, _ = measure(compare, CompareSpec(**given(CompareSpec, options)))
    content = measured.to_json()
    output.answer(options, content["results"][0], lambda: output.print_results(content))

"""The page Compare's address for a comparison: its run and its settings."""

from view.compare.choose import ALL, SWITCHES
from view.shared import server, visitor
from wlm.measuring.comparison import CompareSpec
from wlm.quantization.variant import Variant


def submit_for_compare(spec: CompareSpec) -> dict[str, str | list[str]]:
    """Submit a comparison and return the query with which Compare shows it and its settings."""
    others, variant = list(spec.variants[1:-1]), Variant.parse(spec.variants[-1])
    if (
        set(variant.parts_by_precision()) - {"int8"}
        or variant.engine
        or variant.runtime != "pytorch"
    ):
        # No position of the switches means it.
        others, variant = list(spec.variants[1:]), Variant()
    return {
        "run": server.job_queue().submit(spec, visitor.name()),
        "model": spec.model,
        "text": spec.text,
        "threads": str(spec.threads),
        **{part: str(getattr(variant, part) != "fp32").lower() for part in SWITCHES},
        **({"also": others} if others else {}),
        **({} if spec.seconds else {"amount": ALL}),
    }

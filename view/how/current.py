"""What How shows below its controls: five steps, from a weight to fewer bits."""

from view.how.asked import Asked
from view.how.bits import show_bits
from view.how.following import show_following
from view.how.input import show_input
from view.how.lines import show_lines
from view.how.numbers import variant_of
from view.how.product import show_product
from view.how.weight import show_weight
from view.shared import server
from wlm.quantization.prepare import why_unavailable


def why_not(model: str) -> str:
    """Return why a model's numbers cannot be explained here, or nothing where they can."""
    if own := server.imported_as(model):
        return f"This model came quantized, as {own.label}: the weights it was made of are gone."
    return why_unavailable(variant_of(False))


def show_current(asked: Asked) -> None:
    """Show the five steps of one word."""
    for step, show in enumerate((show_weight, show_input, show_product, show_following), start=1):
        show(asked)
        show_lines(asked, step)
    show_bits(asked)

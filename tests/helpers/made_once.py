"""What takes long to make, is made once per process, and is shared: no test may change it."""

from functools import cache

from view.shared.server import Held
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.paths import ASSETS
from wlm.weights.checkpoint import Checkpoint, load_checkpoint


@cache
def bundled_model() -> Checkpoint:
    """Return the bundled model of 33,278 words."""
    return load_checkpoint(ASSETS / "models" / DEFAULT_MODEL)


@cache
def held_model() -> Held:
    """Return the bundled model as a server holds it, with the variants that pages asked for."""
    return Held(bundled_model())


@cache
def tiny_comparison() -> dict:
    """Return the result of a comparison of the tiny model, which must have a name."""
    *_, last = compare(CompareSpec(model="tiny", text="short", tokens=100))
    return last.measured.to_json()

"""The page Sweep's address for a sweep: its id, and its settings as the controls have them."""

from wlm.catalog.uploads import MODEL, TEXT
from wlm.measuring.sweep import KNOBS, SweepSpec, presets

OWN = "Your own"


def query_of(sweep_id: str, spec: SweepSpec) -> dict[str, str | list[str]]:
    """Return the query with which Sweep shows a sweep, and chooses what it was of."""
    asked = (spec.over, spec.values)
    question = next((p.question for p in presets() if (p.over, p.values) == asked), OWN)
    own = {"over": KNOBS[spec.over].label, "values": ", ".join(map(str, spec.values))}
    return {
        "sweep": sweep_id,
        MODEL: spec.base.model,
        TEXT: spec.base.text,
        "question": question,
        **(own if question == OWN else {}),
        "with": list(spec.base.variants[1:]),
        "seconds": str(spec.base.seconds),
    }

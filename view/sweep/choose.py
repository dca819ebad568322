"""The controls of Sweep: a question or a knob with its values, the variants, and the seconds."""

import streamlit as st

from view.shared import server
from view.shared.choices import choose_variants, in_url, offered_variants, show_slow
from wlm.catalog.registry import MODEL, TEXT
from wlm.errors import SettingError
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec
from wlm.measuring.sweep import DEFAULT_SECONDS, KNOBS, SweepSpec, parse_values, presets

BASELINE = "fp32"
OWN = "Your own"
LONGEST_POINT, SHORTEST_POINT = 20.0, 2.0


def choose_sweep(model: str, text: str) -> SweepSpec:
    """Draw the controls and return the sweep that they describe. Raises SettingError."""
    questions = {preset.question: preset for preset in presets()}
    question = st.segmented_control(
        "Question",
        [*questions, OWN],
        default=next(iter(questions)),
        required=True,
        **in_url("question"),
    )
    preset = questions.get(question)
    if preset:
        st.markdown(preset.sentence)
        over, values = preset.over, preset.values
    else:
        left, right = st.columns([3, 2])
        over = left.segmented_control(
            "Knob",
            list(KNOBS),
            format_func=lambda name: KNOBS[name].label,
            default="bptt",
            required=True,
            **in_url("over"),
        )
        typed = right.text_input(
            "Values",
            "1, 5, 25, 100",
            max_chars=120,
            **in_url("values"),
            help="Up to 12 whole numbers, separated by commas.",
        )
        values = parse_values(typed)
    left, right = st.columns([3, 2])
    if own := server.imported_as(model):
        raise SettingError(
            f"the model is already quantized, as {own.label}; a sweep compares variants with "
            f"{BASELINE}, so choose a model in {BASELINE}"
        )
    offered = offered_variants(model)[1:]
    with left:
        others = choose_variants(
            f"Variants to compare with {BASELINE}", "with", offered, offered[:2], most=4
        )
        show_slow(others)
    if not others:
        raise SettingError(f"choose at least one variant to compare with {BASELINE}")
    seconds = right.slider(
        "Maximum seconds per point",
        SHORTEST_POINT,
        LONGEST_POINT,
        DEFAULT_SECONDS,
        1.0,
        format="%d s",
        **in_url("seconds"),
    )
    base = CompareSpec(
        variants=(BASELINE, *map(str, others)),
        model=model,
        text=text,
        seconds=seconds,
        target=DEFAULT_TARGET,
    )
    return SweepSpec(over, values, base)


def query_of(sweep_id: str, spec: SweepSpec) -> dict[str, str | list[str]]:
    """Return the query with which Sweep shows a sweep and selects its settings."""
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

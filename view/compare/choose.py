"""What Compare has one choose: variants, how much text, threads, and what to run of it."""

from dataclasses import replace

import streamlit as st

from view.shared.choices import choose_others, choose_variant, in_url
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec
from wlm.measuring.machine import cpu_count

BASELINE = "fp32"
ALL_FOUR = (BASELINE, "pytorch:lstm=int8", "pytorch:linear=int8", "int8")
CONTROL = (BASELINE, BASELINE)
QUICK_SECONDS = 6.0
QUICK, ALL = "A few seconds", "All of it"


def choose_comparison(model: str, text: str) -> tuple[CompareSpec, CompareSpec | None]:
    """Draw the controls; return the comparison that they describe, and the one that a button was
    pressed for."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        variant = str(choose_variant())
        amount = st.segmented_control(
            "How much text", [QUICK, ALL], default=QUICK, required=True, **in_url("amount")
        )
        few = [n for n in (1, 2, 4, 8, 16) if n <= cpu_count()]
        threads = st.segmented_control(
            "Threads", few, default=1, required=True, **in_url("threads")
        )
    row = st.container(horizontal=True)
    buttons = row.container(horizontal=True, width="content")
    with row:
        others = choose_others()
    variants = (BASELINE, *(each for each in others if each != variant), variant)
    if others and variant == BASELINE:
        variants = (BASELINE, *others)
    quick = amount == QUICK
    spec = CompareSpec(
        variants=variants,
        model=model,
        text=text,
        seconds=quick_seconds(variants) if quick else None,
        target=DEFAULT_TARGET if quick else None,
        threads=threads,
    )
    with buttons:
        asked = None
        if st.button("Run", type="primary", icon=":material/play_arrow:"):
            asked = spec
        if st.button(
            "All four",
            icon=":material/grid_view:",
            help="fp32, int8 LSTM, int8 Linear and both in turn: who contributes what?",
        ):
            asked = with_variants(spec, ALL_FOUR)
        if st.button(
            "A/A control",
            icon=":material/balance:",
            help="fp32 against itself: a fair comparison must come out undecided.",
        ):
            asked = with_variants(spec, CONTROL)
    return spec, asked


def with_variants(spec: CompareSpec, variants: tuple[str, ...]) -> CompareSpec:
    """Return the spec for other variants, with as many seconds as they need."""
    seconds = spec.seconds and quick_seconds(variants)
    return replace(spec, variants=variants, seconds=seconds)


def quick_seconds(variants: tuple[str, ...]) -> float:
    """Return the budget of a short run: more than four variants need more for an interval."""
    return max(QUICK_SECONDS, 3.0 * len(variants) if len(variants) > 4 else 0.0)

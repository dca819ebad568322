"""The controls of Compare: variants, length of text, threads, and the buttons that run them."""

from collections.abc import Sequence

import streamlit as st

from view.compare.more import LABEL as MORE
from view.shared import server, visitor
from view.shared.choices import choose_variants, in_url, offered_variants
from wlm.measuring.comparison import AGREEMENT_SECONDS, DEFAULT_TARGET, CompareSpec
from wlm.measuring.machine import thread_counts
from wlm.measuring.memory import SECONDS as MEMORY_SECONDS
from wlm.model.parts import PARTS
from wlm.quantization.prepare import why_unavailable
from wlm.quantization.variant import OFFERED, Variant

BASELINE = "fp32"
QUICK_SECONDS = 6.0
QUICK, ALL = "A few seconds", "All of it"
SWITCHES = {"lstm": True, "linear": True, "embedding": False}  # whether each switch starts on
EACH_ALONE = ("pytorch:lstm=int8", "pytorch:linear=int8")  # next to both in "All four"
MOST_OTHERS = 6  # with fp32 and the switches' variant, the most that a comparison may have


def choose_comparison(model: str, text: str) -> tuple[CompareSpec, bool]:
    """Draw the controls. Return the comparison that they describe, and whether to run it."""
    own = server.imported_as(model)
    if own:
        st.info(
            f"This model came quantized, as {own.label}: it runs as that alone, and there is no "
            f"{BASELINE} to compare it with.",
            icon=":material/info:",
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        variant = str(own or choose_variant())
        amount = st.segmented_control(
            "How much text", [QUICK, ALL], default=QUICK, required=True, **in_url("amount")
        )
        threads = st.segmented_control(
            "Threads", thread_counts(), default=1, required=True, **in_url("threads")
        )
    row = st.container(horizontal=True, vertical_alignment="center")
    buttons = row.container(horizontal=True, width="content")
    with row:
        others = [] if own else choose_others(model)
    variants = (BASELINE, *(name for name in others if name != variant), variant)
    if others and variant == BASELINE:
        variants = (BASELINE, *others)
    if own:
        variants = (variant,)
    more = not own and row.toggle(
        MORE,
        **in_url("measures"),
        help="After the times: the memory that each variant takes, and how often it predicts "
        f"another word than {BASELINE}. About {AGREEMENT_SECONDS + MEMORY_SECONDS:.0f} seconds "
        "more per variant.",
    )
    quick = amount == QUICK
    spec = CompareSpec(
        variants=variants,
        model=model,
        text=text,
        seconds=quick_seconds(variants) if quick else None,
        target=DEFAULT_TARGET if quick else None,
        threads=threads,
        agreement=more,
        memory=more,
    )
    if variants == (BASELINE, BASELINE):
        st.caption(f"All switches are off: **Run** compares {BASELINE} with itself.")
    with buttons:
        asked = st.button("Run", type="primary", icon=":material/play_arrow:")
        if not own:
            asked |= st.button(
                "All four",
                icon=":material/grid_view:",
                help="Run fp32, int8 LSTM, int8 Linear and both: how much does each part change?",
                on_click=lambda: choose(("lstm", "linear"), EACH_ALONE),
            )
            asked |= st.button(
                "A/A control",
                icon=":material/balance:",
                help="Run fp32 against itself: a fair comparison must be undecided.",
                on_click=lambda: choose((), ()),
            )
    return spec, asked


def choose(on: Sequence[str], others: Sequence[str]) -> None:
    """Turn on these switches alone, and choose these other variants."""
    st.session_state.update({part: part in on for part in SWITCHES})
    st.session_state["also"] = st.query_params["also"] = list(others)


def quick_seconds(variants: tuple[str, ...]) -> float:
    """Return the seconds of a short run. More than four variants need more time for an interval."""
    return max(QUICK_SECONDS, 3.0 * len(variants) if len(variants) > 4 else 0.0)


def choose_variant() -> Variant:
    """Draw the switches and return the variant that they describe."""
    switches = {
        part: st.toggle(
            f"int8 {PARTS[part].label}",
            value=on,
            **in_url(part),
            help=f"Quantize the {PARTS[part].label} weights, from 32-bit floats to 8-bit integers.",
        )
        for part, on in SWITCHES.items()
    }
    return Variant(**{part: "int8" if on else "fp32" for part, on in switches.items()})


def choose_others(model: str) -> list[str]:
    """Draw the choice of more variants and return their names; the URL has them as `?also=NAME`."""
    offered = offered_variants(model)[1:]
    missing = filter(None, (why_unavailable(Variant.parse(name)) for name in OFFERED))
    chosen = choose_variants(
        "Also compare",
        "also",
        offered,
        [],
        most=MOST_OTHERS,
        placeholder="Also compare …",
        label_visibility="collapsed",
        help=" ".join(["More variants, each run in turn with the others.", *sorted(set(missing))]),
    )
    return list(map(str, chosen))


def submit_for_compare(spec: CompareSpec) -> dict[str, str | list[str]]:
    """Submit a comparison and return the query with which Compare shows it and its settings."""
    others, variant = list(spec.variants[1:-1]), Variant.parse(spec.variants[-1])
    if (
        set(variant.parts_by_precision()) - {"int8"}
        or variant.engine
        or variant.runtime != "pytorch"
    ):
        # No setting of the switches describes this variant.
        others, variant = list(spec.variants[1:]), Variant()
    return {
        "run": server.job_queue().submit(spec, visitor.name()),
        "model": spec.model,
        "text": spec.text,
        "threads": str(spec.threads),
        **{part: str(getattr(variant, part) != "fp32").lower() for part in SWITCHES},
        **({"also": others} if others else {}),
        **({} if spec.seconds else {"amount": ALL}),
        **({"measures": "true"} if spec.agreement else {}),
    }

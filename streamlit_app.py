"""Compare: quantize parts of the model, run, and see loss, size and elapsed time side by side."""

from dataclasses import replace

import streamlit as st

from view.compare import results
from view.compare import variant as variant_view
from view.shared import choices
from view.shared import page as ui
from view.shared import runs as page_runs
from wlm.errors import WLMError
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec
from wlm.measuring.machine import cpu_count
from wlm.quantization.variant import Variant
from wlm.runs.recordings import recording

BASELINE = "fp32"
ALL_FOUR = (BASELINE, "pytorch:lstm=int8", "pytorch:linear=int8", "int8")
QUICK_SECONDS = 6.0
QUICK, ALL = "A few seconds", "All of it"


def main() -> None:
    ui.start_page("Compare")
    model, text = choices.choose_model(), choices.choose_text()
    st.title("What does dynamic quantization change?")
    st.markdown(
        "An LSTM word language model reads a text, once with its weights as 32-bit floats and once "
        "with the parts you choose as 8-bit integers. Both read block by block in turn, on this "
        "machine."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        variant = choices.choose_variant()
        amount = st.segmented_control(
            "How much text",
            [QUICK, ALL],
            default=QUICK,
            required=True,
            key="amount",
            bind="query-params",
        )
        threads = st.segmented_control(
            "Threads",
            [n for n in (1, 2, 4, 8, 16) if n <= cpu_count()],
            default=1,
            required=True,
            key="threads",
            bind="query-params",
        )
    row = st.container(horizontal=True)
    buttons = row.container(horizontal=True, width="content")
    with row:
        others = choices.choose_others()
    variants = (BASELINE, *(each for each in others if each != str(variant)), str(variant))
    if others and str(variant) == BASELINE:
        variants = (BASELINE, *others)
    with buttons:
        asked_for = None
        if st.button("Run", type="primary", icon=":material/play_arrow:"):
            asked_for = variants
        if st.button(
            "All four",
            icon=":material/grid_view:",
            help="fp32, int8 LSTM, int8 Linear and both in turn: who contributes what?",
        ):
            asked_for = ALL_FOUR
        if st.button(
            "A/A control",
            icon=":material/balance:",
            help="fp32 against itself: a fair comparison must come out undecided.",
        ):
            asked_for = (BASELINE, BASELINE)
    quick = amount == QUICK
    spec = CompareSpec(
        variants=variants,
        model=model,
        text=text,
        seconds=quick_seconds(variants) if quick else None,
        target=DEFAULT_TARGET if quick else None,
        threads=threads,
    )
    with ui.errors_shown():
        if asked_for:
            asked = with_variants(spec, asked_for)
            st.query_params["run"] = ui.job_queue().submit(asked, ui.visitor())
        show_current_run(spec)
    with ui.errors_shown():
        variant_view.show(model, variants[1:])


def with_variants(spec: CompareSpec, variants: tuple[str, ...]) -> CompareSpec:
    """Return the spec for other variants, with as many seconds as they need."""
    seconds = spec.seconds and quick_seconds(variants)
    return replace(spec, variants=variants, seconds=seconds)


def quick_seconds(variants: tuple[str, ...]) -> float:
    """Return the budget of a short run: more than four variants need more for an interval."""
    return max(QUICK_SECONDS, 3.0 * len(variants) if len(variants) > 4 else 0.0)


def show_current_run(spec: CompareSpec) -> None:
    """Show the run that the URL names, or what to expect of the first one."""
    store, run = ui.job_queue().store, None
    if run_id := st.query_params.get("run"):
        try:
            run = page_runs.find_run(run_id)
        except WLMError:
            st.info("The run in this link is not on this server.", icon=":material/link_off:")
    if warning := (run.warning if run else "") or store.warning:
        st.warning(f"{warning}. They show until the server stops.", icon=":material/save:")
    if run is None:
        show_first_screen(spec)
    elif run.state.final:
        special = tuple(run.spec["variants"]) in (ALL_FOUR, (BASELINE, BASELINE))
        shown = with_variants(spec, tuple(run.spec["variants"])) if special else spec
        if run.spec != shown.to_json():
            st.caption(":material/info: The settings have changed since this run: press Run again.")
        results.show_ended(run)
    else:
        page_runs.watch(run.id, results.show_comparison)


def show_first_screen(spec: CompareSpec) -> None:
    """Say what Run does, and show a recorded run of the same variants until it is pressed."""
    wait = f"about {spec.seconds + 3:.0f} seconds" if spec.seconds else "several minutes at most"
    recorded = recording(spec.model, spec.variants)
    if recorded is None:
        recorded = recording(spec.model, (BASELINE, spec.variants[-1]))
    until = "" if recorded else " Until then the grey marks show what the tutorial published."
    labels = [Variant.parse(name).label for name in spec.variants]
    what = f"{', '.join(labels[:-1])} and {labels[-1]}"
    st.info(
        f"Press **Run** to measure {what} in turn on this machine: {wait}.{until}",
        icon=":material/play_arrow:",
    )
    if recorded is None:
        results.show_cards(None, None)
        results.show_charts(None)
        return
    results.show_recorded(recorded)
    results.show_comparison(recorded.result)


main()

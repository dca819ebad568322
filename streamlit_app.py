"""Compare: quantize parts of the model, run, and see loss, size and elapsed time side by side."""

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

import results
import ui
from wlm.assets import list_models, shown_path
from wlm.compare import DEFAULT_TARGET, CompareSpec
from wlm.errors import WLMError
from wlm.machine import cpu_count
from wlm.script import code_for
from wlm.recordings import recording
from wlm.variant import Variant

BASELINE = "fp32"
ALL_FOUR = (BASELINE, "pytorch:lstm=int8", "pytorch:linear=int8", "int8")
QUICK_SECONDS = 6.0
QUICK, ALL = "A few seconds", "All of it"


def main() -> None:
    ui.start_page("Compare")
    model, text = ui.choose_model(), ui.choose_text()
    st.title("What does dynamic quantization change?")
    st.markdown(
        "An LSTM word language model reads a text, once with its weights as 32-bit floats and once "
        "with the parts you choose as 8-bit integers. Both read block by block in turn, on this "
        "machine."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        variant = ui.choose_variant()
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
    with st.container(horizontal=True):
        pressed = {
            (BASELINE, str(variant)): st.button(
                "Run", type="primary", icon=":material/play_arrow:"
            ),
            ALL_FOUR: st.button(
                "All four",
                icon=":material/grid_view:",
                help="fp32, int8 LSTM, int8 Linear and both in turn: who contributes what?",
            ),
            (BASELINE, BASELINE): st.button(
                "A/A control",
                icon=":material/balance:",
                help="fp32 against itself: a fair comparison must come out undecided.",
            ),
        }
    quick = amount == QUICK
    spec = CompareSpec(
        variants=(BASELINE, str(variant)),
        model=model,
        text=text,
        seconds=QUICK_SECONDS if quick else None,
        target=DEFAULT_TARGET if quick else None,
        threads=threads,
    )
    with ui.errors_shown():
        for variants, is_pressed in pressed.items():
            if is_pressed:
                asked = replace(spec, variants=variants)
                st.query_params["run"] = ui.job_queue().submit(asked, ui.visitor())
        show_current_run(spec)
    with ui.errors_shown():
        show_model_and_code(model, variant)


def show_current_run(spec: CompareSpec) -> None:
    """Show the run that the URL names, or what to expect of the first one."""
    store, run = ui.job_queue().store, None
    if run_id := st.query_params.get("run"):
        try:
            run = store.get(run_id)
        except WLMError:
            st.info("The run in this link is not on this server.", icon=":material/link_off:")
    if warning := (run.warning if run else "") or store.warning:
        st.warning(f"{warning}. They show until the server stops.", icon=":material/save:")
    if run is None:
        show_first_screen(spec)
    elif run.state.final:
        special = tuple(run.spec["variants"]) in (ALL_FOUR, (BASELINE, BASELINE))
        shown = {**spec.to_json(), **({"variants": run.spec["variants"]} if special else {})}
        if run.spec != shown:
            st.caption(":material/info: The settings have changed since this run: press Run again.")
        results.show_ended(run)
    else:
        ui.watch(run.id, results.show_comparison)


def show_first_screen(spec: CompareSpec) -> None:
    """Say what Run does, and show a recorded run of the same variants until it is pressed."""
    wait = f"about {QUICK_SECONDS + 3:.0f} seconds" if spec.seconds else "several minutes at most"
    recorded = recording(spec.model, spec.variants)
    until = "" if recorded else " Until then the grey marks show what the tutorial published."
    label = Variant.parse(spec.variants[1]).label
    st.info(
        f"Press **Run** to measure {BASELINE} and {label} in turn on this machine: {wait}.{until}",
        icon=":material/play_arrow:",
    )
    if recorded is None:
        results.show_cards(None, None)
        results.show_charts(None)
        return
    day = datetime.fromtimestamp(recorded.finished_at, UTC)
    st.badge(
        f"Recorded on {recorded.result['machine']['cpu']}, {day:%d %B %Y}",
        icon=":material/history:",
        color="gray",
    )
    results.show_comparison(recorded.result)


def show_model_and_code(model: str, variant: Variant) -> None:
    """Show the model as PyTorch prints it, before and after, and the code that does it."""
    st.subheader("The model, before and after")
    before, after = st.columns(2)
    before.code(str(ui.load_model(model).model), language=None, wrap_lines=True)
    after.code(str(ui.load_variant(model, variant)), language=None, wrap_lines=True)
    st.subheader("The code that does it")
    st.code(code_for(variant, shown_path(list_models()[model])), language="python")
    st.caption(
        "`torch.ao.quantization` is deprecated: PyTorch warns at each call and has announced its "
        "removal, with no replacement for LSTMs. This app pins the release that still has it."
    )


main()

"""Compare: quantize parts of the model, run, and see loss, size and elapsed time side by side."""

import streamlit as st

import results
import ui
from wlm.assets import list_models, shown_path
from wlm.compare import CompareSpec
from wlm.errors import WLMError
from wlm.machine import cpu_count
from wlm.quantize import code_for
from wlm.runs import Run, State
from wlm.variant import Variant

BASELINE = "fp32"
QUICK_SECONDS = 5.0
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
        run_pressed = st.button("Run", type="primary", icon=":material/play_arrow:")
    spec = CompareSpec(
        variants=(BASELINE, str(variant)),
        model=model,
        text=text,
        seconds=QUICK_SECONDS if amount == QUICK else None,
        threads=threads,
    )
    if run_pressed:
        with ui.errors_shown():
            st.query_params["run"] = ui.job_queue().submit(spec)
    with ui.errors_shown():
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
        show_end(run, spec)
    else:
        ui.watch(run.id, results.show_comparison)


def show_first_screen(spec: CompareSpec) -> None:
    wait = f"about {QUICK_SECONDS + 3:.0f} seconds" if spec.seconds else "several minutes at most"
    label = Variant.parse(spec.variants[-1]).label
    st.info(
        f"Press **Run** to measure {BASELINE} and {label} in turn: {wait}. Until then the grey "
        "marks show what the tutorial published.",
        icon=":material/play_arrow:",
    )
    results.show_cards(None, None)
    results.show_charts(None)


def show_end(run: Run, spec: CompareSpec) -> None:
    if run.state == State.FAILED:
        ui.show_error(run.message)
    elif run.state == State.INTERRUPTED:
        st.warning(run.message, icon=":material/power_off:")
    elif run.state == State.STOPPED:
        measured = "the numbers are those until then" if run.result else "nothing was measured yet"
        st.info(f"Stopped early: {measured}.", icon=":material/stop:")
    if run.spec != spec.to_json():
        st.caption(":material/info: The settings have changed since this run: press Run again.")
    if run.result:
        results.show_comparison(run.result)


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

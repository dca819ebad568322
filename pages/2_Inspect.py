"""Inspect: where a model's bytes, time and error are, module by module."""

import streamlit as st

from view.compare import results
from view.inspect import bytes as inspection
from view.inspect import errors as inspection_errors
from view.inspect import times as inspection_times
from view.shared import choices
from view.shared import page as ui
from view.shared import runs as page_runs
from wlm.errors import VariantError, WLMError
from wlm.inspecting.times import InspectSpec
from wlm.measuring.spec import MAX_VARIANTS
from wlm.quantization.variant import Variant

DEFAULT = ("fp32", "int8")
CHOSEN = "chosen-variants"
BYTES, TIME, ERROR, MODEL = "Bytes", "Time", "Error", "Model"


def main() -> None:
    ui.start_page("Inspect")
    choices.write_variants_as(str, "variants")
    model, text = choices.choose_model(), choices.choose_text()
    st.title("Where bytes, time and error are")
    st.markdown(
        "A word passes through an embedding, a stack of LSTM layers and a decoder. See what each "
        "of them takes in the file, how long it runs, and how far rounding moves it."
    )
    with ui.errors_shown():
        if not (variants := choose_variants()):
            st.info("Choose one variant or more.", icon=":material/touch_app:")
            return
        # Only the open tab is computed.
        tabs = dict(
            zip(
                (BYTES, TIME, ERROR, MODEL),
                st.tabs([BYTES, TIME, ERROR, MODEL], key="tab", bind="query-params"),
                strict=True,
            )
        )
        if tabs[BYTES].open:
            with tabs[BYTES]:
                inspection.show_bytes(model, variants)
        if tabs[TIME].open:
            with tabs[TIME]:
                show_time(InspectSpec(tuple(map(str, variants)), model, text))
        if tabs[ERROR].open:
            with tabs[ERROR]:
                inspection_errors.show_error(model, text, variants)
        if tabs[MODEL].open:
            with tabs[MODEL]:
                inspection.show_model(model, variants)


def choose_variants() -> list[Variant]:
    """Draw the choice of variants; the URL holds their names as the command line reads them."""
    asked = []
    for name in st.query_params.get_all("variants")[:MAX_VARIANTS]:
        try:
            asked.append(Variant.parse(name))
        except VariantError as error:
            ui.show_error(str(error))
    asked = asked or [Variant.parse(name) for name in DEFAULT]
    by_label = {variant.label: variant for variant in [*choices.offered_variants(), *asked]}
    chosen = st.pills(
        "Variants",
        list(by_label),
        selection_mode="multi",
        default=[variant.label for variant in asked],
        key=CHOSEN,
        on_change=write_to_url,
        args=(by_label,),
    )
    if len(chosen) > MAX_VARIANTS:
        st.caption(f":material/info: The first {MAX_VARIANTS} are shown, as many as fit.")
    return [variant for label, variant in by_label.items() if label in chosen][:MAX_VARIANTS]


def write_to_url(by_label: dict[str, Variant]) -> None:
    """Name the chosen variants in the URL, before the menu's links repeat it."""
    chosen = st.session_state[CHOSEN]
    names = [str(variant) for label, variant in by_label.items() if label in chosen]
    if names == [*DEFAULT]:
        st.query_params.pop("variants", None)
    else:
        st.query_params["variants"] = names


def show_time(spec: InspectSpec) -> None:
    """Show the inspection that the URL names, or what to expect of the first one."""
    jobs, run = ui.job_queue(), None
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Measure", type="primary", icon=":material/timer:"):
            st.query_params["inspection"] = jobs.submit(spec, ui.visitor())
    if run_id := st.query_params.get("inspection"):
        try:
            run = jobs.store.get(run_id)
        except WLMError:
            run = None
        if run is None or run.kind != InspectSpec.kind:
            st.info(
                "The inspection in this link is not on this server.", icon=":material/link_off:"
            )
            run = None
    if warning := (run.warning if run else "") or jobs.store.warning:
        st.warning(f"{warning}. They show until the server stops.", icon=":material/save:")
    if run is None:
        st.info(
            "Press **Measure** to time each module of these variants in turn on this machine, for "
            "a chunk of 25 words and for one word, and to measure what the machine can do at "
            f"best: about {spec.seconds + 5:.0f} seconds.",
            icon=":material/timer:",
        )
    elif run.state.final:
        if run.spec != spec.to_json():
            st.caption(
                ":material/info: The settings have changed since this run: press Measure again."
            )
        results.show_ending(run)
        if run.result:
            inspection_times.show_times(run.result)
    else:
        page_runs.watch(run.id, inspection_times.show_times)


main()

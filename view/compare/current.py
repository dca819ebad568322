"""What Compare shows below its controls: the run that the URL names, or the first screen."""

import streamlit as st

from view.compare import results
from view.compare.choose import ALL_FOUR, BASELINE, CONTROL, with_variants
from view.shared.runs import run_in_url, show_run
from wlm.measuring.comparison import CompareSpec
from wlm.quantization.variant import Variant
from wlm.runs.recordings import recording


def show_current(spec: CompareSpec) -> None:
    """Show the run that the URL names, or what to expect of the first one."""
    if (run := run_in_url("run", spec.kind)) is None:
        show_first_screen(spec)
        return
    ran = tuple(run.spec["variants"])
    shown = with_variants(spec, ran) if ran in (ALL_FOUR, CONTROL) else spec
    if run.state.final and run.spec != shown.to_json():
        st.caption(":material/info: The settings have changed since this run: press Run again.")
    show_run(run, results.show_comparison)


def show_first_screen(spec: CompareSpec) -> None:
    """Say what Run does, and show a recorded run of the same variants until it is pressed."""
    wait = f"about {spec.most_seconds:.0f} seconds" if spec.seconds else "several minutes at most"
    recorded = recording(spec.model, spec.variants)
    if recorded is None:
        recorded = recording(spec.model, (BASELINE, spec.variants[-1]))
    until = "" if recorded else " Until then the grey marks show what the tutorial published."
    labels = [Variant.parse(name).label for name in spec.variants]
    what = " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))
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

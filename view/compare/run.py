"""The results below Compare's controls: the run that the URL names, or the first screen."""

import streamlit as st

from view.compare import results
from view.compare.more import offer_more
from view.compare.race import show_race
from view.compare.tradeoff import show_tradeoff
from view.shared import server
from view.shared.runs import run_in_url, show_before, show_run, show_when, shown_before
from view.shared.subject import show_subject
from wlm import tutorial
from wlm.inspecting.parts import module_bytes
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.wording import listed
from wlm.quantization.variant import Variant
from wlm.runs.recordings import recording


def show_current(spec: CompareSpec) -> None:
    """Show the run that the URL names, or what to expect of the first run."""
    run = run_in_url("run", spec.kind)
    before = shown_before(spec.kind, run) or recording(spec.model, spec.variants)
    if run is None or run.state.final:
        server.job_queue().prefetch(spec)
    if run is None:
        show_first_screen(spec)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.state.final and run.result:
            show_when(run)
        show_subject(run.spec, spec.to_json(), "Run")
    show_run(
        run,
        results.show_comparison,
        lambda: show_before(before, results.show_comparison) if before else show_sizes(spec),
        show_race,
    )
    if run.state.final and run.result:
        offer_more(run.result)
        show_tradeoff(run.result, recorded=run.origin == "recorded")


def sizes_of(spec: CompareSpec) -> dict:
    """Return what a comparison's JSON would have before any measurement: the variants' sizes."""
    config = server.config_of(spec.model)
    rows = [
        {
            "label": variant.label,
            "variant": str(variant),
            "size_bytes": sum(module_bytes(config, variant).values()),
        }
        for variant in map(Variant.parse, spec.variants)
    ]
    protocol = {"tokens": tutorial.TOKENS, "batch_size": spec.batch_size, "bptt": spec.bptt}
    return {"results": rows, "protocol": protocol}


def show_sizes(spec: CompareSpec) -> None:
    """Show the chosen variants' sizes, and dashes for loss and time."""
    result = sizes_of(spec)
    results.show_cards(result["results"][0], result["results"][-1])
    results.show_charts(result)


def show_first_screen(spec: CompareSpec) -> None:
    """Show what the Run button does, and a recorded run of the same variants until it is
    pressed."""
    wait = f"about {spec.most_seconds:.0f} seconds" if spec.seconds else "until all of it is read"
    recorded, sizes = recording(spec.model, spec.variants), sizes_of(spec)
    marked = recorded is None and any(results.published(sizes))
    until = " Until then the lines show what the tutorial published." if marked else ""
    labels = [row["label"] for row in sizes["results"]]
    st.info(
        f"Press **Run** to measure {listed(labels)} in turn on this machine: {wait}.{until}",
        icon=":material/play_arrow:",
    )
    if recorded is None:
        show_sizes(spec)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        show_when(recorded)
        # The recorded length of text does not change what to expect.
        show_subject(recorded.spec, {**spec.to_json(), "seconds": recorded.spec["seconds"]}, "Run")
    results.show_comparison(recorded.result)
    show_tradeoff(recorded.result, recorded=True)

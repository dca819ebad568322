"""The comparisons of the tour: the recorded run until Run measures here; larger for a presenter."""

from functools import partial

import streamlit as st

from view.compare import results
from view.compare.race import show_race
from view.shared import server, visitor
from view.shared.dimming import dim
from view.shared.runs import find_run, show_run, show_when, shown_before
from view.tutorial.place import go, place
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.errors import StoreError
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec
from wlm.quantization.prepare import why_unavailable
from wlm.quantization.variant import Variant
from wlm.runs.recordings import recording
from wlm.runs.run import Run

MODEL = DEFAULT_MODEL
SECONDS = 6.0


def measure(key: str, variants: tuple[Variant, ...], presenting: bool) -> None:
    """Draw a Run button and the comparison that it starts. Before that, draw a recorded run if
    there is one, or the reason that a variant is unavailable. The run's id is in the URL under its
    key."""
    show = partial(results.show_summary, large=presenting)
    show_verdict = partial(results.show_verdict, large=presenting)

    def stay() -> None:  # without its settings, which are the same and need room
        if before:
            with dim():
                show(before.result)

    names = tuple(map(str, variants))
    spec = CompareSpec(names, MODEL, seconds=SECONDS, target=DEFAULT_TARGET)
    missing = next(filter(None, map(why_unavailable, variants)), "")
    asked = place().runs.get(key)
    run, recorded = measured(asked, spec), recording(MODEL, names)
    before = shown_before(key, run) or recorded
    # If a run is being followed, its progress takes this space.
    if not run or run.state.final:
        if not missing:
            server.job_queue().prefetch(spec)
        with st.container(horizontal=True, vertical_alignment="center"):
            if not missing and st.button(
                "Run", type="primary", icon=":material/play_arrow:", key=f"{key}-button"
            ):
                submitted = server.job_queue().submit(spec, visitor.name())
                go(runs={**place().runs, key: submitted})
                st.rerun()
            if asked and not run:
                lost = "The run in this link is not on this server"
                st.badge(lost, icon=":material/link_off:", color="gray")
            if recorded and not run:
                show_when(recorded)
    if run:
        show_run(
            run,
            # During the run, a slide only has room for the race and its verdict so far.
            show_verdict if presenting and not run.state.final else show,
            stay,
            show_race,
        )
    elif recorded:
        show(recorded.result)
    else:
        if not missing:
            wait = f"about {spec.most_seconds:.0f} seconds"
            st.info(
                f"Press **Run** to measure on this machine. It takes {wait}.",
                icon=":material/play_arrow:",
            )
        results.show_cards(None, None)
    if missing:
        st.info(f"This server cannot run it: {missing}", icon=":material/extension_off:")


def measured(run_id: str | None, spec: CompareSpec) -> Run | None:
    """Return the run with this id if it is here and measures this comparison."""
    if not run_id:
        return None
    try:
        run = find_run(run_id)
    except StoreError:
        return None
    same = (run.spec["model"], tuple(run.spec["variants"])) == (spec.model, spec.variants)
    return run if same else None

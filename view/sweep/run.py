"""The results below Sweep's controls: the sweep that the URL names, until it ends."""

import streamlit as st

from view.shared import server, visitor
from view.shared.choices import is_anothers
from view.shared.progress import Standing, follow
from view.shared.runs import (
    points_of,
    run_in_url,
    show_before,
    show_when,
    shown_before,
    waiting,
)
from view.shared.subject import show_subject
from view.sweep.choose import query_of
from view.sweep.results import show_sweep
from wlm.catalog.registry import MODEL, TEXT
from wlm.measuring.sweep import KNOBS, SweepSpec
from wlm.runs.recordings import recorded_sweep
from wlm.runs.run import Run, State
from wlm.runs.sweep_points import current_points, missing_points, seconds_left

PAGE = "pages/3_Sweep.py"


def show_current(chosen: SweepSpec | None) -> None:
    """Show the sweep that the URL names, or what to expect of the first sweep. `chosen` is None if
    the settings are invalid."""
    sweep = run_in_url("sweep", SweepSpec.kind)
    recorded = recorded_sweep(chosen) if chosen else None
    if sweep is None:
        show_first_screen(chosen, recorded)
        return
    spec, runs = SweepSpec.from_json(sweep.spec), points_of(sweep.id)
    show_subject(sweep.spec, chosen and chosen.to_json(), "Start")
    before = shown_before(sweep.kind, sweep, any(run.result for run in runs)) or recorded
    if any(not run.state.final for run in runs):
        follow(lambda: standing(sweep.id, spec, before), every=1.0)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        query = query_of(sweep.id, spec)
        if measured := [run for run in runs if run.result]:
            show_when(measured[-1])
        st.page_link(PAGE, label="Link", icon=":material/link:", query_params=query)
        if missing := missing_points(spec, runs):
            base, left = spec.base, len(missing)
            anothers = is_anothers(MODEL, base.model) or is_anothers(TEXT, base.text)
            if st.button(
                f"Continue: {left} of {len(spec.values)} points {'is' if left == 1 else 'are'} "
                "missing",
                icon=":material/resume:",
                disabled=anothers,
                help="It needs another visitor's upload." if anothers else None,
            ):
                server.job_queue().resume_sweep(sweep.id, visitor.name())
                st.rerun()
    show_sweep(spec, runs)


def show_first_screen(chosen: SweepSpec | None, recorded: Run | None) -> None:
    """Show what the Start button does and, until it is pressed, the recorded sweep of the same
    question."""
    st.info(
        "Press **Start** to measure on this machine. The first point takes a few seconds, then "
        "the curves grow. You can stop at any time and continue later.",
        icon=":material/play_arrow:",
    )
    if recorded is None:
        return
    runs = points_of(recorded.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        show_when(runs[-1])
        # The recording's own values and seconds do not change what to expect.
        same = {key: recorded.spec[key] for key in ("values", "seconds")}
        show_subject(recorded.spec, chosen.to_json() | same, "Start")
    show_sweep(SweepSpec.from_json(recorded.spec), runs)


def standing(sweep_id: str, spec: SweepSpec, before: Run | None) -> Standing | None:
    """Return a sweep's progress with its curves so far, or with the curves of the sweep before as
    long as there are none; None after its end."""
    jobs, who = server.job_queue(), visitor.name()
    runs = jobs.recent.points_of(sweep_id)
    if all(run.state.final for run in runs):
        return None

    def show() -> None:
        if before and not any(run.result for run in runs):
            earlier = SweepSpec.from_json(before.spec)
            show_before(before, lambda _: show_sweep(earlier, points_of(before.id)))
        else:
            show_sweep(spec, runs)

    may_stop = all(jobs.may_stop(run, who) for run in runs)
    return Standing(
        *progress(spec, runs),
        stopping=all(run.stop_requested for run in runs if not run.state.final),
        stop=(lambda: jobs.stop_sweep(sweep_id, who)) if may_stop else None,
        show=show,
    )


def progress(spec: SweepSpec, runs: list[Run]) -> tuple[float, str]:
    """Return the share of a sweep that is done, and its progress in words."""
    points = current_points(spec, runs)
    pairs = list(zip(spec.values, points, strict=True))
    share = sum(run.done if run and not run.state.final else bool(run) for run in points)
    done = sum(run is not None and run.state.final for run in points)
    unit = KNOBS[spec.over].unit
    now = [unit.format(value) for value, run in pairs if run and run.state == State.RUNNING]
    if not done and not now:
        return 0.0, waiting(next(run.id for run in points if run and not run.state.final))
    left = seconds_left(spec, points)
    words = f"{done} of {len(points)} points" + (f"; now {' and '.join(now)}" if now else "")
    return share / len(points), words + ("" if left is None else f"; at most {left:,.0f} s left")

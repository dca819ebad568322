"""Runs on a page: finding them, also by the URL, and showing them until they end."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from view.shared import server, visitor
from view.shared.dimming import dim, is_dim
from view.shared.page import for_visitors, show_error
from view.shared.progress import Standing, follow
from view.shared.subject import subject
from wlm.errors import StoreError, WLMError
from wlm.hosting import hosting
from wlm.measuring.wording import counted
from wlm.runs.run import Run, State

MOST_PERCENTAGES = 3  # in a warning that is shown without a click
NOUNS = {
    "compare": "comparison",
    "inspect": "inspection",
    "memory": "measurement of memory",
    "sweep": "sweep",
}
TIMING = "Measuring"  # the stage of a run that has a picture


def find_run(run_id: str, kind: str = "compare") -> Run:
    """Return a recorded or stored run. Raises StoreError if there is no run of this id and kind."""
    from wlm.runs.recordings import recordings, sweep_recordings

    recorded = recordings() | sweep_recordings()
    run = recorded.get(run_id) or server.job_queue().recent.get(run_id)
    if run.kind != kind:
        raise StoreError(f"there is no {NOUNS[kind]} {run_id!r}")
    return run


def points_of(sweep_id: str) -> list[Run]:
    """Return the runs of a recorded or stored sweep's points, oldest first."""
    from wlm.runs.recordings import recorded_points

    return recorded_points(sweep_id) or server.job_queue().recent.points_of(sweep_id)


def run_in_url(key: str, kind: str) -> Run | None:
    """Return the run that the URL names, if any. Show a message if it is not here, or a warning if
    it is not kept."""
    run = None
    if run_id := st.query_params.get(key):
        try:
            run = find_run(run_id, kind)
        except WLMError:
            st.info(f"The {key} in this link is not on this server.", icon=":material/link_off:")
    warn_of_unkept(run)
    return run


def warn_of_unkept(run: Run | None = None) -> None:
    """Show a warning if runs, or this run, will be lost when the server stops."""
    if warning := (run.warning if run else "") or server.job_queue().store.warning:
        sentence = f"{for_visitors(warning)}. They show until the server stops."
        st.warning(sentence, icon=":material/save:")


def shown_before(key: str, run: Run | None, is_measured: bool | None = None) -> Run | None:
    """Return the run that was last shown to this visitor under a key, as long as `run` has no
    numbers. Once it has numbers, remember it and return None. A sweep's numbers are in its points,
    so `is_measured` says whether it has any."""
    key = f"shown-{key}"
    if run is not None and (bool(run.result) if is_measured is None else is_measured):
        st.session_state[key] = run.id, run.kind
        return None
    try:
        return find_run(*st.session_state.get(key, ("",)))
    except StoreError:
        return None


def show_before(before: Run | None, show: Callable[[dict], None]) -> None:
    """Show, dimmed, the numbers and the settings of the run shown before, if any."""
    if before is not None:
        st.caption(f":material/history: Previous result: {subject(before.spec)}")
        with dim():
            show(before.result)


def show_run(
    run: Run,
    show: Callable[[dict], None],
    before: Callable[[], None] = lambda: None,
    picture: Callable[[Run], None] | None = None,
) -> None:
    """Show a run's numbers: during the run, the numbers so far, with a picture of the progress if
    there is one; then how the run ended and all numbers. Show `before` as long as there are
    none."""
    if not run.state.final:
        follow(lambda: standing(run.id, show, before, picture))
        return
    if run.state == State.FAILED:
        show_error(run.message)
    elif run.state == State.INTERRUPTED:
        st.warning(run.message, icon=":material/power_off:")
    elif run.state == State.STOPPED:
        measured = "these are the numbers so far" if run.result else "nothing was measured"
        why = run.message or "Stopped early"
        st.info(f"{why}: {measured}.", icon=":material/stop:")
    if run.result:
        show(run.result)


def standing(
    run_id: str,
    show: Callable[[dict], None],
    before: Callable[[], None],
    picture: Callable[[Run], None] | None,
) -> Standing | None:
    """Return a run's progress with its numbers so far; None after its end. While numbers come in,
    the picture replaces the bar."""
    jobs, who = server.job_queue(), visitor.name()
    run = jobs.recent.get(run_id)
    if run.state.final:
        return None
    is_timed = run.result is not None and run.stage == TIMING
    return Standing(
        min(1.0, run.done),
        waiting(run_id) if run.state == State.QUEUED else _stage(run),
        run.stop_requested,
        stop=(lambda: jobs.stop(run_id, who)) if jobs.may_stop(run, who) else None,
        show=lambda: show(run.result) if run.result is not None else before(),
        picture=(lambda: picture(run)) if picture and is_timed else None,
    )


def waiting(run_id: str) -> str:
    """Return in words how many runs a queued one waits for."""
    ahead, seconds = server.job_queue().ahead_of(run_id)
    when = "" if seconds is None else f", about {seconds:,.0f} s"
    return f"Waiting: {ahead} ahead of you{when}" if ahead else "Starting …"


def _stage(run: Run) -> str:
    if run.seconds_left is None:
        return f"{run.stage} …"
    return f"{run.stage}: about {run.seconds_left:,.0f} s left"


def show_when(run: Run) -> None:
    """Show when a finished run was measured; of a recorded or imported run, also the machine."""
    ended = run.finished_at or run.created_at
    moment = ago(ended)
    if run.origin:
        moment = f"on {run.result['machine']['cpu']}, {datetime.fromtimestamp(ended, UTC):%d %b %Y}"
    verb = "Recorded" if run.origin == "recorded" else "Measured"
    st.badge(f"{verb} {moment}", icon=":material/history:", color="gray")


def ago(moment: float) -> str:
    """Return a moment (seconds since 1970) in words: how long ago it is, or its day."""
    minutes = int((time.time() - moment) / 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{counted(minutes, 'minute')} ago"
    if (hours := minutes // 60) < 24:
        return f"{counted(hours, 'hour')} ago"
    return f"on {datetime.fromtimestamp(moment, UTC):%d %B %Y}"


def show_worker() -> None:
    """Show whether the worker is running, and on a public server, how long runs are kept."""
    if hosting().public:
        days = hosting().run_days
        st.caption(
            f"Runs expire after {counted(days, 'day')}. Only you see this list; "
            "everyone with a run's link sees the run."
        )
    well, words = server.job_queue().worker()
    st.caption(f":material/{'memory' if well else 'memory_alt'}: {words}")


def show_warnings(warnings: list[str]) -> None:
    """Show the warnings that a reader needs before trusting the numbers, unless the numbers are
    dimmed. A long list of percentages is in a fold."""
    if is_dim():
        return
    lists = [warning for warning in warnings if warning.count("%") > MOST_PERCENTAGES]
    if short := [warning for warning in warnings if warning not in lists]:
        st.warning("  \n".join(short), icon=":material/vital_signs:")
    if lists:
        fold = "Something else was using this machine: the numbers it affected"
        with st.expander(fold, icon=":material/vital_signs:"):
            st.markdown("  \n".join(lists))


def where_measured(result: dict) -> str:
    """Return the number of threads, the machine and the engine of a result, in words."""
    threads, machine = result["protocol"]["threads"], result["machine"]
    return (
        f"{counted(threads, 'thread')} · {machine['cpu']}, {machine['cpus']} CPUs "
        f"· torch {machine['torch']}, engine {machine['quantized_engine']}"
    )

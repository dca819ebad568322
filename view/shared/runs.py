"""Runs on a page: finding them, also by the URL, and showing them until they end."""

from collections.abc import Callable

import streamlit as st

from view.shared import server, visitor
from view.shared.dimming import dim, is_dim
from view.shared.page import for_visitors, show_error
from view.shared.progress import Standing, follow
from view.shared.subject import show_subject_before
from wlm.errors import StoreError, WLMError
from wlm.hosting import hosting
from wlm.runs.run import Run, State

WORKER_HERE, WORKER_AWAY = ":material/memory:", ":material/memory_alt:"
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
    from wlm.runs.recordings import recordings

    run = recordings().get(run_id) or server.job_queue().recent.get(run_id)
    if run.kind != kind:
        raise StoreError(f"there is no {NOUNS[kind]} {run_id!r}")
    return run


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
        show_subject_before(before.spec)
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
        follow_run(run.id, show, before, picture)
        return
    if run.state == State.FAILED:
        show_error(run.message)
    elif run.state == State.INTERRUPTED:
        st.warning(run.message, icon=":material/power_off:")
    elif run.state == State.STOPPED:
        measured = "the numbers are those until then" if run.result else "nothing was measured yet"
        why = run.message or "Stopped early"
        st.info(f"{why}: {measured}.", icon=":material/stop:")
    if run.result:
        show(run.result)


def follow_run(
    run_id: str,
    show: Callable[[dict], None],
    before: Callable[[], None],
    picture: Callable[[Run], None] | None = None,
) -> None:
    """Follow a run until it ends: stage, time left, a stop button, and its numbers so far. While
    numbers come in, the picture replaces the bar."""

    who = visitor.name()

    def look() -> Standing | None:
        jobs = server.job_queue()
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

    follow(look)


def waiting(run_id: str) -> str:
    """Return in words how many runs a queued one waits for."""
    ahead, seconds = server.job_queue().ahead_of(run_id)
    when = "" if seconds is None else f", about {seconds:,.0f} s"
    return f"Waiting: {ahead} ahead of you{when}" if ahead else "Starting …"


def _stage(run: Run) -> str:
    if run.seconds_left is None:
        return f"{run.stage} …"
    return f"{run.stage}: about {run.seconds_left:,.0f} s left"


def show_worker() -> None:
    """Show in a line whether the worker is running, and for how long strangers' runs are kept.
    `python -m wlm check --server` reads this line."""
    if hosting().public:
        st.caption(
            f"Runs are kept for {hosting().run_days} days. The list is yours alone; who has a "
            "run's link sees the run."
        )
    well, words = server.job_queue().worker()
    st.caption(f"{WORKER_HERE if well else WORKER_AWAY} {words}")


def show_warnings(warnings: list[str]) -> None:
    """Show the warnings that a reader needs before trusting the numbers, unless the numbers are
    dimmed. A long list of percentages is in a fold."""
    if is_dim():
        return
    lists = [warning for warning in warnings if warning.count("%") > MOST_PERCENTAGES]
    if short := [warning for warning in warnings if warning not in lists]:
        st.warning("  \n".join(short), icon=":material/vital_signs:")
    if lists:
        fold = "Something else was using this machine: which numbers suffered"
        with st.expander(fold, icon=":material/vital_signs:"):
            st.markdown("  \n".join(lists))


def where_measured(result: dict) -> str:
    """Return the number of threads, the machine and the engine of a result, in words."""
    threads, machine = result["protocol"]["threads"], result["machine"]
    return (
        f"{threads} thread{'s' if threads > 1 else ''} · {machine['cpu']}, {machine['cpus']} CPUs "
        f"· torch {machine['torch']}, engine {machine['quantized_engine']}"
    )

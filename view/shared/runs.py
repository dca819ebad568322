"""Runs on a page: found, also as the URL names them, and shown to their end."""

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
NOUNS = {"compare": "comparison", "inspect": "inspection", "sweep": "sweep"}


def find_run(run_id: str, kind: str = "compare") -> Run:
    """Return a recorded or stored run. Raises StoreError where there is none of this id and
    kind."""
    from wlm.runs.recordings import recordings

    run = recordings().get(run_id) or server.job_queue().recent.get(run_id)
    if run.kind != kind:
        raise StoreError(f"there is no {NOUNS[kind]} {run_id!r}")
    return run


def run_in_url(key: str, kind: str) -> Run | None:
    """Return the run that the URL names, if any; say so where it is not here, or is not kept."""
    run = None
    if run_id := st.query_params.get(key):
        try:
            run = find_run(run_id, kind)
        except WLMError:
            st.info(f"The {key} in this link is not on this server.", icon=":material/link_off:")
    warn_of_unkept(run)
    return run


def warn_of_unkept(run: Run | None = None) -> None:
    """Say so where runs, or this one, show only until the server stops."""
    if warning := (run.warning if run else "") or server.job_queue().store.warning:
        sentence = f"{for_visitors(warning)}. They show until the server stops."
        st.warning(sentence, icon=":material/save:")


def shown_before(key: str, run: Run | None, is_measured: bool | None = None) -> Run | None:
    """Return the run that this visitor was shown last under a key, while `run` has no numbers yet;
    what is shown now is remembered. A sweep's numbers are its points': `is_measured` tells."""
    key = f"shown-{key}"
    if run is not None and (bool(run.result) if is_measured is None else is_measured):
        st.session_state[key] = run.id, run.kind
        return None
    try:
        return find_run(*st.session_state.get(key, ("",)))
    except StoreError:
        return None


def show_before(before: Run | None, show: Callable[[dict], None]) -> None:
    """Show, dim, the numbers of a run that was shown before, if any, and what it is of."""
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
    """Show a run's numbers: those so far while it is followed, with a picture of how it goes if
    there is one, then how it ended, and all. Until there are any, `before` shows what was there."""
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
    """Follow a run until it ends: stage, time left, a stop button, and its numbers so far; once
    there are some, the picture takes the place of the bar."""

    who = visitor.name()

    def look() -> Standing | None:
        jobs = server.job_queue()
        run = jobs.recent.get(run_id)
        if run.state.final:
            return None
        return Standing(
            min(1.0, run.done),
            waiting(run_id) if run.state == State.QUEUED else _stage(run),
            run.stop_requested,
            stop=(lambda: jobs.stop(run_id, who)) if jobs.may_stop(run, who) else None,
            show=lambda: show(run.result) if run.result is not None else before(),
            picture=(lambda: picture(run)) if picture and run.result is not None else None,
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
    """Say in a line whether the worker is there, which `python -m wlm check --server` reads, and
    for how long strangers' runs are kept."""
    if hosting().public:
        st.caption(
            f"Runs are kept for {hosting().run_days} days. The list is yours alone; who has a "
            "run's link sees the run."
        )
    well, words = server.job_queue().worker()
    st.caption(f"{WORKER_HERE if well else WORKER_AWAY} {words}")


def show_warnings(warnings: list[str]) -> None:
    """Show what to know before one trusts the numbers, unless these are dim; a list of many
    percentages is in a fold."""
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
    """Return with how many threads, on what machine and by which engine a result came about."""
    threads, machine = result["protocol"]["threads"], result["machine"]
    return (
        f"{threads} thread{'s' if threads > 1 else ''} · {machine['cpu']}, {machine['cpus']} CPUs "
        f"· torch {machine['torch']}, engine {machine['quantized_engine']}"
    )

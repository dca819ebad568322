"""A run on a page: found, judged whether it may be run here, submitted again, and followed."""

from collections.abc import Callable

import streamlit as st

from view.shared import page as ui
from view.shared.choices import names_for_visitor
from wlm.catalog.uploads import MODEL, TEXT
from wlm.errors import StoreError
from wlm.quantization.variant import Variant

LONGEST_SECONDS = 600.0  # nobody's imported settings may hold the worker for hours


def find_run(run_id: str):
    """Return a recorded or stored comparison. Raises StoreError where there is none of this id."""
    from wlm.runs.recordings import recordings

    run = recordings().get(run_id) or ui.job_queue().store.get(run_id)
    if run.kind != "compare":
        raise StoreError(f"there is no comparison {run_id!r}")
    return run


def why_not_here(settings: dict) -> str:
    """Return why a run's settings, which may be imported, are not to be run here, or nothing."""
    for key in (MODEL, TEXT):
        # Only names: neither a path from elsewhere nor another's upload must be opened.
        if settings.get(key) not in (names := names_for_visitor(key)):
            return f"The {key} must be one of {', '.join(names)}, got {settings.get(key)!r}."
    if settings.get("vocabulary") or settings.get("corpus"):
        return "It needs a vocabulary file or a corpus folder, which only the command line takes."
    if (settings.get("seconds") or 0.0) > LONGEST_SECONDS:
        return f"It takes {settings['seconds']:,.0f} s, and {LONGEST_SECONDS:,.0f} s are allowed."
    return ""


def compare_query(spec) -> dict[str, str | list[str]]:
    """Submit a comparison and return the query with which Compare shows it and its settings."""
    others, variant = list(spec.variants[1:-1]), Variant.parse(spec.variants[-1])
    if (
        set(variant.parts_by_precision()) - {"int8"}
        or variant.engine
        or variant.runtime != "pytorch"
    ):
        # No position of the switches means it.
        others, variant = list(spec.variants[1:]), Variant()
    return {
        "run": ui.job_queue().submit(spec, ui.visitor()),
        "model": spec.model,
        "text": spec.text,
        "threads": str(spec.threads),
        **{part: str(getattr(variant, part) != "fp32").lower() for part in ui.SWITCHES},
        **({"also": others} if others else {}),
        **({} if spec.seconds else {"amount": "All of it"}),
    }


def watch(run_id: str, show: Callable[[dict], None]) -> None:
    """Follow a run until it ends: stage, time left, a stop button, and its numbers so far."""

    @st.fragment(run_every=0.5)
    def follow() -> None:
        with ui.errors_shown():
            jobs = ui.job_queue()
            run = jobs.store.get(run_id)
            if run.state.final:
                st.rerun()
            with st.container(horizontal=True, vertical_alignment="center"):
                st.progress(min(1.0, run.done), text=_progress_text(run, jobs))
                if st.button("Stop", icon=":material/stop:", disabled=run.stop_requested):
                    jobs.stop(run_id)
            if run.result is not None:
                show(run.result)

    follow()


def _progress_text(run, jobs) -> str:
    if run.stop_requested:
        return "Stopping …"
    if run.state == "queued":
        ahead, seconds = jobs.ahead_of(run.id)
        when = "" if seconds is None else f", about {seconds:,.0f} s"
        return f"Waiting: {ahead} ahead of you{when}" if ahead else "Starting …"
    if run.seconds_left is None:
        return f"{run.stage} …"
    return f"{run.stage}: about {run.seconds_left:,.0f} s left"

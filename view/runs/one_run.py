"""The page of one run, which its link opens: its buttons, result, settings and raw blocks."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from view.compare.choose import submit_for_compare
from view.compare.results import show_comparison
from view.runs.html_report import html_report
from view.shared import server, visitor
from view.shared.choices import names_for_visitor
from view.shared.page import plain, show_error
from view.shared.runs import find_run, show_run
from view.shared.subject import subject
from wlm.catalog.registry import MODEL, TEXT
from wlm.errors import StoreError
from wlm.measuring.comparison import CompareSpec
from wlm.runs.export import summary, to_csv, to_json, to_markdown
from wlm.runs.run import Run

LONGEST_SECONDS = 600.0  # imported settings must not keep the worker busy for hours


def show_linked_run(run_id: str) -> None:
    """Show the run that a link names. If there is no such run, show that and the way back."""
    st.title("One run")
    try:
        show_one_run(find_run(run_id))
    except StoreError as error:
        show_error(str(error))
        if st.button("All runs", icon=":material/arrow_back:"):
            go_to(None)


def show_one_run(run: Run) -> None:
    """Show a run in any state."""
    with st.container(horizontal=True, vertical_alignment="center"):
        # Buttons, not links: a link to the open page would not change the browser's address.
        if st.query_params.get("run") == run.id:
            if st.button("All runs", icon=":material/arrow_back:"):
                go_to(None)
        elif st.button("Share", icon=":material/link:", help="Open the run's link."):
            go_to(run.id)
        if run.state.final:
            show_actions(run)
    facts = summary(run)
    show_about(run, facts["variants"])
    weights = facts["weights_sha256"]
    known = f" · weights `{weights:.12}`" if weights else ""
    st.caption(f"{facts['origin'].capitalize()} · {subject(run.spec)}{known} · {run.state}")
    show_run(run, show_comparison)
    if not run.state.final:
        return
    if run.result:
        with st.expander("Raw blocks", icon=":material/table_rows:"):
            st.code(to_csv(run), language=None, height=300)
    with st.expander("Settings and machine", icon=":material/tune:"):
        settings, machine = st.columns(2)
        settings.json(run.spec)
        machine.json((run.result or {}).get("machine", {}))


def show_about(run: Run, labels: list[str]) -> None:
    """Show in a sentence what a run measured, when, and on which machine, since a link may lead a
    stranger here."""
    others = ", ".join(labels[1:])
    what = f"compares {others} with {labels[0]}" if others else f"measures {labels[0]}"
    day = datetime.fromtimestamp(run.finished_at or run.created_at, UTC)
    where = f", on {plain(run.result['machine']['cpu'])}" if run.result else ""
    st.markdown(f"This run of {day:%d %B %Y} {what} on the same text{where}.")


def show_actions(run: Run) -> None:
    """Draw the buttons that run a finished run's settings here, export the run, or delete it."""
    why_not = why_not_here(run.spec)
    pressed = st.button(
        "Run this here",
        icon=":material/replay:",
        disabled=bool(why_not),
        help=why_not or "Measure with the same settings on this machine.",
    )
    if pressed:
        query = submit_for_compare(CompareSpec.from_json(run.spec))
        st.switch_page("streamlit_app.py", query_params=query)
    exports = {"JSON": ("json", to_json)}
    if run.result:
        exports |= {
            "CSV": ("csv", to_csv),
            "Markdown": ("md", to_markdown),
            "HTML": ("html", html_report),
        }
    for label, (suffix, write) in exports.items():
        st.download_button(
            label,
            partial(write, run),  # written on request, since HTML takes seconds
            file_name=f"wlm-run-{run.id}.{suffix}",
            icon=":material/download:",
            on_click="ignore",
        )
    if run.visitor == visitor.name():
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("The run's link will stop working.")
            if st.button("Delete for good", type="primary"):
                jobs = server.job_queue()
                jobs.store.delete(run.id, visitor.name())
                jobs.recent.forget()
                go_to(None)


def why_not_here(settings: dict) -> str:
    """Return why a run's settings, which may be imported, cannot run here; empty if they can."""
    for key in (MODEL, TEXT):
        # Only known names: never open a path from elsewhere or another visitor's upload.
        if settings.get(key) not in (names := names_for_visitor(key)):
            return f"The {key} must be one of {', '.join(names)}, got {settings.get(key)!r}."
    if settings.get("vocabulary") or settings.get("corpus"):
        return "It needs a vocabulary file or a corpus folder: run it from the command line."
    if (settings.get("seconds") or 0.0) > LONGEST_SECONDS:
        most = f"A run may take {LONGEST_SECONDS:,.0f} s at most"
        return f"{most}; this one takes {settings['seconds']:,.0f} s."
    return ""


def go_to(run_id: str | None) -> None:
    """Open the Runs page again, on one run or on the list of runs."""
    if run_id:
        st.query_params["run"] = run_id
    else:
        st.query_params.pop("run", None)
    st.rerun()

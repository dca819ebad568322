"""Runs: all measurements, to find again, compare, share, export and import."""

import streamlit as st

from view.runs.import_run import show_import
from view.runs.list import runs_for_visitor, show_list
from view.runs.one_run import show_linked_run
from view.shared.page import errors_shown, start_page
from view.shared.runs import show_worker, warn_of_unkept


def main() -> None:
    start_page("Runs")
    if run_id := st.query_params.get("run"):
        show_linked_run(run_id)
        return
    st.title("Runs to compare and share")
    st.markdown(
        "Select a run to open it, or several runs to compare them. Everyone who can reach this "
        "server can open a run's link. An export opens anywhere."
    )
    warn_of_unkept()
    show_list(runs_for_visitor())
    show_import()
    show_worker()


with errors_shown():
    main()

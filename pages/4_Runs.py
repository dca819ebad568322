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
    st.title("Every run is kept")
    st.markdown(
        "Select one to open it, or several to set them side by side. A run's link shows the "
        "same result to everyone who can reach this server; its export shows it anywhere."
    )
    warn_of_unkept()
    show_list(runs_for_visitor())
    show_import()
    show_worker()


with errors_shown():
    main()

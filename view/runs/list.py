"""The list of runs: who sees which, filtered, and what is selected in it."""

import streamlit as st

from view.runs.one_run import show_one_run
from view.runs.side_by_side import show_side_by_side
from view.shared import server, visitor
from view.shared.runs import find_run
from wlm.measuring.comparison import CompareSpec
from wlm.runs.export import summary
from wlm.runs.recordings import recordings
from wlm.runs.run import Run

FILTERS = {"model": "Model", "text": "Text", "cpu": "Machine"}


def runs_for_visitor() -> list[Run]:
    """Return the comparisons that this visitor's list holds, the recorded ones last."""
    mine, stored = visitor.name(), server.job_queue().store.list_runs(CompareSpec.kind)
    # What a visitor imports is for that visitor, and for whom the link is given to.
    listed = [run for run in stored if run.origin != "imported" or run.visitor == mine]
    return [*listed, *recordings().values()]


@st.cache_data(max_entries=1000, show_spinner=False)
def summary_of(run_id: str, state: str, done: float) -> dict:
    """A run's summary, which changes only with its state and what is done."""
    return summary(find_run(run_id))


def show_list(runs: list[Run]) -> None:
    """Show the runs as a table with filters, and below it those that are selected."""
    rows = {run.id: summary_of(run.id, str(run.state), run.done) for run in runs}
    for column, (key, label) in zip(st.columns(len(FILTERS)), FILTERS.items(), strict=True):
        values = sorted({row[key] for row in rows.values() if row[key]})
        if chosen := column.multiselect(label, values, placeholder="All", key=f"filter-{key}"):
            rows = {run_id: row for run_id, row in rows.items() if row[key] in chosen}
    column = st.column_config
    event = st.dataframe(
        [{**row, "created_at": row["created_at"] * 1000} for row in rows.values()],
        column_order="created_at variants speedup verdict loss model text cpu state origin".split(),
        column_config={
            "created_at": column.DatetimeColumn("When", format="YYYY-MM-DD HH:mm", width=140),
            "variants": column.ListColumn("Variants", width=250),
            "speedup": column.NumberColumn("Times as fast", format="%.2f", width=100),
            "verdict": column.TextColumn("Verdict", width=90),
            "loss": column.NumberColumn("Loss", format="%.4f", width=70),
            **FILTERS,
            "state": "State",
            "origin": "Origin",
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"runs-{'-'.join(rows)}",  # a selection counts rows: other rows, another table
    )
    ids = list(rows)
    selected = [find_run(ids[i]) for i in event.selection.rows if i < len(ids)]
    if len(selected) == 1:
        show_one_run(selected[0])
    elif selected:
        # Runs of the first schema have no intervals.
        show_side_by_side([run for run in selected if "rounds" in (run.result or {})])

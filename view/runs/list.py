"""The list of runs: which runs a visitor sees, the filters, and the selected runs."""

import streamlit as st

from view.runs.one_run import show_one_run
from view.runs.side_by_side import show_side_by_side
from view.shared import server, visitor
from view.shared.choices import shown_name
from view.shared.runs import find_run
from view.sweep.choose import query_of
from view.sweep.results import show_sweep
from wlm.catalog.registry import MODEL, TEXT
from wlm.hosting import hosting
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import KNOBS, SweepSpec
from wlm.runs.export import summary
from wlm.runs.recordings import recordings
from wlm.runs.run import Run

FILTERS = {"model": "Model", "text": "Text", "cpu": "Machine"}
MOST = 200


def runs_for_visitor() -> list[Run]:
    """Return the comparisons and sweeps in this visitor's list, recorded ones last. The list has
    everyone's runs, or only the visitor's own if the server is open to strangers. A sweep includes
    its points."""
    mine, store = visitor.name(), server.job_queue().store
    whose = mine if hosting().public else None
    stored = [
        *store.list_runs(CompareSpec.kind, MOST, points=False, visitor=whose),
        *store.list_runs(SweepSpec.kind, MOST, visitor=whose),
    ]
    stored = sorted(stored, key=lambda run: run.created_at, reverse=True)[:MOST]
    # An imported run shows only to the visitor who imported it and to those who get its link.
    listed = [run for run in stored if run.origin != "imported" or run.visitor == mine]
    return [*listed, *recordings().values()]


@st.cache_data(max_entries=1000, show_spinner=False)
def summary_of(run_id: str, kind: str, state: str, done: float) -> dict:
    """Return a run's row in the list, which changes only with its state and progress."""
    run = find_run(run_id, kind)
    if kind == SweepSpec.kind:
        return _sweep_row(SweepSpec.from_json(run.spec), run)
    found = summary(run)
    return {
        **found,
        "what": "Comparison",
        "compared": _compared(found["variants"]),
        "weights": found["weights_sha256"] and found["weights_sha256"][:8],
        "loss_known": found["loss_known"] if found["unknown"] else None,
        "unknown_words": (found["unknown"] and 100 * found["unknown"]["share"]) or None,
    }


def _sweep_row(spec: SweepSpec, run: Run) -> dict:
    shared = {key: getattr(spec.base, key) for key in ("bptt", "batch_size", "threads")}
    variants, ends = summary(run)["variants"], f"{spec.values[0]} to {spec.values[-1]}"
    return {
        **{key: value for key, value in shared.items() if key != spec.over},
        "id": run.id,
        "created_at": run.created_at,
        "what": f"Sweep: {KNOBS[spec.over].label.lower()} {ends}",
        "compared": _compared(variants),
        "model": None if spec.over == "hidden" else spec.base.model,
        "text": spec.base.text,
        "origin": "measured here",
    }


def _compared(labels: list[str]) -> str:
    """Return the variants that a run compared: on a phone, the only column that is visible."""
    if len(labels) < 2:
        return "".join(labels)
    return f"{', '.join(labels[1:])} against {labels[0]}"


def show_list(runs: list[Run]) -> None:
    """Show the runs as a table with filters, and the selected runs below it."""
    kinds = {run.id: run.kind for run in runs}
    rows = {run.id: summary_of(run.id, run.kind, str(run.state), run.done) for run in runs}
    rows = {run_id: _named(row) for run_id, row in rows.items()}
    for column, (key, label) in zip(st.columns(len(FILTERS)), FILTERS.items(), strict=True):
        values = sorted({row[key] for row in rows.values() if row.get(key)})
        if chosen := column.multiselect(label, values, placeholder="All", key=f"filter-{key}"):
            rows = {run_id: row for run_id, row in rows.items() if row.get(key) in chosen}
    column = st.column_config
    columns = {
        "compared": column.TextColumn("Compared", width=260),
        "created_at": column.DatetimeColumn("When", format="YYYY-MM-DD HH:mm", width=130),
        "what": column.TextColumn("What", width=190),
        "speedup": column.NumberColumn("Speed-up", format="%.2f", width=100),
        "verdict": column.TextColumn("Verdict", width=80),
        "loss": column.NumberColumn("Loss", format="%.4f", width=70),
        "bptt": column.NumberColumn("Chunk", width=60),
        "batch_size": column.NumberColumn("Batch", width=60),
        "threads": column.NumberColumn("Threads", width=70),
        "text": column.TextColumn("Text", width=80),
        "unknown_words": column.NumberColumn("Unknown", format="%.1f%%", width=75),
        "loss_known": column.NumberColumn("Loss of known words", format="%.4f", width=140),
        "model": column.TextColumn("Model", width=110),
        "weights": column.TextColumn("Weights", width=80),
        "cpu": column.TextColumn("Machine", width=160),
        "state": "State",
        "origin": "Origin",
    }
    unknown = ("loss_known", "unknown_words")
    some = any(row.get("unknown_words") for row in rows.values())
    event = st.dataframe(
        [{**row, "created_at": row["created_at"] * 1000} for row in rows.values()],
        column_order=[key for key in columns if some or key not in unknown],
        column_config=columns,
        hide_index=True,
        placeholder="–",
        on_select="rerun",
        selection_mode="multi-row",
        key=f"runs-{'-'.join(rows)}",  # selections are row numbers: new rows, new table
    )
    ids = [list(rows)[i] for i in event.selection.rows if i < len(rows)]
    show_selected([find_run(run_id, kinds[run_id]) for run_id in ids])


def show_selected(runs: list[Run]) -> None:
    """Show a selected run or sweep, or several runs side by side."""
    sweeps = [run for run in runs if run.kind == SweepSpec.kind]
    if len(runs) == 1 and sweeps:
        spec = SweepSpec.from_json(sweeps[0].spec)
        query = query_of(sweeps[0].id, spec)
        st.page_link("pages/3_Sweep.py", label="Open on Sweep", query_params=query)
        show_sweep(spec, server.job_queue().recent.points_of(sweeps[0].id))
    elif len(runs) == 1:
        show_one_run(runs[0])
    elif runs:
        compared = [run for run in runs if run.result]
        if sweeps:
            st.info("To open a sweep, select it alone.", icon=":material/show_chart:")
        elif len(compared) < len(runs):
            st.info(
                "A run without results cannot be compared. To open it, select it alone.",
                icon=":material/hourglass_empty:",
            )
        if len(compared) > 1:
            show_side_by_side(compared)


def _named(row: dict) -> dict:
    """Return a row that shows this visitor's own uploads by their files' names."""
    names = {key: row[key] and shown_name(key, row[key]) for key in (MODEL, TEXT) if key in row}
    return {**row, **names}

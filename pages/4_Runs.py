"""Runs: all that was measured, to find again, compare, share, export and import."""

from dataclasses import replace

import streamlit as st

from view.compare import charts
from view.runs import one_run
from view.shared import page as ui
from view.shared import runs as page_runs
from view.shared.charts import ink
from wlm.errors import ReportError, StoreError
from wlm.measuring.comparison import CompareSpec
from wlm.runs.export import summary
from wlm.runs.import_run import MOST_BYTES, from_json
from wlm.runs.recordings import recordings
from wlm.runs.run import Run

FILTERS = {"model": "Model", "text": "Text", "cpu": "Machine"}


def main() -> None:
    ui.start_page("Runs")
    with ui.errors_shown():
        if run_id := st.query_params.get("run"):
            st.title("One run")
            try:
                one_run.show(page_runs.find_run(run_id))
            except StoreError as error:
                ui.show_error(str(error))
                if st.button("All runs", icon=":material/arrow_back:"):
                    one_run.go_to(None)
            return
        st.title("Every run is kept")
        st.markdown(
            "Select one to open it, or several to set them side by side. A run's link shows the "
            "same result to everyone who can reach this server; its export shows it anywhere."
        )
        store = ui.job_queue().store
        if store.warning:
            st.warning(
                f"{store.warning}. They show until the server stops.", icon=":material/save:"
            )
        mine = ui.visitor()
        listed = store.list_runs(CompareSpec.kind)
        # What a visitor imports is for that visitor, and for whom the link is given to.
        listed = [run for run in listed if run.origin != "imported" or run.visitor == mine]
        show_list([*listed, *recordings().values()])
        show_import()


@st.cache_data(max_entries=1000, show_spinner=False)
def summary_of(run_id: str, state: str, done: float) -> dict:
    """A run's summary, which changes only with its state and what is done."""
    return summary(page_runs.find_run(run_id))


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
            "model": "Model",
            "text": "Text",
            "cpu": "Machine",
            "state": "State",
            "origin": "Origin",
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"runs-{'-'.join(rows)}",  # a selection counts rows: other rows, another table
    )
    ids = list(rows)
    selected = [page_runs.find_run(ids[i]) for i in event.selection.rows if i < len(ids)]
    if len(selected) == 1:
        one_run.show(selected[0])
    elif selected:
        # Runs of the first schema have no intervals.
        show_side_by_side([run for run in selected if "rounds" in (run.result or {})])


def show_side_by_side(runs: list[Run]) -> None:
    """Show the variants of several runs in one chart and one table."""
    st.subheader("Side by side")
    facts = [summary(run) for run in runs]
    for names, what in (
        (("cpu", "cpus", "torch"), "machines"),
        (("text",), "texts"),
        (("model", "weights_sha256"), "weights"),
    ):
        if len({tuple(each.get(name) for name in names) for each in facts}) > 1:
            st.warning(
                f"These runs are of different {what}: their "
                + ("times do not compare." if what == "machines" else "losses do not compare."),
                icon=":material/warning:",
            )
    rows = [
        {"run": f"{i}", **each, "cpu": run.result["machine"]["cpu"]}
        for i, run in enumerate(runs, start=1)
        for each in run.result["results"]
    ]
    others = [row for row in rows if row["verdict"] != "baseline"]
    if others:
        labels = [f"{row['run']}: {row['label']}" for row in others]
        values, ends = ([row[key] for row in others] for key in ("speedup", "speedup_ci95"))
        chart = charts.speedups(["", *labels], [1.0, *values], [None, *ends], ink=ink())
        st.altair_chart(chart)
    table = {
        "Run": [row["run"] for row in rows],
        "Variant": [row["label"] for row in rows],
        "Times as fast": [f"{row['speedup']:.2f}" for row in rows],
        "Loss": [f"{row['loss']:.4f}" for row in rows],
        "Size, MB": [f"{row['size_bytes'] / 1e6:.1f}" for row in rows],
        "Elapsed, s": [f"{row['elapsed_s']:.2f}" for row in rows],
        "Machine": [row["cpu"] for row in rows],
    }
    st.dataframe(table, hide_index=True)


def show_import() -> None:
    """Draw the upload of an exported run, which then shows like any other."""
    with st.expander("Import an exported run", icon=":material/upload:"):
        with st.form("import", clear_on_submit=True, border=False):
            file = st.file_uploader("JSON", type="json", max_upload_size=MOST_BYTES // 10**6)
            pressed = st.form_submit_button("Import", icon=":material/upload:")
        if not pressed:
            return
        if file is None:
            raise ReportError("an exported run must be chosen first, got none")
        if file.size > MOST_BYTES:
            raise ReportError(f"a file must be of at most {MOST_BYTES:,} bytes, got {file.size:,}")
        run = replace(from_json(file.getvalue()), visitor=ui.visitor())
        ui.job_queue().store.add_imported(run)
        one_run.go_to(run.id)


main()

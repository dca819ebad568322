"""Runs: all that was measured, to find again, compare, share, export and import."""

from dataclasses import replace

import streamlit as st

import charts
import results
import ui
from wlm.compare import CompareSpec
from wlm.errors import ReportError
from wlm.report import MOST_BYTES, from_json, summary, to_csv, to_json, to_markdown
from wlm.runs import Run

HERE = "pages/4_Runs.py"
FILTERS = {"model": "Model", "text": "Text", "cpu": "Machine"}


def main() -> None:
    ui.start_page("Runs")
    with ui.errors_shown():
        store = ui.job_queue().store
        if run_id := st.query_params.get("run"):
            st.title("One run")
            st.page_link(HERE, label="All runs", icon=":material/arrow_back:")
            show_run(store.get(run_id))
            return
        st.title("Every run is kept")
        st.markdown(
            "Select one to open it, or several to set them side by side. A run's link shows the "
            "same result to everyone who can reach this server; its export shows it anywhere."
        )
        if store.warning:
            st.warning(
                f"{store.warning}. They show until the server stops.", icon=":material/save:"
            )
        show_list(store.list_runs())
        show_import()


def show_list(runs: list[Run]) -> None:
    """Show the runs as a table with filters, and below it those that are selected."""
    if not runs:
        st.info("There are no runs yet: measure one, or import one below.", icon=":material/inbox:")
        st.page_link("streamlit_app.py", label="Measure a run", icon=":material/play_arrow:")
        return
    rows = {run.id: summary(run) for run in runs}
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
    by_id, ids = {run.id: run for run in runs}, list(rows)
    selected = [by_id[ids[i]] for i in event.selection.rows if i < len(ids)]
    if len(selected) == 1:
        show_run(selected[0])
    elif selected:
        show_side_by_side([run for run in selected if run.result])


def show_side_by_side(runs: list[Run]) -> None:
    """Show the variants of several runs in one chart and one table."""
    st.subheader("Side by side")
    facts = [{**run.result["machine"], "text": summary(run)["text"]} for run in runs]
    for names, what in ((("cpu", "cpus", "torch"), "machines"), (("text",), "texts")):
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
        chart = charts.speedups(["", *labels], [1.0, *values], [None, *ends], ink=ui.ink())
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


def show_run(run: Run) -> None:
    """Show one run as its link does: what to do with it, its result, settings and raw blocks."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(HERE, label="Link", icon=":material/link:", query_params={"run": run.id})
        if run.state.final:
            show_actions(run)
    st.caption(f"{summary(run)['origin']} · {run.state}".capitalize())
    if not run.state.final:
        ui.watch(run.id, results.show_comparison)
        return
    if run.message:
        ui.show_error(run.message)
    if run.result:
        results.show_comparison(run.result)
        with st.expander("Raw blocks", icon=":material/table_rows:"):
            st.code(to_csv(run), language=None, height=300)
    with st.expander("Settings", icon=":material/tune:"):
        st.json(run.spec)


def show_actions(run: Run) -> None:
    """Draw the buttons that run a finished run's settings here, export it, or delete it."""
    if why_not := ui.why_not_here(run.spec):
        st.button("Run this here", icon=":material/replay:", disabled=True, help=why_not)
    elif st.button("Run this here", icon=":material/replay:", help="With the same settings."):
        spec = CompareSpec.from_json(run.spec)
        st.switch_page("streamlit_app.py", query_params=ui.compare_query(spec))
    exports = {"JSON": ("json", to_json)}
    if run.result:
        exports |= {"CSV": ("csv", to_csv), "Markdown": ("md", to_markdown)}
    for label, (suffix, write) in exports.items():
        st.download_button(
            label,
            write(run),
            file_name=f"wlm-run-{run.id}.{suffix}",
            icon=":material/download:",
            on_click="ignore",
        )
    if run.visitor == ui.visitor():
        with st.popover("Delete", icon=":material/delete:"):
            st.markdown("Its link will then show nothing.")
            if st.button("Delete for good", type="primary"):
                ui.job_queue().store.delete(run.id, ui.visitor())
                st.query_params.pop("run", None)
                st.rerun()


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
        ui.job_queue().store.create(run)
        st.query_params["run"] = run.id
        st.rerun()


main()

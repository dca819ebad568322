"""Several runs side by side: what they differ in, one chart and one table."""

import streamlit as st

from view.compare import charts
from view.shared.charts import ink
from wlm.runs.export import summary
from wlm.runs.run import Run


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
    table = [
        {
            "Run": row["run"],
            "Variant": row["label"],
            "Times as fast": f"{row['speedup']:.2f}",
            "Loss": f"{row['loss']:.4f}",
            "Size, MB": f"{row['size_bytes'] / 1e6:.1f}",
            "Elapsed, s": f"{row['elapsed_s']:.2f}",
            "Machine": row["cpu"],
        }
        for row in rows
    ]
    st.dataframe(table, hide_index=True)

"""Several runs side by side: their names, their differences, one chart and one table."""

import time

import streamlit as st

from view.compare import charts
from view.shared.choices import shown_name
from view.shared.page import plain
from wlm.catalog.registry import MODEL, TEXT
from wlm.measuring.wording import counted, read_as, size_unit
from wlm.runs.export import summary
from wlm.runs.run import Run

# What runs may differ in (keys of their summaries, a hash first), in words, and the results not to
# compare then.
DIFFERENCES = (
    (("cpu", "cpus", "torch"), "machines", "do not compare times"),
    (("threads",), "thread counts", "do not compare times"),
    (("bptt",), "chunk lengths", "do not compare times"),
    (("batch_size",), "batch sizes", "do not compare times or losses"),
    (("text_sha256", "text"), "texts", "do not compare losses"),
    (("tokens",), "lengths of text", "do not compare losses or elapsed times"),
    (("vocabulary_sha256",), "vocabularies", "do not compare losses"),
    (("weights_sha256", "model"), "weights", "do not compare losses"),
)


def show_side_by_side(runs: list[Run]) -> None:
    """Show the variants of several runs in one chart and one table."""
    st.header("Side by side")
    facts = [summary(run) for run in runs]
    st.markdown("  \n".join(f"**{i}:** {_named(fact)}" for i, fact in enumerate(facts, start=1)))
    if said := differences(facts):
        st.warning("  \n".join(said), icon=":material/warning:")
    rows = [
        {
            "run": f"{i}",
            **variant,
            "cpu": run.result["machine"]["cpu"],
            "unknown": read_as(run.result["protocol"]),
        }
        for i, run in enumerate(runs, start=1)
        for variant in run.result["results"]
    ]
    if any(row["verdict"] != "baseline" for row in rows):
        named = [{**row, "name": f"{row['run']}: {row['label']}"} for row in rows]
        st.vega_lite_chart(charts.speedups(named))
    unit, scale = size_unit(row["size_bytes"] for row in rows)
    some_unknown = any(row["unknown"] for row in rows)
    table = [
        {
            "Run": row["run"],
            "Variant": row["label"],
            "Speed-up": f"{row['speedup']:.2f}",
            "Loss": f"{row['loss']:.4f}",
            **(_of_unknown(row) if some_unknown else {}),
            f"Size, {unit}": f"{row['size_bytes'] / scale:.1f}",
            "Elapsed, s": f"{row['elapsed_s']:.2f}",
            "Machine": row["cpu"],
        }
        for row in rows
    ]
    st.dataframe(table, hide_index=True)


def _of_unknown(row: dict) -> dict[str, str]:
    known = row.get("loss_known")
    return {
        "Loss of known words": f"{known:.4f}" if known else "–",
        "Unknown words": row["unknown"] or "–",
    }


def differences(facts: list[dict]) -> list[str]:
    """Return sentences on the differences between runs, from their summaries, and on the results
    that cannot be compared."""
    found = {what: so for names, what, so in DIFFERENCES if _differ(facts, names)}
    if "texts" in found:
        found.pop("lengths of text", None)  # a different text has a different length anyway
    return [f"The runs have different {what}: {so}." for what, so in found.items()]


def _differ(facts: list[dict], names: tuple[str, ...]) -> bool:
    """Tell whether runs differ in any of the facts that they have. If all runs have a hash, the
    hash alone decides."""
    for name in names:
        known = [run[name] for run in facts if run.get(name) is not None]
        if len(set(known)) > 1:
            return True
        if name.endswith("_sha256") and len(known) == len(facts):
            return False
    return False


def _named(facts: dict) -> str:
    """Return words that identify a run."""
    weights = (facts["weights_sha256"] or "")[:8]
    return " · ".join(
        [
            time.strftime("%Y-%m-%d %H:%M", time.gmtime(facts["created_at"])),
            ", ".join(facts["variants"]),
            plain(shown_name(MODEL, str(facts["model"]))) + (f" `{weights}`" if weights else ""),
            f"{facts['tokens']:,} tokens of {plain(shown_name(TEXT, str(facts['text'])))}",
            f"chunks of {facts['bptt']}",
            f"batch size {facts['batch_size']}",
            counted(facts["threads"], "thread"),
        ]
    )

"""The results of a sweep: its cards, its curves, and its points."""

import streamlit as st

from view.shared.cards import card
from view.shared.charts import draw_chart
from view.shared.choices import shown_name
from view.shared.dimming import is_dim
from view.shared.page import plain, show_error
from view.shared.runs import show_warnings
from view.sweep import charts
from wlm.catalog.registry import TEXT
from wlm.measuring import sweep
from wlm.measuring.sweep import KNOBS, SweepSpec
from wlm.measuring.wording import counted, listed, read_as
from wlm.runs.run import Run, State
from wlm.runs.sweep_points import current_points

STATES = {
    State.QUEUED: "waiting",
    State.RUNNING: "measuring",
    State.DONE: "done",
    State.STOPPED: "stopped",
    State.FAILED: "failed",
    State.INTERRUPTED: "interrupted",
    None: "deleted",
}
OF_KNOWN = "loss of known words"


def show_sweep(spec: SweepSpec, runs: list[Run]) -> None:
    """Show the results of a sweep so far: cards, curves, and a table of its points. Leave out the
    table if results are dimmed."""
    points = current_points(spec, runs)
    result = sweep.to_json(spec, [run and run.result for run in points])
    ended = all(run is None or run.state.final for run in points)
    if result["points"]:
        show_curves(spec, result, ended)
    if is_dim():
        return
    messages: dict[str, list[str]] = {}
    for value, run in zip(spec.values, points, strict=True):
        if run and run.message:
            messages.setdefault(run.message, []).append(f"{value}")
    for message, values in messages.items():
        show_error(f"{KNOBS[spec.over].label} {', '.join(values)}: {message}")
    if result["points"]:
        show_points(spec, points)
    elif ended:
        st.info("Nothing was measured.", icon=":material/stop:")


def show_curves(spec: SweepSpec, result: dict, ended: bool) -> None:
    """Show the cards and the charts of a sweep's JSON. Leave out the explanations if results are
    dimmed."""
    show_warnings(sweep.warnings(result))
    show_cards(spec, result, ended)
    machines = sweep.machines(result)
    if len(machines) > 1 and not is_dim():
        where = "; ".join(f"{name}: {', '.join(map(str, at))}" for name, at in machines.items())
        st.warning(
            "The points come from different machines. A speed-up holds on the machine of its "
            f"point; speeds on different machines do not compare. {where}.",
            icon=":material/warning:",
        )
    show_charts(spec, result)
    if is_dim():
        return
    if any(outcome.undecided_at for outcome in sweep.outcomes(result)):
        st.caption(
            "A ring instead of a dot means undecided. An arrow at the end of a band means that "
            "the interval continues beyond the chart."
        )
    if costs := sweep.thread_costs(result):
        st.markdown("  \n".join(costs))
    protocol = result["points"][0]["protocol"]
    fixed = {
        "batch_size": f"batch size {protocol['batch_size']}",
        "bptt": f"chunks of {protocol['bptt']} tokens",
        "threads": counted(protocol["threads"], "thread"),
    }
    same = ", ".join(words for name, words in fixed.items() if name != spec.over)
    text = plain(shown_name(TEXT, protocol["text"]))
    st.caption(f"Text {text}, {same} · " + " · ".join(machines))
    if spec.over == "hidden":
        st.caption(
            "The models have random weights in the tutorial's shape: five LSTM layers, an "
            "embedding of 512 and 33,278 words. Speed does not depend on the values of the "
            "weights. The loss of random weights means nothing and is not shown."
        )


def show_charts(spec: SweepSpec, result: dict) -> None:
    """Show the curves of the speed-up and of the tokens per second; over threads, of the elapsed
    and CPU time per token."""
    rows, knob = sweep.curves(result), KNOBS[spec.over].title
    labels = [row["label"] for row in result["points"][0]["results"]]
    ratio, speed = st.columns(2)
    with ratio:
        st.markdown("**Speed-up** with its 95% interval as a band")
        chart = charts.curves(rows, labels, spec.values, "speedup", knob)
        draw_chart(chart, "chart-sweep-speedups")
    with speed:
        measure, heading = "tokens_per_s", "**Tokens per second**"
        if spec.over == "threads":
            measure = "elapsed_ms"
            heading = "**Time per token**: elapsed (solid) and CPU time of all threads (dashed)"
        st.markdown(heading)
        chart = charts.curves(rows, labels, spec.values, measure, knob)
        draw_chart(chart, "chart-sweep-tokens")


def show_cards(spec: SweepSpec, result: dict, ended: bool) -> None:
    """Show each variant's largest and smallest known speed-up, the values at which it is slower,
    and the values at which that is undecided."""
    found = sweep.outcomes(result)
    baseline = result["points"][0]["results"][0]["label"]
    measured, asked = len(result["points"]), len(spec.values)
    everywhere = "faster so far"
    if ended:
        of = f"{measured} of {asked}" if measured < asked else "all"
        everywhere = f"faster at {of} points"
    for column, outcome in zip(st.columns(max(2, len(found))), found, strict=False):
        value, most, least = "undecided", outcome.most, outcome.least
        if most:
            value = f"{most['speedup']:.2f}"
        if least is not most:
            value = f"{least['speedup']:.2f} to {value}"
        exceptions = [
            f"{verdict} at {listed(at)}"
            for verdict, at in (
                ("slower", outcome.slower_at),
                ("undecided", outcome.undecided_at),
            )
            if at
        ]
        color = "red" if outcome.slower_at else "gray" if outcome.undecided_at else "green"
        card(
            column,
            f"{outcome.label}, speed-up against {baseline}",
            value,
            ", ".join(exceptions) or everywhere,
            delta_color=color,
            delta_description=KNOBS[spec.over].label.lower(),
            help="The smallest and the largest speed-up of the decided points. A point is slower "
            "if its 95% interval is below 1, faster if the interval is above 1, and undecided if "
            "the interval contains 1 or if there are too few rounds for an interval.",
        )


def show_points(spec: SweepSpec, points: list[Run | None]) -> None:
    """Show each point's numbers in a table, with a link to its run. If a text has unknown words,
    show their share and the losses over the known words too."""
    measured = [run.result for run in points if run and run.result]
    some_unknown = spec.over != "hidden" and any(read_as(found["protocol"]) for found in measured)
    rows = []
    for value, run in zip(spec.values, points, strict=True):
        row = {
            KNOBS[spec.over].label: value,
            "State": STATES[run.state if run else None],
            "Run": f"Runs?run={run.id}" if run else None,
        }
        result = (run and run.result) or {"results": [], "protocol": {}}
        for variant in result["results"][1:]:
            low, high = variant["speedup_ci95"] or (None, None)
            ends = "" if low is None else f" ({low:.2f} to {high:.2f})"
            row[f"{variant['label']}, speed-up"] = f"{variant['speedup']:.2f}{ends}"
        if some_unknown:
            row["Unknown words"] = read_as(result["protocol"])
            for variant in result["results"]:
                row[f"{variant['label']}, {OF_KNOWN}"] = variant.get("loss_known")
        rows.append(row)
    number = st.column_config.NumberColumn(format="%.4f")
    config = dict.fromkeys((key for row in rows for key in row if OF_KNOWN in key), number)
    config["Run"] = st.column_config.LinkColumn("Run", display_text="Open")
    st.dataframe(rows, hide_index=True, column_config=config)

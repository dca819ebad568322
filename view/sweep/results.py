"""How a sweep is shown: what it says in a sentence, its curves, and its points."""

import streamlit as st

from view.shared import choices
from view.shared import page as ui
from view.shared.charts import ink
from view.sweep import charts as curves
from wlm.catalog.uploads import MODEL, TEXT
from wlm.errors import StoreError, WLMError
from wlm.measuring import sweep
from wlm.measuring.sweep import KNOBS, SweepSpec
from wlm.quantization.variant import Variant
from wlm.runs.run import Run, State
from wlm.runs.sweep_points import current_points, missing_points, seconds_left

PAGE = "pages/3_Sweep.py"
STATES = {
    State.QUEUED: "waiting",
    State.RUNNING: "measuring",
    State.DONE: "done",
    State.STOPPED: "stopped",
    State.FAILED: "failed",
    State.INTERRUPTED: "interrupted",
    None: "deleted",
}


def show_current() -> None:
    """Show the sweep that the URL names, or what to expect of the first one."""
    if not (sweep_id := st.query_params.get("sweep")):
        st.info(
            "Press **Start**: the first point is there after a few seconds, and the curves grow "
            "from there. You may stop at any time and go on later.",
            icon=":material/show_chart:",
        )
        return
    store = ui.job_queue().store
    try:
        row = store.get(sweep_id)
        if row.kind != SweepSpec.kind:
            raise StoreError("this is no sweep")
    except WLMError:
        st.info("The sweep in this link is not on this server.", icon=":material/link_off:")
        return
    if warning := row.warning or store.warning:
        st.warning(f"{warning}. They show until the server stops.", icon=":material/save:")
    spec = SweepSpec.from_json(row.spec)
    runs = store.points_of(sweep_id)
    if any(not run.state.final for run in runs):
        watch(sweep_id, spec)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(PAGE, label="Link", icon=":material/link:", query_params={"sweep": sweep_id})
        if missing := missing_points(spec, runs):
            label = f"Go on: {len(missing)} of {len(spec.values)} points are missing"
            anothers = choices.is_anothers(MODEL, spec.base.model) or choices.is_anothers(
                TEXT, spec.base.text
            )
            if st.button(
                label,
                icon=":material/resume:",
                disabled=anothers,
                help="It needs another visitor's upload." if anothers else None,
            ):
                ui.job_queue().resume_sweep(sweep_id, ui.visitor())
                st.rerun()
    show(spec, runs)


def watch(sweep_id: str, spec: SweepSpec) -> None:
    """Follow a sweep until it ends: points done, time left, a stop button, and its curves."""

    @st.fragment(run_every=1.0)
    def follow() -> None:
        with ui.errors_shown():
            jobs = ui.job_queue()
            runs = jobs.store.points_of(sweep_id)
            if all(run.state.final for run in runs):
                st.rerun()
            stopping = all(run.stop_requested for run in runs if not run.state.final)
            with st.container(horizontal=True, vertical_alignment="center"):
                share, words = progress(spec, runs)
                st.progress(share, text="Stopping …" if stopping else words)
                if st.button("Stop", icon=":material/stop:", disabled=stopping):
                    jobs.stop_sweep(sweep_id)
            show(spec, runs)

    follow()


def progress(spec: SweepSpec, runs: list[Run]) -> tuple[float, str]:
    """Return the share of a sweep that is done, and in words where it stands."""
    points = current_points(spec, runs)
    pairs = list(zip(spec.values, points, strict=True))
    share = sum(run.done if run and not run.state.final else bool(run) for run in points)
    done = sum(run is not None and run.state.final for run in points)
    unit = KNOBS[spec.over].unit
    now = [unit.format(value) for value, run in pairs if run and run.state == State.RUNNING]
    if not done and not now:
        first = next(run for run in points if run and not run.state.final)
        ahead, seconds = ui.job_queue().ahead_of(first.id)
        when = "" if seconds is None else f", about {seconds:,.0f} s"
        return 0.0, f"Waiting: {ahead} ahead of you{when}" if ahead else "Starting …"
    left = seconds_left(spec, points)
    words = f"{done} of {len(points)} points" + (f"; now {' and '.join(now)}" if now else "")
    return share / len(points), words + ("" if left is None else f"; at most about {left:,.0f} s")


def show(spec: SweepSpec, runs: list[Run]) -> None:
    """Show what a sweep has measured so far: sentences, curves, and a table of its points."""
    points = current_points(spec, runs)
    result = sweep.to_json(spec, [run and run.result for run in points])
    if result["points"]:
        show_curves(spec, result)
    messages = dict.fromkeys(run.message for run in points if run and run.message)
    for message in messages:
        values = [
            str(value)
            for value, run in zip(spec.values, points, strict=True)
            if run and run.message == message
        ]
        ui.show_error(f"{KNOBS[spec.over].label} {', '.join(values)}: {message}")
    if not result["points"]:
        if all(run is None or run.state.final for run in points):
            st.info("Nothing was measured.", icon=":material/stop:")
        return
    show_points(spec, points)


def show_curves(spec: SweepSpec, result: dict) -> None:
    """Show the sentences and the charts of a sweep's JSON."""
    show_cards(spec, result)
    machines = sweep.machines(result)
    if len(machines) > 1:
        where = "; ".join(f"{name}: {', '.join(map(str, at))}" for name, at in machines.items())
        st.warning(
            f"These points come from different machines. A point's speed-up holds on its own "
            f"machine; points of different ones do not compare. {where}.",
            icon=":material/warning:",
        )
    rows, knob = sweep.curves(result), KNOBS[spec.over].title
    labels = [each["label"] for each in result["points"][0]["results"]]
    ratio, speed = st.columns(2)
    with ratio:
        st.markdown("**How many times as fast**, with its 95% interval as a band")
        chart = curves.speedup_curves(rows, labels, spec.values, knob=knob, ink=ink())
        st.altair_chart(chart, key="chart-sweep-speedups")
    with speed:
        st.markdown("**How fast**: what each reads in a second")
        chart = curves.token_curves(rows, labels, spec.values, knob=knob, ink=ink())
        st.altair_chart(chart, key="chart-sweep-tokens")
    protocol = result["points"][0]["protocol"]
    fixed = {
        "batch_size": f"batch size {protocol['batch_size']}",
        "bptt": f"chunks of {protocol['bptt']} tokens",
        "threads": f"threads {protocol['threads']}",
    }
    same = ", ".join(words for name, words in fixed.items() if name != spec.over)
    st.caption(f"{protocol['text']}, {same} · " + " · ".join(machines))
    if spec.over == "hidden":
        st.caption(
            "Random weights in the tutorial's shape: five LSTM layers, an embedding of 512 and "
            "33,278 words. How fast a model is does not depend on what it has learned; its loss "
            "would mean nothing and is not shown."
        )


def show_cards(spec: SweepSpec, result: dict) -> None:
    """Show each variant's largest speed-up, its smallest, and where it loses."""
    found = sweep.outcomes(result)
    baseline = result["points"][0]["results"][0]["label"]
    for column, each in zip(st.columns(max(2, len(found))), found, strict=False):
        most, least = each.most, each.least
        value, where = f"{most['speedup']:.2f}", f"at {most['value']}"
        if least is not most:
            value = f"{least['speedup']:.2f} to {value}"
            where = f"most {where}, least at {least['value']}"
        loses = each.slower_at
        column.metric(
            f"{each.label}, times as fast as {baseline}",
            value,
            f"slower at {sweep.listed(loses)}" if loses else "nowhere surely slower",
            delta_color="red" if loses else "gray",
            delta_arrow="off",
            delta_description=f"{where} ({KNOBS[spec.over].label.lower()})",
            border=True,
            height="stretch",
            help="Its smallest and largest speed-up. It is surely slower where the whole 95% "
            "interval lies below 1.",
        )


def show_points(spec: SweepSpec, points: list[Run | None]) -> None:
    """Show each point's numbers in a table, with a link to its run."""
    rows = []
    for value, run in zip(spec.values, points, strict=True):
        row = {KNOBS[spec.over].label: value, "State": STATES[run.state if run else None]}
        for each in ((run and run.result) or {"results": []})["results"][1:]:
            low, high = each["speedup_ci95"] or (None, None)
            ends = "" if low is None else f" ({low:.2f} to {high:.2f})"
            row[each["label"]] = f"{each['speedup']:.2f}{ends}"
        row["Run"] = f"Runs?run={run.id}" if run else None
        rows.append(row)
    config = {"Run": st.column_config.LinkColumn("Run", display_text="Open")}
    st.dataframe(rows, hide_index=True, column_config=config)
    names = [Variant.parse(name).label for name in spec.base.variants[1:]]
    st.caption(
        f"{' and '.join(names)}: times as fast as {Variant.parse(spec.base.variants[0]).label}."
    )

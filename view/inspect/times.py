"""How the time of each module is shown: bars, the machine's roofline, and all numbers."""

from collections.abc import Sequence

import streamlit as st

from view.inspect import charts
from view.inspect.roofline_chart import roofline
from view.shared import server, visitor
from view.shared.cards import card, columns
from view.shared.charts import draw_chart
from view.shared.dimming import is_dim, shade
from view.shared.runs import (
    run_in_url,
    show_before,
    show_run,
    show_warnings,
    shown_before,
    where_measured,
)
from view.shared.subject import show_subject
from wlm.inspecting.roofline import Roofline
from wlm.inspecting.times import InspectSpec
from wlm.quantization.variant import Variant


def show_current(spec: InspectSpec) -> None:
    """Draw the button that measures, and show the inspection that the URL names, if any."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Measure", type="primary", icon=":material/timer:"):
            st.query_params["inspection"] = server.job_queue().submit(spec, visitor.name())
    run = run_in_url("inspection", spec.kind)
    before = shown_before(spec.kind, run)
    if run is None or run.state.final:
        server.job_queue().prefetch(spec)
    if run is None:
        st.info(
            "Press **Measure** to time each module of these variants on this machine, for a chunk "
            "of 25 words and for one word, and to measure the machine's limits. This takes about "
            f"{spec.seconds + 5:.0f} seconds.",
            icon=":material/timer:",
        )
        return
    show_subject(run.spec, spec.to_json(), "Measure")
    show_run(run, show_times, lambda: show_before(before, show_times))


def show_times(result: dict) -> None:
    """Show an inspection's JSON: cards, time by module, the roofline, and all numbers. It may be
    partial. If results are drawn dim, it is shown without what explains it."""
    first, *others = rows = result["results"]
    fastest = min(others or [first], key=lambda row: row["passes"][0]["seconds"])
    show_warnings(result["warnings"])
    roof = Roofline(**result["roofline"])
    if fastest is not first:
        st.header(shade(headline(first, fastest)), anchor=False)
    *places, memory, peak = columns(len(fastest["passes"]) + 2)
    for column, before, after in zip(places, first["passes"], fastest["passes"], strict=True):
        card(
            column,
            "One word, ms" if after["tokens"] == 1 else f"Chunk of {after['tokens']}, ms",
            _milliseconds(after["seconds"]),
            f"{first['label']}: {_milliseconds(before['seconds'])}"
            if fastest is not first
            else None,
            help=f"{fastest['label']}: median of {result['rounds']} rounds, spread "
            f"{after['spread']:.0%}, all modules together.",
        )
    card(
        memory,
        "Memory, GB/s",
        f"{roof.memory_bytes_per_s / 1e9:.1f}",
        f"caches: {roof.cache_bytes_per_s / 1e9:.0f}",
        help="How fast this machine reads weights: the best of several products of a matrix and a "
        "vector, 268 MB from memory and 1 MB from caches. A faster module sets the best.",
    )
    card(
        peak,
        "fp32 peak, Gop/s",
        f"{roof.fp32_ops_per_s / 1e9:,.0f}",
        f"int8: {roof.int8_ops_per_s / 1e9:,.0f}" if roof.int8_ops_per_s else None,
        help="How fast this machine multiplies: the best of several matrix products of four sizes. "
        "A faster module sets the best.",
    )
    labels = [row["label"] for row in rows]
    names = [_name_of(one["tokens"]).capitalize() for one in first["passes"]]
    passes = list(zip(*(row["passes"] for row in rows), strict=True))
    for i, column in enumerate(st.columns(len(names))):
        column.markdown(f"**{names[i]}**: milliseconds by module")
        times = [{m["module"]: 1e3 * m["seconds"] for m in one["modules"]} for one in passes[i]]
        chart = charts.stacked_parts(labels, times, title="time (ms)", format=".3r", unit="ms")
        draw_chart(chart, f"chart-times-{i}", column)
    if is_dim():
        return
    if any(Variant.parse(row["variant"]).runtime == "onnxruntime" for row in rows):
        st.caption(
            "To time its modules, wlm cuts ONNX Runtime's graph between them. A pass then makes "
            "four calls instead of one, which slows down single words. Compare and Sample run "
            "the graph uncut."
        )
    for i, column in enumerate(st.columns(len(names))):
        column.markdown(f"**{names[i]}**: how close to this machine's limits")
        chart = roofline(_points(labels, passes[i]), roof)
        column.vega_lite_chart(chart, key=f"chart-roof-{i}")
        column.markdown(bound_by(labels, passes[i]))
    show_times_table(result)


def headline(first: dict, fastest: dict) -> str:
    """Return how many times as fast one variant of an inspection is as the first."""
    words = [
        f"{before['seconds'] / after['seconds']:.2f} times as fast on {_name_of(after['tokens'])}"
        for before, after in zip(first["passes"], fastest["passes"], strict=True)
    ]
    return f"Compared with {first['label']}, {fastest['label']} is {' and '.join(words)}."


def bound_by(labels: list[str], passes: Sequence[dict]) -> str:
    """Return a sentence on what limits each module."""
    limited: dict[str, list[str]] = {}
    for label, one in zip(labels, passes, strict=True):
        for module in one["modules"]:
            if limit := module.get("bound_by"):
                limited.setdefault(limit, []).append(f"{label} {module['module']}")
    return " ".join(f"Limited by {limit}: {', '.join(names)}." for limit, names in limited.items())


def show_times_table(result: dict) -> None:
    """Show all numbers of an inspection, one row per module."""
    rows = [
        {
            "Variant": row["label"],
            "Read": _name_of(one["tokens"]),
            "Module": module["module"],
            "ms": 1e3 * module["seconds"],
            "Spread": 100 * module["spread"],
            "Multiply-adds (M)": module["multiply_adds"] / 1e6,
            "MB moved": module["bytes_moved"] / 1e6,
            "Gop/s": module["ops_per_s"] / 1e9,
            "Limited by": module.get("bound_by"),
            "Of the limit": module["roof_share"] and 100 * module["roof_share"],
        }
        for row in result["results"]
        for one in row["passes"]
        for module in one["modules"]
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        rows,
        column_config={
            "Variant": st.column_config.TextColumn(width=150),
            "ms": number(format="%.3f"),
            "Spread": number(format="%.0f%%"),
            "Multiply-adds (M)": number(format="%.2f"),
            "MB moved": number(format="%.3f"),
            "Gop/s": number(format="%.1f"),
            "Of the limit": number(format="%.0f%%"),
        },
        hide_index=True,
        height="content" if len(rows) <= 16 else 600,
        placeholder="–",
    )
    st.caption(
        "Multiply-adds and bytes follow from the shapes. Weights, input and output count once per "
        "pass. An LSTM's recurrent weights count once per word, because each word waits for the "
        "previous word. A multiply-add is two operations; embedding and loss have none, so they "
        "have no point. **Limited by caches:** the module is faster than memory allows, so its "
        "data come from caches. A module far below its limit loses time elsewhere: in calls, or "
        "waiting."
    )
    st.caption(f"Text {result['protocol']['text']}, batch size 1, {where_measured(result)}")


def _points(labels: list[str], passes: Sequence[dict]) -> list[dict]:
    """Return the modules that a roofline shows, which are those with multiplications."""
    return [
        {"label": label, **module}
        for label, one in zip(labels, passes, strict=True)
        for module in one["modules"]
        if module["multiply_adds"]
    ]


def _name_of(tokens: int) -> str:
    return "one word" if tokens == 1 else f"a chunk of {tokens} words"


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g}"

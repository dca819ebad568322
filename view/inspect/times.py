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
            "Press **Measure** to time each module of these variants in turn on this machine, for "
            "a chunk of 25 words and for one word, and to measure what the machine can do at "
            f"best: about {spec.seconds + 5:.0f} seconds.",
            icon=":material/timer:",
        )
        return
    show_subject(run.spec, spec.to_json(), "Measure")
    show_run(run, show_times, lambda: show_before(before, show_times))


def show_times(result: dict) -> None:
    """Show an inspection's JSON: cards, time by module, the roofline, and all numbers. It may be
    partial. If results are drawn dim, it is shown without what explains it."""
    first, *others = result["results"]
    fastest = min(others or [first], key=lambda each: each["passes"][0]["seconds"])
    show_warnings(result["warnings"])
    roof = Roofline(**result["roofline"])
    if fastest is not first:
        st.subheader(shade(headline(first, fastest)), anchor=False)
    *places, memory, peak = columns(len(fastest["passes"]) + 2)
    for column, before, after in zip(places, first["passes"], fastest["passes"], strict=True):
        card(
            column,
            f"{_name_of(after['tokens']).capitalize()}, ms",
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
        help="The best of several products of a matrix and a vector: 268 MB from memory, 1 MB from "
        "caches.",
    )
    card(
        peak,
        "fp32 peak, Gop/s",
        f"{roof.fp32_ops_per_s / 1e9:,.0f}",
        f"int8: {roof.int8_ops_per_s / 1e9:,.0f}" if roof.int8_ops_per_s else None,
        help="The best of several matrix products of four sizes.",
    )
    labels = [each["label"] for each in result["results"]]
    names = [_name_of(each["tokens"]).capitalize() for each in first["passes"]]
    passes = list(zip(*(each["passes"] for each in result["results"]), strict=True))
    for i, column in enumerate(st.columns(len(names))):
        column.markdown(f"**{names[i]}**: milliseconds by module")
        times = [{m["module"]: 1e3 * m["seconds"] for m in each["modules"]} for each in passes[i]]
        chart = charts.stacked_parts(labels, times, title="time (ms)", format=".3r", unit="ms")
        draw_chart(chart, f"chart-times-{i}", column)
    if is_dim():
        return
    if any(Variant.parse(each["variant"]).runtime == "onnxruntime" for each in result["results"]):
        st.caption(
            "ONNX Runtime's graph is cut between its modules for this: a pass makes four calls in "
            "place of one, which counts for a single word. Compare and Sample run it uncut."
        )
    for i, column in enumerate(st.columns(len(names))):
        column.markdown(f"**{names[i]}**: under this machine's roof")
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
    return f"{fastest['label']} is {' and '.join(words)} as {first['label']}."


def bound_by(labels: list[str], passes: Sequence[dict]) -> str:
    """Return a sentence on which modules memory keeps waiting."""
    bound = {True: [], False: []}
    for label, each in zip(labels, passes, strict=True):
        for module in each["modules"]:
            if module["memory_bound"] is not None:
                bound[module["memory_bound"]].append(f"{label} {module['module']}")
    if not bound[False]:
        return "Bound by memory: all of them."
    if not bound[True]:
        return "Bound by memory: none; arithmetic limits them all."
    return f"Bound by memory: {', '.join(bound[True])}. By arithmetic: {', '.join(bound[False])}."


def show_times_table(result: dict) -> None:
    """Show all numbers of an inspection, one row per module."""
    bound = {True: "memory", False: "arithmetic", None: "–"}
    rows = [
        {
            "Variant": each["label"],
            "Read": _name_of(one["tokens"]),
            "Module": module["module"],
            "ms": 1e3 * module["seconds"],
            "Spread": 100 * module["spread"],
            "Multiply-adds (M)": module["multiply_adds"] / 1e6,
            "MB moved": module["bytes_moved"] / 1e6,
            "Gop/s": module["ops_per_s"] / 1e9,
            "Bound by": bound[module["memory_bound"]],
            "Of the roof": module["roof_share"] and 100 * module["roof_share"],
        }
        for each in result["results"]
        for one in each["passes"]
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
            "Of the roof": number(format="%.0f%%"),
        },
        hide_index=True,
        height="content" if len(rows) <= 16 else 600,
        placeholder="–",
    )
    st.caption(
        "Multiply-adds and bytes follow from shapes: weights, input and output, each once, but an "
        "LSTM's recurrent weights once a word, because each word waits for the one before. They "
        "may come from caches: then a point lies above the line of memory, and over 100% of the "
        "roof. A multiply-add is two operations; embedding and loss do none, so they have no "
        "point. What is far below the roof loses its time elsewhere: in calls, in waiting."
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
    return "one word" if tokens == 1 else f"a chunk of {tokens}"


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g}"

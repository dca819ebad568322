"""How the time of each module is shown: bars, the machine's roofline, and all numbers."""

import streamlit as st

import inspection_charts as charts
import ui
from inspection import columns
from wlm.roofline import Roofline


def show_times(result: dict) -> None:
    """Show an inspection's JSON: cards, time by module, the roofline, and all numbers. It may be
    partial."""
    first, last = result["results"][0], result["results"][-1]
    if result["warnings"]:
        st.warning("  \n".join(result["warnings"]), icon=":material/vital_signs:")
    roof = Roofline(**result["roofline"])
    cards = columns(len(last["passes"]) + 2)
    for card, before, after in zip(cards, first["passes"], last["passes"], strict=False):
        ratio = before["seconds"] / after["seconds"]
        card.metric(
            f"{last['label']}, {_name_of(after['tokens'])}",
            f"{_milliseconds(after['seconds'])} ms",
            f"{ratio:.2f} times as fast as {first['label']}" if first is not last else None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help=f"Median of {result['rounds']} rounds; spread {after['spread']:.0%}.",
        )
    cards[-2].metric(
        "Memory, read",
        f"{roof.memory_bytes_per_s / 1e9:.1f} GB/s",
        f"caches {roof.cache_bytes_per_s / 1e9:.0f} GB/s",
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help="Best of several products of a matrix with a vector: 268 MB from memory, 1 MB from "
        "caches.",
    )
    cards[-1].metric(
        "fp32 peak",
        f"{roof.fp32_ops_per_s / 1e9:,.0f} Gop/s",
        f"int8 {roof.int8_ops_per_s / 1e9:,.0f} Gop/s" if roof.int8_ops_per_s else None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help="Best of several products of two square matrices of 1,024 rows.",
    )
    labels = [each["label"] for each in result["results"]]
    numbers = range(len(last["passes"]))
    for column, i in zip(st.columns(len(numbers)), numbers, strict=True):
        passes = [each["passes"][i] for each in result["results"]]
        with column:
            name = _name_of(passes[0]["tokens"])
            st.markdown(f"**{name.capitalize()}**: milliseconds by module")
            times = [
                {each["module"]: 1e3 * each["seconds"] for each in one["modules"]} for one in passes
            ]
            chart = charts.stacked_parts(
                labels, times, title="time (ms)", format=".2~f", unit="ms", ink=ui.ink()
            )
            st.altair_chart(chart, key=f"chart-times-{i}")
    for column, i in zip(st.columns(len(numbers)), numbers, strict=True):
        passes = [each["passes"][i] for each in result["results"]]
        with column:
            st.markdown(
                f"**{_name_of(passes[0]['tokens']).capitalize()}**: under this machine's roof"
            )
            st.altair_chart(
                charts.roofline(_points(labels, passes), roof, ink=ui.ink()), key=f"chart-roof-{i}"
            )
            st.markdown(bound_by(labels, passes))
    show_times_table(result)


def bound_by(labels: list[str], passes: list[dict]) -> str:
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
    """Show all numbers of an inspection, a row a module."""
    rows = [
        (result_of, one, module)
        for result_of in result["results"]
        for one in result_of["passes"]
        for module in one["modules"]
    ]
    bound = {True: "memory", False: "arithmetic", None: "–"}
    st.dataframe(
        {
            "Variant": [each["label"] for each, _, _ in rows],
            "Read": [_name_of(one["tokens"]) for _, one, _ in rows],
            "Module": [module["module"] for _, _, module in rows],
            "ms": [_milliseconds(module["seconds"]) for _, _, module in rows],
            "Spread": [f"{module['spread']:.0%}" for _, _, module in rows],
            "Million multiply-adds": [f"{m['multiply_adds'] / 1e6:,.2f}" for _, _, m in rows],
            "MB moved": [f"{m['bytes_moved'] / 1e6:,.3f}" for _, _, m in rows],
            "GB/s": [f"{m['bytes_moved'] / m['seconds'] / 1e9:,.1f}" for _, _, m in rows],
            "Gop/s": [f"{m['ops_per_s'] / 1e9:,.1f}" for _, _, m in rows],
            "Bound by": [bound[module["memory_bound"]] for _, _, module in rows],
        },
        hide_index=True,
    )
    protocol, machine = result["protocol"], result["machine"]
    st.caption(
        "Multiply-adds and bytes follow from shapes: weights, input and output, each once, but an "
        "LSTM's recurrent weights once a word, because each word waits for the one before. They "
        "may come from caches: then a point lies above the line of memory. A multiply-add is two "
        "operations; embedding and loss do none, so they have no point."
    )
    st.caption(
        f"Text {protocol['text']}, batch size 1, {protocol['threads']} "
        f"thread{'s' if protocol['threads'] > 1 else ''} · {machine['cpu']}, {machine['cpus']} "
        f"CPUs · torch {machine['torch']}, engine {machine['quantized_engine']}"
    )


def _points(labels: list[str], passes: list[dict]) -> list[dict]:
    """The modules that a roofline shows: those that multiply."""
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

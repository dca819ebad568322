"""A model as diagrams, one per variant: Graphviz's DOT, which the browser draws."""

import streamlit as st

from view.inspect.bytes import parts_of
from view.shared import server
from view.shared.cards import columns
from wlm.inspecting.roofline import precisions
from wlm.measuring.evaluate import DEFAULT_BPTT
from wlm.measuring.wording import size_in_words
from wlm.model.lstm import ModelConfig
from wlm.quantization.variant import Variant, describe

# Tints of the variants' colors with dark words on them: Graphviz knows no theme, and these are
# readable on a light and a dark page.
TINTS = {
    "fp32": "#a9cfe8",
    "bf16": "#c3e3a1",
    "fp16": "#a5dcc6",
    "int8": "#f4bd92",
    "int8-channel": "#f0d27a",
    "int4": "#d7bdf0",
}
INK, LINE, GROUND = "#0d141b", "#7f8b97", "#e8eef4"


def show_model(model: str, variants: list[Variant]) -> None:
    """Show the parts of each variant as a diagram, colored by precision."""
    config = server.config_of(model)
    for column, variant in zip(columns(len(variants)), variants, strict=True):
        sizes = parts_of(model, variant)
        with column:
            st.markdown(f"**{variant.label}**, {size_in_words(sum(sizes.values()))}")
            st.graphviz_chart(diagram(config, precisions(variant), sizes, DEFAULT_BPTT))
            st.caption(describe(variant))
    st.caption(
        "Each box has a part's precision, the shapes of its weights, and its size in the file. "
        f"Each arrow has the shape of what it hands on for a chunk of {DEFAULT_BPTT} words."
    )


def diagram(config: ModelConfig, modules: dict[str, str], sizes: dict[str, int], bptt: int) -> str:
    """Return DOT of a pass over a chunk of `bptt` words: each part with its precision, shape and
    size in the file. `modules` has the precisions of embedding, LSTM and decoder, `sizes` the
    parts' bytes as `saved_parts` names them."""
    lines = []
    for part, size in sizes.items():
        module = part.rstrip("0123456789 ")
        if module not in modules:
            continue
        height, width = {
            "embedding": (config.ntoken, config.ninp),
            "decoder": (config.ntoken, config.nhid),
        }.get(module, (4 * config.nhid, (config.nhid if part != "LSTM 0" else config.ninp)))
        shape = f"{height:,} × {width:,}"
        if module == "LSTM":
            shape += f", {height:,} × {config.nhid:,}"
        words = f"{part}: {modules[module]}\\n{shape}\\n{size_in_words(size, 2)}"
        lines.append(f'"{part}" [label="{words}", fillcolor="{TINTS[modules[module]]}"]')
    names = [line.split('"')[1] for line in lines]
    numbers = [config.ninp, *[config.nhid] * config.nlayers, config.ntoken]
    ends = [("words", names[0], f"{bptt} ids")]
    ends += [
        (above, below, f"{bptt} × {width:,}")
        for above, below, width in zip(names, [*names[1:], "loss"], numbers, strict=True)
    ]
    edges = [_edge(*each) for each in ends]
    return _dot(
        "rankdir=TB; nodesep=0.2; ranksep=0.24", "width=2.6", ("words", "loss"), lines + edges
    )


def _edge(above: str, below: str, words: str) -> str:
    """Return an arrow with words next to it, on a separate background."""
    cell = f'<td width="6"></td><td bgcolor="{GROUND}">{words}</td>'
    table = f'<table border="0" cellborder="0" cellpadding="3"><tr>{cell}</tr></table>'
    return f'"{above}" -> "{below}" [label=<{table}>]'


def _dot(graph: str, node: str, ends: tuple[str, str], lines: list[str]) -> str:
    """Return DOT in the common style; `ends` are the names of input and output."""
    first, last = ends
    return "\n".join(
        [
            "digraph {",
            f'bgcolor="transparent"; {graph}',
            f'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=15,'
            f' color="{LINE}", fontcolor="{INK}", margin="0.2,0.08", {node}]',
            f'edge [color="{LINE}", fontcolor="{INK}", fontname="sans-serif", fontsize=13]',
            f'node [fillcolor="{GROUND}"]; "{first}"; "{last}"',
            *lines,
            "}",
        ]
    )

"""The model to scale, with its parts as the switches, and a word that flows through it."""

import math
from collections.abc import Sequence
from itertools import accumulate

import altair as alt
import streamlit as st

from view.compare.choose import SWITCHES
from view.shared import server
from view.shared.chart_cache import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    Spec,
    color_by_label,
    color_by_sign,
    specification,
)
from view.shared.next_words import shown_word
from view.shared.page import errors_shown, plain
from wlm.explaining.flow import Flow, flow
from wlm.inspecting.parts import module_bytes
from wlm.quantization.variant import PART_LABELS, Variant
from wlm.text.wikitext import tokenize

ABOVE, BELOW, GAP = 230, 84, 1.8  # pixels above and below the ground line; root MB between squares
MOST_VALUES = 512  # the most values of a part that are drawn as cells
ORDER = ("embedding", "lstm", "linear")  # the order of the parts in a pass
DEFAULT_WORDS = "The old bridge over the river"
MOST_WORDS = 24


def show_diagram(model: str) -> None:
    """Show the model that the switches describe, to scale. A click on a part turns its switch."""
    if server.imported_as(model):
        return  # this model has no switches
    variant = Variant(**{part: "int8" if st.session_state[part] else "fp32" for part in SWITCHES})
    st.header("The model, to scale", anchor="to-scale")
    st.markdown(
        "A square's area is its bytes. **Click a part to switch int8 on or off for it**: dashed is "
        "what it takes in fp32."
    )
    # Each state has its own key, so that a click is never reported twice.
    key = f"living-{variant}"
    st.vega_lite_chart(scale_chart(model, variant), key=key, on_select=lambda: turn_switch(key))
    send_word(model, variant)


@st.fragment
def send_word(model: str, variant: Variant) -> None:
    """Send a word through the variant when the visitor asks. Only then is the model loaded."""
    with errors_shown():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            text = st.text_input(
                "Words", DEFAULT_WORDS, max_chars=300, width=300, key="living-words"
            )
            if st.button("Send the last word through", icon=":material/arrow_forward:"):
                st.session_state["living-sent"] = True
        if st.session_state.get("living-sent"):
            words = tuple(tokenize(text))[-MOST_WORDS:] or tuple(tokenize(DEFAULT_WORDS))
            show_flow(flow_of(model, variant, words), words[-1], variant.label)


@st.cache_resource(show_spinner="Reading …", max_entries=32)
def flow_of(model: str, variant: Variant, words: tuple[str, ...]) -> Flow:
    """Return how the last of the given words flows through a variant."""
    vocabulary = server.load_model(model).vocabulary
    return flow(server.load_variant(model, variant), vocabulary, words)


def show_flow(found: Flow, word: str, label: str) -> None:
    """Show the id of the word that was sent, its values from part to part, and the likeliest next
    words in the color of the variant with this label. If the word is unknown, name it."""
    name = f"**{plain(shown_word(word))}**"
    if found.word != word:
        name += (
            f" is an unknown word. The model reads it as **{plain(shown_word(found.word))}**, which"
        )
    st.markdown(f"{name} goes in as a number, its place in the vocabulary: **{found.id:,}**.")
    values, following = st.columns([2, 1])
    with values:
        st.markdown("**What each part hands on**, a cell a value")
        st.vega_lite_chart(strips(found), key="living-strips")
    with following:
        st.markdown("**Likely next words**")
        st.vega_lite_chart(likely(found.next_words, label), key="living-next")


def scale_chart(model: str, variant: Variant) -> dict:
    """Return the chart of a variant's parts, to scale."""
    config = server.config_of(model)
    sizes, before = module_bytes(config, variant), module_bytes(config, Variant())
    return to_scale(
        [PART_LABELS[part] for part in ORDER],
        [sizes[part] / 1e6 for part in ORDER],
        [before[part] / 1e6 for part in ORDER],
        [getattr(variant, part) for part in ORDER],
    )


def turn_switch(key: str) -> None:
    """Turn the switch of the part that was clicked. This is a callback because the switch is drawn
    before the chart."""
    if part := clicked_part(key):
        st.session_state[part] = not st.session_state[part]


def clicked_part(key: str) -> str | None:
    """Return the part that was clicked in the chart with this key, or None if no part was."""
    clicked = st.session_state[key].selection.get("part") or [{}]
    return next((each for each in ORDER if PART_LABELS[each] == clicked[0].get("part")), None)


@built_once
def to_scale(
    parts: list[str], megabytes: list[float], before: list[float], precisions: list[str]
) -> Spec:
    """Return one square per part, with an area in proportion to its megabytes, inside a dashed
    square of its fp32 size. A click selects `part`; the drawing fits any width."""
    sides, wholes = ([math.sqrt(each) for each in many] for many in (megabytes, before))
    starts = list(accumulate((side + GAP for side in wholes[:-1]), initial=GAP / 2))
    width, height = sum(wholes) + GAP * len(parts), 1.04 * max(wholes)
    rows = [
        {
            "part": part,
            "start": start,
            "end": start + side,
            "whole": start + whole,
            "middle": start + whole / 2,
            "top": side,
            "above": whole,
            "precision": precision,
            "size": f"{size:,.1f} MB",
        }
        for part, start, side, whole, precision, size in zip(
            parts, starts, sides, wholes, precisions, megabytes, strict=True
        )
    ]
    # The legend takes part of the height that the browser has.
    above = f"(height * {ABOVE / (ABOVE + BELOW)})"
    across = f"max({width}, {height} * width / {above})"
    up = f"max({height}, {width} * {above} / width)"
    x = {
        "scale": alt.Scale(
            domain=alt.ExprRef(f"[({width} - {across}) / 2, ({width} + {across}) / 2]"),
            nice=False,
        ),
        "axis": None,
    }
    y = {
        "scale": alt.Scale(domain=alt.ExprRef(f"[-{BELOW / ABOVE} * {up}, {up}]"), nice=False),
        "axis": None,
    }
    base = alt.Chart({"values": rows})
    chosen = alt.selection_point(name="part", fields=["part"], on="click", empty=False)
    boxes = base.encode(
        x=alt.X("start:Q", **x),
        y=alt.Y("ground:Q", **y),
        tooltip=[*map(alt.Tooltip, ("part:N", "precision:N", "size:N"))],
    ).transform_calculate(ground="0")
    color = alt.Color(
        "precision:N",
        scale=alt.Scale(domain=["fp32", "int8"]),
        legend=alt.Legend(title=None, orient="top", symbolType="square"),
    )
    # The whole dashed square can be clicked, however small the square inside it is.
    ghost = boxes.mark_rect(
        fillOpacity=0.08, fill=GREY, stroke=GREY, strokeDash=[6, 4], strokeWidth=2, cursor="pointer"
    ).encode(x2=alt.X2("whole:Q"), y2=alt.Y2("above:Q"))
    filled = boxes.mark_rect(cornerRadius=3, cursor="pointer").encode(
        x2=alt.X2("end:Q"), y2=alt.Y2("top:Q"), color=color
    )
    texts = [
        base.mark_text(color=INK, fontSize=LABEL_SIZE, dy=dy, baseline="middle").encode(
            x=alt.X("middle:Q", **x),
            y=alt.YDatum(0, type="quantitative"),
            text=alt.Text(f"{field}:N"),
        )
        for field, dy in (("part", 16), ("precision", 38), ("size", 60))
    ]
    chart = alt.layer(ghost.add_params(chosen), filled, *texts)
    told = ", ".join(f"{row['part']} in {row['precision']}, {row['size']}" for row in rows)
    return specification(chart, ABOVE + BELOW, f"The model as squares to scale: {told}.")


@built_once
def strips(found: Flow) -> Spec:
    """Return one strip of cells per part for its output values. Values above 0 are blue, values
    below 0 the other color; a larger value within its strip has a stronger color."""
    rows = []
    for part, values in found.values.items():
        shown = values[:MOST_VALUES]
        most = max(map(abs, shown)) or 1.0
        rows += [
            {
                "part": part,
                "start": i / len(shown),
                "end": (i + 1) / len(shown),
                "place": i,
                "value": round(value, 5),
                "strength": abs(value) / most,
                "sign": "below 0" if value < 0 else "above 0",
            }
            for i, value in enumerate(shown)
        ]
    chart = (
        alt.Chart({"values": rows})
        .mark_rect()
        .encode(
            x=alt.X("start:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False)),
            x2=alt.X2("end:Q"),
            y=alt.Y(
                "part:N",
                sort=list(found.values),
                title=None,
                axis=alt.Axis(ticks=False, domain=False),
                scale=alt.Scale(padding=0.2),
            ),
            color=color_by_sign(),
            fillOpacity=alt.FillOpacity("strength:Q", scale=None, legend=None),
            tooltip=[*map(alt.Tooltip, ("part:N", "place:Q", "value:Q"))],
        )
    )
    about = f"The values that {', '.join(found.values)} hand on for one word, a cell per value."
    return specification(alt.layer(chart), 34 * len(found.values) + 50, about)


@built_once
def likely(words: Sequence[tuple[str, float]], label: str) -> Spec:
    """Return the likeliest next words as bars with their probabilities, likeliest first, in the
    color of the variant with this label."""
    rows = [{"word": word, "probability": share, "label": label} for word, share in words]
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "probability:Q",
            axis=None,
            scale=alt.Scale(domain=[0, 1.5 * max(share for _, share in words)], nice=False),
        ),
        y=alt.Y("word:N", sort=None, title=None, axis=alt.Axis(ticks=False, labelLimit=160)),
        tooltip=[alt.Tooltip("word:N"), alt.Tooltip("probability:Q", format=".3%")],
    )
    shares = base.mark_text(fontSize=LABEL_SIZE, align="left", dx=6, color=INK)
    chart = alt.layer(
        base.mark_bar(cornerRadiusEnd=3).encode(color=color_by_label([label])),
        shares.encode(text=alt.Text("probability:Q", format=".1%")),
    )
    about = f"Bars of the likeliest next words: {', '.join(word for word, _ in words)}."
    return specification(chart, 38 * len(rows), about)

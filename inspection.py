"""How a model's bytes and errors are shown, part by part; both need no measuring."""

import math

import streamlit as st

import inspection_charts as charts
import ui
from model_diagram import diagram
from wlm.activation_error import ACTIVATION_TOKENS, LayerError, activations, layer_errors
from wlm.assets import find_text
from wlm.corpus import read_text
from wlm.inspect_model import (
    EMBEDDING,
    FILE_FORMAT,
    matrix_label,
    saved_parts,
    weight_matrices,
)
from wlm.roofline import precisions
from wlm.variant import Variant
from wlm.weight_error import Histogram, WeightError, histogram, row_label, weight_errors

FP32 = Variant()


@st.cache_data(show_spinner="Adding up the bytes …", max_entries=32)
def parts_of(model: str, variant: Variant) -> dict[str, int]:
    """Return the bytes of a variant's file by part."""
    return saved_parts(ui.load_variant(model, variant))


@st.cache_data(show_spinner="Comparing the weights …", max_entries=32)
def weight_errors_of(model: str, variant: Variant) -> list[WeightError]:
    """Return the rounding error of each of a variant's weight matrices."""
    return weight_errors(ui.load_variant(model, FP32), ui.load_variant(model, variant))


@st.cache_data(show_spinner="Counting the weights …", max_entries=64)
def histogram_of(model: str, variant: Variant, matrix: str, fine: bool) -> Histogram:
    """Return the histogram of one weight matrix over a variant's grid."""
    fp32, stored = ui.load_variant(model, FP32), ui.load_variant(model, variant)
    return histogram(weight_matrices(fp32)[matrix], weight_matrices(stored)[matrix], fine=fine)


@st.cache_resource(show_spinner="Reading the text …", max_entries=4)
def activations_of(model: str, text: str):
    """Return the activations of fp32 on a text's first words, and those words."""
    checkpoint = ui.load_model(model)
    name, path = find_text(text)
    ids = read_text(path, checkpoint.vocabulary, name).ids[:ACTIVATION_TOKENS]
    return activations(ui.load_variant(model, FP32), ids), ids


@st.cache_data(show_spinner="Reading the text …", max_entries=64)
def layer_errors_of(model: str, text: str, variant: Variant) -> list[LayerError]:
    """Return the error of each part's activations on a text's first words."""
    # Here rather than in the worker: a second's work, and nothing in it is timed.
    reference, ids = activations_of(model, text)
    return layer_errors(reference, activations(ui.load_variant(model, variant), ids))


def show_bytes(model: str, variants: list[Variant]) -> None:
    """Show which part of the model takes which part of the file."""
    parts = [parts_of(model, variant) for variant in variants]
    labels = [variant.label for variant in variants]
    sizes = [sum(each.values()) for each in parts]
    for column, label, size in zip(columns(len(labels)), labels, sizes, strict=True):
        column.metric(
            label,
            f"{size / 1e6:.1f} MB",
            f"{size / sizes[0] - 1:+.0%}" if size != sizes[0] else None,
            delta_color="inverse",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="The file that torch.save writes of the state_dict, in millions of bytes.",
        )
    chart = charts.stacked_parts(
        labels,
        [{part: size / 1e6 for part, size in each.items()} for each in parts],
        title="size (MB)",
        format=".1f",
        unit="MB",
        marked=EMBEDDING,
        ink=ui.ink(),
    )
    st.altair_chart(chart, key="chart-bytes")
    st.markdown(why_it_remains(model, variants[-1], parts[-1]))
    st.markdown("**To the byte**")
    rows = [*parts[0], "the file"]
    table = {
        label: [*each.values(), sum(each.values())]
        for label, each in zip(labels, parts, strict=True)
    }
    number = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        {"Part": rows, **table},
        column_config=dict.fromkeys(labels, number),
        hide_index=True,
        height="content",
    )
    st.caption(
        f"A part's bytes are its numbers: weights, biases, scales. The {FILE_FORMAT} is the rest: "
        "names, headers, padding."
    )


def why_it_remains(model: str, variant: Variant, parts: dict[str, int]) -> str:
    """Return a sentence on the part of the file that the switches for LSTM and Linear leave."""
    config = ui.load_model(model).model.config
    size, total = parts[EMBEDDING] / 1e6, sum(parts.values()) / 1e6
    shape = f"{config.ntoken:,} × {config.ninp:,}"
    if precisions(variant)["embedding"] == "fp32":
        return (
            f"Outlined: the embedding, {size:.1f} of the {total:.1f} MB of {variant.label}. "
            "The switches for LSTM and Linear do not reach it: it is neither, so its "
            f"{shape} weights stay 32-bit floats."
        )
    return (
        f"Outlined: the embedding, which the switches for LSTM and Linear do not reach. In "
        f"{variant.label} it is quantized by itself, row by row: its {shape} weights take "
        f"{size:.1f} of {total:.1f} MB."
    )


def show_error(model: str, text: str, variants: list[Variant]) -> None:
    """Show how far rounding moves weights, and what becomes of it in the activations."""
    labels = [variant.label for variant in variants]
    quantized = [variant for variant in variants if variant != FP32]
    if not quantized:
        st.info("fp32 rounds nothing: choose another variant above.", icon=":material/info:")
        return
    errors = {variant: layer_errors_of(model, text, variant) for variant in quantized}
    show_worst(quantized[-1], errors[quantized[-1]], weight_errors_of(model, quantized[-1]))
    activations_column, weights_column = st.columns(2)
    with activations_column:
        st.markdown("**Activations**: does the error grow or fade on its way?")
        rows = [
            {"label": variant.label, **layer.to_json()}
            for variant, layers in errors.items()
            for layer in layers
        ]
        st.altair_chart(charts.errors_by_layer(rows, labels, ink=ui.ink()), key="chart-layers")
    with weights_column:
        st.markdown("**Weights**: what rounding costs each matrix")
        rows = [
            {**each.to_json(), "label": variant.label, "matrix": matrix_label(each.matrix)}
            for variant in quantized
            for each in weight_errors_of(model, variant)
        ]
        st.altair_chart(charts.matrix_errors(rows, labels, ink=ui.ink()), key="chart-matrices")
    st.caption(
        f"Activations: the first {ACTIVATION_TOKENS} words of {text}, one word at a time, each "
        "variant with its own hidden state. Where nothing is rounded there is no dot. 6 dB are "
        "one bit."
    )
    show_matrix(model, quantized)


def show_worst(variant: Variant, layers: list[LayerError], weights: list[WeightError]) -> None:
    """Show how well a variant's logits, its worst layer and its worst weights keep their signal."""
    logits, layer = layers[-1], min(layers, key=lambda each: each.sqnr_db)
    matrix = min(weights, key=lambda each: each.sqnr_db)
    where = "which is where it is largest"
    if layer is not logits:
        where = f"and {_share(layer.sqnr_db)} where it is largest, after {layer.part}"
    st.subheader(
        f"{variant.label}: the error is {_share(logits.sqnr_db)} of the logits, {where}.",
        anchor=False,
    )
    cards = {
        "Logits, dB": (logits.sqnr_db, f"cosine {logits.cosine:.5f}"),
        "Worst layer, dB": (layer.sqnr_db, f"{layer.part}, cosine {layer.cosine:.5f}"),
        "Worst weights, dB": (matrix.sqnr_db, matrix_label(matrix.matrix)),
    }
    for column, (heading, (decibels, words)) in zip(st.columns(3), cards.items(), strict=True):
        column.metric(
            heading,
            f"{decibels:.1f}" if math.isfinite(decibels) else "exact",
            words,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Signal to error, against fp32. 20 dB: the error is a tenth of the signal; 40 dB: "
            "a hundredth.",
        )


def show_matrix(model: str, variants: list[Variant]) -> None:
    """Show one weight matrix: its grid over the histogram of its weights, and what moved most."""
    with st.container(horizontal=True):
        label = st.selectbox(
            "Variant", [each.label for each in variants], index=len(variants) - 1, width=280
        )
        variant = next(each for each in variants if each.label == label)
        by_label = {matrix_label(each.matrix): each for each in weight_errors_of(model, variant)}
        name = st.selectbox(
            "Weights",
            list(by_label),
            index=len(by_label) - 1,
            key="matrix",
            bind="query-params",
            width=280,
        )
    error, precision = by_label[name], f"{name} in {label}"
    whole, near = (histogram_of(model, variant, error.matrix, fine) for fine in (False, True))
    if error.step:
        low, high = error.step
        cards = st.columns(4)
        values = {
            "Step": f"{low:.3g}" if low == high else f"{low:.2g} to {high:.2g}",
            "Signal to noise": f"{error.sqnr_db:.1f} dB",
            "Levels for 99% of weights": f"{error.levels_99} of 256",
            "Largest error": f"{_largest(error):.3g}",
        }
        for card, (heading, value) in zip(cards, values.items(), strict=True):
            card.metric(heading, value, border=True, height="stretch")
    unit = "weight, in its row's steps" if whole.in_levels else "weight"
    left, right = st.columns([3, 2])
    left.markdown(f"**{precision}**: all weights" + (", and the 256 levels" if error.step else ""))
    left.altair_chart(charts.weights_on_grid(whole, title=unit, ink=ui.ink()), key="chart-all")
    right.markdown("**Near the middle**" + (", between the levels" if error.step else ""))
    right.altair_chart(charts.weights_on_grid(near, title=unit, ink=ui.ink()), key="chart-near")
    if not error.largest:
        st.caption("Nothing here is rounded away: each weight is stored as it is.")
        return
    st.markdown("**The weights that moved most**")
    checkpoint = ui.load_model(model)
    st.dataframe(
        {
            "Row": [row_label(error.matrix, each.row, checkpoint) for each in error.largest],
            "Column": [each.column for each in error.largest],
            "Weight": [f"{each.weight:.6f}" for each in error.largest],
            "Stored": [f"{each.stored:.6f}" for each in error.largest],
            "Error": [f"{each.stored - each.weight:+.6f}" for each in error.largest],
        },
        hide_index=True,
    )


def show_model(model: str, variants: list[Variant]) -> None:
    """Show the parts of each variant as a diagram, coloured by precision."""
    config = ui.load_model(model).model.config
    for column, variant in zip(columns(len(variants)), variants, strict=True):
        sizes = {part: size / 1e6 for part, size in parts_of(model, variant).items()}
        with column:
            st.markdown(f"**{variant.label}**, {sum(sizes.values()):.1f} MB")
            st.graphviz_chart(diagram(config, precisions(variant), sizes, bptt=25))
    st.caption(
        "In a box: precision, shapes of the weights, and MB in the file. Beside an arrow: what "
        "is handed on for a chunk of 25 words."
    )


def columns(number: int) -> list:
    """Columns for so many things, at most four in a row."""
    return [column for start in range(0, number, 4) for column in st.columns(min(4, number))][
        :number
    ]


def _share(decibels: float) -> str:
    """A ratio in decibels as the error's share of the signal."""
    return f"{100 * 10 ** (-decibels / 20):.2g}%"


def _largest(error: WeightError) -> float:
    return max((abs(each.stored - each.weight) for each in error.largest), default=0.0)

"""How the error of each part is shown: activations, weights, and one matrix on its grid."""

import math

import streamlit as st

from view.inspect import charts
from view.shared import server
from view.shared.cards import card
from view.shared.choices import in_url
from view.shared.histogram import histogram_of
from view.shared.page import link_to
from wlm.catalog.open import open_text
from wlm.inspecting.activation_error import ACTIVATION_TOKENS, LayerError, activations, layer_errors
from wlm.inspecting.parts import matrix_label
from wlm.inspecting.weight_error import WeightError, row_label, weight_errors
from wlm.model.int4 import LEVELS
from wlm.quantization.variant import Variant

FP32 = Variant()


@st.cache_data(show_spinner="Comparing the weights …", max_entries=32)
def weight_errors_of(model: str, variant: Variant) -> list[WeightError]:
    """Return the rounding error of each of a variant's weight matrices."""
    return weight_errors(server.load_variant(model, FP32), server.load_variant(model, variant))


@st.cache_resource(show_spinner="Reading the text …", max_entries=4)
def activations_of(model: str, text: str):
    """Return the activations of fp32 on a text's first words, and those words."""
    checkpoint = server.load_model(model)
    ids = open_text(text, checkpoint.vocabulary).ids[:ACTIVATION_TOKENS]
    return activations(server.load_variant(model, FP32), ids), ids


@st.cache_data(show_spinner="Reading the text …", max_entries=64)
def layer_errors_of(model: str, text: str, variant: Variant) -> list[LayerError]:
    """Return the error of each part's activations on a text's first words."""
    # Here instead of in the worker: it takes a second, and nothing in it is timed.
    reference, ids = activations_of(model, text)
    return layer_errors(reference, activations(server.load_variant(model, variant), ids))


def show_errors(model: str, text: str, variants: list[Variant]) -> None:
    """Show how far rounding moves weights, and the resulting errors of activations."""
    quantized = [variant for variant in variants if variant != FP32]
    if not quantized:
        st.info("fp32 rounds nothing: choose another variant above.", icon=":material/info:")
        return
    labels = [variant.label for variant in quantized]
    errors = {variant: layer_errors_of(model, text, variant) for variant in quantized}
    show_worst(quantized[-1], errors[quantized[-1]], weight_errors_of(model, quantized[-1]))
    activations_column, weights_column = st.columns(2)
    with activations_column:
        st.markdown("**Activations**: does the error grow or fade from part to part?")
        rows = [
            {"label": variant.label, **layer.to_json()}
            for variant, layers in errors.items()
            for layer in layers
        ]
        st.vega_lite_chart(charts.errors_by_layer(rows, labels), key="chart-layers")
    with weights_column:
        st.markdown("**Weights**: how much rounding changes each matrix")
        rows = [
            {**error.to_json(), "label": variant.label, "matrix": matrix_label(error.matrix)}
            for variant in quantized
            for error in weight_errors_of(model, variant)
        ]
        st.vega_lite_chart(charts.matrix_errors(rows, labels), key="chart-matrices")
    st.caption(
        f"Activations: the first {ACTIVATION_TOKENS} words of {text}, one word at a time, each "
        "variant with its own hidden state. If nothing is rounded, there is no dot. 6 dB are 1 "
        "bit."
    )
    show_matrix(model, quantized)


def show_worst(variant: Variant, layers: list[LayerError], weights: list[WeightError]) -> None:
    """Show how well a variant's logits, its worst layer and its worst weights keep their signal."""
    logits, layer = layers[-1], min(layers, key=lambda layer: layer.sqnr_db)
    matrix = min(weights, key=lambda matrix: matrix.sqnr_db)
    worst = "more than after any other part"
    if layer is not logits:
        worst = f"and {_share(layer.sqnr_db)} after {layer.part}, where it is largest"
    st.header(
        f"{variant.label}: the error is {_share(logits.sqnr_db)} of the logits, {worst}.",
        anchor=False,
    )
    cards = {
        "Logits, dB": (logits.sqnr_db, f"cosine {logits.cosine:.5f}"),
        "Worst layer, dB": (layer.sqnr_db, f"{layer.part}, cosine {layer.cosine:.5f}"),
        "Worst weights, dB": (matrix.sqnr_db, matrix_label(matrix.matrix)),
    }
    for column, (heading, (decibels, words)) in zip(st.columns(3), cards.items(), strict=True):
        card(
            column,
            heading,
            f"{decibels:.1f}" if math.isfinite(decibels) else "exact",
            words,
            help="Signal to error, against fp32. 20 dB: the error is a tenth of the signal; 40 dB: "
            "a hundredth.",
        )


def show_matrix(model: str, variants: list[Variant]) -> None:
    """Show one weight matrix: its grid over the histogram of its weights, and what moved most."""
    with st.container(horizontal=True):
        variant = st.selectbox(
            "Variant",
            variants,
            index=len(variants) - 1,
            format_func=lambda variant: variant.label,
            width=280,
        )
        by_label = {matrix_label(error.matrix): error for error in weight_errors_of(model, variant)}
        name = st.selectbox(
            "Weights", list(by_label), index=len(by_label) - 1, **in_url("matrix"), width=280
        )
    error = by_label[name]
    whole, near = (histogram_of(model, variant, error.matrix, fine=fine) for fine in (False, True))
    own = "block" if error.levels == LEVELS else "row"
    if error.step:
        low, high = error.step
        errors = [abs(moved.stored - moved.weight) for moved in error.largest]
        values = {
            "Step": f"{low:.3g}",
            "Signal to noise": f"{error.sqnr_db:.1f} dB",
            "Levels for 99% of weights": f"{error.levels_99} of {error.levels}",
            "Largest error": f"{max(errors, default=0.0):.3g}",
        }
        for column, (heading, value) in zip(st.columns(4), values.items(), strict=True):
            several = heading == "Step" and high > low
            card(column, heading, value, f"to {high:.3g}, by {own}" if several else None)
    unit = f"weight, in its {own}'s steps" if whole.in_levels else "weight"
    levels = f", and the {error.levels} levels" if error.step else ""
    st.markdown(f"**{name} in {variant.label}**: all weights{levels}")
    st.vega_lite_chart(charts.weights_on_grid(whole, title=unit), key="chart-all")
    heading = "**Near the middle**" + (", between the levels" if error.step else "")
    if near.grid and len(near.grid) == len(whole.grid):  # so few that all are near
        heading = "**Between the levels**"
    st.markdown(heading)
    st.vega_lite_chart(charts.weights_on_grid(near, title=unit), key="chart-near")
    if not error.largest:
        st.caption("Nothing here is rounded: each weight is stored as it is.")
        return
    st.markdown("**The weights that changed most**")
    checkpoint = server.load_model(model)
    st.dataframe(
        [
            {
                "Row": row_label(error.matrix, moved.row, checkpoint),
                "Column": moved.column,
                "Weight": f"{moved.weight:.6f}",
                "Stored": f"{moved.stored:.6f}",
                "Error": f"{moved.stored - moved.weight:+.6f}",
            }
            for moved in error.largest
        ],
        hide_index=True,
    )
    if error.matrix != "encoder.weight":
        link_to("How", "How weights become integers", {"model": model, "matrix": name})


def _share(decibels: float) -> str:
    """Return a ratio in decibels as the error's share of the signal."""
    return f"{100 * 10 ** (-decibels / 20):.2g}%"

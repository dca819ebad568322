"""How many bytes each part of a model takes in its file."""

import altair as alt
import streamlit as st

from view.inspect import charts
from view.shared import server
from view.shared.cards import SHIPPED, card, columns
from view.shared.charts import ink
from wlm.inspecting.parts import FILE_FORMAT, saved_parts
from wlm.model.lstm import EMBEDDING
from wlm.quantization.variant import Variant


@st.cache_data(show_spinner="Adding up the bytes …", max_entries=32)
def parts_of(model: str, variant: Variant) -> dict[str, int]:
    """Return the bytes of a variant's file by part."""
    return saved_parts(server.load_variant(model, variant))


def show_bytes(model: str, variants: list[Variant]) -> None:
    """Show which part of the model takes which part of the file."""
    parts = [parts_of(model, variant) for variant in variants]
    labels = [variant.label for variant in variants]
    sizes = [sum(each.values()) for each in parts]
    for column, label, size in zip(columns(len(labels)), labels, sizes, strict=True):
        card(
            column,
            label,
            f"{size / 1e6:.1f} MB",
            f"{size / sizes[0] - 1:+.0%}" if size != sizes[0] else None,
            delta_color="inverse",
            help=SHIPPED,
        )
    st.altair_chart(bytes_chart(model, variants), key="chart-bytes")
    st.markdown(why_it_remains(model, dict(zip(variants, parts, strict=True))))
    st.markdown("**To the byte**")
    bytes = ([*each.values(), size] for each, size in zip(parts, sizes, strict=True))
    table = {"Part": [*parts[0], "the file"], **dict(zip(labels, bytes, strict=True))}
    numbers = dict.fromkeys(labels, st.column_config.NumberColumn(format="localized"))
    st.dataframe(table, column_config=numbers, hide_index=True, height="content")
    st.caption(
        f"A part's bytes are its numbers: weights, biases, scales. The {FILE_FORMAT} is the rest: "
        "names, headers, padding."
    )


def bytes_chart(model: str, variants: list[Variant], large: bool = False) -> alt.LayerChart:
    """Return a bar a variant, made of the megabytes of its parts, the embedding outlined; `large`
    is for a lecture."""
    return charts.stacked_parts(
        [variant.label for variant in variants],
        [
            {part: size / 1e6 for part, size in parts_of(model, variant).items()}
            for variant in variants
        ],
        title="size (MB)",
        format=".1f",
        unit="MB",
        marked=EMBEDDING,
        large=large,
        ink=ink(),
    )


def why_it_remains(model: str, sizes: dict[Variant, dict[str, int]]) -> str:
    """Return what the switches for LSTM and Linear leave of the file, and what that is where the
    embedding is quantized too; the last variant of either kind is named."""
    config = server.load_model(model).model.config
    shape = f"{config.ntoken:,} × {config.ninp:,}"
    by_precision = {variant.embedding: variant for variant in sizes}
    sentences = ["Outlined: the embedding, which the switches for LSTM and Linear do not reach."]
    for precision, variant in by_precision.items():
        parts = sizes[variant]
        share = f"{parts[EMBEDDING] / 1e6:.1f} of the {sum(parts.values()) / 1e6:.1f} MB"
        sentences.append(
            f"It is neither, so its {shape} weights stay 32-bit floats: {share} of {variant.label}."
            if precision == "fp32"
            else f"Quantized by itself it takes {share} of {variant.label}."
        )
    return " ".join(sentences)

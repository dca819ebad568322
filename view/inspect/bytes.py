"""How many bytes each part of a model takes in its file, and a variant in memory."""

from collections.abc import Sequence

import streamlit as st

from view.inspect import charts
from view.inspect.memory import measured_memory, offer_memory, run_of
from view.shared import server
from view.shared.cards import card, columns, size_card
from view.shared.charts import Spec
from wlm.inspecting.parts import FILE_FORMAT, saved_parts
from wlm.inspecting.roofline import precisions
from wlm.measuring.wording import repacked, size_unit
from wlm.model.parts import EMBEDDING
from wlm.quantization.variant import Variant


@st.cache_data(show_spinner="Adding up the bytes …", max_entries=32)
def parts_of(model: str, variant: Variant) -> dict[str, int]:
    """Return the bytes of a variant's file by part."""
    return saved_parts(server.load_variant(model, variant))


def show_bytes(model: str, variants: list[Variant]) -> None:
    """Show which part of the model takes which part of the file."""
    parts = [parts_of(model, variant) for variant in variants]
    labels = [variant.label for variant in variants]
    sizes = [sum(by_part.values()) for by_part in parts]
    for column, label, size in zip(columns(len(labels)), labels, sizes, strict=True):
        size_card(column, size, sizes[0] if label != labels[0] else None, heading=label)
    st.vega_lite_chart(bytes_chart(model, variants), key="chart-bytes")
    st.markdown(why_it_remains(model, dict(zip(variants, parts, strict=True))))
    show_memory(model, variants, sizes)
    st.markdown("**Exact bytes**")
    bytes = ([*by_part.values(), size] for by_part, size in zip(parts, sizes, strict=True))
    table = {"Part": [*parts[0], "whole file"], **dict(zip(labels, bytes, strict=True))}
    numbers = dict.fromkeys(labels, st.column_config.NumberColumn(format="localized"))
    st.dataframe(table, column_config=numbers, hide_index=True, height="content")
    st.caption(
        f"A part's bytes are its numbers: weights, biases, scales. The {FILE_FORMAT} is the rest: "
        "names, headers, padding."
    )


def bytes_chart(model: str, variants: list[Variant], large: bool = False) -> Spec:
    """Return a bar per variant, stacked from the sizes of its parts, with an outline around the
    parts that stay unquantized; `large` is for a lecture."""
    parts = [parts_of(model, variant) for variant in variants]
    unit, scale = size_unit(sum(by_part.values()) for by_part in parts)
    return charts.stacked_parts(
        [variant.label for variant in variants],
        [{part: size / scale for part, size in by_part.items()} for by_part in parts],
        title=f"size ({unit})",
        format=".1f",
        unit=unit,
        marked=[unreached(variant) for variant in variants],
        large=large,
    )


def unreached(variant: Variant) -> list[str]:
    """Return the modules that stay in 32-bit floats while others are quantized."""
    by_module = precisions(variant)
    left = [module for module, precision in by_module.items() if precision == "fp32"]
    return left if len(left) < len(by_module) else []


def why_it_remains(model: str, sizes: dict[Variant, dict[str, int]]) -> str:
    """Return the meaning of the outlines, and the embedding's share of the file if it is quantized
    and if it is not; the text names the last variant of either kind."""
    config = server.config_of(model)
    shape = f"{config.ntoken:,} × {config.ninp:,}"
    by_precision = {variant.embedding: variant for variant in sizes}
    sentences = ["Quantizing LSTM and Linear does not reach the embedding."]
    if any(map(unreached, sizes)):
        sentences.insert(0, "Outlined: what quantization left in 32-bit floats.")
    for precision, variant in by_precision.items():
        parts = sizes[variant]
        unit, scale = size_unit([sum(parts.values())])
        share = f"{parts[EMBEDDING.stage] / scale:.1f} of {sum(parts.values()) / scale:.1f} {unit}"
        sentences.append(
            f"Its {shape} weights stay 32-bit floats: {share} in {variant.label}."
            if precision == "fp32"
            else f"In {variant.label}, the embedding is quantized too: {share}."
        )
    return " ".join(sentences)


def show_memory(model: str, variants: Sequence[Variant], sizes: Sequence[int]) -> None:
    """Show the memory of the variants that were measured, and offer to measure the others; `sizes`
    are the bytes of the files."""
    run, explanations = run_of(model), []
    if known := measured_memory(model, variants, run):
        st.markdown("**Memory added to a process** by each variant")
        for column, variant, size in zip(columns(len(variants)), variants, sizes, strict=True):
            if memory := known.get(variant):
                card(
                    column,
                    variant.label,
                    f"{memory.added_bytes / 1e6:,.0f} MB",
                    f"{memory.added_bytes / size:.1f} times the file",
                    help="Measured in a new process that prepared the variant and read 100 tokens. "
                    f"The peak while preparing was {memory.peak_bytes / 1e6:,.0f} MB.",
                )
                explanations.append(repacked(str(variant), variant.label, memory.added_bytes, size))
    for sentence in filter(None, explanations):
        st.markdown(sentence)
    if missing := [variant for variant in variants if variant not in known]:
        offer_memory(model, missing, run)

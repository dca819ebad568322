"""The model in each variant, to scale."""

import streamlit as st

from view.inspect.bytes import parts_of
from view.shared import server
from view.shared.model_drawing import draw_model
from wlm.measuring.evaluate import DEFAULT_BPTT
from wlm.measuring.wording import counted, size_in_words
from wlm.model.lstm import ModelConfig
from wlm.model.parts import IN_A_PASS
from wlm.quantization.variant import Variant, describe


def show_model(model: str, variants: list[Variant]) -> None:
    """Show the parts of each variant to scale, colored by precision."""
    st.markdown("The area of a square is its size in the file; dashed is its size in fp32.")
    places = st.columns(2) if len(variants) > 1 else [st.container()]
    for i, variant in enumerate(variants):
        sizes = parts_of(model, variant)
        with places[i % len(places)]:
            st.markdown(f"**{variant.label}**, {size_in_words(sum(sizes.values()))}")
            draw_model(model, variant, "inspect-model", sizes=by_module(sizes))
            st.caption(describe(variant))
    st.markdown(shapes(server.config_of(model), DEFAULT_BPTT))


def by_module(sizes: dict[str, int]) -> dict[str, int]:
    """Return the bytes of embedding, LSTM and Linear; `sizes` has every layer, as `saved_parts`
    names it."""
    found = dict.fromkeys((part.name for part in IN_A_PASS), 0)
    for part in IN_A_PASS:
        for name, size in sizes.items():
            if name.rstrip("0123456789 ") == part.stage:
                found[part.name] += size
    return found


def shapes(config: ModelConfig, bptt: int) -> str:
    """Return in a sentence the shapes of the weights, and what the parts hand on for a chunk of
    `bptt` words."""
    words, width, hidden, layers = config.ntoken, config.ninp, config.nhid, config.nlayers
    later = f", {4 * hidden:,} × {hidden:,} in the others" if layers > 1 else ""
    return (
        f"**Weights:** embedding {words:,} × {width:,}; LSTM, {counted(layers, 'layer')}, "
        f"input {4 * hidden:,} × {width:,} in the first{later}, "
        f"recurrent {4 * hidden:,} × {hidden:,}; Linear {words:,} × {hidden:,}.  \n"
        f"**Handed on** for a chunk of {bptt} words: embedding {bptt} × {width:,}, LSTM {bptt} × "
        f"{hidden:,}, Linear {bptt} × {words:,} values."
    )

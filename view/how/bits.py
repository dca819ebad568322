"""Step 5: fewer bits."""

import streamlit as st

from view.how import bits_charts
from view.how.asked import Asked
from view.how.choose import BY_ROW, ONE
from view.how.following import ranked, rows_of, shown
from view.how.lines import show_lines
from view.how.numbers import FP32, curve_of_model, fp32_sentence
from view.shared.choices import in_url
from view.shared.next_words import next_words
from view.shared.page import errors_shown, plain
from wlm.explaining.bits import FEWEST_BITS, MOST_BITS
from wlm.explaining.curve import LossCurve

DEFAULT_BITS = 4


@st.fragment
def show_bits(asked: Asked) -> None:
    """Show what fewer bits make of weights, next words, a sentence and the loss."""
    st.subheader("5. Fewer bits", anchor="bits")
    with errors_shown():
        bits = st.slider(
            "Bits of a weight", FEWEST_BITS, MOST_BITS, DEFAULT_BITS, width=340, **in_url("bits")
        )
        show_fewer(asked, bits)
        show_lines(asked, 5, bits)


def show_fewer(asked: Asked, bits: int) -> None:
    """Show what so many bits make of the model."""
    found, curve = asked.fewer(bits), curve_of_model(asked.model)
    first, other = ranked(found.words)
    likeliest = "is still" if first == other else f"was **{plain(shown(first))}**, now it is"
    said = f" {about_loss(curve, bits, asked.by_row)}" if curve else ""
    st.markdown(
        f"With {bits} bits a weight is one of {2**bits} numbers. The likeliest next word "
        f"{likeliest} **{plain(shown(other))}**.{said}"
    )
    staircase, levels = st.columns(2)
    with staircase:
        st.markdown(f"**What is stored** of a weight of {asked.name}")
        st.vega_lite_chart(bits_charts.staircase(bits, found.step), key="how-stairs")
    with levels:
        st.markdown(f"**Where its weights stand**, on {2**bits} levels")
        st.vega_lite_chart(bits_charts.on_levels(found.counts), key="how-levels")
    words, loss = st.columns(2)
    labels = [FP32.label, f"{bits} bits"]
    with words:
        st.markdown("**The next word**")
        st.vega_lite_chart(next_words(rows_of(found.words, labels), labels), key="how-fewer")
    with loss:
        if curve:
            st.markdown(f"**The loss** on {curve.tokens:,} words of {curve.text}")
            st.vega_lite_chart(loss_chart(curve, bits), key="how-loss")
        read = asked.words[: asked.at + 1]
        for label, text in zip(
            labels, (fp32_sentence(asked.model, read), found.sentence), strict=True
        ):
            with st.container(border=True):
                st.markdown(f"**{label}** · {plain(text)}")
    st.caption(
        "Simulated: the weights of LSTM and Linear are rounded, all else is computed in 32-bit "
        "floats." + (f" The losses were recorded on {curve.cpu}." if curve else "")
    )


def loss_chart(curve: LossCurve, bits: int) -> dict:
    """Return the chart of the recorded losses, one number of bits marked."""
    rows = [
        {
            "bits": each.bits,
            "scale": BY_ROW if each.by_row else ONE,
            "loss": each.loss,
            "delta": f"{each.delta:+.3f} ({each.low:+.3f} to {each.high:+.3f})",
        }
        for each in curve.points
    ]
    return bits_charts.losses(rows, curve.fp32, bits)


def about_loss(curve: LossCurve, bits: int, by_row: bool) -> str:
    """Return in words how far the loss is from fp32's."""
    found = curve.at(bits, by_row)
    if found.low <= 0.0 <= found.high:
        return f"The loss, {found.loss:.3f} nats per token, cannot be told from fp32's."
    return f"The loss is {found.delta:+.3f} nats per token from fp32's {curve.fp32:.3f}."

"""The model to scale, whose parts are the switches, and a word that flows through it."""

import streamlit as st

from view.compare.choose import SWITCHES
from view.compare.living_chart import likely, strips, to_scale
from view.shared import server
from view.shared.page import errors_shown, plain
from wlm.explaining.flow import Flow, flow
from wlm.inspecting.parts import module_bytes
from wlm.quantization.variant import PART_LABELS, Variant
from wlm.text.vocabulary import EOS
from wlm.text.wikitext import tokenize

ORDER = ("embedding", "lstm", "linear")  # of a pass
DEFAULT_WORDS = "The old bridge over the river"
MOST_WORDS = 24


def show_living(model: str) -> None:
    """Show the model that the switches describe, to scale: a click on a part turns its switch."""
    if server.imported_as(model):
        return  # there are no switches
    variant = Variant(**{part: "int8" if st.session_state[part] else "fp32" for part in SWITCHES})
    st.subheader("The model, to scale", anchor="to-scale")
    st.markdown(
        "A square's area is its bytes. **Click a part to switch int8 on or off for it**: dashed is "
        "what it takes in fp32."
    )
    # Another key for another state: a click is never told twice.
    key = f"living-{variant}"
    st.vega_lite_chart(scale_chart(model, variant), key=key, on_select=lambda: turn_switch(key))
    send_word(model, variant)


@st.fragment
def send_word(model: str, variant: Variant) -> None:
    """Send a word through the variant, once it is asked for: only then is the model needed."""
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
    """Return the last of some words on its way through a variant."""
    vocabulary = server.load_model(model).vocabulary
    return flow(server.load_variant(model, variant), vocabulary, words)


def show_flow(found: Flow, word: str, label: str) -> None:
    """Show the id of the word that was sent, its values from part to part, and the likeliest next
    words in the color of the variant with this label. Names an unknown word."""
    name = f"**{shown(word)}**"
    if found.word != word:
        name += f" is an unknown word. The model reads it as **{shown(found.word)}**, which"
    st.markdown(f"{name} goes in as a number, its place in the vocabulary: **{found.id:,}**.")
    values, following = st.columns([2, 1])
    with values:
        st.markdown("**What each part hands on**, a cell a value")
        st.vega_lite_chart(strips(found), key="living-strips")
    with following:
        st.markdown("**Likely next words**")
        st.vega_lite_chart(likely(found.next_words, label), key="living-next")


def shown(word: str) -> str:
    """Return a word as Markdown."""
    return "end of line" if word == EOS else plain(word)


def scale_chart(model: str, variant: Variant) -> dict:
    """Return the chart of a variant's parts."""
    config = server.config_of(model)
    sizes, before = module_bytes(config, variant), module_bytes(config, Variant())
    return to_scale(
        [PART_LABELS[part] for part in ORDER],
        [sizes[part] / 1e6 for part in ORDER],
        [before[part] / 1e6 for part in ORDER],
        [getattr(variant, part) for part in ORDER],
    )


def turn_switch(key: str) -> None:
    """Turn the switch of the part that was clicked: a callback, since it is drawn before."""
    if part := clicked_part(key):
        st.session_state[part] = not st.session_state[part]


def clicked_part(key: str) -> str | None:
    """Return the part that was clicked in the chart of a key, None for what is none."""
    clicked = st.session_state[key].selection.get("part") or [{}]
    return next((each for each in ORDER if PART_LABELS[each] == clicked[0].get("part")), None)

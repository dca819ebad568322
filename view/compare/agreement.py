"""How often, and how closely, variants predict the baseline's next word."""

import streamlit as st

from view.compare.divergence import ROUNDING, divergence_chart
from view.shared.charts import draw_chart
from view.shared.choices import choose_one, names_for_visitor
from view.shared.next_words import shown_word
from view.shared.page import MENU, errors_shown, plain
from wlm.catalog.registry import MODEL
from wlm.quantization.variant import Variant
from wlm.text.wikitext import detokenize, readable, tokenize

BEFORE = 8  # words shown before a token
HOW = ("int8", "int8-channel")  # variants, by the precision of LSTM and Linear, that How explains


def show_agreement(rows: list[dict], baseline: str) -> None:
    """Show how the KL divergence of results' rows from the baseline is distributed over tokens."""
    st.markdown(f"**Divergence** from {baseline}'s probabilities, token by token")
    if chart := divergence_chart(rows):
        draw_chart(chart, "chart-agreement")
    for row in rows:
        st.caption(in_numbers(row))


def in_numbers(row: dict) -> str:
    """Return a row's agreement in numbers."""
    found = row["agreement"]
    ends = found["same_word_ci95"]
    interval = f" (95% interval {ends[0]:.1%} to {ends[1]:.1%})" if ends else ""
    return (
        f"{row['label']}: the same likeliest word at {found['same_word']:.1%} of "
        f"{found['tokens']:,} tokens{interval}; KL divergence {_nats(found['kl_mean'])} nats on "
        f"average, below {_nats(found['kl_p99'])} at 99% of the tokens."
    )


@st.fragment
@errors_shown()
def show_furthest(rows: list[dict], baseline: dict, model: str) -> None:
    """Show the tokens at which a variant differs most from the baseline, each as a link to the page
    that shows both predictions. With several variants the visitor chooses one."""
    found = {
        row["label"]: row
        for row in rows
        if row["agreement"]["furthest"] and row["agreement"]["kl_mean"] > ROUNDING
    }
    if not found:
        return
    st.markdown(
        "**Where they differ most**: the text, its next word in bold, and the word that each "
        "model expects there"
    )
    label = choose_one("Variant of the tokens", list(found), default=list(found)[-1])
    row = found[label]
    page, query = page_of(row["variant"], baseline["variant"])
    path, icon = MENU[page]
    offered = model in names_for_visitor(MODEL)
    for token in row["agreement"]["furthest"]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(in_words(token, baseline["label"], label))
            if offered:
                query |= {"model": model, "prompt": as_prompt(token["before"])}
                st.page_link(path, label=page, icon=icon, query_params=query, width="content")
    if offered:
        st.caption(f"{page} reads only these words, not the text before them.")


def in_words(token: dict, baseline: str, label: str) -> str:
    """Return one of the furthest tokens as Markdown: its context, and what both models expect."""
    before, expected, preferred = token["before"], token["baseline"], token["variant"]
    context = plain(readable(before[-BEFORE:]).replace("\n\n", " ").lstrip(" .,;:!?)").rstrip())
    cut = "… " if len(before) > BEFORE else ""
    expects = f"{baseline} expects *{_word(expected)}*, {label} *{_word(preferred)}*"
    if expected == preferred:
        expects = f"both expect *{_word(expected)}*"
    return f"{cut}{context} **{_word(token['word'])}**: {expects} · {_nats(token['kl'])} nats apart"


def page_of(variant: str, baseline: str) -> tuple[str, dict]:
    """Return the page that shows the predictions of a variant and the baseline, and its query."""
    explained = [str(Variant(lstm=precision, linear=precision)) for precision in HOW]
    if baseline == "fp32" and variant in explained:
        by_row = {"scale": "Per row"} if explained.index(variant) else {}
        return "How", by_row
    return "Sample", {"variants": [baseline, variant]}


def as_prompt(words: list[str]) -> str:
    """Return words as a prompt that a page reads as these words."""
    text = detokenize(words)
    return text if tokenize(text) == words and "\n" not in text else " ".join(words)


def _word(word: str) -> str:
    return plain(shown_word(word))


def _nats(value: float) -> str:
    return f"{value:.2g}"

"""What the pages have one choose: model, text and variants, which the URL holds too."""

from collections.abc import Callable

import streamlit as st

from view.shared import visitor
from view.shared.page import show_error
from wlm.catalog.names import DEFAULT_MODEL, DEFAULT_TEXT, UPLOAD_NAME, list_models, list_texts
from wlm.catalog.uploads import MODEL, TEXT, uploads_of
from wlm.errors import WLMError
from wlm.quantization.prepare import why_unavailable
from wlm.quantization.variant import OFFERED, PART_LABELS, Variant

SWITCHES = {"lstm": True, "linear": True, "embedding": False}  # and whether they start on
MOST_OTHERS = 6  # with fp32 and the switches' variant, as many as a comparison may have


def in_url(key: str) -> dict:
    """Return what has the URL hold a widget's value, by the name of `key`."""
    return {"key": key, "bind": "query-params"}


def choose_model() -> str:
    """Draw the sidebar's choice of a model and return its name."""
    return _choose("Model", MODEL, DEFAULT_MODEL, "WLM_MODELS")


def choose_text() -> str:
    """Draw the sidebar's choice of a text and return its name."""
    return _choose("Text", TEXT, DEFAULT_TEXT, "WLM_TEXTS")


def names_for_visitor(kind: str) -> list[str]:
    """Return the names of models, or of texts, that this visitor may use: everyone's and its own
    uploads'."""
    everyones = list_models() if kind == MODEL else list_texts()
    return [*everyones, *(each.name for each in uploads_of(visitor.name(), kind))]


def is_anothers(kind: str, name: str) -> bool:
    """Tell whether a name is that of an upload which is not this visitor's."""
    return bool(UPLOAD_NAME.fullmatch(name)) and name not in names_for_visitor(kind)


def _choose(label: str, key: str, default: str, variable: str) -> str:
    names = names_for_visitor(key)
    if not names:
        show_error(f"there is no {key} to choose: the bundled ones are missing from assets/")
        st.stop()
    index = names.index(default) if default in names else 0
    help = (
        "The bundled one, those fetched and uploaded on the page Models, and those in the folder "
        f"that the variable {variable} names."
    )
    return st.sidebar.selectbox(label, names, index=index, **in_url(key), help=help)


def choose_variant() -> Variant:
    """Draw the switches and return the variant that they describe."""
    switches = {
        part: st.toggle(
            f"int8 {PART_LABELS[part]}",
            value=on,
            **in_url(part),
            help=f"Quantize the {PART_LABELS[part]} weights, from 32-bit floats to 8-bit integers.",
        )
        for part, on in SWITCHES.items()
    }
    return Variant(**{part: "int8" if on else "fp32" for part, on in switches.items()})


def offered_variants() -> list[Variant]:
    """Return the variants that pages offer and this machine can run, fp32 first."""
    return [each for each in map(Variant.parse, OFFERED) if not why_unavailable(each)]


def choose_others() -> list[str]:
    """Draw the choice of variants to compare besides, and return their names.

    The URL has them as `?also=NAME`, once for each; it may name any variant, offered or not.
    """
    if "also" not in st.session_state:
        asked = dict.fromkeys(map(_known_name, st.query_params.get_all("also")))
        st.session_state["also"] = [name for name in asked if name][:MOST_OTHERS]
    picked = st.session_state["also"]
    names = {name: Variant.parse(name) for name in dict.fromkeys([*OFFERED[1:], *picked])}
    missing = {reason for each in names.values() if (reason := why_unavailable(each))}
    chosen = st.multiselect(
        "Also compare",
        [name for name, each in names.items() if not why_unavailable(each) or name in picked],
        format_func=lambda name: names[name].label,
        max_selections=MOST_OTHERS,
        key="also",
        placeholder="Also compare …",
        label_visibility="collapsed",
        help=" ".join(["More variants, each run in turn with the others.", *sorted(missing)]),
    )
    if chosen != st.query_params.get_all("also"):
        st.query_params["also"] = chosen
    return chosen


def _known_name(name: str) -> str:
    """A variant's shortest name; nothing for what is none, or is run anyway."""
    try:
        name = str(Variant.parse(name))
    except WLMError:
        return ""
    return "" if name == OFFERED[0] else name


def write_variants_as(write: Callable[[Variant], str], key: str) -> None:
    """Write the URL's variants of this key as a page's widget does: by name or by label.

    Both are read on every page; what is neither is left for the widget to judge.
    """
    known = {each.label: each for each in map(Variant.parse, OFFERED)}

    def rewritten(text: str) -> str:
        try:
            return write(known.get(text) or Variant.parse(text))
        except WLMError:
            return text

    asked = st.query_params.get_all(key)
    if (written := list(map(rewritten, asked))) != asked:
        st.query_params[key] = written
        st.rerun()  # widgets read the query as it is when a run begins

"""What several pages have one choose, and how the URL holds it: model, text, variants."""

from collections.abc import Callable

import streamlit as st

from view.shared import server, visitor
from view.shared.page import show_error
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT, UPLOAD_NAME, list_models, list_texts
from wlm.catalog.uploads import MODEL, TEXT, uploads_of
from wlm.errors import WLMError
from wlm.quantization.prepare import why_unavailable
from wlm.quantization.variant import OFFERED, Variant


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


def shown_name(kind: str, name: str) -> str:
    """Return what a model, or a text, is called: this visitor's own uploads by their files' names,
    all others as they are."""
    if not UPLOAD_NAME.fullmatch(name):
        return name
    labels = {each.name: each.label for each in uploads_of(visitor.name(), kind)}
    if name not in labels:
        return name
    alike = list(labels.values()).count(labels[name]) > 1
    return f"{labels[name]} (yours{', ' + name[-4:] if alike else ''})"


def is_anothers(kind: str, name: str) -> bool:
    """Tell whether a name is that of an upload which is not this visitor's."""
    return bool(UPLOAD_NAME.fullmatch(name)) and name not in names_for_visitor(kind)


def _choose(label: str, key: str, default: str, variable: str) -> str:
    names = names_for_visitor(key)
    if not names:
        show_error(f"there is no {key} to choose: the bundled ones are missing from assets/")
        st.stop()
    index = names.index(default) if default in names else 0
    write_uploads_by_label()
    labels = {name: shown_name(key, name) for name in names}
    help = (
        "The bundled one, those fetched and uploaded on the page Models, and those in the folder "
        f"that the variable {variable} names."
    )
    return st.sidebar.selectbox(
        label, names, index=index, format_func=labels.get, **in_url(key), help=help
    )


def offered_variants(model: str) -> list[Variant]:
    """Return the variants that pages offer of a named model and this machine can run, fp32 first;
    of one that came quantized only what it came as."""
    if own := server.imported_as(model):
        return [own]
    return [each for each in map(Variant.parse, OFFERED) if not why_unavailable(each)]


def write_uploads_by_label() -> None:
    """Write the URL's uploads as the widgets do: links name them as they are kept."""
    kept = {key: st.query_params.get(key, "") for key in (MODEL, TEXT)}
    shown = {key: shown_name(key, name) for key, name in kept.items()}
    if shown != kept:
        st.query_params.update({key: name for key, name in shown.items() if name != kept[key]})
        st.rerun()  # widgets read the query as it is when a run begins


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

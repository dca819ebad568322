"""Controls that several pages share, and how the URL holds them: model, text, variants."""

from collections.abc import Callable, Sequence

import streamlit as st

from view.shared import server, visitor
from view.shared.hooks import came_by_history
from view.shared.page import show_error
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT, MODEL, TEXT, UPLOAD_NAME
from wlm.errors import VariantError
from wlm.quantization.prepare import slow_here, why_unavailable
from wlm.quantization.variant import OFFERED, Variant
from wlm.uploads.store import names_for, uploads_of

MOST_VARIANTS = 8  # side by side on a page


def in_url(key: str) -> dict:
    """Return the options that bind a widget's value to the URL under the name `key`."""
    return {"key": key, "bind": "query-params"}


def choose_model() -> str:
    """Draw the sidebar's choice of a model and return its name."""
    return _choose("Model", MODEL, DEFAULT_MODEL)


def choose_text() -> str:
    """Draw the sidebar's choice of a text and return its name."""
    return _choose("Text", TEXT, DEFAULT_TEXT)


def names_for_visitor(kind: str) -> list[str]:
    """Return the names of models, or of texts, that this visitor may use: everyone's and the
    visitor's own uploads."""
    return names_for(visitor.name(), kind)


def shown_name(kind: str, name: str) -> str:
    """Return the displayed name of a model or a text: the file's name for this visitor's own
    uploads, the name itself for all others."""
    if not UPLOAD_NAME.fullmatch(name):
        return name
    labels = {upload.name: upload.label for upload in uploads_of(visitor.name(), kind)}
    if name not in labels:
        return name
    alike = list(labels.values()).count(labels[name]) > 1
    return f"{labels[name]} (yours{', ' + name[-4:] if alike else ''})"


def is_anothers(kind: str, name: str) -> bool:
    """Tell whether a name belongs to another visitor's upload."""
    return bool(UPLOAD_NAME.fullmatch(name)) and name not in names_for_visitor(kind)


def _choose(label: str, key: str, default: str) -> str:
    names = names_for_visitor(key)
    if not names:
        show_error(f"there is no {key} to choose: the bundled ones are missing from assets/")
        st.stop()
    index = names.index(default) if default in names else 0
    write_uploads_by_label()
    labels = {name: shown_name(key, name) for name in names}
    help = f"The {key}s of this server and your uploads. Add more on the page Models."
    return st.sidebar.selectbox(
        label, names, index=index, format_func=labels.get, **in_url(key), help=help
    )


def choose_one(
    label: str, names: list[str], default: str, format_func: Callable[[str], str] = str
) -> str:
    """Draw buttons for the names and return the chosen one. A single name needs no buttons. Screen
    readers read the label, which is not shown."""
    if len(names) == 1:
        return names[0]
    return st.segmented_control(
        label,
        names,
        default=default,
        required=True,
        format_func=format_func,
        label_visibility="collapsed",
    )


def offered_variants(model: str) -> list[Variant]:
    """Return the variants of a named model that pages offer and this machine can run, fp32 first. A
    model that was imported quantized has only that variant."""
    if own := server.imported_as(model):
        return [own]
    offered = map(Variant.parse, OFFERED)
    return [variant for variant in offered if not why_unavailable(variant)]


def show_slow(variants: Sequence[Variant]) -> None:
    """Show why variants may be slower than fp32 on this machine, if any may be."""
    for reason in dict.fromkeys(filter(None, map(slow_here, variants))):
        st.caption(f":material/speed: {reason}")


def write_uploads_by_label() -> None:
    """Change the URL's uploads to the labels that the widgets use: links have the stored names."""
    kept = {key: st.query_params.get(key, "") for key in (MODEL, TEXT)}
    shown = {key: shown_name(key, name) for key, name in kept.items()}
    if shown != kept:
        st.query_params.update({key: name for key, name in shown.items() if name != kept[key]})
        st.rerun()  # widgets read the query once, when a run begins


def choose_variants(
    label: str,
    key: str,
    offered: Sequence[Variant],
    default: Sequence[Variant],
    *,
    most: int = MOST_VARIANTS,
    **options,
) -> list[Variant]:
    """Draw the choice of variants and return the chosen variants, fp32 first.

    The URL holds the variants' names under `key`, one entry per variant. A link may name any
    variant, offered or not, by its name or its label. `options` are the options of
    `st.multiselect`.
    """
    if key not in st.session_state or came_by_history():
        st.session_state[key] = _named_in_url(key, list(map(str, default)))
    picked = st.session_state[key]
    if len(offered) == 1:
        picked = [str(offered[0])]  # the model was imported quantized and has no other variant
    elif Variant() not in offered:
        picked = [name for name in picked if name != str(Variant())]
    st.session_state[key] = picked = picked[:most]
    names = dict.fromkeys([*map(str, offered), *picked])

    def write() -> None:
        # This is a callback so that the menu's links have the current choice.
        chosen = st.session_state[key]
        st.query_params[key] = [] if chosen == list(map(str, default)) else chosen or [""]

    chosen = st.multiselect(
        label,
        list(names),
        format_func=lambda name: Variant.parse(name).label,
        max_selections=most,
        key=key,
        on_change=write,
        **options,
    )
    return sorted(map(Variant.parse, chosen), key=lambda variant: variant != Variant())


def _named_in_url(key: str, default: list[str]) -> list[str]:
    if (asked := st.query_params.get_all(key)) in ([], [""]):
        return [] if asked else default
    by_label = {variant.label: variant for variant in map(Variant.parse, OFFERED)}
    found, errors = {}, []
    for text in filter(None, asked):
        try:
            found[str(by_label.get(text) or Variant.parse(text))] = None
        except VariantError as error:
            errors.append(str(error))
    if errors:
        show_error(errors[0])
    return list(found) or default

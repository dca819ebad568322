"""The settings of a result, shown above it, and whether they are still the chosen settings."""

import streamlit as st

from view.shared.choices import shown_name
from view.shared.page import plain
from wlm.catalog.registry import MODEL, TEXT
from wlm.measuring.sweep import KNOBS
from wlm.measuring.wording import counted, listed
from wlm.quantization.variant import Variant

# Settings that a result depends on, by the names that people use. Nobody chooses the others, such
# as the seed.
CHOICES = {
    "variants": "variants",
    MODEL: "model",
    TEXT: "text",
    "over": "knob",
    "values": "values",
    "bptt": "chunk length",
    "batch_size": "batch size",
    "threads": "threads",
    "seconds": "amount of text",
}
MORE = "memory and agreement"  # on request


def show_subject(ran: dict, chosen: dict | None, button: str) -> None:
    """Show the settings of a result (as JSON). If the chosen settings differ, show which ones
    changed and the button that updates the result; `chosen` is None if they are invalid."""
    st.caption(f":material/target: Shown: {subject(ran)}")
    if chosen is None or not (other := differences(ran, chosen)):
        return
    st.markdown(
        f":orange-badge[:material/sync_problem: Settings changed] Press **{button}** to update. "
        f"Changed: {listed(other)}."
    )


def subject(ran: dict) -> str:
    """Return settings (as JSON) in words: variants, text, protocol."""
    words = [", ".join(f"**{Variant.parse(name).label}**" for name in ran["variants"])]
    if "over" in ran:
        words.append(f"{KNOBS[ran['over']].label.lower()} {', '.join(map(str, ran['values']))}")
    if ran.get("over") != "hidden":
        words.append(f"model {plain(shown_name(MODEL, ran[MODEL]))}")
    words.append(f"text {plain(shown_name(TEXT, ran[TEXT]))}")
    if ran.get("over") != "threads":
        words.append(counted(ran["threads"], "thread"))
    return " · ".join(words)


def differences(ran: dict, chosen: dict) -> list[str]:
    """Return in words which settings of a result differ from the chosen settings."""
    keys = [key for key in CHOICES if _of(key, ran) != _of(key, chosen)]
    if "over" in keys and "values" in keys:
        keys.remove("values")
    more = [MORE] if chosen.get("agreement") and not ran.get("agreement") else []
    return [*(CHOICES[key] for key in keys), *more]


def _of(key: str, settings: dict) -> object:
    """Return the part of a setting that makes a different result. More seconds only make a result
    more certain, unless the text is read once from beginning to end."""
    value = settings.get(key)
    return value is None if key == "seconds" else value

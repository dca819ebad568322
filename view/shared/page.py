"""The frame of every page: its menu, corrections of the URL, and errors in words."""

import logging
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import streamlit as st

from view.shared import visitor
from view.shared.hooks import came_by_history
from view.shared.screen import ZOOM
from wlm import __version__
from wlm.errors import SettingError, WLMError, defect
from wlm.events import note
from wlm.hosting import hosting
from wlm.memory import share_heaps, spare_modules
from wlm.model.parts import PARTS
from wlm.paths import ASSETS

logger = logging.getLogger(__name__)

MENU = {
    "Compare": ("streamlit_app.py", ":material/compare_arrows:"),
    "Tutorial": ("pages/5_Tutorial.py", ":material/school:"),
    "Sample": ("pages/1_Sample.py", ":material/edit_note:"),
    "How": ("pages/7_How.py", ":material/lightbulb:"),
    "Audience": ("pages/8_Audience.py", ":material/groups:"),
    "Inspect": ("pages/2_Inspect.py", ":material/search_insights:"),
    "Sweep": ("pages/3_Sweep.py", ":material/show_chart:"),
    "Runs": ("pages/4_Runs.py", ":material/history:"),
    "Models": ("pages/6_Models.py", ":material/database:"),
}
# The first page of each group in the menu, with the group's heading.
HEADINGS = {
    "Compare": "See what int8 does",
    "Audience": "Ask the audience",
    "Inspect": "Look closer",
    "Runs": "Keep",
}
# Pages that start over when opened from the menu, and the query key that would open one item.
FRESH = {"Runs": "run", "Audience": "room"}
DATABASE = re.compile(r"\b(?:sqlite|postgres(?:ql)?)(?:\+\w+)?:/[^\s'\"]*[^\s'\".,:;]")
PATH = re.compile(r"(?<![\w./:])/[^\s'\":;,()]+/[^\s'\":;,()]*[^\s'\".:;,()]")
RUN_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_drawing = threading.local()  # this visitor's page and its start time
WHOLE_NUMBERS = ("words", "seed", "k", "row", "bits")  # number inputs bound to the URL
_close_menu_on_phones = st.components.v2.component(
    "wlm.menu",
    js=Path(__file__).with_name("menu.js").read_text("utf-8"),
    css=Path(__file__).with_name("menu.css").read_text("utf-8"),
    isolate_styles=False,  # the style is for the links beside it
)


def start_page(title: str, menu: bool = True) -> None:
    """Draw what every page has: the browser tab's title and icon, and the menu."""
    share_heaps()
    spare_modules()  # the modules of the pages drawn so far
    # A local icon: a Material one would make the browser ask an outside host for it.
    st.set_page_config(f"{title} · wlm", page_icon=_icon(), layout="wide")
    _drawing.page = title, time.perf_counter(), False
    st.session_state[ZOOM] = 1.0
    _put_url_right()
    remembered = _remember_query(title)
    try:
        hosting()
    except SettingError as error:
        show_error(str(error))
        st.stop()
    if not menu:
        return
    with st.sidebar:
        for label, (path, icon) in MENU.items():
            if label in HEADINGS:
                st.caption(HEADINGS[label])
            # Each page opens with the query that it had when the visitor left it, plus this page's
            # query.
            query = _without_stale(remembered.get(label, {}) | remembered[title])
            if label in FRESH:
                query.pop(FRESH[label], None)
            st.page_link(path, label=label, icon=icon, query_params=query)
        with st.container(gap=None):
            st.divider()
            _close_menu_on_phones(key="menu")
        if hosting().note:
            st.caption(plain(hosting().note))
        st.caption(f"wlm {__version__}")


def link_to(page: str, label: str, query: dict[str, str] | None = None) -> None:
    """Draw a link to a page of the menu, with the page's icon."""
    path, icon = MENU[page]
    st.page_link(path, label=label, icon=icon, query_params=query)


def _remember_query(title: str) -> dict[str, dict[str, list[str]]]:
    """Return the URL's query on each page that this visitor has seen, including this page.

    When the page changes, Streamlit drops a widget's part of the URL, even from the browser's
    history. After Back, this function puts it into the URL again.
    """
    pages = st.session_state.setdefault("queries", {})
    query = {key: st.query_params.get_all(key) for key in st.query_params}
    arrived = st.session_state.get("page") != title
    st.session_state["page"] = title
    before = pages.get(title, {})
    if arrived and came_by_history() and (missing := before.keys() - query.keys()):
        st.query_params.update({key: before[key] for key in missing})
        st.rerun()  # widgets read the query once, when a run begins
    if not arrived:
        for key in before.keys() - query.keys():  # set back to its default, for all pages
            for other in pages.values():
                other.pop(key, None)
    pages[title] = query
    return pages


def _without_stale(query: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the query without the values that a button has changed since the URL was read.
    Streamlit keeps the values of widgets from page to page, but the URL of a link takes
    precedence."""

    def is_stale(key: str, values: list[str]) -> bool:
        value = st.session_state.get(key)
        return isinstance(value, str | int) and values != [str(value)]

    return {key: values for key, values in query.items() if not is_stale(key, values)}


@cache
def _icon() -> bytes:
    return (ASSETS / "icon.png").read_bytes()


def _put_url_right() -> None:
    """Change `?lstm=0` to `?lstm=false`, because widgets bound to the URL would drop it. Ignore
    `?words=1e999`, which Streamlit fails to convert to a whole number."""
    query, words = st.query_params, {"1": "true", "0": "false"}
    short = {key: words[value] for key in PARTS if (value := query.get(key)) in words}
    infinite = [key for key in WHOLE_NUMBERS if _is_infinite(query.get(key, "0"))]
    if short or infinite:
        query.update(short)
        for key in infinite:
            del query[key]
        st.rerun()  # widgets read the query once, when a run begins


def _is_infinite(text: str) -> bool:
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show errors raised inside as a box, never as a traceback."""
    try:
        yield
        outcome = "drawn"
    except WLMError as error:
        outcome = "refused"
        show_error(str(error))
    except Exception:
        outcome = "failed"
        logger.exception("a page failed")
        show_error(defect("this page"))
    _note_page(outcome)  # a script run that another one interrupts has no outcome


def _note_page(outcome: str) -> None:
    """Log when the first part of a page is drawn, and each part that fails."""
    title, began, noted = getattr(_drawing, "page", ("", 0.0, True))
    if title and (not noted or outcome != "drawn"):
        _drawing.page = title, began, True
        run = next(filter(None, map(st.query_params.get, ("run", "sweep", "inspection"))), None)
        known = run if run and RUN_ID.fullmatch(run) else None  # never log a visitor's text
        seconds = time.perf_counter() - began
        note("page", visitor.name(), page=title, run=known, seconds=seconds, outcome=outcome)


def for_visitors(message: str) -> str:
    """Return a message without the server's folders and databases if visitors are, or may be,
    strangers."""
    try:
        if not hosting().public:
            return message
    except SettingError:  # the message may be about this very setting
        pass
    message = DATABASE.sub("the database", message)
    return PATH.sub(lambda path: path[0].rstrip("/").rpartition("/")[2], message)


def show_error(message: str) -> None:
    """Show an error as a sentence."""
    message = for_visitors(message)
    # Text that a message quotes from a file or an address must never act as Markdown.
    sentence = re.sub(r"([\\\[\]<>`$])", r"\\\1", message[:1].upper() + message[1:])
    st.error(sentence if sentence.endswith(".") else f"{sentence}.", icon=":material/error:")


def plain(text: str) -> str:
    """Return Markdown that shows a model's words literally; a line end starts a paragraph."""
    # Escape only ASCII punctuation: before any other character, Markdown shows the backslash.
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text).replace("\n", "\n\n")


def minus(text: str) -> str:
    """Return a text with a minus, instead of a hyphen, before each negative number."""
    return re.sub(r"-(?=[\d.])", "−", text)

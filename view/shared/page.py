"""What the pages share: menu, visitor, cached models and queue, and the error box."""

import hashlib
import logging
import math
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from wlm.catalog.names import UPLOAD_NAME, find_model, list_models
from wlm.errors import WLMError
from wlm.places import ASSETS
from wlm.quantization.variant import Variant

logger = logging.getLogger(__name__)

PAGES = {
    "Compare": ("streamlit_app.py", ":material/compare_arrows:"),
    "Sample": ("pages/1_Sample.py", ":material/edit_note:"),
    "Inspect": ("pages/2_Inspect.py", ":material/search_insights:"),
    "Sweep": ("pages/3_Sweep.py", ":material/show_chart:"),
    "Runs": ("pages/4_Runs.py", ":material/history:"),
    "Tutorial": ("pages/5_Tutorial.py", ":material/school:"),
    "Models": ("pages/6_Models.py", ":material/database:"),
}
WHOLE_NUMBERS = ("words", "seed", "k")  # number inputs bound to the URL
SWITCHES = {"lstm": True, "linear": True, "embedding": False}  # and whether they start on


def start_page(title: str, menu: bool = True) -> None:
    """Draw what every page has: the browser tab's title and icon, and the menu."""
    # A local icon: a Material one would make the browser ask an outside host for it.
    st.set_page_config(f"{title} · wlm", page_icon=str(ASSETS / "icon.png"), layout="wide")
    _spell_out_booleans()
    _drop_infinite_numbers()
    if not menu:
        return
    with st.sidebar:
        for label, (path, icon) in PAGES.items():
            # The whole query goes along, so that a page is found again as it was left; only Runs
            # would show one run in place of its list.
            query = {key: st.query_params.get_all(key) for key in st.query_params}
            if label == "Runs":
                query.pop("run", None)
            st.page_link(path, label=label, icon=icon, query_params=query)
        st.divider()


def _spell_out_booleans() -> None:
    """Accept `?lstm=0` for `?lstm=false`: widgets bound to the URL drop it otherwise."""
    words = {"1": "true", "0": "false"}
    short = {key: value for key in SWITCHES if (value := st.query_params.get(key)) in words}
    if short:
        st.query_params.update({key: words[value] for key, value in short.items()})
        st.rerun()  # widgets read the query as it is when a run begins


def _drop_infinite_numbers() -> None:
    """Ignore `?words=1e999`: Streamlit itself fails to make a whole number of it."""
    found = [key for key in WHOLE_NUMBERS if key in st.query_params]
    infinite = [key for key in found if _is_infinite(st.query_params[key])]
    for key in infinite:
        del st.query_params[key]
    if infinite:
        st.rerun()


def _is_infinite(text: str) -> bool:
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what goes wrong inside as a box, never as a traceback."""
    try:
        yield
    except WLMError as error:
        show_error(str(error))
    except Exception:
        logger.exception("a page failed")
        show_error("this page met a defect of wlm; the server's log has the details")


def show_error(message: str) -> None:
    """Show one error as a sentence."""
    # What a message repeats of a file or an address is never Markdown.
    sentence = re.sub(r"([\[\]<>`$])", r"\\\1", message[:1].upper() + message[1:])
    st.error(sentence if sentence.endswith(".") else f"{sentence}.", icon=":material/error:")


def visitor() -> str:
    """Return who is at the browser, as a name that tells nothing else: it may delete its runs."""
    if "visitor" not in st.session_state:
        # The server's own cookie, random and kept by the browser; without it, until it is closed.
        token = _unmasked(st.context.cookies.get("_streamlit_xsrf", "")) or secrets.token_bytes()
        st.session_state["visitor"] = hashlib.sha256(token).hexdigest()[:32]
    return st.session_state["visitor"]


def _unmasked(cookie: str) -> bytes:
    """What stays the same in the server's cookie, which it masks anew with each answer."""
    try:
        _, mask, masked, _ = cookie.split("|")
        mask, masked = bytes.fromhex(mask), bytes.fromhex(masked)
        return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(masked))
    except (ValueError, ZeroDivisionError):
        return b""


def plain(text: str) -> str:
    """Return Markdown that shows a model's words as they are; a line end starts a paragraph."""
    # Only ASCII signs: before any other one Markdown shows the backslash.
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text).replace("\n", "\n\n")


@st.cache_resource(show_spinner="Loading the model …", max_entries=2)
def load_model(name: str):
    """Return a named model's checkpoint, shared by all visitors and never changed."""
    import torch

    from wlm.model.checkpoint import load_checkpoint

    # All visitors' samples share this process; what is timed runs in the worker.
    torch.set_num_threads(1)
    models = list_models()
    if name not in models and not UPLOAD_NAME.fullmatch(name):  # never a path
        raise WLMError(f"the model must be one of {', '.join(models)}, got {name!r}")
    return load_checkpoint(find_model(name))


@st.cache_resource(show_spinner="Quantizing …", max_entries=8)
def load_variant(name: str, variant: Variant):
    """Return a variant of a named model, shared by all visitors and never changed."""
    from wlm.quantization.prepare import prepare

    return prepare(load_model(name).model, variant)


@st.cache_resource(show_spinner=False)
def job_queue():
    """Return the server's one queue of runs, its worker process started."""
    from wlm.runs.open_queue import open_queue
    from wlm.runs.store import RunStore

    store = RunStore()
    store.interrupt_orphans()
    jobs = open_queue(store)
    jobs.start()
    return jobs

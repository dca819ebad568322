"""What the pages share: menu, sidebar, cached models and runs, and the error box."""

import hashlib
import logging
import math
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from wlm.assets import (
    ASSETS,
    DEFAULT_MODEL,
    DEFAULT_TEXT,
    UPLOAD_NAME,
    find_model,
    list_models,
    list_texts,
)
from wlm.errors import StoreError, WLMError
from wlm.prepare import why_unavailable
from wlm.uploads import MODEL, TEXT, uploads_of
from wlm.variant import OFFERED, PART_LABELS, Variant

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
MOST_OTHERS = 6  # with fp32 and the switches' variant, as many as a comparison may have
LONGEST_SECONDS = 600.0  # nobody's imported settings may hold the worker for hours
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
    return [*everyones, *(each.name for each in uploads_of(visitor(), kind))]


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
    return st.sidebar.selectbox(label, names, index=index, key=key, bind="query-params", help=help)


def choose_variant() -> Variant:
    """Draw the switches and return the variant that they describe."""
    switches = {
        part: st.toggle(
            f"int8 {PART_LABELS[part]}",
            value=on,
            key=part,
            bind="query-params",
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


def ink() -> str:
    """Return the theme's text colour, for charts: theirs is too faint for a lecture hall."""
    return "#e8eef4" if st.context.theme.type == "dark" else "#17202a"


def plain(text: str) -> str:
    """Return Markdown that shows a model's words as they are; a line end starts a paragraph."""
    # Only ASCII signs: before any other one Markdown shows the backslash.
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text).replace("\n", "\n\n")


@st.cache_resource(show_spinner="Loading the model …", max_entries=2)
def load_model(name: str):
    """Return a named model's checkpoint, shared by all visitors and never changed."""
    import torch

    from wlm.checkpoint import load_checkpoint

    # All visitors' samples share this process; what is timed runs in the worker.
    torch.set_num_threads(1)
    models = list_models()
    if name not in models and not UPLOAD_NAME.fullmatch(name):  # never a path
        raise WLMError(f"the model must be one of {', '.join(models)}, got {name!r}")
    return load_checkpoint(find_model(name))


@st.cache_resource(show_spinner="Quantizing …", max_entries=8)
def load_variant(name: str, variant: Variant):
    """Return a variant of a named model, shared by all visitors and never changed."""
    from wlm.prepare import prepare

    return prepare(load_model(name).model, variant)


@st.cache_resource(show_spinner=False)
def job_queue():
    """Return the server's one queue of runs, its worker process started."""
    from wlm.jobs import open_queue
    from wlm.runs import RunStore

    store = RunStore()
    store.interrupt_orphans()
    jobs = open_queue(store)
    jobs.start()
    return jobs


def find_run(run_id: str):
    """Return a recorded or stored comparison. Raises StoreError where there is none of this id."""
    from wlm.recordings import recordings

    run = recordings().get(run_id) or job_queue().store.get(run_id)
    if run.kind != "compare":
        raise StoreError(f"there is no comparison {run_id!r}")
    return run


def why_not_here(settings: dict) -> str:
    """Return why a run's settings, which may be imported, are not to be run here, or nothing."""
    for key in (MODEL, TEXT):
        # Only names: neither a path from elsewhere nor another's upload must be opened.
        if settings.get(key) not in (names := names_for_visitor(key)):
            return f"The {key} must be one of {', '.join(names)}, got {settings.get(key)!r}."
    if settings.get("vocabulary") or settings.get("corpus"):
        return "It needs a vocabulary file or a corpus folder, which only the command line takes."
    if (settings.get("seconds") or 0.0) > LONGEST_SECONDS:
        return f"It takes {settings['seconds']:,.0f} s, and {LONGEST_SECONDS:,.0f} s are allowed."
    return ""


def compare_query(spec) -> dict[str, str | list[str]]:
    """Submit a comparison and return the query with which Compare shows it and its settings."""
    others, variant = list(spec.variants[1:-1]), Variant.parse(spec.variants[-1])
    if (
        set(variant.parts_by_precision()) - {"int8"}
        or variant.engine
        or variant.runtime != "pytorch"
    ):
        # No position of the switches means it.
        others, variant = list(spec.variants[1:]), Variant()
    return {
        "run": job_queue().submit(spec, visitor()),
        "model": spec.model,
        "text": spec.text,
        "threads": str(spec.threads),
        **{part: str(getattr(variant, part) != "fp32").lower() for part in SWITCHES},
        **({"also": others} if others else {}),
        **({} if spec.seconds else {"amount": "All of it"}),
    }


def watch(run_id: str, show: Callable[[dict], None]) -> None:
    """Follow a run until it ends: stage, time left, a stop button, and its numbers so far."""

    @st.fragment(run_every=0.5)
    def follow() -> None:
        with errors_shown():
            jobs = job_queue()
            run = jobs.store.get(run_id)
            if run.state.final:
                st.rerun()
            with st.container(horizontal=True, vertical_alignment="center"):
                st.progress(min(1.0, run.done), text=_progress_text(run, jobs))
                if st.button("Stop", icon=":material/stop:", disabled=run.stop_requested):
                    jobs.stop(run_id)
            if run.result is not None:
                show(run.result)

    follow()


def _progress_text(run, jobs) -> str:
    if run.stop_requested:
        return "Stopping …"
    if run.state == "queued":
        ahead, seconds = jobs.ahead_of(run.id)
        when = "" if seconds is None else f", about {seconds:,.0f} s"
        return f"Waiting: {ahead} ahead of you{when}" if ahead else "Starting …"
    if run.seconds_left is None:
        return f"{run.stage} …"
    return f"{run.stage}: about {run.seconds_left:,.0f} s left"

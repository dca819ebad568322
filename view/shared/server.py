"""What all visitors of a server share: its cached models and variants, and its queue of runs."""

import streamlit as st

from wlm.catalog.names import UPLOAD_NAME, find_model, list_models
from wlm.errors import WLMError
from wlm.model.checkpoint import variant_on_card
from wlm.quantization.variant import Variant


@st.cache_resource(show_spinner="Loading the model …", max_entries=2)
def load_model(name: str):
    """Return a named model's checkpoint, shared by all visitors and never changed."""
    import torch

    from wlm.catalog.open import open_model

    # All visitors' samples share this process; what is timed runs in the worker.
    torch.set_num_threads(1)
    models = list_models()
    if name not in models and not UPLOAD_NAME.fullmatch(name):  # never a path
        raise WLMError(f"the model must be one of {', '.join(models)}, got {name!r}")
    return open_model(name)


@st.cache_resource(show_spinner=False, max_entries=64)
def config_of(name: str):
    """Return a named model's sizes, also when the model itself is no longer in memory."""
    return load_model(name).model.config


def imported_as(name: str) -> Variant | None:
    """Return what a named model came as, by its card, if it came quantized: it runs as that
    alone."""
    try:
        variant = Variant.parse(variant_on_card(find_model(name)))
    except WLMError:  # the default: all others are for fp32
        return None
    return variant if variant.parts_by_precision() else None


@st.cache_resource(show_spinner="Quantizing …", max_entries=8)
def load_variant(name: str, variant: Variant):
    """Return a variant of a named model, shared by all visitors and never changed."""
    from wlm.quantization.prepare import prepare

    return prepare(load_model(name).model, variant)


def archive(name: str, variant: Variant, format: str):
    """Return a variant of a named model as an archive, kept in the user's cache folder."""
    from wlm.exporting.archives import archive_of

    return archive_of(load_model(name), variant, format)


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

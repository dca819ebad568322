"""The resources that all visitors of a server share: cached models and variants, and the queue of
runs."""

import atexit
import math
from pathlib import Path

import streamlit as st

from view.shared import visitor
from view.shared.singleton import singleton
from wlm.bounded_cache import BoundedCache
from wlm.catalog.registry import UPLOAD_NAME, find_model, list_models
from wlm.errors import WLMError
from wlm.quantization.variant import Variant
from wlm.weights.checkpoint import checked_config, variant_on_card

MOST_MODEL_BYTES = 300_000_000  # fp32 weights in memory
MOST_VARIANT_BYTES = 250_000_000  # the variants of one model, in addition


class Held:
    """A model in memory with its most recently used variants. All visitors share it, and it never
    changes."""

    def __init__(self, checkpoint):
        config = checkpoint.model.config
        self.checkpoint = checkpoint
        self.variants = BoundedCache(8, MOST_VARIANT_BYTES, lambda made: made[1])
        self.bytes = sum(4 * math.prod(shape) for shape in config.shapes().values())

    def variant(self, variant: Variant):
        """Return a variant, making it at the first request. Raises WLMError."""
        return self.variants.get(variant, lambda: self._make(variant))[0]

    def _make(self, variant: Variant) -> tuple:
        from wlm.quantization.prepare import held_bytes, prepare

        model = self.checkpoint.model
        with st.spinner("Quantizing …"):
            return prepare(model, variant), held_bytes(model.config, variant)


@singleton
def models() -> BoundedCache:
    """Return the models in memory, each with its variants."""
    return BoundedCache(most=2, most_bytes=MOST_MODEL_BYTES, size=lambda held: held.bytes)


def load_model(name: str):
    """Return a named model's checkpoint. Raises WLMError."""
    return _held(name).checkpoint


def load_variant(name: str, variant: Variant):
    """Return a variant of a named model. Raises WLMError."""
    return _held(name).variant(variant)


def _held(name: str) -> Held:
    return models().get(name, lambda: _open(name))


def _open(name: str) -> Held:
    import torch

    from wlm.catalog.open import open_model

    # All visitors' samples share this process; measurements run in the worker.
    torch.set_num_threads(1)
    _folder_of(name)
    with st.spinner("Loading the model …"):
        return Held(open_model(name))


def _folder_of(name: str) -> Path:
    known = list_models()
    if name not in known and not UPLOAD_NAME.fullmatch(name):  # never accept a path
        raise WLMError(f"the model must be one of {', '.join(known)}, got {name!r}")
    return find_model(name)


@st.cache_resource(show_spinner=False, max_entries=64)
def config_of(name: str):
    """Return a named model's sizes without loading the model. Raises WLMError."""
    return checked_config(_folder_of(name))


@st.cache_resource(show_spinner=False, max_entries=64)
def imported_as(name: str) -> Variant | None:
    """Return the variant that a named model was imported as, by its card, if it was imported
    quantized. Such a model runs only as that variant."""
    try:
        variant = Variant.parse(variant_on_card(find_model(name)))
    except WLMError:  # the default: all other models are fp32
        return None
    return variant if variant.parts_by_precision() else None


def archive(name: str, variant: Variant, format: str):
    """Return a variant of a named model as an archive, kept in the user's cache folder."""
    from wlm.exporting.archives import archive_of

    return archive_of(load_model(name), variant, format)


def close() -> None:
    """End the queue of runs and its worker, if they were started."""
    if job_queue.made:
        job_queue().close()


@singleton
def job_queue():
    """Return the server's one queue of runs, with its worker process started."""
    from wlm.audience.store import remove_old_rooms
    from wlm.runs.caretaker import Caretaker
    from wlm.runs.store import RunStore
    from wlm.runs.worker import open_queue
    from wlm.uploads.store import remove_old

    store = RunStore()
    jobs = open_queue(store)
    jobs.allowance.address = visitor.address
    Caretaker(store, remove_old, remove_old_rooms).start()
    atexit.register(jobs.close)  # when the server stops
    jobs.start()
    return jobs

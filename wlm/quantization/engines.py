"""PyTorch's quantized engines, the libraries of its int8 arithmetic: one setting of the process.

Packing weights reads the setting. Packed weights keep to their engine, whichever is set later. So
only packing needs the setting, and one thread packs at a time.
"""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch

from wlm.quantization.variant import ENGINES, FP16_ENGINES, Variant

_setting = threading.RLock()
_warning_filters = threading.RLock()


@cache
def default_engine() -> str:
    """Return the engine for variants that name none: PyTorch's choice if there is one, else the
    first that PyTorch supports, else `none`.

    PyTorch's builds for macOS support qnnpack and choose none.
    """
    with _setting:  # another thread may be packing for another engine
        chosen = torch.backends.quantized.engine
    return chosen if chosen != "none" else next(iter(supported_engines()), "none")


def supported_engines() -> list[str]:
    """Return the engines that PyTorch has on this machine, in the order of ENGINES."""
    supported = torch.backends.quantized.supported_engines
    return [engine for engine in ENGINES if engine in supported]


@contextmanager
def packing_for(engine: str) -> Iterator[None]:
    """Have PyTorch pack weights for an engine while the block runs, in this thread alone."""
    with _setting:
        before = torch.backends.quantized.engine
        try:
            if engine not in (before, "none"):
                torch.backends.quantized.engine = engine
            yield
        finally:
            if torch.backends.quantized.engine != before:
                torch.backends.quantized.engine = before


def missing_engine(variant: Variant) -> str:
    """Return why PyTorch cannot make the variant on this machine, or nothing if it can."""
    if not variant.needs_engine:
        return ""
    supported, engine = supported_engines(), variant.engine or default_engine()
    if not supported:
        return f"{variant} needs a quantized engine, and this build of PyTorch has none"
    if engine not in supported:
        return f"{variant} needs an engine that this machine has: {', '.join(supported)}"
    if "fp16" in (variant.lstm, variant.linear) and engine not in FP16_ENGINES:
        return (
            f"{variant} needs one of the engines {', '.join(FP16_ENGINES[1:])} for fp16, and "
            f"PyTorch's engine here is {engine}"
        )
    return ""


@contextmanager
def quiet() -> Iterator[None]:
    """Hide this thread's warnings and log messages below an error, from libraries whose messages no
    user can act on. Other threads keep logging.

    One thread at a time changes Python's warning filters, which all threads share.
    """
    thread = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        return record.thread != thread or record.levelno >= logging.ERROR

    root = logging.getLogger()
    filtered = [root, *root.handlers]  # a logger's filter does not see messages of loggers below
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for target in filtered:
            target.addFilter(keep)
        try:
            yield
        finally:
            for target in filtered:
                target.removeFilter(keep)

"""Results that stay on the page, dimmed, until the run that replaces them has numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_dim: ContextVar[bool] = ContextVar("is_dim", default=False)


@contextmanager
def dim() -> Iterator[None]:
    """Dim everything drawn inside: cards, charts and headlines check `is_dim`."""
    before = _is_dim.set(True)
    try:
        yield
    finally:
        _is_dim.reset(before)


def is_dim() -> bool:
    """Tell whether results are dimmed; if so, pages leave out the explanations."""
    return _is_dim.get()


def shade(text: str) -> str:
    """Return Markdown, in gray if results are dimmed."""
    return f":gray[{text}]" if is_dim() else text

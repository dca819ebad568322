"""Results that stay on the page, dim, while a run that replaces them has no numbers yet."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_dim: ContextVar[bool] = ContextVar("is_dim", default=False)


@contextmanager
def dim() -> Iterator[None]:
    """Draw what is inside dim: cards, charts and headlines ask."""
    before = _is_dim.set(True)
    try:
        yield
    finally:
        _is_dim.reset(before)


def is_dim() -> bool:
    """Tell whether results are drawn dim, without what explains them."""
    return _is_dim.get()


def shade(text: str) -> str:
    """Return Markdown, in grey if results are drawn dim."""
    return f":gray[{text}]" if is_dim() else text

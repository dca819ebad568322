"""Are the models and texts here, and undamaged?"""

from collections.abc import Iterator
from dataclasses import replace

from wlm.catalog.inventory import Item, models_here, texts_here
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT, find_text
from wlm.checking.finding import Finding
from wlm.errors import TextError
from wlm.measuring.wording import size_in_words
from wlm.text.corpus import read_words


def look() -> Iterator[Finding]:
    """Check each model's weights against the hash on its card, and that each text can be read."""
    yield from _found("model", models_here(), DEFAULT_MODEL, "the weights match the card")
    texts = [replace(text, problem=text.problem or _problem(text)) for text in texts_here()]
    yield from _found("text", texts, DEFAULT_TEXT, "readable")


def _problem(text: Item) -> str:
    try:
        read_words(find_text(text.name)[1])
    except TextError as error:
        return str(error)
    return ""


def _found(what: str, items: list[Item], bundled: str, well: str) -> Iterator[Finding]:
    for item in items:
        todo = "download the project again" if item.name == bundled else "remove or replace it"
        found = item.problem or f"{well}, {size_in_words(item.size_bytes)}"
        yield Finding(f"{what} {item.name}", not item.problem, found, todo)
    if bundled not in (item.name for item in items):
        todo = "download the project again"
        yield Finding(
            f"{what} {bundled}", False, f"the bundled {what} is missing from assets/", todo
        )

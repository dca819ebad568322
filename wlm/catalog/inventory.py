"""The models and texts on this machine: origin, license, size, and damage."""

import math
from dataclasses import dataclass
from pathlib import Path

from wlm.catalog.registry import list_models, list_texts
from wlm.catalog.wikitext2 import WIKITEXT2
from wlm.errors import CheckpointError, is_number
from wlm.files import sha256_of
from wlm.paths import ASSETS, data_folder
from wlm.weights.checkpoint import VARIANT, checked_card, config_on_card, weights_path

CORPUS_LICENCE = "WikiText-2 (Merity et al. 2016), CC BY-SA 3.0"
DEMO_LICENCE = "MIT, written for this project"


@dataclass(frozen=True)
class Item:
    """A model or a text: its name, its origin, source and license in words, its file's bytes and
    SHA-256. `problem` is empty if the files are well. From the card: `loss` in nats per token,
    `weights_read`, `unknown` as a share of the words. `fp32_bytes` is None for a model that came
    quantized."""

    name: str
    origin: str
    source: str = ""
    licence: str = ""
    size_bytes: int = 0
    sha256: str = ""
    loss: float | None = None
    problem: str = ""
    weights_read: str = ""
    fp32_bytes: int | None = None
    unknown: float | None = None


def models_here() -> list[Item]:
    """Return every model that has a name; a damaged one with its problem."""
    return [_model(name, path) for name, path in list_models().items()]


def texts_here() -> list[Item]:
    """Return every text that has a name; one that cannot be read with its problem."""
    return [_text(name, path) for name, path in list_texts().items()]


def _model(name: str, path: Path) -> Item:
    origin = _origin(path)
    try:
        card = checked_card(path)
        size = weights_path(path, card).stat().st_size
        shapes = config_on_card(path, card).shapes().values()
    except CheckpointError as error:
        return Item(name, origin, problem=str(error))
    except OSError as error:
        return Item(name, origin, problem=f"the model {name!r} cannot be read: {error.strerror}")
    loss = card.get("test_loss")
    loss = loss.get("fp32") if isinstance(loss, dict) else loss
    unknown = card.get("unknown")
    share = unknown.get("share") if isinstance(unknown, dict) else None
    return Item(
        name,
        str(card.get("origin") or origin)[:200],
        str(card.get("trained_on") or "")[:200],
        str(card.get("licence") or "")[:200],
        size,
        card["sha256"],
        loss if is_number(loss) else None,
        weights_read=str(card.get("weights_read") or "")[:400],
        fp32_bytes=None if card.get(VARIANT) else 4 * sum(map(math.prod, shapes)),
        unknown=share if is_number(share) else None,
    )


def _text(name: str, path: Path) -> Item:
    origin = _origin(path)
    licence = {"bundled": DEMO_LICENCE, "fetched": CORPUS_LICENCE}.get(origin, "")
    if origin == "fetched" and path.parent.name != WIKITEXT2:
        licence = ""
    try:
        return Item(name, origin, "", licence, path.stat().st_size, sha256_of(path))
    except OSError as error:
        return Item(name, origin, problem=f"the text {name!r} cannot be read: {error.strerror}")


def _origin(path: Path) -> str:
    for folder, origin in ((ASSETS, "bundled"), (data_folder(), "fetched")):
        if path.is_relative_to(folder):
            return origin
    return "added on this machine"

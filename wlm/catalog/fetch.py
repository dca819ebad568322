"""Fetching WikiText-2 and the tutorial's weights into `wlm.paths.data_folder()`.

Files are written to a temporary folder, verified, and then moved into place at once.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import torch

from wlm import tutorial
from wlm.catalog.download import TIMEOUT_S, Meter, download, parse_origin, without_password
from wlm.catalog.wikitext2 import WIKITEXT2_FILES, extract, verify
from wlm.errors import CheckpointError, FetchError, called
from wlm.files import sha256_of
from wlm.model.lstm import ModelConfig
from wlm.paths import data_folder
from wlm.progress import Progress
from wlm.weights.checkpoint import checked_card, load_checkpoint, save_checkpoint
from wlm.weights.read import read_weights

PYTORCH_EXAMPLES = (
    "https://raw.githubusercontent.com/pytorch/examples/main/word_language_model/data/wikitext-2"
)
TUTORIAL_ASSETS = "https://s3.amazonaws.com/pytorch-tutorial-assets"
WIKITEXT2, TUTORIAL_WEIGHTS = "wikitext-2", "tutorial-weights"
ARCHIVE, WEIGHTS_FILE, RECORD = "wikitext-2.zip", "word_language_model_quantize.pth", "fetched.json"
MOST_ARCHIVE, MOST_FILE_FORMAT = 20_000_000, 1_000_000  # bytes
ABANDONED_S = 3_600.0
WHAT_TO_DO = (
    "Nothing of it is kept. Try again, or give another source, a URL or a folder with the files: "
    "--from, or the variable WLM_MIRROR"
)
CONFIG = ModelConfig(**tutorial.ARCHITECTURE)


def fetch(
    what: str,
    source: str | None = None,
    to: str | Path | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    timeout_s: float = TIMEOUT_S,
) -> Path:
    """Fetch `wikitext-2` or `tutorial-weights` unless it is here, and return its folder.

    `source` is a URL or a folder with the published files, by default the variable WLM_MIRROR,
    else the publishers' servers. `to` replaces the data folder. The weights need WikiText-2 for
    their vocabulary, so it is fetched first. `report` gets the progress, and may raise to stop.

    Raises FetchError, and then changes nothing.
    """
    if what not in PLACES:
        raise FetchError(f"what to fetch must be one of {', '.join(PLACES)}, got {what!r}")
    data = Path(to) if to else data_folder()
    if is_here(what, data):
        return data / PLACES[what]
    given = source or os.environ.get("WLM_MIRROR")
    try:
        origin = parse_origin(given) if given else None
        with _workshop(data) as workshop:
            task = _Task(data, workshop, origin, report, timeout_s)
            task.wikitext2() if what == WIKITEXT2 else task.tutorial_weights()
    except FetchError as error:
        raise FetchError(f"fetching {what} failed: {error}. {WHAT_TO_DO}") from None
    return data / PLACES[what]


PLACES = {WIKITEXT2: f"texts/{WIKITEXT2}", TUTORIAL_WEIGHTS: f"models/{TUTORIAL_WEIGHTS}"}


def is_here(what: str, data: Path | None = None) -> bool:
    """Tell whether something was fetched and is undamaged."""
    place = (data or data_folder()) / PLACES[what]
    try:
        if what == TUTORIAL_WEIGHTS:
            return bool(checked_card(place))
        for file in WIKITEXT2_FILES:
            verify(place / file.name, file)
        return True
    except (OSError, CheckpointError, FetchError):
        return False


def fetched_bytes(what: str) -> int:
    """Return about how many bytes a fetch reads; for the weights, without WikiText-2."""
    if what == WIKITEXT2:
        return sum(file.size for file in WIKITEXT2_FILES)
    return _numbers_bytes()


class _Task:
    """One fetch."""

    def __init__(self, data, workshop, origin, report, timeout_s):
        self.data, self.workshop, self.origin = data, workshop, origin
        self.report, self.timeout_s = report, timeout_s

    def wikitext2(self) -> None:
        """Get the three files, or the tutorial's archive if that fails."""
        new = self.workshop / WIKITEXT2
        try:
            new.mkdir()
            meter = Meter(WIKITEXT2, fetched_bytes(WIKITEXT2), self.report)
            for file in WIKITEXT2_FILES:
                path = new / file.name
                self._get(self.origin or PYTORCH_EXAMPLES, path, file.size, meter)
                verify(path, file)
        except FetchError as first:
            try:
                shutil.rmtree(new)
                new.mkdir()
                archive = self.workshop / ARCHIVE
                meter = Meter(ARCHIVE, None, self.report)
                self._get(self.origin or TUTORIAL_ASSETS, archive, MOST_ARCHIVE, meter)
                extract(archive, new, WIKITEXT2_FILES)
            except FetchError as second:
                raise FetchError(f"{first}; nor from {ARCHIVE}: {second}") from None
        self._put(new, WIKITEXT2)

    def tutorial_weights(self) -> None:
        """Get the state_dict, check it, and save it as a model folder."""
        if not is_here(WIKITEXT2, self.data):
            self.wikitext2()
        path, least = self.workshop / WEIGHTS_FILE, _numbers_bytes()
        meter = Meter("the tutorial's weights", least, self.report)
        self._get(self.origin or TUTORIAL_ASSETS, path, least + MOST_FILE_FORMAT, meter)
        if (size := path.stat().st_size) < least:
            raise FetchError(
                f"{WEIGHTS_FILE} must have at least {least:,} bytes, the model's numbers in "
                f"fp32, got {size:,}"
            )
        found = sha256_of(path)
        record = self._record(found)
        try:
            with called({path: WEIGHTS_FILE}):
                checkpoint = load_checkpoint(path, corpus=self.data / PLACES[WIKITEXT2])
                if checkpoint.model.config != CONFIG:
                    raise FetchError(f"the model must be {CONFIG}, got {checkpoint.model.config}")
                _check_plain(path)
                new = self.workshop / TUTORIAL_WEIGHTS
                card = _card(self.origin, found, len(checkpoint.vocabulary))
                # The published weights are fp32: nothing is lost.
                save_checkpoint(
                    new, checkpoint.model, checkpoint.vocabulary, card, dtype=torch.float32
                )
        except CheckpointError as error:
            raise FetchError(str(error)) from None
        written = self.workshop / RECORD
        written.write_text(json.dumps(record, indent=2), "utf-8")
        written.replace(self.data / RECORD)
        self._put(new, TUTORIAL_WEIGHTS)

    def _get(self, base: str | Path, path: Path, most: int, meter: Meter) -> None:
        download(base, path, most, meter, self.timeout_s)

    def _put(self, new: Path, what: str) -> None:
        place = self.data / PLACES[what]
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.exists():  # damaged
            place.rename(self.workshop / f"damaged-{what}")
        new.rename(place)

    def _record(self, found: str) -> dict:
        """Return the record of first fetches with this file added. Raises FetchError if the file
        differs from the first fetch."""
        path = self.data / RECORD
        try:
            record = json.loads(path.read_text("utf-8")) if path.exists() else {}
            first = record.get(WEIGHTS_FILE, {"sha256": found, "at": _today()})
            expected, when = first["sha256"], first["at"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise FetchError(
                f"the record {str(path)!r} is damaged: remove it to trust the next"
            ) from None
        if found != expected:
            raise FetchError(
                f"the sha256 of {WEIGHTS_FILE} must be {expected!s:.12}…, as it was on {when}, "
                f"got {found:.12}…: only if you trust the new file, remove {str(path)!r}"
            )
        return {**record, WEIGHTS_FILE: first}


@contextmanager
def _workshop(data: Path) -> Iterator[Path]:
    """Make a temporary folder in the data folder, and remove it at the end."""
    made = not data.exists()
    try:
        data.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(data)
        with tempfile.TemporaryDirectory(dir=data, prefix=".fetching-") as folder:
            yield Path(folder)
    except OSError as error:
        raise FetchError(f"{str(data)!r} cannot be written: {error.strerror or error}") from None
    finally:
        if made:
            with suppress(OSError):  # not empty: the fetch came through
                data.rmdir()


def _remove_abandoned(data: Path) -> None:
    """Remove folders of killed processes: a fetch that still runs has written recently."""
    for folder in data.glob(".fetching-*"):
        with suppress(OSError):
            latest = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
            if time.time() - latest > ABANDONED_S:
                shutil.rmtree(folder)


def _check_plain(path: Path) -> None:
    """Raise FetchError unless the file is a plain fp32 state_dict, like the published file."""
    weights = read_weights(path)
    for key, stored in weights.tensors.items():
        if stored and stored.dtype != torch.float32:
            raise FetchError(f"{key} must be torch.float32, got {stored.dtype}")
    if weights.words:
        raise FetchError(f"{WEIGHTS_FILE} must be a plain state_dict, got one {weights.words}")


def _numbers_bytes() -> int:
    """Return the bytes of the tutorial's weights in fp32."""
    total = 0
    for shape in CONFIG.shapes().values():
        total += 4 * (shape[0] * shape[1] if len(shape) == 2 else shape[0])
    return total


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _card(origin: str | Path | None, sha256: str, words: int) -> dict:
    where = "a local folder" if isinstance(origin, Path) else origin or TUTORIAL_ASSETS
    return {
        "origin": f"fetched on {_today()} from {without_password(where)}, {WEIGHTS_FILE}",
        "origin_sha256": sha256,
        "trained_on": "WikiText-2 (Merity et al. 2016, CC BY-SA 3.0), by the tutorial's authors",
        "licence": "not stated by its publisher",
        "vocabulary": f"{words:,} words of train, valid and test, by first appearance",
        "test_loss": {
            "fp32": tutorial.PUBLISHED["fp32"].loss,
            "int8 LSTM + Linear": tutorial.PUBLISHED["int8"].loss,
        },
        "test_loss_source": "published by the tutorial",
    }

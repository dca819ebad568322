"""The models and texts that have names: bundled, fetched, and those the environment adds.

Only these names are taken from a page or its URL; the command line also takes paths.
"""

import os
import re
from pathlib import Path

from wlm.errors import CheckpointError, SettingError, TextError, check_range, parse_whole
from wlm.paths import ASSETS, data_folder, uploads_folder
from wlm.text.splits import split_file

MODEL, TEXT = "model", "text"  # the kinds of things that have names
DEFAULT_MODEL = "wikitext2-lstm"
DEFAULT_TEXT = "demo"
RANDOM, MOST_HIDDEN = "random-", 1024  # 366 MB in fp32
UPLOAD_NAME = re.compile(r"upload-[0-9a-f]{12}")
UPLOADED_TEXT = "text.txt"


def list_models() -> dict[str, Path]:
    """Return the model folders by name: bundled, fetched, then those in the folder WLM_MODELS."""
    folders = [ASSETS / "models", data_folder() / "models", *_folder_from("WLM_MODELS")]
    cards = [card for folder in folders for card in sorted(folder.glob("*/card.json"))]
    return _by_name({card.parent: card.parent.name for card in cards})


def list_texts() -> dict[str, Path]:
    """Return the text files by name: bundled, fetched, then those in the folder WLM_TEXTS.

    In such a folder each .txt file is a text called by its stem, and each subfolder with a test.txt
    is one called by the subfolder's name; if it holds a test.txt itself, it is one such corpus.
    """
    names = {path: path.stem for path in sorted((ASSETS / "texts").glob("*.txt"))}
    for folder in (data_folder() / "texts", *_folder_from("WLM_TEXTS")):
        if (test := split_file(folder, "test")).is_file():
            names[test] = folder.resolve().name
        else:
            names.update({path: path.stem for path in sorted(folder.glob("*.txt"))})
            tests = [split_file(inner, "test") for inner in sorted(folder.glob("*/"))]
            names.update({path: path.parent.name for path in tests if path.is_file()})
    return _by_name(names)


def find_model(name_or_path: str) -> Path:
    """Return the folder or weights file meant by a name or a path. Raises CheckpointError."""
    models = list_models()
    if name_or_path in models:
        return models[name_or_path]
    if UPLOAD_NAME.fullmatch(name_or_path):
        if (folder := uploads_folder() / name_or_path).is_dir():
            return folder
        raise CheckpointError(_gone("model", name_or_path))
    if path := _existing(name_or_path):
        return path
    raise CheckpointError(
        f"there is no model {name_or_path!r}: give a name ({', '.join(models)}), "
        "a model folder, or a weights file"
    )


def find_text(name_or_path: str) -> tuple[str, Path]:
    """Return a text's name and file, from a name, a text file, or a folder with a test.txt.

    Raises TextError.
    """
    texts = list_texts()
    if name_or_path in texts:
        return name_or_path, texts[name_or_path]
    if UPLOAD_NAME.fullmatch(name_or_path):
        if (path := uploads_folder() / name_or_path / UPLOADED_TEXT).is_file():
            return name_or_path, path
        raise TextError(_gone("text", name_or_path))
    if path := _existing(name_or_path):
        if not path.is_dir():  # also a pipe, for example: the reader reports the problem
            return path.stem, path
        if (test := split_file(path, "test")).is_file():
            return path.resolve().name, test
    raise TextError(
        f"there is no text {name_or_path!r}: give a name ({', '.join(texts)}), "
        "a text file, or a folder with a test.txt"
    )


def random_name(hidden: int) -> str:
    """Return the name of the model of random weights with that hidden size."""
    return f"{RANDOM}{hidden}"


def random_hidden(name: str) -> int | None:
    """Return the hidden size that a name such as `random-256` asks for; None for other names.

    Raises SettingError if it is out of range.
    """
    if not name.startswith(RANDOM):
        return None
    size = parse_whole(name.removeprefix(RANDOM))
    if size is None:
        raise SettingError(f"a model of random weights is written {RANDOM}256, got {name[:80]!r}")
    check_range("the hidden size of random weights", size, 1, MOST_HIDDEN)
    return size


def _gone(what: str, name: str) -> str:
    return f"the {what} {name!r} is not here: it was removed, or the day that it is kept is over"


def _existing(path: str) -> Path | None:
    try:
        return Path(path) if path and Path(path).exists() else None
    except (OSError, ValueError):  # a name that is too long, or one with a NUL character
        return None


def _folder_from(variable: str) -> list[Path]:
    return [Path(value)] if (value := os.environ.get(variable)) else []


def _by_name(names: dict[Path, str]) -> dict[str, Path]:
    """Turn path -> name round; a name already taken is prefixed with its folder's."""
    by_name: dict[str, Path] = {}
    for path, name in names.items():
        by_name.setdefault(name if name not in by_name else f"{path.parent.name}/{name}", path)
    return by_name

"""The tutorial from start to end: its published table next to the results of the same steps
here."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from wlm.catalog.fetch import PLACES, is_here
from wlm.catalog.registry import DEFAULT_MODEL, find_model, find_text, list_texts
from wlm.catalog.tutorial_weights import TUTORIAL_WEIGHTS
from wlm.catalog.wikitext2 import WIKITEXT2, WIKITEXT2_FILES, verify
from wlm.errors import FetchError, TextError
from wlm.measuring.comparison import CompareSpec
from wlm.paths import ASSETS, data_folder
from wlm.sampling.words import SampledWord
from wlm.tutorial import PUBLISHED, TOKENS

LOSS_DIGITS = 3  # that the tutorial published
TUTORIALS, BUNDLED, OTHERS = "the tutorial's weights", "the bundled weights", "other weights"
OTHER_WEIGHTS = "other weights than the tutorial's"
OTHER_TEXT = "another text, or a part of it"
MACHINE = "depends on the machine"


@dataclass(frozen=True)
class Row:
    """A published quantity and the same quantity as measured here, with units in its name; whether
    they agree (None if they need not), and why not."""

    quantity: str
    published: float
    here: float
    agree: bool | None
    reason: str = ""


def tutorial_settings(
    model: str | None = None, text: str | None = None, tokens: int | None = None
) -> CompareSpec:
    """Return the tutorial's comparison: fp32 and int8, batch size 1, chunks of 25, one thread.

    The model is the tutorial's if its weights were fetched, else the bundled one; the text is
    WikiText-2's test set unless a text is given. Raises TextError if WikiText-2 is not here, and
    SettingError.
    """
    if model is None:
        model = TUTORIAL_WEIGHTS if is_here(TUTORIAL_WEIGHTS) else DEFAULT_MODEL
    if text is None:
        text = WIKITEXT2
        if text not in list_texts():
            raise TextError(
                "WikiText-2 is not here: run `python -m wlm fetch wikitext-2`, or give its folder "
                "as --text"
            )
    return CompareSpec(model=model, text=text, tokens=tokens)


def weights_of(model: str) -> str:
    """Tell whose weights a model's name or path means: TUTORIALS, undamaged, BUNDLED or OTHERS."""
    path = find_model(model).resolve()
    if path == (data_folder() / PLACES[TUTORIAL_WEIGHTS]).resolve() and is_here(TUTORIAL_WEIGHTS):
        return TUTORIALS
    return BUNDLED if path == ASSETS / "models" / DEFAULT_MODEL else OTHERS


def is_tutorials_text(text: str) -> bool:
    """Tell whether a text's name or path means WikiText-2's test set, as published."""
    test = next(file for file in WIKITEXT2_FILES if file.name == "test.txt")
    try:
        verify(find_text(text)[1], test)
        return True
    except (OSError, FetchError):
        return False


def table(spec: CompareSpec, content: dict, stopped: bool = False) -> list[Row]:
    """Return the tutorial's figures next to a comparison's JSON, for fp32 and int8.

    Sizes must be equal to the byte. With the tutorial's weights on its text, losses must agree to
    the published digits; with any weights, the loss added by quantization must be as small.
    `stopped`: the comparison stopped before the text's end.
    """
    rows = []
    by_name = {result["variant"]: result for result in content["results"]}
    # N tokens are read, and all but the first are predicted.
    all_read = content["protocol"]["tokens"] in (TOKENS, TOKENS - 1) and not stopped
    whole = all_read and is_tutorials_text(spec.text)
    differs = {OTHER_WEIGHTS: weights_of(spec.model) != TUTORIALS, OTHER_TEXT: not whole}
    other = "; ".join(reason for reason, applies in differs.items() if applies)
    for name in PUBLISHED:
        published, here = PUBLISHED[name].size_bytes, by_name[name]["size_bytes"]
        same = here == published
        reason = "" if same else "a model of other sizes, or another PyTorch"
        rows.append(Row(f"size {name}, MB", published / 1e6, here / 1e6, same, reason))
    for name in PUBLISHED:
        published, here = PUBLISHED[name].loss, by_name[name]["loss"]
        agree = None if other else round(here, LOSS_DIGITS) == published
        reason = other or ("" if agree else "other arithmetic than the tutorial's")
        rows.append(Row(f"loss {name}, nats", published, here, agree, reason))
    fp32, int8 = PUBLISHED["fp32"], PUBLISHED["int8"]
    delta, found = int8.loss - fp32.loss, by_name["int8"]["loss"] - by_name["fp32"]["loss"]
    agree = abs(found) < 0.01
    reason = "below 0.01, as there" if agree else "0.01 or more"
    rows.append(Row("loss int8 − fp32, nats", delta, found, agree, reason))
    for name in PUBLISHED:
        elapsed, reason = by_name[name]["elapsed_s"], MACHINE
        if not whole:
            reason = f"{OTHER_TEXT}; {MACHINE}"
        rows.append(Row(f"elapsed {name}, s", PUBLISHED[name].elapsed_s, elapsed, None, reason))
    ratio, found = fp32.elapsed_s / int8.elapsed_s, by_name["int8"]["speedup"]
    rows.append(Row("times as fast", ratio, found, None, MACHINE))
    return rows


def to_json(
    spec: CompareSpec, content: dict, rows: list[Row], written: Sequence[SampledWord]
) -> dict:
    """Return the result as plain JSON: whose weights, the table, the comparison, and the words."""
    return {
        "model": spec.model,
        "weights": weights_of(spec.model),
        "table": [asdict(row) for row in rows],
        "comparison": content,
        "words": [word.word for word in written],
        "words_per_s": len(written) / sum(word.seconds for word in written),
    }

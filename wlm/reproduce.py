"""The tutorial from start to end: its table beside what the same steps give here."""

from dataclasses import asdict, dataclass

from wlm.assets import DEFAULT_MODEL, list_texts
from wlm.compare import CompareSpec
from wlm.errors import TextError
from wlm.fetch import TUTORIAL_WEIGHTS, WIKITEXT2, is_here
from wlm.tutorial import PUBLISHED, TOKENS

LOSS_DIGITS = 3  # that the tutorial published
OTHER_WEIGHTS = "other weights than the tutorial's"
OTHER_TEXT = "another text, or a part of it"
MACHINE = "depends on the machine"


@dataclass(frozen=True)
class Row:
    """One quantity as published and as found here, with units in its name; whether they agree
    (None where they need not), and why not."""

    quantity: str
    published: float
    here: float
    agree: bool | None
    reason: str = ""


def tutorial_settings(
    model: str | None = None, text: str | None = None, tokens: int | None = None
) -> CompareSpec:
    """Return the tutorial's comparison: fp32 and int8, batch size 1, chunks of 25, one thread.

    Of the tutorial's weights where they were fetched, else the bundled ones; on WikiText-2's test
    set unless a text is given. Raises TextError where WikiText-2 is not here, and SettingError.
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


def table(content: dict, stopped: bool = False) -> list[Row]:
    """Return the tutorial's figures beside those of a comparison's JSON, fp32 and int8.

    Sizes must be equal to the byte. Losses must agree to the digits that were published, with the
    tutorial's weights on its text; what quantizing adds to the loss must be as small with any.
    `stopped`: before the text's end.
    """
    protocol, rows = content["protocol"], []
    by_name = {each["variant"]: each for each in content["results"]}
    own = protocol["model"] == TUTORIAL_WEIGHTS
    # N tokens are read, and all but the first are predicted.
    whole = protocol["tokens"] in (TOKENS, TOKENS - 1) and not stopped
    other = OTHER_WEIGHTS if not own else "" if whole else OTHER_TEXT
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


def to_json(content: dict, rows: list[Row], words: list[str], words_per_s: float) -> dict:
    """Return the whole as plain JSON: the comparison, the table and what was written."""
    return {
        "model": content["protocol"]["model"],
        "table": [asdict(row) for row in rows],
        "comparison": content,
        "words": words,
        "words_per_s": words_per_s,
    }

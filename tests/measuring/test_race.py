"""A comparison as a race by one clock."""

from wlm.measuring.race import lanes


def row(label: str, *blocks: tuple[int, float], pace: float = 0.0) -> dict:
    made = [{"tokens": tokens, "wall_s": seconds} for tokens, seconds in blocks]
    return {"variant": label, "label": label, "blocks": made, "tokens_per_s": pace}


def test_the_fastest_has_read_all_and_the_others_what_they_had_by_then():
    slow, fast = row("fp32", (100, 1.0), (100, 1.0)), row("int8", (100, 0.5), (100, 0.75))
    assert lanes({"results": [slow, fast]}) == [
        {"label": "fp32", "words": 125.0, "pace": 100.0, "earlier": None},
        {"label": "int8", "words": 200.0, "pace": 160.0, "earlier": None},
    ]


def test_an_earlier_race_runs_beside_at_its_own_pace():
    result = {"results": [row("fp32", (100, 1.0)), row("int8", (100, 0.5))]}
    earlier = {"results": [row("fp32", pace=120.0), row("fp16", pace=1.0)]}
    assert [lane["earlier"] for lane in lanes(result, earlier)] == [60.0, None]

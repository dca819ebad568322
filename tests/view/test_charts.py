"""The charts' specifications: valid Vega-Lite, in the theme's colours, of what they were given."""

import json
import re
from collections.abc import Iterator

import altair
import pytest

from view.compare import charts as compare
from view.inspect import charts as inspect
from view.inspect.roofline_chart import roofline
from view.sample import charts as sample
from view.shared.charts import GREY, INK, Spec
from view.sweep import charts as sweep
from view.tutorial import charts as tutorial
from wlm.inspecting.roofline import Roofline
from wlm.inspecting.weight_error import Histogram

TWO, THREE = ["fp32", "int8 LSTM + Linear"], ["fp32", "int8 LSTM", "fp16 LSTM + Linear"]
FIVE = [*THREE, "ORT fp32", "ORT int8 all"]


def bars(labels: list[str], values: list, references: list) -> Spec:
    return compare.bars_with_references(
        labels, values, references, title="size (MB)", format=".1f", reference_name="tutorial"
    )


def parts(**options) -> Spec:
    sizes = [{"embedding": 68.0, "LSTM 0": 3.1, "LSTM 1": 2.1, "decoder": 34.2, "format": 0.1}]
    labels, sizes = TWO, [*sizes, {"embedding": 17.0}]
    return inspect.stacked_parts(labels, sizes, title="MB", format=".1f", unit="MB", **options)


def errors(labels: list[str], noise: list) -> list[dict]:
    return [
        {"label": label, "part": f"LSTM {i}", "matrix": f"m{i}", "sqnr_db": each, "cosine": 0.9}
        for label in labels
        for i, each in enumerate(noise)
    ]


def points(labels: list[str]) -> list[dict]:
    return [
        {"label": label, "module": module, "ops_per_byte": 0.5 + i, "ops_per_s": 2e9 * (i + 1)}
        for label in labels
        for i, module in enumerate(("LSTM", "decoder"))
    ]


def curves(labels: list[str], values: list[int]) -> list[dict]:
    return [
        {"value": value, "label": label, "speedup": 1.0 + i, "low": 0.9 + i, "high": 9.0 + i}
        | {"tokens_per_s": 900.0 * (i + 1)}
        | ({"low": None, "high": None} if value == values[-1] else {})
        for value in values
        for i, label in enumerate(labels)
    ]


def draws(labels: list[str]) -> list[dict]:
    return [
        {"word": word, "label": label, "probability": share, "written": word == "old"}
        for word, share in (("the", 0.2), ("old", 0.1))
        for label in labels
    ]


TEXT = [
    {"place": i, "word": word, "kl": 0.1 * i, "shares": ["1.000%", "2.000%"]}
    for i, word in enumerate(("It", "was", "¶"), start=1)
]
STRIP = [
    {"place": i, "word": "w", "label": label, "kl": 0.1 * i} for i in (1, 2) for label in THREE[1:]
]
ROOF = Roofline(1e10, 5e10, 1e11, 2e11)
CHARTS = {
    "two bars": bars(TWO, [113.9, 79.7], [113.9, 79.7]),
    "no bars yet": bars(TWO, [None, None], [113.9, 79.7]),
    "three bars": bars(THREE, [1.0, 2.0, 3.0], [None, None, 4.0]),
    "five bars": bars(FIVE, [1.0, 2.0, 3.0, 4.0, 5.0], [None] * 5),
    "speed-ups": compare.speedups(THREE, [1.0, 2.0, 0.4], [None, [1.8, 2.2], None]),
    "block times": compare.block_times(THREE, [[0.001, 0.002], [0.001], [0.001, 0.003]]),
    "changes": compare.changes(THREE, {"size": [2.0, 1.0, 3.0], "time": [1.0, 1.0, 0.5]}),
    "parts": parts(),
    "marked parts": parts(marked="embedding", large=True),
    "weights between a few levels": inspect.weights_on_grid(
        Histogram(-1.0, 0.5, [1, 4, 1], [-1.0, 0.0], True), title="weight"
    ),
    "weights and many levels": inspect.weights_on_grid(
        Histogram(-1.0, 0.5, [1, 4, 1], [i / 50 for i in range(-50, 50)], False), title="weight"
    ),
    "weights without levels": inspect.weights_on_grid(
        Histogram(-1.0, 0.5, [1, 4, 1], [], False), title="weight"
    ),
    "errors of matrices": inspect.matrix_errors(errors(TWO[1:], [40.0, None]), TWO),
    "errors of one variant": inspect.errors_by_layer(errors(TWO[1:], [40.0, 20.0, None]), TWO),
    "errors of two variants": inspect.errors_by_layer(errors(THREE[1:], [40.0, 20.0]), THREE),
    "roofline of two": roofline(points(TWO), ROOF),
    "roofline of three": roofline(points(THREE), Roofline(1e10, 5e10, 1e11, None)),
    "speed-up curves": sweep.speedup_curves(curves(THREE, [1, 5, 25]), THREE, [1, 5, 25], knob="k"),
    "curves of a narrow range": sweep.token_curves(curves(TWO, [1, 2]), TWO, [1, 2], knob="k"),
    "text": sample.divergence_text(TEXT, TWO),
    "strip of one": sample.divergence_strip([STRIP[0], STRIP[2]], TWO, {TWO[1]: 2}),
    "strip of two": sample.divergence_strip(STRIP, THREE, {THREE[1]: 1, THREE[2]: 2}),
    "strip without departures": sample.divergence_strip(STRIP, THREE, {}),
    "next words": sample.next_words(draws(TWO), TWO),
    "large bars": tutorial.large_bars(TWO, [113.9, 79.7], ".1f"),
    "distribution": sample.reshaped(
        [
            {"word": word, "probability": share, "rest": share < 0.5}
            for word, share in (("a", 0.9), ("19 others", 0.1))
        ]
    ),
}
ALL = pytest.mark.parametrize("name", CHARTS)


def values(spec: object, key: str) -> Iterator:
    """Every value of a key, however deep."""
    for each in spec if isinstance(spec, list) else []:
        yield from values(each, key)
    for name, each in spec.items() if isinstance(spec, dict) else []:
        if name == key:
            yield each
        yield from values(each, key)


def rows(spec: Spec) -> list[dict]:
    return [row for each in values(spec, "data") for row in each["values"]]


@ALL
def test_a_chart_is_valid_vega_lite_and_json(name):
    altair.LayerChart.from_dict(CHARTS[name], validate=True)
    assert json.loads(json.dumps(CHARTS[name], allow_nan=False)) == CHARTS[name]


@ALL
def test_words_are_large_and_in_the_themes_ink_which_the_browser_knows(name):
    config = CHARTS[name]["config"]
    ink = INK.to_dict()
    assert [config["axis"][f"{which}Color"] for which in ("label", "title")] == [ink, ink]
    assert config["legend"]["labelColor"] == ink
    assert config["axis"]["labelFontSize"] == config["axis"]["titleFontSize"] == 16
    assert min(values(CHARTS[name], "fontSize"), default=13) >= 13


@ALL
def test_no_colour_is_of_one_theme(name):
    written = json.dumps(CHARTS[name]).replace(json.dumps(INK.to_dict()), "")
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}", written)) <= {GREY, sample.WARM}


def test_two_bars_stand_and_more_lie():
    standing, lying = CHARTS["two bars"]["layer"][0], CHARTS["three bars"]["layer"][0]
    assert standing["layer"][0]["encoding"]["y"]["field"] == "value"
    assert lying["layer"][0]["encoding"]["x"]["field"] == "value"
    assert [row["value"] for row in rows(CHARTS["three bars"])] == [1.0, 2.0, 3.0]


def test_names_beside_lines_are_apart_where_the_lines_meet():
    chart = compare.block_times(THREE, [[0.001, 0.001], [0.001, 0.001], [0.01, 0.01]])
    places = sorted(row["place"] for row in rows(chart) if "place" in row)
    gap = 18 / (chart["height"] - 70) * 10.0  # 18 pixels, in milliseconds
    assert places == pytest.approx([1.0, 1.0 + gap, 10.0])


def test_changes_are_against_the_first():
    told = {(row["measure"], row["label"]): row["text"] for row in rows(CHARTS["changes"])}
    assert told[("size", "int8 LSTM")] == "−50.0%"
    assert told[("size", "fp16 LSTM + Linear")] == "+50.0%"
    assert told[("time", "int8 LSTM")] == "+0.0%"


def test_shares_of_a_word_have_as_many_digits_as_it_takes_to_tell_them_apart():
    shares = {"the": (0.3, 0.2), "old": (0.00211, 0.00213), "sea": (0.001, 0.001)}
    told = [
        {"word": word, "label": label, "probability": share, "written": False}
        for word, each in shares.items()
        for label, share in zip(TWO, each, strict=True)
    ]
    assert [row["text"] for row in rows(sample.next_words(told, TWO))] == [
        *("30.0%", "20.0%"),
        *("0.211%", "0.213%"),
        *("0.1%", "0.1%"),
    ]


def test_orange_means_the_same_in_every_text():
    scales = [each["scale"] for each in values(CHARTS["text"], "opacity") if "scale" in each]
    assert [each["domain"] for each in scales] == [[0, 0.5]]


def test_a_dips_number_is_below_its_line():
    chart = inspect.errors_by_layer(errors(TWO[1:], [40.0, 20.0, 30.0, 25.0]), TWO)
    numbers = chart["layer"][0]["layer"][1:]
    above, below = ([row["part"] for row in each["data"]["values"]] for each in numbers)
    assert below == ["LSTM 1"] and above == ["LSTM 0", "LSTM 2", "LSTM 3"]


def test_a_huge_interval_does_not_flatten_the_curves():
    wide = [{**row, "high": row["high"] and 1e6} for row in curves(TWO, [1, 5, 25])]
    chart = sweep.speedup_curves(wide, TWO, [1, 5, 25], knob="k")
    assert max(max(y["scale"]["domain"]) for y in values(chart, "y") if "scale" in y) < 4.0

"""The charts' specifications: valid Vega-Lite, in the theme's colours, of what they were given."""

import json
import re
from collections.abc import Iterator
from functools import cache

import altair
import pytest

from view.audience.charts import rounds_chart, votes_chart
from view.compare import charts as compare
from view.compare.bars import THICKNESS, bars_with_references, large_bars
from view.compare.divergence import divergence_chart
from view.compare.race import race
from view.compare.tradeoff import BESIDE, LETTER, LINE, apart, tradeoff_chart
from view.how import bits
from view.how import charts as how
from view.inspect import charts as inspect
from view.inspect.roofline_chart import roofline
from view.sample import charts as sample
from view.shared.chart_cache import BUILT
from view.shared.charts import GREY, INK, PARTS, SIGNS, VARIANTS, Spec
from view.shared.flow import likely, strips
from view.shared.model_drawing import to_scale
from view.shared.next_words import chart_of_candidates
from view.sweep import charts as sweep
from wlm.audience.votes import Votes
from wlm.explaining.curve import LossAt, LossCurve
from wlm.explaining.integers import RoundedRow
from wlm.explaining.reading import Flow
from wlm.inspecting.roofline import Roofline
from wlm.inspecting.weight_error import Histogram
from wlm.measuring.agreement import HISTOGRAM
from wlm.measuring.tradeoff import Place
from wlm.sampling.candidates import Candidate

TWO, THREE = ["fp32", "int8 LSTM + Linear"], ["fp32", "int8 LSTM", "fp16 LSTM + Linear"]
FIVE = [*THREE, "ORT fp32", "ORT int8 all"]


def bars(labels: list[str], values: list, references: list) -> Spec:
    return bars_with_references(
        labels, values, references, title="size (MB)", format=".1f", reference_name="tutorial"
    )


def results(labels: list[str], speedups: list[float], ends: list) -> list[dict]:
    """Rows of a comparison's JSON as charts of speed-ups need them; the first is the baseline."""
    return [
        {"label": label, "speedup": speedup, "speedup_ci95": interval}
        | {"verdict": "faster" if i else "baseline"}
        for i, (label, speedup, interval) in enumerate(zip(labels, speedups, ends, strict=True))
    ]


def timed(labels: list[str], times: list[list[float]]) -> list[dict]:
    """Rows of a comparison's JSON with the seconds per token of their blocks."""
    return [
        {"label": label, "blocks": [{"wall_s": 10 * time, "tokens": 10} for time in own]}
        for label, own in zip(labels, times, strict=True)
    ]


def parts(**options) -> Spec:
    sizes = [{"embedding": 68.0, "LSTM 0": 3.1, "LSTM 1": 2.1, "decoder": 34.2, "file format": 0.1}]
    labels, sizes = TWO, [*sizes, {"embedding": 17.0}]
    return inspect.stacked_parts(labels, sizes, title="MB", format=".1f", unit="MB", **options)


def errors(labels: list[str], noise: list) -> list[dict]:
    return [
        {"label": label, "part": f"LSTM {i}", "matrix": f"m{i}", "sqnr_db": decibels, "cosine": 0.9}
        for label in labels
        for i, decibels in enumerate(noise)
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
        | {"tokens_per_s": 900.0 * (i + 1), "elapsed_ms": 2.0, "cpu_ms": 3.0 + value}
        | {"verdict": "undecided" if i else "baseline"}
        | ({"low": None, "high": None} if value == values[-1] else {})
        for value in values
        for i, label in enumerate(labels)
    ]


def draws(shares: dict[str, tuple[float, ...]]) -> list[Candidate]:
    """Words with their probabilities under each variant; each variant writes the first."""
    return [
        Candidate(word, probabilities, 0.5, (float(i),) * len(probabilities))
        for i, (word, probabilities) in enumerate(shares.items())
    ]


ROOF = Roofline(1e10, 5e10, 1e11, 2e11)
ROW = RoundedRow(3, (0.027, -0.5, 0.2), (7, -127, 51), 0.00394, 0.5, 3, 40.0, 0.00392, 40.0)
# Made when asked for: all of them take seconds, in each process that collects the tests.
MAKE = {
    "two bars": lambda: bars(TWO, [113.9, 79.7], [113.9, 79.7]),
    "no bars yet": lambda: bars(TWO, [None, None], [113.9, 79.7]),
    "three bars": lambda: bars(THREE, [1.0, 2.0, 3.0], [None, None, 4.0]),
    "five bars": lambda: bars(FIVE, [1.0, 2.0, 3.0, 4.0, 5.0], [None] * 5),
    "speed-ups": lambda: compare.speedups(
        results(THREE, [1.0, 2.0, 0.4], [None, [1.8, 2.2], None])
    ),
    "block times": lambda: compare.block_times(
        timed(THREE, [[0.001, 0.002], [0.001], [0.001, 0.003]])
    ),
    "changes": lambda: compare.changes(THREE, {"size": [2.0, 1.0, 3.0], "time": [1.0, 1.0, 0.5]}),
    "trade-off": lambda: tradeoff_chart(
        [
            Place("fp32", "fp32", 114_000_000, 0.0, None, 1.0, True),
            Place("int8", "int8 LSTM + Linear", 80_000_000, 0.004, (0.001, 0.007), 2.6, False),
            Place("a", "int8 LSTM + Linear, qnnpack", 80_000_000, 0.004, (0.001, 0.007), 2.6, True),
        ],
        ["fp32", "int8", "a"],
    ),
    "to scale": lambda: to_scale(["Embedding", "LSTM"], [16.0, 1.0], [64.0, 1.0], ["int8", "fp32"]),
    "strips": lambda: strips(Flow("bridge", 8, {"embedding": (0.5, -0.25), "LSTM 0": (0.0,)}, ())),
    "likely words": lambda: likely((("the", 0.5), (".", 0.25)), TWO[1]),
    "race": lambda: race(
        [
            {"label": "fp32", "words": 125.0, "pace": 100.0, "earlier": None},
            {"label": "int8 LSTM + Linear", "words": 200.0, "pace": 160.0, "earlier": 190.0},
        ],
        0.5,
    ),
    "parts": lambda: parts(),
    "marked parts": lambda: parts(marked=[["embedding", "LSTM"], []], large=True),
    "weights between a few levels": lambda: inspect.weights_on_grid(
        Histogram(-1.0, 0.5, [1, 4, 1], [-1.0, 0.0], True), title="weight"
    ),
    "weights and many levels": lambda: inspect.weights_on_grid(
        Histogram(-1.0, 0.5, [1, 4, 1], [i / 50 for i in range(-50, 50)], False), title="weight"
    ),
    "weights without levels": lambda: inspect.weights_on_grid(
        Histogram(-1.0, 0.5, [1, 4, 1], [], False), title="weight"
    ),
    "errors of matrices": lambda: inspect.matrix_errors(errors(TWO[1:], [40.0, None]), TWO[1:]),
    "errors of one variant": lambda: inspect.errors_by_layer(
        errors(TWO[1:], [40.0, 20.0, None]), TWO[1:]
    ),
    "errors of two variants": lambda: inspect.errors_by_layer(
        errors(THREE[1:], [40.0, 20.0]), THREE[1:]
    ),
    "roofline of two": lambda: roofline(points(TWO), ROOF),
    "roofline of three": lambda: roofline(points(THREE), Roofline(1e10, 5e10, 1e11, None)),
    "speed-up curves": lambda: sweep.curves(
        curves(THREE, [1, 5, 25]), THREE, [1, 5, 25], "speedup", knob="k, log scale"
    ),
    "curves of a narrow range": lambda: sweep.curves(
        curves(TWO, [1, 2]), TWO, [1, 2], "tokens_per_s", knob="k"
    ),
    "divergence of tokens": lambda: divergence_chart(
        [
            {
                "label": label,
                "agreement": {
                    "kl_mean": 0.01,
                    "kl_histogram": [0, 3, 5, 0] * (len(HISTOGRAM) // 4),
                },
            }
            for label in TWO
        ]
    ),
    "elapsed and CPU time": lambda: sweep.curves(
        curves(TWO, [1, 2, 4]), TWO, [1, 2, 4], "elapsed_ms", knob="k"
    ),
    "strip": lambda: sample.divergence_strip(["a", "b"], [0.1, 0.2], TWO[1], 0.2, 1),
    "strip without a difference": lambda: sample.divergence_strip(
        ["a", "b"], [0.1, 0.2], TWO[1], 0.2, None
    ),
    "votes": lambda: votes_chart(Votes((7, 3), 0)),
    "rounds": lambda: rounds_chart([Votes((7, 3), 0), Votes((2, 8), 1)]),
    "large bars": lambda: large_bars(TWO, [113.9, 79.7], ".1f"),
    "next words": lambda: chart_of_candidates(draws({"old": (0.1, 0.1), "the": (0.2, 0.2)}), TWO),
    "weights on ticks": lambda: how.weights_and_row(
        Histogram(-1.0, 0.5, [1, 4, 1], [-1.0, 0.0], False), ROW
    ),
    "weights on ticks of their rows": lambda: how.weights_and_row(
        Histogram(-1.0, 0.5, [1, 4, 1], [-1.0, 0.0], True), ROW
    ),
    "snapping": lambda: how.snapping(ROW),
    "ranges": lambda: how.ranges(("the", "bridge", "the", "'s"), [(-0.5, 0.5)] * 4, 3, (-0.4, 0.6)),
    "values on grids": lambda: how.on_grids([-0.5, 0.1], [-0.5, 0.0, 0.5], [-0.4, 0.0, 0.4]),
    "products": lambda: how.products([2, -3] * 20, [10, 20] * 20),
    "running sum": lambda: how.running_sum([20, -40, 12_660], TWO[1]),
    "staircase": lambda: bits.staircase(2, 0.5),
    "levels": lambda: bits.on_levels([1, 0, 5, 2]),
    "losses": lambda: bits.losses(
        LossCurve(
            "",
            "demo",
            100,
            "Test CPU",
            4.8,
            tuple(
                LossAt(bits, by_row, 9.0 - bits, 0.1, 0.0, 0.2)
                for bits in (8, 2)
                for by_row in (False, True)
            ),
        ),
        2,
    ),
    "distribution": lambda: sample.reshaped(
        [
            {"word": word, "probability": share, "rest": share < 0.5}
            for word, share in (("a", 0.9), ("19 others", 0.1))
        ]
    ),
}
ALL = pytest.mark.parametrize("name", MAKE)


@cache
def chart_of(name: str) -> Spec:
    return MAKE[name]()


@ALL
def test_channels_are_objects(name, monkeypatch):
    """For one that is a string Altair goes through all of its classes, in 5 ms: there were seven of
    them in a bar chart. Conditions, which are few, stay as they are."""
    look_up = altair.SchemaBase.from_dict.__func__

    def conditions_only(channel: type, given: dict, **options) -> altair.SchemaBase:
        assert "condition" in given, f"a channel is written as {given}"
        return look_up(channel, given, **options)

    BUILT.clear()
    monkeypatch.setattr(altair.SchemaBase, "from_dict", classmethod(conditions_only))
    MAKE[name]()


def values(spec: object, key: str) -> Iterator:
    """Every value of a key, however deep."""
    for inner in spec if isinstance(spec, list) else []:
        yield from values(inner, key)
    for name, inner in spec.items() if isinstance(spec, dict) else []:
        if name == key:
            yield inner
        yield from values(inner, key)


def rows(spec: Spec) -> list[dict]:
    return [row for value in values(spec, "data") for row in value["values"]]


@ALL
def test_a_chart_is_valid_vega_lite_and_json(name):
    altair.LayerChart.from_dict(chart_of(name), validate=True)
    assert json.loads(json.dumps(chart_of(name), allow_nan=False)) == chart_of(name)


@ALL
def test_words_are_large_and_in_the_themes_ink_which_the_browser_knows(name):
    config = chart_of(name)["config"]
    ink = INK.to_dict()
    assert [config["axis"][f"{which}Color"] for which in ("label", "title")] == [ink, ink]
    assert config["legend"]["labelColor"] == ink
    assert config["axis"]["labelFontSize"] == config["axis"]["titleFontSize"] == 16
    assert min(values(chart_of(name), "fontSize"), default=13) >= 13


@ALL
def test_no_colour_is_of_one_theme(name):
    written = json.dumps(chart_of(name))
    for of_both in (INK, *PARTS.values(), *SIGNS.values()):
        written = written.replace(json.dumps(of_both.to_dict()), "")
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}", written)) <= {GREY}


@ALL
def test_a_colour_means_one_variant_or_one_part_in_every_chart(name):
    for color in values(chart_of(name), "color"):
        if isinstance(color, dict) and color.get("field") in ("label", "group"):
            domain, names = color["scale"]["domain"], {"label": VARIANTS, "group": list(PARTS)}
            assert domain[: len(names[color["field"]])] == names[color["field"]]
            assert (color["field"] == "group") == ("range" in color["scale"])


def test_other_variants_than_those_offered_have_colours_of_their_own():
    labels = ["fp32", "fp32 (2)", "fp16 LSTM"]
    for color in values(compare.block_times(timed(labels, [[0.1, 0.2]] * 3)), "color"):
        assert color["scale"]["domain"] == [*VARIANTS, "fp16 LSTM", "fp32 (2)"]


def test_what_quantization_does_not_reach_is_outlined_and_nothing_else():
    (outlines,) = (
        layer["data"]["values"]
        for layer in chart_of("marked parts")["layer"][0]["layer"]
        if "strokeDash" in layer["mark"]
    )
    spans = [(row["label"], row["group"], row["start"], row["end"]) for row in outlines]
    assert spans == [
        ("fp32", "embedding", 0.0, 68.0),
        ("fp32", "LSTM", 68.0, pytest.approx(73.2)),
    ]


def test_the_tutorials_figures_are_lines_across_the_bars_with_their_own_label():
    *_, names, lines, said = chart_of("three bars")["layer"][0]["layer"]
    assert lines["mark"]["type"] == "tick" and lines["mark"]["height"] > THICKNESS
    assert said["encoding"]["text"]["field"] == "words"
    (words,) = {step["calculate"] for step in said["transform"] if "calculate" in step}
    assert words == "'tutorial ' + format(datum.reference, '.1f')"
    assert names["encoding"]["text"]["field"] == "label"


def test_a_number_stands_behind_a_line_that_would_cross_it():
    chart = bars(THREE, [1.0, 2.0, 3.0], [None, 1.9, 3.1])
    assert [row["end"] for row in rows(chart)] == [1.0, 2.0, 3.1]
    (domain,) = {x["scale"]["domain"][1] for x in values(chart, "x") if "scale" in x}
    assert domain > 3.1 * 1.3  # room for it


def test_words_that_a_line_crosses_have_a_ground_of_their_own():
    behind, words = chart_of("speed-ups")["layer"][0]["layer"][-2:]
    assert behind["mark"]["stroke"] == {"expr": "background"} and behind["mark"]["strokeWidth"] > 3
    assert behind["encoding"]["text"] == words["encoding"]["text"]


@pytest.mark.parametrize(
    ("name", "channel", "most"),
    [
        ("two bars", "x", 113.9),
        ("no bars yet", "x", 113.9),
        ("speed-ups", "x", 2.2),
        ("block times", "x", 2),
        ("changes", "x", 0.5),
        ("trade-off", "x", 114),
        ("trade-off", "y", 0.007),
        ("race", "x", 400),
        ("parts", "x", 107.5),
        ("next words", "x", 0.2),
    ],
)
def test_an_axis_ends_at_the_data_though_words_stand_beyond(name, channel, most):
    chart = chart_of(name)
    ticks = [
        tick
        for value in values(chart, channel)
        if isinstance(value, dict)
        for tick in (value.get("axis") or {}).get("values", [])
    ]
    assert ticks and max(ticks) <= most and len(set(ticks)) <= 7
    assert chart["config"]["axis"]["labelFlush"] is False
    assert chart["config"]["axis"]["domain"] is False


def test_a_run_side_by_side_keeps_the_colours_of_its_variants():
    found = results(["fp32", "int8 LSTM", "int8 LSTM"], [1.0, 2.0, 3.0], [None] * 3)
    named = [{**row, "name": f"{i}: {row['label']}"} for i, row in enumerate(found)]
    shown = {(row["name"], row["label"]) for row in rows(compare.speedups(named)) if "name" in row}
    assert shown == {("1: int8 LSTM", "int8 LSTM"), ("2: int8 LSTM", "int8 LSTM")}


@pytest.mark.parametrize("number", [2, 3, 8])
def test_each_change_stands_left_or_right_of_its_own_bar_at_any_number(number):
    labels = VARIANTS[:number]
    chart = compare.changes(labels, {"size": [1.0] * number, "loss": [1.0] * number})
    bars, numbers = chart["layer"][0]["layer"]
    for layer in (bars, numbers):  # no layer may have rows or a scale of its own
        assert "transform" not in layer and "data" not in layer
    (places,) = {tuple(layer["encoding"]["y"]["scale"]["domain"]) for layer in (bars, numbers)}
    assert len(places) == 2 * number  # a row a bar, and one a measure
    assert not any("yOffset" in layer["encoding"] for layer in (bars, numbers))
    assert numbers["mark"]["align"] == {"expr": "datum.change < 0 ? 'right' : 'left'"}


def test_names_beside_lines_are_apart_where_the_lines_meet():
    chart = compare.block_times(timed(THREE, [[0.001, 0.001], [0.001, 0.001], [0.01, 0.01]]))
    places = sorted(row["place"] for row in rows(chart) if "place" in row)
    gap = 18 / (chart["height"] - 70) * 10.0  # 18 pixels, in milliseconds
    assert places == pytest.approx([1.0, 1.0 + gap, 10.0])


def test_changes_are_against_the_first():
    told = {(row["measure"], row["label"]): row["text"] for row in rows(chart_of("changes"))}
    assert told[("size", "int8 LSTM")] == "−50.0%"
    assert told[("size", "fp16 LSTM + Linear")] == "+50.0%"
    assert told[("time", "int8 LSTM")] == "0.0%"


def test_shares_of_a_word_have_as_many_digits_as_it_takes_to_tell_them_apart():
    shares = {"the": (0.3, 0.2), "old": (0.00211, 0.00213), "sea": (0.001, 0.001)}
    assert [row["text"] for row in rows(chart_of_candidates(draws(shares), TWO))] == [
        *("▸ 30.0%", "▸ 20.0%"),
        *("0.211%", "0.213%"),
        *("0.1%", "0.1%"),
    ]


def test_a_dips_number_is_below_its_line():
    chart = inspect.errors_by_layer(errors(TWO[1:], [40.0, 20.0, 30.0, 25.0]), TWO[1:])
    numbers = chart["layer"][0]["layer"][1:]
    above, below = ([row["part"] for row in number["data"]["values"]] for number in numbers)
    assert below == ["LSTM 1"] and above == ["LSTM 0", "LSTM 2", "LSTM 3"]


def test_equal_errors_of_several_variants_lie_beside_one_another():
    labels = VARIANTS[1:8]
    for chart, offset in (
        (inspect.errors_by_layer(errors(labels, [40.0, 20.0]), labels), "xOffset"),
        (inspect.matrix_errors(errors(labels, [40.0, 20.0]), labels), "yOffset"),
    ):
        places = [value["scale"]["domain"] for value in values(chart, offset)]
        assert places and all(place == labels for place in places)


def test_a_huge_interval_is_drawn_wide_with_an_arrow_but_does_not_flatten_the_curves():
    wide = [{**row, "high": row["high"] and 1e6} for row in curves(TWO, [1, 5, 25])]
    chart = sweep.curves(wide, TWO, [1, 5, 25], "speedup", knob="k")
    top = max(max(y["scale"]["domain"]) for y in values(chart, "y") if "scale" in y)
    assert 2.0 * sweep.WIDEST <= top < 2.0 * sweep.WIDEST * 1.5
    arrows = [value for value in values(chart, "shape") if value == "triangle-up"]
    assert arrows and f"datum.high > {top}" in json.dumps(chart)


def test_equal_speed_has_a_tick_even_if_every_variant_is_faster():
    chart = sweep.curves(curves(TWO, [1, 5]), TWO, [1, 5], "speedup", knob="k")
    axes = [y["axis"]["values"] for y in values(chart, "y") if y.get("axis")]
    assert axes and all(1.0 in ticks for ticks in axes)


def test_cpu_time_is_a_dashed_line_within_the_chart():
    chart = sweep.curves(curves(TWO, [1, 4, 16]), TWO, [1, 4, 16], "elapsed_ms", knob="k")
    marks = [layer for layer in chart["layer"][0]["layer"] if layer["mark"]["type"] == "line"]
    lines = {mark["encoding"]["y"]["field"]: "strokeDash" in mark["mark"] for mark in marks}
    assert lines == {"elapsed_ms": False, "cpu_ms": True}
    assert max(max(y["scale"]["domain"]) for y in values(chart, "y") if "scale" in y) > 19.0


def test_an_undecided_point_is_a_ring():
    chart = sweep.curves(curves(TWO, [1, 5]), TWO, [1, 5], "speedup", knob="k")
    (dots,) = (value for value in values(chart, "fill") if "condition" in value)
    assert dots["condition"]["test"] == "datum.verdict === 'undecided'"
    assert dots["condition"]["value"] == {"expr": "background"}


def test_a_word_that_stands_twice_has_a_bar_at_each_place():
    found = [row["name"] for row in rows(chart_of("ranges")) if "name" in row]
    assert found == ["000the", "001bridge", "002the", "003's"]


def test_two_bits_make_a_staircase_of_four_steps_with_0_on_one():
    stored = [row["stored"] for row in rows(chart_of("staircase")) if row["weight"] < 0.76][2:]
    assert sorted({*stored}) == [-1.0, -0.5, 0.0, 0.5]


def test_products_are_told_with_their_formula_and_the_sum_so_far():
    second = next(row for row in rows(chart_of("products")) if row["column"] == 1)
    assert (second["formula"], second["running"]) == ("-3 × 20 = -60", "-40")
    assert (second["sign"], second["size"]) == ("below 0", 60)


def test_names_of_the_trade_off_are_on_one_line_on_a_page_and_on_several_on_a_phone():
    every = [" / ".join(row["text"]) for row in rows(chart_of("trade-off")) if "up" in row]
    page, phone = (set(every[: len(every) // 2]), set(every[len(every) // 2 :]))
    assert page == {"fp32", "int8 LSTM + Linear, 2.6×", "int8 LSTM + Linear, qnnpack, 2.6×"}
    assert "int8 LSTM + / Linear, qnnpack, / 2.6×" in phone and len(phone) == 3


def test_names_are_within_the_plot_and_apart_where_the_dots_meet():
    named = [(10.0, 50.0), (190.0, 50.0), (190.0, 52.0), (190.0, 99.0)]
    texts = [["first"], ["second"], ["third"], ["on two", "lines"]]
    boxes = []
    for (x, y), lines, (align, up) in zip(
        named, texts, apart(named, texts, named, 200, 100), strict=True
    ):
        wide = LETTER * max(map(len, lines))
        left = x + BESIDE if align == "left" else x - BESIDE - wide
        boxes.append((left, y + up, left + wide, y + up + LINE * len(lines)))
    assert all(box[0] >= 0 and box[2] <= 200 and box[1] >= 0 and box[3] <= 100 for box in boxes)
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            apart_across = one[2] <= other[0] or other[2] <= one[0]
            assert apart_across or one[3] <= other[1] or other[3] <= one[1]


def test_the_front_has_rings_and_no_line_that_could_cross_a_name():
    chart = chart_of("trade-off")
    marks = [layer["mark"] for layer in chart["layer"][0]["layer"]]
    assert not [mark for mark in marks if mark["type"] in ("line", "trail")]
    assert [row["label"] for row in rows(chart) if row.get("front")][:1] == ["fp32"]


def test_the_model_is_drawn_to_scale():
    embedding, lstm = rows(chart_of("to scale"))[:2]
    assert (embedding["top"], embedding["above"]) == (4.0, 8.0)
    assert embedding["end"] - embedding["start"] == 4.0  # its area is its megabytes
    assert lstm["start"] > embedding["whole"] == embedding["start"] + 8.0

"""The themes' colours: enough of them, visible, and apart for colour-blind eyes too."""

import math
import re
import tomllib
from itertools import combinations

import pytest

from helpers.driver import ROOT
from view.sample.word_strip import WARM
from view.shared.charts import PARTS, SIGNS, VARIANTS

THEMES = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
# What eyes without one kind of cone see of linear RGB. Source: Machado, Oliveira and Fernandes
# 2009, "A Physiologically-based Model for Simulation of Color Vision Deficiency", severity 1.
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# Those that are seen together most often.
OFTEN = (
    "fp32",
    "int8 LSTM + Linear",
    "int8 LSTM",
    "int8 Linear",
    "int8 all",
    "ORT fp32",
    "ORT int8 all",
)
CAPTION = 0.6  # Streamlit's opacity of captions
BOTH = pytest.mark.parametrize("theme", ["light", "dark"])


def linear(color: str) -> list[float]:
    shares = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]


def luminance(color: str) -> float:
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(color), strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def times(matrix: tuple, vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def oklab(rgb: list[float]) -> list[float]:
    """Where distances are as eyes judge them. Source: Ottosson 2020, "OKLab"."""
    cones = times(
        (
            (0.4122214708, 0.5363325363, 0.0514459929),
            (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        ),
        [min(1.0, max(0.0, share)) for share in rgb],
    )
    return times(
        (
            (0.2104542553, 0.7936177850, -0.0040720468),
            (1.9779984951, -2.4285922050, 0.4505937099),
            (0.0259040371, 0.7827717662, -0.8086757660),
        ),
        [cone ** (1 / 3) for cone in cones],
    )


def apart(one: str, other: str) -> float:
    """How far two colours are apart for the eyes that tell them apart worst."""
    return min(
        math.dist(*(oklab(times(eye, linear(color))) for color in (one, other)))
        for eye in EYES.values()
    )


def seen_apart(one: str, other: str) -> float:
    """How far two colours are apart for eyes with all cones."""
    return math.dist(*(oklab(linear(color)) for color in (one, other)))


def mixed(one: str, other: str, share: float) -> str:
    """Return a share of one colour over another."""
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


@BOTH
def test_words_have_enough_contrast(theme):
    colors = THEMES[theme]
    text, primary = colors["textColor"], colors["primaryColor"]
    for ground in (colors["backgroundColor"], colors["secondaryBackgroundColor"]):
        assert contrast(text, ground) >= 4.5
        assert contrast(mixed(text, ground, CAPTION), ground) >= 4.5
    assert contrast(primary, "#ffffff") >= 4.5  # Streamlit writes white on it in both themes
    assert contrast(primary, colors["backgroundColor"]) >= 4.5  # the name of the open tab


@BOTH
def test_each_variant_that_pages_offer_has_a_colour_of_its_own_and_so_have_two_others(theme):
    colors = THEMES[theme]["chartCategoricalColors"]
    assert len(set(colors)) == len(colors) == len(VARIANTS) + 2


@BOTH
def test_colours_are_visible_and_apart_for_colour_blind_eyes_too(theme):
    colors, ground = (THEMES[theme][key] for key in ("chartCategoricalColors", "backgroundColor"))
    assert min(contrast(color, ground) for color in colors) >= 4.5  # words have them, too
    pairs = {pair: apart(*pair) for pair in combinations(colors, 2)}
    assert min(pairs.values()) > 0.055
    often = [colors[VARIANTS.index(label)] for label in OFTEN]
    assert min(apart(*pair) for pair in combinations(often, 2)) > 0.1
    # Nor do two look alike to other eyes, such as two shades of orange.
    assert min(seen_apart(*pair) for pair in combinations(colors, 2)) > 0.1
    assert min(seen_apart(*pair) for pair in combinations(often, 2)) > 0.15


@BOTH
def test_the_parts_of_a_model_and_divergence_have_colours_of_no_variant(theme):
    place = ("light", "dark").index(theme)
    parts = [re.findall(r"#\w+", color.to_dict()["expr"])[place] for color in PARTS.values()]
    colors = THEMES[theme]["chartCategoricalColors"]
    assert min(apart(part, color) for part in [*parts, WARM] for color in colors) > 0.035
    assert min(apart(*pair) for pair in combinations(parts[:3], 2)) > 0.15


@BOTH
def test_values_above_and_below_0_have_neither_fp32s_nor_int8s_color(theme):
    place = ("light", "dark").index(theme)
    signs = [re.findall(r"#\w+", color.to_dict()["expr"])[place] for color in SIGNS.values()]
    fp32, int8, *_ = THEMES[theme]["chartCategoricalColors"]
    assert min(apart(*pair) for pair in combinations([*signs, fp32, int8], 2)) > 0.06

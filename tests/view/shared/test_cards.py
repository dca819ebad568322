"""Cards: what a size and its change are called."""

import pytest
from streamlit.proto.Metric_pb2 import Metric
from streamlit.testing.v1 import AppTest

from helpers.waiting import PATIENCE


def draw(size, baseline):
    import streamlit as st

    from view.shared.cards import size_card

    size_card(st, size, baseline)


@pytest.mark.parametrize(
    ("size", "label", "value", "change", "color"),
    [
        (79_738_939, "Size, MB", "79.7", "-30%", Metric.MetricColor.GREEN),
        (130_000_000, "Size, MB", "130.0", "+14%", Metric.MetricColor.RED),
        (113_950_000, "Size, MB", "114.0", "the same", Metric.MetricColor.GRAY),
    ],
)
def test_a_size_says_its_unit_and_a_change_that_does_not_show_is_no_alarm(
    size, label, value, change, color
):
    kwargs = {"size": size, "baseline": 113_944_455}
    page = AppTest.from_function(draw, kwargs=kwargs, default_timeout=PATIENCE).run()
    (card,) = page.metric
    assert (card.label, card.value, card.delta) == (label, value, change)
    assert card.proto.color == color

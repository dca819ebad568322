"""What tests of several pages show."""

import pytest

from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec


@pytest.fixture
def result(queue) -> dict:
    """A finished comparison of the tiny model."""
    *_, last = compare(CompareSpec(model="tiny", text="short", tokens=100))
    return last.measured.to_json()

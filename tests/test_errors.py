"""The checks and words that all errors share."""

import math
from pathlib import Path

import pytest

from wlm.errors import (
    CheckpointError,
    SettingError,
    allowed_unless,
    called,
    check_range,
    parse_whole,
)


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (1, 1, 3, True),
        (3, 1, 3, True),
        (4, 1, 3, False),
        (1.0, 1, 3, False),  # whole bounds admit whole numbers only
        (2, 1.0, 3.0, True),
        (True, 0, 3, False),
        (math.nan, 0.0, 1.0, False),
        (math.inf, 0.0, 1e300, False),
        ("2", 1, 3, False),
        (None, 1, 3, False),
    ],
)
def test_a_value_is_in_a_range_of_its_kind(value, low, high, expected):
    assert (not allowed_unless(value, low, high)) is expected


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (1, 1_000, "a whole number from 1 to 1,000"),
        (0.5, 86_400.0, "a number from 0.5 to 86,400.0"),
        (-1e300, 1e300, "a number from -1e+300 to 1e+300"),
    ],
)
def test_a_range_reads_aloud(low, high, words):
    assert allowed_unless(None, low, high) == words


@pytest.mark.parametrize(("value", "shown"), [(4_000, "4,000"), (True, "True"), ("x", "'x'")])
def test_what_is_out_of_range_is_named_with_the_range_and_the_value(value, shown):
    with pytest.raises(SettingError) as caught:
        check_range("threads", value, 1, 8, hint="this machine's CPUs")
    expected = f"threads must be a whole number from 1 to 8 (this machine's CPUs), got {shown}"
    assert str(caught.value) == expected


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1 ", "1_000", "٣", "1234567890"])
def test_a_whole_number_is_plain_digits_and_few(text):
    assert parse_whole(text) is None
    assert parse_whole("0012") == 12


def test_messages_name_files_as_their_owner_does():
    with (
        pytest.raises(CheckpointError, match=r"^'mine.pth' is damaged$"),
        called({Path("/tmp/x"): "mine.pth"}),
    ):
        raise CheckpointError("'/tmp/x' is damaged")

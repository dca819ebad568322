"""Results that are equal up to rounding."""

import math


def assert_close(said, found) -> None:
    """Numbers may differ in their last digits, from machine to machine."""
    if isinstance(found, dict):
        assert said.keys() == found.keys()
        for key in found:
            assert_close(said[key], found[key])
    elif isinstance(found, list):
        for one, other in zip(said, found, strict=True):
            assert_close(one, other)
    elif isinstance(found, float):
        assert math.isclose(said, found, rel_tol=1e-9)
    else:
        assert said == found

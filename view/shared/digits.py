"""As many digits as it takes to see a difference."""

from collections.abc import Iterable


def decimals(values: Iterable[float], least: int, most: int) -> int:
    """Return how many decimals tell all different values apart, from `least` to `most`."""
    different = set(values)
    for number in range(least, most):
        if len({f"{value:.{number}f}" for value in different}) == len(different):
            return number
    return most

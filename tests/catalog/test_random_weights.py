"""Models of random weights: their sizes and names."""

import pytest
import torch

from wlm.catalog.open import open_model
from wlm.catalog.registry import MOST_HIDDEN, random_hidden
from wlm.errors import SettingError
from wlm.measuring.comparison import CompareSpec


def test_random_weights_have_the_asked_size_and_are_always_the_same():
    before = torch.random.get_rng_state()
    first, again = open_model("random-4"), open_model("random-4")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.model.config.nhid == 4 and len(first.vocabulary) == 33_278
    pairs = zip(first.model.parameters(), again.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "name", ["random-", "random-x", "random-../etc", "random-0", f"random-{MOST_HIDDEN + 1}"]
)
def test_names_of_random_models_are_checked_before_anything_is_made(name):
    with pytest.raises(SettingError, match=r"random-256|hidden size"):
        CompareSpec(model=name)
    assert random_hidden("wikitext2-lstm") is None

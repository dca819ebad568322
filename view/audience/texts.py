"""The texts of a room's rounds, written when it opens."""

import random

from view.sample.blind_test import OPENINGS, draw_pair
from wlm.audience.room import ROUNDS, Room
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.sampling.words import SampleSettings
from wlm.text.wikitext import tokenize

TEMPERATURE = 0.8


def make_room(host: str) -> Room:
    """Write the texts of all rounds with both models, so that nobody waits on the stage."""
    pairs = []
    for opening in random.SystemRandom().sample(OPENINGS, ROUNDS):
        prompt = tuple(tokenize(opening))
        settings = SampleSettings(TEMPERATURE, prompt=prompt, allow_eos=False)
        pairs.append(draw_pair(DEFAULT_MODEL, settings))
    return Room(host, tuple(pairs))

"""What a text goes on from where there is no prompt."""

from wlm.text.vocabulary import EOS, Vocabulary

TITLE, SENTENCE, ANY = STARTS = ("A title", "A sentence's end", "Any word")
# Articles' first words; the last two follow the title. One a seed, in turn, so that an address
# fixes it.
OPENINGS = (
    "The White Tower was a",
    "The Old Bridge is a",
    "Hurricane Charles was a",
    "HMS Black Horse was a",
    "North Island Lighthouse is a",
    "The Last Summer is a",
    "Castle Hill Abbey was a",
    "The London Opera Company was a",
)


def opening(vocabulary: Vocabulary, start: str, seed: int) -> tuple[str, ...]:
    """Return the words to be read first: a title and how its article begins, or a sentence's end,
    as far as the vocabulary has their words; none for a random word."""
    words = OPENINGS[seed % len(OPENINGS)].split()
    title = ("=", *words[:-2], "=", EOS, EOS, *words)
    tried = {TITLE: (title, (".",)), SENTENCE: ((".",),)}.get(start, ())
    return next((each for each in tried if all(word in vocabulary for word in each)), ())

"""What a text goes on from where there is no prompt."""

from wlm.text.vocabulary import EOS, Vocabulary

TITLE, SENTENCE, ANY = STARTS = ("A title", "A sentence's end", "Any word")
# A title and an article's first word after it; one a seed, in turn, so that an address fixes it.
OPENINGS = (
    "The Old Bridge is",
    "The White Tower was",
    "Hurricane Charles was",
    "HMS Black Horse was",
    "North Island Lighthouse is",
    "The Last Summer is",
    "Castle Hill Abbey was",
    "The London Opera Company was",
)


def opening(vocabulary: Vocabulary, start: str, seed: int) -> tuple[str, ...]:
    """Return the words to be read first: a title and how its article begins, or a sentence's end,
    as far as the vocabulary has their words; none for a random word."""
    words = OPENINGS[seed % len(OPENINGS)].split()
    title = ("=", *words[:-1], "=", EOS, EOS, *words)
    tried = {TITLE: (title, (".",)), SENTENCE: ((".",),)}.get(start, ())
    return next((each for each in tried if all(word in vocabulary for word in each)), ())

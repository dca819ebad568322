"""Words and texts: vocabularies, corpora, and WikiText's way of writing."""

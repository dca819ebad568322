"""The parts of the page How."""

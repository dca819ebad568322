"""From a text to weights."""

"""Text drawn from a model, word by word."""

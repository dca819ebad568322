"""A variant of a model, and what makes and runs it."""

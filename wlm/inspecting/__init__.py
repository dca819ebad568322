"""Where a model's bytes, time and error are, part by part."""

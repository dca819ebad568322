"""The fair comparison: loss, time and size of several variants in turn."""

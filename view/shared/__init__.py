"""The parts that all pages draw with."""

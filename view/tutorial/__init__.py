"""The parts of the page Tutorial."""

"""A clock for tests of code that measures time."""


class StillClock:
    """Stands still until a test changes `now`; takes the place of the module `time`."""

    def __init__(self, now: float = 100.0):
        self.now = now

    def monotonic(self) -> float:
        """Return the current time in seconds."""
        return self.now

"""With this folder on PYTHONPATH the clock of every Python process steps back by an hour, three
seconds after its start and every ten seconds from then on: nothing may count on it."""

import time

_EVERY_S, _FIRST_S, _STEP_S = 10.0, 3.0, 3600.0
_now, _started = time.time, time.monotonic()


def _stepping() -> float:
    steps = (time.monotonic() - _started - _FIRST_S) // _EVERY_S + 1
    return _now() - _STEP_S * max(0.0, steps)


time.time = _stepping

"""Results that nobody measured, as JSON."""


def point(value: int, speedup: float, ends: list[float] | None, *, host: str = "aa") -> dict:
    """A comparison's JSON as far as sweeps read it."""
    verdict = "undecided" if ends is None else "slower" if ends[1] < 1 else "faster"
    rows = [("fp32", 1.0, None, "baseline"), ("int8", speedup, ends, verdict)]
    return {
        "machine": {"cpu": "Test CPU", "cpus": 2, "host": host},
        "results": [
            {
                "variant": name,
                "label": name,
                "tokens_per_s": 100.0 * value * ratio,
                "speedup": ratio,
                "speedup_ci95": interval,
                "verdict": verdict,
            }
            for name, ratio, interval, verdict in rows
        ],
    }

"""Results that nobody measured, as JSON."""


def point(
    value: int,
    speedup: float,
    ends: list[float] | None,
    *,
    host: str = "aa",
    spread: float = 0.01,
) -> dict:
    """A comparison's JSON as far as sweeps read it."""
    low, high = ends or (0.0, 2.0)
    verdict = "slower" if high < 1 else "faster" if low > 1 else "undecided"
    rows = [("fp32", 1.0, None, "baseline"), ("int8", speedup, ends, verdict)]
    return {
        "machine": {"cpu": "Test CPU", "cpus": 2, "host": host},
        "warnings": [],
        "results": [
            {
                "variant": name,
                "label": name,
                "tokens_per_s": 100.0 * value * ratio,
                "speedup": ratio,
                "speedup_ci95": interval,
                "verdict": verdict,
                "spread": spread,
                "cpu_share": 1.0,
            }
            for name, ratio, interval, verdict in rows
        ],
    }

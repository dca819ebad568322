"""The charts of a sweep, in Altair: a curve per variant, its interval as a band."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from charts import LABEL_SIZE, readable

WIDE_RANGE = 6  # from here on, largest over smallest value, steps are even on a log axis only


def speedup_curves(
    rows: list[dict], labels: list[str], values: Sequence[int], *, knob: str, ink: str
) -> alt.LayerChart:
    """Return each variant's speed-up over the knob's values, with its 95% interval as a band, on a
    log axis where 1 is marked.

    `rows` are those of `wlm.sweep.curves`, as many as there are yet; `labels` all variants, the
    baseline first, which has no curve but the first colour; `values` all of the knob's, ascending.
    """
    rows = [row for row in rows if row["label"] != labels[0]]
    title = f"times as fast as {labels[0]} (log scale)"
    one = alt.Chart(pd.DataFrame({"one": [1.0]}))
    rule = one.mark_rule(color=ink, strokeDash=[6, 4], size=2).encode(y="one:Q")
    return _curves(rows, labels, values, "speedup", title, knob, ink, lowest=0.8, under=[rule])


def token_curves(
    rows: list[dict], labels: list[str], values: Sequence[int], *, knob: str, ink: str
) -> alt.LayerChart:
    """Return each variant's tokens per second over the knob's values, on a log axis."""
    return _curves(rows, labels, values, "tokens_per_s", "tokens per second (log scale)", knob, ink)


def _curves(
    rows: list[dict],
    labels: list[str],
    values: Sequence[int],
    measure: str,
    title: str,
    knob: str,
    ink: str,
    *,
    lowest: float | None = None,
    under: list[alt.Chart] | None = None,
) -> alt.LayerChart:
    data = pd.DataFrame(rows)
    first, last = values[0], values[-1]
    scale = "log" if last >= WIDE_RANGE * first else "linear"
    # Room to the right for the names of the curves.
    room = last * (last / first) ** 0.55 if scale == "log" else last + 0.55 * max(1, last - first)
    x = alt.X(
        "value:Q",
        title=knob.replace(", log scale", "") if scale == "linear" else knob,
        scale=alt.Scale(type=scale, domain=[first, max(room, first + 1)], nice=False),
        axis=alt.Axis(values=list(values), format="d", labelOverlap=True),
    )
    columns = [measure, "low", "high"] if measure == "speedup" else [measure]
    extent = data[columns].to_numpy(float).flatten()
    low, high = pd.Series(extent).min(), pd.Series(extent).max()
    domain = [min(low * 0.85, lowest or low), max(high * 1.25, low * 2)]
    y = alt.Y(
        f"{measure}:Q",
        title=title,
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=alt.Axis(values=_ticks(*domain), format="~s" if high >= 1000 else "~g"),
    )
    color = alt.Color("label:N", scale=alt.Scale(domain=labels), legend=None)
    base = alt.Chart(data).encode(x=x, color=color)
    layers = list(under or [])
    if measure == "speedup":
        known = base.transform_filter("isValid(datum.low)")
        layers.append(
            known.mark_area(opacity=0.25).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
        )
        # A band is invisible where it is narrow, or where its neighbours have none.
        layers.append(known.mark_rule(size=3).encode(y="low:Q", y2="high:Q"))
    tooltip = ["label:N", alt.Tooltip("value:Q", title=knob), *(f"{each}:Q" for each in columns)]
    layers.append(base.mark_line(strokeWidth=3).encode(y=y))
    layers.append(base.mark_point(filled=True, size=110, opacity=1).encode(y=y, tooltip=tooltip))
    names = pd.DataFrame(_names(rows, measure, domain))
    words = {"align": "left", "dx": 12, "fontSize": LABEL_SIZE, "fontWeight": 600}
    layers.append(alt.Chart(names).mark_text(**words).encode(x=x, y=y, text="label:N", color=color))
    return readable(alt.layer(*layers).properties(height=380), ink)


def _names(rows: list[dict], measure: str, domain: list[float]) -> list[dict]:
    """Where each curve's name goes: at its last point, moved up where it would cover another."""
    ends = {row["label"]: row for row in rows}
    step = (domain[1] / domain[0]) ** 0.075  # a line's height on the log axis
    placed: list[dict] = []
    for row in sorted(ends.values(), key=lambda row: row[measure]):
        height = max(row[measure], placed[-1][measure] * step if placed else 0.0)
        placed.append({"label": row["label"], "value": row["value"], measure: height})
    return placed


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, close enough to read a log axis."""
    steps = (1, 2, 5) if high / low > 4 else (1, 1.5, 2, 3, 4, 5, 6, 8)
    ticks = [step * 10.0**power for power in range(-3, 8) for step in steps]
    return [tick for tick in ticks if low <= tick <= high]

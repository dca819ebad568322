"""The charts of the Sample page: text and strip coloured by divergence, and next words."""

import altair as alt
import pandas as pd

from view.shared.charts import GREY, LABEL_SIZE, readable

TEXT_SIZE = 17  # of the words that are a chart; a monospaced letter is 0.6 as wide
LETTER = 0.6 * TEXT_SIZE
WARM = "#e69f00"  # Okabe and Ito's orange: visible under dark and light ink


def divergence_text(words: pd.DataFrame, labels: list[str], *, ink: str) -> alt.LayerChart:
    """Return the text as a chart: the more the models differ on a word, the more orange it is.

    `words` has a row a word: `place` from 1, `word`, `kl` (the largest, in nats), and for each
    label its probability as text in the column of that name. A click selects `place`; the lines
    break at the chart's width, whatever it is.
    """
    # Where a word starts if all stood in one line; which line that is, the browser knows.
    starts = words["word"].str.len().add(1).cumsum().shift(fill_value=0)
    letters = f"max(12, floor(width / {LETTER}) - 12)"  # room for the last word of a line
    base = (
        alt.Chart(words.assign(start=starts))
        .transform_calculate(line=f"floor(datum.start / {letters})")
        .transform_joinaggregate(first="min(start)", groupby=["line"])
        .transform_calculate(
            left=f"(datum.start - datum.first) * {LETTER}",
            right=f"(datum.start - datum.first + length(datum.word)) * {LETTER}",
        )
    )
    x = alt.X("left:Q", axis=None, scale=alt.Scale(domain=alt.ExprRef("[0, width]"), nice=False))
    y = alt.Y("line:O", axis=None, scale=alt.Scale(padding=0.08))
    tooltip = [
        alt.Tooltip("word:N"),
        *(alt.Tooltip(f"{label}:N", title=f"probability, {label}") for label in labels),
        alt.Tooltip("kl:Q", title="divergence, nats", format=".4f"),
    ]
    chosen = alt.selection_point(name="place", fields=["place"], on="click", empty=False)
    back = (
        base.mark_rect(cornerRadius=3, color=WARM, cursor="pointer", strokeWidth=2)
        .encode(
            x=x,
            x2="right:Q",
            y=y,
            fillOpacity=alt.FillOpacity(
                "kl:Q", scale=alt.Scale(type="sqrt", range=[0.0, 0.85]), legend=None
            ),
            stroke=alt.condition(chosen, alt.value(ink), alt.value("transparent")),
            tooltip=tooltip,
        )
        .add_params(chosen)
    )
    front = base.mark_text(
        align="left",
        baseline="middle",
        font="Source Code Pro, monospace",
        fontSize=TEXT_SIZE,
        color=ink,
        cursor="pointer",
    ).encode(x=x, y=y, text="word:N", tooltip=tooltip)
    chart = alt.layer(back, front).properties(height=alt.Step(30))
    return chart.configure_view(stroke=None)


def divergence_strip(
    points: pd.DataFrame, labels: list[str], departures: dict[str, int], *, ink: str
) -> alt.LayerChart:
    """Return a thin line a variant along the text, and a mark where its own text departs.

    `points` has a row a word and variant: `place` from 1, `word`, `label`, `kl` in nats;
    `departures` gives places by label. The first of the labels is the baseline, without a line.
    """
    last = int(points["place"].max())
    x = alt.X(
        "place:Q",
        title="word",
        scale=alt.Scale(domain=[1, max(2, last)], nice=False),
        axis=alt.Axis(tickMinStep=1, format="d"),
    )
    y = alt.Y("kl:Q", title="nats", stack=None, axis=alt.Axis(tickCount=3))
    color = alt.Color(
        "label:N",
        scale=alt.Scale(domain=labels),
        legend=alt.Legend(title=None, orient="top", values=labels[1:]) if len(labels) > 2 else None,
    )
    tooltip = ["place:Q", "word:N", "label:N", alt.Tooltip("kl:Q", title="nats", format=".4f")]
    lines = alt.Chart(points).mark_area(opacity=0.35, line={"strokeWidth": 1.5})
    chart = lines.encode(x=x, y=y, color=color)
    hover = alt.selection_point(fields=["place"], nearest=True, on="pointerover", empty=False)
    dots = (
        alt.Chart(points)
        .mark_point(filled=True, size=90)
        .encode(
            x=x,
            y=y,
            color=color,
            opacity=alt.condition(hover, alt.value(1), alt.value(0)),
            tooltip=tooltip,
        )
        .add_params(hover)
    )
    layers = [chart, dots]
    if departures:
        marks = pd.DataFrame(
            [{"place": place, "label": label} for label, place in departures.items()]
        )
        marks["text"] = "departs" if len(labels) == 2 else marks["label"] + " departs"
        rule = alt.Chart(marks).mark_rule(strokeDash=[6, 4], size=2)
        layers.append(rule.encode(x="place:Q", color=alt.value(ink) if len(labels) == 2 else color))
        if len(labels) == 2:
            right = marks["place"].iloc[0] < 0.85 * last
            words = alt.Chart(marks).mark_text(
                align="left" if right else "right",
                dx=6 if right else -6,
                baseline="top",
                y=0,
                color=ink,
                fontSize=14,
                fontWeight=600,
            )
            layers.append(words.encode(x="place:Q", text="text:N"))
    return readable(alt.layer(*layers).properties(height=180), ink)


def next_words(rows: pd.DataFrame, labels: list[str], *, ink: str) -> alt.LayerChart:
    """Return the probabilities of next words, a bar a label and word.

    `rows` has `word`, `label`, `probability`, and `written`, whether this label writes this word.
    """
    order = list(dict.fromkeys(rows["word"]))
    rows = rows.assign(
        text=[
            f"{'▸ ' if written else ''}{share:.1%}"
            for share, written in zip(rows["probability"], rows["written"], strict=True)
        ]
    )
    top = rows["probability"].max() * 1.3
    base = alt.Chart(rows).encode(
        x=alt.X(
            "probability:Q",
            title="probability (▸ is what it writes)",
            scale=alt.Scale(domain=[0, top], nice=False),
            axis=alt.Axis(format="~%", tickCount=4),
        ),
        y=alt.Y("word:N", sort=order, title=None, axis=alt.Axis(ticks=False, labelLimit=160)),
        yOffset=alt.YOffset("label:N", sort=labels),
        color=alt.Color(
            "label:N",
            scale=alt.Scale(domain=labels),
            legend=alt.Legend(title=None, orient="top", labelLimit=300),
        ),
        tooltip=["word:N", "label:N", alt.Tooltip("probability:Q", format=".3%")],
    )
    bars = base.mark_bar(cornerRadiusEnd=2)
    texts = base.mark_text(align="left", dx=5, fontSize=13, fontWeight=600).encode(text="text:N")
    height = 22 * len(labels) * len(order)
    return readable(alt.layer(bars, texts).properties(height=height), ink)


def reshaped(rows: pd.DataFrame, *, ink: str) -> alt.LayerChart:
    """Return one distribution as bars on a fixed scale from 0 to 1: `word`, `probability`,
    and `rest`, whether the row stands for all other words."""
    base = alt.Chart(rows).encode(
        x=alt.X(
            "probability:Q",
            title="probability of the next word",
            scale=alt.Scale(domain=[0, 1.08], nice=False),
            axis=alt.Axis(format="~%", values=[0, 0.25, 0.5, 0.75, 1]),
        ),
        y=alt.Y(
            "word:N",
            sort=list(rows["word"]),
            title=None,
            axis=alt.Axis(ticks=False, labelLimit=200),
        ),
    )
    bars = base.mark_bar(cornerRadiusEnd=3).encode(
        color=alt.condition(alt.datum.rest, alt.value(GREY), alt.Color("rest:N", legend=None))
    )
    texts = base.mark_text(align="left", dx=6, fontSize=LABEL_SIZE, fontWeight=600, color=ink)
    shares = texts.encode(text=alt.Text("probability:Q", format=".1%"))
    return readable(alt.layer(bars, shares).properties(height=30 * len(rows)), ink)

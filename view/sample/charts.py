"""The charts of the Sample page: text and strip coloured by divergence, and next words."""

import altair as alt

from view.shared.built import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    SMALL_SIZE,
    Spec,
    color_by_label,
    specification,
)

TEXT_SIZE = 17  # of the words that are a chart; a monospaced letter is 0.6 as wide
LETTER = 0.6 * TEXT_SIZE
WARM = "#e69f00"  # Okabe and Ito's orange: visible under dark and light ink
# One scale for every text: half a nat is full orange, the hundredth that int8 makes is faint.
NATS = [0.01, 0.1, 0.5]


@built_once
def divergence_text(rows: list[dict], labels: list[str]) -> Spec:
    """Return the text as a chart: the more the models differ on a word, the more orange it is.

    There is a row a word: `place` from 1, `word`, `kl` (the largest, in nats), and `shares`, each
    label's probability as text. A click selects `place`; the lines break at the chart's width,
    whatever it is.
    """
    placed, start = [], 0
    for row in rows:
        shares = {f"share{i}": share for i, share in enumerate(row["shares"])}
        own = {key: row[key] for key in ("place", "word", "kl")}
        # Where a word starts if all stood in one line; which line that is, the browser knows.
        placed.append({**own, **shares, "start": start})
        start += len(row["word"]) + 1
    letters = f"max(12, floor(width / {LETTER}) - 12)"  # room for the last word of a line
    base = (
        alt.Chart({"values": placed})
        .transform_calculate(line=f"floor(datum.start / {letters})")
        .transform_joinaggregate(first="min(start)", groupby=["line"])
        .transform_calculate(
            left=f"(datum.start - datum.first) * {LETTER}",
            right=f"(datum.start - datum.first + length(datum.word)) * {LETTER}",
        )
        .encode(
            x=alt.X(
                "left:Q", axis=None, scale=alt.Scale(domain=alt.ExprRef("[0, width]"), nice=False)
            ),
            y=alt.Y("line:O", axis=None, scale=alt.Scale(padding=0.08)),
            tooltip=[
                alt.Tooltip("word:N"),
                *(
                    alt.Tooltip(f"share{i}:N", title=f"probability, {label}")
                    for i, label in enumerate(labels)
                ),
                alt.Tooltip("kl:Q", title="divergence, nats", format=".4f"),
            ],
        )
    )
    chosen = alt.selection_point(name="place", fields=["place"], on="click", empty=False)
    back = base.mark_rect(cornerRadius=3, color=WARM, cursor="pointer").encode(
        x2=alt.X2("right:Q"),
        opacity=alt.Opacity(
            "kl:Q",
            scale=alt.Scale(type="sqrt", domain=[0, NATS[-1]], range=[0.0, 0.85], clamp=True),
            legend=alt.Legend(
                title="nats apart",
                orient="top",
                values=NATS,
                format="~g",
                symbolType="square",
                symbolSize=400,
                symbolFillColor=WARM,
                symbolStrokeColor="transparent",
                titleColor=INK,
                titleFontSize=SMALL_SIZE,
            ),
        ),
    )
    ring = base.mark_rect(cornerRadius=3, fillOpacity=0, strokeWidth=2, cursor="pointer").encode(
        x2=alt.X2("right:Q"),
        stroke=alt.when(chosen).then(alt.value(INK)).otherwise(alt.value("transparent")),
    )
    front = base.mark_text(
        align="left",
        baseline="middle",
        font="Source Code Pro, monospace",
        fontSize=TEXT_SIZE,
        fontWeight="normal",
        color=INK,
        cursor="pointer",
    ).encode(text=alt.Text("word:N"))
    return specification(alt.layer(back.add_params(chosen), ring, front), height={"step": 30})


@built_once
def divergence_strip(rows: list[dict], labels: list[str], departures: dict[str, int]) -> Spec:
    """Return a thin line a variant along the text, and a mark where its own text departs.

    There is a row a word and variant: `place` from 1, `word`, `label`, `kl` in nats;
    `departures` gives places by label. The first of the labels is the baseline, without a line.
    """
    last, single = max(row["place"] for row in rows), len(labels) == 2
    top = max(NATS[-1], *(row["kl"] for row in rows))
    x = alt.X(
        "place:Q",
        title="word",
        scale=alt.Scale(domain=[1, max(2, last)], nice=False),
        axis=alt.Axis(tickMinStep=1, format="d"),
    )
    legend = None if single else alt.Legend(title=None, orient="top", values=labels[1:])
    color = color_by_label(labels, legend)
    base = alt.Chart({"values": rows}).encode(
        x=x,
        y=alt.Y(
            "kl:Q",
            title="nats",
            stack=None,
            scale=alt.Scale(type="sqrt", domain=[0, top], nice=False),
            axis=alt.Axis(values=[0, *NATS[1:], *range(1, 10)], format="~g"),
        ),
        color=color,
    )
    hover = alt.selection_point(fields=["place"], nearest=True, on="pointerover", empty=False)
    dots = base.mark_point(filled=True, size=90).encode(
        opacity=alt.when(hover).then(alt.value(1)).otherwise(alt.value(0)),
        tooltip=[
            alt.Tooltip("place:Q"),
            alt.Tooltip("word:N"),
            alt.Tooltip("label:N"),
            alt.Tooltip("kl:Q", title="nats", format=".4f"),
        ],
    )
    layers = [
        base.mark_area(opacity=0.35, line={"strokeWidth": 1.5}),
        dots.add_params(hover),
    ]
    if departures:
        marks = [
            {"place": place, "label": label, "text": "departs"}
            for label, place in departures.items()
        ]
        base = alt.Chart({"values": marks}).encode(x=x)
        rule = base.mark_rule(strokeDash=[6, 4], size=2)
        layers.append(rule.encode(color=alt.ColorValue(INK) if single else color))
        if single:
            right = marks[0]["place"] < 0.85 * last
            side = {"align": "left", "dx": 6} if right else {"align": "right", "dx": -6}
            said = base.mark_text(**side, baseline="top", y=0, color=INK)
            layers.append(said.encode(text=alt.Text("text:N")))
    return specification(alt.layer(*layers), height=220)


@built_once
def reshaped(rows: list[dict]) -> Spec:
    """Return one distribution as bars on a fixed scale from 0 to 1: `word`, `probability`,
    and `rest`, whether the row stands for all other words."""
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(
            "probability:Q",
            title="probability of the next word",
            scale=alt.Scale(domain=[0, 1.08], nice=False),
            axis=alt.Axis(format="~%", values=[0, 0.25, 0.5, 0.75, 1]),
        ),
        y=alt.Y(
            "word:N",
            sort=[row["word"] for row in rows],
            title=None,
            axis=alt.Axis(ticks=False, labelLimit=200),
        ),
    )
    bars = base.mark_bar(cornerRadiusEnd=3).encode(
        color=alt.when(alt.datum.rest)
        .then(alt.value(GREY))
        .otherwise(alt.Color("rest:N", legend=None))
    )
    shares = base.mark_text(fontSize=LABEL_SIZE, align="left", dx=6, color=INK).encode(
        text=alt.Text("probability:Q", format=".1%")
    )
    return specification(alt.layer(bars, shares), height=30 * len(rows))

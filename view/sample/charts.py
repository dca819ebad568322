"""The charts of the Sample page: divergence along a text, and a distribution."""

import altair as alt

from view.shared.chart_cache import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    Spec,
    color_by_label,
    specification,
)
from wlm.quantization.variant import Variant

TICKS = [0, 0.1, 0.5, *range(1, 10)]  # nats


@built_once
def divergence_strip(
    words: list[str], nats: list[float], label: str, top: float, departure: int | None
) -> Spec:
    """Return a variant's divergence from the baseline along the text, in nats for each word, with
    the first different word marked, by its position from 0. `top` is the highest value of all
    variants, so that their charts compare."""
    rows = [
        {"place": place, "word": word, "label": label, "kl": kl}
        for place, (word, kl) in enumerate(zip(words, nats, strict=True), start=1)
    ]
    x = alt.X(
        "place:Q",
        title="word",
        scale=alt.Scale(domain=[1, max(2, len(rows))], nice=False),
        axis=alt.Axis(tickMinStep=1, format="d"),
    )
    base = alt.Chart({"values": rows}).encode(
        x=x,
        y=alt.Y(
            "kl:Q",
            title="nats (square root)",
            stack=None,
            scale=alt.Scale(type="sqrt", domain=[0, top], nice=False),
            axis=alt.Axis(
                values=[tick for tick in TICKS if tick <= top],
                format="~g",
                titleAnchor="end",  # the title is longer than the axis: there is room below
            ),
        ),
        color=color_by_label([label]),
    )
    hover = alt.selection_point(fields=["place"], nearest=True, on="pointerover", empty=False)
    dots = base.mark_point(filled=True, size=90).encode(
        opacity=alt.when(hover).then(alt.value(1)).otherwise(alt.value(0)),
        tooltip=[
            alt.Tooltip("place:Q", title="place"),
            alt.Tooltip("word:N"),
            alt.Tooltip("kl:Q", title="nats", format=".4f"),
        ],
    )
    layers = [
        base.mark_area(opacity=0.35, line={"strokeWidth": 1.5}),
        dots.add_params(hover),
    ]
    if departure is not None:
        mark = alt.Chart({"values": [{"place": departure + 1, "text": "first difference"}]})
        mark = mark.encode(x=x)
        layers.append(mark.mark_rule(strokeDash=[6, 4], size=2, color=INK))
        right = departure < 0.8 * len(rows)
        side = {"align": "left", "dx": 6} if right else {"align": "right", "dx": -6}
        name = mark.mark_text(**side, baseline="top", y=0, color=INK)
        layers.append(name.encode(text=alt.Text("text:N")))
    about = f"How far the next words of {label} differ from the baseline's, word by word."
    return specification(alt.layer(*layers), 190, about)


@built_once
def reshaped(rows: list[dict]) -> Spec:
    """Return fp32's distribution as bars on a fixed scale from 0 to 1: `word`, `probability`,
    and `rest`, whether the row is the sum of all other words."""
    labeled = [{**row, "label": Variant().label} for row in rows]
    base = alt.Chart({"values": labeled}).encode(
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
        .otherwise(color_by_label([Variant().label]))
    )
    shares = base.mark_text(fontSize=LABEL_SIZE, align="left", dx=6, color=INK).encode(
        text=alt.Text("probability:Q", format=".1%")
    )
    about = "Bars of how likely the next words are at this temperature."
    return specification(alt.layer(bars, shares), 30 * len(rows), about)

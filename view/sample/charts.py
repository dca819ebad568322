"""The charts of the Sample page: text and strip coloured by divergence, and next words."""

from view.shared.built import built_once
from view.shared.charts import (
    GREY,
    INK,
    LABEL_SIZE,
    SMALL_SIZE,
    Spec,
    category,
    chart,
    colored,
    group,
    layer,
    legend,
    mark,
    quantity,
    words,
)

TEXT_SIZE = 17  # of the words that are a chart; a monospaced letter is 0.6 as wide
LETTER = 0.6 * TEXT_SIZE
WARM = "#e69f00"  # Okabe and Ito's orange: visible under dark and light ink


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
    left = "datum.start - datum.first"
    lines = [
        {"calculate": f"floor(datum.start / {letters})", "as": "line"},
        {"joinaggregate": [{"op": "min", "field": "start", "as": "first"}], "groupby": ["line"]},
        {"calculate": f"({left}) * {LETTER}", "as": "left"},
        {"calculate": f"({left} + length(datum.word)) * {LETTER}", "as": "right"},
    ]
    place = {
        "x": quantity("left", axis=None, scale={"domain": {"expr": "[0, width]"}, "nice": False}),
        "y": {"field": "line", "type": "ordinal", "axis": None, "scale": {"padding": 0.08}},
        "tooltip": [
            category("word"),
            *(category(f"share{i}", title=f"probability, {x}") for i, x in enumerate(labels)),
            quantity("kl", title="divergence, nats", format=".4f"),
        ],
    }
    back = layer(
        mark("rect", cornerRadius=3, color=WARM, cursor="pointer", strokeWidth=2),
        **place,
        x2={"field": "right"},
        fillOpacity=quantity("kl", scale={"type": "sqrt", "range": [0.0, 0.85]}, legend=None),
        stroke={
            "condition": {"param": "place", "empty": False, "value": INK},
            "value": "transparent",
        },
    )
    back["params"] = [
        {"name": "place", "select": {"type": "point", "fields": ["place"], "on": "click"}}
    ]
    letter = {"font": "Source Code Pro, monospace", "fontSize": TEXT_SIZE, "color": INK}
    front = layer(
        mark("text", align="left", baseline="middle", cursor="pointer", **letter),
        **place,
        text=category("word"),
    )
    return chart(group(placed, back, front, transform=lines), height={"step": 30})


@built_once
def divergence_strip(rows: list[dict], labels: list[str], departures: dict[str, int]) -> Spec:
    """Return a thin line a variant along the text, and a mark where its own text departs.

    There is a row a word and variant: `place` from 1, `word`, `label`, `kl` in nats;
    `departures` gives places by label. The first of the labels is the baseline, without a line.
    """
    last, single = max(row["place"] for row in rows), len(labels) == 2
    along = {
        "title": "word",
        "scale": {"domain": [1, max(2, last)], "nice": False},
        "axis": {"tickMinStep": 1, "format": "d"},
    }
    x, color = quantity("place", **along), colored(labels)
    named = color if single else colored(labels, legend("top", values=labels[1:]))
    place = {"x": x, "y": quantity("kl", title="nats", stack=None, axis={"tickCount": 3})}
    area = layer(mark("area", opacity=0.35, line={"strokeWidth": 1.5}), **place, color=named)
    dots = layer(
        mark("point", filled=True, size=90),
        **place,
        color=named,
        opacity={"condition": {"param": "hover", "empty": False, "value": 1}, "value": 0},
        tooltip=[
            quantity("place"),
            category("word"),
            category("label"),
            quantity("kl", title="nats", format=".4f"),
        ],
    )
    near = {"type": "point", "fields": ["place"], "nearest": True, "on": "pointerover"}
    dots["params"] = [{"name": "hover", "select": near}]
    layers = [group(rows, area, dots)]
    if departures:
        marks = [
            {"place": place, "label": label, "text": "departs"}
            for label, place in departures.items()
        ]
        rule = mark("rule", strokeDash=[6, 4], size=2)
        layers.append(layer(rule, marks, x=x, color={"value": INK} if single else named))
        if single:
            right = marks[0]["place"] < 0.85 * last
            side = {"align": "left", "dx": 6} if right else {"align": "right", "dx": -6}
            said = words(**side, baseline="top", y=0, color=INK)
            layers.append(layer(said, marks, x=x, text=category("text")))
    return chart(*layers, height=180)


@built_once
def next_words(rows: list[dict], labels: list[str]) -> Spec:
    """Return the probabilities of next words, a bar a label and word.

    The rows have `word`, `label`, `probability`, and `written`, whether this label writes this
    word.
    """
    order = list(dict.fromkeys(row["word"] for row in rows))
    told = [
        {**row, "text": f"{'▸ ' if row['written'] else ''}{row['probability']:.1%}"} for row in rows
    ]
    top = max(row["probability"] for row in rows) * 1.3
    place = {
        "x": quantity(
            "probability",
            title="probability (▸ is what it writes)",
            scale={"domain": [0, top], "nice": False},
            axis={"format": "~%", "tickCount": 4},
        ),
        "y": category("word", sort=order, title=None, axis={"ticks": False, "labelLimit": 160}),
        "yOffset": category("label", sort=labels),
        "color": colored(labels, legend("top")),
        "tooltip": [
            category("word"),
            category("label"),
            quantity("probability", format=".3%"),
        ],
    }
    bars = layer(mark("bar", cornerRadiusEnd=2), **place)
    shares = layer(words(SMALL_SIZE - 1, align="left", dx=5), **place, text=category("text"))
    return chart(group(told, bars, shares), height=22 * len(labels) * len(order))


@built_once
def reshaped(rows: list[dict]) -> Spec:
    """Return one distribution as bars on a fixed scale from 0 to 1: `word`, `probability`,
    and `rest`, whether the row stands for all other words."""
    place = {
        "x": quantity(
            "probability",
            title="probability of the next word",
            scale={"domain": [0, 1.08], "nice": False},
            axis={"format": "~%", "values": [0, 0.25, 0.5, 0.75, 1]},
        ),
        "y": category(
            "word",
            sort=[row["word"] for row in rows],
            title=None,
            axis={"ticks": False, "labelLimit": 200},
        ),
    }
    color = category("rest", legend=None)
    bars = layer(
        mark("bar", cornerRadiusEnd=3),
        **place,
        color={"condition": {"test": "datum.rest", "value": GREY}, **color},
    )
    shares = layer(
        words(LABEL_SIZE, align="left", dx=6, color=INK),
        **place,
        text=quantity("probability", format=".1%"),
    )
    return chart(group(rows, bars, shares), height=30 * len(rows))

"""The results of a comparison: three cards, three charts, and how they were measured."""

import streamlit as st

from view.compare import charts
from view.compare.bars import bars_of
from view.compare.memory import memory_card
from view.compare.more import more_columns, show_more
from view.shared.cards import card, size_card
from view.shared.charts import draw_chart
from view.shared.choices import shown_name
from view.shared.dimming import is_dim, shade
from view.shared.page import plain
from view.shared.runs import show_warnings, where_measured
from wlm import tutorial
from wlm.catalog.registry import TEXT
from wlm.measuring.tradeoff import best
from wlm.measuring.wording import (
    MOST_HALF_WIDTH,
    SAME_LOSS,
    half_width,
    how_sure,
    read_as,
    sentence,
    size_unit,
)

WAITING = "–"
LOSS, SIZE, ELAPSED = "Loss, nats per token", "Size, MB", "Elapsed, s"
DRIFT = (
    "The interval holds after a restart. On a shared machine, the speed-up can also drift by a few "
    "percent within minutes, which one run does not see: run again later."
)
REFERENCES = (
    "Lines across the bars: what the tutorial published, with its own weights, on all of "
    "WikiText-2's test set and a MacBook Pro; its elapsed time is scaled to as many tokens as were "
    "read here."
)


def show_comparison(result: dict) -> None:
    """Show a comparison's JSON, which may be partial: its summary, the certainty of the speed-ups,
    and all numbers. Leave out the explanations if results are dimmed."""
    show_summary(result)
    protocol, rows = result["protocol"], result["results"]
    unknown, lead = protocol.get("unknown"), rows[best(rows)]
    if read_as(protocol) and lead["loss_known"] is not None:
        st.caption(
            f"{unknown['share']:.1%} of the words are unknown ({unknown['tokens']:,}). "
            f"Over known words alone, the loss is {lead['loss_known']:.4f} for {lead['label']} "
            f"and {rows[0]['loss_known']:.4f} for {rows[0]['label']}."
        )
    if len(rows) > 1:
        show_certainty(result)
    if is_dim():
        return
    show_more(result)
    show_table(result)
    if any(published(result)):
        st.caption(REFERENCES)
    st.caption(
        f"{protocol['tokens']:,} tokens of {plain(shown_name(TEXT, protocol['text']))}, batch size "
        f"{protocol['batch_size']}, chunks of {protocol['bptt']} tokens, "
        f"{where_measured(result)}"
    )
    if weights_read := protocol.get("weights_read"):
        st.caption(f"Weights read: {plain(weights_read)}.")


def show_summary(result: dict, large: bool = False) -> None:
    """Show a comparison's verdict in a sentence, the cards of the variant with the best trade-off,
    with their change against the baseline, and all variants in bars. `large` is for a lecture hall,
    without the warnings."""
    rows = result["results"]
    show_verdict(result, large)
    if not large:
        show_warnings(result["warnings"])
    show_cards(rows[0], rows[best(rows)], large)
    show_charts(result, large)


def show_verdict(result: dict, large: bool = False) -> None:
    """Show the verdict on a comparison's best trade-off, and why that variant leads. A slide has
    little room: a `large` verdict is in smaller type than a reader's."""
    rows = result["results"]
    lead = best(rows)
    draw = st.subheader if large else st.header
    draw(shade(sentence(result, lead)), anchor=False)
    if len(rows) > 2 and not large and not is_dim():
        loss = rows[lead]["loss"] - rows[0]["loss"]
        why = "the fastest without a higher loss" if loss < SAME_LOSS else "the lowest loss"
        st.caption(f"Best trade-off of {len(rows) - 1} variants: {why}.")


def show_cards(baseline: dict | None, chosen: dict | None, large: bool = False) -> None:
    """Show loss, size, elapsed time and, on request, memory of one variant, with dashes for values
    not measured yet. The cards name the variant, unless `large`: a lecture hall has the verdict
    right above."""
    of = chosen["label"] if chosen and not large else ""
    # Four in a row would cut off their words.
    with_memory = bool(chosen) and "memory" in chosen
    loss, size, elapsed, *memory = (
        [*st.columns(2), *st.columns(2)] if with_memory else st.columns(3)
    )
    if chosen is None or "loss" not in chosen:
        card(loss, LOSS, WAITING, of=of)
        if chosen is None:
            card(size, SIZE, WAITING)
        else:
            size_card(size, chosen["size_bytes"], baseline["size_bytes"], of=of)
        card(elapsed, ELAPSED, WAITING, of=of)
        return
    change = chosen["loss"] - baseline["loss"]
    against = f"against {baseline['label']}"
    unit, scale = size_unit([chosen["size_bytes"], baseline["size_bytes"]])
    # The bars below show the baseline's numbers in a lecture hall.
    of_loss, of_size = (
        against if large else f"{against}'s {value}"
        for value in (f"{baseline['loss']:.4f}", f"{baseline['size_bytes'] / scale:.1f} {unit}")
    )
    card(
        loss,
        LOSS,
        f"{chosen['loss']:.4f}",
        f"{change:+.4f}",  # an ASCII minus: the card would take another sign for a rise
        of=of,
        large=large,
        delta_color="off" if abs(change) < SAME_LOSS else "inverse",
        delta_description=of_loss,
        help="Mean negative log-likelihood per token: lower is better. Two losses within "
        f"{SAME_LOSS} nats count as the same: a reader would not notice.",
    )
    size_card(
        size,
        chosen["size_bytes"],
        baseline["size_bytes"],
        of=of,
        large=large,
        delta_description=of_size,
    )
    colors = {"faster": "green", "slower": "red"}
    card(
        elapsed,
        ELAPSED,
        f"{chosen['elapsed_s']:.2f}",
        _speedup(chosen),
        of=of,
        large=large,
        delta_color=colors.get(chosen["verdict"], "gray"),
        delta_description="block by block",
        help="Wall-clock time to read the text once, model and loss together; "
        f"{baseline['label']} took {baseline['elapsed_s']:.2f} s. The speed-up is the mean over "
        "pairs of blocks that were measured moments apart, also in later readings. It is surer "
        "than the ratio of the two times, and may differ from it.",
    )
    for place in memory:
        memory_card(place, chosen, baseline, of=of, large=large)


def show_charts(result: dict, large: bool = False) -> None:
    """Show one chart per measure, with the tutorial's published figures as lines unless `large`."""
    bars = bars_of(result, published(result), large)
    for column, (measure, chart) in zip(st.columns(3), bars.items(), strict=True):
        draw_chart(chart, f"{'large' if large else 'chart'}-{measure}", column)


def _speedup(row: dict) -> str:
    """Return the speed-up in words, once its interval is narrow enough to mean something."""
    if half_width(row) > MOST_HALF_WIDTH:
        return "speed-up still uncertain"
    return f"speed-up {row['speedup']:.2f}"


def show_certainty(result: dict) -> None:
    """Show each speed-up with its interval, and the block times that it was computed from. If there
    are several variants, also show how much each change contributes."""
    rows = result["results"]
    ratio, traces = st.columns(2)
    with ratio:
        st.markdown("**Speed-up** and its 95% interval", help=DRIFT)
        draw_chart(charts.speedups(rows), "chart-speedups")
    with traces:
        st.markdown(f"**Time of each block**: {how_sure(result)}")
        draw_chart(charts.block_times(rows), "chart-blocks")
    if len(rows) > 2:
        labels = [row["label"] for row in rows]
        st.markdown(f"**Change against {labels[0]}**")
        measures = {
            "size": [row["size_bytes"] for row in rows],
            "time": [1 / row["speedup"] for row in rows],
            "loss": [row["loss"] for row in rows],
        }
        draw_chart(charts.changes(labels, measures), "chart-changes")


def show_table(result: dict) -> None:
    """Show every variant's numbers, including words per second, memory and agreement."""
    rows = result["results"]
    unit, scale = size_unit(row["size_bytes"] for row in rows)
    columns = {  # titles with the format and the values
        "variant": (None, [row["label"] for row in rows]),
        "loss, nats per token": ("%.4f", [row["loss"] for row in rows]),
        "of known words": ("%.4f", [row.get("loss_known") for row in rows]),
        f"size, {unit}": ("%.1f", [row["size_bytes"] / scale for row in rows]),
        "elapsed, s": ("%.2f", [row["elapsed_s"] for row in rows]),
        "CPU, s": ("%.2f", [row["cpu_s"] for row in rows]),
        "words per second": ("localized", [round(row["tokens_per_s"]) for row in rows]),
        "speed-up": ("%.2f", [row["speedup"] for row in rows]),
        **more_columns(rows),
        "name": (None, [row["variant"] for row in rows]),
    }
    if not read_as(result["protocol"]):
        del columns["of known words"]  # all words are known: both losses are the same
    number = st.column_config.NumberColumn
    config = {title: number(format=format) for title, (format, _) in columns.items() if format}
    table = {title: values for title, (_, values) in columns.items()}
    st.dataframe(table, hide_index=True, column_config=config)


def published(result: dict) -> list[tutorial.Published | None]:
    """Return the tutorial's figures for each result, or None if it published none to compare."""
    fp32, protocol = tutorial.PUBLISHED["fp32"], result["protocol"]
    # The architecture determines the size; elapsed time depends on the protocol.
    comparable = (
        abs(result["results"][0]["size_bytes"] - fp32.size_bytes) < 10_000
        and protocol["batch_size"] == 1
        and protocol["bptt"] == 25
    )
    return [
        tutorial.PUBLISHED.get(row["variant"]) if comparable else None for row in result["results"]
    ]

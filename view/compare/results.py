"""How a comparison is shown: three cards, three charts, and what was measured where."""

from datetime import UTC, datetime

import streamlit as st

from view.compare import charts
from view.shared.cards import card, size_card
from view.shared.charts import dimmed
from view.shared.choices import shown_name
from view.shared.page import plain
from view.shared.runs import where_measured
from wlm import tutorial
from wlm.catalog.uploads import TEXT
from wlm.measuring.wording import (
    MOST_HALF_WIDTH,
    SAME_LOSS,
    half_width,
    how_sure,
    read_as,
    sentence,
    size_unit,
)
from wlm.runs.run import Run

WAITING = "–"
LOSS, SIZE, ELAPSED = "Loss, nats per token", "Size, MB", "Elapsed, s"
REFERENCES = (
    "Lines across the bars: what the tutorial published, with its own weights, on all of "
    "WikiText-2's test set and a MacBook Pro; its elapsed time is scaled to as many tokens as were "
    "read here."
)


def show_recorded(run: Run) -> None:
    """Say on which machine and day a recorded run was made."""
    day = datetime.fromtimestamp(run.finished_at, UTC)
    st.badge(
        f"Recorded on {run.result['machine']['cpu']}, {day:%d %B %Y}",
        icon=":material/history:",
        color="gray",
    )


def show_comparison(result: dict, dim: bool = False) -> None:
    """Show a comparison's JSON: its verdict in a sentence, the last variant's cards with their
    change against the baseline, and all variants in the charts. It may be partial. While another
    one is waited for, its numbers stand dim, without what explains them."""
    baseline, chosen = result["results"][0], result["results"][-1]
    said = sentence(result)
    st.subheader(f":gray[{said}]" if dim else said, anchor=False)
    if result["warnings"] and not dim:
        st.warning("  \n".join(result["warnings"]), icon=":material/vital_signs:")
    show_cards(baseline, chosen, dim)
    protocol = result["protocol"]
    unknown = read_as(protocol)
    if unknown and chosen["loss_known"] is not None:
        st.caption(
            f"Of its words, {unknown}: over the known words alone, the loss is "
            f"{chosen['loss_known']:.4f}, against fp32's {baseline['loss_known']:.4f}."
        )
    show_charts(result, dim)
    if len(result["results"]) > 1:
        show_certainty(result, dim)
    if dim:
        return
    show_table(result)
    if any(_published(result)):
        st.caption(REFERENCES)
    st.caption(
        f"{protocol['tokens']:,} tokens of {plain(shown_name(TEXT, protocol['text']))}, batch size "
        f"{protocol['batch_size']}, chunks of {protocol['bptt']} tokens, "
        f"{where_measured(result)}"
    )
    if weights_read := protocol.get("weights_read"):
        st.caption(f"Weights read: {plain(weights_read)}.")


def show_cards(baseline: dict | None, chosen: dict | None, dim: bool = False) -> None:
    """Show loss, size and speed-up of one variant; dashes for what is not measured yet."""
    if chosen:
        st.markdown(f"**{chosen['label']}** against {baseline['label']}")
    loss, size, elapsed = st.columns(3)
    if chosen is None or "loss" not in chosen:
        card(loss, LOSS, WAITING)
        if chosen is None:
            card(size, SIZE, WAITING)
        else:
            size_card(size, chosen["size_bytes"], baseline["size_bytes"])
        card(elapsed, ELAPSED, WAITING)
        return
    change = chosen["loss"] - baseline["loss"]
    card(
        loss,
        LOSS,
        f"{chosen['loss']:.4f}",
        f"{change:+.4f}",  # with ASCII's minus, or the card would take it for a rise
        dim=dim,
        delta_color="off" if abs(change) < SAME_LOSS else "inverse",
        delta_description=f"against fp32's {baseline['loss']:.4f}",
        help="Mean negative log-likelihood per token: lower is better. Two losses within "
        f"{SAME_LOSS} nats count as the same: a reader would not notice.",
    )
    unit, scale = size_unit([chosen["size_bytes"], baseline["size_bytes"]])
    size_card(
        size,
        chosen["size_bytes"],
        baseline["size_bytes"],
        dim=dim,
        delta_description=f"against fp32's {baseline['size_bytes'] / scale:.1f} {unit}",
    )
    colors = {"faster": "green", "slower": "red"}
    card(
        elapsed,
        ELAPSED,
        f"{chosen['elapsed_s']:.2f}",
        _speedup(chosen),
        dim=dim,
        delta_color=colors.get(chosen["verdict"], "gray"),
        delta_description="block by block",
        help="Wall-clock time to read the text once, model and loss together; fp32 took "
        f"{baseline['elapsed_s']:.2f} s. How many times as fast is the mean over pairs of blocks "
        "that were measured moments apart, those of later readings included: surer than the ratio "
        "of the two times, from which it may differ.",
    )


def show_charts(result: dict, dim: bool = False) -> None:
    """Show one chart per measure, with the tutorial's published figures as lines. Rows without a
    loss or a time have no bar there yet."""
    rows, published = result["results"], _published(result)
    share = result["protocol"]["tokens"] / tutorial.TOKENS
    seconds = ".2f" if share < 0.5 else ".1f"
    unit, scale = size_unit(row["size_bytes"] for row in rows)
    for column, (measure, title, divisor, factor, format) in zip(
        st.columns(3),
        (
            ("loss", "loss (nats per token)", 1, 1, ".3f"),
            ("size_bytes", f"size ({unit})", scale, 1, ".1f"),
            ("elapsed_s", "elapsed (s)", 1, share, seconds),
        ),
        strict=True,
    ):
        chart = charts.bars_with_references(
            [row["label"] for row in rows],
            [row[measure] / divisor if measure in row else None for row in rows],
            [each and getattr(each, measure) / divisor * factor for each in published],
            title=title,
            format=format,
            reference_name="tutorial",
        )
        column.vega_lite_chart(dimmed(chart) if dim else chart, key=f"chart-{measure}")


def _speedup(row: dict) -> str:
    """The speed-up in words, once its interval is narrow enough to mean something."""
    if half_width(row) > MOST_HALF_WIDTH:
        return "speed-up still uncertain"
    return f"speed-up {row['speedup']:.2f}"


def show_certainty(result: dict, dim: bool = False) -> None:
    """Show each speed-up with its interval, and the block times that it comes from; with several
    variants, who contributes what."""
    each = result["results"]
    labels = [row["label"] for row in each]
    ratio, traces = st.columns(2)
    with ratio:
        st.markdown("**How sure the speed-up is**: dot and 95% interval")
        ratios, ends = ([row[key] for row in each] for key in ("speedup", "speedup_ci95"))
        chart = charts.speedups(labels, ratios, ends)
        st.vega_lite_chart(dimmed(chart) if dim else chart, key="chart-speedups")
    with traces:
        st.markdown(f"**What it comes from**: {how_sure(result)}")
        times = [[block["wall_s"] / block["tokens"] for block in row["blocks"]] for row in each]
        chart = charts.block_times(labels, times)
        st.vega_lite_chart(dimmed(chart) if dim else chart, key="chart-blocks")
    if len(each) > 2:
        st.markdown("**Who contributes what**: change against " + labels[0])
        measures = {
            "size": [row["size_bytes"] for row in each],
            "time": [1 / row["speedup"] for row in each],
            "loss": [row["loss"] for row in each],
        }
        chart = charts.changes(labels, measures)
        st.vega_lite_chart(dimmed(chart) if dim else chart, key="chart-changes")


def show_table(result: dict) -> None:
    """Show every variant's numbers, words per second among them."""
    some_unknown = bool(read_as(result["protocol"]))  # else both losses are one
    unit, scale = size_unit(each["size_bytes"] for each in result["results"])
    rows = [
        {
            "variant": each["label"],
            "loss, nats per token": each["loss"],
            **({"of known words": each["loss_known"]} if some_unknown else {}),
            f"size, {unit}": each["size_bytes"] / scale,
            "elapsed, s": each["elapsed_s"],
            "words per second": round(each["tokens_per_s"]),
            "times as fast": each["speedup"],
            "written": each["variant"],
        }
        for each in result["results"]
    ]
    losses = ("%.4f",) * (1 + some_unknown)
    formats = (None, *losses, "%.1f", "%.2f", "localized", "%.2f", None)
    number = st.column_config.NumberColumn
    config = {name: number(format=f) for name, f in zip(rows[0], formats, strict=True) if f}
    st.dataframe(rows, hide_index=True, column_config=config)


def _published(result: dict) -> list[tutorial.Published | None]:
    """The tutorial's figures for each result, None where it published none to set beside it."""
    fp32, protocol = tutorial.PUBLISHED["fp32"], result["protocol"]
    # Its architecture has one size; its elapsed time depends on the protocol.
    comparable = (
        abs(result["results"][0]["size_bytes"] - fp32.size_bytes) < 10_000
        and protocol["batch_size"] == 1
        and protocol["bptt"] == 25
    )
    return [
        tutorial.PUBLISHED.get(row["variant"]) if comparable else None for row in result["results"]
    ]

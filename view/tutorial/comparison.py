"""The comparisons of the tour: recorded until Run measures here, larger for a presenter."""

import streamlit as st

from view.compare import results
from view.compare.race import show_race
from view.shared import server, visitor
from view.shared.charts import dimmed
from view.shared.runs import find_run, show_run
from view.tutorial import charts
from view.tutorial.place import go, place
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.errors import StoreError
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec
from wlm.measuring.wording import SAME_LOSS, sentence
from wlm.quantization.prepare import why_unavailable
from wlm.quantization.variant import Variant
from wlm.runs.recordings import recording
from wlm.runs.run import Run

MODEL = DEFAULT_MODEL
SECONDS = 6.0


def measure(key: str, variants: tuple[Variant, ...], presenting: bool) -> None:
    """Draw a Run button and the comparison that it starts; before it, a recorded one if any, or
    what is missing. The run is found again by its key in the URL."""

    def show(result: dict, dim: bool = False) -> None:
        show_numbers(result, presenting, dim)

    names = tuple(map(str, variants))
    spec = CompareSpec(names, MODEL, seconds=SECONDS, target=DEFAULT_TARGET)
    missing = next(filter(None, map(why_unavailable, variants)), "")
    asked = place().runs.get(key)
    run, recorded = measured(asked, spec), recording(MODEL, names)
    before = measured(st.session_state.get(f"{key}-before"), spec) or recorded
    # Where one is followed, its progress has the room.
    if not run or run.state.final:
        if not missing:
            server.job_queue().prefetch(spec)
        with st.container(horizontal=True, vertical_alignment="center"):
            if not missing and st.button(
                "Run", type="primary", icon=":material/play_arrow:", key=f"{key}-button"
            ):
                if run and run.result:
                    st.session_state[f"{key}-before"] = run.id
                submitted = server.job_queue().submit(spec, visitor.name())
                go(runs={**place().runs, key: submitted})
                st.rerun()
            if asked and not run:
                lost = "The run in this link is not on this server"
                st.badge(lost, icon=":material/link_off:", color="gray")
            if recorded and not run:
                results.show_recorded(recorded)
    if run:
        show_run(
            run,
            # While it runs, a slide has no room for more than the race and its verdict so far.
            show_verdict if presenting and not run.state.final else show,
            lambda: show(before.result, dim=True) if before else None,
            show_race,
        )
    elif recorded:
        show(recorded.result)
    else:
        if not missing:
            wait = f"about {spec.most_seconds:.0f} seconds"
            st.info(
                f"Press **Run** to measure it on this machine: {wait}.",
                icon=":material/play_arrow:",
            )
        results.show_cards(None, None)
    if missing:
        st.info(f"No Run here: {missing}", icon=":material/extension_off:")


def measured(run_id: str | None, spec: CompareSpec) -> Run | None:
    """Return the run of this id if it is here, and of this comparison."""
    if not run_id:
        return None
    try:
        run = find_run(run_id)
    except StoreError:
        return None
    same = (run.spec["model"], tuple(run.spec["variants"])) == (spec.model, spec.variants)
    return run if same else None


def show_numbers(result: dict, presenting: bool, dim: bool) -> None:
    """Show a comparison's verdict, cards and charts; dim while another one is waited for."""
    rows = result["results"]
    show_verdict(result, presenting, dim)
    if presenting:
        show_large_cards(rows[0], rows[-1], dim)
        show_bars(rows, dim)
    else:
        if result["warnings"] and not dim:
            st.warning("  \n".join(result["warnings"]), icon=":material/vital_signs:")
        results.show_cards(rows[0], rows[-1], dim)
        results.show_charts(result, dim)


def show_verdict(result: dict, presenting: bool = True, dim: bool = False) -> None:
    """Show a comparison's verdict, in larger type for a presenter."""
    said = sentence(result)
    write = st.header if presenting else st.subheader
    write(f":gray[{said}]" if dim else said, anchor=False)


def show_large_cards(baseline: dict, chosen: dict, dim: bool) -> None:
    """Show loss, size and elapsed time of one variant for a lecture hall; the bars below them have
    the baseline's."""
    change = chosen["loss"] - baseline["loss"]
    share = chosen["size_bytes"] / baseline["size_bytes"] - 1
    against = f"against {baseline['label']}"
    for column, heading, value, said, color in zip(
        st.columns(3),
        (results.LOSS, results.SIZE, results.ELAPSED),
        (
            f"{chosen['loss']:.4f}",
            f"{chosen['size_bytes'] / 1e6:.1f}",
            f"{chosen['elapsed_s']:.2f}",
        ),
        (
            f"{_signed(change, '.4f')} {against}",
            f"{_signed(share, '.0%')} {against}",
            f"speed-up {chosen['speedup']:.2f}, by blocks",
        ),
        (
            "gray" if abs(change) < SAME_LOSS else "red" if change > 0 else "green",
            "green" if share < 0 else "red",
            {"faster": "green", "slower": "red"}.get(chosen["verdict"], "gray"),
        ),
        strict=True,
    ):
        large_card(column, heading, value, said, "gray" if dim else color, dim)


def large_card(
    column, heading: str, value: str, change: str = "", color: str = "gray", dim: bool = False
) -> None:
    """Draw a number and its change in the type of a lecture hall."""
    with column.container(border=True, height="stretch", gap=None):
        st.header(f":gray[{heading}]" if dim else heading, anchor=False)
        number = f":gray[{value}]" if dim else value
        st.metric(heading, number, label_visibility="collapsed")
        if change:
            st.header(f":{color}[{change}]", anchor=False)


def show_bars(rows: list[dict], dim: bool) -> None:
    """Show what the cards say of all variants as bars, a column below each card."""
    labels = [row["label"] for row in rows]
    for column, (measure, unit, format) in zip(
        st.columns(3),
        (("loss", 1, ".4f"), ("size_bytes", 1e6, ".1f"), ("elapsed_s", 1, ".2f")),
        strict=True,
    ):
        chart = charts.large_bars(labels, [row[measure] / unit for row in rows], format)
        column.vega_lite_chart(dimmed(chart) if dim else chart, key=f"tour-bars-{measure}")


def _signed(value: float, format: str) -> str:
    return f"{value:+{format}}".replace("-", "−")

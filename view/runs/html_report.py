"""A run as one HTML file, with the charts that Compare draws of it."""

import tomllib

from view.compare import charts
from view.compare.bars import bars_of
from view.compare.divergence import divergence_chart
from view.compare.memory import memory_bars
from wlm.paths import ROOT
from wlm.runs.html import to_html
from wlm.runs.run import Run


def html_report(run: Run) -> str:
    """Return a run as a page that opens offline anywhere. Raises ReportError if the run has no
    measurements."""
    return to_html(run, report_charts(run.result) if run.result else {}, themes())


def report_charts(result: dict) -> dict[str, dict]:
    """Return the charts of a comparison's JSON by their titles, as Compare draws them."""
    results = result["results"]
    headings = ("Loss", "Size", "Elapsed time")
    found = dict(zip(headings, bars_of(result).values(), strict=True))
    if len(results) > 1:
        found["Speed-up with its 95% interval"] = charts.speedups(results)
        found["Time per token, round by round"] = charts.block_times(results)
    if remembered := [row for row in results if row.get("memory")]:
        found["Memory added to a process, and its peak while preparing"] = memory_bars(remembered)
    agreeing = [row for row in results if row.get("agreement")]
    if divergence := divergence_chart(agreeing):
        found["Divergence from the baseline's probabilities, token by token"] = divergence
    return found


def themes() -> dict[str, dict]:
    """Return the settings of all charts on `light` and on `dark` pages: the app's own colors."""
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    return {
        name: {
            "background": theme[name]["backgroundColor"],
            "range": {"category": theme[name]["chartCategoricalColors"]},
            "view": {"stroke": None},
        }
        for name in ("light", "dark")
    }

"""A run as one HTML file that opens offline anywhere, and reading the run's JSON back from it."""

import html
import json
import re
import shlex
from collections.abc import Mapping

from wlm.errors import ReportError
from wlm.measuring.tradeoff import best
from wlm.measuring.wording import sentence, size_unit
from wlm.runs.export import facts, result_of, sentences, table, to_json, when
from wlm.runs.run import Run

OPENING = '<script type="application/json" id="wlm-run">'
CLOSING = "</script>"
METHOD = (
    "All variants read the same text, block by block in turn and in random order, so that "
    "disturbances fall on all of them alike. The speed-up is the geometric mean of paired ratios. "
    "If its 95% interval contains 1, the verdict is undecided. Times do not include loading and "
    "quantizing."
)
STYLE = """
:root { color-scheme: light dark; --ink: #0d141b; --ground: #fff; --line: #d3dce6; --soft: #56626e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eef4; --ground: #10161d; --line: #35424f; --soft: #a9b6c2 }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 62rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem; line-height: 1.25 } h2 { font-size: 1.2rem; margin-top: 2rem }
.cards { display: flex; flex-wrap: wrap; gap: .75rem }
.cards div { flex: 1 1 11rem; border: 1px solid var(--line); border-radius: .6rem; padding: .75rem }
.cards b { display: block; font-size: 1.7rem; font-weight: 600 }
.cards span, footer { color: var(--soft) }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
td, th { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap } td:first-child, th:first-child { text-align: left }
code { overflow-wrap: anywhere; font-size: .9em } figure { margin: 1rem 0 } .chart { width: 100% }
"""
# Charts take the colors of the reader's theme and change with it.
DRAW = """
const charts = JSON.parse(document.getElementById("wlm-charts").textContent);
const FIT = {width: "container", autosize: {type: "fit", contains: "padding"}};
const dark = matchMedia("(prefers-color-scheme: dark)");
function draw() {
  const theme = charts.themes[dark.matches ? "dark" : "light"];
  for (const [i, spec] of charts.specs.entries())
    vegaEmbed(`#chart-${i}`, {...spec, ...FIT, config: {...spec.config, ...theme}},
      {actions: false, renderer: "svg"});
}
dark.addEventListener("change", draw);
draw();
"""


def to_html(run: Run, charts: Mapping[str, dict], themes: Mapping[str, dict]) -> str:
    """Return a run as a page that makes no request: verdict, cards, charts, table, method, machine,
    the command that repeats it, and its JSON, which Import accepts.

    `charts` are Vega-Lite specifications by their titles, `themes` the settings of all charts on
    `light` and on `dark` pages. Raises ReportError if nothing was measured.
    """
    result = result_of(run)
    verdict = sentence(result, best(result["results"]))
    details = {**facts(run), "repeat it with": repeat_command(run.spec)}
    version = result["machine"]["wlm"]
    drawing = [_vega(next(iter(charts.values()))), DRAW] if charts else []
    specs = json.dumps({"specs": [*charts.values()], "themes": dict(themes)})
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            # The page fetches nothing, whatever a chart or a text contains.
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
            "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
            'img-src data:">',
            f"<title>{_text(verdict)}</title>",
            f"<style>{STYLE}</style></head><body>",
            f"<h1>{_text(verdict)}</h1>",
            *(f"<p>{_text(said)}</p>" for said in sentences(result) if said != verdict),
            *(f"<p>⚠ {_text(warning)}</p>" for warning in result.get("warnings", [])),
            _cards(result["results"]),
            *(_figure(i, title) for i, title in enumerate(charts)),
            "<h2>All variants</h2>",
            _table(result),
            "<h2>Method</h2>",
            f"<p>{_text(METHOD)}</p>",
            *(
                f"<p>{_text(name.capitalize())}: <code>{_text(value)}</code></p>"
                for name, value in details.items()
            ),
            f"<footer>Measured on {when(run)} with wlm {_text(version)}</footer>",
            f'<script type="application/json" id="wlm-charts">{_in_script(specs)}</script>',
            f"{OPENING}{_in_script(to_json(run))}{CLOSING}",
            *(f"<script>{script}</script>" for script in drawing),
            "</body></html>",
        ]
    )


def run_json(content: bytes) -> bytes:
    """Return the run's JSON in a page that `to_html` made; JSON is returned as it is.

    Raises ReportError for a page without a run.
    """
    if not content.lstrip().startswith(b"<"):
        return content
    _, opening, rest = content.partition(OPENING.encode())
    found, closing, _ = rest.partition(CLOSING.encode())
    if not (opening and closing):
        raise ReportError(
            "an HTML file must be a run that wlm exported, and this one contains no run: choose "
            "the file that the HTML or JSON button of a run saved"
        )
    return found


def repeat_command(spec: Mapping) -> str:
    """Return the command that measures a comparison's settings again."""
    words = ["python", "-m", "wlm", "compare", "--variants", *spec["variants"]]
    for name, value in spec.items():
        if name != "variants" and value is not None and value is not False:
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return shlex.join(words)


def _text(words: object) -> str:
    return html.escape(str(words))


def _in_script(content: str) -> str:
    """Return JSON that cannot end a script element, whatever strings it contains."""
    return content.replace("<", "\\u003c")


def _figure(i: int, title: str) -> str:
    return (
        f"<figure><figcaption><b>{_text(title)}</b></figcaption>"
        f'<div class="chart" id="chart-{i}" role="img" aria-label="{_text(title)}"></div></figure>'
    )


def _cards(results: list[dict]) -> str:
    """Return cards of the best trade-off's numbers, each next to the baseline's."""
    baseline, chosen = results[0], results[best(results)]
    unit, scale = size_unit(row["size_bytes"] for row in (baseline, chosen))
    numbers = {
        "Loss, nats per token": lambda row: f"{row['loss']:.4f}",
        f"Size, {unit}": lambda row: f"{row['size_bytes'] / scale:,.1f}",
        "Elapsed, s": lambda row: f"{row['elapsed_s']:.2f}",
        "Speed-up": lambda row: f"{row.get('speedup', 1.0):.2f}",
    }
    if all(row.get("memory") for row in (baseline, chosen)):
        numbers["Memory, MB"] = lambda row: f"{row['memory']['added_bytes'] / 1e6:,.0f}"
    label, against = _text(chosen["label"]), _text(baseline["label"])
    boxes = [
        f"<div><span>{heading}, {label}</span><b>{number(chosen)}</b>"
        f"<span>{against}: {number(baseline)}</span></div>"
        for heading, number in numbers.items()
    ]
    return f'<div class="cards">{"".join(boxes)}</div>'


def _table(result: dict) -> str:
    heads, rows = table(result)
    head = "".join(f"<th>{_text(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _vega(specification: Mapping) -> str:
    """Return the JavaScript of Vega, Vega-Lite and Vega-Embed, without a network, in the version
    that the specification needs."""
    from vl_convert import javascript_bundle  # it starts a JavaScript engine

    version = re.search(r"/v(\d+\.\d+)", specification["$schema"])[1]
    return javascript_bundle(vl_version=version).replace("</script", "<\\/script")

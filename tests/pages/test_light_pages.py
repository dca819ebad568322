"""What a rerun of an unchanged page costs: no chart built, no variant made, no file read."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from helpers.driver import PAGES, ROOT, open_page, press
from view.compare import bars, divergence, tradeoff
from view.compare import charts as compare
from view.how import bits
from view.how import charts as how
from view.inspect import charts as inspect
from view.inspect import roofline_chart
from view.sample import charts as sample
from view.shared import flow, model_drawing, next_words
from view.sweep import charts as sweep
from wlm.measuring.comparison import CompareSpec
from wlm.quantization import prepare
from wlm.runs.recent import RecentRuns
from wlm.runs.run import finished_run

pytestmark = pytest.mark.slow

SCREENS = [
    *((page.stem, {}) for page in PAGES),
    *(("2_Inspect", {"tab": tab}) for tab in ("Time", "Error", "Model")),
    *(("5_Tutorial", {"step": str(step)}) for step in range(2, 9)),
    ("streamlit_app", {"run": "kept"}),
    ("streamlit_app", {"model": "wikitext2-lstm"}),
    ("4_Runs", {"run": "kept"}),
]
MODULES = (
    bars,
    bits,
    compare,
    divergence,
    flow,
    how,
    model_drawing,
    tradeoff,
    inspect,
    next_words,
    roofline_chart,
    sample,
    sweep,
)
_opened: list[list[str]] = []  # what is opened while somebody notes it


def _note(event: str, arguments: tuple) -> None:
    if event == "open" and isinstance(arguments[0], str):
        for opened in _opened:
            opened.append(arguments[0])


sys.addaudithook(_note)  # for good: Python takes none back


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Note which files this process opens; SQLite's are not among them."""
    _opened.append(names := [])
    try:
        yield names
    finally:
        _opened.remove(names)


@pytest.fixture
def kept(queue, result, monkeypatch):
    """A finished comparison called `kept`, in a store that is asked as a server asks it."""
    spec = CompareSpec(model="tiny", text="short", tokens=100)
    queue.store.create(replace(finished_run(spec, result, started_at=1000.0), id="kept"))
    monkeypatch.setattr(type(queue), "recent", RecentRuns(queue.store))
    return queue


def forbidden(*_, **__):
    raise AssertionError("a rerun did it again")


@pytest.mark.parametrize(("name", "query"), SCREENS, ids=str)
def test_a_rerun_builds_no_chart_makes_no_variant_and_reads_no_file(kept, monkeypatch, name, query):
    path = next(path for path in PAGES if path.stem == name)
    page = open_page(path, **query)
    if name == "1_Sample":
        press(page, "Write")
    page.run()  # the first one after a change may still find out something
    charts = [chart.proto.spec for chart in page.get("vega_lite_chart")]
    for module in MODULES:
        monkeypatch.setattr(module, "specification", forbidden)
    monkeypatch.setattr(prepare, "prepare", forbidden)
    monkeypatch.setattr(kept.store, "get", forbidden)
    with opened_files() as opened:
        page.run()
    assert not page.exception and not page.error
    assert [chart.proto.spec for chart in page.get("vega_lite_chart")] == charts
    assert set(opened) <= {str(ROOT / "streamlit_app.py"), str(path)}  # the scripts themselves

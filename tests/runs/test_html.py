"""A run as one HTML file: whole, escaped, and read back."""

import json
from dataclasses import replace

import pytest

from wlm.errors import ReportError
from wlm.runs.export import to_json
from wlm.runs.html import OPENING, repeat_command, run_json, to_html

SPEC = {"$schema": "https://vega.github.io/schema/vega-lite/v6.4.1.json", "layer": [], "config": {}}
EVIL = "</script><script>alert('x')</script><img src=//evil.example>"


def test_the_page_has_verdict_cards_table_machine_and_command(run):
    page = to_html(run, {}, {})
    assert "<h1>int8 LSTM + Linear is 2.0 times as fast as fp32" in page
    assert "<b>2.5000</b><span>fp32: 2.0000</span>" in page
    assert "<td>2.00 to 2.00</td>" in page
    assert "Some CPU @ 2.20GHz, 64 CPUs" in page
    assert "0a" * 32 in page
    assert "python -m wlm compare --variants fp32 int8" in page


def test_the_runs_json_is_in_the_page_to_the_letter(run):
    page = to_html(run, {"Loss": SPEC}, {"light": {}, "dark": {}})
    assert json.loads(run_json(page.encode())) == json.loads(to_json(run))
    assert len(page) < 1_500_000


def test_json_passes_as_it_is(run):
    content = to_json(run).encode()
    assert run_json(content) is content


@pytest.mark.parametrize("page", [b"<html></html>", f"{OPENING}{{".encode()])
def test_a_page_without_a_run_is_refused(page):
    with pytest.raises(ReportError, match="contains no run"):
        run_json(page)


def test_texts_from_elsewhere_end_no_element(run):
    result = json.loads(json.dumps(run.result))
    result["protocol"]["model"] = result["protocol"]["text"] = EVIL
    result["results"][-1]["label"] = result["machine"]["cpu"] = EVIL
    result["warnings"] = [EVIL]
    evil = replace(run, result=result, spec={**run.spec, "model": EVIL})
    page = to_html(evil, {}, {})
    assert "<img" not in page and "<script>alert" not in page
    assert json.loads(run_json(page.encode()))["run"]["result"] == result


def test_a_run_without_a_result_is_refused(run):
    with pytest.raises(ReportError, match="has measured nothing"):
        to_html(replace(run, result=None), {}, {})


def test_the_command_repeats_the_settings():
    spec = {"variants": ["fp32", "int8"], "model": "my model", "tokens": None, "batch_size": 2}
    assert repeat_command(spec) == (
        "python -m wlm compare --variants fp32 int8 --model 'my model' --batch-size 2"
    )

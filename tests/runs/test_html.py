"""A run as one HTML file: whole, escaped, and read back."""

import json
import shlex
from argparse import ArgumentParser
from dataclasses import replace

import pytest

from wlm.cli.commands.compare import add_options
from wlm.cli.measure import given
from wlm.errors import ReportError
from wlm.measuring.comparison import CompareSpec
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
    spec = {"variants": ["fp32", "int8"], "model": "my model", "tokens": None, "seed": 0}
    spec |= {"agreement": True, "memory": False}
    command = repeat_command(spec)
    assert command == (
        "python -m wlm compare --variants fp32 int8 --model 'my model' --seed 0 --agreement"
    )


def test_the_command_is_one_that_the_command_line_reads(run):
    _, _, _, *words = shlex.split(repeat_command(run.spec))
    parser = ArgumentParser()
    add_options(parser)
    options = parser.parse_args(words[1:])
    assert CompareSpec(**given(CompareSpec, options)).to_json() == run.spec


def test_the_page_has_the_memory_if_it_was_measured(run):
    assert "Memory, MB" not in to_html(run, {}, {})
    for row, added in zip(run.result["results"], (141_000_000, 103_000_000), strict=True):
        row["memory"] = {"added_bytes": added, "peak_bytes": 2 * added, "measure": "USS"}
    page = to_html(run, {}, {})
    assert "<b>103</b><span>fp32: 141</span>" in page and "<th>memory, MB</th>" in page

"""The Runs page through Streamlit's own test runner."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from streamlit.proto.Metric_pb2 import Metric
from streamlit.testing.v1 import AppTest

from helpers.driver import ROOT, IdleQueue, open_page, press
from view.runs import import_run
from view.runs.side_by_side import differences
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import SweepSpec
from wlm.runs.export import to_json
from wlm.runs.recordings import recordings
from wlm.runs.run import Run, State, finished_run

RUNS = ROOT / "pages/4_Runs.py"


@pytest.fixture
def kept(queue, result) -> Run:
    """A finished run, in the store."""
    spec = CompareSpec(model="tiny", text="short", tokens=100)
    return stored(queue, finished_run(spec, result, started_at=1000.0))


def stored(queue: IdleQueue, run: Run, **changes) -> Run:
    run = replace(run, **changes)
    queue.store.create(run)
    return run


def listed(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["id"])


def select(page: AppTest, *ids: str) -> AppTest:
    """Select rows of the table, which AppTest cannot click."""
    rows = [listed(page).index(id) for id in ids]
    table = page.dataframe[0]
    page.session_state[table.key] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return page.run()


def test_runs_lists_what_was_measured_here_what_one_imported_and_the_recordings(queue, kept):
    page = open_page(RUNS)
    mine = page.session_state["visitor"]
    own = stored(queue, kept, id="own", origin="imported", visitor=mine)
    stored(queue, kept, id="foreign", origin="imported", visitor="somebody")
    stored(queue, kept, id="other kind", kind="other")
    page.run()
    assert set(listed(page)) == {kept.id, own.id, *recordings()}


def test_runs_are_filtered_by_model_text_and_machine(queue, kept):
    page = open_page(RUNS)
    page.multiselect(key="filter-model").set_value(["tiny"]).run()
    assert listed(page) == [kept.id]
    page.multiselect(key="filter-model").set_value([]).run()
    page.multiselect(key="filter-text").set_value(["demo"]).run()
    assert [run_id.split("-")[0] for run_id in listed(page)] == ["recorded"] * len(recordings())


def test_one_selected_run_is_opened(queue, kept):
    page = select(open_page(RUNS), kept.id)
    assert not page.error
    assert len(page.metric) == 3


def test_several_runs_stand_side_by_side_with_a_warning_where_machines_differ(queue, kept, result):
    other = {**result, "machine": {**result["machine"], "cpu": "Another"}}
    other["protocol"] = {**result["protocol"], "weights_sha256": "0a" * 32}
    other["protocol"] |= {"text": "another", "text_sha256": "0b" * 32}
    far, near = (stored(queue, kept, id=id, result=r) for id, r in (("f", other), ("n", result)))
    page = select(open_page(RUNS), kept.id, near.id)
    assert not page.error and not page.warning
    assert list(page.dataframe[1].value["Variant"]) == ["fp32", "int8 LSTM + Linear"] * 2
    page = select(open_page(RUNS), kept.id, far.id)
    assert "machines: do not compare times" in page.warning[0].value
    (said,) = page.warning
    assert [line.split(":")[0].split()[-1] for line in said.value.split("\n")] == [
        "machines", "texts", "weights"
    ]  # fmt: skip


def test_texts_and_vocabularies_are_told_apart_by_their_hashes():
    one = {"text": "notes", "text_sha256": "a" * 64, "vocabulary_sha256": "b" * 64, "model": "m"}
    other_text = {**one, "text_sha256": "c" * 64}
    other_words = {**one, "vocabulary_sha256": "d" * 64}
    earlier = {**one, "text_sha256": None, "vocabulary_sha256": None}  # hashes were not kept
    assert differences([one, dict(one)]) == differences([one, earlier]) == []
    assert differences([one, {**one, "text": "the same under another name"}]) == []
    assert differences([earlier, {**earlier, "text": "other"}]) == differences([one, other_text])
    (said,) = differences([one, other_text])
    assert "different texts: do not compare losses" in said
    (said,) = differences([one, other_words])
    assert "different vocabularies: do not compare losses" in said


def test_what_else_runs_differ_in_is_said_and_which_number_is_which(queue, kept, result):
    spec = {**kept.spec, "bptt": 5, "batch_size": 2, "threads": 2}
    other = {**result, "protocol": {**result["protocol"], "tokens": 50}}
    far = stored(queue, kept, id="f", spec=spec, result=other)
    page = select(open_page(RUNS), kept.id, far.id)
    (said,) = page.warning
    assert [line.split(":")[0].removeprefix("The runs have different ") for line in
            said.value.split("  \n")] == [
        "thread counts", "chunk lengths", "batch sizes", "lengths of text"
    ]  # fmt: skip
    (which,) = (markdown.value for markdown in page.markdown if markdown.value.startswith("**1:**"))
    first, second = which.split("  \n")
    assert "100 tokens of short · chunks of 25 · batch size 1 · 1 thread" in first
    assert second.startswith("**2:**")
    assert "50 tokens of short · chunks of 5 · batch size 2 · 2 threads" in second


def test_the_points_of_a_sweep_are_under_their_sweep(queue, kept):
    spec = SweepSpec("bptt", (1, 5), CompareSpec.from_json(kept.spec))
    sweep = stored(queue, Run("sweep", spec.to_json(), id="s", state=State.DONE))
    for point in spec.points():
        stored(queue, kept, id=f"p{point.bptt}", spec=point.to_json(), sweep=sweep.id)
    page = open_page(RUNS)
    assert {"s", kept.id} < set(listed(page)) and not {"p1", "p5"} & set(listed(page))
    row = page.dataframe[0].value.set_index("id").loc["s"]
    assert (
        row["what"] == "Sweep: chunk length 1 to 5"
        and row["compared"] == "int8 LSTM + Linear against fp32"
    )
    page = select(page, "s")
    assert not page.error and not page.exception
    assert page.dataframe[1].value["Chunk length"].tolist() == [1, 5]
    page = select(open_page(RUNS), "s", kept.id)
    assert not page.error and len(page.dataframe) == 1
    assert page.info[0].value.startswith("To open a sweep, select it alone")


def test_a_run_without_numbers_is_said_not_to_stand_beside_others(queue, kept):
    waiting = queue.submit(CompareSpec.from_json(kept.spec))
    page = select(open_page(RUNS), waiting, kept.id)
    assert not page.error and len(page.dataframe) == 1
    assert page.info[0].value.startswith("A run without results cannot be compared")


def test_the_list_has_what_tells_runs_apart(queue, kept):
    spec = {**kept.spec, "bptt": 5, "batch_size": 2, "threads": 2}
    unknown = {"tokens": 17, "share": 0.17, "line_ends": False}
    protocol = {**kept.result["protocol"], "weights_sha256": "0a" * 32, "unknown": unknown}
    stored(queue, kept, id="r", spec=spec, result={**kept.result, "protocol": protocol})
    table = open_page(RUNS).dataframe[0]
    row = table.value.set_index("id").loc["r"]
    told = [row[key] for key in ("bptt", "batch_size", "threads", "weights", "unknown_words")]
    assert told == [5, 2, 2, "0a0a0a0a", pytest.approx(17.0)]
    assert row["compared"] == "int8 LSTM + Linear against fp32"


def test_a_permalink_shows_result_settings_machine_and_blocks_on_both_pages(queue, kept):
    page = open_page(RUNS, run=kept.id)
    (about,) = (markdown.value for markdown in page.markdown if "compares int8" in markdown.value)
    assert f"{datetime.fromtimestamp(kept.finished_at, UTC):%d %B %Y}" in about
    assert kept.result["machine"]["cpu"] in about.replace("\\", "")
    assert len(page.metric) == 3
    settings, machine = (json.loads(element.value) for element in page.json)
    assert settings == kept.spec and machine == kept.result["machine"]
    assert page.code[0].value.startswith("round,variant,label,tokens,wall_s,cpu_s")
    assert [button.label for button in page.get("download_button")] == [
        "JSON",
        "CSV",
        "Markdown",
        "HTML",
    ]
    # Written when they are clicked: Streamlit drops a file that waits for a click.
    assert all(button.proto.deferred_file_id for button in page.get("download_button"))
    assert len(open_page(run=kept.id).metric) == 3


def test_unknown_words_and_how_weights_were_read_stand_beside_the_loss(queue, kept):
    result = json.loads(json.dumps(kept.result))
    result["protocol"]["unknown"] = {"tokens": 17, "share": 0.17, "line_ends": False}
    result["protocol"]["weights_read"] = "from a whole module, model.RNNModel"
    for row, loss in zip(result["results"], (2.25, 3.125), strict=True):
        row["loss_known"] = loss
    run = stored(queue, kept, id="u", result=result)
    page = open_page(RUNS, run=run.id)
    assert not page.error
    captions = " ".join(caption.value for caption in page.caption).replace("\\", "")
    assert "17.0% of the words are unknown (17). Over known words alone, the loss is" in captions
    assert "loss is 3.1250 for int8 LSTM + Linear and 2.2500 for fp32." in captions
    assert "Weights read: from a whole module, model.RNNModel." in captions
    assert list(page.dataframe[0].value["of known words"]) == [2.25, 3.125]


def test_a_recording_has_a_permalink_too(queue):
    page = open_page(RUNS, run="recorded-control")
    assert not page.error and len(page.metric) == 3
    gray = Metric.MetricColor.GRAY
    assert [metric.proto.color for metric in page.metric] == [gray] * 3  # no better and no worse


@pytest.mark.parametrize("run_id", ["nope", "../../etc/passwd", "other"])
def test_a_link_to_no_comparison_is_said_in_words(queue, kept, run_id):
    stored(queue, kept, id="other", kind="other")
    page = open_page(RUNS, run=run_id)
    assert not page.exception and "There is no" in page.error[0].value
    press(page, "All runs")
    assert "run" not in page.query_params and kept.id in listed(page)


def test_a_link_to_a_run_that_waits_shows_where_it_stands(queue, kept):
    run_id = queue.submit(CompareSpec.from_json(kept.spec))
    page = open_page(RUNS, run=run_id)
    assert not page.exception and not page.error
    assert "2 ahead of you" in page.get("progress")[0].proto.text
    assert not page.expander and not page.get("download_button")


@pytest.mark.parametrize(
    "variants",
    [
        ["fp32", "int8"],
        ["fp32", "onnxruntime:", "int8"],
        ["fp32", "int8", "onnxruntime:"],  # no position of Compare's switches means the last one
    ],
)
def test_run_this_here_measures_the_same_settings_again_and_compare_shows_them(
    queue, kept, variants
):
    stored(queue, kept, id="r", spec={**kept.spec, "variants": variants})
    page = open_page(RUNS, run="r")
    press(page, "Run this here")
    (run,) = queue.store.unfinished()
    assert run.spec == {**kept.spec, "variants": variants}
    assert page.query_params["run"] == run.id
    assert not page.error and not any(
        "Not what is chosen" in markdown.value for markdown in page.markdown
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model": "/root/weights.pth"}, "The model must be one of"),
        ({"text": "../secret.txt"}, "The text must be one of"),
        ({"corpus": "/etc"}, "corpus folder"),
        ({"seconds": 80_000.0}, "600 s at most; this one takes 80,000 s"),
    ],
)
def test_settings_from_elsewhere_that_this_server_must_not_run_are_refused(
    queue, kept, change, why
):
    stored(queue, kept, id="foreign", spec={**kept.spec, **change})
    page = open_page(RUNS, run="foreign")
    button = next(button for button in page.button if button.label == "Run this here")
    assert button.disabled and why in button.help


def test_only_ones_own_runs_can_be_deleted(queue, kept):
    page = open_page(RUNS, run=kept.id)
    assert "Delete for good" not in [button.label for button in page.button]
    stored(queue, kept, id="own", visitor=page.session_state["visitor"])
    page.query_params["run"] = "own"
    press(page.run(), "Delete for good")
    assert [run.id for run in queue.store.list_runs("compare")] == [kept.id]
    assert "run" not in page.query_params


def upload(page: AppTest, content: bytes) -> AppTest:
    page.file_uploader[0].upload("run.json", content, "application/json")
    return press(page, "Import")


def test_an_exported_run_is_imported_and_opened(queue, kept):
    page = upload(open_page(RUNS), to_json(kept).encode())
    assert not page.error
    imported = queue.store.get(page.query_params["run"])
    assert imported.origin == "imported" and imported.visitor == page.session_state["visitor"]
    assert len(page.metric) == 3


def test_a_foreign_file_is_refused_in_words(queue):
    page = upload(open_page(RUNS), b'{"format": "other"}')
    assert not page.exception
    assert "must have format, version, run" in page.error[0].value
    assert queue.store.list_runs("compare") == []
    page = press(open_page(RUNS), "Import")
    assert "hoose an exported run first" in page.error[0].value


def test_a_file_that_is_too_large_is_refused_unread(queue, monkeypatch):
    monkeypatch.setattr(import_run, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(import_run, "from_json", None)
    page = upload(open_page(RUNS), b" " * 1_000_001)
    assert not page.exception
    assert "at most 1,000,000 bytes, got 1,000,001" in page.error[0].value

"""The Inspect page through Streamlit's own test runner."""

import json
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from helpers.driver import open_page, press
from view.inspect import bytes as inspect_bytes
from view.inspect.charts import errors_by_layer, matrix_errors, stacked_parts
from view.shared import server
from view.shared.choices import MOST_VARIANTS as MAX_VARIANTS
from wlm.inspecting.times import InspectSpec, inspect
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.memory import Memory
from wlm.quantization.prepare import why_unavailable
from wlm.quantization.variant import OFFERED, Variant
from wlm.runs.execute import execute
from wlm.runs.run import Run, State

INSPECT = Path(__file__).resolve().parents[2] / "pages" / "2_Inspect.py"
SPEC = InspectSpec(model="tiny", text="short", bptt=5, seconds=0.1)

pytestmark = pytest.mark.usefixtures("queue")


@pytest.fixture
def result() -> dict:
    """A finished inspection of the tiny model."""
    return deepcopy(inspected())


@cache
def inspected() -> dict:
    *_, last = inspect(SPEC)
    return last.measured.to_json()


def open_inspect(**query) -> AppTest:
    return open_page(INSPECT, text="short", **query)


def store_run(**fields) -> str:
    run = Run(**{"kind": "inspect", "spec": SPEC.to_json(), **fields})
    server.job_queue().store.create(run)
    return run.id


def charts(page: AppTest) -> int:
    return len(page.get("vega_lite_chart"))


def test_bytes_show_at_once_and_sum_to_the_file():
    page = open_inspect()
    fp32, int8 = page.metric
    (table,) = page.dataframe
    for metric, label in ((fp32, "fp32"), (int8, "int8 LSTM + Linear")):
        *parts, whole = table.value[label]
        assert sum(parts) == whole
        assert metric.value == f"{whole / 1e3:.1f} kB"
    before, after = (int(table.value[label].iloc[-1]) for label in table.value.columns[1:])
    assert int8.delta == f"{after / before - 1:+.0%}"
    assert any("does not reach" in markdown.value for markdown in page.markdown)
    assert charts(page) == 1


def test_only_the_open_tab_is_computed():
    page = open_inspect(tab="Model")
    assert not page.metric
    both = [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]
    precisions = [
        [row["precision"] for row in chart["layer"][0]["data"]["values"]] for chart in both
    ]
    assert precisions == [["fp32"] * 3, ["fp32", "int8", "int8"]]
    assert any("embedding 20 × 8; LSTM, 2 layers" in markdown.value for markdown in page.markdown)


def test_onnx_runtimes_file_has_parts_too(monkeypatch, tmp_path):
    monkeypatch.setenv("WLM_CACHE", str(tmp_path / "cache"))
    name = "onnxruntime:lstm=int8,linear=int8,embedding=int8"
    page = open_inspect(variants=["int8", name])
    (table,) = page.dataframe
    *parts, whole = table.value["ORT int8 all"]
    assert sum(parts) == whole and min(parts) > 0
    (words,) = (markdown.value for markdown in page.markdown if "Outlined" in markdown.value)
    assert "20 × 8 weights stay 32-bit floats" in words and "is quantized too" in words
    page = open_inspect(variants=["int8", name], tab="Error")
    assert not page.error and not page.exception and charts(page) == 4


def test_int4s_levels_are_its_16_and_its_steps_are_blocks(monkeypatch, tmp_path):
    monkeypatch.setenv("WLM_CACHE", str(tmp_path / "cache"))
    if reason := why_unavailable(Variant.parse(OFFERED[-1])):
        pytest.skip(reason)
    page = open_inspect(variants=[OFFERED[-1]], tab="Error")
    cards = {metric.label: metric for metric in page.metric}
    assert cards["Levels for 99% of weights"].value.endswith(" of 16")
    assert cards["Step"].delta.endswith(", by block")
    words = [markdown.value for markdown in page.markdown]
    assert "**decoder in ORT int8 LSTM, int4 rest**: all weights, and the 16 levels" in words
    assert "**Between the levels**" in words and not page.exception


ALONE = ("fp32", "int8", "pytorch:lstm=fp16,linear=fp16", OFFERED[8], OFFERED[-1])


@pytest.mark.slow
@pytest.mark.parametrize("name", ALONE)
def test_a_variant_of_each_kind_shows_alone_on_every_tab(monkeypatch, tmp_path, result, name):
    monkeypatch.setenv("WLM_CACHE", str(tmp_path / "cache"))
    if why_unavailable(Variant.parse(name)):
        assert "needs" in open_inspect(variants=[name]).error[0].value
        return
    *_, last = inspect(replace(SPEC, variants=(name,)))
    run_id = store_run(state=State.DONE, result=last.measured.to_json())
    for tab in ("Bytes", "Time", "Error", "Model"):
        page = open_inspect(variants=[name], tab=tab, inspection=run_id)
        assert not page.error and not page.exception, tab
        shown = page.metric or page.get("vega_lite_chart") or page.info
        assert shown, tab


def test_the_url_names_variants_as_the_command_line_does():
    page = open_inspect(variants=["fp32", "pytorch:linear=int8"])
    assert [metric.label for metric in page.metric] == ["fp32", "int8 Linear"]


def test_the_choice_of_variants_is_written_to_the_url():
    page = open_inspect()
    page.multiselect(key="variants").set_value(["fp32", "onnxruntime:"]).run()
    assert [metric.label for metric in page.metric] == ["fp32", "ORT fp32"]
    assert page.query_params["variants"] == ["fp32", "onnxruntime:"]
    # Every page's link in the menu carries both along.
    link = page.sidebar.get("page_link")[2].proto.query_string
    assert "variants=fp32&variants=onnxruntime%3A" in link
    page.multiselect(key="variants").set_value(["fp32", "int8"]).run()
    assert "variants" not in page.query_params


def test_without_a_variant_the_page_says_what_to_do():
    page = open_inspect()
    page.multiselect(key="variants").set_value([]).run()
    assert "Choose at least one variant" in page.info[0].value
    assert not page.error and not page.metric


def test_an_unknown_variant_in_the_url_is_named_and_the_others_show():
    page = open_inspect(variants=["int4", "int8"])
    assert "'int4'" in page.error[0].value and not page.exception
    assert [metric.label for metric in page.metric] == ["int8 LSTM + Linear"]


def test_a_hostile_variant_is_shown_as_it_is():
    page = open_inspect(variants=["![x](http://e.vil)"])
    assert not page.exception
    assert r"\[x\](http" in page.error[0].value


def test_before_the_first_measurement_the_page_says_what_measure_does():
    page = open_inspect(tab="Time")
    assert "Press **Measure**" in page.info[0].value
    assert not page.metric and not page.error


def test_measure_submits_what_the_page_shows():
    page = press(open_inspect(tab="Time", variants=["fp32", "pytorch:lstm=int8"]), "Measure")
    (run,) = server.job_queue().store.unfinished()
    assert run.kind == "inspect"
    assert InspectSpec.from_json(run.spec) == InspectSpec(
        ("fp32", "pytorch:lstm=int8"), "tiny", "short"
    )
    assert page.query_params["inspection"] == run.id
    assert "ahead of you" in page.get("progress")[0].proto.text


def test_a_running_inspection_shows_its_numbers_and_can_be_stopped(result):
    run_id = store_run(
        state=State.RUNNING, stage="Measuring", done=0.5, seconds_left=3.0, result=result
    )
    page = open_inspect(tab="Time", inspection=run_id)
    assert page.get("progress")[0].proto.text == "Measuring: about 3 s left"
    assert charts(page) == 4
    press(page, "Stop")
    assert server.job_queue().stopped == [run_id]


def test_of_more_variants_than_fit_the_first_are_shown_and_that_is_said():
    offered = [
        str(variant) for variant in map(Variant.parse, OFFERED) if not why_unavailable(variant)
    ]
    page = open_inspect(variants=offered[:MAX_VARIANTS])
    assert len(page.metric) == MAX_VARIANTS
    assert page.multiselect(key="variants").proto.max_selections == MAX_VARIANTS
    more = open_inspect(variants=offered[: MAX_VARIANTS + 1])
    assert not more.exception and not more.error
    assert len(more.metric) == MAX_VARIANTS


def test_a_finished_inspection_shows_cards_charts_and_all_numbers(result):
    page = open_inspect(tab="Time", inspection=store_run(state=State.DONE, result=result))
    assert not page.error and not page.exception
    chunk, word, memory, _ = page.metric
    fp32, int8 = result["results"]
    assert float(chunk.value) == pytest.approx(1e3 * int8["passes"][0]["seconds"], rel=0.01)
    assert float(word.value) == pytest.approx(1e3 * int8["passes"][1]["seconds"], rel=0.01)
    assert float(memory.value) == pytest.approx(
        result["roofline"]["memory_bytes_per_s"] / 1e9, abs=0.06
    )
    assert charts(page) == 4
    (table,) = page.dataframe
    assert len(table.value) == 2 * 2 * 4
    modules = [module for one in fp32["passes"] for module in one["modules"]]
    assert table.value["Multiply-adds (M)"][:8].tolist() == [
        module["multiply_adds"] / 1e6 for module in modules
    ]
    assert any("Limited by " in markdown.value for markdown in page.markdown)


def test_changed_settings_are_said(result):
    run_id = store_run(spec=InspectSpec(model="tiny", text="short").to_json(), state=State.DONE)
    said = "Settings changed"
    query = {"tab": "Time", "inspection": run_id}
    page = open_inspect(**query)
    assert any(
        "Shown: **fp32**, **int8 LSTM + Linear**" in caption.value for caption in page.caption
    )
    assert not any(said in markdown.value for markdown in page.markdown)
    changed = open_inspect(**query, variants=["fp32", "pytorch:lstm=int8"])
    (words,) = (markdown.value for markdown in changed.markdown if said in markdown.value)
    assert words.endswith("Press **Measure** to update. Changed: variants.")


def test_until_the_first_numbers_those_before_stay_dim(result):
    page = open_inspect(tab="Time", inspection=store_run(state=State.DONE, result=result))
    shown = [metric.value for metric in page.metric]
    page = press(page, "Measure")
    assert [metric.value for metric in page.metric] == [f":gray[{value}]" for value in shown]


def test_a_foreign_id_and_a_comparisons_are_no_inspection():
    comparison = CompareSpec(model="tiny", text="short").to_json()
    for run_id in ("nope", store_run(kind="compare", spec=comparison, state=State.DONE)):
        page = open_inspect(tab="Time", inspection=run_id)
        assert "is not on this server" in page.info[0].value
        assert not page.error and not page.exception


@pytest.mark.parametrize(
    ("state", "box", "words"),
    [
        (State.FAILED, "error", "The worker process ended"),
        (State.INTERRUPTED, "warning", "The server stopped"),
        (State.STOPPED, "info", "Stopped early"),
    ],
)
def test_an_inspection_that_ended_early_says_so_and_shows_what_it_measured(
    result, state, box, words
):
    message = {State.FAILED: "the worker process ended", State.INTERRUPTED: "The server stopped"}
    run_id = store_run(state=state, message=message.get(state, ""), result=result)
    page = open_inspect(tab="Time", inspection=run_id)
    assert any(words in element.value for element in getattr(page, box))
    assert charts(page) == 4


def test_a_damaged_model_fails_the_run_in_words(model_folder):
    page = press(open_inspect(tab="Time"), "Measure")
    (model_folder / "model.safetensors").write_bytes(b"damaged")
    execute(server.job_queue().store.unfinished()[0].id, server.job_queue().store)
    page.run()
    assert not page.exception
    assert "damaged" in page.error[0].value


def test_error_shows_layers_weights_and_one_matrix_on_its_grid():
    page = open_inspect(tab="Error")
    assert not page.error and not page.exception
    assert [metric.label for metric in page.metric[:3]] == [
        "Logits, dB",
        "Worst layer, dB",
        "Worst weights, dB",
    ]
    assert charts(page) == 4
    assert page.selectbox(key="matrix").value == "decoder"
    assert len(page.dataframe[0].value) == 5
    page.selectbox(key="matrix").set_value("LSTM 0 recurrent").run()
    assert "gate of unit" in page.dataframe[0].value["Row"][0]


def test_error_of_floats_alone_says_that_there_is_none():
    page = open_inspect(tab="Error", variants=["fp32"])
    assert "rounds nothing" in page.info[0].value
    assert charts(page) == 0


def test_an_unquantized_matrix_shows_without_a_grid():
    page = open_inspect(tab="Error", variants=["fp32", "pytorch:lstm=int8"])
    assert not page.exception and not page.error
    assert any("Nothing here is rounded" in caption.value for caption in page.caption)


def test_a_bad_text_is_said_in_words(text_file):
    text_file.write_bytes(b"\xff\xfe")
    page = open_inspect(tab="Error")
    assert not page.exception
    assert "must be UTF-8" in page.error[0].value


def test_numbers_that_would_meet_are_left_out_the_smaller_first():
    parts = [{"a": 50.0, "b": 40.0, "c": 10.0}, {"a": 3.0, "b": 2.0, "c": 2.0}]
    chart = stacked_parts(["long", "short"], parts, title="t", format=".0f", unit="")
    layers = chart["layer"][0]["layer"]
    rows = [row for layer in layers for row in layer["data"]["values"] if "sum" in row]
    assert {(row["label"], row["group"]) for row in rows} == {
        ("long", "a"), ("long", "b"), ("long", "c"), ("short", "a"), ("short", "b"),
    }  # fmt: skip


def test_a_matrix_leads_to_how_its_weights_become_integers(queue):
    page = open_inspect(tab="Error", matrix="LSTM 0 input")
    links = [link.proto for link in page.main.get("page_link")]
    assert any("matrix=LSTM" in link.query_string for link in links)
    page = open_inspect(tab="Error", matrix="embedding")
    assert not page.main.get("page_link")


def test_errors_of_100_db_and_more_are_identical_and_leave_the_scale_to_the_others():
    labels = [Variant.parse(name).label for name in OFFERED[1:MAX_VARIANTS]]
    rows = [
        {"label": label, "part": part, "matrix": part, "sqnr_db": ratio, "cosine": 1.0}
        for label, noise in zip(labels, (250.0, 30.0, 20.0, 10.0, 5.0, 40.0, -3.0), strict=False)
        for part, ratio in (("embedding", None), ("LSTM 0", noise), ("decoder", noise - 1))
    ]
    for build, axis in ((errors_by_layer, "y"), (matrix_errors, "x")):
        chart = build(rows, labels)
        (drawn,) = chart["layer"]
        drawn = drawn | drawn["layer"][0]
        first = drawn["layer"][0]
        assert first["encoding"][axis]["scale"]["domain"][1] == 100
        told = {row["told"] for row in drawn["data"]["values"] if row["label"] == labels[0]}
        assert told == {"", "identical"}
        legend = 26 * len(labels)  # a row per variant
        assert chart["height"] - legend >= 150


def test_the_memory_of_variants_is_shown_next_to_their_files_and_the_rest_offered(monkeypatch):
    fp32, onnx = Variant(), Variant.parse("onnxruntime:")
    known = {fp32: Memory(20_000, 30_000, "USS"), onnx: Memory(40_000_000, 50_000_000, "USS")}
    for variants, buttons in (([fp32], 1), ([fp32, onnx], 0)):
        found = {variant: known[variant] for variant in variants}
        monkeypatch.setattr(inspect_bytes, "measured_memory", lambda *_, found=found: found)
        page = open_inspect(variants=["fp32", "onnxruntime:"])
        assert not page.error and not page.exception
        cards = [each for each in page.metric if "times the file" in (each.delta or "")]
        assert [each.label for each in cards] == [each.label for each in variants]
        labels = [each.label for each in page.button]
        assert labels.count("Measure memory") == buttons
    assert cards[1].value == "40 MB"
    assert any("repacked copies" in each.value for each in page.markdown)

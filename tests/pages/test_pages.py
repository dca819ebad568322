"""Every page through Streamlit's own test runner."""

import json
import re
from dataclasses import replace

import pytest
from driver import PAGES, ROOT, IdleQueue, open_page, press
from streamlit.proto.Metric_pb2 import Metric
from streamlit.testing.v1 import AppTest

from view.shared import choices, server
from view.shared.page import MENU, plain
from wlm.catalog import inventory
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.quantization.variant import Variant, describe
from wlm.runs.execute import execute
from wlm.runs.export import to_json
from wlm.runs.run import Run, State, finished_run
from wlm.runs.store import RunStore

RUNS = ROOT / "pages/4_Runs.py"

# These load a model in the server.
LOADING = [path for path in PAGES if path.stem not in ("3_Sweep", "4_Runs")]


@pytest.fixture
def result(queue) -> dict:
    """A finished comparison of the tiny model."""
    *_, last = compare(CompareSpec(model="tiny", text="short", tokens=100))
    return last.measured.to_json()


def store_run(queue: IdleQueue, **fields) -> str:
    run = Run("compare", CompareSpec(model="tiny", text="short").to_json(), **fields)
    queue.store.create(run)
    return run.id


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_page_opens_without_an_error_and_with_the_menu(queue, path):
    page = open_page(path)
    assert not page.exception and not page.error
    assert len(page.title) == 1
    assert len(page.sidebar.get("page_link")) == len(MENU)


def test_the_menu_lists_every_page():
    listed = {path for path, _ in MENU.values()}
    assert listed == {path.relative_to(ROOT).as_posix() for path in PAGES}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_stay_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= 60


# The tour shows the bundled model, whatever the URL says.
CHOOSING = [path for path in LOADING if path.stem != "5_Tutorial"]


@pytest.mark.parametrize("path", CHOOSING, ids=lambda path: path.stem)
def test_a_damaged_model_is_said_in_words(queue, model_folder, path):
    (model_folder / "model.safetensors").write_bytes(b"damaged")
    page = open_page(path)
    if path.stem == "1_Sample":
        press(page, "Write")
    assert not page.exception
    assert "damaged" in page.error[0].value


@pytest.mark.parametrize("path", LOADING, ids=lambda path: path.stem)
def test_a_defect_is_said_without_its_details(queue, monkeypatch, path):
    def broken(*_):
        raise RuntimeError("internal detail")

    monkeypatch.setattr(server, "load_variant", broken)
    monkeypatch.setattr(inventory, "models_here", broken)
    queue.store.list_runs = broken
    page = open_page(path)
    if path.stem == "1_Sample":
        press(page, "Write")
    assert not page.exception
    assert "defect" in page.error[0].value and "internal detail" not in page.error[0].value


@pytest.mark.parametrize(
    ("query", "lstm", "linear"),
    [
        ({}, True, True),
        ({"lstm": "false"}, False, True),
        ({"linear": "0"}, True, False),
        ({"lstm": "0", "linear": "false"}, False, False),
        ({"lstm": "1", "linear": "nonsense"}, True, True),
    ],
)
def test_the_url_sets_the_switches_also_as_0_and_1(queue, query, lstm, linear):
    page = open_page(**query)
    assert (page.toggle(key="lstm").value, page.toggle(key="linear").value) == (lstm, linear)


@pytest.mark.parametrize("asked", ["int8 LSTM", "pytorch:lstm=int8"])
@pytest.mark.parametrize(("page", "written"), [("1_Sample", "int8 LSTM"), ("2_Inspect", None)])
def test_a_variant_in_the_url_may_be_a_name_or_a_label_on_every_page(queue, asked, page, written):
    page = open_page(ROOT / f"pages/{page}.py", variants=asked)
    assert not page.exception and not page.error
    assert page.query_params["variants"] == (written or "pytorch:lstm=int8")


@pytest.mark.parametrize(
    "query", [{"model": "../../etc"}, {"text": "/etc/passwd"}, {"threads": "64"}, {"run": "nope"}]
)
def test_a_hostile_url_is_not_followed(queue, query):
    page = open_page(**query)
    assert not page.exception and not page.error
    assert page.selectbox(key="text").value == page.selectbox(key="text").options[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "must be UTF-8"),
        (b"xyzzy plugh\n", "none of the vocabulary's 20 words"),
        (None, "There is no text 'short'"),
    ],
)
def test_a_bad_text_is_said_in_words(queue, text_file, content, words):
    page = press(open_page(text="short"), "Run")
    text_file.unlink() if content is None else text_file.write_bytes(content)
    execute(queue.store.unfinished()[0].id, queue.store)
    page.run()
    assert not page.exception
    assert words in page.error[0].value


def test_run_submits_what_the_page_shows(queue):
    page = press(open_page(lstm="false", text="short", amount="All of it"), "Run")
    (run,) = queue.store.unfinished()
    assert CompareSpec.from_json(run.spec) == CompareSpec(
        variants=("fp32", "pytorch:linear=int8"), model="tiny", text="short"
    )
    assert page.query_params["run"] == run.id


def test_run_with_nothing_switched_on_compares_fp32_with_itself(queue):
    press(open_page(lstm="false", linear="false", text="short"), "Run")
    (run,) = queue.store.unfinished()
    assert run.spec["variants"] == ["fp32", "fp32"]


def test_a_few_seconds_is_a_budget_that_ends_when_sure(queue):
    press(open_page(), "Run")
    spec = queue.store.unfinished()[0].spec
    assert (spec["seconds"], spec["target"]) == (6.0, 0.03)


@pytest.mark.parametrize(
    ("label", "variants"),
    [
        ("All four", ["fp32", "pytorch:lstm=int8", "pytorch:linear=int8", "int8"]),
        ("A/A control", ["fp32", "fp32"]),
    ],
)
def test_the_other_buttons_compare_other_variants(queue, result, label, variants):
    page = press(open_page(text="short"), label)
    (run,) = queue.store.unfinished()
    assert run.spec["variants"] == variants
    queue.store.update(run.id, state=State.DONE, result=result)
    assert not any("settings have changed" in each.value for each in page.run().caption)


ORT, ORT_INT8 = "onnxruntime:", "onnxruntime:lstm=int8,linear=int8,embedding=int8"
FP16 = "pytorch:lstm=fp16,linear=fp16"


def also(page: AppTest) -> list[str]:
    return page.multiselect(key="also").value


def test_the_urls_other_variants_are_chosen_and_run_in_order(queue):
    page = open_page(also=[ORT_INT8, FP16], text="short")
    assert not page.exception and not page.error
    assert also(page) == [ORT_INT8, FP16]
    assert "ORT int8 all, fp16 LSTM + Linear and int8 LSTM + Linear in turn" in page.info[0].value
    press(page, "Run")
    (run,) = queue.store.unfinished()
    assert run.spec["variants"] == ["fp32", ORT_INT8, FP16, "int8"]


def test_unknown_and_repeated_names_of_the_url_are_ignored_and_the_rest_bounded(queue):
    page = open_page(also=["nope", "fp32", f" {ORT}", ORT, "../x:", "onnxruntime:lstm=fp16", ""])
    assert not page.exception and not page.error
    assert also(page) == [ORT]
    names = [
        f"pytorch:lstm={one},linear={two}"
        for one in ("int8", "fp16", "int8-channel")
        for two in ("fp32", "int8", "fp16")
    ]
    page = open_page(also=names)
    assert not page.exception and not page.error
    assert len(also(page)) == choices.MOST_OTHERS
    press(page, "Run")
    (run,) = queue.store.unfinished()
    assert len(run.spec["variants"]) == len(set(run.spec["variants"])) <= 8


def test_a_variant_chosen_twice_is_run_once(queue):
    press(open_page(also=["int8", ORT]), "Run")
    (run,) = queue.store.unfinished()
    assert run.spec["variants"] == ["fp32", ORT, "int8"]


@pytest.mark.parametrize(
    ("name", "module", "code"),
    [
        (ORT_INT8, "DynamicQuantizeLSTM(", "op_types_to_quantize=['LSTM', 'MatMul', 'Gather']"),
        (FP16, "dtype=torch.float16", "dtype=torch.float16"),
        ("int8", "dtype=torch.qint8", "dtype=torch.qint8"),
    ],
)
def test_a_chosen_variants_sentence_modules_and_code_are_shown(queue, name, module, code):
    page = open_page(also=[ORT_INT8, FP16])
    choice = next(each for each in page.segmented_control if each.label == "Variant")
    page = choice.set_value(name).run()
    assert not page.exception and not page.error
    variant = Variant.parse(name)
    shown = f"**{variant.label}** (`{name}`): {describe(variant)}"
    assert shown in [each.value for each in page.markdown]
    _, after, script = (each.value for each in page.code)
    assert module in after and code in script


def test_the_embedding_has_a_switch_that_the_url_sets(queue):
    assert not open_page().toggle(key="embedding").value
    page = open_page(embedding="1", text="short")
    assert page.toggle(key="embedding").value
    *_, code = (each.value for each in page.code)
    assert "nn.Embedding: torch.ao.quantization.float_qparams_weight_only_qconfig" in code
    press(page, "Run")
    (run,) = queue.store.unfinished()
    assert run.spec["variants"] == ["fp32", "pytorch:lstm=int8,linear=int8,embedding=int8"]


def test_the_first_screen_shows_a_labelled_recording_of_the_chosen_variant(queue):
    both = open_page(model="wikitext2-lstm")
    assert "Recorded on" in both.markdown[1].value
    size = both.metric[1]
    assert size.value == "79.7"
    assert open_page(model="wikitext2-lstm", linear="0").metric[1].value != size.value
    none = open_page(model="tiny")
    assert [metric.value for metric in none.metric] == ["–"] * 3


def test_a_waiting_run_says_how_many_are_ahead_and_can_be_stopped(queue):
    run_id = store_run(queue)
    page = open_page(run=run_id)
    assert "2 ahead of you, about 40 s" in page.get("progress")[0].proto.text
    press(page, "Stop")
    assert queue.stopped == [run_id]


def test_a_running_run_shows_its_numbers_and_the_time_left(queue, result):
    run_id = store_run(
        queue, state=State.RUNNING, stage="Measuring", done=0.5, seconds_left=3.0, result=result
    )
    page = open_page(run=run_id)
    assert page.get("progress")[0].proto.text == "Measuring: about 3 s left"
    assert len(page.metric) == 3


def test_a_finished_run_shows_three_cards_with_their_change_and_three_charts(queue, result):
    page = open_page(run=store_run(queue, state=State.DONE, result=result))
    fp32, int8 = result["results"]
    loss, size, elapsed = page.metric
    assert loss.value == f"{int8['loss']:.4f}"
    assert float(loss.delta.replace("−", "-")) == pytest.approx(
        int8["loss"] - fp32["loss"], abs=1e-4
    )
    assert size.value == f"{int8['size_bytes'] / 1e6:.1f}"
    assert elapsed.value == f"{int8['elapsed_s']:.2f}"
    ratio = float(re.match(r"[\d.]+", elapsed.delta)[0])
    assert ratio == pytest.approx(fp32["elapsed_s"] / int8["elapsed_s"], abs=0.006)
    assert len(page.get("vega_lite_chart")) == 5


@pytest.mark.parametrize(
    ("state", "box", "words"),
    [
        (State.FAILED, "error", "The worker process ended"),
        (State.INTERRUPTED, "warning", "The server stopped"),
        (State.STOPPED, "info", "Stopped early"),
    ],
)
def test_a_run_that_ended_early_says_so_and_shows_what_it_measured(
    queue, result, state, box, words
):
    messages = {State.FAILED: "the worker process ended", State.INTERRUPTED: "The server stopped"}
    run_id = store_run(queue, state=state, message=messages.get(state, ""), result=result)
    page = open_page(run=run_id)
    assert words in getattr(page, box)[0].value
    assert len(page.metric) == 3


def test_changed_settings_are_said(queue, result):
    spec = CompareSpec(model="tiny", text="short", seconds=6.0, target=0.03)
    run = Run("compare", spec.to_json(), state=State.DONE, result=result)
    queue.store.create(run)
    said = "settings have changed"
    assert not any(said in each.value for each in open_page(run=run.id, text="short").caption)
    assert any(said in each.value for each in open_page(run=run.id, text="demo").caption)


def test_a_run_that_is_not_kept_shows_with_a_warning(queue, result, monkeypatch):
    queue.store = RunStore("sqlite:////dev/null/runs.sqlite")
    page = open_page(run=store_run(queue, state=State.DONE, result=result))
    assert "not kept" in page.warning[0].value
    assert len(page.metric) == 3


def test_the_page_shows_the_model_before_and_after_and_code(queue):
    before, after, code = (each.value for each in open_page(linear="false").code)
    assert "LSTM(8, 6, num_layers=2" in before and "Quantized" not in before
    assert "DynamicQuantizedLSTM" in after and "DynamicQuantizedLinear" not in after
    assert "quantize_dynamic(\n    model, {nn.LSTM}" in code


def test_words_of_a_model_are_never_markup():
    assert plain("<unk> *a* $x$ :material/x: # [b](c) _d_").count("\\") == 16
    assert plain("1914–18 · “é”") == "1914–18 · “é”"


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
    rows = [listed(page).index(each) for each in ids]
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
    recorded = {f"recorded-{name}" for name in ("all-four", "control", "onnx-runtime")}
    assert set(listed(page)) == {kept.id, own.id, *recorded}


def test_runs_are_filtered_by_model_text_and_machine(queue, kept):
    page = open_page(RUNS)
    page.multiselect(key="filter-model").set_value(["tiny"]).run()
    assert listed(page) == [kept.id]
    page.multiselect(key="filter-model").set_value([]).run()
    page.multiselect(key="filter-text").set_value(["demo"]).run()
    assert [each.split("-")[0] for each in listed(page)] == ["recorded"] * 3


def test_one_selected_run_is_opened(queue, kept):
    page = select(open_page(RUNS), kept.id)
    assert not page.error
    assert len(page.metric) == 3


def test_several_runs_stand_side_by_side_with_a_warning_where_machines_differ(queue, kept, result):
    other = {**result, "machine": {**result["machine"], "cpu": "Another"}}
    other["protocol"] = {**result["protocol"], "text": "another", "weights_sha256": "0a" * 32}
    far, near = (stored(queue, kept, id=id, result=r) for id, r in (("f", other), ("n", result)))
    page = select(open_page(RUNS), kept.id, near.id)
    assert not page.error and not page.warning
    assert list(page.dataframe[1].value["Variant"]) == ["fp32", "int8 LSTM + Linear"] * 2
    page = select(open_page(RUNS), kept.id, far.id)
    assert [each.value.split(":")[0].split()[-1] for each in page.warning] == [
        "machines", "texts", "weights"
    ]  # fmt: skip
    assert "times do not compare" in page.warning[0].value


def test_a_permalink_shows_result_settings_machine_and_blocks_on_both_pages(queue, kept):
    page = open_page(RUNS, run=kept.id)
    assert len(page.metric) == 3
    settings, machine = (json.loads(each.value) for each in page.json)
    assert settings == kept.spec and machine == kept.result["machine"]
    assert page.code[0].value.startswith("round,variant,label,tokens,wall_s,cpu_s")
    assert [each.label for each in page.get("download_button")] == ["JSON", "CSV", "Markdown"]
    assert len(open_page(run=kept.id).metric) == 3


def test_a_recording_has_a_permalink_too(queue):
    page = open_page(RUNS, run="recorded-control")
    assert not page.error and len(page.metric) == 3
    gray = Metric.MetricColor.GRAY
    assert [each.proto.color for each in page.metric] == [gray] * 3  # no better and no worse


@pytest.mark.parametrize("run_id", ["nope", "../../etc/passwd", "other"])
def test_a_link_to_no_comparison_is_said_in_words(queue, kept, run_id):
    stored(queue, kept, id="other", kind="other")
    page = open_page(RUNS, run=run_id)
    assert not page.exception and "There is no" in page.error[0].value


def test_run_this_here_measures_the_same_settings_again(queue, kept):
    page = open_page(RUNS, run=kept.id)
    press(page, "Run this here")
    (run,) = queue.store.unfinished()
    assert run.spec == kept.spec


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model": "/root/weights.pth"}, "The model must be one of"),
        ({"text": "../secret.txt"}, "The text must be one of"),
        ({"corpus": "/etc"}, "corpus folder"),
        ({"seconds": 80_000.0}, "80,000 s, and 600 s are allowed"),
    ],
)
def test_settings_from_elsewhere_that_this_server_must_not_run_are_refused(
    queue, kept, change, why
):
    stored(queue, kept, id="foreign", spec={**kept.spec, **change})
    page = open_page(RUNS, run="foreign")
    button = next(each for each in page.button if each.label == "Run this here")
    assert button.disabled and why in button.help


def test_only_ones_own_runs_can_be_deleted(queue, kept):
    page = open_page(RUNS, run=kept.id)
    assert "Delete for good" not in [each.label for each in page.button]
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
    assert "must be chosen first" in page.error[0].value

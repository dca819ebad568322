"""The Compare page through Streamlit's own test runner."""

import errno
import json
import math
import re
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from helpers.driver import IdleQueue, open_page, press
from view.compare import diagram
from view.compare import variant as show_variant
from view.compare.choose import MOST_OTHERS
from view.shared import runs
from view.shared.model_drawing import clicked_part
from wlm.measuring.comparison import CompareSpec
from wlm.quantization.variant import Variant, describe
from wlm.runs.execute import execute
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore

NOT_CHOSEN = "Settings changed"


def words(page: AppTest) -> str:
    """What the page says."""
    return "\n".join(element.value for element in [*page.info, *page.markdown, *page.caption])


def store_run(queue: IdleQueue, **fields) -> str:
    run = Run("compare", CompareSpec(model="tiny", text="short").to_json(), **fields)
    queue.store.create(run)
    return run.id


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


def test_where_no_run_can_be_stored_run_says_so_until_one_can(queue, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    queue.store = RunStore("sqlite:////dev/null/runs.sqlite")
    page = open_page(text="short")
    with monkeypatch.context() as patch:
        patch.setattr("wlm.runs.storage.tempfile.TemporaryDirectory", full)
        press(page, "Run")
    assert not page.exception
    assert [error.value for error in page.error] == [
        "No run can be stored now: No space left on device."
    ]
    assert "run" not in page.query_params
    press(page, "Run")
    assert not page.error
    (run,) = queue.store.unfinished()
    assert page.query_params["run"] == run.id


@pytest.mark.parametrize(
    ("also", "variants"), [([], ["fp32", "fp32"]), (["onnxruntime:"], ["fp32", "onnxruntime:"])]
)
def test_run_with_nothing_switched_on_compares_fp32_with_the_others_or_itself(
    queue, also, variants
):
    press(open_page(lstm="false", linear="false", text="short", also=also), "Run")
    (run,) = queue.store.unfinished()
    assert run.spec["variants"] == variants


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
    assert NOT_CHOSEN not in words(page.run())
    # The switches show what the button ran, and so does the URL.
    together = label == "All four"
    assert [page.toggle(key=part).value for part in ("lstm", "linear")] == [together] * 2
    assert also(page) == page.query_params.get("also", []) == variants[1:-1]
    assert ("compares fp32 with itself" in words(page)) != together


@pytest.mark.parametrize(
    ("seconds", "moment"),
    [
        (-5.0, "just now"),
        (59.0, "just now"),
        (60.0, "1 minute ago"),
        (7300.0, "2 hours ago"),
        (86_400.0, "on 09 September 2001"),
    ],
)
def test_a_result_says_when_it_was_measured(queue, result, monkeypatch, seconds, moment):
    run = store_run(queue, state=State.DONE, result=result, finished_at=1e9)
    monkeypatch.setattr(runs, "time", SimpleNamespace(time=lambda: 1e9 + seconds))
    assert f"Measured {moment}" in words(open_page(run=run, text="short"))


def test_of_several_variants_the_best_trade_off_leads(queue, result):
    fp32, int8 = result["results"]
    slow = {**int8, "label": "slow", "speedup": 0.5, "speedup_ci95": [0.49, 0.51]}
    fast = {**int8, "label": "fast", "speedup": 2.0, "speedup_ci95": [1.99, 2.01]}
    fast["verdict"] = "faster"
    wrong = {**fast, "label": "wrong", "speedup": 9.0, "loss": fp32["loss"] + 1.0}
    several = {**result, "results": [fp32, fast, wrong, {**slow, "verdict": "slower"}]}
    page = open_page(run=store_run(queue, state=State.DONE, result=several))
    assert page.header[0].value.startswith("fast is 2.0 times as fast as fp32")
    assert [markdown.value for markdown in page.markdown].count("**fast**") == 3  # on each card
    assert "Best trade-off of 3 variants: the fastest without a higher loss." in words(page)


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


def test_an_unknown_name_in_the_url_is_an_error_and_the_others_show_once(queue):
    page = open_page(also=["nope", "fp32", f" {ORT}", ORT, "../x:", "onnxruntime:lstm=fp16", ""])
    assert not page.exception and "'nope'" in page.error[0].value
    assert also(page) == [ORT]
    names = [
        f"pytorch:lstm={one},linear={two}"
        for one in ("int8", "fp16", "int8-channel")
        for two in ("fp32", "int8", "fp16")
    ]
    page = open_page(also=names)
    assert not page.exception and not page.error
    assert len(also(page)) == MOST_OTHERS
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
    choice = next(control for control in page.segmented_control if control.label == "Variant")
    page = choice.set_value(name).run()
    assert not page.exception and not page.error
    variant = Variant.parse(name)
    shown = f"**{variant.label}** (`{name}`): {describe(variant)}"
    assert shown in [markdown.value for markdown in page.markdown]
    _, after, script = (block.value for block in page.code)
    assert module in after and code in script


def test_a_variant_that_is_slow_here_says_why(queue, monkeypatch):
    monkeypatch.setattr(show_variant, "slow_here", lambda variant: f"{variant} is slow here.")
    assert any("int8 is slow here." in caption.value for caption in open_page().caption)
    monkeypatch.setattr(show_variant, "slow_here", lambda _: "")
    assert not any("slow here" in caption.value for caption in open_page().caption)


def test_the_embedding_has_a_switch_that_the_url_sets(queue):
    assert not open_page().toggle(key="embedding").value
    page = open_page(embedding="1", text="short")
    assert page.toggle(key="embedding").value
    *_, code = (block.value for block in page.code)
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
    # Sizes are known before anything is measured.
    assert [metric.value for metric in none.metric] == ["–", "1.8", "–"]


def test_a_waiting_run_says_how_many_are_ahead_and_can_be_stopped(queue):
    run_id = store_run(queue)
    page = open_page(run=run_id)
    assert "2 ahead of you, about 40 s" in page.get("progress")[0].proto.text
    press(page, "Stop")
    assert queue.stopped == [run_id]


def test_a_running_run_is_a_race_with_its_numbers_and_the_time_left(queue, result):
    run_id = store_run(
        queue, state=State.RUNNING, stage="Measuring", done=0.5, seconds_left=3.0, result=result
    )
    page = open_page(run=run_id)
    assert any(markdown.value == "Measuring: about 3 s left" for markdown in page.markdown)
    assert not page.get("progress")
    race = page.get("vega_lite_chart")[0].proto.spec
    assert "words/s" in race and "int8 LSTM + Linear" in race
    assert len(page.metric) == 3


def test_a_finished_run_shows_three_cards_with_their_change_and_three_charts(queue, result):
    page = open_page(run=store_run(queue, state=State.DONE, result=result))
    fp32, int8 = result["results"]
    loss, size, elapsed = page.metric
    assert loss.value == f"{int8['loss']:.4f}"
    assert float(loss.delta.replace("−", "-")) == pytest.approx(
        int8["loss"] - fp32["loss"], abs=1e-4
    )
    assert size.label == "Size, kB"  # a tiny model's
    assert size.value == f"{int8['size_bytes'] / 1e3:.1f}"
    assert elapsed.value == f"{int8['elapsed_s']:.2f}"
    low, high = int8["speedup_ci95"] or (1.0, math.inf)
    ratio = re.search(r"speed-up ([\d.]+)", elapsed.delta)
    if math.sqrt(high / low) - 1 > 0.3:
        assert elapsed.delta == "speed-up still uncertain"
    else:
        assert float(ratio[1]) == pytest.approx(fp32["elapsed_s"] / int8["elapsed_s"], abs=0.006)
    assert len(page.get("vega_lite_chart")) == 6  # the last is the model, to scale


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
    page = open_page(run=run.id, text="short")
    assert "Shown: **fp32**, **int8 LSTM + Linear** · model tiny · text short · 1 thread" in words(
        page
    )
    assert NOT_CHOSEN not in words(page)
    page.toggle(key="lstm").set_value(False).run()
    assert "Press **Run** to update. Changed: variants." in words(page)
    page = open_page(run=run.id, text="demo", amount="All of it")
    assert "Press **Run** to update. Changed: text and amount of text." in words(page)


def test_a_recording_says_what_it_is_of_and_whether_that_is_chosen(queue):
    page = open_page(model="wikitext2-lstm", text="demo")
    assert "**int8 LSTM + Linear** · model wikitext2\\-lstm · text demo" in words(page)
    assert NOT_CHOSEN not in words(page)
    assert "Press **Run** to update. Changed: text." in words(
        open_page(model="wikitext2-lstm", text="short")
    )


def test_until_the_first_numbers_those_before_stay_dim(queue, result):
    page = open_page(run=store_run(queue, state=State.DONE, result=result), text="short")
    shown = [metric.value for metric in page.metric]
    page = press(page, "Run")
    assert [metric.value for metric in page.metric] == [f":gray[{value}]" for value in shown]
    *charts, _model = [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]
    veils = [chart["layer"][-1]["mark"] for chart in charts]
    assert [(veil["type"], veil["color"]) for veil in veils] == [
        ("rect", {"expr": "background"})
    ] * 5
    assert "Previous result: **fp32**" in words(page)
    queue.store.update(queue.store.unfinished()[0].id, state=State.RUNNING, result=result)
    assert [metric.value for metric in page.run().metric] == shown


def test_before_any_result_run_leaves_the_recording_dim(queue):
    page = press(open_page(model="wikitext2-lstm", text="demo"), "Run")
    assert [metric.value for metric in page.metric][1] == ":gray[79.7]"
    page = press(open_page(model="tiny", text="short"), "Run")
    assert [metric.value for metric in page.metric] == ["–", "1.8", "–"]


def test_only_a_model_of_the_tutorials_architecture_has_its_marks(queue):
    page = open_page(model="tiny")
    assert len(page.get("vega_lite_chart")) == 4  # the last is the model, to scale
    for chart in page.get("vega_lite_chart"):
        assert "133.4" not in chart.proto.spec  # of the tutorial's fp32
    assert "tutorial published" not in words(page)


def test_a_run_that_is_not_kept_shows_with_a_warning(queue, result, monkeypatch):
    queue.store = RunStore("sqlite:////dev/null/runs.sqlite")
    page = open_page(run=store_run(queue, state=State.DONE, result=result))
    assert "not kept" in page.warning[0].value
    assert len(page.metric) == 3


def test_the_page_shows_the_model_before_and_after_and_code(queue):
    before, after, code = (block.value for block in open_page(linear="false").code)
    assert "LSTM(8, 6, num_layers=2" in before and "Quantized" not in before
    assert "DynamicQuantizedLSTM" in after and "DynamicQuantizedLinear" not in after
    assert "quantize_dynamic(\n    model, {nn.LSTM}" in code


@pytest.mark.parametrize(
    ("click", "embedding"),
    [([{"part": "Embedding"}], True), ([{"part": "Attention"}], False), ([{}], False), ([], False)],
)
def test_a_part_that_is_clicked_turns_its_switch_and_nothing_else_does(
    monkeypatch, click, embedding
):
    chart = SimpleNamespace(selection={"part": click})
    state = {"chart": chart, "embedding": False, "lstm": True}
    monkeypatch.setattr(diagram.st, "session_state", state)
    if part := clicked_part("chart"):
        diagram.turn_switch(part)
    assert (state["embedding"], state["lstm"]) == (embedding, True)


def test_a_word_is_sent_through_the_model_of_the_switches(queue):
    page = press(open_page(lstm="0"), "Send the last word through")
    assert not page.exception and not page.error
    assert any("goes in as a number" in markdown.value for markdown in page.markdown)
    assert len(page.get("vega_lite_chart")) == 6


def test_an_unknown_word_that_is_sent_through_is_named(queue):
    page = open_page()
    page.text_input(key="living-words").set_value("the zeppelin").run()
    press(page, "Send the last word through")
    (sentence,) = (
        markdown.value for markdown in page.markdown if "goes in as a number" in markdown.value
    )
    assert sentence.startswith("**zeppelin** is an unknown word.")


def test_every_choice_shows_its_own_variants_before_it_is_measured(queue):
    for switches in ({"embedding": "true"}, {"lstm": "false", "embedding": "true"}):
        page = open_page(model="wikitext2-lstm", **switches)
        size = page.metric[1]
        assert float(size.value) < 80 and "-" in size.delta
        assert any("embedding" in markdown.value.lower() for markdown in page.markdown)


def test_the_first_page_offers_the_tour_and_switches_that_are_off_are_named(queue):
    (link,) = open_page().main.get("page_link")
    assert "tour" in link.proto.label
    page = open_page(lstm="false", linear="false")
    assert any("compares fp32 with itself" in caption.value for caption in page.caption)

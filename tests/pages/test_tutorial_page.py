"""The guided tour: each step shows its result, and the way through it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from helpers.driver import open_page, press
from view.shared.runs import TIMING
from view.tutorial import results
from view.tutorial import steps as tour
from view.tutorial.place import NUMBERS
from wlm.measuring.comparison import CompareSpec
from wlm.quantization.onnx import export as onnx_export
from wlm.runs import recordings
from wlm.runs.run import State, finished_run

PAGE = Path(__file__).resolve().parents[2] / "pages" / "5_Tutorial.py"

pytestmark = [pytest.mark.usefixtures("queue"), pytest.mark.slow]  # the bundled model


def opened(**query: str) -> AppTest:
    return open_page(PAGE, **query)


@pytest.mark.parametrize("number", range(1, 9))
def test_each_step_has_an_address_a_result_and_code(number):
    page = opened(step=str(number))
    assert not page.exception and not page.error
    assert page.title[0].value == f"{number}. {tour.STEPS[number - 1].title}"
    assert "wlm" in page.code[0].value


def test_a_part_that_is_clicked_is_rounded_and_with_another_click_no_more(monkeypatch):
    state = {"tour-rounded": frozenset({"lstm"})}
    monkeypatch.setattr(results.st, "session_state", state)
    for rounded in ({"lstm", "embedding"}, {"lstm"}):
        results.turn_part("embedding")
        assert state["tour-rounded"] == rounded


def test_next_and_back_walk_through():
    page = opened()
    for number in range(2, 9):
        page = press(page, "Next")
        assert page.title[0].value.startswith(f"{number}. ")
    assert next(button for button in page.button if button.label == "Next").disabled
    page = press(page, "Back")
    assert page.title[0].value.startswith("7. ")
    assert not page.exception


@pytest.mark.parametrize("asked", ["99", "abc", "-1", "1e999", ""])
def test_an_unknown_step_is_the_first(asked):
    page = opened(step=asked)
    assert not page.exception and page.title[0].value.startswith("1. ")
    assert next(button for button in page.button if button.label == "Back").disabled


def test_the_text_and_a_sample_are_live():
    metrics = {metric.label: metric.value for metric in opened(step="2").metric}
    assert metrics["Words the model knows"] == "33,278"
    page = opened(step="3")
    first = page.markdown[2].value
    assert page.markdown[1].value == "The Old Bridge" and first[0].isupper()
    page = press(page, "Another")
    assert page.markdown[2].value != first and len(first.split()) > 20


@pytest.fixture
def recorded() -> dict:
    """The result of the recorded run of fp32 and int8."""
    return recordings.recording(tour.MODEL, ("fp32", "int8")).result


@pytest.fixture
def recorded_onnx(recorded, monkeypatch) -> None:
    """A recorded run with ONNX Runtime's variant, too."""
    run = recordings.recording(tour.MODEL, ("fp32", "int8"))
    onnx = {"variant": str(tour.ONNX), "label": tour.ONNX.label, "size_bytes": 28_600_000}
    results = [*recorded["results"], recorded["results"][1] | onnx]
    run = replace(run, result=recorded | {"results": results})
    monkeypatch.setattr(recordings, "recordings", lambda: {"recorded-onnx": run})


@pytest.fixture
def nothing_recorded(monkeypatch) -> None:
    monkeypatch.setattr(recordings, "recordings", dict)


@pytest.fixture
def no_onnxruntime(monkeypatch) -> None:
    find = onnx_export.find_spec
    monkeypatch.setattr(
        onnx_export, "find_spec", lambda name: None if name == "onnxruntime" else find(name)
    )


def buttons(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def numbers(page: AppTest) -> dict[str, str]:
    """Return the values of the cards by what they measure, without the variant's name."""
    return {metric.label.partition(" · ")[0]: metric.value for metric in page.metric}


def test_quantizing_shows_a_recorded_run_first():
    page = opened(step="6")
    assert numbers(page)["Size, MB"] == "79.7"
    assert any("Recorded on" in markdown.value for markdown in page.markdown)


def test_the_words_hold_the_numbers_that_are_shown(recorded):
    fp32, int8 = recorded["results"]
    words = [" ".join(step.words()) for step in tour.STEPS]
    assert "512 values. 5 LSTM layers" in words[0] and "33,278 words" in words[0]
    assert "28 million numbers" in words[2]
    page = opened(step="6")
    share = next(metric.delta for metric in page.metric if metric.label.startswith("Size")).lstrip(
        "-"
    )
    assert share == f"{1 - int8['size_bytes'] / fp32['size_bytes']:.0%}"
    assert f"shrinks by {share}" in words[6]


@pytest.mark.parametrize(("step", "last"), [("6", "int8"), ("8", str(tour.ONNX))])
def test_a_run_can_be_stopped_and_shows_what_it_measured(queue, recorded, step, last):
    page = press(opened(step=step, present="true"), "Run")
    (run,) = queue.store.unfinished()
    assert run.spec["variants"][0] == "fp32" and run.spec["variants"][-1] == last
    assert run.spec["model"] == tour.MODEL
    assert not page.exception and "Run" not in buttons(page)
    assert numbers(page)["Size, MB"].startswith(":gray[")  # of the recorded run
    assert any("2 ahead of you" in str(progress.proto) for progress in page.get("progress"))
    page = press(page, "Stop")
    assert queue.stopped == [run.id]
    queue.store.update(run.id, state=State.STOPPED, result=recorded)
    page.run()
    assert "Stopped early" in page.info[0].value
    assert numbers(page)["Size, MB"] == "79.7" and "Stop" not in buttons(page)
    # Another step and back: the run is still there; also when the address is opened anew.
    page = press(press(page, "Back"), "Next")
    assert "Stopped early" in page.info[0].value
    address = dict(page.query_params)
    assert run.id in address.values()
    assert "Stopped early" in opened(**address).info[0].value


def test_another_run_leaves_the_numbers_of_the_one_before_until_it_has_its_own(queue, recorded):
    page = press(opened(step="6"), "Run")
    (run,) = queue.store.unfinished()
    fp32, int8 = recorded["results"]
    mine = {"results": [fp32, {**int8, "size_bytes": 12_300_000}], "warnings": ["It was busy."]}
    queue.store.update(run.id, state=State.DONE, result={**recorded, **mine})
    page.run()
    assert numbers(page)["Size, MB"] == "12.3" and page.warning[0].value == "It was busy."
    page = press(page, "Run")
    assert not page.exception and not page.error
    assert ":gray[12.3]" in numbers(page).values() and not page.warning


@pytest.mark.parametrize("asked", ["nothing", "../../etc", "other"])
def test_a_run_that_is_not_here_or_of_something_else_is_not_shown(queue, result, asked):
    other = finished_run(CompareSpec(model="tiny", text="short", tokens=100), result, 1000.0)
    queue.store.create(replace(other, id="other"))
    page = opened(step="6", **{"tour-run": asked})
    assert not page.exception and not page.error
    assert numbers(page)["Size, MB"] == "79.7"
    assert any("not on this server" in markdown.value for markdown in page.markdown)


def test_the_last_step_shows_a_recorded_run_by_itself(recorded_onnx):
    page = opened(step="8")
    assert numbers(page)["Size, MB"] == "28.6" and "Run" in buttons(page)
    assert any("Recorded on" in markdown.value for markdown in page.markdown)


def test_without_a_recording_the_last_step_says_what_run_does(nothing_recorded):
    page = opened(step="8")
    # Another run must not stand for it.
    assert set(numbers(page).values()) == {"–"}
    assert "Press **Run**" in page.info[0].value


def test_without_onnxruntime_a_recorded_run_still_shows(recorded_onnx, no_onnxruntime):
    page = opened(step="8")
    assert numbers(page)["Size, MB"] == "28.6" and "Run" not in buttons(page)
    assert "pip install onnxruntime" in page.info[0].value


def test_without_onnxruntime_and_a_recording_it_is_said(nothing_recorded, no_onnxruntime):
    page = opened(step="8")
    assert not page.exception and not page.error and "Run" not in buttons(page)
    assert set(numbers(page).values()) == {"–"}
    assert [info.value for info in page.info if "pip install onnxruntime" in info.value]
    assert "faster" not in " ".join(tour.STEPS[7].words())


@pytest.mark.parametrize("present", ["true", "1"])
def test_a_presenter_has_no_menu_and_the_point_in_large_type(present):
    page = opened(step="7", present=present)
    assert not page.exception and not page.sidebar.children
    point, more = tour.STEPS[6].words()
    assert page.title[0].value == point
    assert more not in [markdown.value for markdown in page.markdown]
    assert page.run().title[0].value == point
    page = press(page, "End")
    assert page.sidebar.children and page.title[0].value.startswith("7. ")
    assert not press(page, "Present").sidebar.children


def test_code_stands_beside_the_point_until_the_next_step():
    page = press(opened(step="6", present="true"), "Code")
    press(page, "6")  # where one is already
    assert "quantize_dynamic" in page.get("bidi_component")[-1].proto.json
    assert page.title[0].value == tour.STEPS[5].words()[0] and len(page.title) == 1
    page = press(page, "Next")
    assert not page.exception
    assert "quantize" not in page.get("bidi_component")[-1].proto.json


def test_there_is_an_address_for_each_step_and_run():
    assert list(NUMBERS) == list(range(1, len(tour.STEPS) + 1))


def test_two_steps_show_how_a_weight_and_a_sum_become_integers():
    page = opened(step="4")
    assert "sets the step for all rows" in page.markdown[0].value
    assert len(page.get("vega_lite_chart")) == 2
    page = press(page, "Next")
    (score,) = re.findall(r" is (−?\d+\.\d+), by", page.markdown[0].value)
    assert f"{float(score.replace('−', '-')):.2f}" in page.latex[1].value
    assert 'row = checkpoint.vocabulary.ids["the"]' in page.code[0].value


@pytest.mark.parametrize("present", ["true", "false"])
def test_a_run_is_a_race_which_fills_a_slide(queue, recorded, present):
    page = press(opened(step="6", present=present), "Run")
    (run,) = queue.store.unfinished()
    queue.store.update(run.id, state=State.RUNNING, stage=TIMING, result=recorded)
    page.run()
    assert "words/s" in page.get("vega_lite_chart")[0].proto.spec
    assert bool(page.metric) == (present == "false")
    said = f"{recorded['results'][1]['speedup']:.1f} times as fast"
    assert any(said in heading.value for heading in [*page.header, *page.subheader])

"""The Sweep page through Streamlit's own test runner."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from helpers.driver import ROOT, open_page, press
from helpers.made_up import point
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.sweep import SweepSpec
from wlm.runs.execute import execute
from wlm.runs.recordings import recorded_points
from wlm.runs.run import Run, State
from wlm.runs.servers import this_server
from wlm.runs.worker import WorkerQueue

PAGE = ROOT / "pages/3_Sweep.py"
SPEC = SweepSpec("bptt", (1, 5, 25), CompareSpec(model="tiny", text="short", seconds=2.0))


@pytest.fixture
def waiting(queue, monkeypatch):
    """A real queue whose worker is never started: what is submitted waits."""
    real = WorkerQueue(queue.store)
    monkeypatch.setattr(real, "start", lambda: None)
    monkeypatch.setattr(real, "_hand_over", lambda run_ids: None)
    monkeypatch.setattr("view.shared.server.job_queue", lambda: real)
    return real


def result(value: int, speedup: float, ends: list[float] | None, host: str = "aa") -> dict:
    protocol = {"text": "short", "batch_size": 1, "bptt": value, "threads": 1}
    return {**point(value, speedup, ends, host=host), "protocol": protocol, "warnings": []}


def store_sweep(store, states: dict[int, tuple], spec: SweepSpec = SPEC) -> str:
    """Store a sweep with a run for each value: its state, its result and other fields."""
    sweep = Run("sweep", spec.to_json(), state=State.DONE)
    store.create(sweep)
    for value, at in zip(spec.values, spec.points(), strict=True):
        if value in states:
            state, measured, fields = states[value]
            run = Run("compare", at.to_json(), state=state, result=measured, sweep=sweep.id)
            store.create(run)
            if fields:
                store.update(run.id, **fields)
    return sweep.id


def words(page: AppTest) -> str:
    """All that the page says below its controls."""
    boxes = [*page.info, *page.warning, *page.error, *page.markdown, *page.caption]
    return "\n".join(box.value for box in boxes)


def test_the_first_screen_says_what_start_does_and_how_long_it_takes(waiting):
    page = open_page(PAGE)
    assert "Press **Start**" in page.info[0].value
    assert "5 points, at most about 65 s" in words(page)
    assert not page.metric and not page.get("vega_lite_chart")


def test_before_start_the_recorded_sweep_of_the_question_shows_with_machine_and_day(waiting):
    page = open_page(PAGE, model="wikitext2-lstm")
    assert not page.exception and not page.error
    points = recorded_points("recorded-sweep-bptt")
    said = words(page)
    assert "Press **Start**" in page.info[0].value
    assert f"Recorded on {points[-1].result['machine']['cpu']}" in said
    assert "chunk length 1, 5, 25, 100, 400" in said and "Settings changed" not in said
    assert len(page.metric) == 2 and len(page.get("vega_lite_chart")) == 2
    ids = [f"Runs?run={run.id}" for run in points]
    assert page.dataframe[0].value["Run"].tolist() == ids
    page.multiselect(key="with").set_value(["int8"]).run()
    assert "Settings changed" in words(page) and "Changed: variants" in words(page)
    page = press(page, "Start")
    assert page.metric[0].value.startswith(":gray[")  # until there are numbers
    assert "Previous result:" in words(page)


def test_a_recorded_sweep_and_its_points_have_links(waiting):
    page = open_page(PAGE, sweep="recorded-sweep-hidden")
    assert not page.exception and not page.error and page.metric
    page = open_page(ROOT / "pages/4_Runs.py", run="recorded-sweep-hidden-64")
    assert not page.exception and not page.error and len(page.metric) == 3


def test_start_queues_the_points_of_the_preset_and_names_the_sweep_in_the_url(waiting):
    page = press(open_page(PAGE, text="short", seconds="4"), "Start")
    assert not page.exception and not page.error
    (sweep_id,) = {run.sweep for run in waiting.store.unfinished()}
    assert page.query_params["sweep"] == sweep_id and len(sweep_id) >= 16
    spec = SweepSpec.from_json(waiting.store.get(sweep_id).spec)
    assert (spec.over, spec.values) == ("bptt", (1, 5, 25, 100, 400))
    assert (spec.base.model, spec.base.text, spec.base.seconds) == ("tiny", "short", 4.0)
    assert spec.base.variants == ("fp32", "int8", "pytorch:lstm=int8")
    again = press(page, "Start")
    assert "waiting already" in again.error[0].value


def test_own_knob_and_values(waiting):
    query = {
        "question": "Your own",
        "over": "Batch size",
        "values": "8,2",
        "with": "int8 LSTM + Linear",
    }
    page = press(open_page(PAGE, **query), "Start")
    assert not page.error
    specs = [CompareSpec.from_json(run.spec) for run in waiting.store.unfinished()]
    assert [spec.batch_size for spec in specs] == [2, 8]
    assert {spec.variants for spec in specs} == {("fp32", "int8")}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"values": "1,x"}, "got 'x'"),
        ({"values": "0"}, "1 to 1,000, got 0"),
        ({"values": "1,2,3,4,5,6,7,8,9,10,11,12,13"}, "got 13"),
        ({"over": "Hidden size", "values": "4096"}, "1 to 1,024, got 4,096"),
        ({"over": "Batch size", "values": "256000"}, "got 256,000"),
        ({"values": "<img src=x>"}, "\\<img src=x\\>"),
    ],
)
def test_bad_values_are_said_and_cannot_be_started(waiting, query, message):
    page = open_page(PAGE, question="Your own", **query)
    assert not page.exception
    assert message in page.error[0].value
    assert next(button for button in page.button if button.label == "Start").disabled


def test_without_a_variant_it_is_said_what_to_choose(waiting):
    page = open_page(PAGE)
    page.multiselect(key="with").set_value([]).run()
    assert "hoose at least one variant to compare with fp32" in page.error[0].value
    assert next(button for button in page.button if button.label == "Start").disabled


@pytest.mark.parametrize(
    "query",
    [
        {"question": "rm -rf", "over": "__class__", "with": "int4", "seconds": "99999"},
        {"question": "Your own", "over": "../../etc", "with": "pytorch:x=1"},
        {"model": "random-999999", "seconds": "nan"},
    ],
)
def test_a_hostile_url_changes_no_setting(waiting, query):
    page = press(open_page(PAGE, **query), "Start")
    assert not page.exception and not page.error
    runs = waiting.store.unfinished()
    assert {run.spec["seconds"] for run in runs} == {8.0}
    assert {tuple(run.spec["variants"]) for run in runs} == {("fp32", "int8", "pytorch:lstm=int8")}


@pytest.mark.parametrize("sweep_id", ["nope", "../../etc/passwd", "' OR 1=1 --", "\x00"])
def test_an_unknown_sweep_is_said(waiting, sweep_id):
    page = open_page(PAGE, sweep=sweep_id)
    assert not page.exception and not page.error
    assert "not on this server" in page.info[0].value


def test_a_single_run_is_no_sweep(waiting):
    run_id = waiting.submit(SPEC.points()[0])
    assert "not on this server" in open_page(PAGE, sweep=run_id).info[0].value


def test_a_sweep_under_way_shows_its_curves_so_far_and_stops(waiting):
    done, running = result(1, 3.0, [2.8, 3.2]), result(5, 2.0, None)
    sweep_id = store_sweep(
        waiting.store,
        {
            1: (State.DONE, done, {}),
            5: (State.RUNNING, running, {"done": 0.5, "seconds_left": 1.0}),
            25: (State.QUEUED, None, {}),
        },
    )
    page = open_page(PAGE, sweep=sweep_id)
    assert not page.exception and not page.error
    (bar,) = page.get("progress")
    assert bar.proto.text == "1 of 3 points; now chunks of 5; at most 8 s left"
    assert bar.proto.value == 50
    assert page.metric[0].value == "3.00"
    assert page.metric[0].delta == "undecided at 5"
    assert len(page.get("vega_lite_chart")) == 2
    assert page.dataframe[0].value["State"].tolist() == ["done", "measuring", "waiting"]
    press(page, "Stop")
    asked = [run.stop_requested for run in waiting.store.points_of(sweep_id)]
    assert asked == [False, True, True]


def test_until_the_first_point_the_sweep_shown_before_stays_dim_while_it_is_here(waiting):
    first, second = result(1, 0.7, [0.6, 0.8], "aa"), result(5, 2.0, [1.9, 2.1], "bb")
    first["warnings"] = ["The machine was busy."]
    done = {1: (State.DONE, first, {}), 5: (State.DONE, second, {})}
    before = store_sweep(waiting.store, done)
    page = open_page(PAGE, sweep=before, text="short")
    assert page.metric[0].value == "0.70 to 2.00" and len(page.warning) == 2
    page = press(page, "Start")
    assert not page.exception and not page.error
    assert page.metric[0].value == ":gray[0.70 to 2.00]" and len(page.get("vega_lite_chart")) == 2
    # Nothing that explains them: it would be taken for this sweep's.
    assert not page.warning and not page.dataframe
    assert "Previous result:" in words(page)
    waiting.store.delete(before, None)
    waiting.recent.forget()
    page.run()
    assert not page.exception and not page.error and not page.metric
    run = waiting.store.unfinished()[0]
    waiting.store.update(run.id, state=State.RUNNING, result=result(1, 3.0, [2.8, 3.2]))
    waiting.recent.forget()
    assert page.run().metric[0].value == "3.00"


def test_a_waiting_sweep_says_how_many_are_ahead(waiting):
    spec = CompareSpec(seconds=5.0).to_json()
    waiting.store.create(Run("compare", spec, server=this_server(), created_at=0.0))
    sweep_id = waiting.submit_sweep(SPEC, "anna")
    page = open_page(PAGE, sweep=sweep_id)
    assert page.get("progress")[0].proto.text == "Waiting: 1 ahead of you, about 10 s"


def test_a_finished_sweep_shows_where_int8_loses(waiting):
    points = {1: (0.7, [0.6, 0.8]), 5: (9.95, [0.09, 73.1]), 25: (2.0, [1.9, 2.1])}
    sweep_id = store_sweep(
        waiting.store,
        {value: (State.DONE, result(value, *point), {}) for value, point in points.items()},
    )
    page = open_page(PAGE, sweep=sweep_id)
    assert not page.exception and not page.error and not page.warning
    assert page.metric[0].value == "0.70 to 2.00"
    assert page.metric[0].delta == "slower at 1, undecided at 5"
    table = page.dataframe[0].value
    assert table["int8, speed-up"].tolist() == [
        "0.70 (0.60 to 0.80)",
        "9.95 (0.09 to 73.10)",
        "2.00 (1.90 to 2.10)",
    ]
    ids = [run.id for run in waiting.store.points_of(sweep_id)]
    assert table["Run"].tolist() == [f"Runs?run={id}" for id in ids]
    assert not any("Continue" in button.label for button in page.button)


def test_a_stopped_sweep_continues_with_what_is_missing(waiting):
    sweep_id = store_sweep(
        waiting.store,
        {
            1: (State.DONE, result(1, 3.0, None), {}),
            5: (State.STOPPED, result(5, 2.0, None), {}),
        },
    )
    page = press(open_page(PAGE, sweep=sweep_id), "Continue: 2 of 3 points are missing")
    assert not page.exception and not page.error
    assert [run.spec["bptt"] for run in waiting.store.unfinished()] == [5, 25]


def test_a_failed_point_is_said_with_its_value_and_the_others_show(waiting):
    sweep_id = store_sweep(
        waiting.store,
        {
            1: (State.DONE, result(1, 3.0, None), {}),
            5: (State.FAILED, None, {"message": "the worker process ended <b>"}),
            25: (State.FAILED, None, {"message": "the worker process ended <b>"}),
        },
    )
    page = open_page(PAGE, sweep=sweep_id)
    (error,) = page.error
    assert error.value == r"Chunk length 5, 25: the worker process ended \<b\>."
    assert len(page.get("vega_lite_chart")) == 2


def test_points_of_different_machines_are_said_not_to_compare(waiting):
    hosts = {1: "aa", 5: "bb", 25: "aa"}
    sweep_id = store_sweep(
        waiting.store,
        {value: (State.DONE, result(value, 2.0, None, host), {}) for value, host in hosts.items()},
    )
    (warning,) = open_page(PAGE, sweep=sweep_id).warning
    assert "do not compare" in warning.value
    assert re.search(r"host aa: 1, 25; .*host bb: 5", warning.value)


def test_random_weights_show_no_loss_and_say_why(waiting):
    spec = SweepSpec("hidden", (8, 16), SPEC.base)
    sweep_id = store_sweep(
        waiting.store,
        {value: (State.DONE, result(25, 2.0, None), {}) for value in (8, 16)},
        spec,
    )
    page = open_page(PAGE, sweep=sweep_id)
    assert "The loss of random weights means nothing" in words(page)
    assert not any(
        "nats" in column.lower() or "loss" in column.lower() for column in page.dataframe[0].value
    )


def test_nothing_measured_at_all_is_said(waiting):
    sweep_id = store_sweep(waiting.store, {1: (State.STOPPED, None, {})})
    page = open_page(PAGE, sweep=sweep_id)
    assert "Nothing was measured" in words(page)
    assert not page.metric


@pytest.mark.slow
def test_start_measures_for_real(waiting):
    query = {"question": "Your own", "values": "1,5", "text": "short", "seconds": "2"}
    page = press(open_page(PAGE, **query), "Start")
    for run in waiting.store.unfinished():
        execute(run.id, waiting.store)
    page.run()
    assert not page.exception and not page.error
    assert len(page.metric) == 2
    assert page.dataframe[0].value["State"].tolist() == ["done", "done"]

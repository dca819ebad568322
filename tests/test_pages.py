"""Every page through Streamlit's own test runner."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui
from wlm import jobs
from wlm.compare import CompareSpec, compare
from wlm.runs import Run, RunStore, State

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "streamlit_app.py", *sorted((ROOT / "pages").glob("*.py"))]

LOADING = PAGES[:2]  # Compare and Sample load a model in the server


class IdleQueue:
    """A queue without a worker process: what is submitted waits."""

    def __init__(self, store: RunStore):
        self.store, self.stopped = store, []

    def submit(self, spec: CompareSpec, visitor: str = "") -> str:
        run = Run("compare", spec.to_json(), visitor=visitor)
        self.store.create(run)
        return run.id

    def stop(self, run_id: str) -> None:
        self.stopped.append(run_id)

    def ahead_of(self, run_id: str) -> tuple[int, float]:
        return 2, 40.0


@pytest.fixture
def queue(tmp_path, model_folder, text_file, monkeypatch) -> IdleQueue:
    """A queue that does nothing, beside a tiny model and a short text to choose."""
    queue = IdleQueue(RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}"))
    monkeypatch.setattr(ui, "job_queue", lambda: queue)
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
    ui.load_model.clear()
    ui.load_variant.clear()
    return queue


def open_page(path: Path = PAGES[0], **query: str) -> AppTest:
    page = AppTest.from_file(PAGES[0], default_timeout=30)
    if path != PAGES[0]:
        page.switch_page(path.relative_to(ROOT).as_posix())
    for key, value in {"model": "tiny", **query}.items():
        page.query_params[key] = value
    return page.run()


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


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
    assert len(page.sidebar.get("page_link")) == len(ui.PAGES)


def test_the_menu_lists_every_page():
    listed = {path for path, _ in ui.PAGES.values()}
    assert listed == {path.relative_to(ROOT).as_posix() for path in PAGES}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_stay_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("path", LOADING, ids=lambda path: path.stem)
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

    monkeypatch.setattr(ui, "load_variant", broken)
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


@pytest.mark.parametrize(
    "query", [{"model": "../../etc"}, {"text": "/etc/passwd"}, {"threads": "64"}, {"run": "nope"}]
)
def test_a_hostile_url_is_not_followed(queue, query):
    page = open_page(**query)
    assert not page.exception and not page.error
    assert page.selectbox(key="text").value == page.selectbox(key="text").options[0]


@pytest.mark.parametrize(
    "query", [{"temperature": "99", "words": "-1", "seed": "x"}, {"temperature": "nan"}]
)
def test_sample_ignores_values_out_of_range_in_the_url(queue, query):
    page = open_page(PAGES[1], **query)
    assert not page.exception and not page.error
    assert page.slider(key="temperature").value == 0.8
    assert page.number_input(key="words").value == 150


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
    jobs.execute(queue.store.unfinished()[0].id, queue.store)
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


def write(**query: str) -> AppTest:
    return press(open_page(ROOT / "pages/1_Sample.py", **query), "Write")


def texts(page: AppTest) -> list[str]:
    return [each.value for each in page.markdown][2::2]


def test_sample_writes_both_texts_with_the_seed_of_the_url(queue):
    first, again, other = (write(words="30", seed=seed) for seed in ("5", "5", "6"))
    assert len(texts(first)) == 2
    assert texts(first) == texts(again) != texts(other)


def test_sample_marks_the_first_word_that_differs(queue):
    page = write(words="100", temperature="1.0", seed="3")
    fp32, int8 = texts(page)
    assert fp32.count("orange-background") == int8.count("orange-background") == 1
    same = fp32.index("orange-background")
    assert fp32[:same] == int8[:same]
    assert "first that differs" in page.caption[-1].value


def test_sample_without_quantization_writes_one_text(queue):
    page = write(words="20", lstm="false", linear="false")
    assert len(texts(page)) == 1


def test_a_sample_stays_when_a_setting_changes_and_says_so(queue):
    page = write(words="20")
    before = texts(page)
    page.slider(key="temperature").set_value(1.5).run()
    assert texts(page) == before
    assert "settings have changed" in page.caption[0].value


def test_words_of_a_model_are_never_markup():
    assert ui.plain("<unk> *a* $x$ :material/x: # [b](c)").count("\\") >= 12

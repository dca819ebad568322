"""Export, on the pages that offer it."""

from pathlib import Path

import pytest

from helpers.driver import open_page
from view.shared import server
from wlm.exporting.archives import archive_of
from wlm.exporting.export import export
from wlm.quantization.prepare import prepare
from wlm.quantization.variant import Variant
from wlm.runs.execute import execute
from wlm.weights.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
INT8 = Variant.parse("int8")

pytestmark = [pytest.mark.usefixtures("queue"), pytest.mark.slow]


def button(page, label):
    return next(button for button in page.button if button.label == label)


@pytest.mark.parametrize("page", ["streamlit_app.py", "pages/2_Inspect.py"])
def test_an_archive_is_made_when_it_is_asked_for_and_not_before(page, own_cache):
    page = open_page(ROOT / page, text="short")
    assert not page.exception and not list(own_cache.glob("export-*"))
    button(page, "Create").click().run()
    assert not page.exception and not page.error
    (made,) = own_cache.glob("export-*/*")
    (download,) = page.get("download_button")
    assert download.proto.label == f"Download, {made.stat().st_size / 1e3:.1f} kB"
    assert any(
        caption.value.startswith("Checked: the archive's script finds a loss of")
        for caption in page.caption
    )


def test_a_variant_that_cannot_be_made_is_refused_in_words(monkeypatch):
    from wlm.errors import WLMError

    def fail(*_):
        raise WLMError("the disk is full")

    monkeypatch.setattr(server, "archive", fail)
    page = open_page(ROOT / "streamlit_app.py", text="short")
    button(page, "Create").click().run()
    assert [error.value for error in page.error] == ["The disk is full."]
    assert not page.get("download_button")


def test_an_archive_is_made_once_and_found_again(tmp_path, model_folder, own_cache, monkeypatch):
    checkpoint = load_checkpoint(model_folder)
    made = archive_of(checkpoint, INT8, "torch")
    monkeypatch.setattr("wlm.exporting.archives.export", None)
    assert archive_of(checkpoint, INT8, "torch") == made
    assert made.name == "tiny-int8-torch.zip" and made.card["variant"] == "int8"
    (tmp_path / made.name).write_bytes(made.content)
    assert prepare(load_checkpoint(tmp_path / made.name).model, INT8)


@pytest.fixture
def imported(model_folder, monkeypatch) -> str:
    """The name of the tiny model's int8 variant, as it was taken and kept among the models."""
    export(load_checkpoint(model_folder), INT8, model_folder.parent / "quantized")
    return "quantized"


@pytest.mark.parametrize("page", ["streamlit_app.py", "pages/1_Sample.py", "pages/2_Inspect.py"])
def test_of_a_model_that_came_quantized_pages_offer_what_it_came_as(imported, page):
    page = open_page(ROOT / page, model=imported, text="short")
    assert not page.exception and not page.error
    offered = {
        label for control in (*page.multiselect, *page.button_group) for label in control.options
    }
    assert "fp32" not in offered and "ORT fp32" not in offered


def test_compare_runs_what_came_quantized_alone(imported):
    page = open_page(ROOT / "streamlit_app.py", model=imported, text="short")
    assert "came quantized, as int8 LSTM + Linear" in page.info[0].value
    button(page, "Run").click().run()
    (run,) = server.job_queue().store.list_runs("compare", 10)
    assert run.spec["variants"] == ["int8"]
    execute(run.id, server.job_queue().store)
    page.run()
    assert not page.exception and not page.error
    assert any("loss" in metric.label.lower() for metric in page.metric)


def test_a_sweep_of_what_came_quantized_is_refused_in_words(imported):
    page = open_page(ROOT / "pages/3_Sweep.py", model=imported, text="short")
    assert "The model is already quantized, as int8 LSTM + Linear" in page.error[0].value


def test_the_error_tab_says_that_it_needs_fp32(imported):
    page = open_page(ROOT / "pages/2_Inspect.py", model=imported, text="short", tab="Error")
    assert "needs the fp32 weights" in page.error[0].value

"""What every page does, through Streamlit's own test runner."""

import pytest

from helpers.driver import PAGES, ROOT, open_page, press
from view.shared import choices, server
from view.shared.page import MENU, plain
from wlm.catalog import inventory
from wlm.quantization.variant import Variant
from wlm.uploads import store

# These load a model in the server.
LOADING = [path for path in PAGES if path.stem not in ("3_Sweep", "4_Runs", "8_Audience")]


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
    monkeypatch.setattr(server, "config_of", broken)
    monkeypatch.setattr(inventory, "models_here", broken)
    queue.store.list_runs = broken
    page = open_page(path)
    if path.stem == "1_Sample":
        press(page, "Write")
    assert not page.exception
    assert "defect" in page.error[0].value and "internal detail" not in page.error[0].value


WITH_A_CHOICE = [path for path in PAGES if "choose_model()" in path.read_text("utf-8")]


@pytest.mark.parametrize("path", WITH_A_CHOICE, ids=lambda path: path.stem)
def test_a_defect_before_the_title_is_said_too(queue, monkeypatch, path):
    def broken(*_):
        raise OSError("internal detail")

    monkeypatch.setattr(choices, "names_for", broken)
    page = open_page(path)
    assert not page.exception
    (said,) = page.error
    assert "defect" in said.value and "internal detail" not in said.value


def test_a_setting_that_is_none_is_said_in_words_and_nothing_else_shown(queue, public):
    public(seconds=0)
    page = open_page()
    assert not page.exception and not page.title
    (said,) = page.error
    assert "WLM_RUN_SECONDS must be a whole number from" in said.value and "got '0'" in said.value


@pytest.mark.parametrize(("listing", "kind"), [("list_models", "model"), ("list_texts", "text")])
def test_nothing_to_choose_is_said_with_where_the_bundled_ones_are(
    queue, monkeypatch, listing, kind
):
    monkeypatch.setattr(store, listing, list)
    page = open_page()
    assert not page.exception
    (said,) = page.error
    assert f"no {kind} to choose" in said.value and "missing from assets/" in said.value


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
@pytest.mark.parametrize(
    ("page", "key"),
    [
        ("streamlit_app", "also"),
        ("pages/1_Sample", "variants"),
        ("pages/2_Inspect", "variants"),
        ("pages/3_Sweep", "with"),
    ],
)
def test_a_variant_in_the_url_may_be_a_name_or_a_label_on_every_page(queue, asked, page, key):
    page = open_page(ROOT / f"{page}.py", **{key: asked})
    assert not page.exception and not page.error
    choice = page.multiselect(key=key)
    assert choice.value == ["pytorch:lstm=int8"]
    others = [str(Variant(*[precision] * 3)) for precision in ("int8", "bf16")]  # on every menu
    page = choice.set_value(others[:1]).run()
    assert page.query_params[key] == others[0]
    page = page.multiselect(key=key).set_value(others).run()
    assert page.query_params[key] == others


def test_words_of_a_model_are_never_markup():
    assert plain("<unk> *a* $x$ :material/x: # [b](c) _d_").count("\\") == 16
    assert plain("1914–18 · “é”") == "1914–18 · “é”"

"""The How page through Streamlit's own test runner, with the tiny model."""

import pytest
from streamlit.testing.v1 import AppTest

from helpers.driver import ROOT, open_page
from view.how import selection
from view.how.bits import about_loss
from view.how.choose import DEFAULT_PROMPT
from view.shared import server
from wlm.explaining.curve import LossAt, LossCurve
from wlm.inspecting import weight_error
from wlm.quantization.variant import Variant
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import save_checkpoint


def how(**query: str) -> AppTest:
    return open_page(ROOT / "pages/7_How.py", **query)


def metric(page: AppTest, label: str) -> str:
    return next(metric.value for metric in page.metric if metric.label == label)


def said(page: AppTest) -> str:
    return "\n".join(markdown.value for markdown in page.markdown)


def test_five_steps_stand_below_each_other_with_formula_and_code(queue):
    page = how()
    assert [heading.value[:2] for heading in page.header] == ["1.", "2.", "3.", "4.", "5."]
    assert len(page.latex) == 10 and len(page.code) == 5
    assert page.text_input(key="prompt").value == DEFAULT_PROMPT
    value, theirs = (
        float(metric(page, label)) for label in ("Logit, by this arithmetic", "By PyTorch's int8")
    )
    assert value == pytest.approx(theirs, rel=1e-4)


def test_words_are_stepped_through_and_the_url_holds_the_place(queue):
    page = how(prompt="the old bridge", at="2")
    step = metric(page, "Step at this word")
    assert page.button(key="how-word-1").proto.type == "primary"
    page.button(key="how-Right").click().run()
    assert page.query_params["at"] == "3" and page.button(key="how-Right").disabled
    assert metric(page, "Step at this word") != step
    page.button(key="how-Left").click().run()
    assert metric(page, "Step at this word") == step
    page.button(key="how-word-0").click().run()
    assert page.query_params["at"] == "1" and page.button(key="how-Left").disabled


@pytest.mark.parametrize("at", ["0", "99", "-1", "1e999", "two"])
def test_a_place_that_is_none_is_the_nearest_or_the_last(queue, at):
    page = how(prompt="the old bridge", at=at)
    assert not page.exception and not page.error
    chosen = [button for button in page.button if button.proto.type == "primary"]
    assert [button.label for button in chosen] == ["bridge"]


def test_a_link_holds_matrix_row_scale_and_bits(queue):
    page = how(matrix="LSTM 1 recurrent", row="7", scale="One a row", bits="2", at="3")
    assert not page.exception and not page.error
    assert "forget gate of unit 1" in said(page)
    assert "With 2 bits, a weight is one of 4 numbers" in said(page)
    assert "Each row has its own step" in said(page)
    assert page.button_group(key="scale").value == "Per row"
    assert "rnn.weight_hh_l1" in page.code[0].value


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (7, "2.900 nats per token; its difference from fp32's 2.900 is within the 95% interval."),
        (2, "4.000 nats per token, +1.100 from fp32's 2.900."),
    ],
)
def test_a_loss_is_far_from_fp32s_only_where_its_interval_is(bits, words):
    points = tuple(
        LossAt(8 - i, False, *numbers)
        for i, numbers in enumerate([(2.9, 0.0, -0.1, 0.1)] * 6 + [(4.0, 1.1, 0.9, 1.3)])
    )
    curve = LossCurve("", "demo", 100, "Test CPU", 2.9, points)
    assert about_loss(curve, bits, by_row=False).endswith(words)


def test_why_fewer_bits_can_have_a_lower_loss_is_explained_only_if_they_have():
    points = tuple(LossAt(bits, False, 10.0 - bits, 1.0, 0.9, 1.1) for bits in (8, 7, 6, 5, 3, 2))
    curve = LossCurve("", "demo", 100, "", 2.0, (*points, LossAt(4, False, 9.9, 7.9, 7.0, 8.0)))
    assert "Why can 3 bits have a lower loss than 4?" in about_loss(curve, 4, by_row=False)
    assert "Why" not in about_loss(curve, 3, by_row=False)
    assert "Why" not in about_loss(curve, 2, by_row=False)


@pytest.mark.parametrize("row", ["20", "999999999"])
def test_a_row_out_of_range_is_reported_and_the_page_shows_another(queue, row):
    page = how(row=row)
    assert len(page.header) == 5 and not page.exception
    (error,) = page.error
    assert error.value.endswith(f"got {int(row):,}.")
    assert "Row must be a whole number from 0 to 19 (the rows of decoder)" in error.value


@pytest.mark.parametrize("query", [{"row": "1e999"}, {"bits": "1e999"}, {"bits": "99"}])
def test_numbers_that_are_none_are_ignored(queue, query):
    page = how(**query)
    assert not page.exception and not page.error


def test_the_row_is_chosen_anew_for_another_matrix(queue):
    page = how(row="19")
    page.selectbox(key="matrix").select("LSTM 0 input").run()
    assert not page.error and page.number_input(key="row").value is None


def test_words_unknown_to_the_model_are_read_as_such(queue):
    page = how(prompt="the <b>zeppelin</b> bridge")
    labels = [button.label for button in page.button]
    assert "\\<unk\\>" in labels and not page.error


def test_the_numbers_of_a_word_are_worked_out_once(queue, monkeypatch):
    page = how()

    def forbidden(*_):
        raise AssertionError("a rerun did it again")

    for name in ("read", "word_at", "next_words", "rounded_model"):
        monkeypatch.setattr(selection, name, forbidden)
    monkeypatch.setattr(weight_error, "histogram", forbidden)
    page.run()
    assert not page.exception and not page.error


def test_a_model_that_came_quantized_has_nothing_to_round(queue, monkeypatch):
    monkeypatch.setattr(server, "imported_as", lambda _: Variant.parse("int8"))
    page = how()
    assert "came quantized, as int8 LSTM + Linear" in page.info[0].value
    assert not page.header


def test_a_vocabulary_without_unk_shows_the_page_and_refuses_only_what_is_asked(
    queue, model_folder, model
):
    words = [f"w{i}" for i in range(19)]
    save_checkpoint(model_folder.parent / "bare", model, Vocabulary([*words, "bridge"]))
    page = how(model="bare")
    assert not page.exception and not page.error
    assert [button.label for button in page.button if button.proto.type == "primary"] == ["bridge"]
    page = how(model="bare", prompt="the bridge")
    assert "'the' is not in the vocabulary" in page.error[0].value

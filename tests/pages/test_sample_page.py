"""The Sample page through Streamlit's own test runner, with the tiny model."""

import json
from itertools import pairwise

import pytest
from streamlit.testing.v1 import AppTest

from helpers import driver
from helpers.driver import press
from view.sample import blind_test, departures, write_queue
from view.sample import texts as sample_texts
from view.sample.texts import Sample
from view.sample.typeset import typeset
from view.sample.word_strip import typeset_lines
from view.sample.write_queue import WriteQueue
from view.shared import choices, server
from wlm.sampling.candidates import Candidate
from wlm.sampling.words import SampledWord

BOTH = "int8 LSTM + Linear"


@pytest.fixture(autouse=True)
def tiny(model_folder, monkeypatch):
    """The tiny model to choose, nothing cached."""
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    server.models().clear()
    sample_texts.kept_samples().clear()


def open_page(**query) -> AppTest:
    return driver.open_page(driver.ROOT / "pages/1_Sample.py", **query)


def write(**query) -> AppTest:
    page = press(open_page(**query), "Write")
    assert not page.exception and not page.error
    return page


# As the library and the tutorial begin.
TUTORIAL = {"start": "Any word", "known": "false"}


def texts(page: AppTest) -> list[str]:
    """What stands under each label with its speed."""
    values = [markdown.value for markdown in page.markdown]
    return [after for before, after in pairwise(values) if "second]" in before]


def test_both_texts_are_written_with_the_seed_of_the_url():
    first, again, other = (write(words="30", seed=seed) for seed in ("5", "5", "6"))
    assert len(texts(first)) == 2
    assert texts(first) == texts(again) != texts(other)


def test_who_comes_finds_a_text_that_is_the_urls_and_is_written_once(monkeypatch):
    first = open_page(words="30", seed="5")
    assert not first.exception and not first.error and not first.info
    assert len(texts(first)) == 2 and len(first.get("vega_lite_chart")) == 3
    monkeypatch.setattr(sample_texts, "sample_words", None)
    monkeypatch.setattr(sample_texts, "divergences", None)
    assert texts(open_page(words="30", seed="5")) == texts(first)


def test_a_text_begins_after_what_was_chosen_and_shows_it():
    bundled = {"model": "wikitext2-lstm", "words": "10", "variants": "fp32"}
    title, sentence, any = (
        texts(open_page(**bundled, **start))[0]
        for start in ({}, {"start": "A sentence's end"}, {"start": "Any word"})
    )
    assert title.startswith("## :gray[The] :gray[Old] :gray[Bridge]\n\n:gray[The] ")
    assert sentence.startswith(":gray[\\.]")
    assert any.startswith(":gray[") and any != sentence
    assert texts(open_page(words="10"))[0].startswith(":gray[\\.]")  # it has no word of the titles


def test_next_seed_writes_the_next_text():
    page = press(write(words="30", seed="5"), "Next seed")
    assert page.number_input(key="seed").value == 6
    assert texts(page) == texts(write(words="30", seed="6"))


def test_the_first_word_that_differs_is_marked_by_an_icon_too():
    fp32, int8 = texts(write(words="200", temperature="1.0", seed="7", **TUTORIAL))
    mark = ":orange-background[:orange[:material/call_split:]"
    assert fp32.count(mark) == int8.count(mark) == 1
    same = fp32.index(mark)
    assert fp32[:same] == int8[:same]


def test_metrics_and_charts_tell_where_and_how_far_they_part():
    page = write(words="200", temperature="1.0", seed="7", **TUTORIAL)
    departs, mean, highest, speed, *_ = page.metric
    assert departs.value.startswith("word ") and departs.delta == "of 200"
    assert 0 < float(mean.value) < float(highest.value) + 0.001
    assert highest.delta.startswith("at word ") and "times fp32's" in speed.delta
    assert len(page.get("vega_lite_chart")) == 3  # strip, draw, temperature
    place = departs.value.removeprefix("word ")
    assert page.header[1].value.startswith(f":material/call_split: Word {place}, after")
    written = next(markdown.value for markdown in page.markdown if " writes **" in markdown.value)
    fp32, int8 = (part.split("**")[1] for part in written.split(" · ")[:2])
    assert fp32 != int8


def test_up_to_four_variants_stand_side_by_side_each_beside_the_first():
    labels = ["fp32", "int8 LSTM", "int8 Linear", BOTH]
    page = write(words="40", variants=labels)
    assert len(texts(page)) == 4
    assert len(page.metric) == 3 * 4 + 3
    one = write(words="20", variants=["int8 LSTM"])
    assert len(texts(one)) == 1 and len(one.metric) == 3
    none = open_page(variants="")
    assert not none.error and "at least one" in none.info[0].value


def test_a_prompt_is_tokenized_shown_in_grey_and_gone_on_from():
    page = write(words="20", prompt="The old-town bridge")
    assert texts(page)[0].startswith(":gray[The] :gray[old]:gray[\\-]:gray[town] :gray[bridge] ")
    assert not any(button.label in ("old", "town") for button in page.button)


def test_unknown_words_are_said_and_near_ones_offered():
    page = open_page(prompt="the brige xyzzy")
    said = [markdown.value for markdown in page.markdown if "is an unknown word" in markdown.value]
    assert len(said) == 2 and "**brige**" in said[0] and "**xyzzy**" in said[1]
    press(page, "bridge")
    assert page.text_input(key="prompt").value == "the bridge xyzzy"


def test_downloads_are_written_when_they_are_clicked():
    downloads = write(words="20").get("download_button")  # Streamlit drops a file that waits
    assert [download.label for download in downloads] == ["out.txt", "text.txt"] * 2
    assert all(download.proto.deferred_file_id and not download.proto.url for download in downloads)


def test_a_variant_that_is_slow_here_says_why(monkeypatch):
    monkeypatch.setattr(choices, "slow_here", lambda variant: f"{variant} is slow.")
    captions = [caption.value for caption in open_page(words="10").caption]
    assert [caption for caption in captions if "is slow" in caption] == [
        ":material/speed: fp32 is slow.", ":material/speed: int8 is slow."
    ]  # fmt: skip


def test_raw_tokens_show_what_the_model_draws():
    typeset = texts(write(words="200", seed="2"))[0]
    raw = texts(write(words="200", seed="2", raw="true"))[0]
    assert "\\@\\-\\@" in raw and "\\<eos\\>" in raw
    assert "\\@\\-\\@" not in typeset and "\\<eos\\>" not in typeset


@pytest.mark.slow
def test_unk_can_be_banned_and_the_text_stop_with_its_article():
    assert "unk" in texts(write(words="300", seed="2", **TUTORIAL))[0]
    assert "unk" not in texts(write(words="300", seed="2"))[0]
    long, short = (
        write(words="1000", seed="2", article=article, **TUTORIAL) for article in ("false", "true")
    )
    assert texts(long)[0].startswith(texts(short)[0][:50])
    assert len(texts(short)[0]) < len(texts(long)[0])


def test_who_stops_before_the_first_word_is_told_how_to_have_one_written():
    page = write(words="20")
    written = page.session_state["sample"]
    page.session_state["sample"] = Sample(written.request, [[], []])
    page.run()
    assert not page.exception and not page.error and not texts(page)
    assert "There is no text yet. Press **Write**" in page.info[0].value
    assert len(texts(press(page, "Write"))) == 2


def test_a_mark_on_what_is_not_shown_stands_before_the_next_word_and_says_what_it_is():
    words = ["the", "oak", "<eos>", "an", "<eos>", "="]
    mark = " :orange-background[:orange[X] **{}**]"
    assert typeset(words, {1: "X"}) == f"the{mark.format('oak')}\n\nan"
    assert typeset(words, {2: "X"}) == f"the oak\n\n{mark.format('end of line').strip()}an"
    assert typeset(words, {5: "X"}) == f"the oak\n\nan\n\n{mark.format('heading').strip()}"


def test_a_sample_stays_when_a_setting_changes_and_says_so():
    page = write(words="20")
    before = texts(page)
    page.slider(key="temperature").set_value(1.5).run()
    assert texts(page) == before
    (said,) = [markdown.value for markdown in page.markdown if "Settings changed" in markdown.value]
    assert "model" not in said
    page.sidebar.selectbox[0].set_value("wikitext2-lstm").run()
    assert texts(page) == before
    assert any("by model tiny" in markdown.value for markdown in page.markdown)


@pytest.mark.parametrize(
    "query",
    [
        {"temperature": "99", "words": "-1", "seed": "x", "k": "-5", "p": "7"},
        {"temperature": "nan", "words": "1e9", "k": "1e400", "p": "0", "seed": "-inf"},
        {"prompt": "x" * 100_000},
        {"prompt": "<script>alert(1)</script> $x$ ![a](http://example.org/a.png) \0"},
        {"variants": "../../etc"},
        {"variants": ["fp32"] * 50},
        {"lstm": "0", "linear": "maybe", "more": "nothing", "unknown": "key"},
    ],
)
def test_a_hostile_url_does_no_harm(query):
    page = press(open_page(**query), "Write")
    assert not page.exception and not page.error
    assert page.slider(key="temperature").value == 0.8
    assert page.number_input(key="words").value == 150


def test_the_temperature_is_one_and_reshapes_the_next_words_live():
    page = open_page(words="20")
    seen = {}
    for value in (0.1, 1.5):
        page.slider(key="temperature").set_value(value).run()
        assert not any(button.label == f"{value:g}" for button in page.button)  # one control
        assert any(
            f"({value:g}; move the slider above)" in markdown.value for markdown in page.markdown
        )
        seen[value] = [float(metric.value.strip("%")) for metric in page.metric[-3:]]
    assert page.metric[-3].label == "Entropy, nats"
    sharp, level = seen[0.1], seen[1.5]
    assert sharp[0] < level[0] and sharp[1] < level[1] and sharp[2] > level[2]


def test_the_words_to_choose_are_typeset_and_none_is_left_out():
    page = write(words="60", seed="2", temperature="1.5", **TUTORIAL)
    sample = page.session_state["sample"]
    pieces = [word for line in typeset_lines(sample) for word in line["words"]]
    own = [word for word in pieces if word["place"]]
    assert [word["place"] for word in own] == list(range(1, 61))
    assert [word["text"].strip() for word in pieces if not word["place"]] == sample.request.given()
    for word, found in zip(own, sample.divergences, strict=True):
        assert f"{max(found.kl):.4f} nats apart" in word["told"]
        # The same shade means the same in every text.
        assert word["share"] == pytest.approx(0.85 * min(1.0, max(found.kl) / 0.5) ** 0.5)


def test_each_variant_has_a_divergence_chart_of_its_own_on_one_scale():
    page = write(words="40", variants=["fp32", "int8 LSTM", "int8 Linear"])
    charts = [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]
    axes = [
        layer["encoding"]["y"]
        for chart in charts
        for layer in chart["layer"][0]["layer"][:1]
        if layer["encoding"]["y"].get("title") == "nats (square root)"
    ]
    assert len(axes) == 2 and axes[0]["scale"] == axes[1]["scale"]


def test_arrivals_have_as_many_digits_as_it_takes_to_see_who_is_first():
    found = [
        Candidate("the", (0.2, 0.2), 0.987654321, (0.0621, 0.06213)),
        Candidate("old", (0.1, 0.1), 0.5, (0.06214, 0.06205)),
        Candidate("sea", (0.1, 0.1), 0.1, (23.0, 23.0)),
    ]
    table = departures.arrivals(found, ["fp32", "int8"]).splitlines()
    assert table[0] == "| word | number | :small[arrives, fp32] | :small[arrives, int8] |"
    assert table[2:] == [
        "| old | 0.500000 | 0.06214 | **0.06205** |",
        "| the | 0.987654 | **0.06210** | 0.06213 |",
        "| sea | 0.100000 | 23.00000 | 23.00000 |",
    ]


def test_the_blind_test_keeps_an_honest_score(monkeypatch):
    page = press(open_page(more="Blind test"), "Show a pair")
    hidden = page.session_state["round"].pair
    assert not any("A is by" in markdown.value for markdown in page.markdown)
    assert next(button for button in page.button if button.label == "Next pair").disabled
    press(page, f"{'AB'[hidden.quantized]} is int8")
    assert page.success[0].value == "Right."
    assert any("**1 of 1** right" in markdown.value for markdown in page.markdown)
    press(page, "Next pair")
    hidden = page.session_state["round"].pair
    press(page, f"{'BA'[hidden.quantized]} is int8")
    assert "other one" in page.error[0].value
    assert any("**1 of 2** right" in markdown.value for markdown in page.markdown)
    shown = [text.value for text in page.markdown if text.value.startswith("**Text")]
    assert BOTH in shown[hidden.quantized] and "fp32" in shown[1 - hidden.quantized]


def test_the_blind_tests_texts_are_the_models_they_are_said_to_be(monkeypatch):
    loaded = []
    monkeypatch.setattr(server, "load_variant", lambda model, variant: loaded.append(variant))
    monkeypatch.setattr(
        blind_test,
        "sample_words",
        lambda *_: iter([SampledWord(str(loaded[-1]), 0, 1.0, 0.0)]),
    )
    sides = set()
    for _ in range(40):
        made = blind_test.draw_pair("tiny", blind_test.SampleSettings())
        assert made.texts[made.quantized][-1] == "int8"
        assert made.texts[1 - made.quantized][-1] == "fp32"
        sides.add(made.quantized)
    assert sides == {0, 1}


def test_who_must_wait_is_told_how_many_are_ahead_and_leaves_the_line_when_stopped(monkeypatch):
    one_place = WriteQueue(1)
    monkeypatch.setattr(write_queue, "_queue", lambda: one_place)
    page = open_page(words="20")
    with one_place.join("another") as first, monkeypatch.context() as patch:
        patch.setattr(write_queue.time, "sleep", lambda _: write_queue.st.stop())
        press(page, "Write")
        assert page.info[0].value == "1 visitor is ahead of you."
        assert not page.error and first() == 0
    press(page, "Write")
    assert len(texts(page)) == 2 and not page.info

"""Memory and agreement on the Compare page: asked for, under way, and measured."""

from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from helpers.driver import IdleQueue, open_page, press
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.runs.run import Run, State
from wlm.text.wikitext import tokenize

MORE = "Memory and agreement"


def words(page: AppTest) -> str:
    return "\n".join(element.value for element in [*page.markdown, *page.caption])


def store_run(queue: IdleQueue, **fields) -> str:
    run = Run("compare", CompareSpec(model="tiny", text="short").to_json(), **fields)
    queue.store.create(run)
    return run.id


def links_to(page: AppTest, name: str) -> list:
    """Return the links to a page below the words where two models differ most."""
    links = [link.proto for link in page.main.get("page_link")]
    return [link for link in links if link.page == name and "prompt=" in link.query_string]


def with_more(result: dict, *, memory: dict | None, agreement: dict | None) -> dict:
    """A result of a run that measures more; None for what is not measured yet."""
    first, last = result["results"]
    first["memory"], last["memory"] = memory and {**memory, "added_bytes": 141_000_000}, memory
    last["agreement"] = agreement
    return result


@pytest.fixture
def memory() -> dict:
    return {"added_bytes": 103_000_000, "peak_bytes": 256_000_000, "measure": "USS"}


@pytest.fixture
def agreement(queue) -> dict:
    """How the tiny model's int8 agrees with fp32."""
    *_, last = compare(CompareSpec(model="tiny", text="short", tokens=500, agreement=True))
    return last.measured.to_json()["results"][1]["agreement"]


def test_the_switch_asks_for_memory_and_agreement(queue):
    page = press(open_page(text="short"), "Run")
    (run,) = queue.store.unfinished()
    assert (run.spec["agreement"], run.spec["memory"]) == (False, False)
    queue.store.update(run.id, state=State.DONE)
    page = open_page(text="short", measures="true")
    assert "about 35 seconds" in page.info[0].value
    press(page, "Run")
    (run,) = queue.store.unfinished()
    assert (run.spec["agreement"], run.spec["memory"]) == (True, True)


def test_a_result_without_memory_and_agreement_says_how_to_get_them(queue, result):
    spec = CompareSpec(model="tiny", text="short", seconds=6.0, target=0.03)
    run = Run("compare", spec.to_json(), state=State.DONE, result=result)
    queue.store.create(run)
    page = open_page(run=run.id, text="short")
    assert f"Switch on **{MORE}** above and press **Run**" in words(page)
    page.toggle(key="measures").set_value(True).run()
    assert "Press **Run** to update. Changed: memory and agreement." in words(page)


def test_until_they_are_measured_a_bar_tells_which_and_the_card_waits(queue, result):
    run_id = store_run(
        queue,
        state=State.RUNNING,
        stage="Comparing predictions",
        done=0.4,
        seconds_left=7.0,
        result=with_more(result, memory=None, agreement=None),
    )
    page = open_page(run=run_id)
    assert not page.exception and not page.error
    (bar,) = page.get("progress")
    assert (bar.proto.value, bar.proto.text) == (40, "Comparing predictions: about 7 s left")
    assert page.metric[3].label.startswith("Memory, MB") and page.metric[3].value == "–"
    assert MORE not in [header.value for header in page.header]
    press(page, "Stop")
    assert queue.stopped == [run_id]


def test_a_finished_run_shows_memory_and_agreement(queue, result, memory, agreement):
    result = with_more(result, memory=memory, agreement=agreement)
    page = open_page(run=store_run(queue, state=State.DONE, result=result))
    assert not page.exception and not page.error
    card = page.metric[3]
    assert (card.value, card.delta) == ("103", "-27%")
    assert MORE in [header.value for header in page.header]
    assert "int8 LSTM + Linear prefers the same word at every token" in words(page)
    assert "Switch on" not in words(page)
    specs = [chart.proto.spec for chart in page.get("vega_lite_chart")]
    assert any("memory (MB)" in spec and "peak" in spec for spec in specs)
    assert any("KL divergence (nats, log scale)" in spec for spec in specs)
    table = page.dataframe[0].value
    assert [*table.columns][-5:] == ["memory, MB", "peak, MB", "same word", "KL, nats", "name"]
    assert "CPU, s" in table.columns


def test_the_words_where_they_differ_most_lead_to_the_page_that_shows_both(
    queue, result, memory, agreement
):
    result = with_more(result, memory=memory, agreement=agreement)
    page = open_page(run=store_run(queue, state=State.DONE, result=result))
    links = links_to(page, "How")
    assert len(links) == len(agreement["furthest"]) == 10
    assert words(page).count("nats apart") == 10
    for link, token in zip(links, agreement["furthest"], strict=True):
        query = parse_qs(link.query_string)
        assert query["model"] == ["tiny"]
        assert tokenize(query["prompt"][0]) == token["before"]
    result["results"][1]["variant"] = "pytorch:lstm=int8"
    page = open_page(run=store_run(queue, state=State.DONE, result=result))
    (link, *others) = links_to(page, "Sample")
    assert len(others) == 9 and not links_to(page, "How")
    assert parse_qs(link.query_string)["variants"] == ["fp32", "pytorch:lstm=int8"]
    result["protocol"]["model"] = "/from/elsewhere"
    page = open_page(run=store_run(queue, state=State.DONE, result=result))
    assert not links_to(page, "Sample")
    assert words(page).count("nats apart") == 10


def test_two_equal_models_and_an_import_show_without_words_and_counts(queue, result, agreement):
    equal = {**agreement, "kl_mean": 1e-11, "same_word": 1.0}
    imported = {name: value for name, value in agreement.items() if name != "kl_histogram"}
    for found in (equal, imported | {"furthest": []}):
        shown = with_more(result, memory=None, agreement=found)
        page = open_page(run=store_run(queue, state=State.STOPPED, result=shown))
        assert not page.exception and not page.error
        assert MORE in [header.value for header in page.header]
        assert page.metric[3].value == "–"
        assert "nats apart" not in words(page)

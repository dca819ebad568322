"""What people come for, in a real browser with the bundled model and text."""

import re
import time
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from helpers.browsing import (
    IDLE,
    PHONE,
    choose_file,
    drawn,
    metric,
    needed_width,
    new_context,
    run_to_the_end,
    stop_button,
    wait_for_the_end,
    wait_to_see,
)
from wlm import tutorial
from wlm.measuring.comparison import CompareSpec
from wlm.runs.recordings import recordings
from wlm.runs.run import finished_run
from wlm.runs.store import RunStore


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    # Drawn last on its page.
    expect(page.get_by_text("The code that does it")).to_be_visible()


def value(page: Page, label: str) -> float:
    """Return the number on a card."""
    return float(metric(page, label).get_by_test_id("stMetricValue").inner_text())


def toggle(page: Page, label: str) -> None:
    page.get_by_test_id("stCheckbox").filter(has_text=label).locator("label").first.click()


def test_run_and_read_the_three_cards_and_charts(page, server):
    open_page(page, server)
    expect(page.get_by_text("Press Run")).to_be_visible()
    expect(page.get_by_text(re.compile("Recorded on"))).to_be_visible()
    page.get_by_role("button", name="Run").click()
    # The previous result stays, dimmed, and names its settings.
    wait_to_see(page, "Previous result: fp32, int8")
    expect(metric(page, "Size, MB").last).to_contain_text("79.7")
    expect(page.get_by_text("Until there are numbers")).to_be_hidden()
    wait_for_the_end(page)
    expect(page.get_by_text(re.compile("Recorded on"))).to_be_hidden()
    fp32, int8 = tutorial.PUBLISHED["fp32"], tutorial.PUBLISHED["int8"]
    size = metric(page, "Size, MB").inner_text()
    assert value(page, "Size, MB") == round(int8.size_bytes / 1e6, 1)
    assert "-30%" in size and f"{fp32.size_bytes / 1e6:.1f}" in size
    assert 3.0 < value(page, "Loss") < 7.0
    assert "speed-up" in metric(page, "Elapsed").inner_text()
    charts = drawn(page, "stVegaLiteChart")
    expect(charts).to_have_count(7)  # the last are the whole field and the model
    for chart, title in zip(charts.all(), ("loss", "size", "elapsed"), strict=False):
        expect(chart.locator("svg")).to_contain_text(title)
        expect(chart.locator("svg")).to_contain_text("tutorial")
    expect(charts.nth(3).locator("svg")).to_contain_text("speed-up")
    expect(charts.nth(4).locator("svg")).to_contain_text("ms per token")
    # On a machine that is busy with other things a few seconds may not tell.
    verdict = re.compile("times as fast as fp32|^Undecided: |^Uncertain: ")
    expect(page.get_by_role("heading", name=verdict)).to_be_visible()

    # The result names its settings, and is marked while other settings are chosen above it.
    expect(
        page.get_by_text("Shown: fp32, int8 LSTM + Linear · model wikitext2-lstm")
    ).to_be_visible()
    toggle(page, "int8 Linear")
    expect(page.get_by_text("Settings changed")).to_be_visible()
    toggle(page, "int8 Linear")
    expect(page.get_by_text("Settings changed")).to_be_hidden()

    # The URL names the run, through pages and reloads.
    measured = metric(page, "Elapsed").inner_text()
    page.get_by_role("link", name="Sample").click()
    expect(page.get_by_role("button", name="Write")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(metric(page, "Elapsed")).to_have_text(measured, use_inner_text=True)
    page.reload()
    expect(metric(page, "Elapsed")).to_have_text(measured, use_inner_text=True)


def open_newest_of_the_list(page: Page) -> None:
    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_text("Import an exported run")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    # The checkbox of the first row, which is drawn on a canvas: the newest run is first.
    table.click(position={"x": 18, "y": 52})


TINY = "model=tiny&text=short"
MIDDLES = "all => all.map(e => e.getBoundingClientRect()).map(box => box.y + box.height / 2)"
FILLS = "all => all.map(each => each.getAttribute('fill'))"


def test_all_four_shows_who_contributes_what(page, server):
    open_page(page, f"{server}/?{TINY}")
    run_to_the_end(page, "All four")
    expect(drawn(page, "stVegaLiteChart")).to_have_count(8)
    charts = drawn(page, "stVegaLiteChart").locator("svg")
    last = charts.filter(has_text="change against the baseline")
    # A variant has one color in every chart, and each number is next to its bar.
    bars = "g.mark-rect.role-mark path"
    colors = [set(chart.locator(bars).evaluate_all(FILLS)) for chart in (charts.nth(1), last)]
    assert len(colors[1]) == 3 and colors[1] < colors[0]
    numbers = last.locator("g.mark-text.role-mark text").evaluate_all(MIDDLES)
    assert len(numbers) == 9
    assert numbers == pytest.approx(last.locator(bars).evaluate_all(MIDDLES), abs=3.0)
    for words in ("int8 LSTM", "int8 Linear", "size", "time", "loss", "−8.3%"):
        expect(last).to_contain_text(words)


def test_other_runtimes_run_beside_the_switches_variant(page, server):
    also = "onnxruntime:lstm=int8,linear=int8,embedding=int8", "pytorch:lstm=fp16,linear=fp16"
    open_page(page, f"{server}/?{TINY}&{urlencode([('also', name) for name in also])}")
    run_to_the_end(page)
    charts = drawn(page, "stVegaLiteChart")
    expect(charts).to_have_count(8)
    changes = charts.filter(has_text="change against the baseline")
    for label in ("ORT int8 all", "fp16 LSTM + Linear", "int8 LSTM + Linear"):
        expect(changes.locator("svg")).to_contain_text(label)
    expect(page.get_by_test_id("stDataFrame").last).to_be_visible()  # words per second, on canvas
    page.get_by_role("radio", name="ORT int8 all").or_(
        page.get_by_role("button", name="ORT int8 all")
    ).last.click()
    expect(page.get_by_text("DynamicQuantizeLSTM").first).to_be_visible()
    assert page.url.count("also=") == 2


def visit_runs_and_come_back(page: Page) -> None:
    """Follow the link to Runs, then press the browser's Back."""
    page.get_by_role("link", name="Runs").click()
    expect(page).to_have_url(re.compile("/Runs"))
    expect(page.get_by_role("switch")).to_have_count(0)
    page.locator(IDLE).wait_for(state="attached")
    page.go_back()


def test_the_url_holds_the_switches_through_pages_reloads_and_back(page, server):
    open_page(page, f"{server}/?{TINY}")
    toggle(page, "int8 LSTM")
    expect(page).to_have_url(re.compile(r"lstm=false"))
    expect(page.get_by_role("switch").first).not_to_be_checked()
    page.get_by_role("link", name="Sample").click()
    expect(page.get_by_role("button", name="Write")).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("The code that does it")).to_be_visible()
    expect(page.get_by_role("switch").first).not_to_be_checked()
    page.reload()
    expect(page.get_by_text("The code that does it")).to_be_visible()
    expect(page.get_by_role("switch").first).not_to_be_checked()
    page.locator(IDLE).wait_for(state="attached")
    visit_runs_and_come_back(page)
    expect(page.get_by_text("The code that does it")).to_be_visible()
    expect(page.get_by_role("switch", name="int8 LSTM")).not_to_be_checked()
    expect(page).to_have_url(re.compile(r"lstm=false"))
    # Set back to its default, it stays so on the way over another page.
    toggle(page, "int8 LSTM")
    expect(page).not_to_have_url(re.compile("lstm"))
    page.locator(IDLE).wait_for(state="attached")
    visit_runs_and_come_back(page)
    expect(page.get_by_role("switch", name="int8 LSTM")).to_be_checked()


def test_a_long_run_fits_a_phone_shows_numbers_early_and_stops_at_once(page, server):
    page.set_viewport_size(PHONE)
    open_page(page, f"{server}/?amount=All+of+it&lstm=false&linear=false")
    assert needed_width(page) <= PHONE["width"]
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text(re.compile(r"about \d+ s left"))).to_be_visible()
    expect(metric(page)).to_have_count(3)
    stop_button(page).click()
    expect(page.get_by_text("Stopped early")).to_be_visible()
    expect(metric(page, "Loss").get_by_text(re.compile(r"^\d\.\d{4}$"))).to_be_visible()
    assert needed_width(page) <= PHONE["width"]


@pytest.fixture
def run_id(server_log) -> str:
    """A run that the server finds in its store, newer than all others."""
    (recorded,) = (
        recording for recording in recordings().values() if recording.id == "recorded-control"
    )
    store = RunStore(f"sqlite:///{server_log.parent / 'runs.sqlite'}")
    others = [run.created_at for run in store.list_runs(CompareSpec.kind)]
    now = max([time.time(), *others]) + 1.0  # the clock may have stepped back
    run = finished_run(CompareSpec.from_json(recorded.spec), recorded.result, now)
    store.create(run)
    return run.id


def test_a_run_is_found_again_shared_exported_and_imported(page, server, run_id, tmp_path):
    page.goto(f"{server}/Runs")
    open_newest_of_the_list(page)
    page.get_by_role("button", name="Share").click()
    expect(page).to_have_url(re.compile(f"run={run_id}"))
    expect(page.get_by_role("heading", name="One run")).to_be_visible()
    export = page.get_by_role("button", name="JSON")
    expect(export).to_have_count(1)  # the list is gone, and the run that was open below it
    expect(metric(page)).to_have_count(3)
    measured = metric(page, "Elapsed").inner_text()
    with page.expect_download() as download:
        export.click()
    exported = tmp_path / download.value.suggested_filename
    download.value.save_as(exported)
    assert exported.name == f"wlm-run-{run_id}.json"
    page.get_by_role("button", name="All runs").click()
    page.get_by_text("Import an exported run").click()
    choose_file(page.get_by_test_id("stFileUploader"), exported)
    page.get_by_role("button", name="Import").click()
    expect(page).to_have_url(re.compile(r"run=(?!" + run_id + ")"))
    expect(page.get_by_text("Imported ·")).to_be_visible()
    expect(metric(page, "Elapsed")).to_have_text(measured, use_inner_text=True)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("heading", name="Runs to compare and share")).to_be_visible()


def test_inspect_bytes_time_error_and_model(page, server):
    page.goto(f"{server}/Inspect")
    expect(page.get_by_text("Exact bytes")).to_be_visible()
    expect(metric(page, "int8 LSTM + Linear").first).to_contain_text("79.7 MB")
    bars = drawn(page, "stVegaLiteChart").locator("svg")
    # The chart says what it is, and so does each of its bars.
    expect(drawn(page, "stVegaLiteChart")).to_have_attribute(
        "aria-label", re.compile("^Stacked bars of size.*: fp32 113.9 MB")
    )
    bar = bars.locator("g.mark-rect [role=graphics-symbol]").first
    expect(bar).to_have_attribute("aria-label", re.compile("^variant: fp32, part: embedding, size"))
    expect(bars).to_contain_text("68.2")
    expect(page.get_by_text("does not reach")).to_be_visible()
    toggle(page, "List all variants")
    page.locator(IDLE).wait_for(state="attached")
    page.get_by_role("combobox", name="Variants").click()
    page.get_by_role("option", name="int8 Linear", exact=True).click()
    page.keyboard.press("Escape")
    expect(metric(page, "int8 Linear")).to_be_visible()
    expect(page).to_have_url(re.compile(r"variants=pytorch%3Alinear%3Dint8"))

    page.get_by_role("tab", name="Time").click()
    run_to_the_end(page, "Measure")
    expect(page.get_by_role("heading", name="times as fast on a chunk of 25")).to_be_visible()
    charts = drawn(page, "stVegaLiteChart")
    expect(charts).to_have_count(4)
    expect(charts.nth(2).locator("svg")).to_contain_text("int8 peak")
    expect(page).to_have_url(re.compile(r"tab=Time.*inspection="))
    measured = metric(page, "One word").inner_text()
    page.reload()
    expect(metric(page, "One word")).to_have_text(measured, use_inner_text=True)

    page.get_by_role("tab", name="Error").click()
    expect(metric(page, "Levels for 99% of weights")).to_be_visible()
    expect(drawn(page, "stVegaLiteChart")).to_have_count(4)

    page.get_by_role("tab", name="Model").click()
    drawings = drawn(page, "stVegaLiteChart").locator("svg")
    expect(drawings).to_have_count(3)
    expect(drawings.nth(0)).to_contain_text("34.2 MB")  # Linear in fp32
    expect(drawings.nth(1)).to_contain_text("8.7 MB")


def test_a_click_on_the_embedding_shows_all_its_numbers_and_keeps_the_place(page, server):
    open_page(page, server)
    parts = drawn(page, "stVegaLiteChart").filter(has_text="Embedding").last
    expect(parts).to_contain_text("68.2 MB")
    filled = parts.locator("g.mark-rect path").nth(3)  # after the three dashed ones
    filled.scroll_into_view_if_needed()
    box = filled.bounding_box()
    assert abs(box["width"] - box["height"]) < 3  # its area is its bytes at any width
    before = parts.bounding_box()["y"]
    filled.click(position={"x": 20, "y": 20})
    expect(page.get_by_role("switch", name="int8 Embedding")).to_be_checked()
    expect(page).to_have_url(re.compile("embedding=true"))
    expect(parts).to_contain_text("17.3 MB")
    expect(metric(page, "Size, MB")).to_contain_text("28.9")
    page.locator(IDLE).wait_for(state="attached")
    assert abs(parts.bounding_box()["y"] - before) < 60  # the words above may take a line more
    for card in ("Loss", "Size, MB", "Elapsed"):
        expect(metric(page, card)).not_to_contain_text("–")
    charts = drawn(page, "stVegaLiteChart").locator("svg")
    for title in ("loss (nats", "size (MB)", "elapsed", "speed-up", "ms per token"):
        expect(charts.filter(has_text=title).filter(has_text="int8 all").first).to_be_visible()
    expect(charts.filter(has_text="loss minus fp32").first).to_contain_text("int8 all, ")
    send_a_word_through(page)


def send_a_word_through(page: Page) -> None:
    """Send a word through the model: it travels from part to part to the likely next words."""
    page.emulate_media(reduced_motion="no-preference")
    page.get_by_role("button", name="Send the last word through").click()
    way = page.get_by_role("list", name="The way of river through the model")
    word = way.locator(".word")
    expect(word).to_have_text("river")
    # The word's place at the beginning and at the end of each part, from the animation.
    places = word.evaluate(
        "word => { const [way] = word.getAnimations(); way.pause(); "
        "return way.effect.getKeyframes().map(frame => frame.transform); }"
    )
    assert len(places) == 10 and len(set(places)) == 5
    word.evaluate("word => word.getAnimations()[0].finish()")
    expect(word).to_have_count(0)
    expect(way.get_by_role("listitem")).to_have_count(5)
    expect(way).to_contain_text("512 values")
    expect(page.get_by_text("Likely next words")).to_be_visible()


def test_a_click_as_soon_as_a_switch_appears_counts(browser, server):
    context = new_context(browser)  # nothing is compiled
    try:
        page = context.new_page()
        for _ in range(3):
            context.clear_cookies()  # nobody is known
            page.goto(f"{server}/?{TINY}")
            toggle(page, "int8 LSTM")
            expect(page).to_have_url(re.compile(r"lstm=false"))
            page.locator(IDLE).wait_for(state="attached")
            expect(page.get_by_role("switch", name="int8 LSTM")).not_to_be_checked()
    finally:
        context.close()

"""A run's HTML file opens without a network and draws its charts."""

from playwright.sync_api import expect

from view.runs.html_report import html_report
from wlm.catalog.registry import DEFAULT_MODEL
from wlm.runs.recordings import recording


def test_the_file_draws_its_charts_offline_on_a_phone_in_both_themes(browser, tmp_path):
    path = tmp_path / "run.html"
    run = recording(DEFAULT_MODEL, ("fp32", "int8"))
    path.write_text(html_report(run), "utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 844}, offline=True)
    page, asked, errors = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.goto(path.as_uri())
    charts = page.locator("figure")
    expect(charts.locator("svg")).to_have_count(charts.count())
    expect(page.locator("#chart-0 svg text", has_text="LSTM")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    name = page.locator("#chart-0 svg text", has_text="LSTM")
    expect(name).to_have_attribute("fill", "#e8eef4")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert asked == [path.as_uri()] and errors == []
    context.close()

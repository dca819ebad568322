"""A visitor brings a model and a text, measures them, and takes them away."""

import re

from conftest import IDLE, choose_file, new_context
from playwright.sync_api import Page, expect
from safetensors.torch import save_file
from tiny import LINE, WORDS


def keep(page: Page, what: str, files: list, button: str) -> str:
    """Choose files, press the button, and return the name that the upload got."""
    main = page.get_by_test_id("stMain")
    for label, chosen in files:
        uploader = main.get_by_test_id("stFileUploader").filter(has_text=label)
        choose_file(uploader, chosen)
        expect(uploader.get_by_text(chosen.name)).to_be_visible()
    main.get_by_role("button", name=button).click()
    entry = main.get_by_text(re.compile(rf"upload-[0-9a-f]{{12}}: {what}"))
    expect(entry).to_be_visible()
    return re.search(r"upload-[0-9a-f]{12}", entry.inner_text())[0]


def test_bring_measure_and_remove(page, browser, server, model, tmp_path):
    weights, words, text = (tmp_path / name for name in ("my.safetensors", "my.txt", "story.txt"))
    save_file(model.state_dict(), weights)
    words.write_text("".join(f"{word}\n" for word in WORDS), "utf-8")
    text.write_text(LINE * 400, "utf-8")
    page.goto(f"{server}/Models")
    main = page.get_by_test_id("stMain")
    files = [("Weights", weights), ("Vocabulary", words)]
    model_name = keep(page, "my.safetensors", files, "Check and keep the model")
    main.get_by_role("tab", name="A text").click()
    text_name = keep(page, "story.txt", [("Text", text)], "Check and keep the text")

    page.goto(f"{server}/?model={model_name}&text={text_name}")
    expect(page.get_by_role("combobox", name="Model")).to_have_value(model_name)
    expect(page.get_by_role("combobox", name="Text")).to_have_value(text_name)
    main.get_by_role("button", name="Run", exact=True).click()
    expect(main.get_by_test_id("stMetric").first).to_be_visible()
    expect(main.get_by_role("button", name="Stop")).to_have_count(0)
    page.wait_for_selector(IDLE, state="attached")
    expect(main.get_by_text("Embedding(20, 8)").first).to_be_visible()

    other = new_context(browser).new_page()
    other.goto(f"{server}/?model={model_name}&text={text_name}")
    expect(other.get_by_role("combobox", name="Model")).to_have_value("wikitext2-lstm")
    expect(other.get_by_role("combobox", name="Text")).to_have_value("demo")
    other.context.close()

    page.goto(f"{server}/Models")
    for name in (model_name, text_name):
        expect(main.get_by_text(name)).to_be_visible()
        page.wait_for_selector(IDLE, state="attached")
        main.get_by_role("button", name="Remove").first.click()
        expect(main.get_by_text(name)).to_have_count(0)

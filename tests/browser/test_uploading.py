"""A visitor brings a model and a text, measures them, and takes them away."""

import json
import re
from urllib.parse import urlencode

from playwright.sync_api import Page, expect
from safetensors.torch import save_file

from helpers.browsing import IDLE, choose_file, metric, run_to_the_end
from helpers.tiny import LINE, WORDS


def keep(page: Page, what: str, files: list, button: str, uploads: int) -> None:
    """Choose files, press the button, and find the upload by its file's name; `uploads` is
    their number then."""
    main = page.get_by_test_id("stMain")
    for label, chosen in files:
        uploader = main.get_by_test_id("stFileUploader").filter(has_text=label)
        choose_file(uploader, chosen)
        expect(uploader.get_by_text(chosen.name)).to_be_visible()
    main.get_by_role("button", name=button).click()
    # Not "Remove file", which is the uploader's own.
    expect(main.get_by_role("button", name="Delete", exact=True)).to_have_count(uploads)
    expect(main.get_by_text(what, exact=True)).to_be_visible()


def test_bring_measure_and_remove(page, server, server_log, model, tmp_path):
    weights, words, text = (tmp_path / name for name in ("my.safetensors", "my.txt", "story.txt"))
    save_file(model.state_dict(), weights)
    words.write_text("".join(f"{word}\n" for word in WORDS), "utf-8")
    text.write_text(LINE * 400, "utf-8")
    page.goto(f"{server}/Models")
    main = page.get_by_test_id("stMain")
    files = [("Weights", weights), ("Vocabulary", words)]
    keep(page, "my.safetensors", files, "Upload model", 1)
    main.get_by_role("tab", name="A text").click()
    keep(page, "story.txt", [("Text", text)], "Upload text", 2)
    expect(main.get_by_role("tab", name="A text")).to_have_attribute("aria-selected", "true")
    main.get_by_role("link", name="Use it on Compare").click()
    expect(page.get_by_role("combobox", name="Text")).to_have_value("story.txt (yours)")

    # In lists and in the URL they have their files' names; runs and links name them as kept.
    records = [json.loads(path.read_text()) for path in server_log.parent.rglob("upload.json")]
    names = {record["kind"]: record["name"] for record in records}
    page.goto(f"{server}/?{urlencode(names)}")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("my.safetensors (yours)")
    expect(page.get_by_role("combobox", name="Text")).to_have_value("story.txt (yours)")
    expect(page).to_have_url(re.compile(r"model=my\.safetensors"))
    run_to_the_end(page)
    expect(metric(page).first).to_be_visible()
    expect(main.get_by_text("Embedding(20, 8)").first).to_be_visible()

    mine = page.context.cookies()
    page.context.clear_cookies()  # another visitor
    page.goto(f"{server}/?{urlencode(names)}")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("wikitext2-lstm")
    expect(page.get_by_role("combobox", name="Text")).to_have_value("demo")
    page.context.add_cookies(mine)

    page.goto(f"{server}/Models")
    for name in ("my.safetensors", "story.txt"):
        expect(main.get_by_text(name, exact=True)).to_be_visible()
        page.wait_for_selector(IDLE, state="attached")
        main.get_by_role("button", name="Delete", exact=True).first.click()
        expect(main.get_by_text(name, exact=True)).to_be_visible()
        page.get_by_role("button", name="Delete for good").click()
        expect(main.get_by_text(name, exact=True)).to_have_count(0)

"""A room votes: a stage and two phones, one of which reloads."""

from playwright.sync_api import Browser, Page, expect

from helpers.browsing import PHONE, expect_large, new_context

SCREENS = ({"width": 1280, "height": 720}, {"width": 1920, "height": 1080})
HAND = {"viewport": PHONE, "is_mobile": True, "has_touch": True}


def test_a_room_is_opened_joined_votes_and_sees_the_truth(
    page: Page, browser: Browser, server: str
):
    page.goto(f"{server}/Audience")
    page.get_by_role("button", name="Open a room").click()
    expect(page.get_by_text("0 phones have joined")).to_be_visible()
    expect(page.get_by_role("img")).to_be_visible()  # the QR code
    code = page.url.partition("room=")[2]

    def expect_full_screens() -> None:
        for screen in SCREENS:
            page.set_viewport_size(screen)
            expect_large(page)

    expect_full_screens()

    def come_in() -> Page:
        phone = new_context(browser, **HAND).new_page()
        phone.goto(f"{server}/Audience?room={code}")
        expect(phone.get_by_text("You are in")).to_be_visible()
        return phone

    def press(key: str) -> None:
        expect(page.locator("[data-hears-keys]")).to_be_attached()
        page.keyboard.press(key)

    ann, bob = come_in(), come_in()
    expect(page.get_by_text("2 phones have joined")).to_be_visible()
    press("PageDown")
    page.keyboard.press("PageDown")  # too early: it would ask whether to close the round
    expect(page.get_by_text("0 of 2 have voted")).to_be_visible()
    expect(page.locator("[data-hears-keys]")).to_be_attached()
    expect(page.get_by_text("Nobody has voted")).to_be_hidden()
    press(" ")
    expect(page.get_by_text("Nobody has voted")).to_be_visible()
    ann.get_by_role("button", name="A is int8").click()
    expect(ann.get_by_text("Your vote: A")).to_be_visible()
    bob.get_by_role("button", name="A is int8").click()
    expect(page.get_by_text("2 of 2 have voted")).to_be_visible()
    expect_full_screens()
    bob.get_by_role("button", name="B is int8").click()
    expect(bob.get_by_text("Your vote: B")).to_be_visible()
    ann.reload()
    expect(ann.get_by_text("Your vote: A")).to_be_visible()

    press("ArrowRight")
    expect(page.get_by_role("button", name="Show the truth")).to_be_visible()
    press("PageUp")
    expect(page.get_by_role("button", name="Close the round")).to_be_visible()
    press("ArrowRight")
    expect(page.get_by_role("button", name="Show the truth")).to_be_visible()
    press("ArrowRight")
    expect(page.get_by_text("1 of 2 were right, 50%.")).to_be_visible()
    expect_full_screens()
    for phone in (ann, bob):
        expect(phone.get_by_text("int8 wrote")).to_be_visible()
        phone.context.close()

    for number in (2, 3):
        press("ArrowRight")
        expect(page.get_by_role("heading", name=f"Round {number} of 3")).to_be_visible()
        expect(page.get_by_text("have voted")).to_be_visible()
        press("ArrowRight")
        expect(page.get_by_text("Nobody has voted")).to_be_visible()
        press("ArrowRight")
        expect(page.get_by_role("button", name="Show the truth")).to_be_visible()
        press("ArrowRight")
        expect(page.get_by_text("have voted")).to_be_hidden()
    press("ArrowRight")
    expect(page.get_by_role("heading", name="does not clearly beat a coin")).to_be_visible()
    expect_full_screens()
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("button", name=f"Back to your room {code}")).to_be_visible()

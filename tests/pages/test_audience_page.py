"""The page Audience: the door, the stage and the phones."""

import pytest

from helpers.driver import ROOT, open_page, press
from view.audience import address, texts
from view.audience.rooms import HOSTS, VOTERS, WRONG_CODES, rooms
from view.shared import visitor
from wlm.audience.room import Pair, Phase, Room

PAGE = ROOT / "pages" / "8_Audience.py"
PAIRS = tuple(Pair((("an", "oak", str(i)), ("a", "fir", str(i))), i % 2) for i in range(3))


@pytest.fixture(autouse=True)
def one_computer(queue, monkeypatch) -> None:
    rooms.clear()
    monkeypatch.setattr(visitor, "address", str)  # unknown
    monkeypatch.setattr("wlm.audience.store.FRESH_SECONDS", 0.0)


def be(monkeypatch, name: str) -> None:
    monkeypatch.setattr(visitor, "name", lambda: name)


def room_led_by(host: str) -> Room:
    room = Room(host, PAIRS)
    rooms().open_room(room)
    return room


def go_on(room: Room) -> None:
    rooms().advance(rooms().look(room.code)[0], room.host)


def headings(page) -> list[str]:
    return [heading.value for heading in [*page.title, *page.header, *page.subheader]]


def test_the_speaker_opens_a_room_whose_texts_both_models_have_written(monkeypatch):
    be(monkeypatch, "speaker")
    monkeypatch.setattr(texts, "DEFAULT_MODEL", "tiny")
    page = press(open_page(PAGE), "Open a room")
    assert not page.exception and not page.error
    room = rooms().room_of("speaker")
    assert page.query_params["room"] == room.code
    assert len(room.pairs) == 3
    openings = [pair.texts[0][:3] for pair in room.pairs]
    assert [pair.texts[1][:3] for pair in room.pairs] == openings and len(set(openings)) == 3
    assert "0 phones have joined" in headings(page) and f"room {room.code}" in headings(page)


def test_the_stage_shows_the_votes_and_the_truth_only_once_the_round_is_closed(monkeypatch):
    be(monkeypatch, "speaker")
    room = room_led_by("speaker")
    page = press(open_page(PAGE, room=room.code), "Open round 1")
    for name, side in (("ann", 0), ("bob", 0), ("carl", 1)):
        rooms().vote(room.code, name, 0, side)
    page.run()
    assert "3 of 3 have voted" in headings(page)
    assert not any("is by" in heading for heading in headings(page))
    press(page, "Close the round")
    assert not any("is by" in heading for heading in headings(page))
    press(page, "Show the truth")
    assert {"A is by int8", "B is by fp32", "2 of 3 were right, 67%."} <= set(headings(page))


def test_each_step_of_a_room_has_a_button_of_its_own(monkeypatch):
    """So that no press counts for a later one of the same name."""
    be(monkeypatch, "speaker")
    room, ids = room_led_by("speaker"), []
    for _ in range(10):
        button = open_page(PAGE, room=room.code).main.button[0]
        ids.append(button.proto.id)
        go_on(room)
    assert len(set(ids)) == 10


def test_in_the_end_the_stage_says_whether_the_room_beats_a_coin(monkeypatch):
    be(monkeypatch, "speaker")
    room = room_led_by("speaker")
    for number in range(3):
        go_on(room)
        for i in range(10):
            rooms().vote(room.code, f"voter {i}", number, PAIRS[number].quantized)
        go_on(room)
        go_on(room)
    page = open_page(PAGE, room=room.code)
    assert "10 of 10 were right, 100%." in headings(page)
    press(page, "Show the result")
    found = headings(page)
    assert found[0] == "The room beats a coin." and "30 of 30 votes were right" in found[1]
    (chart,) = page.get("vega_lite_chart")
    assert all(f"round {number}" in chart.proto.spec for number in (1, 2, 3))
    press(page, "Leave")
    assert "room" not in page.query_params
    assert [button.label for button in page.button][:2] == [
        "Open a room",
        f"Back to your room {room.code}",
    ]
    press(page, f"Back to your room {room.code}")
    assert page.query_params["room"] == room.code
    be(monkeypatch, "voter 0")
    page = open_page(PAGE, room=room.code)
    assert page.subheader[0].value == "The room beats a coin."
    assert any("right in **3 of 3**" in markdown.value for markdown in page.markdown)
    assert page.main.get("page_link")[0].proto.label == "Try the models yourself"


def test_a_phone_waits_votes_changes_its_vote_and_is_told_the_truth(monkeypatch):
    be(monkeypatch, "ann")
    room = room_led_by("speaker")
    page = open_page(PAGE, room=room.code)
    assert "You are in" in page.info[0].value
    assert rooms().look(room.code)[2] == 1
    go_on(room)
    page.run()
    press(page, "B is int8")
    press(page, "A is int8")
    assert "Your vote: **A**" in page.caption[0].value
    go_on(room)
    page.run()
    assert "The round is closed. You chose A." in page.info[0].value and not page.success
    go_on(room)
    page.run()
    assert page.success[0].value == "Right: you chose A, and int8 wrote A."
    assert any("right in **1 of 1**" in markdown.value for markdown in page.markdown)
    assert not page.button


def test_a_round_without_votes_asks_before_it_closes(monkeypatch):
    be(monkeypatch, "speaker")
    room = room_led_by("speaker")
    page = press(open_page(PAGE, room=room.code), "Open round 1")
    press(page, "Close the round")
    assert "Nobody has voted." in page.warning[0].value
    assert rooms().look(room.code)[0].phase == Phase.OPEN
    press(page, "Close the round")
    assert rooms().look(room.code)[0].phase == Phase.CLOSED
    press(page, "Reopen")
    assert rooms().look(room.code)[0].phase == Phase.OPEN


def test_a_reset_room_is_empty_and_has_a_new_code(monkeypatch):
    room = room_led_by("speaker")
    be(monkeypatch, "ann")
    open_page(PAGE, room=room.code)
    be(monkeypatch, "speaker")
    page = press(open_page(PAGE, room=room.code), "New code")
    fresh = rooms().room_of("speaker")
    assert fresh.code != room.code and page.query_params["room"] == fresh.code
    assert rooms().look(fresh.code)[2] == 0
    be(monkeypatch, "ann")
    assert "No room" in open_page(PAGE, room=room.code).error[0].value


def test_a_reload_and_a_late_comer_lose_nothing(monkeypatch):
    room = room_led_by("speaker")
    go_on(room)
    be(monkeypatch, "ann")
    press(open_page(PAGE, room=room.code), "B is int8")
    assert "Your vote: **B**" in open_page(PAGE, room=room.code).caption[0].value
    be(monkeypatch, "late")
    assert "Choose a text" in open_page(PAGE, room=room.code).caption[0].value
    go_on(room)
    go_on(room)
    page = open_page(PAGE, room=room.code)
    assert page.info[0].value == "int8 wrote A. You did not vote in this round."


def test_a_vote_that_comes_too_late_is_refused_in_words(monkeypatch):
    be(monkeypatch, "ann")
    room = room_led_by("speaker")
    go_on(room)
    page = open_page(PAGE, room=room.code)
    go_on(room)
    press(page, "A is int8")
    assert not page.exception
    assert page.error[0].value == "Round 1 is not open for votes."


@pytest.mark.parametrize("code", ["BCDFG", "nonsense", "%00", "../../etc"])
def test_a_room_that_is_not_there_is_said(code):
    page = open_page(PAGE, room=code)
    assert not page.exception
    assert "room" in page.error[0].value.lower()
    assert page.text_input[0].label == "Room code"
    assert code != "BCDFG" or page.error[0].value == "No room BCDFG. Check the code on the screen."


def test_a_code_is_typed_to_come_in(monkeypatch):
    be(monkeypatch, "ann")
    room = room_led_by("speaker")
    page = open_page(PAGE)
    page.text_input[0].set_value("12345")
    press(page, "Join")
    assert "5 letters" in page.error[0].value
    page.text_input[0].set_value(room.code.lower())
    press(page, "Join")
    assert "You are in" in page.info[0].value


@pytest.fixture
def one_network(monkeypatch) -> None:
    """All visitors come from one network address."""
    monkeypatch.setattr(visitor, "address", lambda: "hall")
    for limit in (HOSTS, VOTERS, WRONG_CODES):
        monkeypatch.setattr(limit, "_taken", {})


def test_codes_cannot_be_guessed_and_who_is_in_stays(one_network, monkeypatch):
    room = room_led_by("speaker")
    be(monkeypatch, "ann")
    assert open_page(PAGE, room=room.code).info
    be(monkeypatch, "mallory")
    for i in range(WRONG_CODES.most):
        assert "No room" in open_page(PAGE, room="BCDF" + "GHJKL"[i % 5]).error[0].value
    page = open_page(PAGE, room=room.code)
    assert "Too many wrong codes" in page.error[0].value and not page.info
    be(monkeypatch, "ann")
    assert open_page(PAGE, room=room.code).info


def test_one_network_takes_not_all_rooms_nor_all_places(one_network, monkeypatch):
    monkeypatch.setattr(HOSTS, "most", 2)
    monkeypatch.setattr(VOTERS, "most", 2)
    monkeypatch.setattr(texts, "DEFAULT_MODEL", "tiny")
    for name in ("ann", "bob", "ann"):  # a host's earlier room goes
        be(monkeypatch, name)
        assert not press(open_page(PAGE), "Open a room").error
    be(monkeypatch, "carl")
    page = press(open_page(PAGE), "Open a room")
    assert "people on one network can open rooms" in page.error[0].value
    room = room_led_by("speaker")
    for name, refused in (("a", 0), ("b", 0), ("a", 0), ("c", 1)):
        be(monkeypatch, name)
        assert len(open_page(PAGE, room=room.code).error) == refused
    assert rooms().look(room.code)[2] == 2


def test_the_address_is_one_that_others_can_reach(monkeypatch):
    class Context:
        url = "http://localhost:8501/Audience"

    monkeypatch.setattr(address.st, "context", Context)
    monkeypatch.setattr(address, "addresses", lambda: ["192.168.1.7", "10.0.0.9"])
    assert address.audience_address() == (
        "http://192.168.1.7:8501/Audience",
        "If this address does not open, try 10.0.0.9.",
    )
    monkeypatch.setattr(address.st, "get_option", lambda _: "127.0.0.1")
    assert "--server.address=0.0.0.0" in address.audience_address()[1]
    monkeypatch.setattr(address, "addresses", list)
    found, hint = address.audience_address()
    assert found == "http://localhost:8501/Audience" and "not on a network" in hint
    Context.url = "https://demo.example.org/wlm/Audience"
    assert address.audience_address() == ("https://demo.example.org/wlm/Audience", "")


def test_without_a_database_a_room_still_opens(monkeypatch):
    monkeypatch.setenv("WLM_DATABASE_URL", "sqlite:////proc/nothing/rooms.sqlite")
    room = room_led_by("speaker")
    assert rooms().look(room.code)[0] == room


def test_openings_differ_within_a_room(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "view.audience.texts.draw_pair",
        lambda _, settings: drawn.append(settings.prompt) or Pair((("a",), ("b",)), 0),
    )
    for _ in range(20):
        texts.make_room("speaker")
    assert all(len(set(drawn[i : i + 3])) == 3 for i in range(0, len(drawn), 3))

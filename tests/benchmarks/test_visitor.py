"""A visitor without a browser, with a server that says what it is told to."""

import asyncio
from collections.abc import Callable

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.visitor import Visitor
from helpers.serving import outcome_of


class Server:
    """A socket's end: it answers each message with what `answer` makes of it, and hangs up where
    that is nothing."""

    def __init__(self, answer: Callable[[BackMsg], list[ForwardMsg]]):
        self.asked: list = []
        self._answer, self._sent = answer, asyncio.Queue()

    async def send(self, data: bytes) -> None:
        message = BackMsg.FromString(data)
        self.asked.append(message.rerun_script)
        for answer in self._answer(message) or [None]:
            self._sent.put_nowait(answer)

    async def __aiter__(self):
        while message := await self._sent.get():
            yield message.SerializeToString()


def element(kind: str, **fields) -> ForwardMsg:
    """What draws an element."""
    message = ForwardMsg()
    drawn = getattr(message.delta.new_element, kind)
    drawn.SetInParent()
    for name, value in fields.items():
        setattr(drawn, name, value)
    return message


def drawn(*elements: ForwardMsg) -> list[ForwardMsg]:
    """What a page consists of, from its beginning to its end."""
    begins, ends = ForwardMsg(), ForwardMsg()
    begins.new_session.initialize.session_id = "s"
    ends.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    return [begins, *elements, ends]


def visiting(answer: Callable, acts: Callable) -> tuple[Visitor, Server]:
    """Return a visitor, and the server, after it has acted."""

    async def visit() -> tuple[Visitor, Server]:
        server = Server(answer)
        visitor = Visitor(server)
        reading = asyncio.create_task(visitor.read())
        try:
            await acts(visitor)
        finally:
            reading.cancel()
        return visitor, server

    return outcome_of(visit())


def test_a_visitor_turns_switches_presses_buttons_and_follows_links_as_a_browser_does():
    link = {"page_script_hash": "hash-of-b", "query_string": "x=1"}
    page = drawn(
        element("checkbox", id="1", label="int8", default=True),
        element("button", id="2", label="Run"),
        element("page_link", label="B", **link),
        element("exception", message="a traceback"),
    )

    async def acts(visitor: Visitor) -> None:
        await visitor.open("A", "y=2")
        assert (visitor.switches, visitor.buttons) == (["int8"], ["Run"])
        await visitor.flip("int8")
        await visitor.press("Run")
        await visitor.follow("B")

    visitor, server = visiting(lambda _: page, acts)
    opened, flipped, pressed, followed = server.asked
    assert (opened.page_name, opened.query_string) == ("A", "y=2")
    assert [widget.bool_value for widget in flipped.widget_states.widgets] == [False]
    switch, button = pressed.widget_states.widgets
    assert (switch.bool_value, button.id, button.trigger_value) == (False, "2", True)
    assert (followed.page_script_hash, followed.query_string) == ("hash-of-b", "x=1")
    assert visitor.problems == ["a traceback"] * 4


def test_what_the_server_need_not_send_again_is_known_by_its_hash():
    kept, again = element("markdown", body="said"), ForwardMsg(ref_hash="h")
    kept.hash, kept.metadata.cacheable = "h", True
    pages = iter([drawn(kept), drawn(again)])

    async def acts(visitor: Visitor) -> None:
        await visitor.open()
        await visitor.open()

    visitor, server = visiting(lambda _: next(pages), acts)
    assert visitor.words == ["said"]
    assert list(server.asked[1].cached_message_hashes) == ["h"]


def test_an_answer_that_never_comes_since_the_server_is_gone_is_an_error():
    with pytest.raises(ConnectionError, match="the server is gone"):
        visiting(lambda _: [], Visitor.open)

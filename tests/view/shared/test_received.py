"""Uploads on disk: how many bytes a session, a network and a server hold, and until when."""

import io
from types import SimpleNamespace

import pytest

from view.shared import hooks
from view.shared.received import Files
from wlm.errors import UploadError

MB = 1024**2


@pytest.fixture
def streamlit(monkeypatch) -> SimpleNamespace:
    """Streamlit's side: the tickets that it holds, and the sessions whose browsers are connected.
    An upload has at most 10 MB."""
    state = SimpleNamespace(tickets=set(), connected=set("abcdefgh"))
    monkeypatch.setattr(hooks, "held_uploads", lambda: state.tickets)
    monkeypatch.setattr(hooks, "is_connected", lambda session: session in state.connected)
    monkeypatch.setattr(hooks, "largest_upload", lambda: 10 * MB)
    return state


def come(files: Files, streamlit, session: str, network: str = "", size: int = 10 * MB):
    """Return an upload that has come to a server, or None if the server refuses it."""
    file = files.begin(session, network)
    taken = files.can_hold(file, size)
    if taken:
        file.fill("a.pt", io.BytesIO(b"x" * size))
        streamlit.tickets.add(file.ticket)
    files.settle(file)
    return file if taken else None


def test_a_session_holds_two_a_network_three_and_the_server_five(streamlit):
    files = Files()
    sent = [("a", "n"), ("a", "n"), ("a", "n"), ("b", "n"), ("c", "n"), ("d", "m"), ("e", "")]
    taken = [come(files, streamlit, *who) is not None for who in sent]
    assert taken == [True, True, False, True, False, True, True]
    assert come(files, streamlit, "f", "") is None  # the server is full


def test_a_file_counts_while_it_comes(streamlit):
    files = Files()
    coming = files.begin("a", "n")
    assert all(files.can_hold(coming, MB) for _ in range(10))
    assert not files.can_hold(coming, MB)  # larger than any upload
    files.settle(coming)
    assert all(come(files, streamlit, "a", "n") for _ in range(2))


def test_many_small_files_count_as_well(streamlit):
    files = Files()
    taken = [come(files, streamlit, "a", size=0) is not None for _ in range(25)]
    assert taken == [True] * 20 + [False] * 5


def test_a_file_that_the_visitor_removes_makes_room(streamlit):
    files = Files()
    first, _second = (come(files, streamlit, "a") for _ in range(2))
    assert come(files, streamlit, "a") is None
    streamlit.tickets.remove(first.ticket)
    files.drop_unused()
    assert come(files, streamlit, "a")


def test_files_of_visitors_who_left_stay_until_others_need_the_room(streamlit):
    files = Files()
    kept = [come(files, streamlit, session) for session in "aabbc"]
    streamlit.connected -= {"a"}
    chosen = [SimpleNamespace(getvalue=lambda file=file: file.ticket) for file in kept]
    assert files.content_of(chosen[0]) is kept[0]  # the visitor may come back
    assert come(files, streamlit, "d")
    with pytest.raises(UploadError, match="no longer has this file; choose the file again"):
        files.content_of(chosen[0])
    assert files.content_of(chosen[4]) is kept[4]


def test_a_page_reads_the_content_again_and_forgets_it(streamlit):
    files = Files()
    file = come(files, streamlit, "a", size=3)
    chosen = SimpleNamespace(getvalue=lambda: file.ticket)
    for _ in range(2):
        content = files.content_of(chosen)
        assert (content.name, content.size, content.read()) == ("a.pt", 3, b"xxx")
    files.forget([content])
    with pytest.raises(UploadError, match="no longer has this file"):
        files.content_of(chosen)


def test_a_file_without_a_ticket_is_its_own_content():
    file = io.BytesIO(b"words")
    assert Files().content_of(file) is file


def test_no_file_is_an_error():
    with pytest.raises(UploadError, match="choose a file first"):
        Files().content_of(None)


def test_a_refused_file_refuses_no_other(streamlit):
    files = Files()
    coming = [files.begin(session, "n") for session in "abc"]
    assert all(files.can_hold(file, 10 * MB) for file in coming)
    assert not files.can_hold(files.begin("d", "n"))
    assert all(files.can_hold(file) for file in coming)

"""The request that uploads a file, and the one that Streamlit gets instead."""

import pytest
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from helpers.serving import outcome_of
from view.shared import hooks
from view.shared.file_request import TooManyBytesError, receive_file, ticket_request
from view.shared.received import Received

NAMES = ("a.pt", 'quoted".pt', "ж.pt", "a\nb.pt")


def request_of(body: bytes, kind: str = "multipart/form-data; boundary=b"):
    """A request with a body in parts, as a server gives it."""
    parts = [body[at : at + 1_000_000] for at in range(0, len(body), 1_000_000)]

    async def receive() -> dict:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    headers = [(b"content-type", kind.encode()), (b"x-xsrftoken", b"t")]
    return {"type": "http", "method": "PUT", "headers": headers}, receive


def part(name: str, content: bytes) -> bytes:
    head = f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_the_content_is_in_a_file_on_disk(size):
    file = Received("a", "")
    outcome_of(receive_file(*request_of(part("a.pt", b"x" * size) + b"--b--\r\n"), file))
    assert (file.name, file.size) == ("a.pt", size)
    file.seek(0)
    assert file.read() == b"x" * size
    assert file._content.fileno() > 0


@pytest.mark.parametrize("name", NAMES)
def test_streamlit_gets_the_name_and_the_ticket(name):
    file = Received("a", "", name=name)

    async def upload():
        request = Request(*ticket_request(*request_of(b""), file))
        assert request.headers["x-xsrftoken"] == "t"
        (found,) = (await request.form()).values()
        return found.filename, await found.read()

    found, content = outcome_of(upload())
    assert content == file.ticket
    assert found == name.replace('"', "%22").replace("\n", "%0A")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--b--\r\n", "multipart/form-data; boundary=b"),
        (part("a", b"x") + part("b", b"x") + b"--b--\r\n", "multipart/form-data; boundary=b"),
        (
            b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (b"a=b", "application/x-www-form-urlencoded"),  # Starlette would hold it in memory
        (b"x", ""),
    ],
)
def test_any_other_body_is_refused(body, kind):
    with pytest.raises(MultiPartException):
        outcome_of(receive_file(*request_of(body, kind), Received("a", "")))


def test_a_body_ends_where_the_server_has_no_more_room(monkeypatch):
    monkeypatch.setattr(hooks, "largest_upload", lambda: 1024**2)
    scope, receive = request_of(part("a.pt", b"x" * 50_000_000))
    taken = 0

    async def counted() -> dict:
        nonlocal taken
        message = await receive()
        taken += len(message["body"])
        return message

    with pytest.raises(TooManyBytesError):
        outcome_of(receive_file(scope, counted, Received("a", "")))
    assert taken <= 2_000_000

"""The request that uploads a file: the content goes to disk, and Streamlit gets a ticket."""

import secrets

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from view.shared.received import FILES, Received

IN_A_NAME = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})  # as browsers write them


class TooManyBytesError(Exception):
    """The server cannot hold an upload."""


async def receive_file(scope: Scope, receive: Receive, file: Received) -> None:
    """Write the body's one file to a temporary file.

    Raises TooManyBytesError, and MultiPartException or HTTPException for any other body.
    """

    async def counted() -> Message:
        message = await receive()
        if not FILES.can_hold(file, len(message.get("body", b""))):
            raise TooManyBytesError
        return message

    if not FILES.can_hold(file):
        raise TooManyBytesError
    request = Request(scope, counted)
    # Starlette would hold a body of any other kind in memory.
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise MultiPartException("not multipart/form-data")
    form = await request.form(max_files=1, max_fields=0)
    upload = next(iter(form.values()), None)
    if not isinstance(upload, UploadFile):
        raise MultiPartException("no file")
    upload.file.rollover()  # small files go to disk, too
    file.fill(upload.filename or "", upload.file)


def ticket_request(scope: Scope, receive: Receive, file: Received) -> tuple[Scope, Receive]:
    """Return the same request with the file's ticket as its content."""
    boundary = secrets.token_hex(16)
    name = file.name.translate(IN_A_NAME)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'
    body = head.encode("utf-8", "replace") + file.ticket + f"\r\n--{boundary}--\r\n".encode()
    changed = {
        b"content-type": f"multipart/form-data; boundary={boundary}".encode(),
        b"content-length": str(len(body)).encode(),
    }
    unchanged = [
        pair for pair in scope["headers"] if pair[0] not in {*changed, b"transfer-encoding"}
    ]
    bodies = [body]

    async def replay() -> Message:
        if bodies:
            return {"type": "http.request", "body": bodies.pop(), "more_body": False}
        return await receive()  # until the browser disconnects

    return {**scope, "headers": [*unchanged, *changed.items()]}, replay

"""Uploaded files, on disk until a page has kept them or their visitors have left.

Streamlit holds an upload in memory until two minutes after its visitor has left. So the guard keeps
the content in a temporary file and gives Streamlit a ticket; a page exchanges the ticket for the
content.
"""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from view.shared import hooks
from wlm.errors import UploadError

SESSION, NETWORK, SERVER = 2, 3, 5  # times the largest upload, held at once
LEAST = 1_000_000  # bytes that a file counts at least, because it also takes a descriptor
HEADERS = 10_000  # bytes that a request may have besides the file
TICKET = b"wlm-upload-"  # how tickets begin


@dataclass(eq=False)
class Received:
    """An upload: a binary stream with a name and a size in bytes, once all bytes have come."""

    session: str
    network: str  # empty if the visitor's network address is unknown
    ticket: bytes = field(default_factory=lambda: TICKET + secrets.token_hex(16).encode())
    name: str = ""
    size: int = 0
    settled: bool = False  # Streamlit has taken or refused the ticket
    _content: BinaryIO | None = None

    def fill(self, name: str, content: BinaryIO) -> None:
        """Set the name and the content after all bytes have come."""
        self.name, self._content = name, content
        self.size = content.seek(0, 2)

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(size)

    def seek(self, offset: int, /) -> int:
        return self._content.seek(offset)


class Files:
    """The uploads that a server holds for its visitors."""

    def __init__(self):
        self._files: dict[bytes, Received] = {}
        self._lock = threading.Lock()

    def begin(self, session: str, network: str) -> Received:
        """Return a new upload without content."""
        file = Received(session, network)
        with self._lock:
            self._files[file.ticket] = file
        return file

    def can_hold(self, file: Received, more: int = 0) -> bool:
        """Count more bytes of an upload; return whether the server can hold the upload. If it
        cannot, it first drops the files of visitors who have left."""
        with self._lock:
            file.size += more
            if not self._is_over(file):
                return True
            self._keep(lambda file: not file.settled or hooks.is_connected(file.session))
            if is_over := self._is_over(file):
                self._files.pop(file.ticket, None)  # at once, so that it refuses no other
            return not is_over

    def settle(self, file: Received) -> None:
        """Note that Streamlit has taken or refused an upload's ticket."""
        file.settled = True
        self.drop_unused()

    def drop_unused(self) -> None:
        """Forget the uploads whose tickets Streamlit no longer holds."""
        with self._lock:
            held = hooks.held_uploads()
            self._keep(lambda file: not file.settled or file.ticket in held)

    def forget(self, files: Iterable[object]) -> None:
        """Forget uploads that a page no longer needs."""
        with self._lock:
            done = list(files)
            self._keep(lambda file: file not in done)

    def content_of(self, file):
        """Return a file of `st.file_uploader` with its content: a binary stream with a name and a
        size. Raises UploadError if there is no file, or no longer."""
        if file is None:
            raise UploadError("no file is chosen; choose a file first")
        beginning = file.getvalue()
        if not beginning.startswith(TICKET):  # no guard is in front of Streamlit, as in tests
            return file
        with self._lock:
            found = self._files.get(beginning)
        if found is None:
            raise UploadError("the server no longer has this file; choose the file again")
        found.seek(0)
        return found

    def _keep(self, is_kept: Callable[[Received], bool]) -> None:
        # A page may still read a file that is dropped here: the file closes after the last use.
        self._files = {ticket: file for ticket, file in self._files.items() if is_kept(file)}

    def _is_over(self, file: Received) -> bool:
        largest = hooks.largest_upload()
        files = list(self._files.values())

        def held(shares: Callable[[Received], bool]) -> float:
            return sum(max(other.size, LEAST) for other in files if shares(other)) / largest

        return (
            file.size > largest + HEADERS
            or held(lambda other: other.session == file.session) > SESSION
            or held(lambda other: "" != other.network == file.network) > NETWORK
            or held(lambda other: True) > SERVER
        )


FILES = Files()

"""The guard in front of Streamlit's server: it refuses messages and uploads that no page needs.

A browser sends only what Streamlit's front end sends. A program may send anything, so this module
checks messages before Streamlit reads them. Streamlit itself closes a connection whose message is
larger than `server.maxMessageSize` or `server.maxWidgetStateSize`.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from view.shared import hooks, server, visitor
from view.shared.dialogs import NoErrorDialogs
from view.shared.file_request import TooManyBytesError, receive_file, ticket_request
from view.shared.received import FILES
from wlm.events import note
from wlm.hosting import hosting

# `clear_cache` would drop the caches that all visitors share; `set_run_on_save` and the rest are
# for developers.
ALLOWED_KINDS = {"rerun_script", "stop_script", "app_heartbeat", "deferred_file", "dataframe_chunk"}
UPLOAD_KIND = "file_urls_request"
MOST_FILES = 32  # names of files in one message
MOST_WIDGETS = 500  # a page has at most 100
MOST_ID = 500  # characters of a widget's id
MOST_QUERY = 20_000  # characters of a page's query
MOST_HASHES = 20_000  # hashes of messages that a browser says it has
MESSAGES_PER_SECOND, BURST = 20.0, 100  # per connection; further messages wait
DESCRIPTORS = 65_536  # for visitors and files, at most


class Guard:
    """ASGI middleware that refuses messages and uploads."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "websocket" and path.endswith(hooks.STREAM_ROUTE):
            await self._app(scope, allowed_messages(receive), send)
        elif scope["type"] == "http" and hooks.UPLOAD_ROUTE in path:
            await self._upload(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not takes_files():
            await _refuse(send, 403, "This server takes no files.")
            return
        if scope["method"] != "PUT":
            await self._app(scope, receive, send)
            FILES.drop_unused()
            return
        session = scope["path"].rpartition(hooks.UPLOAD_ROUTE)[2].partition("/")[0]
        if not hooks.is_connected(session):
            await _refuse(send, 400, "The page of this file has no connection. Reload the page.")
            return
        file = FILES.begin(session, visitor.network_of((scope.get("client") or ("",))[0]))
        try:
            await receive_file(scope, receive, file)
            await self._app(*ticket_request(scope, receive, file), send)
        except TooManyBytesError:
            await _refuse(send, 413, "This server holds too many files. Try again later.")
        except (HTTPException, MultiPartException):
            await _refuse(send, 400, "Send one file as multipart/form-data.")
        except ClientDisconnect:
            pass
        finally:
            FILES.settle(file)


def middleware() -> list[Middleware]:
    """Return the guard, and what switches off error dialogs, in the form that `st.App` takes."""
    return [Middleware(Guard), Middleware(NoErrorDialogs)]


@asynccontextmanager
async def lifespan(app) -> AsyncIterator[None]:
    """Get ready for many visitors, and end the server's runs and worker as the server ends: a
    signal leaves no time for `atexit`."""
    raise_descriptors()
    yield
    server.close()


def raise_descriptors() -> None:
    """Raise this process's limit on open files and connections to the system's maximum. Each
    visitor needs four."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS allows fewer than it reports
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def allowed_messages(receive: Receive) -> Receive:
    """Return a source of a connection's messages without the refused ones. A connection that sends
    too many messages has to wait."""
    allowance, last, noted = float(BURST), time.monotonic(), False

    async def next_allowed() -> Message:
        nonlocal allowance, last, noted
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            now = time.monotonic()
            allowance = min(float(BURST), allowance + (now - last) * MESSAGES_PER_SECOND) - 1.0
            last = now
            if allowance < 0.0:
                await asyncio.sleep(-allowance / MESSAGES_PER_SECOND)
            if not (reason := why_refused(message.get("bytes"))):
                return message
            if not noted:  # one line per connection, so that nobody can fill the log
                noted = True
                note("refused", reason=reason)

    return next_allowed


def why_refused(data: bytes | None) -> str:
    """Return one word for why a browser's message is refused; empty if it is allowed."""
    if data is None:
        return "text"
    if len(data) > hooks.limit_of("maxWidgetStateSize"):
        return ""  # Streamlit closes the connection itself
    message = hooks.read_message(data)
    if message is None:
        return "unreadable"
    kind = hooks.kind_of(message)
    if kind == UPLOAD_KIND:
        names = message.file_urls_request.file_names
        return "" if takes_files() and len(names) <= MOST_FILES else "files"
    if kind not in ALLOWED_KINDS:
        return "kind"
    state = message.rerun_script
    if len(state.query_string) > MOST_QUERY:
        return "query"
    if len(state.cached_message_hashes) > MOST_HASHES:
        return "hashes"
    ids = list(hooks.widget_ids(message))
    if len(ids) > MOST_WIDGETS or not all(map(_is_widget, ids)):
        return "widgets"
    return ""


def takes_files() -> bool:
    """Tell whether any page takes files: models, texts or runs."""
    return hosting().allows("uploading") or hosting().allows("importing")


def _is_widget(id: str) -> bool:
    """Tell whether an id may belong to a widget. Any other id would raise KeyError in Streamlit,
    and the traceback would quote the id."""
    return len(id) <= MOST_ID and id.startswith(hooks.WIDGETS)


async def _refuse(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})

"""A visitor: speaks to a Streamlit server as a browser does, and times the answers.

An answer has come when the script that drew it has ended. Files that a browser loads besides (the
front end's JavaScript) are left out, as is the drawing.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from http.client import HTTPConnection

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

PATIENCE = 120.0  # seconds until an answer is given up
PAGE, FRAGMENT = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY


class Visitor:
    """One browser tab: the page that it shows, its switches, buttons and links, what it says in
    `words`, and what went wrong in `problems`.

    `session` is the server's name for it. A browser would send what a page's widgets allow; what
    is in `forged` (widget states, by the widget's label or id: the field's name and its value) is
    sent whatever they allow.
    """

    def __init__(self, socket, address: str = "", via: str = ""):
        self._socket, self._address, self._via, self._problems = socket, address, via, []
        self.session, self.forged = "", {}
        self.heard = lambda message: None  # called with each message of the server
        self._gone = False
        self._page = self._query = ""  # the hash of the page's script; the address's query
        self._known: dict[str, ForwardMsg] = {}  # what the server need not send again, by hash
        self._ended = {PAGE: asyncio.Event(), FRAGMENT: asyncio.Event()}
        self._ticking: dict[str, asyncio.Task] = {}  # by fragment
        self._on: dict[str, bool] = {}  # switches, by id
        self._files: dict[str, FileUploaderState] = {}  # uploaded, by the widget's label
        self._begin()

    @property
    def problems(self) -> list[str]:
        """What pages said of errors."""
        return self._problems

    @property
    def switches(self) -> list[str]:
        """The labels of the page's switches."""
        return list(self._switches)

    @property
    def buttons(self) -> list[str]:
        """The labels of the page's buttons."""
        return list(self._buttons)

    @property
    def query(self) -> str:
        """The query in the page's address."""
        return self._query

    @property
    def follows(self) -> bool:
        """Whether a part of the page redraws itself."""
        return bool(self._ticking)

    async def open(self, page: str = "", query: str = "") -> float:
        """Open a page by its address and return the seconds until it had come."""
        self._page, self._query, self._on, self._files = "", query, {}, {}
        return await self._ask(PAGE, page_name=page)

    async def follow(self, label: str) -> float:
        """Follow a link of the page and return the seconds until the next page had come."""
        self._page, self._query = self._links[label]
        self._on, self._files = {}, {}
        return await self._ask(PAGE)

    async def flip(self, label: str) -> float:
        """Turn a switch and return the seconds until its answer."""
        id, fragment = self._switches[label]
        self._on[id] ^= True
        return await self._ask_of(fragment)

    async def press(self, label: str) -> float:
        """Press a button and return the seconds until its answer."""
        id, fragment = self._buttons[label]
        return await self._ask_of(fragment, pressed=id)

    async def choose(self, label: str, name: str, content: bytes) -> int:
        """Upload a file to the widget whose label begins so, and return the answer's status. The
        next button that is pressed hands the file to the page."""
        label = next(full for full in self._ids if full.startswith(label))
        id = f"file-{len(self._files)}-{name}"
        file = {"file_id": id, "name": name, "size": len(content)}
        self._files.setdefault(label, FileUploaderState()).uploaded_file_info.add(**file)
        return await self.put(content, id, name)

    async def put(self, content: bytes, id: str = "a", name: str = "a") -> int:
        """Upload a file as any program may, and return the answer's status."""
        return await asyncio.to_thread(
            put, self._address, self.session, content, id, name, self._via
        )

    def _begin(self) -> None:
        self._stop_ticking()
        self._switches: dict[str, tuple[str, str]] = {}  # by label: id and fragment
        self._buttons: dict[str, tuple[str, str]] = {}
        self._links: dict[str, tuple[str, str]] = {}  # by label: page and query
        self._ids: dict[str, str] = {}  # of all widgets, by label
        self.words: list[str] = []

    async def _ask_of(self, fragment: str, pressed: str = "") -> float:
        ended = FRAGMENT if fragment else PAGE
        return await self._ask(ended, pressed, fragment_id=fragment)

    async def _ask(self, end: int, pressed: str = "", **fields) -> float:
        message = self._message(**fields)
        states = message.rerun_script.widget_states.widgets
        for id, on in self._on.items():
            states.add(id=id, bool_value=on)
        for label, (field, value) in self.forged.items():
            state = states.add(id=self._ids.get(label, label))
            getattr(state, field).data.extend(value) if isinstance(value, list) else setattr(
                state, field, value
            )
        for label, files in self._files.items():
            states.add(id=self._ids[label], file_uploader_state_value=files)
        if pressed:
            states.add(id=pressed, trigger_value=True)
        self._ended[end].clear()
        start = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        await asyncio.wait_for(self._ended[end].wait(), PATIENCE)
        if self._gone:
            raise ConnectionError("the server is gone")
        return time.perf_counter() - start

    def _message(self, **fields) -> BackMsg:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.page_script_hash, rerun.query_string = self._page, self._query
        rerun.cached_message_hashes.extend(self._known)
        for name, value in fields.items():
            setattr(rerun, name, value)
        return message

    async def read(self) -> None:
        """Take in what the server sends, until it sends no more."""
        try:
            await self._read()
        finally:
            self._stop_ticking()
            self._gone = True
            for ended in self._ended.values():  # nobody waits for it any more
                ended.set()

    async def _read(self) -> None:
        async for data in self._socket:
            message = ForwardMsg.FromString(data)
            self.heard(message)
            if message.WhichOneof("type") == "ref_hash":
                message = self._known[message.ref_hash]
            elif message.metadata.cacheable:
                self._known[message.hash] = message
            self._take(message)

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "new_session":
                self.session = message.new_session.initialize.session_id or self.session
                if not message.metadata.run.fragment_ids:
                    self._begin()
            case "navigation":
                self._page = message.navigation.page_script_hash
            case "page_info_changed":
                self._query = message.page_info_changed.query_string
            case "script_finished":
                if message.script_finished in self._ended:
                    self._ended[message.script_finished].set()
                if message.script_finished == PAGE:  # in which a fragment's run may be merged
                    self._ended[FRAGMENT].set()
            case "auto_rerun":
                auto = message.auto_rerun
                if auto.fragment_id not in self._ticking:
                    tick = self._tick(auto.fragment_id, auto.interval)
                    self._ticking[auto.fragment_id] = asyncio.create_task(tick)
            case "session_event":
                self._problems.append(str(message.session_event)[:200])
            case "delta" if message.delta.WhichOneof("type") == "new_element":
                self._note(message.delta.new_element, message.delta.fragment_id)

    def _note(self, element, fragment: str) -> None:
        kind = element.WhichOneof("type")
        widget = getattr(element, kind) if kind else None
        if getattr(widget, "id", "") and getattr(widget, "label", ""):
            self._ids[widget.label] = widget.id
        if kind == "checkbox":
            self._switches[widget.label] = widget.id, fragment
            self._on[widget.id] = (
                widget.value if widget.set_value else self._on.get(widget.id, widget.default)
            )
        elif kind == "button":
            self._buttons[widget.label] = widget.id, fragment
        elif kind == "page_link":
            self._links[widget.label] = widget.page_script_hash, widget.query_string
        elif kind in ("heading", "markdown"):
            self.words.append(widget.body)
        elif kind == "exception":
            self._problems.append(widget.message[:200])
        elif kind == "alert":
            self.words.append(widget.body)
            if widget.format == widget.ERROR:
                self._problems.append(widget.body[:200])

    async def _tick(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            message = self._message(fragment_id=fragment, is_auto_rerun=True)
            await self._socket.send(message.SerializeToString())

    def _stop_ticking(self) -> None:
        for task in self._ticking.values():
            task.cancel()
        self._ticking = {}


def put(
    address: str, session: str, content: bytes, id: str = "a", name: str = "a", via: str = ""
) -> int:
    """Upload a file to a session, as any program may, and return the answer's status."""
    head = f'--x\r\nContent-Disposition: form-data; name="{id}"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--x--\r\n"
    token = f"2|00000000|{'ab' * 16}|1700000000"
    headers = {"Cookie": f"_streamlit_xsrf={token}", "X-Xsrftoken": token}
    headers["Content-Type"] = "multipart/form-data; boundary=x"
    if via:
        headers["X-Forwarded-For"] = via
    server = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    with closing(server):
        with suppress(ConnectionError):  # it answered before all had come
            server.request("PUT", f"/_stcore/upload_file/{session}/{id}", body, headers)
        try:
            return server.getresponse().status
        except OSError:  # it hung up
            return 413


@asynccontextmanager
async def visit(address: str, cookie: str = "", via: str = "") -> AsyncIterator[Visitor]:
    """Connect a visitor to the server at an address such as `http://localhost:8501`, with a cookie
    if any; `via` is the network address that a proxy would report."""
    url = f"ws{address.rstrip('/').removeprefix('http')}/_stcore/stream"
    options = {"max_size": None, "open_timeout": PATIENCE}
    headers = {"Cookie": cookie, "X-Forwarded-For": via}
    headers = {name: value for name, value in headers.items() if value}
    async with connect(
        url, subprotocols=["streamlit"], additional_headers=headers, **options
    ) as socket:
        visitor = Visitor(socket, address.rstrip("/"), via)
        reading = asyncio.create_task(visitor.read())
        try:
            yield visitor
        finally:
            visitor._stop_ticking()
            reading.cancel()
            with suppress(asyncio.CancelledError, ConnectionClosed):
                await reading

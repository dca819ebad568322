"""Streamlit's error dialogs, switched off.

If the server does not answer, the dialog asks "Are you connected to the internet?", also in a hall
whose network has no internet. Without the dialog, the page's header says "Connecting", and the page
goes on as soon as the server answers. The other dialogs are for developers.
"""

import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from view.shared.hooks import HOST_CONFIG_ROUTE


class NoErrorDialogs:
    """ASGI middleware that changes the settings which a browser asks for before it draws a page."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get("path", "").endswith(HOST_CONFIG_ROUTE) or scope.get("method") != "GET":
            await self._app(scope, receive, send)
            return
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        headers = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        await self._app({**scope, "headers": headers}, receive, collect)
        start, *parts = messages
        content = b"".join(part.get("body", b"") for part in parts)
        if start["status"] == 200:
            content = json.dumps(json.loads(content) | {"blockErrorDialogs": True}).encode()
            MutableHeaders(scope=start)["content-length"] = str(len(content))
        await send(start)
        await send({"type": "http.response.body", "body": content})

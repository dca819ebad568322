"""Error dialogs are off in what the server tells browsers."""

import json

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from streamlit.web.server.starlette.starlette_routes import create_host_config_routes

from helpers.serving import outcome_of
from view.shared.dialogs import NoErrorDialogs


def get(app, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """Return the status, the headers and the body of an answer."""
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [(b"accept-encoding", b"gzip")],
    }
    outcome_of(app(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


def test_browsers_show_no_error_dialogs_and_all_else_stays():
    compressed = [Middleware(GZipMiddleware, minimum_size=1)]
    app = Starlette(routes=create_host_config_routes("/base"), middleware=compressed)
    path = "/base/_stcore/host-config"
    status, headers, body = get(NoErrorDialogs(app), path)
    assert status == 200 and int(headers[b"content-length"]) == len(body)
    changed = json.loads(body)
    assert changed.pop("blockErrorDialogs") is True
    plain = Starlette(routes=create_host_config_routes("/base"))
    assert {**changed, "blockErrorDialogs": False} == json.loads(get(plain, path)[2])
    assert get(NoErrorDialogs(app), "/other/_stcore/host-config")[0] == 404

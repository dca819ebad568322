"""Every private part of Streamlit that the server's guard and the pages use, in one place.

Each function has its own test, which fails if a new version of Streamlit moves the part.
"""

from collections.abc import Iterator

import streamlit as st
from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import exists, get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx

STREAM_ROUTE = "/_stcore/stream"
XSRF_COOKIE = "_streamlit_xsrf"  # a random value for each browser
UPLOAD_ROUTE = "/_stcore/upload_file/"
HOST_CONFIG_ROUTE = "/_stcore/host-config"
WIDGETS = ("$$ID-", "$$STREAMLIT_INTERNAL_KEY_")  # how the ids of widgets and events begin


def read_message(data: bytes) -> BackMsg | None:
    """Return a browser's message, or None if the bytes are not a message."""
    try:
        return BackMsg.FromString(data)
    except DecodeError:
        return None


def kind_of(message: BackMsg) -> str:
    """Return the kind of a message, such as `rerun_script`. For an operation of the server, such as
    a download, return the operation. An empty message has an empty kind."""
    kind = message.WhichOneof("type") or ""
    if kind == "backend_operation_request":
        operation = message.backend_operation_request
        return next((field.name for field, _ in operation.ListFields() if field.message_type), "")
    return kind


def widget_ids(message: BackMsg) -> Iterator[str]:
    """Return the ids of the widgets whose states a message holds."""
    return (state.id for state in message.rerun_script.widget_states.widgets)


def uploaded_bytes(session: str) -> tuple[int, int]:
    """Return how many bytes of uploads the server holds: for this session, and for all sessions."""
    if not exists():
        return 0, 0
    stored = get_instance().uploaded_file_mgr.file_storage
    by_session = {
        key: sum(len(file.data) for file in list(files.values()))
        for key, files in list(stored.items())
    }
    return by_session.get(session, 0), sum(by_session.values())


def came_by_history() -> bool:
    """Tell whether the browser's Back or Forward led here, so that the URL decides what to show.
    Returns False if this version of Streamlit does not have the field."""
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def limit_of(option: str) -> int:
    """Return a limit of Streamlit's server in bytes; its option is in megabytes."""
    return st.get_option(f"server.{option}") * 1_000_000

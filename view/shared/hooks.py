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


def held_uploads() -> set[bytes]:
    """Return the content of all files that Streamlit holds for its sessions: tickets, see guard."""
    if not exists():
        return set()
    stored = get_instance().uploaded_file_mgr.file_storage
    return {file.data for files in list(stored.values()) for file in list(files.values())}


def is_connected(session: str) -> bool:
    """Tell whether a session's browser is connected."""
    return exists() and get_instance().is_active_session(session)


def came_by_history() -> bool:
    """Tell whether the browser's Back or Forward led here, so that the URL decides what to show.
    Returns False if this version of Streamlit does not have the field."""
    return bool(getattr(get_script_run_ctx(), "is_history_navigation", False))


def limit_of(option: str) -> int:
    """Return a limit of Streamlit's server in bytes; its option is in megabytes."""
    return st.get_option(f"server.{option}") * 1_000_000


def largest_upload() -> int:
    """Return the size of the largest upload in bytes; Streamlit counts 1,048,576 per megabyte."""
    return st.get_option("server.maxUploadSize") * 1024**2

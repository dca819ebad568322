"""The private parts of Streamlit: each test fails if a new version moves one."""

from types import SimpleNamespace

from starlette.routing import WebSocketRoute
from streamlit.elements.lib.utils import compute_and_register_element_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import ScriptRunContext
from streamlit.runtime.state import common, session_state
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.starlette import (
    starlette_routes,
    starlette_server_config,
    starlette_websocket,
)

from view.shared import hooks


def test_a_message_has_one_kind_and_an_operation_names_itself():
    assert hooks.kind_of(BackMsg(clear_cache=True)) == "clear_cache"
    assert hooks.kind_of(BackMsg()) == ""
    download = BackMsg()
    download.backend_operation_request.deferred_file.file_id = "a"
    assert hooks.kind_of(download) == "deferred_file"
    install = BackMsg()
    install.backend_operation_request.install_skills.SetInParent()
    assert hooks.kind_of(install) == "install_skills"
    assert hooks.read_message(b"\xff\xff") is None
    assert hooks.read_message(download.SerializeToString()) == download


def test_a_message_holds_the_states_of_widgets_a_query_and_names_of_files():
    message = BackMsg()
    message.rerun_script.widget_states.widgets.add(id="a", bool_value=True)
    message.rerun_script.query_string = "x=1"
    message.rerun_script.cached_message_hashes.append("h")
    assert list(hooks.widget_ids(message)) == ["a"]
    assert list(BackMsg().file_urls_request.file_names) == []


def test_ids_of_widgets_begin_as_the_guard_expects():
    id = compute_and_register_element_id(
        "button", user_key=None, key_as_main_identity=False, dg=None, label="a"
    )
    assert id.startswith(hooks.WIDGETS)
    assert f"{common.GENERATED_ELEMENT_ID_PREFIX}-" in hooks.WIDGETS
    assert f"{session_state.STREAMLIT_INTERNAL_KEY_PREFIX}_" in hooks.WIDGETS


def test_the_routes_are_where_the_guard_looks():
    (route,) = starlette_websocket.create_websocket_routes(None, "/base")
    assert isinstance(route, WebSocketRoute) and route.path.endswith(hooks.STREAM_ROUTE)
    for route in starlette_routes.create_upload_routes(None, None, "/base"):
        assert hooks.UPLOAD_ROUTE in route.path
    (route,) = starlette_routes.create_host_config_routes("/base")
    assert route.path.endswith(hooks.HOST_CONFIG_ROUTE)


def test_the_server_holds_uploads_by_session_and_content(monkeypatch):
    manager = MemoryUploadedFileManager("/upload")
    manager.add_file("a", UploadedFileRec("1", "name", "type", b"123"))
    manager.add_file("b", UploadedFileRec("2", "name", "type", b"12345"))
    runtime = SimpleNamespace(uploaded_file_mgr=manager)
    monkeypatch.setattr(hooks, "exists", lambda: True)
    monkeypatch.setattr(hooks, "get_instance", lambda: runtime)
    assert hooks.held_uploads() == {b"123", b"12345"}
    manager.remove_session_files("a")
    assert hooks.held_uploads() == {b"12345"}


def test_the_server_knows_whose_browser_is_connected(monkeypatch):
    assert callable(Runtime.is_active_session)
    runtime = SimpleNamespace(is_active_session=lambda session: session == "a")
    monkeypatch.setattr(hooks, "exists", lambda: True)
    monkeypatch.setattr(hooks, "get_instance", lambda: runtime)
    assert hooks.is_connected("a") and not hooks.is_connected("b")


def test_without_a_server_there_are_no_uploads_and_no_browsers():
    assert hooks.held_uploads() == set()
    assert not hooks.is_connected("a")


def test_a_run_of_a_page_knows_whether_back_or_forward_began_it(monkeypatch):
    assert "is_history_navigation" in ScriptRunContext.__dataclass_fields__
    for context, came in (
        (SimpleNamespace(is_history_navigation=True), True),
        (SimpleNamespace(is_history_navigation=False), False),
        (SimpleNamespace(), False),  # a version of Streamlit without it
        (None, False),
    ):
        monkeypatch.setattr(hooks, "get_script_run_ctx", lambda context=context: context)
        assert hooks.came_by_history() is came


def test_the_cookie_is_the_one_that_the_server_sets():
    assert starlette_server_config.XSRF_COOKIE_NAME == hooks.XSRF_COOKIE


def test_limits_are_streamlits_own_in_bytes():
    assert hooks.limit_of("maxWidgetStateSize") == 1_000_000
    assert hooks.limit_of("maxMessageSize") == 2_000_000
    assert hooks.largest_upload() == 120 * 1024**2

"""What may strangers do here?"""

import os
from collections.abc import Iterator

from wlm.checking.finding import Finding
from wlm.checking.network import server_settings
from wlm.hosting import hosting, settings

SIZE = "STREAMLIT_SERVER_MAX_UPLOAD_SIZE"
SMALL_MB = 1


def look() -> Iterator[Finding]:
    """List the settings of a server for strangers, and the gaps that they leave.

    Raises SettingError for an invalid setting.
    """
    if not hosting().public:
        found = "every visitor may do everything; set WLM_PUBLIC=1 for a public server"
        yield Finding("strangers", True, found)
        return
    for variable, value, default, about in settings():
        given = "" if value == default else f" (default {_words(default)})"
        yield Finding(variable, True, f"{_words(value)}{given}: {about}")
    if not hosting().uploading:
        size = os.environ.get(SIZE) or server_settings().get("maxUploadSize", 200)
        yield Finding(
            "size of uploads",
            str(size) == str(SMALL_MB),
            f"strangers may send up to {size} MB per file although uploads are off",
            f"set {SIZE}={SMALL_MB}",
        )


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else repr(value) if value else "none"

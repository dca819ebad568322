"""The address that a room's phones open."""

import io
from urllib.parse import urlsplit

import segno
import streamlit as st

from wlm.network import addresses

HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")
QR_SCALE = 12  # pixels per module: sharp on a projector


def audience_address() -> tuple[str, str]:
    """Return this page's address for other machines, and what to do if they cannot reach it. The
    address is the one in the speaker's browser, unless that means this machine itself."""
    seen = urlsplit(st.context.url or "http://localhost/Audience")
    hint = ""
    host = seen.hostname or ""
    if host in HERE:
        if (bound := st.get_option("server.address")) in HERE[:3]:
            hint = (
                f"Phones cannot reach this server, because it listens on {bound} only. Start it "
                "with --server.address=0.0.0.0."
            )
        if found := addresses():
            host = found[0]
            if len(found) > 1:
                hint = hint or f"If this address does not open, try {' or '.join(found[1:3])}."
        else:
            hint = "This machine is not on a network. Join the room's Wi-Fi, or open a hotspot."
    port = f":{seen.port}" if seen.port else ""
    return f"{seen.scheme}://{host}{port}{seen.path}", hint


@st.cache_data(show_spinner=False, max_entries=32)
def qr_code(address: str, code: str) -> bytes:
    """Return the address of a room as the PNG of a QR code, dark on light in either theme."""
    image = io.BytesIO()
    segno.make_qr(f"{address}?room={code}", error="m").save(
        image, kind="png", scale=QR_SCALE, border=3
    )
    return image.getvalue()

"""Who is at the browser."""

import hashlib
import secrets

import streamlit as st

_SALT = secrets.token_bytes(32)  # of this process: nobody can find an address by trying all


def name() -> str:
    """Return who is at the browser, as a name that tells nothing else: it may delete its runs."""
    if "visitor" not in st.session_state:
        # The server's own cookie, random and kept by the browser; without it, until it is closed.
        token = _unmasked(st.context.cookies.get("_streamlit_xsrf", "")) or secrets.token_bytes()
        st.session_state["visitor"] = hashlib.sha256(token).hexdigest()[:32]
    return st.session_state["visitor"]


def address() -> str:
    """Return a word for the network address that the browser comes from, which tells nothing else;
    nothing where it is not known."""
    found = st.context.ip_address
    return hashlib.blake2b(found.encode(), key=_SALT).hexdigest() if found else ""


def _unmasked(cookie: str) -> bytes:
    """What stays the same in the server's cookie, which it masks anew with each answer."""
    try:
        _, mask, masked, _ = cookie.split("|")
        mask, masked = bytes.fromhex(mask), bytes.fromhex(masked)
        return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(masked))
    except (ValueError, ZeroDivisionError):
        return b""

"""Who is at the browser."""

import hashlib
import ipaddress
import logging
import secrets

import streamlit as st

from view.shared.hooks import XSRF_COOKIE

logger = logging.getLogger(__name__)

_SALT = secrets.token_bytes(32)  # of this process: nobody can find an address by trying all


def name() -> str:
    """Return who is at the browser, as a name that tells nothing else: it may delete its runs."""
    if "visitor" not in st.session_state:
        # The server's own cookie, random and kept by the browser; without it, until it is closed.
        cookie = st.context.cookies.get(XSRF_COOKIE, "")
        token = _unmasked(cookie)
        if cookie and not token:  # also if a new version of Streamlit writes another kind
            logger.warning("the cookie %s cannot be read: %d characters", XSRF_COOKIE, len(cookie))
        token = token or secrets.token_bytes()
        st.session_state["visitor"] = hashlib.sha256(token).hexdigest()[:32]
    return st.session_state["visitor"]


def address() -> str:
    """Return a word for the network address that the browser comes from, which tells nothing else;
    nothing if it is not known. IPv6 addresses of one network of 64 bits, such as a household's or
    a server's, are one."""
    found = st.context.ip_address
    return hashlib.blake2b(_network(found).encode(), key=_SALT).hexdigest() if found else ""


def _network(address: str) -> str:
    """Return what all addresses of one visitor share: an IPv4 address or the first half of an IPv6
    one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def _unmasked(cookie: str) -> bytes:
    """Return what stays the same in the server's cookie, which it masks again with each answer;
    nothing if the cookie cannot be read."""
    try:
        _, mask, masked, _ = cookie.split("|")
        mask, masked = bytes.fromhex(mask), bytes.fromhex(masked)
        return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(masked))
    except (ValueError, ZeroDivisionError):  # another kind, not hexadecimal, or no mask
        return b""

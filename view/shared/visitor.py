"""The visitor at the browser, by name and by network address."""

import hashlib
import ipaddress
import logging
import secrets

import streamlit as st

from view.shared.hooks import XSRF_COOKIE

logger = logging.getLogger(__name__)

_SALT = secrets.token_bytes(32)  # new in each process, so nobody can find an address by trying all


def name() -> str:
    """Return a name for the visitor that reveals nothing else. The visitor may delete runs of this
    name."""
    if "visitor" not in st.session_state:
        # The server's own random cookie, which the browser keeps. Without it, the name lasts until
        # the browser is closed.
        cookie = st.context.cookies.get(XSRF_COOKIE, "")
        token = _unmasked(cookie)
        if cookie and not token:  # also if a new version of Streamlit writes the cookie differently
            logger.warning("the cookie %s cannot be read: %d characters", XSRF_COOKIE, len(cookie))
        token = token or secrets.token_bytes()
        st.session_state["visitor"] = hashlib.sha256(token).hexdigest()[:32]
    return st.session_state["visitor"]


def address() -> str:
    """Return the word for this browser's network address; empty if the address is unknown."""
    return network_of(st.context.ip_address or "")


def network_of(address: str) -> str:
    """Return a word for a network address that reveals nothing else; empty for this machine and for
    an unknown address. All IPv6 addresses of one 64-bit network, such as a household's or a
    server's, give the same word."""
    found = _network(address)
    return hashlib.blake2b(found.encode(), key=_SALT).hexdigest() if found else ""


def _network(address: str) -> str:
    """Return the part that all addresses of one visitor share: an IPv4 address, or the first half
    of an IPv6 address. Empty for this machine."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.is_loopback:
        return ""
    if ip.version == 4:
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


def _unmasked(cookie: str) -> bytes:
    """Return the part of the server's cookie that stays the same, since the server masks it again
    with each answer; empty if the cookie cannot be read."""
    try:
        _, mask, masked, _ = cookie.split("|")
        mask, masked = bytes.fromhex(mask), bytes.fromhex(masked)
        return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(masked))
    except (ValueError, ZeroDivisionError):  # another format, not hexadecimal, or no mask
        return b""

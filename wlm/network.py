"""The addresses at which others in the same network may reach this machine."""

import socket

import psutil

# A bridge of containers or virtual machines leads to no other machine.
INNER = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "podman")
SOMEWHERE = ("192.0.2.1", 9)  # an address for documentation: it is looked up, nothing is sent


def addresses() -> list[str]:
    """Return this machine's IPv4 addresses that others may reach: first the address that it uses to
    reach other networks, then its addresses in other networks."""
    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
    ipv4 = [
        found.address
        for name, of_name in psutil.net_if_addrs().items()
        for found in of_name
        if name in up and not name.startswith(INNER) and found.family == socket.AF_INET
    ]
    outward = _outward()
    others = [address for address in ipv4 if not address.startswith("127.")]
    return sorted(others, key=lambda address: (address != outward, address.startswith("169.254.")))


def _outward() -> str:
    """Return the address that this machine would use to reach another network; nothing without a
    route."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(SOMEWHERE)
            return probe.getsockname()[0]
    except OSError:
        return ""

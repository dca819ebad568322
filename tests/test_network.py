"""Where others may reach this machine."""

import errno
import socket
from types import SimpleNamespace

import psutil
import pytest

from wlm import network


@pytest.fixture
def networks(monkeypatch) -> None:
    """A machine in a Wi-Fi, with a cable, a bridge of containers and a network that is down."""
    found = {
        "lo": "127.0.0.1",
        "docker0": "172.17.0.1",
        "eth0": "169.254.3.4",
        "tun0": "10.8.0.2",
        "wlan0": "192.168.1.7",
        "eth1": "10.0.0.9",
    }
    monkeypatch.setattr(
        psutil,
        "net_if_addrs",
        lambda: {
            name: [SimpleNamespace(family=socket.AF_INET, address=address)]
            for name, address in found.items()
        },
    )
    monkeypatch.setattr(
        psutil,
        "net_if_stats",
        lambda: {name: SimpleNamespace(isup=name != "eth1") for name in found},
    )


def test_the_address_by_which_one_leaves_comes_first_and_bridges_lead_to_nobody(
    networks, monkeypatch
):
    monkeypatch.setattr(network, "_outward", lambda: "192.168.1.7")
    assert network.addresses() == ["192.168.1.7", "10.8.0.2", "169.254.3.4"]


def test_without_a_route_the_rooms_network_is_still_found(networks, monkeypatch):
    def connect(_self, _address) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert network.addresses() == ["10.8.0.2", "192.168.1.7", "169.254.3.4"]

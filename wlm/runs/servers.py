"""Servers by name, so that one process can tell whether another lives."""

import socket

import psutil


def this_server() -> str:
    """Name this process so that it can be told dead from alive: host, process id, start time."""
    process = psutil.Process()
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.2f}"


def is_dead(server: str) -> bool:
    """Tell whether a server of this host has ended; False for servers of other hosts."""
    host, _, process = server.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        found = psutil.Process(int(process))
        if found.status() == psutil.STATUS_ZOMBIE:  # killed, and nobody has asked how it ended
            return True
        started = found.create_time()
    except (psutil.Error, ValueError):
        return True
    return f"{started:.2f}" != server.rpartition(":")[2]

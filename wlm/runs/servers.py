"""The names of servers, which let one process tell whether another is alive."""

import socket

import psutil


def this_server() -> str:
    """Return a name by which others can check if this process is alive: host, id, start time."""
    process = psutil.Process()
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.2f}"


def is_dead(server: str) -> bool:
    """Tell whether a server of this host has ended; False for servers of other hosts."""
    host, _, process = server.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        found = psutil.Process(int(process))
        # A zombie was killed, and its parent has not yet asked how it ended.
        if found.status() == psutil.STATUS_ZOMBIE:
            return True
        started = found.create_time()
    except (psutil.Error, ValueError):
        return True
    return f"{started:.2f}" != server.rpartition(":")[2]

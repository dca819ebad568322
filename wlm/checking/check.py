"""All checks, one after the other."""

from collections.abc import Iterator
from itertools import chain

from wlm.checking import catalog, engines, machine, network, runs, strangers
from wlm.checking.finding import Finding, found_by


def check(port: int | None = None, *, quick: bool = False, warm: bool = False) -> Iterator[Finding]:
    """Check this machine. `quick` skips the checks that take more than a few seconds: engines and
    worker. `warm` first makes the files that the first visitors would wait for."""
    yield from found_by("packages", machine.look_at_packages)
    if warm:
        yield from found_by("warming up", engines.warm)
    looks = {
        "models": catalog.look,
        "store of runs": runs.look_at_store,
        "folders": machine.look_at_folders,
        "network": lambda: network.look(port),
        "strangers": strangers.look,
    }
    if not quick:
        looks |= {"engines": engines.look, "worker": runs.look_at_worker}
    yield from chain.from_iterable(found_by(what, look) for what, look in looks.items())

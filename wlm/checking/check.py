"""All checks, one after the other."""

from collections.abc import Iterator
from itertools import chain

from wlm.checking import catalog, engines, installed, machine, network, pages, runs, strangers
from wlm.checking.finding import Finding, found_by


def check(port: int | None = None, *, quick: bool = False, warm: bool = False) -> Iterator[Finding]:
    """Check this machine; `quick` leaves out what takes more than a few seconds: engines, worker
    and pages. `warm` first makes and keeps the files that the first ones to ask would wait for."""
    yield from found_by("packages", installed.look)
    if warm:
        yield from found_by("warming up", engines.warm)
    drawing = None if quick else pages.start()
    try:
        looks = {
            "models": catalog.look,
            "store of runs": runs.look_at_store,
            "folders": machine.look,
            "network": lambda: network.look(port),
            "strangers": strangers.look,
        }
        if not quick:
            looks |= {"engines": engines.look, "worker": runs.look_at_worker}
        yield from chain.from_iterable(found_by(what, look) for what, look in looks.items())
        if drawing:
            yield from found_by("pages", lambda: pages.look(drawing))
    finally:
        if drawing:
            drawing.kill()
            drawing.wait()

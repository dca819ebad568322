"""A running server asked how it is: `python -m view.probing.ask ADDRESS` prints it as JSON."""

import asyncio
import json
import sys

from view.probing.visitor import visit
from view.shared.runs import WORKER_AWAY, WORKER_HERE


async def ask(address: str) -> dict:
    """Return in how many seconds the page Runs came, what it said of errors, and its words on the
    worker, with whether that is well."""
    async with visit(address) as visitor:
        seconds = await visitor.open("Runs")
        lines = [each for each in visitor.words if each.startswith((WORKER_HERE, WORKER_AWAY))]
        line = lines[0] if lines else ""
        return {
            "seconds": seconds,
            "problems": visitor.problems,
            "worker": line.removeprefix(WORKER_HERE).removeprefix(WORKER_AWAY).strip(),
            "well": line.startswith(WORKER_HERE),
        }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(sys.argv[1]))))

"""Which tests run in the same process, if several processes share the tests."""

import re
from collections.abc import Sequence

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

FOLDER = "tests/browser/"  # the files of each half share one server and one Chromium
SECOND_HALF = "test_m"  # the first name in it: each half takes about as long


class Together(LoadFileScheduling):
    """Run the tests of a file in one process, and half of the tests in a browser in one process.

    LoadFileScheduling takes the file from the part of a test's id before `::`. This class gives
    tests in a browser an id whose part before `::` is their folder and half. Marks for groups do
    not work: pytest-xdist 3.8 writes the group into an attribute that pytest 9.2 does not read.
    """

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Add the ids of the tests that a process has collected."""
        super().add_node_collection(node, [_grouped(test) for test in collection])

    def remove_node(self, node: WorkerController) -> str | None:
        """Return the id of the test that ran when a process ended, or None."""
        crashed = super().remove_node(node)
        return None if crashed is None else re.sub(f"^{FOLDER}[12]::", FOLDER, crashed)


def _grouped(test: str) -> str:
    """Return a test's id with its group before `::`."""
    if not test.startswith(FOLDER):
        return test
    name = test.removeprefix(FOLDER)
    return f"{FOLDER}{2 if name >= SECOND_HALF else 1}::{name}"

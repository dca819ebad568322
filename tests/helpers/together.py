"""Which tests run in the same process, if several processes share the tests."""

from collections.abc import Sequence

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

FOLDER = "tests/browser/"  # its files share one server and one Chromium


class Together(LoadFileScheduling):
    """Run the tests of a file in one process, and all tests in a browser in one process.

    LoadFileScheduling takes the file from the part of a test's id before `::`. This class gives
    tests in a browser an id whose part before `::` is their folder. Marks for groups do not work:
    pytest-xdist 3.8 writes the group into an attribute that pytest 9.2 does not read.
    """

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Add the ids of the tests that a process has collected."""
        super().add_node_collection(node, [_grouped(test) for test in collection])

    def remove_node(self, node: WorkerController) -> str | None:
        """Return the id of the test that ran when a process ended, or None."""
        crashed = super().remove_node(node)
        return None if crashed is None else crashed.replace(f"{FOLDER}::", FOLDER)


def _grouped(test: str) -> str:
    """Return a test's id with its group before `::`."""
    return test.replace(FOLDER, f"{FOLDER}::", 1) if test.startswith(FOLDER) else test

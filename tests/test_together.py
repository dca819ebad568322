"""How several processes share the tests."""

from types import SimpleNamespace

import pytest

pytest.importorskip("xdist")


class Process:
    """Stand for a process of pytest-xdist and record the tests it gets."""

    shutting_down = False

    def __init__(self, name: str):
        self.gateway, self.given = SimpleNamespace(id=name), []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def test_a_process_has_all_tests_of_a_file_and_half_of_those_in_a_browser(pytestconfig):
    tests = [
        "tests/browser/test_a.py::test_1",
        "tests/browser/test_a.py::test_2[a/b::c@d]",
        "tests/runs/test_b.py::test_1",
        "tests/runs/test_b.py::test_2",
        "tests/browser/test_c.py::test_1",
        "tests/runs/test_b.py::test_3[x]",
        "tests/browser/test_z.py::test_1",
    ]
    three = SimpleNamespace(
        getvalue=lambda _: ["popen"] * 3, option=SimpleNamespace(loadscopereorder=False)
    )
    scheduler = pytestconfig.hook.pytest_xdist_make_scheduler(config=three, log=None)
    processes = [Process("first"), Process("second"), Process("third")]
    for process in processes:
        scheduler.add_node(process)
        scheduler.add_node_collection(process, tests)
    scheduler.schedule()
    assert [process.given for process in processes] == [[0, 1, 4], [2, 3, 5], [6]]
    assert scheduler.remove_node(processes[0]) == tests[0]

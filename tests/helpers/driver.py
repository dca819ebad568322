"""Pages driven by Streamlit's own test runner, and a queue that leaves runs waiting."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from helpers.waiting import PATIENCE
from wlm.measuring.comparison import CompareSpec
from wlm.runs.queue import JobQueue
from wlm.runs.recent import RecentRuns
from wlm.runs.run import Run
from wlm.runs.store import RunStore

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "streamlit_app.py", *sorted((ROOT / "pages").glob("*.py"))]


class IdleQueue:
    """A queue without a worker process: submitted runs wait."""

    def __init__(self, store: RunStore):
        self.store, self.stopped, self.ready = store, [], []

    @property
    def recent(self) -> RecentRuns:
        """Return the runs from the store, without a cache."""
        return RecentRuns(self.store)

    def submit(self, spec: CompareSpec, visitor: str = "") -> str:
        run = Run(spec.kind, spec.to_json(), visitor=visitor)
        self.store.create(run)
        return run.id

    def prefetch(self, spec: CompareSpec) -> None:
        self.ready.append(spec)

    def stop(self, run_id: str, visitor: str = "") -> None:
        self.stopped.append(run_id)

    def may_stop(self, run: Run, visitor: str) -> bool:
        return JobQueue.may_stop(run, visitor)

    def add_imported(self, run: Run) -> None:
        JobQueue.add_imported(self, run)

    def worker(self) -> tuple[bool, str]:
        return True, "Worker: ready."

    def ahead_of(self, run_id: str) -> tuple[int, float]:
        return 2, 40.0


def open_page(path: Path = PAGES[0], **query: str) -> AppTest:
    page = AppTest.from_file(PAGES[0], default_timeout=PATIENCE)
    if path != PAGES[0]:
        page.switch_page(path.relative_to(ROOT).as_posix())
    for key, value in {"model": "tiny", **query}.items():
        page.query_params[key] = value
    return page.run()


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()

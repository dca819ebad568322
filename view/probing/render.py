"""Every page drawn once, without a server: `python -m view.probing.render` prints what went wrong,
a line of JSON a page."""

import json
import os
import tempfile
import time

from streamlit.testing.v1 import AppTest

from view.shared.page import MENU
from wlm.errors import first_line
from wlm.paths import ROOT

PATIENCE = 60.0  # seconds until a page is given up


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="wlm-check-") as folder:
        # A store of its own: nothing that is done here is seen by visitors.
        os.environ["WLM_DATABASE_URL"] = f"sqlite:///{folder}/runs.sqlite"
        for title, (path, _) in MENU.items():
            start = time.perf_counter()
            problems = draw(path)
            seconds = time.perf_counter() - start
            line = {"page": title, "seconds": seconds, "problems": problems}
            print(json.dumps(line), flush=True)


def draw(path: str) -> list[str]:
    """Draw a page of the menu and return what it says of errors."""
    first, _ = MENU["Compare"]
    page = AppTest.from_file(ROOT / first, default_timeout=PATIENCE)
    if path != first:
        page.switch_page(path)
    try:
        page.run()
    except (RuntimeError, OSError) as error:
        return [first_line(error)]
    return [each.message for each in page.exception] + [each.value for each in page.error]


if __name__ == "__main__":
    main()

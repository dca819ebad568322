"""The frame of every page."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_what_pages_draw_with_is_whole_before_any_of_them_draws():
    """Of several that load it at once, all but one would find half of it."""
    script = "import sys, view.shared.page; print(hasattr(sys.modules.get('pandas'), 'Timestamp'))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"

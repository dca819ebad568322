"""The version is the same wherever wlm shows it."""

import pytest

from helpers.command_line import run_json
from helpers.driver import PAGES, open_page
from wlm import __version__
from wlm.cli.main import main


def test_command_line_runs_and_pages_show_one_version(capsys, queue, result):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__ == "1.0.0"
    assert run_json(capsys, "info")["version"] == __version__
    assert result["machine"]["wlm"] == __version__
    page = open_page(PAGES[0])
    assert f"wlm {__version__}" in [caption.value for caption in page.sidebar.caption]

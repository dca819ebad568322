"""The tree in CONTRIBUTING is the project's."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WLM, CONTRIBUTING = ROOT / "wlm", (ROOT / "CONTRIBUTING.md").read_text("utf-8")
INITS = [path for name in ("wlm", "view") for path in (ROOT / name).rglob("__init__.py")]
PACKAGES = sorted(path.parent for path in INITS)
MOST_LINES = 320  # a longer file most likely has two nouns


def test_the_tree_names_every_package_and_every_file_next_to_them():
    packages = {path.parent.name for path in WLM.glob("*/__init__.py")}
    assert set(re.findall(r"^├── (\w+)/ ", CONTRIBUTING, flags=re.M)) == packages
    (listed,) = re.findall(r"^└── ([\w,\s]+):", CONTRIBUTING, flags=re.M)
    files = {path.stem for path in WLM.glob("*.py") if not path.stem.startswith("__")}
    assert set(re.split(r",\s+", listed)) == files


def test_the_files_that_contributing_names_are_there():
    for path in re.findall(r"`((?:runs|measuring|catalog|quantization)/\w+\.py)`", CONTRIBUTING):
        assert (WLM / path).is_file(), path
    for path in re.findall(r"`((?:wlm|view|tests)/[\w/]+\.py)`", CONTRIBUTING):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_package_says_what_lives_in_it_and_nothing_else(package):
    tree = ast.parse((package / "__init__.py").read_text("utf-8"))
    assert ast.get_docstring(tree)
    if package != WLM:  # which alone has public names
        assert len(tree.body) == 1


def test_files_are_short_and_pages_only_compose():
    for path in [*WLM.rglob("*.py"), *(ROOT / "view").rglob("*.py")]:
        assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES, path
    for path in [ROOT / "streamlit_app.py", *(ROOT / "pages").glob("*.py")]:
        assert len(path.read_text("utf-8").splitlines()) <= 60, path


def test_no_two_test_files_have_one_name():
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []

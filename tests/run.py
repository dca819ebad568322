"""Set up everything the tests need, and run them: `python3 tests/run.py [pytest options]`.

Makes .venv beside this folder, installs requirements-dev.txt into it, and finds a browser: one on
the PATH, else Debian's package where we are root, else Playwright's own download. Where none can
be had the browser tests are skipped with the reason; with CI=true that fails. Standard library
only: this runs before anything is installed.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DEBIAN_PACKAGES = ("chromium", "fonts-liberation", "fonts-noto-color-emoji")


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036, this runs before any version is checked
        print(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    install = [PYTHON, "-m", "pip", "install", "-q", "-r", ROOT / "requirements-dev.txt"]
    subprocess.run(install, check=True)
    browser = find_browser()
    print(f"browser: {browser or 'none, the browser tests are skipped'}", flush=True)
    if browser is None and os.environ.get("CI"):
        print("CI must have a browser", file=sys.stderr)
        return 1
    environment = {**os.environ, "WLM_BROWSER": browser or ""}
    checks = [
        [PYTHON, "-m", "ruff", "check", ROOT],
        [PYTHON, "-m", "ruff", "format", "--check", ROOT],
        [PYTHON, "-m", "pytest", *sys.argv[1:]],
    ]
    codes = [subprocess.run(check, cwd=ROOT, env=environment).returncode for check in checks]
    return max(codes)


def find_browser() -> str | None:
    """Return the path of a Chromium, installing one if there is none."""
    if found := on_path():
        return found
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        print("no browser on the PATH: installing Debian's package", flush=True)
        apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
        subprocess.run([*apt, "update"], check=False)
        packages = ["install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES]
        subprocess.run([*apt, *packages], check=False, stdout=subprocess.DEVNULL)
        if found := on_path():
            return found
    print("no browser on the PATH: trying Playwright's own download", flush=True)
    subprocess.run([PYTHON, "-m", "playwright", "install", "chromium"], check=False)
    ask = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    answer = subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def on_path() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


if __name__ == "__main__":
    sys.exit(main())

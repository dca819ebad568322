"""Set up everything the tests need, and run them.

    python3 tests/run.py [--quick | --latest] [pytest options]

Makes .venv next to this folder and installs requirements-dev.txt into it. Finds a browser: on the
PATH, else Debian's package for root, else Playwright's download. Finds PostgreSQL and nginx, else
installs Debian's packages for root. If one is missing, its tests are skipped with the reason; with
CI=true the run fails.

`--quick` runs the linter and the tests that need no browser, no big model and little time.
`--latest` runs the quick tests in .venv-latest with the newest versions of all packages but torch.
Without pytest options, all CPUs share the tests, and the ten slowest tests are listed.
Standard library only: this runs before anything is installed.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LATEST = ROOT / ".venv-latest"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
REQUIREMENTS = ("requirements-dev.txt", "requirements.txt")
INSTALLED = VENV / "installed"  # the hash of the requirements that were installed last
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DEBIAN_PACKAGES = ("chromium", "fonts-liberation", "fonts-noto-color-emoji")
SERVERS = {"initdb": "postgresql", "nginx": "nginx-light"}  # Debian's packages by program
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/sbin",
)  # folders of programs that may not be on the PATH
MOST_PROCESSES = 4  # each loads PyTorch and may start a server and a browser


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036, this runs before any version is checked
        print(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    options = sys.argv[1:]
    if "--latest" in options:
        options.remove("--latest")
        return run_latest(options)
    if quick := "--quick" in options:
        options.remove("--quick")
    install()
    browser = None if quick else find_browser()
    if not quick:
        print(f"browser: {browser or 'none, the browser tests are skipped'}", flush=True)
        if browser is None and os.environ.get("CI"):
            print("CI must have a browser", file=sys.stderr)
            return 1
        if missing := find_servers():
            print(f"skipping the tests that need: {', '.join(missing)}", flush=True)
            if os.environ.get("CI"):
                print("CI must have them", file=sys.stderr)
                return 1
    lint = [
        step("lint: ruff check", [PYTHON, "-m", "ruff", "check", ROOT]),
        step("lint: ruff format", [PYTHON, "-m", "ruff", "format", "--check", ROOT]),
        step("lint: imports", [BIN / "lint-imports", "--no-cache"]),
    ]
    command = pytest_command(PYTHON, quick, options)
    return max(*lint, step("tests", command, WLM_BROWSER=browser or ""))


def pytest_command(python: Path, quick: bool, options: list[str]) -> list:
    """Return the command that runs the tests, in several processes if there are no options."""
    command = [python, "-m", "pytest", *(["-m", "not slow"] if quick else []), *options]
    if not options:
        # One more than CPUs for all tests: some tests wait for a server or a worker.
        processes = min((os.cpu_count() or 1) + (not quick), MOST_PROCESSES)
        command += ["--numprocesses", str(processes), "--dist", "loadfile"]
        # In the order of tests/conftest.py, not by the number of tests: the longest files have few.
        command += ["--no-loadscope-reorder", "--durations", "10"]
    return command


def run_latest(options: list[str]) -> int:
    """Install the newest versions into .venv-latest, run the quick tests there, and print the
    versions that are newer than the pinned ones."""
    python = LATEST / PYTHON.relative_to(VENV)
    if not python.exists():
        print(f"making {LATEST} …", flush=True)
        venv.create(LATEST, with_pip=True)
    pins = requirement_lines()
    install = [python, "-m", "pip", "install", "-q", "--upgrade", *map(without_pin, pins)]
    if step("installing the newest versions", install):
        return 1
    tests = step("tests", pytest_command(python, True, options))
    names = [re.split(r"[=\[]", pin)[0] for pin in pins]
    ask = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
    answer = subprocess.run([python, "-c", ask, *names], capture_output=True, text=True, check=True)
    newest = [version.partition("+")[0] for version in answer.stdout.split()]  # without +cpu
    changed = [
        f"{pin.partition('==')[0]}=={version}"
        for pin, version in zip(pins, newest, strict=True)
        if pin.partition("==")[2] != version
    ]
    print("versions to pin if the tests passed:", *(changed or ["none, all pins are the newest"]))
    return tests


def requirement_lines() -> list[str]:
    """Return the requirements of the app and of the tests, one per line."""
    lines = [line for name in REQUIREMENTS for line in (ROOT / name).read_text().splitlines()]
    return [line for line in map(str.strip, lines) if line and not line.startswith(("-", "#"))]


def without_pin(requirement: str) -> str:
    """Return a requirement that allows every version. torch stays pinned: the bundled results and
    the private parts of PyTorch that wlm reads belong to one version."""
    name = requirement.partition("==")[0]
    return requirement if name == "torch" else name


def install() -> None:
    """Install the requirements unless they are installed."""
    if not PYTHON.exists():
        print(f"making {VENV} …", flush=True)
        venv.create(VENV, with_pip=True)
    content = b"".join((ROOT / name).read_bytes() for name in REQUIREMENTS)
    wanted = hashlib.sha256(content).hexdigest()
    if INSTALLED.exists() and INSTALLED.read_text() == wanted:
        print(f"already installed: {REQUIREMENTS[0]}", flush=True)
        return
    INSTALLED.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pip", "install", "-q", "-r", ROOT / REQUIREMENTS[0]]
    if step(f"installing {REQUIREMENTS[0]}", command):
        sys.exit(1)
    INSTALLED.write_text(wanted)


def step(what: str, command: list, **variables: str) -> int:
    """Print the step, run its command, print how long it took, and return the exit code."""
    print(f"{what} …", flush=True)
    started = time.monotonic()
    environment = {**os.environ, **variables}
    # Otherwise every process that the tests start would compile the whole project again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    code = subprocess.run(command, cwd=ROOT, env=environment).returncode
    outcome = "done" if code == 0 else f"failed with exit code {code}"
    print(f"{what}: {outcome} after {time.monotonic() - started:.0f} s", flush=True)
    return code


def find_browser() -> str | None:
    """Return the path of a Chromium, installing one if there is none."""
    if found := on_path():
        return found
    if may_install():
        print("no browser on the PATH: installing Debian's package …", flush=True)
        apt_install(*DEBIAN_PACKAGES)
        if found := on_path():
            return found
    print("no browser on the PATH: trying Playwright's own download …", flush=True)
    subprocess.run([PYTHON, "-m", "playwright", "install", "chromium"], check=False)
    ask = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as playwright: print(playwright.chromium.executable_path)"
    )
    answer = subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def find_servers() -> list[str]:
    """Install PostgreSQL and nginx if they are missing, and return those that still are."""

    def missing() -> list[str]:
        return [name for name in SERVERS if not is_there(name)]

    if missing() and may_install():
        packages = [SERVERS[name] for name in missing()]
        print(f"installing Debian's {' and '.join(packages)} …", flush=True)
        apt_install(*packages)
    return missing()


def is_there(program: str) -> bool:
    folders = [path for place in PLACES for path in Path("/").glob(place[1:])]
    return bool(shutil.which(program)) or any((path / program).exists() for path in folders)


def may_install() -> bool:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return is_root and shutil.which("apt-get") is not None


def apt_install(*packages: str) -> None:
    """Install Debian's packages without starting their services."""
    apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    subprocess.run([*apt, "update"], check=False)
    command = [*apt, "install", "-y", "--no-install-recommends", *packages]
    quiet = {"RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
    environment = {**os.environ, **quiet}
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=environment)


def on_path() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


if __name__ == "__main__":
    sys.exit(main())

"""Set up everything the app needs, and start it.

    python3 start.py [--offline] [options of streamlit run]

Makes .venv next to this file. Installs requirements.txt into it unless it is installed.
Checks what the app needs. Starts `streamlit run streamlit_app.py` with the other options, such as
`--server.port 8600`; a browser opens if there is one. On Linux, PyTorch comes from its own index of
small CPU builds if that index answers within two seconds. `--offline` installs nothing.
Standard library only: this runs before anything is installed, on any Python.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
REQUIREMENTS = "requirements.txt"
INSTALLED = VENV / "installed-app"  # the hash of the requirements last installed
TESTS_INSTALLED = VENV / "installed"  # the same hash by tests/run.py, which also installs these
TESTS_REQUIREMENTS = ("requirements-dev.txt", REQUIREMENTS)
OLDEST = (3, 11)
NEEDED_GB = 3  # for the CPU build; PyPI's build for Linux takes about three times as much
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
INDEX_SECONDS = 2.0
PIP_INDEXES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX")


class NotReady(Exception):  # noqa: N818, this is a message for people
    """The reason why the app cannot be set up, and the next step."""


def main(options):
    try:
        check_python()
        offline = "--offline" in options
        install(offline)
    except NotReady as reason:
        print(f"start.py: {reason}", file=sys.stderr)
        return 1
    options = [option for option in options if option != "--offline"]
    check = [PYTHON, "-m", "wlm", "check", "--quick", *port_of(options)]
    if subprocess.run(list(map(str, check)), cwd=ROOT, check=False).returncode:
        print("Some checks failed, see ✗ above. Starting anyway.", flush=True)
    command = list(map(str, [PYTHON, "-m", "streamlit", "run", "streamlit_app.py", *options]))
    os.chdir(ROOT)
    if os.name == "nt":  # where exec would end before the app does
        return subprocess.run(command, check=False).returncode
    os.execv(command[0], command)


def check_python():
    """Raise NotReady unless this Python is new enough and can make an environment."""
    if sys.version_info[:2] < OLDEST:
        raise NotReady(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is "
            f"{platform.python_version()}. Start it with a newer Python: python3.12 start.py"
        )
    if not PYTHON.exists() and not all(map(importlib.util.find_spec, ("venv", "ensurepip"))):
        raise NotReady(
            "this Python cannot make an environment: its modules venv or ensurepip are missing. On "
            "Debian and Ubuntu: apt install python3-venv. Or install requirements.txt into an "
            "environment that you make, and run streamlit run streamlit_app.py"
        )


def install(offline=False):
    """Make the environment and install the requirements, unless that is done. Raises NotReady."""
    if is_installed():
        print(f"already installed: {REQUIREMENTS}", flush=True)
        return
    if offline:
        raise NotReady(
            f"--offline installs nothing, and {REQUIREMENTS} is not installed in {VENV}. Run it "
            "once with a network"
        )
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < NEEDED_GB:
        raise NotReady(f"about {NEEDED_GB} GB are needed in {ROOT}, and {free:.1f} are free")
    if not PYTHON.exists():
        print(f"making {VENV} …", flush=True)
        run([sys.executable, "-m", "venv", VENV], f"the environment {VENV} was not made")
    index = cpu_index()
    where = f", PyTorch from {CPU_INDEX}" if index else ""
    print(f"installing {REQUIREMENTS}{where}, which takes a few minutes …", flush=True)
    run(
        [PYTHON, "-m", "pip", "install", "-q", "-r", ROOT / REQUIREMENTS, *index],
        f"pip did not install {REQUIREMENTS}: see its output above. Without a network give "
        "pip another source (PIP_INDEX_URL, or PIP_NO_INDEX=1 and PIP_FIND_LINKS=a folder of "
        "wheels); with a network, run it again: finished downloads are kept",
    )
    INSTALLED.write_text(hash_of(REQUIREMENTS))


def is_installed():
    """Tell whether this program or tests/run.py has installed these requirements."""
    for mark, names in ((INSTALLED, (REQUIREMENTS,)), (TESTS_INSTALLED, TESTS_REQUIREMENTS)):
        if PYTHON.exists() and mark.exists() and mark.read_text() == hash_of(*names):
            return True
    return False


def hash_of(*names):
    """Return a hash of the content of files of the project."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in names)).hexdigest()


def cpu_index():
    """Return pip's options for PyTorch's small builds on Linux. Return none on other systems,
    if the user chose an index, or if PyTorch's index does not answer in time."""
    if platform.system() != "Linux" or any(map(os.environ.get, PIP_INDEXES)):
        return []
    try:
        with urllib.request.urlopen(CPU_INDEX + "/torch/", timeout=INDEX_SECONDS):
            return ["--extra-index-url", CPU_INDEX]
    except (OSError, ValueError):
        return []


def run(command, otherwise):
    """Run a command. Raises NotReady with the words for its failure."""
    if subprocess.run(list(map(str, command)), cwd=ROOT, check=False).returncode:
        raise NotReady(otherwise)


def port_of(options):
    """Return the option of the check for the port in Streamlit's options, if there is one."""
    text = " ".join(options).replace("=", " ").split()
    given = [text[i + 1] for i, option in enumerate(text[:-1]) if option == "--server.port"]
    return ["--port", given[-1]] if given and given[-1].isdigit() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

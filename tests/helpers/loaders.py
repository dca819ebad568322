"""An export's load.py, run in the tests' process."""

import io
import runpy
import subprocess
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import torch


def run_here(folder: Path) -> subprocess.CompletedProcess:
    """Run a folder's load.py as a separate process would, and leave PyTorch as it was."""
    script, printed = str(folder / "load.py"), io.StringIO()
    engine = torch.backends.quantized.engine
    try:
        with (
            redirect_stdout(printed),
            torch.random.fork_rng(devices=[]),
            warnings.catch_warnings(action="ignore"),
        ):
            runpy.run_path(script, run_name="__main__")
    finally:
        torch.backends.quantized.engine = engine
    return subprocess.CompletedProcess(script, 0, printed.getvalue(), "")

"""The script shown for a variant: it runs as it is, and makes what the library makes."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from wlm.model.lstm import LSTMModel
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.printout import printout
from wlm.quantization.snippet import code_for
from wlm.quantization.variant import OFFERED, Variant
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import load_checkpoint, save_checkpoint

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

HERE = [name for name in OFFERED if not why_unavailable(Variant.parse(name))]
# Runs each script of a file as its own program; one process, as loading PyTorch takes seconds.
RUN_ALL = """
import contextlib, io, json, sys
import torch
printed, engine = {}, torch.backends.quantized.engine
for name, code in json.load(open(sys.argv[1])).items():
    torch.backends.quantized.engine = engine
    torch.manual_seed(1)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, name, "exec"), {"__name__": "__main__"})
    printed[name] = out.getvalue().splitlines()
print(json.dumps(printed))
"""


@pytest.fixture(scope="module")
def sizeable_folder(tmp_path_factory) -> Path:
    """A model whose variants differ in size by more than the 0.1 MB that the code prints."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = LSTMModel(2_000, 64, 128, 1)
    folder = tmp_path_factory.mktemp("script") / "sizeable"
    save_checkpoint(folder, model, Vocabulary(f"w{i}" for i in range(2_000)))
    return folder


@pytest.fixture(scope="module")
def printed(sizeable_folder, tmp_path_factory) -> dict[str, list[str]]:
    """What the script of each variant that runs here prints."""
    # Not in the project's root: they write files, and tests may run at the same time.
    folder = tmp_path_factory.mktemp("cwd")
    scripts = {name: code_for(Variant.parse(name), str(sizeable_folder)) for name in HERE}
    (folder / "scripts.json").write_text(json.dumps(scripts), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, "scripts.json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in folder.iterdir()] == ["scripts.json"]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", HERE)
def test_the_code_shown_makes_the_variant(printed, sizeable_folder, name):
    variant, model = Variant.parse(name), load_checkpoint(sizeable_folder).model
    made = prepare(model, variant)
    megabytes = f"{made.saved_bytes / 1e6:.1f} MB"
    if variant.runtime == "pytorch":
        *shown, fp32_size, size = printed[name]
        assert "\n".join(shown) == printout(model.config, variant)
        assert fp32_size == f"{prepare(model, Variant()).saved_bytes / 1e6:.1f} MB"
        assert size == megabytes
    else:
        *sizes, shape = printed[name]
        assert shape == "(3, 2, 2000)"
        fp32 = prepare(model, Variant(runtime="onnxruntime"))
        expected = dict.fromkeys([f"{fp32.saved_bytes / 1e6:.1f} MB", megabytes])
        assert sizes == list(expected)


@pytest.mark.parametrize("name", OFFERED)
def test_the_code_shown_sets_the_variants_engine(name):
    engine = Variant.parse(name).engine
    code = code_for(Variant.parse(name), "folder")
    assert (f'torch.backends.quantized.engine = "{engine}"' in code) == bool(engine)


@pytest.mark.parametrize("name", ["int8", "onnxruntime:lstm=int8"])
@pytest.mark.parametrize("folder", ['models/a "new" one\'s', "C:\\new\\u0041", "東京 🙂"])
def test_the_code_shown_names_any_folder(folder, name):
    tree = ast.parse(code_for(Variant.parse(name), folder))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    (load,) = (call for call in calls if ast.unparse(call.func) == "load_checkpoint")
    assert ast.literal_eval(load.args[0]) == folder

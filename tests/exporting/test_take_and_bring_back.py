"""A variant taken away runs without wlm and comes back as what it is, with the same loss."""

import copy
import json
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.tiny import WORDS
from wlm.errors import CheckpointError, VariantError, WLMError
from wlm.exporting import export as exporting
from wlm.exporting.export import CHECK_TOKENS, export
from wlm.exporting.formats import FILES, comes_back, formats_of
from wlm.files import sha256_of
from wlm.measuring.evaluate import evaluate
from wlm.quantization.prepare import prepare, why_unavailable
from wlm.quantization.variant import OFFERED, Variant
from wlm.text.corpus import batchify, read_text
from wlm.text.vocabulary import Vocabulary
from wlm.weights.checkpoint import Checkpoint, load_checkpoint

pytestmark = pytest.mark.slow

CARD_FILES = {"vocab.txt", "card.json", "check.txt", "load.py", "README.md", "LICENSE.txt"}
INT8_ALL = "onnxruntime:lstm=int8,linear=int8,embedding=int8"
NAMES = (  # those last that set an engine: one process runs all loaders in turn
    "pytorch:linear=bf16",
    "pytorch:lstm=int8,linear=bf16,embedding=bf16",
    "pytorch:lstm=bf16,linear=int8-channel",
    *OFFERED,
)
VARIANTS = [variant for variant in map(Variant.parse, NAMES) if not why_unavailable(variant)]
FORMATS = [(variant, format) for variant in VARIANTS for format in formats_of(variant)]
BACK = [pair for pair in FORMATS if comes_back(*pair)]
NOT_BACK = [pair for pair in FORMATS if not comes_back(*pair)]


@pytest.fixture
def tiny(model, vocabulary) -> Checkpoint:
    return Checkpoint("tiny", model, vocabulary, {"licence": "CC0"}, "f00")


def loss_of(folder_or_file, variant, text, **options) -> float:
    loaded = load_checkpoint(folder_or_file, **options)
    ids = batchify(read_text(text, loaded.vocabulary).ids, 1)
    return evaluate(prepare(loaded.model, variant), ids).loss


def test_an_export_holds_what_one_needs_and_its_card_tells_the_truth(
    tmp_path, tiny, separate_processes
):
    made = export(tiny, Variant.parse("int8"), tmp_path / "out")
    folder = tmp_path / "out"
    assert {path.name for path in folder.iterdir()} == CARD_FILES | {"model.pt"}
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert card["sha256"] == made.sha256 == sha256_of(folder / "model.pt")
    assert card["size_bytes"] == made.size_bytes == (folder / "model.pt").stat().st_size
    assert (card["variant"], card["name"], card["weights_sha256"]) == ("int8", "tiny", "f00")
    assert card["check"]["loss"] == made.loss and made.tokens == CHECK_TOKENS
    assert "CC0" in (folder / "LICENSE.txt").read_text("utf-8")
    assert f"{made.loss:.6f}" in (folder / "README.md").read_text("utf-8")
    words = (folder / "check.txt").read_text("utf-8").split()
    ids = batchify(tiny.vocabulary.encode(words), 1)
    assert evaluate(prepare(tiny.model, Variant.parse("int8")), ids).loss == made.loss


# Runs the scripts of the folders that are named, each in its own; prints a list of what they print.
RUN_LOADERS = """
import contextlib, io, json, os, runpy, sys

printed = []
for folder in sys.argv[1:]:
    os.chdir(folder)
    sys.argv = ["load.py"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path("load.py", run_name="__main__")
    printed.append(out.getvalue())
assert not [name for name in sys.modules if name.partition(".")[0] == "wlm"]
print(json.dumps(printed))
"""


def test_loaders_run_without_wlm_and_print_the_losses_on_their_cards(tmp_path, tiny):
    made = {
        (variant, format): export(tiny, variant, tmp_path / str(i), format)
        for i, (variant, format) in enumerate(FORMATS)
    }
    # Isolated: neither the current folder nor PYTHONPATH is where modules are looked for.
    command = [sys.executable, "-I", "-c", RUN_LOADERS, *(export.path for export in made.values())]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for ((variant, format), written), words in zip(
        made.items(), json.loads(done.stdout), strict=True
    ):
        # Right on any number of threads; the activations of npz are not rounded.
        near = 1e-6 if format != "npz" or not variant.parts_by_precision() else 5e-3
        assert float(words.split()[-1]) == pytest.approx(written.loss, abs=near), (variant, format)


@pytest.mark.parametrize("variant, format", BACK, ids=str)
@pytest.mark.parametrize("ending", ["", ".zip", "own"])
def test_what_was_taken_comes_back_with_the_same_loss_to_the_last_digit(
    tmp_path, tiny, text_file, variant, format, ending
):
    ending = Path(FILES[format]).suffix if ending == "own" else ending
    made = export(tiny, variant, tmp_path / f"out{ending}", format)
    tiny.vocabulary.save(tmp_path / "words.txt")
    options = {} if ending in ("", ".zip") else {"vocabulary": tmp_path / "words.txt"}
    expected = evaluate(
        prepare(tiny.model, variant), batchify(read_text(text_file, tiny.vocabulary).ids, 1)
    ).loss
    assert loss_of(made.path, variant, text_file, **options) == expected


@pytest.mark.parametrize("variant, format", NOT_BACK, ids=str)
def test_what_does_not_come_back_is_refused_in_a_sentence_and_its_readme_promises_nothing(
    tmp_path, tiny, variant, format
):
    made = export(tiny, variant, tmp_path / "out", format)
    assert "wlm imports" not in (tmp_path / "out" / "README.md").read_text("utf-8")
    what = {"onnx": "an ONNX file, which wlm does not read", "npz": "integers with scales"}[format]
    with pytest.raises(CheckpointError, match=what):
        load_checkpoint(made.path)


def test_an_exported_folder_has_the_rights_of_a_new_one_not_those_of_its_parent(tmp_path, tiny):
    parent = tmp_path / "open"
    parent.mkdir()
    parent.chmod(0o777)
    export(tiny, Variant(), parent / "out")
    (tmp_path / "new").mkdir()
    assert (parent / "out").stat().st_mode == (tmp_path / "new").stat().st_mode
    assert not (parent / "out").stat().st_mode & 0o002


FULL_DISK = """
import resource, sys
from pathlib import Path
from wlm.catalog.open import open_model
from wlm.errors import WLMError
from wlm.exporting.export import export
from wlm.quantization.variant import Variant

checkpoint = open_model("random-64")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for variant, format in (("fp32", "torch"), ("fp32", "safetensors"), ("int8", "npz")):
    for ending in ("", ".zip"):
        try:
            export(checkpoint, Variant.parse(variant), Path(sys.argv[1]) / f"out{ending}", format)
        except WLMError as error:
            print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are Unix's")
def test_a_full_disk_ends_an_export_in_one_sentence(tmp_path):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 6 and all("cannot be written: " in line for line in lines), done.stdout
    assert list(tmp_path.iterdir()) == []


def test_what_came_quantized_runs_as_what_it_is_alone_and_says_so(tmp_path, tiny, text_file):
    export(tiny, Variant.parse("int8"), tmp_path / "out")
    loaded = load_checkpoint(tmp_path / "out")
    assert loaded.weights_read == ("already quantized, imported as pytorch:lstm=int8,linear=int8")
    for name in ("fp32", "pytorch:lstm=int8", INT8_ALL):
        message = (
            r"already quantized, imported as int8 LSTM \+ Linear: it runs as the variant 'int8' "
            f"alone, and '{name}' needs the fp32 weights"
        )
        with pytest.raises(VariantError, match=message):
            prepare(loaded.model, Variant.parse(name))


def test_the_engine_that_a_variant_names_comes_back_with_it(tmp_path, tiny):
    variant = Variant.parse("pytorch:lstm=int8,linear=int8,engine=qnnpack")
    if why_unavailable(variant):
        pytest.skip("no qnnpack here")
    export(tiny, variant, tmp_path / "out")
    loaded = load_checkpoint(tmp_path / "out")
    assert Variant.parse(loaded.model.imported.variant) == variant
    prepare(loaded.model, Variant.parse("int8"))  # the integers are the same


def test_what_came_quantized_can_be_taken_again(tmp_path, tiny, text_file):
    variant = Variant.parse("int8")
    first = export(tiny, variant, tmp_path / "first")
    again = export(load_checkpoint(first.path), variant, tmp_path / "again", "npz")
    assert again.loss == first.loss


def test_arrays_hold_the_integers_that_pytorch_runs_with(tmp_path, tiny):
    variant = Variant.parse("int8")
    export(tiny, variant, tmp_path / "model.npz")
    rnn = prepare(tiny.model, variant).module.rnn
    with np.load(tmp_path / "model.npz") as file:
        assert set(file) >= {"rnn.weight_hh_l1", "rnn.weight_hh_l1.scale", "rnn.bias_hh_l1"}
        for name, weight in rnn.get_weight().items():
            assert file[f"rnn.{name}"].dtype == np.int8
            assert np.array_equal(file[f"rnn.{name}"], weight.int_repr())
            floats = file[f"rnn.{name}"].astype(np.float32) - file[f"rnn.{name}.zero_point"]
            assert np.array_equal(floats * file[f"rnn.{name}.scale"], weight.dequantize())


@pytest.mark.parametrize(
    "name, out, format, message",
    [
        ("int8", "out", "onnx", "such as 'onnxruntime:lstm=int8,linear=int8': export 'int8' as"),
        (
            "int8",
            "out",
            "safetensors",
            "safetensors is for fp32 and bf16 weights: export 'int8'",
        ),
        ("int8", "out.safetensors", None, "safetensors is for fp32 and bf16 weights"),
        (INT8_ALL, "out", "torch", "torch is for variants of PyTorch: .* as onnx or npz"),
        ("int8", "out.onnx", "npz", r"format npz must not be called 'out\.onnx'"),
    ],
)
def test_a_format_that_cannot_hold_a_variant_is_refused_with_one_that_can(
    tmp_path, tiny, name, out, format, message
):
    with pytest.raises(VariantError, match=message):
        export(tiny, Variant.parse(name), tmp_path / out, format)
    assert list(tmp_path.glob("out*")) == []


def test_nothing_is_overwritten_and_nothing_is_left_half_done(tmp_path, tiny, monkeypatch):
    (tmp_path / "there").mkdir()
    with pytest.raises(WLMError, match="there' is there already: give another name"):
        export(tiny, Variant(), tmp_path / "there")
    (tmp_path / "file").write_text("x")
    with pytest.raises(WLMError, match="cannot be written: "):
        export(tiny, Variant(), tmp_path / "file" / "out")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "licence", fail)
    for name in ("out", "out.zip", "out.npz"):
        with pytest.raises(WLMError, match="cannot be written: No space left on device"):
            export(tiny, Variant(), tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} & {"out", "out.zip", "out.npz"} == set()
    assert list(tmp_path.glob(".exporting-*")) == []


def test_without_onnx_runtime_the_card_names_none(tmp_path, tiny, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(exporting, "version", missing)
    export(tiny, Variant(), tmp_path / "out")
    card = json.loads((tmp_path / "out" / "card.json").read_text("utf-8"))
    assert card["made_with"]["onnxruntime"] is None


def test_an_export_that_loads_as_another_model_is_not_kept(tmp_path, tiny, monkeypatch):
    write = exporting.write_weights

    def changed(path, prepared, variant, format):
        prepared.module.decoder.bias.data += torch.linspace(0, 1, len(WORDS))
        write(path, prepared, variant, format)

    monkeypatch.setattr(exporting, "write_weights", changed)
    with pytest.raises(WLMError, match="export of fp32 must have the loss"):
        export(copy.deepcopy(tiny), Variant(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_whose_script_fails_is_not_kept(tmp_path, tiny, monkeypatch, separate_processes):
    monkeypatch.setattr(exporting, "loader", lambda *_: "raise SystemExit('no such module')")
    with pytest.raises(WLMError, match=r"load\.py of the export of fp32 fails: no such module"):
        export(tiny, Variant(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_vocabulary_that_cannot_read_the_bundled_text_is_checked_on_its_own_words(
    tmp_path, model
):
    words = [f"слово{i}" for i in range(len(WORDS))]
    made = export(Checkpoint("own", model, Vocabulary(words), {}), Variant(), tmp_path / "out")
    assert made.text == "the vocabulary, in its order"
    assert (tmp_path / "out" / "check.txt").read_text("utf-8").split()[:20] == words


def test_an_archive_is_read_only_as_it_was_written(tmp_path, tiny):
    export(tiny, Variant(), tmp_path / "out.zip")
    assert load_checkpoint(tmp_path / "out.zip").name == "out"
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        contents = {member: archive.read(member) for member in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "small.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    with pytest.raises(WLMError, match="compressed: unpack it and give the folder"):
        load_checkpoint(tmp_path / "small.zip")
    with zipfile.ZipFile(tmp_path / "outside.zip", "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"../../{Path(name).name}", content)
    load_checkpoint(tmp_path / "outside.zip")
    assert not (tmp_path.parent.parent / "card.json").exists()

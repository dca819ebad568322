"""The command line as people and programs use it."""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import torch

from helpers.processes import output_of, start_wlm
from helpers.tiny import WORDS
from view.shared.page import MENU
from wlm.catalog import registry
from wlm.catalog.registry import DEFAULT_MODEL, DEFAULT_TEXT
from wlm.cli.main import COMMANDS, main, make_parser
from wlm.inspecting.times import InspectSpec
from wlm.measuring.comparison import CompareSpec
from wlm.sampling.words import SampleSettings
from wlm.weights.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("command", ["compare", "size"])
def test_an_unknown_variant_is_refused_with_what_is_allowed(capsys, command):
    arguments = [command, "--model", "tiny", "--variants", "fp32", "onnxruntime:lstm=fp16"]
    assert main(arguments) != 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "lstm must be one of fp32, int8, int8-channel on onnxruntime, got 'fp16'" in printed.err


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "compare --model tiny --text short",
            ["fp32", "int8 LSTM", "640 tokens of short"],
        ),
        ("evaluate --model tiny --text short", ["perplexity", "chunks of 25"]),
        ("size --model tiny", ["bytes", "int8 LSTM + Linear"]),
        (
            "inspect --model tiny --text short --seconds 0.1",
            ["embedding", "LSTM 1", "file format", "exact", "loss", "fp32 peak", "warning: Busy."],
        ),
        ("info", ["quantized_engine", "wikitext2-lstm"]),
    ],
)
def test_without_json_people_get_a_table(capsys, monkeypatch, command, expected):
    monkeypatch.setattr("wlm.inspecting.times._warnings", lambda _: ["Busy."])
    assert main(command.split()) == 0
    printed = capsys.readouterr().out
    for words in expected:
        assert words in printed


@pytest.fixture
def bad_files(tmp_path, model, model_folder) -> Path:
    """A folder of files that must be refused."""
    folder = tmp_path / "bad"
    folder.mkdir()
    whole = (model_folder / "model.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "foreign.safetensors").write_bytes(b"\x89PNG" * 100)
    torch.save({"weight": torch.zeros(3)}, folder / "keys.pth")
    shapes = {**model.state_dict(), "decoder.bias": torch.zeros(3)}
    torch.save(shapes, folder / "shapes.pth")
    torch.save(model.state_dict(), folder / "good.pth")
    (folder / "words.txt").write_text("a\nb\nc\n")
    (folder / "empty.txt").write_text("")
    (folder / "unknown.txt").write_text("xyzzy plugh\n")
    (folder / "binary.txt").write_bytes(b"\xff\xfe\x00\x00")
    return folder


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("size --model nowhere", ["no model 'nowhere'", "wikitext2-lstm"]),
        ("size --model BAD/cut.safetensors --vocabulary VOCAB", ["damaged", "cut.safetensors"]),
        ("size --model BAD/foreign.safetensors --vocabulary VOCAB", ["damaged"]),
        (
            "size --model BAD/keys.pth --vocabulary VOCAB",
            ["no LSTM", "first keys are 'weight' (3,)"],
        ),
        ("size --model BAD/shapes.pth --vocabulary VOCAB", ["decoder.bias", "(20,)", "(3,)"]),
        ("size --model BAD/good.pth --vocabulary BAD/words.txt", ["20", "got 3"]),
        ("size --model BAD/good.pth", ["vocabulary file or the corpus folder"]),
        ("size --model BAD/good.pth --corpus BAD", ["train.txt"]),
        ("compare --model tiny --text nowhere", ["no text 'nowhere'", "demo"]),
        ("compare --model tiny --text BAD/empty.txt", ["empty"]),
        ("compare --model tiny --text BAD/unknown.txt", ["none of the vocabulary's 20 words"]),
        ("compare --model tiny --text BAD/binary.txt", ["must be UTF-8"]),
        ("compare --model tiny --text short --tokens 1", ["tokens", "got 1"]),
        ("compare --model tiny --text short --tokens 9999", ["640", "got 9,999"]),
        ("compare --model tiny --text short --bptt 0", ["chunk length", "1 to 1,000", "got 0"]),
        ("compare --model tiny --text short --threads 0", ["threads", "got 0"]),
        ("compare --model tiny --text short --variants int4", ["'int4'"]),
        ("inspect --model nowhere", ["no model 'nowhere'"]),
        ("inspect --model tiny --text short --variants int4", ["'int4'"]),
        ("inspect --model tiny --text short --seconds 0", ["seconds", "got 0.0"]),
        ("inspect --model tiny --text short --bptt 640", ["1 to 639", "640 tokens", "got 640"]),
        ("sweep --model tiny --over layers=1", ["'layers'", "bptt, batch_size, threads, hidden"]),
        (
            "sweep --model tiny --text short --over bptt=1,2000",
            ["chunk length", "1 to 1,000", "2,000"],
        ),
        ("sweep --model tiny --over bptt=1,x", ["whole numbers separated by commas", "'x'"]),
        ("evaluate --model tiny --text short --variants fp32 int8", ["one variant, got 2"]),
        ("sample --model tiny --temperature 0", ["temperature", "0.01 to 10.0", "got 0.0"]),
        ("sample --model tiny --temperature nan", ["temperature", "got nan"]),
        ("sample --model tiny --top-k -1", ["top_k", "got -1"]),
        ("sample --model tiny --top-p 1.5", ["top_p", "got 1.5"]),
        ("sample --model tiny --words 0", ["words", "got 0"]),
        ("sample --model tiny --seed -1", ["seed", "got -1"]),
        ("runs list --most 0", ["--most", "1 to 10,000", "got 0"]),
        ("runs show nosuch", ["no run 'nosuch'"]),
        ("runs export nosuch", ["no run 'nosuch'"]),
        ("runs delete nosuch", ["no run 'nosuch'"]),
        ("runs import BAD/nosuch.json", ["nosuch.json", "cannot be read", "No such file"]),
        ("runs import BAD/binary.txt", ["must be a JSON file"]),
        ("runs import BAD/foreign.safetensors", ["must be a JSON file"]),
        (
            "sample --model tiny --draw dice",
            ["draw", "multinomial, race, inverse-cdf", "got 'dice'"],
        ),
    ],
)
def test_bad_input_is_one_clear_line(capsys, bad_files, model_folder, command, words):
    vocabulary = str(model_folder / "vocab.txt")
    arguments = command.replace("BAD", str(bad_files)).replace("VOCAB", vocabulary).split()
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"wlm: error: .+\n", captured.err)
    for word in words:
        assert word in captured.err


@pytest.mark.parametrize(
    "command", ["compare --tokens many", "nonsense", "", "sample --words", "runs", "runs list all"]
)
def test_misspelt_arguments_show_the_usage(capsys, command):
    with pytest.raises(SystemExit) as exit:
        main(command.split())
    assert exit.value.code == 2
    assert "usage: python -m wlm" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    ["", *(name for name in COMMANDS if name != "worker")],
)
def test_help_says_what_the_command_does(capsys, command):
    with pytest.raises(SystemExit) as exit:
        main([*command.split(), "--help"])
    assert exit.value.code == 0
    assert "examples:" in capsys.readouterr().out


@pytest.mark.slow
def test_progress_is_shown_on_a_terminal_and_nowhere_else(tmp_path):
    arguments = ["compare", "--model", "tiny", "--text", "short", "--json"]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))  # a bar of no width would show nothing
    process = start_wlm(*arguments, stderr=theirs)
    json.loads(output_of(process)[0])
    assert b"Measuring" in os.read(ours, 100_000)
    os.close(theirs)
    os.close(ours)
    with (tmp_path / "errors").open("w+") as errors:
        output_of(start_wlm(*arguments, stderr=errors))
        errors.seek(0)
        assert errors.read() == ""


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    process = start_wlm("size", "--model", "tiny", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert output_of(process)[1] == ""
    assert process.returncode == 0


def commands_in(path: Path) -> list[str]:
    return re.findall(r"^ *(?:\$ )?python -m wlm (.+)$", path.read_text("utf-8"), re.MULTILINE)


@pytest.fixture
def small_assets(tmp_path, model_folder, text_file, monkeypatch) -> None:
    """The tiny model and the short text under the bundled ones' names."""
    shutil.copytree(model_folder, tmp_path / "assets" / "models" / DEFAULT_MODEL)
    (tmp_path / "assets" / "texts").mkdir()
    shutil.copy(text_file, tmp_path / "assets" / "texts" / f"{DEFAULT_TEXT}.txt")
    monkeypatch.setattr(registry, "ASSETS", tmp_path / "assets")


@pytest.mark.slow
@pytest.mark.parametrize("command", commands_in(ROOT / "README.md"))
def test_the_commands_in_readme_work(
    capsys, tmp_path, monkeypatch, small_assets, model_folder, command
):
    monkeypatch.chdir(tmp_path)
    torch.save(load_checkpoint(model_folder).model.state_dict(), "model.pt")
    Path("CORPUS").mkdir()
    for name in ("train", "valid", "test"):
        Path(f"CORPUS/{name}.txt").write_text(f"{' '.join(WORDS[1:])} \n", "utf-8")
    arguments = shlex.split(command)
    if arguments[0] in ("inspect", "sweep"):
        arguments += ["--seconds", "0.5"]  # the last one counts
    assert main(arguments) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("page", "command"),
    [(page, command) for page in DOCUMENTS for command in commands_in(page)],
    ids=lambda value: value.name if isinstance(value, Path) else value,
)
def test_commands_and_options_in_the_documents_exist(page, command):
    words = shlex.split(command, comments=True)
    if words[0] != "COMMAND":
        words = ["3" if word == "N" else word for word in words]
        make_parser(words[0]).parse_args(words)


@pytest.mark.slow
def test_the_python_in_the_documents_works():
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    code = re.search(r"```python\n(.+?)```", text, re.DOTALL)[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 20


def test_readme_is_short_and_names_every_page_in_the_menus_order():
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 130
    assert re.findall(r"^\| \*\*(\w+)\*\* \|", text, re.MULTILINE) == list(MENU)


def test_links_in_the_documents_lead_to_files():
    for page in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("compare", CompareSpec()),
        ("sweep", CompareSpec()),
        ("inspect", InspectSpec()),
        ("sample", SampleSettings()),
    ],
)
def test_the_defaults_that_help_tells_are_those_of_the_settings(capsys, command, settings):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    printed = re.sub(r"\s+", " ", capsys.readouterr().out)
    told = re.findall(
        r"--([a-z-]+) [A-Z_]+ (?:(?!--[a-z]).)*?default ([a-z0-9.-]+)(?= |$)", printed
    )
    told = {name.replace("-", "_"): default for name, default in told}
    known = {name: default for name, default in told.items() if hasattr(settings, name)}
    assert len(known) >= 3
    assert known == {name: str(getattr(settings, name)) for name in known}


def test_only_the_chosen_command_is_imported_and_help_needs_no_pytorch():
    script = (
        "import sys; from wlm.cli.main import make_parser; make_parser('size');"
        "found = [m for m in sys.modules if m.startswith('wlm.cli.commands.')];"
        "make_parser('--help'); print(*found, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["wlm.cli.commands.size", "False"]

"""The command line as people and programs use it."""

import hashlib
import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import torch
from processes import output_of, read_until, start_wlm

from wlm.catalog import names
from wlm.catalog.names import DEFAULT_MODEL, DEFAULT_TEXT
from wlm.cli.main import COMMANDS, main
from wlm.inspecting.times import InspectSpec
from wlm.measuring.comparison import CompareSpec
from wlm.sampling.words import SampleSettings
from wlm.text.wikitext import detokenize

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def tiny(model_folder, text_file, monkeypatch):
    """The tiny model and the short text under their names."""
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))


def run_json(capsys, *arguments: str):
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_compare_prints_one_object_with_the_documented_keys(capsys, model_folder):
    content = run_json(
        capsys,
        *"compare --model tiny --text short --variants fp32 int8 --tokens 100 --bptt 7".split(),
    )
    weights = (model_folder / "model.safetensors").read_bytes()
    assert {"machine", "protocol", "results"} <= content.keys()
    assert content["protocol"] == {
        "model": "tiny",
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "text": "short",
        "tokens": 100,
        "bptt": 7,
        "batch_size": 1,
        "threads": 1,
        "seed": 1,
        "seconds": None,
        "target": None,
    }
    assert [result["variant"] for result in content["results"]] == ["fp32", "int8"]
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    for part in (content, content["machine"], content["protocol"], *content["results"]):
        for key in part:
            assert f"`{key}`" in documented


def test_results_keep_the_order_asked_for(capsys):
    names = ["int8", "pytorch:linear=int8", "fp32", "pytorch:lstm=int8"]
    content = run_json(
        capsys, "compare", "--model", "tiny", "--text", "short", "--variants", *names
    )
    assert [result["variant"] for result in content["results"]] == names
    sizes = run_json(capsys, "size", "--model", "tiny", "--variants", *names)
    assert [each["variant"] for each in sizes] == names
    assert [set(each) for each in sizes] == [{"variant", "label", "bytes"}] * 4
    assert [each["bytes"] for each in sizes] == [each["size_bytes"] for each in content["results"]]


ORT = ["onnxruntime:", "onnxruntime:lstm=int8,linear=int8,embedding=int8"]


def test_onnx_runtimes_variants_are_compared_and_their_sizes_printed(capsys, own_cache):
    arguments = ["--model", "tiny", "--variants", "fp32", *ORT]
    results = run_json(capsys, "compare", "--text", "short", *arguments)["results"]
    assert [each["variant"] for each in results] == ["fp32", *ORT]
    assert [each["label"] for each in results] == ["fp32", "ORT fp32", "ORT int8 all"]
    assert results[1]["loss"] == pytest.approx(results[0]["loss"], abs=1e-5)
    assert results[2]["loss"] != results[1]["loss"]
    sizes = run_json(capsys, "size", *arguments)
    assert [each["bytes"] for each in sizes] == [each["size_bytes"] for each in results]
    assert {path.stat().st_size for path in own_cache.glob("*/*")} == {
        each["size_bytes"] for each in results[1:]
    }


@pytest.mark.parametrize("command", ["compare", "size"])
def test_an_unknown_variant_is_refused_with_what_is_allowed(capsys, command):
    arguments = [command, "--model", "tiny", "--variants", "fp32", "onnxruntime:lstm=fp16"]
    assert main(arguments) != 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "lstm must be one of fp32, int8, int8-channel on onnxruntime, got 'fp16'" in printed.err


@pytest.mark.slow
def test_inspect_prints_one_object_with_the_documented_keys(capsys):
    arguments = "--model tiny --text short --bptt 7 --seconds 0.1".split()
    content = run_json(capsys, "inspect", *arguments)
    fp32, int8 = content["results"]
    assert [one["tokens"] for one in int8["passes"]] == [7, 1]
    sizes = run_json(capsys, "size", "--model", "tiny")
    assert [sum(each["parts"].values()) for each in content["results"]] == [
        each["bytes"] for each in sizes
    ]
    assert [each["sqnr_db"] for each in fp32["weights"]] == [None] * 6
    assert [each["part"] for each in int8["activations"]] == list(int8["parts"])[:-1]
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    parts = [content["protocol"], content["roofline"], int8, *int8["passes"]]
    parts += [*int8["passes"][0]["modules"], *int8["weights"], *int8["activations"]]
    parts += [each for matrix in int8["weights"] for each in matrix["largest"]]
    for part in (content, *parts):
        for key in part:
            assert f"`{key}`" in documented


def test_evaluate_prints_one_result(capsys, text_file):
    arguments = ["--model", "tiny", "--text", str(text_file), "--tokens", "50"]
    result = run_json(capsys, "evaluate", "--variants", "int8", *arguments)
    both = run_json(capsys, "compare", *arguments)
    assert result["variant"] == "int8"
    assert result["loss"] == both["results"][1]["loss"]


@pytest.mark.slow
def test_sweep_prints_a_comparison_a_value_with_the_documented_keys(capsys):
    arguments = "sweep --model tiny --text short --seconds 0.2 --over bptt=5,2".split()
    content = run_json(capsys, *arguments, "--variants", "fp32", "pytorch:lstm=int8")
    assert (content["over"], content["values"]) == ("bptt", [2, 5])
    assert [point["value"] for point in content["points"]] == [2, 5]
    assert [point["protocol"]["bptt"] for point in content["points"]] == [2, 5]
    assert content["machine"] == content["points"][0]["machine"]
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    for key in {**content, **content["points"][0], **content["machine"]}:
        assert f"`{key}`" in documented
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^bptt +variant +tokens/s +times as fast$", printed, re.MULTILINE)
    assert re.search(r"^5 +int8 LSTM \+ Linear +[\d,]+ +\d", printed, re.MULTILINE)


@pytest.mark.slow
def test_ctrl_c_ends_a_sweep_with_the_points_that_were_measured():
    arguments = "sweep --model tiny --text short --seconds 1 --over bptt=1,2,3,4,5,6,7,8,9,10,11,12"
    printed, errors = interrupted(b"(2 of 12)", *arguments.split(), "--json")
    assert b"stopped early" in errors
    content = json.loads(printed)
    assert content["values"] == list(range(1, 13))
    assert [point["value"] for point in content["points"]] == list(
        range(1, len(content["points"]) + 1)
    )
    assert 0 < len(content["points"]) < 12


def test_sample_prints_raw_words_and_speed(capsys):
    arguments = "sample --model tiny --variant int8 --temperature 0.8 --words 12 --seed 4".split()
    content = run_json(capsys, *arguments)
    assert len(content["words"]) == 12 and content["words_per_s"] > 0
    assert run_json(capsys, *arguments)["words"] == content["words"]
    assert run_json(capsys, *arguments[:-1], "5")["words"] != content["words"]


def test_sample_prints_the_words_as_people_write_them(capsys):
    arguments = "sample --model tiny --words 30 --seed 4".split()
    words = run_json(capsys, *arguments)["words"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == detokenize(words) + "\n"


def test_sample_goes_on_from_a_prompt_and_says_which_words_it_does_not_know(capsys):
    arguments = ["sample", "--model", "tiny", "--words", "5", "--prompt", "The old-brige, of"]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("The old-brige, of")
    assert "wlm: 'The' is read as <unk>; near it: the" in captured.err
    assert "wlm: 'brige' is read as <unk>; near it: bridge" in captured.err
    words = run_json(capsys, *arguments)["words"]
    tokens = [*arguments[:-1], "<unk> old @-@ <unk> , of"]
    assert run_json(capsys, *tokens)["words"] == words


def test_sample_compares_in_two_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    arguments = "sample --model tiny --compare --words 200 --seed 7 --draw race".split()
    fp32, int8 = run_json(capsys, *arguments)
    assert (fp32["variant"], int8["variant"]) == ("fp32", "int8")
    assert fp32["words"] != int8["words"]
    assert main(arguments) == 0
    heads, line, *rows = capsys.readouterr().out.splitlines()
    assert heads.split("│")[1].strip() == "int8 LSTM + Linear"
    assert all(len(row) <= 80 and row.count("│") == 1 for row in (heads, line, *rows))
    assert sum("▸" in row for row in rows) == 1
    left = "".join(row.split("│")[0] for row in rows).replace(" ", "")
    assert left == "".join(detokenize(fp32["words"]).split())


def test_sample_stops_where_the_article_ends(capsys):
    arguments = "sample --model tiny --words 1000 --seed 2".split()
    whole = run_json(capsys, *arguments)["words"]
    article = run_json(capsys, *arguments, "--stop-at-article")["words"]
    assert 1 < len(article) < 1000 and whole[: len(article)] == article


def test_info_names_models_texts_and_the_machine(capsys):
    content = run_json(capsys, "info")
    assert {"wikitext2-lstm", "tiny"} <= content["models"].keys()
    assert {"demo", "short"} <= content["texts"].keys()
    assert content["machine"]["torch"] == torch.__version__


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
            ["embedding", "LSTM 1", "file format", "exact", "decoder", "loss", "fp32 peak"],
        ),
        ("info", ["quantized_engine", "wikitext2-lstm"]),
    ],
)
def test_without_json_people_get_a_table(capsys, command, expected):
    assert main(command.split()) == 0
    printed = capsys.readouterr().out
    for words in expected:
        assert words in printed


def kept_run(capsys, *variants: str) -> str:
    """Compare, and return the id of the run that was kept."""
    arguments = "compare --model tiny --text short --tokens 200 --bptt 5 --variants".split()
    assert main([*arguments, *variants]) == 0
    return re.search(r"kept as run (\S+)", capsys.readouterr().out)[1]


def test_a_comparison_is_kept_and_listed_newest_first(capsys):
    ids = [kept_run(capsys, *variants) for variants in (("fp32", "int8"), ("fp32", "fp32"))]
    rows = run_json(capsys, "runs", "list")
    assert [row["id"] for row in rows] == ids[::-1]
    assert [row["variants"] for row in rows] == [
        ["fp32", "fp32"],
        ["fp32", "int8 LSTM + Linear"],
    ]
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    assert all(f"`{key}`" in documented for key in rows[0])
    assert main(["runs", "list", "--most", "1"]) == 0
    printed = capsys.readouterr().out
    assert ids[1] in printed and ids[0] not in printed


def test_an_empty_list_says_so(capsys):
    assert main(["runs", "list"]) == 0
    assert capsys.readouterr().out == "no runs are kept yet\n"


def test_a_run_is_shown_exported_deleted_and_imported_again(capsys, tmp_path):
    run_id = kept_run(capsys, "fp32", "int8")
    content = run_json(capsys, "runs", "show", run_id)
    assert content["id"] == run_id
    assert main(["runs", "show", run_id]) == 0
    assert "| int8 LSTM + Linear |" in capsys.readouterr().out
    exported = tmp_path / "run.json"
    for format, beginning in (
        ("markdown", "**"),
        ("csv", "round,variant,label,tokens,wall_s,cpu_s\n1,fp32,fp32,"),
        ("json", '{"format": "wlm-run"'.replace("{", "{\n ")),
    ):
        assert main(["runs", "export", run_id, "--format", format]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith(beginning)
        exported.write_text(printed, "utf-8")
    assert run_json(capsys, "runs", "delete", run_id) == {"deleted": run_id}
    assert run_json(capsys, "runs", "list") == []
    imported = run_json(capsys, "runs", "import", str(exported))
    assert imported["origin"] == "imported" and imported["id"] != run_id
    again = run_json(capsys, "runs", "show", imported["id"])
    assert again["result"]["results"] == content["result"]["results"]


def test_a_comparison_that_cannot_be_kept_is_printed_with_a_warning(capsys, monkeypatch):
    monkeypatch.setenv("WLM_DATABASE_URL", "sqlite:////dev/null/runs.sqlite")
    assert main("compare --model tiny --text short --tokens 100".split()) == 0
    captured = capsys.readouterr()
    assert "int8 LSTM" in captured.out and "kept as run" not in captured.out
    assert "warning: Runs are not kept in" in captured.err
    assert main(["runs", "list"]) == 2
    assert "Runs are not kept in" in capsys.readouterr().err


def test_a_bare_state_dict_loads_with_its_vocabulary(capsys, tmp_path, model, model_folder):
    path = tmp_path / "bare.pth"
    torch.save(model.state_dict(), path)
    vocabulary = str(model_folder / "vocab.txt")
    tiny = run_json(capsys, "size", "--model", "tiny")
    assert tiny == run_json(capsys, "size", "--model", str(path), "--vocabulary", vocabulary)
    torch.save(model, path)  # all of the module: what is no weight in it is left unread
    assert tiny == run_json(capsys, "size", "--model", str(path), "--vocabulary", vocabulary)


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
        ("compare --model tiny --text short --bptt 0", ["bptt", "1 to 1,000", "got 0"]),
        ("compare --model tiny --text short --threads 0", ["threads", "got 0"]),
        ("compare --model tiny --text short --variants int4", ["'int4'"]),
        ("inspect --model nowhere", ["no model 'nowhere'"]),
        ("inspect --model tiny --text short --variants int4", ["'int4'"]),
        ("inspect --model tiny --text short --seconds 0", ["seconds", "got 0.0"]),
        ("inspect --model tiny --text short --bptt 640", ["1 to 639", "640 tokens", "got 640"]),
        ("sweep --model tiny --over layers=1", ["'layers'", "bptt, batch_size, threads, hidden"]),
        ("sweep --model tiny --text short --over bptt=1,2000", ["bptt", "1 to 1,000", "2,000"]),
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
    for each in words:
        assert each in captured.err


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


def interrupted(shown: bytes, *arguments: str) -> tuple[str, bytes]:
    """Run a command until its progress shows these words, press Ctrl-C, and return what it printed
    and what then came to the terminal."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))  # a bar of no width would show nothing
    process = start_wlm(*arguments, stderr=theirs)
    read_until(ours, shown)
    process.send_signal(signal.SIGINT)
    printed, _ = output_of(process)
    errors = os.read(ours, 100_000)
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 0
    return printed, errors


@pytest.mark.slow
def test_ctrl_c_ends_a_comparison_with_what_was_measured(text_file):
    text_file.write_text(text_file.read_text("utf-8") * 2_000, "utf-8")
    arguments = "compare --model tiny --text short --json".split()
    content = json.loads(interrupted(b"Measuring", *arguments)[0])
    assert 0 < content["protocol"]["tokens"] < 640 * 2_000


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
    found = re.findall(r"^(?:\$ )?python -m wlm (.+)$", path.read_text("utf-8"), re.MULTILINE)
    assert found
    return found


@pytest.fixture
def small_assets(tmp_path, model_folder, text_file, monkeypatch) -> None:
    """The tiny model and the short text under the bundled ones' names."""
    shutil.copytree(model_folder, tmp_path / "assets" / "models" / DEFAULT_MODEL)
    (tmp_path / "assets" / "texts").mkdir()
    shutil.copy(text_file, tmp_path / "assets" / "texts" / f"{DEFAULT_TEXT}.txt")
    monkeypatch.setattr(names, "ASSETS", tmp_path / "assets")


@pytest.mark.slow
@pytest.mark.parametrize("command", commands_in(ROOT / "README.md"))
def test_the_commands_in_readme_work(capsys, tmp_path, monkeypatch, small_assets, command):
    (tmp_path / "my.txt").write_text(" the river in the town . \n" * 1_000, "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out


@pytest.mark.slow
def test_the_python_in_readme_works(tmp_path):
    code = re.search(r"```python\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 20


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
    known = {name: each for name, each in told.items() if hasattr(settings, name)}
    assert len(known) >= 3
    assert known == {name: str(getattr(settings, name)) for name in known}


def test_only_the_chosen_command_is_imported():
    script = (
        "import sys; from wlm.cli.main import make_parser; make_parser('size');"
        "found = [m for m in sys.modules if m.startswith('wlm.cli.commands.')];"
        "print(*found, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["wlm.cli.commands.size", "False"]

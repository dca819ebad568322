"""python -m wlm size."""

import torch

from helpers.command_line import run_json
from wlm.cli.main import main


def test_a_bare_state_dict_loads_with_its_vocabulary(capsys, tmp_path, model, model_folder):
    path = tmp_path / "bare.pth"
    torch.save(model.state_dict(), path)
    vocabulary = str(model_folder / "vocab.txt")
    tiny = run_json(capsys, "size", "--model", "tiny")
    assert tiny == run_json(capsys, "size", "--model", str(path), "--vocabulary", vocabulary)
    torch.save(model, path)  # all of the module: what is no weight in it is left unread
    assert tiny == run_json(capsys, "size", "--model", str(path), "--vocabulary", vocabulary)


def test_small_files_are_printed_in_kb(capsys):
    size = run_json(capsys, "size", "--model", "tiny", "--variants", "fp32")[0]["bytes"]
    for command in ("size --model tiny", "compare --model tiny --text short"):
        assert main([*command.split(), "--variants", "fp32", "int8"]) == 0
        printed = capsys.readouterr().out
        assert " kB" in printed.splitlines()[0] and f"{size / 1e3:.1f}" in printed

"""python -m wlm info."""

import torch

from helpers.command_line import run_json


def test_info_names_models_texts_and_the_machine(capsys):
    content = run_json(capsys, "info")
    assert {"wikitext2-lstm", "tiny"} <= content["models"].keys()
    assert {"demo", "short"} <= content["texts"].keys()
    assert content["machine"]["torch"] == torch.__version__

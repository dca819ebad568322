"""The tutorial's table beside ours, row by row."""

import json

import pytest

from wlm.cli import main
from wlm.errors import TextError
from wlm.reproduce import table, tutorial_settings


def comparison(model, tokens=245_568, losses=(5.1671, 5.1684), int8_bytes=79_738_939):
    sizes, seconds = (113_944_455, int8_bytes), (100.0, 40.0)
    return {
        "protocol": {"model": model, "tokens": tokens},
        "results": [
            {"variant": name, "size_bytes": size, "loss": loss, "elapsed_s": s,
             "speedup": 100 / s}
            for name, size, loss, s in zip(("fp32", "int8"), sizes, losses, seconds, strict=True)
        ],
    }  # fmt: skip


def test_with_the_tutorials_weights_sizes_and_losses_must_agree():
    rows = table(comparison("tutorial-weights"))
    assert [row.agree for row in rows] == [True] * 5 + [None] * 3
    assert (rows[0].published, rows[0].here) == (113.944455, 113.944455)
    assert rows[4].published == pytest.approx(0.001) and rows[4].here == pytest.approx(0.0013)
    assert [row.reason for row in rows[5:]] == ["depends on the machine"] * 3
    assert rows[7].published == pytest.approx(195.2 / 112.5) and rows[7].here == 2.5


def test_a_wrong_size_or_loss_has_no_tick():
    rows = table(comparison("tutorial-weights", losses=(5.1671, 5.2), int8_bytes=79_738_940))
    assert [row.agree for row in rows[:5]] == [True, False, True, False, False]
    assert all(row.reason for row in rows if not row.agree)


def test_other_weights_or_less_text_cannot_agree_and_say_so():
    rows = table(comparison("wikitext2-lstm", losses=(4.7615, 4.7658)))
    assert [row.agree for row in rows[:5]] == [True, True, None, None, True]
    assert rows[2].reason == "other weights than the tutorial's"
    rows = table(comparison("tutorial-weights", tokens=999))
    assert rows[2].agree is None and rows[2].reason == "another text, or a part of it"
    assert rows[5].reason == "another text, or a part of it; depends on the machine"
    assert table(comparison("tutorial-weights"), stopped=True)[2].agree is None


def test_without_wikitext2_it_says_how_to_get_it(capsys):
    with pytest.raises(TextError, match="fetch wikitext-2"):
        tutorial_settings()
    assert main(["reproduce"]) == 2
    assert "--text" in capsys.readouterr().err


def test_the_bundled_model_unless_the_tutorials_was_fetched(text_file, monkeypatch):
    assert tutorial_settings(text=str(text_file)).model == "wikitext2-lstm"
    monkeypatch.setattr("wlm.reproduce.is_here", lambda what: what == "tutorial-weights")
    assert tutorial_settings(text=str(text_file)).model == "tutorial-weights"


def test_the_command_runs_on_any_model(model_folder, text_file, tmp_path, capsys):
    out = tmp_path / "out.txt"
    arguments = ["reproduce", "--model", str(model_folder), "--text", str(text_file)]
    assert main([*arguments, "--words", "30", "--out", str(out), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["words"]) == 30 and out.read_text().split() == content["words"]
    assert len(content["table"]) == 8
    assert main([*arguments, "--words", "5"]) == 0
    printed = capsys.readouterr().out
    assert "size fp32, MB" in printed and "✗" in printed and "beginning:" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--words", "0"], "--words must be"),
        (["--tokens", "1"], "tokens must be"),
        (["--out", "/no/such/folder/x"], "cannot be written"),
    ],
)
def test_the_command_tells_what_is_wrong(model_folder, text_file, capsys, options, message):
    arguments = ["reproduce", "--model", str(model_folder), "--text", str(text_file), "--words"]
    assert main([*arguments, "3", *options]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error

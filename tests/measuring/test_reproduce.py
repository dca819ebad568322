"""The tutorial's table beside ours, row by row."""

import json
import shutil
from itertools import islice

import pytest

from wlm.catalog.fetch import PLACES
from wlm.cli.main import main
from wlm.errors import TextError
from wlm.measuring import reproduce
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.reproduce import (
    BUNDLED,
    OTHERS,
    TUTORIALS,
    is_tutorials_text,
    tutorial_settings,
    weights_of,
)
from wlm.runs.store import RunStore
from wlm.sampling.words import sample_words


@pytest.fixture
def theirs(monkeypatch):
    """Have the weights and the text be taken for the tutorial's own, or not."""

    def be(weights: str = TUTORIALS, text: bool = True) -> None:
        monkeypatch.setattr(reproduce, "weights_of", lambda _: weights)
        monkeypatch.setattr(reproduce, "is_tutorials_text", lambda _: text)

    be()
    return be


def table(content: dict, stopped: bool = False):
    return reproduce.table(CompareSpec(), content, stopped)


def comparison(tokens=245_568, losses=(5.1671, 5.1684), int8_bytes=79_738_939):
    sizes, seconds = (113_944_455, int8_bytes), (100.0, 40.0)
    return {
        "protocol": {"tokens": tokens},
        "results": [
            {"variant": name, "size_bytes": size, "loss": loss, "elapsed_s": s,
             "speedup": 100 / s}
            for name, size, loss, s in zip(("fp32", "int8"), sizes, losses, seconds, strict=True)
        ],
    }  # fmt: skip


def test_with_the_tutorials_weights_sizes_and_losses_must_agree(theirs):
    rows = table(comparison())
    assert [row.agree for row in rows] == [True] * 5 + [None] * 3
    assert (rows[0].published, rows[0].here) == (113.944455, 113.944455)
    assert rows[4].published == pytest.approx(0.001) and rows[4].here == pytest.approx(0.0013)
    assert [row.reason for row in rows[5:]] == ["depends on the machine"] * 3
    assert rows[7].published == pytest.approx(195.2 / 112.5) and rows[7].here == 2.5


def test_a_wrong_size_or_loss_has_no_tick(theirs):
    rows = table(comparison(losses=(5.1671, 5.2), int8_bytes=79_738_940))
    assert [row.agree for row in rows[:5]] == [True, False, True, False, False]
    assert all(row.reason for row in rows if not row.agree)


def test_other_weights_or_less_text_cannot_agree_and_say_so(theirs):
    rows = table(comparison(tokens=999))
    assert rows[2].agree is None and rows[2].reason == "another text, or a part of it"
    assert rows[5].reason == "another text, or a part of it; depends on the machine"
    assert table(comparison(), stopped=True)[2].agree is None
    theirs(BUNDLED)
    rows = table(comparison(losses=(4.7227, 4.7291)))
    assert [row.agree for row in rows[:5]] == [True, True, None, None, True]
    assert rows[2].reason == "other weights than the tutorial's"
    rows = table(comparison(tokens=999))
    both = "other weights than the tutorial's; another text, or a part of it"
    assert rows[2].reason == both
    theirs(text=False)
    assert table(comparison())[2].reason == "another text, or a part of it"


def test_whose_weights_and_text_they_are_does_not_go_by_name(
    model_folder, text_file, tmp_path, monkeypatch
):
    monkeypatch.setenv("WLM_MODELS", str(tmp_path / "named"))
    shutil.copytree(model_folder, tmp_path / "named" / "tutorial-weights")
    assert weights_of("tutorial-weights") == OTHERS
    assert weights_of("wikitext2-lstm") == BUNDLED
    fetched = tmp_path / "data" / PLACES["tutorial-weights"]
    shutil.copytree(model_folder, fetched)
    assert weights_of(str(fetched)) == TUTORIALS
    (fetched / "model.safetensors").write_bytes(b"damaged")
    assert weights_of(str(fetched)) == OTHERS
    (tmp_path / "wikitext-2").mkdir()
    shutil.copy(text_file, tmp_path / "wikitext-2" / "test.txt")
    assert not is_tutorials_text(str(tmp_path / "wikitext-2"))


def test_wikitext2s_own_test_set_is_known_wherever_it_lies(wikitext2):
    assert is_tutorials_text(str(wikitext2))


def test_without_wikitext2_it_says_how_to_get_it(capsys):
    with pytest.raises(TextError, match="fetch wikitext-2"):
        tutorial_settings()
    assert main(["reproduce"]) == 2
    assert "--text" in capsys.readouterr().err


def test_the_bundled_model_unless_the_tutorials_was_fetched(text_file, monkeypatch):
    assert tutorial_settings(text=str(text_file)).model == "wikitext2-lstm"
    monkeypatch.setattr("wlm.measuring.reproduce.is_here", lambda what: what == "tutorial-weights")
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
    assert f"model: {model_folder}, other weights; text: short" in printed
    kept = [run.id for run in RunStore().list_runs("compare")]
    assert len(kept) == 2 and f"kept as run {kept[0]}" in printed


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C after seven words."""

    def some(*arguments):
        yield from islice(sample_words(*arguments), 7)
        raise KeyboardInterrupt

    monkeypatch.setattr("wlm.sampling.words.sample_words", some)


def test_ctrl_c_keeps_the_words_written_until_then(
    model_folder, text_file, tmp_path, capsys, interrupted
):
    out = tmp_path / "out.txt"
    arguments = ["reproduce", "--model", str(model_folder), "--text", str(text_file)]
    assert main([*arguments, "--out", str(out)]) == 130
    words = out.read_text("utf-8").split()
    assert len(words) == 7
    assert f"stopped after 7 words: {' '.join(words)}" in capsys.readouterr().err


def test_a_bad_out_is_refused_before_a_word_is_written(
    model_folder, text_file, tmp_path, capsys, interrupted
):
    arguments = ["reproduce", "--model", str(model_folder), "--text", str(text_file)]
    assert main([*arguments, "--out", str(tmp_path / "no" / "out.txt")]) == 2
    assert "out.txt' cannot be written" in capsys.readouterr().err


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

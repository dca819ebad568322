"""python -m wlm sample."""

from helpers.command_line import run_json
from wlm.cli.main import main
from wlm.text.wikitext import detokenize


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

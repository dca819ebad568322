"""A run in words and as files, with numbers worked out by hand."""

import csv
import io

import pytest

from wlm.errors import ReportError
from wlm.runs.export import summary, to_csv, to_json, to_markdown
from wlm.runs.run import Run, State


def test_csv_has_a_row_for_each_block(run):
    rows = list(csv.DictReader(io.StringIO(to_csv(run))))
    assert len(rows) == 10
    assert rows[1] == {
        "round": "1",
        "variant": "int8",
        "label": "int8 LSTM + Linear",
        "tokens": "40",
        "wall_s": "0.2",
        "cpu_s": "0.2",
        "group": "",
    }
    assert [row["round"] for row in rows] == list("1122334455")


def test_csv_has_the_group_of_each_round(run):
    run.result["groups"] = [3, 2]
    rows = csv.DictReader(io.StringIO(to_csv(run)))
    assert [row["group"] for row in rows] == list("1111112222")


def test_the_markdown_report_has_verdict_table_protocol_and_machine(run):
    lines = to_markdown(run).splitlines()
    assert lines[0] == (
        "**int8 LSTM + Linear is 2.0 times as fast as fp32, give or take less than 1%, at a loss "
        "0.50 nats higher.**"
    )
    assert "| int8 LSTM + Linear | 3.0 | 2.5000 | 0.65 | 0.65 | 2.00 | 2.00 to 2.00 |" in lines
    assert f"- model: `tiny, weights with sha256 {'0a' * 32}`" in lines
    assert "- text: `short, 101 tokens`" in lines
    assert "- machine: `Some CPU @ 2.20GHz, 64 CPUs, Linux`" in lines
    assert lines[-1] == f"- run: `{run.id}, done, measured 1970-01-12 13:46 UTC`"


def test_unknown_words_stand_in_report_and_summary(run):
    result = run.result
    result["protocol"]["unknown"] = {"tokens": 17, "share": 0.168, "line_ends": False}
    result["protocol"]["weights_read"] = "from a whole module, model.RNNModel"
    for variant, loss in zip(result["results"], (2.25, 3.125), strict=True):
        variant["loss_known"] = loss
    lines = to_markdown(run).splitlines()
    assert (
        "| int8 LSTM + Linear | 3.0 | 2.5000 | 3.1250 | 0.65 | 0.65 | 2.00 | 2.00 to 2.00 |"
        in lines
    )
    assert "- text: `short, 101 tokens, 16.8% unknown (17)`" in lines
    assert any(line.endswith(", read from a whole module, model.RNNModel`") for line in lines)
    row = summary(run)
    assert (row["loss_known"], row["unknown"]["share"]) == (3.125, 0.168)


@pytest.mark.parametrize("write", [to_csv, to_markdown])
def test_where_nothing_was_measured_there_is_nothing_to_export(write):
    with pytest.raises(ReportError, match="'empty' has measured nothing"):
        write(Run("compare", {}, id="empty", state=State.FAILED))


def test_a_run_under_way_is_not_exported():
    with pytest.raises(ReportError, match="must have ended to be exported, this one is running"):
        to_json(Run("compare", {}, state=State.RUNNING))


def test_a_summary_is_of_the_last_variant(run):
    row = summary(run)
    assert (row["model"], row["text"], row["cpu"]) == ("tiny", "short", "Some CPU @ 2.20GHz")
    assert (row["verdict"], row["speedup"], row["loss"]) == ("faster", 2.0, 2.5)
    assert row["variants"] == ["fp32", "int8 LSTM + Linear"]
    failed = summary(Run("compare", run.spec, state=State.FAILED))
    assert (failed["text"], failed["verdict"], failed["cpu"]) == ("short", None, None)


def test_a_report_has_the_agreement_if_it_was_measured(run):
    run.result["results"][1]["agreement"] = {"same_word": 0.96}
    lines = to_markdown(run).splitlines()
    assert (
        "**int8 LSTM + Linear prefers another word at 1 token in 25, while the loss changes by "
        "0.500.**" in lines
    )


def test_reports_have_the_memory_if_it_was_measured(run):
    found = {"added_bytes": 141_000_000, "peak_bytes": 256_000_000, "measure": "USS"}
    for row, memory in zip(run.result["results"], (found, None), strict=True):
        row["memory"] = memory
    report = to_markdown(run)
    assert "| CPU, s | speed-up | 95% interval | memory, MB | peak, MB |" in report
    assert "| 1.00 | – | 141 | 256 |" in report and "| 2.00 to 2.00 | – | – |" in report
    assert "**Added to a process's private memory: fp32 141 MB (peak 256 MB).**" in report
    rows = list(csv.DictReader(io.StringIO(to_csv(run))))
    assert [row["memory_added_bytes"] for row in rows[:2]] == ["141000000", ""]
    assert rows[0]["memory_peak_bytes"] == "256000000"

"""An exported run read back, and files that are none."""

import copy
import json
import math
import re
import time

import pytest

from wlm.errors import ReportError
from wlm.measuring.agreement import BINS, STATISTICS
from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.intervals import FEWEST_GROUPS
from wlm.runs import import_run as run_import
from wlm.runs.export import to_json, to_markdown
from wlm.runs.import_run import from_json
from wlm.runs.run import Run, State


def test_an_exported_run_comes_back_as_an_imported_one(run):
    again = from_json(to_json(run))
    assert again.id != run.id
    assert (again.origin, again.visitor, again.state) == ("imported", "", State.DONE)
    assert (again.created_at, again.finished_at) == (1_000_000.0, 1_000_005.0)
    assert again.spec == run.spec
    assert again.result["machine"] == run.result["machine"]
    assert again.result["protocol"] == run.result["protocol"]
    for before, after in zip(run.result["results"], again.result["results"], strict=True):
        computed = {"spread", "speedup", "loss_delta", "perplexity"}
        for name in before.keys() - computed - {"speedup_ci95"}:
            assert after[name] == before[name], name
        for name in computed:
            assert after[name] == pytest.approx(before[name]), name
    assert again.result["results"][1]["speedup_ci95"] == pytest.approx([2.0, 2.0])


def test_a_measured_run_comes_back(model_folder, text_file, monkeypatch):
    monkeypatch.setattr("wlm.measuring.compare.BLOCK_SECONDS", 1e-9)
    *_, last = compare(CompareSpec(model=str(model_folder), text=str(text_file), bptt=5))
    run = Run("compare", last.measured.spec.to_json(), state=State.DONE)
    run = Run(**{**vars(run), "result": last.measured.to_json()})
    again = from_json(to_json(run)).result
    assert again == run.result
    assert len(run.result["groups"]) >= FEWEST_GROUPS
    assert run.result["results"][1]["speedup_ci95"] is not None


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([2, 2, 2], "whole numbers that add up to 5, the rounds, got"),
        ([], "run.result.groups must be a list of 1 to 25,000 or null, got"),
        ([5, 0], r"groups\[1\] must be a whole number from 1 to 25,000, got 0"),
        ([4.5, 0.5], r"groups\[0\] must be a whole number from 1 to 25,000, got 4.5"),
        ("many", "groups must be a list of 1 to 25,000 or null, got 'many'"),
    ],
)
def test_groups_that_are_not_those_of_the_rounds_are_refused(run, groups, words):
    run.result["groups"] = groups
    with pytest.raises(ReportError, match=words):
        from_json(to_json(run))


def test_words_composed_differently_come_back_with_their_warning(run):
    unknown = {"tokens": 2, "share": 0.02, "line_ends": False, "recomposed": 3}
    run.result["protocol"]["unknown"] = unknown
    again = from_json(to_json(run)).result
    assert again["protocol"]["unknown"] == unknown
    assert any("3 of the words read compose their accents" in said for said in again["warnings"])
    unknown["recomposed"] = -1
    with pytest.raises(ReportError, match="recomposed must be a whole number from 0 to"):
        from_json(to_json(run))


def test_a_message_quotes_little_of_an_exported_run(run):
    machine = run.result["machine"]
    for name, value in (("x" * 5_000, {}), ("a", ["x" * 5_000] * 101), ("a", "[" + "x" * 5_000)):
        run.result["machine"] = {**machine, name: value}
        with pytest.raises(ReportError) as refused:
            from_json(to_json(run))
        assert str(refused.value).count("x") <= 100
    run.result["machine"] = machine
    run.spec["x" * 5_000] = 1.0
    with pytest.raises(ReportError, match="has no setting") as refused:
        from_json(to_json(run))
    assert str(refused.value).count("x") <= 100


def test_a_run_that_measured_nothing_comes_back_too(run):
    failed = Run("compare", run.spec, state=State.FAILED, message="There is no text 'x'.")
    assert from_json(to_json(failed)).message == failed.message


def test_a_run_of_an_earlier_version_does_not_tell_its_weights(run):
    del run.result["protocol"]["weights_sha256"]
    assert "- model: `tiny`" in to_markdown(run).splitlines()
    assert from_json(to_json(run)).result["protocol"]["weights_sha256"] is None


def test_what_follows_from_the_blocks_is_computed_again(run):
    content = json.loads(to_json(run))
    result = content["run"]["result"]
    result["results"][1] |= {"verdict": "slower", "speedup_ci95": [9.0, 9.0], "spread": 0.0}
    result["results"][1] |= {"speedup": 9.0, "elapsed_s": 0.1, "cpu_s": 0.1, "perplexity": 1.0}
    result["results"][1] |= {"tokens_per_s": 1.0, "loss_delta": -9.0, "variant": "fp32"}
    result["results"][1] |= {"label": "best", "cpu_share": 99.0}
    result |= {"warnings": ["![](http://elsewhere/x.png)"], "rounds": 1, "surprise": 1}
    result["protocol"] |= {"model": "another", "threads": 64, "seed": 99}
    content["run"] |= {"id": "chosen", "visitor": "someone", "origin": "recorded", "server": "x"}
    again = from_json(json.dumps(content))
    chosen = again.result["results"][1]
    assert (chosen["verdict"], chosen["cpu_share"]) == ("faster", 1.0)
    assert (chosen["variant"], chosen["label"]) == ("int8", "int8 LSTM + Linear")
    assert chosen["speedup_ci95"] == pytest.approx([2.0, 2.0])
    assert chosen["spread"] > 0.0
    measured = run.result["results"][1]
    for name in ("speedup", "elapsed_s", "cpu_s", "tokens_per_s", "perplexity", "loss_delta"):
        assert chosen[name] == pytest.approx(measured[name]), name
    assert again.result["rounds"] == 5 and "surprise" not in again.result
    assert "elsewhere" not in str(again.result["warnings"])
    assert again.result["protocol"] == run.result["protocol"]
    assert again.id != "chosen"
    assert (again.visitor, again.origin, again.server) == ("", "imported", "")


def test_threads_of_a_larger_machine_are_no_error(run):
    content = json.loads(to_json(run))
    content["run"]["spec"]["threads"] = 96
    again = from_json(json.dumps(content))
    assert again.spec["threads"] == again.result["protocol"]["threads"] == 96


GONE = object()


RUN, RESULT, FIRST = ("run",), ("run", "result"), ("run", "result", "results", 1)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), "other", "format must be one of 'wlm-run', got 'other'"),
        (("version",), 2, "version must be one of 1, got 2"),
        (("version",), True, "version must be one of 1, got True"),
        (("run",), [], "run must be an object, got []"),
        ((*RUN, "spec"), GONE, "run must have kind, spec, state, "),
        ((*RUN, "kind"), "sweep", "run.kind must be one of 'compare', got 'sweep'"),
        ((*RUN, "state"), "running", "run.state must be one of 'done', "),
        ((*RUN, "created_at"), 1e12, "run.created_at must be a number from 0.0 to "),
        ((*RUN, "created_at"), None, "run.created_at must be a number from 0.0 to "),
        ((*RUN, "finished_at"), "now", "run.finished_at must be a number from 0.0 to "),
        ((*RUN, "message"), 7, "run.message must be at most 1000 printable characters without"),
        ((*RUN, "message"), "x" * 1001, "run.message must be at most 1000 printable"),
        ((*RUN, "message"), "\ud800", "run.message must be at most 1000 printable"),
        (
            (*RUN, "message"),
            "[x](y)",
            "printable characters without any of [ ] < > ` $, got '[x](y)'",
        ),
        (
            (*RUN, "spec", "variants"),
            "int8",
            "run.spec.variants must be a list of 1 to 20, got 'int8'",
        ),
        ((*RUN, "spec", "variants"), [], "run.spec.variants must be a list of 1 to 20, got []"),
        ((*RUN, "spec", "variants", 0), 7, "run.spec.variants[0] must be at most 100"),
        ((*RUN, "spec", "variants", 0), "int3", "run.spec: a variant is written fp32, int8"),
        (
            (*RUN, "spec", "model"),
            "`x`",
            "run.spec.model must be at most 300 printable characters without",
        ),
        ((*RUN, "spec", "corpus"), {}, "run.spec.corpus must be at most 300 printable"),
        ((*RUN, "spec", "threads"), 5000, "run.spec.threads must be a whole number from 1 to"),
        ((*RUN, "spec", "bptt"), 0, "run.spec: the chunk length must be a whole"),
        (
            (*RUN, "spec", "seconds"),
            math.nan,
            "run.spec.seconds must be a number or null, got 'NaN'",
        ),
        ((*RUN, "spec", "surprise"), 1, "run.spec: a comparison has no setting 'surprise'"),
        ((*RUN, "result"), 7, "run.result must be an object or null, got 7"),
        ((*RESULT, "machine"), GONE, "run.result must have machine, protocol, results; machine is"),
        (
            (*RESULT, "machine", "cpu"),
            "<b>",
            "run.result.machine.cpu must be at most 200 printable characters",
        ),
        ((*RESULT, "machine", "cpus"), 1.5, "run.result.machine.cpus must be a whole number"),
        ((*RESULT, "machine", "torch"), GONE, "quantized_engine; torch is missing"),
        ((*RESULT, "machine", "new"), {"a": 1}, "run.result.machine.new must be a number"),
        ((*RESULT, "machine", "new"), ["x"] * 101, "or a list of at most 100 of these, got ['x', "),
        (
            (*RESULT, "machine", "<b>"),
            1,
            "run.result.machine must be an object with names of at most 40",
        ),
        (
            (*RESULT, "protocol", "text"),
            "$x$",
            "run.result.protocol.text must be at most 300 printable char",
        ),
        (
            (*RESULT, "protocol", "tokens"),
            102,
            "run.result.protocol.tokens must be the batch size and",
        ),
        ((*RESULT, "protocol", "tokens"), 1, "run.result.protocol.tokens must be a whole number"),
        ((*RESULT, "protocol", "weights_sha256"), "0A" * 32, "must be 64 hexadecimal digits or"),
        ((*RESULT, "protocol", "weights_sha256"), 7, "weights_sha256 must be 64 hexadecimal dig"),
        ((*RESULT, "results"), [], "run.result.results must be a list of 1 to 20, got []"),
        (FIRST, "x", "run.result.results[1] must be an object, got 'x'"),
        ((*FIRST, "size_bytes"), -1, "run.result.results[1].size_bytes must be a whole number"),
        ((*FIRST, "loss"), -0.1, "run.result.results[1].loss must be a number from 0.0 to 500.0"),
        ((*FIRST, "loss"), math.nan, "run.result.results[1].loss must be a number"),
        ((*FIRST, "loss"), math.inf, "run.result.results[1].loss must be a number"),
        ((*FIRST, "loss"), True, "run.result.results[1].loss must be a number"),
        ((*FIRST, "loss"), 10**400, "run.result.results[1].loss must be a number"),
        ((*FIRST, "loss_delta_ci95"), [0.6, 0.4], "results[1].loss_delta_ci95 must be two numbers"),
        (
            (*FIRST, "loss_delta_ci95"),
            [0.4],
            "results[1].loss_delta_ci95 must be a list of 2 or null, got [0.4]",
        ),
        ((*FIRST, "loss_delta_ci95", 0), "x", "results[1].loss_delta_ci95[0] must be a number"),
        ((*FIRST, "context_switches"), -1, "results[1].context_switches must be a whole number"),
        (
            (*FIRST, "blocks"),
            [],
            "run.result.results[1].blocks must be a list of 1 to 25,000, got []",
        ),
        ((*FIRST, "blocks", 2), 7, "run.result.results[1].blocks[2] must be an object, got 7"),
        (
            (*FIRST, "blocks", 2, "tokens"),
            41,
            "results[1].blocks must be blocks with the baseline's tokens",
        ),
        ((*FIRST, "blocks", 2, "tokens"), 0, "results[1].blocks[2].tokens must be a whole number"),
        ((*FIRST, "blocks", 2, "wall_s"), 0.0, "results[1].blocks[2].wall_s must be a number"),
        ((*FIRST, "blocks", 2, "cpu_s"), -1.0, "results[1].blocks[2].cpu_s must be a number"),
        (
            (*FIRST, "blocks", 2, "cpu_s"),
            GONE,
            "run.result.results[1].blocks[2] must have tokens, ",
        ),
    ],
)
def test_a_bad_import_names_the_field_what_is_allowed_and_what_came(run, place, value, message):
    content = copy.deepcopy(json.loads(to_json(run)))
    target = content
    for step in place[:-1]:
        target = target[step]
    if value is GONE:
        del target[place[-1]]
    else:
        target[place[-1]] = value
    with pytest.raises(ReportError) as error:
        from_json(json.dumps(content))
    assert message in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a JSON file"),
        (b"\xff\xfe\x00\xff", "must be a JSON file"),
        ("[" * 100_000, "must be a JSON file"),
        ("1" * 5_000, "must be a JSON file"),
        ("[]", "the file must be an object, got []"),
        ("null", "the file must be an object, got None"),
        (" " * (run_import.MOST_BYTES + 1), "at most 5,000,000 bytes, got 5,000,001"),
    ],
    ids=["empty", "binary", "deep", "long number", "list", "null", "large"],
)
def test_a_file_that_is_no_export_is_reported_in_words(text, message):
    with pytest.raises(ReportError) as error:
        from_json(text)
    assert message in str(error.value)


def test_a_setting_nested_deeply_is_no_defect(run):
    text = to_json(run).replace('"tokens": null', '"tokens": ' + "[" * 900 + "]" * 900, 1)
    with pytest.raises(ReportError, match=r"run\.spec"):
        from_json(text)


def test_more_blocks_than_any_run_has_are_refused(run):
    blocks = run.result["results"][1]["blocks"]
    run.result["results"][1]["blocks"] = blocks * (run_import.MOST_ROUNDS // len(blocks) + 1)
    with pytest.raises(ReportError, match=r"\[1\]\.blocks must be a list of 1 to 25,000, got"):
        from_json(to_json(run))


def test_a_list_that_is_too_short_for_the_variants_is_refused(run):
    del run.result["results"][1]
    with pytest.raises(ReportError, match="results must be a list of 2, one per variant"):
        from_json(to_json(run))


def test_a_time_that_has_not_come_yet_is_refused(run):
    content = json.loads(to_json(run))
    content["run"]["finished_at"] = time.time() + 2 * 86_400
    with pytest.raises(ReportError, match="finished_at must be a time that has passed"):
        from_json(json.dumps(content))


def test_a_run_of_other_runtimes_is_read_back(model_folder, text_file, monkeypatch):
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
    names = ("fp32", "onnxruntime:", "onnxruntime:lstm=int8,linear=int8,embedding=int8")
    labels = ["fp32", "ORT fp32", "ORT int8 all"]
    spec = CompareSpec(variants=names, model="tiny", text="short", tokens=100)
    *_, last = compare(spec)
    made = Run("compare", spec.to_json(), state=State.DONE, result=last.measured.to_json())
    read = from_json(to_json(made))
    assert read.spec["variants"] == list(names)
    assert [variant["label"] for variant in read.result["results"]] == labels
    assert read.result == made.result


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("onnxruntime:lstm=fp16", "lstm must be one of fp32, int8, int8-channel on onnxruntime"),
        ("tensorrt:", "the runtime must be one of pytorch, onnxruntime, got 'tensorrt'"),
        ("int8,engine=mkl", "a variant is written fp32, int8 or"),
    ],
)
def test_a_run_of_an_unknown_variant_is_refused(run, name, words):
    content = json.loads(to_json(run))
    content["run"]["spec"]["variants"][1] = name
    with pytest.raises(ReportError, match=f"run.spec: {re.escape(words)}"):
        from_json(json.dumps(content))


def test_memory_comes_back(run):
    found = {"added_bytes": 141_000_000, "peak_bytes": 256_000_000, "measure": "USS"}
    run.spec["memory"] = True
    for row, memory in zip(
        run.result["results"], (found | {"more": "[x](evil)"}, None), strict=True
    ):
        row["memory"] = memory
    imported = from_json(to_json(run))
    assert imported.spec["memory"] is True
    assert [row["memory"] for row in imported.result["results"]] == [found, None]
    run.result["results"][0]["memory"]["measure"] = "[x](evil)"
    with pytest.raises(ReportError, match="measure must be one of 'USS', 'RSS', got"):
        from_json(to_json(run))


def test_an_agreement_comes_back_without_the_words_of_the_text(run):
    numbers = dict.fromkeys(STATISTICS, 0.5) | {f"{name}_ci95": None for name in STATISTICS}
    told = {"tokens": 100, **numbers, "kl_histogram": [1] * BINS}
    run.result["results"][1]["agreement"] = told | {"furthest": [{"word": "[x](evil)"}]}
    imported = from_json(to_json(run))
    assert imported.result["results"][1]["agreement"] == told | {"furthest": []}
    run.result["results"][1]["agreement"]["kl_mean"] = "[x](evil)"
    with pytest.raises(ReportError, match="kl_mean must be a number"):
        from_json(to_json(run))

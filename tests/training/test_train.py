"""Training: the loss falls, a stop loses nothing, and what is wrong is said."""

import json
import random
import signal
import subprocess
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from helpers.processes import exit_code_of, start_wlm
from wlm.cli.main import main
from wlm.errors import SettingError, TextError, TrainError
from wlm.measuring.evaluate import Evaluation, evaluate_blocks
from wlm.model.lstm import LSTMModel
from wlm.text.corpus import Corpus, batchify
from wlm.training import train as training
from wlm.training.recipe import PRESETS, Recipe
from wlm.training.sampled_softmax import NegativeSampler, sampled_cross_entropy
from wlm.training.stacked_lstm import StackedLSTM, drop, new_model
from wlm.training.state import STATE, save_state
from wlm.training.train import train
from wlm.weights.checkpoint import load_checkpoint

SMALL = Recipe(
    ninp=16, nhid=16, nlayers=2, batch_size=4, bptt=5, epochs=3.0, full_epochs=1.0, negatives=12,
    learning_rate=0.02, full_learning_rate=0.01, dropout=0.1, layer_dropout=0.1, threads=1,
)  # fmt: skip


@pytest.fixture
def corpus(tmp_path):
    """A language in which each noun has its own verb: a unigram model cannot learn that."""
    folder, chosen = tmp_path / "corpus", random.Random(3)
    folder.mkdir()
    nouns = [f"noun{i}" for i in range(10)]
    for name, lines in (("train", 400), ("valid", 40), ("test", 40)):
        drawn = [chosen.choice(nouns) for _ in range(lines)]
        text = "".join(f"the {noun} {noun.replace('noun', 'verb')} .\n" for noun in drawn)
        (folder / f"{name}.txt").write_text(text, "utf-8")
    return folder


def run(*arguments, **options):
    for progress in train(*arguments, **options):
        last = progress
    return last


@pytest.mark.slow
def test_the_loss_falls_and_the_model_loads_with_the_loss_on_its_card(corpus, tmp_path):
    out = tmp_path / "out"
    settings = replace(SMALL, epochs=10.0, full_epochs=4.0)
    last = run(corpus, out, settings)
    losses = [point["valid_loss"] for point in last.curve]
    # One word in five is a free choice of ten, log(10) / 5 = 0.46 nats per token; a model that
    # does not know which verb goes with a noun cannot fall below 0.92.
    assert losses[-1] < losses[0] and 0.44 < losses[-1] < 0.75
    checkpoint = load_checkpoint(out)
    ids = batchify(Corpus.from_folder(corpus, "frequency").test, 1)
    loss = Evaluation.of(evaluate_blocks(checkpoint.model, ids)).loss
    assert checkpoint.card["test_loss"]["fp32"] == pytest.approx(loss, abs=1e-4)
    assert checkpoint.card["unknown"] == {"tokens": 0, "share": 0.0}
    assert checkpoint.card["training"]["settings"] == settings.to_json()
    assert checkpoint.card["training"]["curve"] == list(last.curve)
    assert not (out / STATE).exists()


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 100, 260, 390])
def test_a_stopped_training_goes_on_to_the_same_weights(corpus, tmp_path, steps):
    run(corpus, tmp_path / "whole", SMALL)
    taken = []
    for _ in train(corpus, tmp_path / "out", SMALL, stopped=lambda: len(taken) >= steps):
        taken.append(1)
    assert not (tmp_path / "out" / "card.json").exists()
    run(corpus, tmp_path / "out", resume=True)
    whole, parts = (load_checkpoint(tmp_path / name) for name in ("whole", "out"))
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, parts.model.state_dict()[key]), key
    curves = [checkpoint.card["training"]["curve"] for checkpoint in (whole, parts)]
    assert curves[0] == curves[1]


@pytest.mark.slow
def test_time_can_bound_a_training(corpus, tmp_path):
    last = run(corpus, tmp_path / "out", replace(SMALL, epochs=900.0, minutes=0.02))
    card = load_checkpoint(tmp_path / "out").card
    assert card["training"]["steps"]["phase 1"] < 900 * 100
    assert {point["phase"] for point in last.curve} == {1, 2}


def test_all_words_as_negatives_are_the_full_softmax():
    hidden, weight, bias = torch.randn(7, 3), torch.randn(5, 3), torch.randn(5)
    targets = torch.tensor([0, 1, 2, 3, 4, 4, 0])
    sampler = NegativeSampler(torch.tensor([5, 0, 2, 9, 1]), 5)
    words = sampler.draw(torch.Generator().manual_seed(1))
    loss = sampled_cross_entropy(hidden, weight, bias, targets, words, sampler.log_inclusion)
    full = F.cross_entropy(hidden @ weight.T + bias, targets)
    torch.testing.assert_close(loss, full)


def test_some_negatives_by_hand():
    # Logits 1, 2, 3 of three words; word 2 drawn with p 0.5, the target is word 0.
    hidden, weight = torch.ones(1, 1), torch.tensor([[1.0], [2.0], [3.0]])
    log_p = torch.tensor([0.5, 0.5, 0.5]).log()
    found = sampled_cross_entropy(
        hidden, weight, torch.zeros(3), torch.tensor([0]), torch.tensor([2, 0]), log_p
    )
    e = torch.tensor([1.0, 3.0]).exp()
    torch.testing.assert_close(found, -(e[0] / (e[0] + 2 * e[1])).log())


def test_words_are_drawn_as_often_as_their_inclusion_probability_says():
    sampler = NegativeSampler(torch.tensor([400, 100, 50, 20, 10, 5, 1, 0, 30, 60]), 4)
    generator, seen = torch.Generator().manual_seed(5), torch.zeros(10)
    for _ in range(4_000):
        words = sampler.draw(generator)
        assert len(set(words.tolist())) == 4
        seen[words] += 1
    # Exact where K is large; with 4 of 10 words the threshold itself still moves.
    torch.testing.assert_close(seen / 4_000, sampler.log_inclusion.exp(), atol=0.06, rtol=0)


def test_layers_one_by_one_are_the_model():
    model = LSTMModel(11, 6, 4, 3, dropout=0.0)
    input, hidden = torch.randint(11, (5, 2)), model.init_hidden(2)
    output, state = StackedLSTM(model)(input, hidden)
    logits, expected = model(input, hidden)
    torch.testing.assert_close(model.decoder(output), logits)
    torch.testing.assert_close(state, tuple(state.detach() for state in expected))


def test_lower_layers_are_added_with_their_weight():
    model = LSTMModel(11, 4, 4, 3, dropout=0.0)
    input, hidden = torch.randint(11, (5, 2)), model.init_hidden(2)
    outputs, rows = [], model.encoder(input)
    for i, layer in enumerate(StackedLSTM(model).layers):
        rows, _ = layer(rows, (hidden[0][i : i + 1], hidden[1][i : i + 1]))
        outputs.append(rows)
    found, _ = StackedLSTM(model)(input, hidden, addition=0.25)
    torch.testing.assert_close(found, outputs[2] + 0.25 * (outputs[0] + outputs[1]))


def test_dropout_keeps_the_mean_and_draws_from_the_generator():
    values = torch.ones(100_000)
    first, second = (drop(values, 0.2, torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(first, second) and set(first.tolist()) == {0.0, 1.25}
    assert first.mean().item() == pytest.approx(1.0, abs=0.01)


def test_a_new_model_starts_as_the_recipe_says():
    state = new_model(50, SMALL).state_dict()
    for layer in range(2):
        bias = state[f"rnn.bias_ih_l{layer}"] + state[f"rnn.bias_hh_l{layer}"]
        assert bias.tolist() == [0.0] * 16 + [1.0] * 16 + [0.0] * 32
    assert 0.09 < state["encoder.weight"].abs().max() <= 0.1
    assert not state["decoder.bias"].any()


def test_schedules_by_hand():
    recipe = Recipe(learning_rate=1.0, full_learning_rate=1.0, warm_up=0.2, additions=0.5)
    assert [recipe.rate(1, share) for share in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx(
        [0, 0.5, 1, 0.65, 0.3]
    )
    assert [recipe.rate(2, share) for share in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
    assert [recipe.addition(1, share) for share in (0, 0.25, 0.5, 1)] == [1, 0.5, 0, 0]
    assert recipe.addition(2, 0) == 0
    assert replace(recipe, minutes=10.0).budget(1) == 360 and recipe.budget(2) is None


def test_words_are_ordered_by_falling_count_in_train(tmp_path):
    for name, text in (("train", "b a a c\n"), ("valid", "d a\n"), ("test", "b\n")):
        (tmp_path / f"{name}.txt").write_text(text)
    found = Corpus.from_folder(tmp_path, "frequency").vocabulary.words
    assert found == ["a", "b", "c", "<eos>", "d"]


def test_nothing_is_overwritten_and_nothing_missing_is_resumed(corpus, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(TrainError, match="no unfinished training"):
        run(corpus, out, resume=True)
    list(train(corpus, out, SMALL, stopped=lambda: True))
    with pytest.raises(TrainError, match="unfinished training: --resume"):
        run(corpus, out, SMALL)
    (corpus / "train.txt").write_text("another text\n" * 100)
    with pytest.raises(TrainError, match="began with another text"):
        run(corpus, out, resume=True)
    (out / STATE).write_bytes(b"no state")
    with pytest.raises(TrainError, match="damaged"):
        run(corpus, out, resume=True)


@pytest.fixture
def begun(corpus, tmp_path):
    """The folder of a training that was stopped before its first step, and its state."""
    out = tmp_path / "out"
    list(train(corpus, out, SMALL, stopped=lambda: True))
    return out, torch.load(out / STATE, weights_only=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": {"order": "frequency"}}, "must have exactly the recipe's names"),
        ({"recipe": {**SMALL.to_json(), "nhid": 0}}, "nhid must be .* from 1 to 8,192, got 0"),
        ({"recipe": {**SMALL.to_json(), "nhid": 8}}, "training.pt in .* is damaged: .*size mis"),
        ({"model": {}}, "training.pt in .* is damaged: .*encoder.weight"),
        ({"hidden": None}, "training.pt in .* is damaged: "),
        ({"curve": ...}, "training.pt in .* is damaged: 'curve'"),
        ({"data_sha256": ...}, "training.pt in .* is damaged: 'data_sha256'"),
    ],
)
def test_a_damaged_state_is_refused(corpus, begun, change, message):
    out, state = begun
    changed = {key: value for key, value in {**state, **change}.items() if value is not ...}
    torch.save(changed, out / STATE)
    with pytest.raises(TrainError, match=message):
        run(corpus, out, resume=True)


def test_a_state_that_cannot_be_written_is_said(corpus, tmp_path):
    out = tmp_path / "out"
    (out / STATE).mkdir(parents=True)
    (out / STATE / "file").touch()
    state = torch.zeros(1)
    with pytest.raises(
        TrainError, match=r"the training cannot be saved in '.*out': .*training\.pt"
    ):
        save_state(out, state)


def test_a_training_is_saved_on_the_way(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SECONDS_BETWEEN_SAVES", -1.0)
    progress = train(corpus, tmp_path / "out", SMALL)
    next(progress), next(progress)
    saved = torch.load(tmp_path / "out" / STATE, weights_only=True)
    assert saved["taken"] == {1: 2, 2: 0}


@pytest.mark.parametrize("evaluations", [0, 1])
def test_a_training_stopped_at_its_last_evaluation_goes_on_from_there(
    corpus, tmp_path, evaluations
):
    out, checks = tmp_path / "out", []

    def stopped() -> bool:
        # Of valid's text there is one block, asked before it is counted.
        return bool(checks) and checks.append(1) is None and len(checks) > 1 + evaluations

    for progress in train(
        corpus, out, replace(SMALL, epochs=0.05, full_epochs=0.0), stopped=stopped
    ):
        if progress.stage == "test loss":
            checks.append(1)
    assert not (out / "card.json").exists() and (out / STATE).exists()
    last = run(corpus, out, resume=True)
    assert last.stage == "test loss" and load_checkpoint(out).card["training"]["curve"]
    assert not (out / STATE).exists()


def test_a_loss_that_is_not_finite_ends_the_training_in_words(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "sampled_cross_entropy", lambda *_: torch.tensor(float("nan")))
    message = "loss must stay finite, got nan after 0 steps: try a lower learning rate"
    with pytest.raises(TrainError, match=message):
        run(corpus, tmp_path / "out", SMALL)


def test_a_training_of_no_epochs_is_refused():
    with pytest.raises(TrainError, match="epochs and full_epochs must not both be 0"):
        replace(SMALL, epochs=0.0, full_epochs=0.0)


def test_an_unknown_order_of_words_is_refused():
    message = "order must be one of appearance, frequency, got 'alphabet'"
    with pytest.raises(TextError, match=message):
        replace(SMALL, order="alphabet")


def test_a_folder_that_cannot_be_written_is_refused_before_the_text_is_read(tmp_path, capsys):
    (tmp_path / "file").write_text("", "utf-8")
    out = tmp_path / "file" / "out"
    with pytest.raises(TrainError, match=r"cannot be saved in .*file/out"):
        next(train(tmp_path / "no corpus", out))
    assert main(["train", "--corpus", str(tmp_path / "no corpus"), "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "cannot be saved" in error and "Traceback" not in error


@pytest.mark.parametrize(
    "change",
    [{"nhid": 0}, {"epochs": -1.0}, {"minutes": 0.0}, {"batch_size": 1_000}, {"threads": 0},
     {"learning_rate": float("nan")}, {"dropout": 1.0}],
)  # fmt: skip
def test_settings_out_of_range_are_named(change):
    with pytest.raises(SettingError, match=f"{next(iter(change))} must be"):
        replace(SMALL, **change)


def test_a_text_that_is_too_short_is_named(tmp_path):
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.txt").write_text("a b c\n")
    with pytest.raises(SettingError, match="the training text's tokens must be"):
        run(tmp_path, tmp_path / "out", SMALL)


COMMAND = "--preset tiny --nhid 16 --ninp 16 --batch-size 4 --threads 1 --epochs 2".split()


def test_the_command_trains(corpus, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["train", "--corpus", str(corpus), "--out", str(out), "--json", *COMMAND]) == 0
    printed = capsys.readouterr()
    card = json.loads(printed.out)
    assert card["training"]["settings"]["nhid"] == 16
    assert len(card["training"]["curve"]) == 2
    assert "epoch 1.00: train loss" in printed.err


def test_the_command_goes_on_and_tells_of_new_epochs_alone(corpus, tmp_path, capsys):
    for name in ("train", "test"):
        path = corpus / f"{name}.txt"
        path.write_text(path.read_text("utf-8")[:900] + "the <unk> sings .\n" * 4, "utf-8")
    chosen = {"nhid": 16, "ninp": 16, "batch_size": 4, "threads": 1, "epochs": 2.0}
    recipe, curve = replace(PRESETS["tiny"], **chosen), []
    for progress in train(corpus, tmp_path / "out", recipe, stopped=lambda: curve):
        curve.extend(progress.curve)
    places = ["--corpus", str(corpus), "--out", str(tmp_path / "out")]
    assert main(["train", *places, "--resume"]) == 0
    printed, errors = capsys.readouterr()
    assert "epoch 1.00" not in errors and "epoch 2.00: train loss" in errors
    assert printed.endswith(", of its words 1.8% unknown (4)\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nhid", "0"], "nhid must be a whole number from 1 to 8,192, got 0"),
        (["--resume"], "no unfinished training"),
        (["--resume", "--nhid", "8"], "--resume keeps the settings"),
    ],
)
def test_the_command_tells_what_is_wrong(corpus, tmp_path, capsys, arguments, message):
    assert main(["train", "--corpus", str(corpus), "--out", str(tmp_path / "o"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


@pytest.mark.slow
def test_ctrl_c_saves_and_the_command_goes_on(corpus, tmp_path):
    out = tmp_path / "out"
    arguments = ["train", "--corpus", corpus, "--out", out, *COMMAND[:-1], "900", "--minutes", "5"]
    started = start_wlm(*arguments, stdout=None, stderr=subprocess.PIPE)
    for line in started.stderr:  # it trains once it tells of an epoch
        if "epoch" in line:
            break
    started.send_signal(signal.SIGINT)
    rest = started.stderr.read()
    assert exit_code_of(started) == 130, rest
    assert "saved; to go on" in rest and "Traceback" not in rest
    assert [path.name for path in out.iterdir()] == [STATE]

"""Training from scratch: two phases, stoppable between any two steps and resumable."""

import math
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wlm.errors import TrainError, check_range
from wlm.measuring.evaluate import Evaluation, check_threads, evaluate_blocks, thread_count
from wlm.measuring.machine import describe_machine
from wlm.model.lstm import Hidden
from wlm.progress import Progress
from wlm.text.corpus import Corpus, batchify, get_batch
from wlm.training.recipe import Recipe
from wlm.training.sampled_softmax import NegativeSampler, sampled_cross_entropy
from wlm.training.schedule import Schedule
from wlm.training.stacked_lstm import StackedLSTM, new_model
from wlm.training.state import STATE, damaged, load_state, make_place, save_state
from wlm.weights.checkpoint import save_checkpoint

VALID_TOKENS = 50_000
SECONDS_BETWEEN_SAVES = 300.0


@dataclass(frozen=True)
class TrainProgress(Progress):
    """The progress of a training, with the points of its curve so far: epoch, mean training loss
    since the point before, and validation loss (nats per token)."""

    curve: tuple[dict, ...] = ()


def train(
    corpus: str | Path,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    resume: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[TrainProgress]:
    """Train on a folder with train.txt, valid.txt and test.txt; leave a model folder in `out`.

    Yields after every step. When `stopped` turns true, the state is saved and it ends; so it is
    every five minutes. With `resume` it goes on from there, with the settings it began with, to
    the same weights as without a stop (unless `minutes` limits it: clocks differ).

    Raises TrainError, TextError, CheckpointError.
    """
    training = _Training(Path(corpus), Path(out), recipe, resume)
    yield from training.run(stopped)


class _Training:
    """One training: its data, its model, and how far it is."""

    def __init__(self, folder: Path, out: Path, recipe: Recipe | None, resume: bool):
        saved = load_state(out, resume)
        make_place(out)  # refused now rather than after five minutes
        self.recipe = recipe = saved["recipe"] if saved else recipe or Recipe()
        check_threads(recipe.threads)
        self.corpus = corpus = Corpus.from_folder(folder, recipe.order)
        self.folder, self.out = folder, out
        self.data_hash = corpus.sha256()
        if saved and saved["data_sha256"] != self.data_hash:
            raise TrainError(
                f"the training in {str(out)!r} began with another text: its sha256 must be "
                f"{saved['data_sha256']:.12}…, got {self.data_hash:.12}…"
            )
        least = recipe.batch_size * 2 + recipe.bptt
        check_range("the training text's tokens", len(corpus.train), least, 10**10)
        self.valid_columns = min(10, len(corpus.valid) // 2)
        counts = torch.bincount(corpus.train, minlength=len(corpus.vocabulary))
        self.sampler = NegativeSampler(counts, recipe.negatives)
        self.model = new_model(len(corpus.vocabulary), recipe)
        self.schedule = Schedule(recipe, len(corpus.train), self.model.config)
        self.stack = StackedLSTM(self.model)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), betas=(0.9, 0.99), weight_decay=recipe.weight_decay, fused=True
        )
        self.hidden = self.model.init_hidden(recipe.batch_size)
        self.rows = None
        self.curve: list[dict] = []
        self.loss_sum, self.loss_steps = 0.0, 0  # since the curve's last point
        if saved:
            self._restore(saved)

    def run(self, stopped: Callable[[], bool]) -> Iterator[TrainProgress]:
        last_save = time.monotonic()
        with thread_count(self.recipe.threads):
            while phase := self.schedule.phase:
                if stopped():
                    self._save()
                    return
                self._step(phase)
                if time.monotonic() - last_save > SECONDS_BETWEEN_SAVES:
                    self._save()
                    last_save = time.monotonic()
                yield self._progress(phase)
            self._save()
            yield TrainProgress("test loss", 1.0, curve=tuple(self.curve))
            self._finish(stopped)

    def _step(self, phase: int) -> None:
        """Take one optimizer step; at the end of an epoch or a phase, validate."""
        began = time.perf_counter()
        recipe, schedule = self.recipe, self.schedule
        step, share = schedule.all_taken, schedule.share(phase)
        # Seeded by the step: nothing of the generators' states needs to be saved.
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        epoch, position = divmod(step, schedule.steps_per_epoch)
        if position == 0 or self.rows is None:
            self.rows = self._epoch_rows(epoch)  # (N, B)
        input, targets = get_batch(self.rows, position * recipe.bptt, recipe.bptt)
        output, self.hidden = self.stack(
            input,
            self.hidden,
            dropout=recipe.dropout,
            layer_dropout=recipe.layer_dropout,
            addition=recipe.addition(phase, share),
            generator=generator,
        )
        loss = self._loss(phase, output.flatten(0, 1), targets, generator)
        if not math.isfinite(value := loss.item()):
            raise TrainError(
                f"the loss must stay finite, got {value} after {step:,} steps: "
                "try a lower learning rate"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate(phase, share)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip)
        self.optimizer.step()
        self.loss_sum += value
        self.loss_steps += 1
        schedule.taken[phase] += 1
        schedule.seconds[phase] += time.perf_counter() - began
        if position + 1 == schedule.steps_per_epoch or schedule.phase != phase:
            self._validate(phase, (step + 1) / schedule.steps_per_epoch)

    def _loss(
        self, phase: int, output: Tensor, targets: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return the loss of outputs (T * B, H), with a sampled softmax in phase 1."""
        decoder = self.model.decoder
        if phase == 2:
            return F.cross_entropy(decoder(output), targets)
        words, log_p = self.sampler.draw(generator), self.sampler.log_inclusion
        return sampled_cross_entropy(output, decoder.weight, decoder.bias, targets, words, log_p)

    def _epoch_rows(self, epoch: int) -> Tensor:
        """Return the text in columns from a random start, (N, B), other in every epoch."""
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 - 1 - epoch)
        start = int(torch.randint(self.recipe.bptt, (1,), generator=generator))
        tokens = self.schedule.column_tokens * self.recipe.batch_size
        return batchify(self.corpus.train[start : start + tokens], self.recipe.batch_size)

    def _progress(self, phase: int) -> TrainProgress:
        schedule = self.schedule
        spent, left = sum(schedule.seconds.values()), schedule.seconds_left()
        epoch = schedule.all_taken / schedule.steps_per_epoch
        loss = self.loss_sum / self.loss_steps if self.loss_steps else self.curve[-1]["train_loss"]
        stage = f"phase {phase}, epoch {epoch:.2f}, loss {loss:.3f}"
        return TrainProgress(stage, spent / (spent + left), left, curve=tuple(self.curve))

    def _validate(self, phase: int, epoch: float) -> None:
        loss = self._evaluate(self.corpus.valid[:VALID_TOKENS], self.valid_columns)
        self.curve.append(
            {
                "epoch": round(epoch, 4),
                "phase": phase,
                "train_loss": self.loss_sum / self.loss_steps,
                "valid_loss": loss,
            }
        )
        self.loss_sum, self.loss_steps = 0.0, 0

    def _evaluate(
        self, ids: Tensor, batch_size: int, stopped: Callable[[], bool] = lambda: False
    ) -> float | None:
        """Return the loss of ids (N,), or None if `stopped` has become true."""
        blocks = []
        for block in evaluate_blocks(
            self.model, batchify(ids, batch_size), threads=self.recipe.threads
        ):
            if stopped():
                return None
            blocks.append(block)
        return Evaluation.of(blocks).loss

    def _finish(self, stopped: Callable[[], bool]) -> None:
        """Write the model folder and remove the state, unless stopped: the state is saved."""
        recipe, machine, most = self.recipe, describe_machine(), self.recipe.card_tokens
        # The losses are those of the weights on disk, in fp16, held as fp32.
        for parameter in self.model.parameters():
            parameter.data = parameter.data.half().float()
        valid = self._evaluate(self.corpus.valid[:most], self.valid_columns, stopped)
        test = None if valid is None else self._evaluate(self.corpus.test[:most], 1, stopped)
        if test is None:
            return
        unknown = int(self.corpus.vocabulary.is_unknown(self.corpus.test[:most]).sum())
        card = {
            "origin": "trained by python -m wlm train",
            "trained_on": f"{self.folder.resolve().name}, train.txt",
            "data_sha256": self.data_hash,
            "vocabulary": f"{len(self.corpus.vocabulary):,} words, order: {recipe.order}",
            "valid_loss": round(valid, 4),
            "test_loss": {"fp32": round(test, 4)},
            "unknown": {"tokens": unknown, "share": unknown / len(self.corpus.test[:most])},
            "loss_unit": "nats per token, <eos> included, bptt 25; test: batch 1, valid: batch 10"
            + (f"; the first {most:,} tokens of each" if most else ""),
            "training": {
                "settings": recipe.to_json(),
                "steps": {f"phase {phase}": n for phase, n in self.schedule.taken.items()},
                "minutes": round(sum(self.schedule.seconds.values()) / 60, 1),
                "cpu": machine["cpu"],
                "torch": torch.__version__,
                "python": platform.python_version(),
                "curve": self.curve,
                "curve_unit": "nats per token; train: mean since the row before, dropout on, "
                f"sampled softmax in phase 1; valid: its first {VALID_TOKENS:,} tokens",
            },
        }
        save_checkpoint(self.out, self.model, self.corpus.vocabulary, card)
        (self.out / STATE).unlink(missing_ok=True)

    def _save(self) -> None:
        save_state(
            self.out,
            {
                "recipe": self.recipe.to_json(),
                "data_sha256": self.data_hash,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "hidden": self.hidden,
                "taken": self.schedule.taken,
                "seconds": self.schedule.seconds,
                "curve": self.curve,
                "loss": (self.loss_sum, self.loss_steps),
            },
        )

    def _restore(self, saved: dict) -> None:
        try:
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.hidden: Hidden = tuple(saved["hidden"])
            self.schedule.taken, self.schedule.seconds = saved["taken"], saved["seconds"]
            self.curve = saved["curve"]
            self.loss_sum, self.loss_steps = saved["loss"]
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise damaged(self.out, error) from None

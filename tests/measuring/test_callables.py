"""Callables of any kind, compared as the model's variants are."""

from functools import partial

import pytest
import torch

import wlm
from wlm.errors import SettingError
from wlm.measuring import callables as module
from wlm.measuring.callables import compare_callables
from wlm.paths import ROOT
from wlm.quantization.pytorch import missing_engine
from wlm.quantization.variant import Variant


@pytest.fixture
def clock(monkeypatch):
    """A clock that only work moves on: `work(seconds)`."""

    class Clock:
        now = 0.0

        def perf_counter(self) -> float:
            return self.now

        def work(self, seconds: float) -> None:
            self.now += seconds

    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_the_speedup_and_the_verdict_are_those_of_the_calls(clock):
    slow, fast, other = compare_callables(
        {
            "slow": lambda: clock.work(0.02),
            "fast": lambda: clock.work(0.005),
            "other": lambda: clock.work(0.04),
        },
        seconds=3.0,
    )
    assert slow.verdict == "baseline" and slow.seconds == pytest.approx(0.02)
    assert fast.verdict == "faster" and fast.speedup == pytest.approx(4.0)
    assert other.verdict == "slower" and other.speedup == pytest.approx(0.5)
    assert (fast.low, fast.high) == pytest.approx((4.0, 4.0))
    assert str(fast) == "fast: 0.005 s a call, speed-up 4.00 (4.00 to 4.00), faster"


def test_every_callable_is_prepared_again_for_each_group(clock):
    made = []

    def prepare(call):
        made.append(call)
        return lambda: call()

    calls = {"a": lambda: clock.work(0.1), "b": lambda: clock.work(0.1)}
    _, b = compare_callables(calls, seconds=0.1, prepare=prepare)
    assert len(made) == 2 * 5  # five groups at least, however short the budget
    assert b.verdict == "undecided"


def test_a_module_lies_in_new_memory_for_each_group(clock):
    layer, places = torch.nn.Linear(4, 4), []

    class Call:
        def __init__(self):
            self.layer = layer

        def __call__(self):
            places.append(self.layer.weight)  # kept, so that no other lies in the same place
            clock.work(0.1)

    compare_callables({"one": Call(), "same": Call()}, seconds=0.1)
    assert len({weight.data_ptr() for weight in places}) == 2 * 5
    assert layer.weight.data_ptr() not in {weight.data_ptr() for weight in places}


def test_it_is_exported_and_compares_what_a_notebook_has():
    layer, input = torch.nn.Linear(8, 8), torch.zeros(1, 8)
    calls = {"two": partial(layer, input), "again": partial(layer, input)}
    first, second = wlm.compare_callables(calls, seconds=0.1)
    assert first.seconds > 0.0 and second.low <= second.speedup <= second.high


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(bool(missing_engine(Variant.parse("int8"))), reason="no int8 on this machine")
def test_the_example_of_the_documentation_runs(capsys):
    text = (ROOT / "docs" / "callables.md").read_text("utf-8")
    exec(text.split("```python\n")[1].split("```")[0].replace("seconds=5", "seconds=0.1"), {})
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("fp32: ") and first.endswith("the baseline")
    assert second.startswith("int8: ") and "speed-up" in second


@pytest.mark.parametrize(
    ("calls", "settings", "words"),
    [
        ({"one": print}, {}, "the number of callables must be a whole number from 2 to 8, got 1"),
        ({"one": print, "two": 3}, {}, "'two' must be callable, got int"),
        ({"one": print, "two": print}, {"seconds": 0}, "seconds must be a number from 0.1"),
    ],
)
def test_what_cannot_be_compared_is_refused(calls, settings, words):
    with pytest.raises(SettingError, match=words):
        compare_callables(calls, **settings)

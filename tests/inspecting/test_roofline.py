"""Work from shapes alone, and what limits it, against numbers worked out by hand."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from wlm.inspecting import roofline
from wlm.inspecting.roofline import Roofline, Work, measure_roofline, work
from wlm.model.lstm import ModelConfig
from wlm.quantization.variant import Variant

CONFIG = ModelConfig(ntoken=20, ninp=8, nhid=6, nlayers=2)
# 10 and 40 GB/s, 100 and 400 Gop/s: the roof bends at 10 and at 40 operations a byte.
ROOFLINE = Roofline(10e9, 40e9, 100e9, 400e9)


def test_multiply_adds_of_a_word_are_the_weights():
    of_word = work(CONFIG, Variant(), 1)
    assert {name: part.multiply_adds for name, part in of_word.items()} == {
        "embedding": 0,
        "LSTM": 24 * (8 + 6) + 24 * (6 + 6),
        "decoder": 20 * 6,
        "loss": 0,
    }
    of_chunk = work(CONFIG, Variant(), 25)
    assert all(of_chunk[part].multiply_adds == 25 * of_word[part].multiply_adds for part in of_word)


def test_bytes_of_a_chunk_read_recurrent_weights_once_a_word():
    moved = {name: part.bytes_moved for name, part in work(CONFIG, Variant(), 3).items()}
    matrices = 4 * (24 * 8 + 24 * 6) + 3 * 4 * (24 * 6 + 24 * 6)
    biases = 4 * 2 * (24 + 24)
    in_and_out = 4 * 3 * (8 + 6 + 6 + 6)
    assert moved == {
        "embedding": 3 * 8 * (4 + 4),
        "LSTM": matrices + biases + in_and_out,
        "decoder": 4 * 20 * 6 + 4 * 20 + 4 * 3 * (6 + 20),
        "loss": 4 * 3 * 20,
    }


def test_int8_weights_take_a_quarter_of_the_bytes():
    fp32, int8 = (
        work(CONFIG, Variant(linear=precision), 1)["decoder"] for precision in ("fp32", "int8")
    )
    assert fp32.bytes_moved - int8.bytes_moved == 3 * 20 * 6
    assert int8.multiply_adds == fp32.multiply_adds


def test_int4_weights_take_half_a_byte_and_an_eighth_for_their_scales():
    int8, int4 = (
        work(CONFIG, Variant(linear=precision, embedding=precision, runtime="onnxruntime"), 3)
        for precision in ("int8", "int4")
    )
    assert int8["decoder"].bytes_moved - int4["decoder"].bytes_moved == 3 / 8 * 20 * 6
    assert int8["embedding"].bytes_moved - int4["embedding"].bytes_moved == 3 / 8 * 3 * 8
    assert isinstance(int4["embedding"].bytes_moved, int)


def test_a_multiply_add_is_two_operations():
    assert Work(30, 15).operations == 60
    assert Work(30, 15).ops_per_byte == 4.0


@pytest.mark.parametrize(
    ("ops_per_byte", "precision", "speed", "limit", "roof"),
    [
        (2.0, "fp32", 5e9, "memory", 20e9),
        (9.9, "fp32", 99e9, "memory", 99e9),
        (2.0, "fp32", 21e9, "caches", 80e9),  # faster than memory allows
        (9.9, "fp32", 99.5e9, "arithmetic", 100e9),  # the caches would allow more
        (20.0, "fp32", 5e9, "arithmetic", 100e9),
        (20.0, "fp16", 5e9, "arithmetic", 100e9),  # multiplied in fp32
        (20.0, "int8", 5e9, "memory", 200e9),
        (50.0, "int8", 5e9, "arithmetic", 400e9),
        (50.0, "int4", 5e9, "arithmetic", 400e9),  # multiplied in int8
    ],
)
def test_the_roof_is_that_of_memory_of_caches_or_of_arithmetic(
    ops_per_byte, precision, speed, limit, roof
):
    name, allowed = ROOFLINE.limit(ops_per_byte, precision, speed)
    assert (name, allowed) == (limit, pytest.approx(roof))


@pytest.mark.parametrize(
    ("ops_per_byte", "precision", "speed", "raised"),
    [
        (2.0, "fp32", 21e9, {}),
        (2.0, "fp32", 90e9, {"cache_bytes_per_s": 45e9}),
        (50.0, "fp32", 120e9, {"fp32_ops_per_s": 120e9}),
        (50.0, "int8", 500e9, {"int8_ops_per_s": 500e9}),
        (50.0, "bf16", 500e9, {"fp32_ops_per_s": 500e9}),  # its own peak is unknown
    ],
)
def test_work_that_is_faster_than_the_roof_raises_it_to_its_own_speed(
    ops_per_byte, precision, speed, raised
):
    roofline = ROOFLINE.raised(ops_per_byte, precision, speed)
    assert roofline == replace(ROOFLINE, **raised)
    assert speed <= roofline.limit(ops_per_byte, precision, speed)[1]


def test_without_a_quantized_engine_the_roof_is_that_of_fp32():
    assert Roofline(10e9, 40e9, 100e9, None).peak("int8") == 100e9


def ceilings(monkeypatch) -> Roofline:
    monkeypatch.setattr("wlm.inspecting.roofline.SECONDS_PER_CEILING", 0.01)
    found = measure_roofline()
    assert min(found.memory_bytes_per_s, found.cache_bytes_per_s, found.fp32_ops_per_s) > 0
    return found


def test_ceilings_are_measured(monkeypatch):
    engine = torch.backends.quantized.engine
    assert (ceilings(monkeypatch).int8_ops_per_s is None) == (engine == "none")


def test_without_a_quantized_engine_there_is_no_ceiling_of_int8(monkeypatch):
    monkeypatch.setattr("wlm.inspecting.roofline.default_engine", lambda: "none")
    assert ceilings(monkeypatch).int8_ops_per_s is None


def test_the_peak_is_the_best_of_several_sizes(monkeypatch):
    speeds = [1e9 * (i + 1) for i in range(len(roofline.SHAPES))]
    pairs = zip(roofline.SHAPES, speeds, strict=True)
    seconds = iter([2 * math.prod(shape) / speed for shape, speed in pairs])
    monkeypatch.setattr(roofline, "_best_seconds", lambda *_: next(seconds))
    assert roofline._peak(nn.Linear) == pytest.approx(max(speeds))

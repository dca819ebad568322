"""What tests of runs share: a store, the tiny model by name, and a run worked out by hand."""

import math

import pytest

from wlm.measuring.comparison import CompareSpec
from wlm.runs.run import Run, State
from wlm.runs.store import RunStore

WALL = [[0.4, 0.5, 0.4, 0.5, 0.4], [0.2, 0.25, 0.2, 0.25, 0.2]]  # twice as fast, in each round


@pytest.fixture
def run() -> Run:
    """A run of five rounds: a first pass of three blocks, 101 tokens, and two of the next."""
    spec = CompareSpec(model="tiny", text="short", seconds=2.0, seed=3)
    machine = {"cpu": "Some CPU @ 2.20GHz", "cpu_flags": ["avx2"], "cpus": 64, "os": "Linux"}
    machine |= {"python": "3.11.7", "torch": "2.13.0", "quantized_engine": "x86", "wlm": "0.1.0"}
    machine |= {"memory_gb": 16.0, "load_1min": 0.5, "load_1min_end": 1.0, "pinned_to": None}
    results = []
    for i, (variant, label, loss) in enumerate(
        [("fp32", "fp32", 2.0), ("int8", "int8 LSTM + Linear", 2.5)]
    ):
        seconds = math.fsum(WALL[i][:3])
        results.append(
            {
                "variant": variant,
                "label": label,
                "size_bytes": 4_000_000 - 1_000_000 * i,
                "loss": loss,
                "perplexity": math.exp(loss),
                "elapsed_s": seconds,
                "cpu_s": seconds,
                "tokens_per_s": 100 / seconds,
                "speedup": 2.0 if i else 1.0,
                "speedup_ci95": [2.0, 2.0] if i else None,
                "loss_delta": 0.5 if i else 0.0,
                "loss_delta_ci95": [0.4, 0.6] if i else None,
                "verdict": "faster" if i else "baseline",
                "spread": 0.2,  # seconds per token: quartiles 0.0100 and 0.0125, median 0.0125
                "cpu_share": 1.0,
                "context_switches": 7,
                "blocks": [
                    {"tokens": tokens, "wall_s": wall_s, "cpu_s": wall_s}
                    for tokens, wall_s in zip([40, 40, 20, 40, 40], WALL[i], strict=True)
                ],
            }
        )
    protocol = {"model": "tiny", "text": "short", "tokens": 101, "bptt": 25, "batch_size": 1}
    protocol |= {"weights_sha256": "0a" * 32}
    protocol |= {"threads": 1, "seed": 3, "seconds": 2.0, "target": None}
    result = {"machine": machine, "protocol": protocol, "rounds": 5, "results": results}
    return Run(
        "compare",
        spec.to_json(),
        state=State.DONE,
        created_at=1_000_000.0,
        finished_at=1_000_005.0,
        result={**result, "warnings": []},
        visitor="me",
    )


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(f"sqlite:///{tmp_path / 'runs.sqlite'}")


@pytest.fixture
def named(model_folder, text_file, monkeypatch) -> CompareSpec:
    """The tiny model and the short text by name, for this process and its workers."""
    monkeypatch.setenv("WLM_MODELS", str(model_folder.parent))
    monkeypatch.setenv("WLM_TEXTS", str(text_file.parent))
    return CompareSpec(model="tiny", text="short", bptt=5)

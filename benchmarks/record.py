"""Record the comparisons that the first screen shows before anyone presses Run.

    python -m benchmarks.record [NAME …]

Writes assets/runs/; each takes half a minute, the one of many variants longer. Run it on a quiet
machine.
"""

import argparse
import time

from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.machine import pinned
from wlm.measuring.wording import sentence
from wlm.runs.export import to_json
from wlm.runs.recordings import FOLDER
from wlm.runs.run import finished_run

HEADLINES = {
    "all-four": ("fp32", "pytorch:lstm=int8", "pytorch:linear=int8", "int8"),
    "control": ("fp32", "fp32"),
    "field": (  # what the others leave out of all that is offered
        "fp32",
        "pytorch:lstm=int8,linear=int8,embedding=int8",
        "pytorch:lstm=fp16,linear=fp16",
        "pytorch:lstm=int8-channel,linear=int8-channel",
        "pytorch:lstm=int8,linear=int8,engine=onednn",
        "pytorch:lstm=int8,linear=int8,engine=qnnpack",
        "onnxruntime:",
        "onnxruntime:lstm=int8-channel,linear=int8-channel,embedding=int8",
    ),
    "onnx-runtime": (
        "fp32",
        "int8",
        "onnxruntime:lstm=int8,linear=int8,embedding=int8",
        "onnxruntime:lstm=int8,linear=int4,embedding=int4",
    ),
}
SECONDS = 10.0  # a variant, three at least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(HEADLINES)}")
    names = parser.parse_args().names or list(HEADLINES)
    if unknown := [name for name in names if name not in HEADLINES]:
        parser.error(f"NAME must be one of {', '.join(HEADLINES)}, got {unknown[0]!r}")
    FOLDER.mkdir(exist_ok=True)
    for name in names:
        variants = HEADLINES[name]
        seconds = SECONDS * max(3, len(variants))
        spec, started = CompareSpec(variants=variants, seconds=seconds), time.time()
        with pinned(spec.threads):
            *_, last = compare(spec)
        run = finished_run(spec, last.measured.to_json(), started)
        (FOLDER / f"{name}.json").write_text(to_json(run), "utf-8")
        print(f"{name}: {sentence(run.result)}")
        for warning in run.result["warnings"]:
            print(f"  {warning}")


if __name__ == "__main__":
    main()

"""Record the comparisons that the first screen shows before anyone presses Run.

    python -m benchmarks.record

Writes assets/runs/; each takes about half a minute. Run it on a quiet machine.
"""

import time

from wlm.compare import CompareSpec, compare
from wlm.machine import pinned
from wlm.recordings import FOLDER
from wlm.report import sentence, to_json
from wlm.runs import finished_run

HEADLINES = {
    "all-four": ("fp32", "pytorch:lstm=int8", "pytorch:linear=int8", "int8"),
    "control": ("fp32", "fp32"),
}
SECONDS = 30.0


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, variants in HEADLINES.items():
        spec, started = CompareSpec(variants=variants, seconds=SECONDS), time.time()
        with pinned(spec.threads):
            *_, last = compare(spec)
        run = finished_run(spec, last.measured.to_json(), started)
        (FOLDER / f"{name}.json").write_text(to_json(run), "utf-8")
        print(f"{name}: {sentence(run.result)}")
        for warning in run.result["warnings"]:
            print(f"  {warning}")


if __name__ == "__main__":
    main()

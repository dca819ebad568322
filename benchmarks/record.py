"""Record the comparisons that the first screen shows before anyone presses Run.

    python -m benchmarks.record [NAME …]

Writes assets/runs/: `control` takes half a minute, `everything` three. Without a NAME it records
both and deletes all other recordings. Run it on a quiet machine.
"""

import argparse
import time

from wlm.measuring.compare import compare
from wlm.measuring.comparison import CompareSpec
from wlm.measuring.machine import pinned
from wlm.measuring.wording import sentence
from wlm.quantization.variant import OFFERED
from wlm.runs.export import to_json
from wlm.runs.recordings import RUNS_FOLDER
from wlm.runs.run import finished_run

SWITCHES = (  # all positions of Compare's three switches
    "fp32",
    "int8",
    "pytorch:lstm=int8",
    "pytorch:linear=int8",
    "pytorch:embedding=int8",
    "pytorch:lstm=int8,embedding=int8",
    "pytorch:linear=int8,embedding=int8",
    "pytorch:lstm=int8,linear=int8,embedding=int8",
)
HEADLINES = {
    # All that Compare offers, in turn in one run: any choice among them is shown from it.
    "everything": tuple(dict.fromkeys([*SWITCHES, *OFFERED])),
    "control": ("fp32", "fp32"),
}
SECONDS = 10.0  # per variant, for three variants at least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(HEADLINES)}")
    asked = parser.parse_args().names
    names = asked or list(HEADLINES)
    if unknown := [name for name in names if name not in HEADLINES]:
        parser.error(f"NAME must be one of {', '.join(HEADLINES)}, got {unknown[0]!r}")
    RUNS_FOLDER.mkdir(exist_ok=True)
    for name in names:
        variants = HEADLINES[name]
        seconds = SECONDS * max(3, len(variants))
        spec, started = CompareSpec(variants=variants, seconds=seconds), time.time()
        with pinned(spec.threads):
            *_, last = compare(spec)
        run = finished_run(spec, last.measured.to_json(), started)
        (RUNS_FOLDER / f"{name}.json").write_text(to_json(run), "utf-8")
        print(f"{name}: {sentence(run.result)}")
        for warning in run.result["warnings"]:
            print(f"  {warning}")
    for path in [] if asked else RUNS_FOLDER.glob("*.json"):
        if path.stem not in HEADLINES:
            path.unlink()


if __name__ == "__main__":
    main()

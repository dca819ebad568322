"""Record the sweeps that the page Sweep shows before anyone presses Start, one per question.

    python -m benchmarks.record_sweeps [KNOB …]

Writes assets/sweeps/ in at most six minutes. Run it on a quiet machine with at least two CPUs.
"""

import argparse
import json
import time

from wlm.measuring.compare import compare
from wlm.measuring.comparison import DEFAULT_TARGET, CompareSpec
from wlm.measuring.machine import pinned
from wlm.measuring.sweep import SweepSpec, outcomes, presets, sentence, warnings
from wlm.measuring.sweep import to_json as sweep_json
from wlm.quantization.variant import OFFERED
from wlm.runs.export import to_json
from wlm.runs.recordings import SWEEPS_FOLDER
from wlm.runs.run import Run, finished_run

VARIANTS = OFFERED[:3]  # which Sweep selects at first
SECONDS = 12.0  # per point, at most


def main() -> None:
    values = {preset.over: preset.values for preset in presets()}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("knobs", nargs="*", metavar="KNOB", help=f"of {', '.join(values)}")
    knobs = parser.parse_args().knobs or list(values)
    if unknown := [knob for knob in knobs if knob not in values]:
        parser.error(f"KNOB must be one of {', '.join(values)}, got {unknown[0]!r}")
    SWEEPS_FOLDER.mkdir(exist_ok=True)
    for knob in knobs:
        base = CompareSpec(VARIANTS, seconds=SECONDS, target=DEFAULT_TARGET)
        spec = SweepSpec(knob, values[knob], base)
        runs = [measure(point) for point in spec.points()]
        points = [json.loads(to_json(run))["run"] for run in runs]
        content = {"spec": spec.to_json(), "points": points}
        (SWEEPS_FOLDER / f"{knob}.json").write_text(json.dumps(content), "utf-8")
        result = sweep_json(spec, [run.result for run in runs])
        print(*(sentence(knob, outcome) for outcome in outcomes(result)), sep="\n")
        print(*(f"  {warning}" for warning in warnings(result)), sep="\n")


def measure(spec: CompareSpec) -> Run:
    """Measure one point of a sweep."""
    started = time.time()
    with pinned(spec.threads):
        *_, last = compare(spec)
    return finished_run(spec, last.measured.to_json(), started)


if __name__ == "__main__":
    main()

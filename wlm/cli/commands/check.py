"""Check this machine before a talk or a deployment, and tell how to fix problems."""

import time
from argparse import ArgumentParser, Namespace

from wlm.cli import output
from wlm.errors import SettingError

EXAMPLES = """\
  python -m wlm check
  python -m wlm check --server http://localhost:8501
"""


def add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--warm", action="store_true", help="make ONNX files now, so that the first use is fast"
    )
    parser.add_argument(
        "--quick", action="store_true", help="skip engines and worker; takes seconds"
    )
    parser.add_argument("--port", type=int, help="the port that the app will use; default 8501")
    parser.add_argument("--server", metavar="URL", help="check a running server instead")


def run(options: Namespace) -> int:
    if options.server and (options.warm or options.quick or options.port):
        raise SettingError("--server checks a running server: leave out --warm, --quick and --port")
    began, found = time.monotonic(), []
    if options.server:
        from wlm.checking import server

        findings = server.look(options.server)
    else:
        from wlm.checking.check import check

        findings = check(options.port, quick=options.quick, warm=options.warm)
    for finding in findings:
        found.append(finding)
        if not options.json:
            output.print_finding(finding)
    well, seconds = all(finding.well for finding in found), time.monotonic() - began
    content = {"well": well, "seconds": seconds, "checks": [vars(finding) for finding in found]}
    crosses = sum(not finding.well for finding in found)
    outcome = f"{crosses} failed" if crosses else "all passed"
    line = f"{len(found)} checks in {seconds:.0f} s: {outcome}"
    output.answer(options, content, lambda: output.say(line))
    return 0 if well else 1

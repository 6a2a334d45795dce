"""`python -m tests.benchmarks`: time everything and write the Performance page."""

import argparse
import re
import sys
from collections.abc import Sequence

from docs.tools.oracle import prepare_torchvision
from docs.tools.snippets import DOCS

COMMAND = "make bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; a full run writes the page."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit 1 if a target is missed; write nothing",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a smoke run: rough figures; write nothing"
    )
    parser.add_argument(
        "--only",
        metavar="REGEX",
        help="the cases whose 'group / name' matches; write nothing",
    )
    options = parser.parse_args(arguments)

    prepare_torchvision()
    from tests.benchmarks.harness import FULL, QUICK, discover, measure, measure_import
    from tests.benchmarks.page import Machine, Report, terminal_line, write_pages

    machine = Machine.this()
    if machine.load > 0.5:
        say(f"the load is {machine.load:.2f}: figures will be rough")
    effort = QUICK if options.quick else FULL
    cases = [
        case
        for case in discover()
        if not options.only or re.search(options.only, f"{case.group} / {case.name}")
    ]
    if not cases:
        parser.error("no such case")
    milliseconds = measure_import(effort)
    say(f"import dlref: {milliseconds:.2f} ms")
    say(f"{'':50} {'1T':>6} {'2T':>6} target")
    results = []
    for case in cases:
        results.append(measure(case, effort))
        say(terminal_line(results[-1]))
    report = Report(results, milliseconds, machine, effort, COMMAND)
    say(f"{len(cases)} cases, {len(report.missed)} targets missed")
    for name in report.missed:
        say(f"  missed: {name}")
    if not (options.check or options.quick or options.only):
        for path in write_pages(report, DOCS):
            say(f"wrote {path.relative_to(DOCS.parent)}")
    return 1 if options.check and report.missed else 0


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

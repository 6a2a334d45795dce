"""Labs: notebooks held to what the pages are held to.

The cells of a lab run in the pages' sandbox; what they print and draw is compared with
what the notebook holds, within the device's tolerance, and the notebooks of the two
languages with each other. How a notebook is read: `docs/tools/lab_file.py`.

Edit a lab in Jupyter or anywhere else, give each new cell an id that says what it does,
and run this:

    python -m docs.tools.labs                  run all labs, write what changed
    python -m docs.tools.labs --check          write nothing, say what would change
    python -m docs.tools.labs --device cuda    compare on the GPU; nothing is written
"""

import argparse
import itertools
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from docs.tools import snippets
from docs.tools.compare import explain_difference
from docs.tools.fences import PageError
from docs.tools.lab_file import Lab, Notebook, dump, load, outputs, sources
from docs.tools.parity import compare_pages
from docs.tools.snippets import (
    DOCS,
    LANGUAGES,
    Block,
    BlockError,
    Result,
    Session,
    page_tolerance,
)

PASSED = "passed"


@dataclass
class Report:
    """What running a lab gave: a verdict per cell, what was written, what fails."""

    lab: Lab
    verdicts: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def run(lab: Lab, device: str = "cpu", timeout: float = 60.0) -> list[Result]:
    """Run all cells, in the world in which a page's blocks run, on one thread.

    A lab's arrays are small: more threads add nothing but rounding that varies, and on
    a busy machine they wait for each other a hundred times longer than they work.
    """
    import scipy.linalg  # noqa: F401  its threads can be limited once it is loaded
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    session = Session(lab, device, timeout)
    try:
        with threadpool_limits(1):
            torch.set_num_threads(1)
            return [session.run(block) for block in lab.blocks]
    finally:
        torch.set_num_threads(threads)
        session.close()


def verify(lab: Lab, block: Block, result: Result, device: str = "cpu") -> None:
    """Compare what a cell gave with what the notebook holds.

    Raises:
        BlockError: Naming cell, notebook, line and difference.
    """
    cell = lab.cells[block.index - 1]
    try:
        printed = replace(result, figures=[])
        snippets.verify(lab, replace(block, figures=()), printed, device)
    except BlockError as error:
        raise BlockError(f"cell {cell!r}: {error}") from error
    where = f"cell {cell!r}: {lab.name}:{block.line}"
    drawn, kept = result.figures, lab.pictures[block.index - 1]
    if not len(drawn) == len(kept) == len(block.figures):
        raise BlockError(
            f"{where}: the cell leaves {len(drawn)} figures open; the notebook holds"
            f" {len(kept)}, and alt texts (metadata.dlref.alt) for {len(block.figures)}"
        )
    for number, (old, new) in enumerate(zip(kept, drawn, strict=True), start=1):
        if difference := _figure_difference(old, new, device):
            raise BlockError(
                f"{where}: figure {number} is not what the cell draws: {difference}"
            )


def renew(lab: Lab, results: list[Result]) -> Notebook:
    """Return the notebook with what its cells gave; what still holds stays as it is."""
    cells = list(lab.notebook["cells"])
    code = [number for number, (kind, _) in enumerate(lab.outline) if kind == "code"]
    for number, block, kept, result in zip(
        code, lab.blocks, lab.pictures, results, strict=True
    ):
        if not result.error:
            printed = _renew_text(lab, block, result)
            drawn = _renew_pictures(kept, result.figures)
            new = outputs(printed, drawn, cells[number]["metadata"])
            cells[number] = {**cells[number], "outputs": new}
    return {**lab.notebook, "cells": cells}


def refresh(
    path: Path, device: str = "cpu", timeout: float = 60.0, *, write: bool = True
) -> Report:
    """Run a lab; on the CPU, write what changed; say what does not hold.

    Raises:
        PageError: If the notebook cannot be read.
    """
    lab = load(path)
    report = Report(lab)
    results = run(lab, device, timeout)
    if write and device == "cpu":
        _write(report, dump(renew(lab, results)), path)
    elif dump(lab.notebook) != path.read_text(encoding="utf-8"):
        why = "not as it is committed (`python -m docs.tools.labs` tidies it)"
        report.failures.append(f"{lab.name}: {why}")
    for block, result in zip(report.lab.blocks, results, strict=True):
        try:
            verify(report.lab, block, result, device)
            report.verdicts.append(PASSED)
        except BlockError as error:
            report.verdicts.append("failed")
            if not result.error.startswith("not run:"):  # it follows from another
                report.failures.append(str(error))
    return report


def explain_drift(docs: Path = DOCS) -> list[str]:
    """Return every difference between the languages' labs, notebook and line first."""
    first, *others = LANGUAGES
    problems: list[str] = []
    for other in others:
        one = {path.name: path for path in sources(first, docs)}
        two = {path.name: path for path in sources(other, docs)}
        for missing in sorted(one.keys() ^ two.keys()):
            language = other if missing in one else first
            problems.append(f"docs/{language}/labs/{missing} is missing")
        for name in sorted(one.keys() & two.keys()):
            problems += compare_labs(load(one[name]), load(two[name]))
    return problems


def compare_labs(one: Lab, two: Lab) -> list[str]:
    """Return what differs between a lab and its counterpart."""
    problems = compare_pages(one, two)
    for a, b in itertools.zip_longest(one.outline, two.outline):
        if a != b:
            problems.append(f"{two.name}: cell {b} where {one.name} has {a}")
            break
    for cell, old, new in zip(one.cells, one.pictures, two.pictures, strict=False):
        if old != new:
            problems.append(f"{two.name}: cell {cell!r}: not the figure of {one.name}")
    return problems


def _write(report: Report, text: str, path: Path) -> None:
    """Write the notebook if it changed, and name the cells that did."""
    if text == path.read_text(encoding="utf-8"):
        return
    path.write_text(text, encoding="utf-8", newline="\n")
    old, report.lab = report.lab, load(path)
    pairs = zip(old.notebook["cells"], report.lab.notebook["cells"], strict=True)
    names = [repr(a["id"]) for a, b in pairs if a != b]
    what = f"new outputs of {', '.join(names)}" if names else "tidied"
    report.changed.append(f"{report.lab.name}: {what}")


def _renew_text(lab: Lab, block: Block, result: Result) -> str:
    shown = block.output.code if block.output else ""
    tolerance = page_tolerance(lab, block, "cpu")
    holds = not explain_difference(shown, result.printed, tolerance)
    return shown if holds else result.printed


def _renew_pictures(kept: tuple[str, ...], drawn: list[str]) -> list[str]:
    pairs = itertools.zip_longest(kept[: len(drawn)], drawn)
    return [a if a and not _figure_difference(a, b) else b for a, b in pairs]


def _figure_difference(committed: str, drawn: str, device: str = "cpu") -> str:
    from docs.tools.figures import explain_figure_difference

    return explain_figure_difference(committed, drawn, device)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; 0 if every cell does what its notebook shows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labs", nargs="*", type=Path, help="all if none is named")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    chosen = [path.resolve() for path in options.labs]
    failures: list[str] = []
    for path in chosen or [path for code in LANGUAGES for path in sources(code)]:
        try:
            report = refresh(path, options.device, write=not options.check)
        except PageError as error:
            failures.append(str(error))
            continue
        print(f"{report.lab.name}: {len(report.verdicts)} cells", flush=True)
        print("".join(f"  {change}\n" for change in report.changed), end="")
        failures += report.failures
    if not chosen and not failures:
        failures += explain_drift()
    for failure in failures:
        print(f"\nFAILED {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

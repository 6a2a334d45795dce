"""Run the pages and write what they give: `make outputs`.

    python -m docs.tools.update                     every page, and the record
    python -m docs.tools.update docs/en/index.md    some pages; the record stays
    python -m docs.tools.update --device cuda       compare on the GPU, and its record

On the CPU, a golden output or figure that is missing or no longer right is rewritten,
and shown. On another device nothing is rewritten: what differs is reported.
"""

import argparse
import difflib
import sys
import time
from collections import defaultdict
from pathlib import Path

from docs.tools import labs
from docs.tools.compare import explain_difference
from docs.tools.fences import OUTPUT, PageError
from docs.tools.lab_file import SUFFIX, all_sources
from docs.tools.oracle import prepare_torchvision
from docs.tools.record import PASSED, Entries, entry, write_record
from docs.tools.snippets import (
    DOCS,
    LANGUAGES,
    ROOT,
    Block,
    BlockError,
    Page,
    Result,
    Session,
    load,
    page_tolerance,
    verify,
)


class Updater:
    """Runs pages and keeps count of what was changed and what failed."""

    def __init__(
        self, device: str = "cpu", docs: Path = DOCS, timeout: float = 60.0
    ) -> None:
        """Work on the sources below `docs`."""
        self.device, self.docs, self.timeout = device, docs, timeout
        self.changed: list[str] = []
        self.failures: list[str] = []
        self.verdicts: dict[str, list[list[str]]] = defaultdict(list)
        self.loaded: dict[str, Page] = {}

    def update(self, path: Path) -> None:
        """Run one page or lab; on the CPU, write its outputs and figures."""
        try:
            if path.suffix == SUFFIX:
                self._update_lab(path)
                return
            page = load(path)
        except PageError as error:
            self.failures.append(str(error))
            return
        session = Session(page, self.device, self.timeout)
        results = [session.run(block) for block in page.blocks]
        session.close()
        if self.device == "cpu":
            page = self._rewrite(page, results)
        self.loaded[page.key] = page
        self.verdicts[page.key].append(
            [
                self._judge(page, *pair)
                for pair in zip(page.blocks, results, strict=True)
            ]
        )

    def entries(self) -> Entries:
        """The record's pages: a block has passed if it passed in every language."""
        return {
            key: entry(page, [_worst(v) for v in zip(*self.verdicts[key], strict=True)])
            for key, page in sorted(self.loaded.items())
            if page.blocks
        }

    def _update_lab(self, path: Path) -> None:
        report = labs.refresh(path, self.device, self.timeout)
        self.changed += report.changed
        self.failures += report.failures
        self.loaded[report.lab.key] = report.lab
        self.verdicts[report.lab.key].append(report.verdicts)

    def _judge(self, page: Page, block: Block, result: Result) -> str:
        if result.skipped:
            return f"skipped: {result.skipped}"
        try:
            verify(page, block, result, self.device, self.docs)
        except BlockError as error:
            self.failures.append(str(error))
            return "failed"
        return PASSED

    def _rewrite(self, page: Page, results: list[Result]) -> Page:
        """Write wrong or missing outputs into the page, and figures beside it."""
        lines = list(page.lines)
        for block, result in reversed(list(zip(page.blocks, results, strict=True))):
            if not result.error and not result.skipped:
                _write_output(page, lines, block, result.printed)
                self._write_figures(page, block, result)
        if lines == page.lines or page.path is None:
            return page
        diff = difflib.unified_diff(
            page.lines, lines, page.name, page.name, lineterm="", n=1
        )
        self.changed.append("\n".join(diff))
        page.path.write_text("\n".join(lines), encoding="utf-8", newline="\n")
        return load(page.path)

    def _write_figures(self, page: Page, block: Block, result: Result) -> None:
        from docs.tools.figures import explain_figure_difference

        for figure, drawn in zip(block.figures, result.figures, strict=False):
            path = self.docs / figure.path
            if path.is_file():
                why = explain_figure_difference(path.read_text(encoding="utf-8"), drawn)
            else:
                why = "new"
            if why:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(drawn, encoding="utf-8", newline="\n")
                self.changed.append(f"{figure.path} ({page.name}:{block.line}): {why}")


def _write_output(page: Page, lines: list[str], block: Block, printed: str) -> None:
    """Replace, add or remove the output fence of one block, in place."""
    old, indent = block.output, block.fence.indent
    mark = "````" if "```" in printed else "```"
    body = [f"{indent}{line}".rstrip() for line in printed.splitlines()]
    new = [f"{indent}{mark}{OUTPUT}", *body, f"{indent}{mark}"]
    if old is None and printed:
        lines[block.fence.end + 1 : block.fence.end + 1] = new
    elif old is not None and not printed:
        del lines[old.line : old.end + 1]
    elif old is not None and explain_difference(
        old.code, printed, page_tolerance(page, block, "cpu")
    ):
        lines[old.line : old.end + 1] = new


def _worst(verdicts: tuple[str, ...]) -> str:
    return next((v for v in verdicts if v != PASSED), PASSED)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; 0 if every block does what its page shows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "pages", nargs="*", type=Path, help="sources; all if none is named"
    )
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    options = parser.parse_args(arguments)
    prepare_torchvision()
    chosen = [path.resolve() for path in options.pages]
    sources = chosen or [p for language in LANGUAGES for p in all_sources(language)]
    updater = Updater(options.device)
    for number, path in enumerate(sources, start=1):
        started = time.perf_counter()
        updater.update(path)
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        seconds = time.perf_counter() - started
        print(f"[{number}/{len(sources)}] {name} {seconds:.1f} s", flush=True)
    print("\n\n".join(["", *updater.changed]) if updater.changed else "nothing changed")
    for failure in updater.failures:
        print(f"\nFAILED {failure}")
    if not chosen and write_record(options.device, updater.entries()):
        print(f"\nwrote docs/verification/{options.device}.json")
    elif chosen and updater.changed:
        print("\nthe record is now stale: run `make outputs` before you commit")
    print("" if updater.failures else "next: read the diff, then `make test`")
    return 1 if updater.failures else 0


if __name__ == "__main__":
    sys.exit(main())

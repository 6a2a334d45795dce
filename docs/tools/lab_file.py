"""A lab's file: a notebook read as a page of the engine, and written back.

A lab is `docs/<language>/labs/<name>.ipynb`, committed with its outputs. A section's
first cell begins with its heading; the cell's id is the heading's anchor. Under
`metadata.dlref` the notebook has its `description` and `seed`, and a code cell the
`alt` texts of its figures and perhaps a `title`, `claims` or `rtol`.

Nothing here needs nbformat, a kernel or torch: the site is built with it.
"""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docs.tools import snippets
from docs.tools.fences import OUTPUT, Fence, PageError
from docs.tools.snippets import DOCS, Block, Figure, Page

SUFFIX = ".ipynb"
SVG = "image/svg+xml"

Notebook = dict[str, Any]
Cell = dict[str, Any]
Output = dict[str, Any]

_METADATA: Notebook = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_KEYS = frozenset({"description", "rtol", "seed"})
_OPTIONS = frozenset({"alt", "claims", "rtol", "title"})
_ID = re.compile(r"[a-z][a-z0-9-]*")
_HEADING = re.compile(r"#{1,6}\s+\S")
# Lines of the file, told apart by their indent.
_SOURCE = re.compile(r'   "source": \[')
_PRINTED = re.compile(r'     "text": \[')


@dataclass(frozen=True)
class Lab(Page):
    """A notebook as a page of the engine.

    Attributes:
        notebook: The notebook, tidied.
        cells: Ids of its code cells, one per block.
        pictures: SVG figures that it holds, per block.
    """

    notebook: Notebook = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    pictures: tuple[tuple[str, ...], ...] = ()

    @property
    def outline(self) -> list[tuple[str, str]]:
        """Kind and id of every cell."""
        return [(cell["cell_type"], cell["id"]) for cell in self.notebook["cells"]]


def sources(language: str, docs: Path = DOCS) -> list[Path]:
    """Return the labs of one language, sorted."""
    return sorted((docs / language).glob(f"labs/*{SUFFIX}"))


def all_sources(language: str, docs: Path = DOCS) -> list[Path]:
    """Return the pages and the labs of one language."""
    return [*snippets.pages(language, docs), *sources(language, docs)]


def load_source(path: Path) -> Page:
    """Read a page or a lab; an error names the file."""
    return load(path) if path.suffix == SUFFIX else snippets.load(path)


def load(path: Path) -> Lab:
    """Read the lab in a file; an error names the file."""
    try:
        return parse(path.read_text(encoding="utf-8"), path)
    except PageError as error:
        raise PageError(error.line, f"{error} ({path})") from error


def parse(text: str, path: Path | None = None) -> Lab:
    """Read a notebook as a page whose lines are those of the notebook's file.

    Lines of prose, code and printed text stand where the file has them, without JSON's
    marks; all others are empty. So a line that a message names is found by an editor.
    A file that another program has saved is read as if it were `dump(tidy(…))`.

    Raises:
        PageError: If it is no notebook, or not one that can be held to anything.
    """
    notebook = tidy(_read(text))
    file = dump(notebook).split("\n")
    lines = [""] * len(file)
    starts = [number for number, line in enumerate(file) if _SOURCE.match(line)]
    key = Page("", path).key if path else "labs/lab"
    code: list[tuple[Cell, Block]] = []
    for cell, start in zip(notebook["cells"], starts, strict=True):
        source = _lines(text_of(cell["source"]))
        lines[start + 1 : start + 1 + len(source)] = source
        if cell["cell_type"] == "markdown":
            _place_heading(lines, cell, start + 1, len(source))
            continue
        fence = _fence(start, source, "python", _options(cell))
        output = _read_output(cell, file, start)
        if output:
            lines[output.line + 1 : output.end] = _lines(output.code)
        figures = tuple(_figures(cell, key, start))
        code.append((cell, Block(len(code) + 1, fence, output, figures)))
    blocks = tuple(block for _, block in code)
    return Lab(
        "\n".join(lines),
        path,
        tuple(f for b in blocks for f in (b.output, b.fence) if f),
        blocks,
        notebook["metadata"]["dlref"],
        notebook,
        tuple(cell["id"] for cell, _ in code),
        tuple(tuple(_pictures(cell)) for cell, _ in code),
    )


def dump(notebook: Notebook) -> str:
    """Return the text of a notebook's file, as nbformat and Jupyter write it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def tidy(notebook: Notebook) -> Notebook:
    """Return a notebook without what changes from run to run and means nothing.

    Counts, timings, the kernel's version and outputs other than printed text and SVG
    figures go; a cell's source is one string per line.

    Raises:
        PageError: If a cell has no usable id, or options that are unknown.
    """
    if notebook.get("nbformat") != 4 or notebook.get("nbformat_minor", 0) < 5:
        raise PageError(1, "expected a notebook of nbformat 4.5, whose cells have ids")
    own = notebook.get("metadata", {}).get("dlref", {})
    _refuse_unknown(own, _KEYS, "the notebook")
    seen: set[str] = set()
    return {
        "cells": [_tidy_cell(cell, seen) for cell in notebook["cells"]],
        "metadata": {**_METADATA, "dlref": own},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def outputs(printed: str, drawn: list[str], metadata: Cell) -> list[Output]:
    """Return what a code cell keeps of what it gave.

    Args:
        printed: Text that it printed.
        drawn: SVG figures that it drew.
        metadata: The cell's, with the figures' alt texts.
    """
    kept: list[Output] = []
    if printed:
        text = _keep_ends(printed)
        kept.append({"name": "stdout", "output_type": "stream", "text": text})
    for svg, alt in itertools.zip_longest(drawn, _alt(metadata)[: len(drawn)]):
        kept.append(
            {
                "data": {SVG: _keep_ends(svg), "text/plain": [alt or "figure"]},
                "metadata": {SVG: {"alt": alt}} if alt else {},
                "output_type": "display_data",
            }
        )
    return kept


def text_of(source: str | list[str]) -> str:
    """Return a multi-line text of a notebook, which may be a list of lines."""
    return source if isinstance(source, str) else "".join(source)


def _read(text: str) -> Notebook:
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise PageError(error.lineno, f"no notebook: {error.msg}") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise PageError(1, "no notebook: it has no cells")
    return notebook


def _tidy_cell(cell: Cell, seen: set[str]) -> Cell:
    """Return what is kept of a cell."""
    kind, name = cell.get("cell_type"), str(cell.get("id", ""))
    if kind not in {"code", "markdown"}:
        raise PageError(1, f"cell {name!r}: a cell of kind {kind!r} is not for labs")
    if name in seen or not _ID.fullmatch(name):
        reason = "stands twice" if name in seen else "expected a-z, 0-9 and hyphens"
        raise PageError(1, f"cell id {name!r}: {reason}")
    seen.add(name)
    own = cell.get("metadata", {}).get("dlref", {})
    known = _OPTIONS if kind == "code" else frozenset[str]()
    _refuse_unknown(own, known, f"cell {name!r}")
    tidied: Cell = {
        "cell_type": kind,
        "id": name,
        "metadata": {"dlref": own} if own else {},
        "source": _keep_ends(text_of(cell["source"]).rstrip()),
    }
    if kind == "code":
        drawn = list(_pictures(cell))
        tidied["execution_count"] = None
        tidied["outputs"] = outputs(_printed(cell), drawn, tidied["metadata"])
    return tidied


def _refuse_unknown(own: dict[str, Any], known: frozenset[str], where: str) -> None:
    if unknown := sorted(own.keys() - known):
        raise PageError(
            1, f"{where}: unknown metadata.dlref {unknown[0]!r}; known: {sorted(known)}"
        )


def _place_heading(lines: list[str], cell: Cell, start: int, count: int) -> None:
    """Give a cell's heading its anchor, in the syntax of the pages."""
    fenced = False
    for number in range(start, start + count):
        fenced ^= lines[number].startswith("```")
        if fenced or not _HEADING.match(lines[number]):
            continue
        if number > start:
            raise PageError(number + 1, "a heading must begin its cell")
        lines[number] += f" {{ #{cell['id']} }}"


def _read_output(cell: Cell, file: list[str], source: int) -> Fence | None:
    """Find the printed text of a cell, which stands before its source."""
    if not (printed := _printed(cell)):
        return None
    place = next(n for n in range(source, 0, -1) if _PRINTED.match(file[n]))
    return _fence(place, _lines(printed), OUTPUT, {})


def _fence(start: int, code: list[str], lang: str, options: dict[str, str]) -> Fence:
    text = "".join(f"{line}\n" for line in code)
    return Fence(start, start + 1 + len(code), "", lang, options, text)


def _options(cell: Cell) -> dict[str, str]:
    own = cell["metadata"].get("dlref", {})
    return {key: str(value) for key, value in own.items() if key != "alt"}


def _alt(metadata: Cell) -> list[str]:
    return metadata.get("dlref", {}).get("alt", [])


def _figures(cell: Cell, key: str, line: int) -> Iterator[Figure]:
    """Name the figures of a cell after it."""
    for number, alt in enumerate(_alt(cell["metadata"]), start=1):
        name = cell["id"] if number == 1 else f"{cell['id']}-{number}"
        yield Figure(line, alt, f"assets/figures/{key}/{name}.svg")


def _printed(cell: Cell) -> str:
    return "".join(
        text_of(output["text"])
        for output in cell["outputs"]
        if output["output_type"] == "stream" and output["name"] == "stdout"
    )


def _pictures(cell: Cell) -> Iterator[str]:
    for output in cell["outputs"]:
        if SVG in output.get("data", {}):
            yield text_of(output["data"][SVG])


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _keep_ends(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)

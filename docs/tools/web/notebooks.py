"""A page as a notebook: prose, formulas, programs and what they gave, for download.

The notebook is made from the page at build time and holds nothing that the page does
not show, but for a first cell that does what the site does before a page: it sets the
seed.

Opened from disk, a browser would show such a file instead of saving it, and lets no
script read it. So the notebooks lie on the site a second time, as scripts: one for both
languages, and each figure once.
"""

import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from docs.tools.lab_file import SUFFIX, SVG, Lab
from docs.tools.snippets import DOCS, Block, Page
from docs.tools.web import citations
from docs.tools.web.catalogue import catalogue
from docs.tools.web.languages import LANGUAGES, get_language, site_root

Cell = dict[str, Any]

_HEADING_ID = re.compile(r"^(#{1,6}\s.*?)\s*\{\s*#[^}]*\}\s*$")
_ADMONITION = re.compile(r'^\s*(?:!!!|\?\?\?\+?)\s+([\w-]+)(?:\s+"(.*)")?\s*$')
_TAB = re.compile(r'^\s*===\s+"(.*)"\s*$')
_PAGE_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])+)\]\((?!https?:)[^)\s]*\.md[^)]*\)")
_SYMBOL_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])+)\]\[[\w.]+\]")
_ATTRIBUTES = re.compile(
    r"\{\s*[:.#][^}]*\}|</?div[^>]*>|:(?:material|octicons)-[\w-]+:"
)

SCRIPTS = "assets/notebooks"  # below the site's root
DELIVER = "deliverNotebook"  # of docs/assets/js/site.js

SETUP = """\
# before the first block: what the site does at the top of a page
import random

import numpy as np
import torch

random.seed({seed})
np.random.seed({seed})
torch.manual_seed({seed})
"""


def write_all(language: str, site: Path) -> None:
    """Write beside every page with programs its notebook; a lab is one already."""
    book = catalogue(language)
    for key, page in book.sources.items():
        wanted = page.blocks and not isinstance(page, Lab)
        if wanted and (path := site / f"{key}{SUFFIX}").parent.is_dir():
            path.write_text(dump(to_notebook(page, language)), encoding="utf-8")


def write_scripts(site: Path) -> None:
    """Write for every notebook the script that holds it in both languages."""
    for path in sorted(site.rglob(f"*{SUFFIX}")):
        key = path.relative_to(site).with_suffix("")
        places = {there.code: site / there.root / key for there in LANGUAGES}
        texts = {
            code: place.with_suffix(SUFFIX).read_text(encoding="utf-8")
            for code, place in places.items()
            if place.with_suffix(SUFFIX).is_file()
        }
        if len(texts) == len(LANGUAGES):
            target = site / SCRIPTS / f"{key.as_posix()}.js"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(to_script(texts), encoding="utf-8")


def to_script(texts: dict[str, str]) -> str:
    """Return a script that hands over a page's notebooks, given by language."""
    figures: dict[str, str] = {}
    books = {code: json.loads(text) for code, text in texts.items()}
    for book in books.values():
        for cell in book["cells"]:
            for output in cell.get("outputs", []):
                if SVG in output.get("data", {}):
                    svg = "".join(output["data"][SVG])
                    name = hashlib.sha256(svg.encode()).hexdigest()[:12]
                    figures[name] = svg
                    output["data"][SVG] = name
    held = json.dumps(
        {**books, "figures": figures}, ensure_ascii=False, separators=(",", ":")
    )
    return f"{DELIVER}({held});\n"


def offer(key: str, code: str, words: dict[str, str]) -> str:
    """Return the link to a page's notebook."""
    name = f"{key.rpartition('/')[2]}{SUFFIX}"
    script = f"{site_root(get_language(code), f'{key}.html')}/{SCRIPTS}/{key}.js"
    return (
        '<p class="page-tools" data-search-exclude>'
        f'<a href="{name}" download data-script="{script}">'
        f"{html.escape(words['notebook'])}</a></p>"
    )


def link(content: str, page: Page, key: str, code: str, words: dict[str, str]) -> str:
    """Offer the notebook below the page's title; at the end, if it is the home page."""
    if not page.blocks or isinstance(page, Lab):
        return content
    if key == "index":
        return f"{content}{offer(key, code, words)}"
    title, end, rest = content.partition("</h1>")
    return f"{title}{end}{offer(key, code, words)}{rest}"


def to_notebook(page: Page, language: str, docs: Path = DOCS) -> dict[str, Any]:
    """Return a page as a notebook (nbformat 4.5), with the outputs that it shows."""
    works = catalogue(language).works
    page = replace(page, text=citations.link_outward(page, works, language))
    cells: list[Cell] = []
    next_line = 0
    for block in page.blocks:
        _add_prose(cells, page, next_line, block.fence.line)
        if not any(cell["cell_type"] == "code" for cell in cells):
            setup = SETUP.format(seed=page.meta.get("seed", 0))
            cells.append(_code_cell("setup", setup, [], []))
        tags = ["raises-exception"] if "raises" in block.options else []
        outputs = list(_outputs(block, docs))
        name = f"block-{block.index}"
        cells.append(_code_cell(name, block.fence.code, outputs, tags))
        next_line = _end(block)
    _add_prose(cells, page, next_line, len(page.lines))
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
            "dlref": {"page": page.key, "language": language},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def dump(notebook: dict[str, Any]) -> str:
    """Return the notebook's file: the same page gives the same bytes."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _end(block: Block) -> int:
    """Index of the first line behind a block with its output and figures."""
    last = block.output.end if block.output else block.fence.end
    return max([last, *(figure.line for figure in block.figures)]) + 1


def _add_prose(cells: list[Cell], page: Page, start: int, end: int) -> None:
    """Add the prose between two blocks as one cell; other fences belong to it."""
    shown = list(page.prose)
    for fence in page.fences:
        if not fence.is_python and fence.lang != "output":
            for number in range(fence.line, fence.end + 1):
                shown[number] = page.lines[number]
    text = "\n".join(_plain(shown[start:end]))
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    if text:
        cells.append(
            {
                "cell_type": "markdown",
                "id": f"prose-{len(cells)}",
                "metadata": {},
                "source": text.splitlines(keepends=True),
            }
        )


def _plain(lines: list[str]) -> Iterator[str]:
    """Turn the site's Markdown into what every notebook shows."""
    inside = False  # an admonition or a tab, whose text is indented
    directive = False  # `::: dlref.shapes`, and its options
    for line in lines:
        directive = line.startswith(":::") or (directive and line.startswith("    "))
        if directive:
            continue
        if line.strip() and not line.startswith("    "):
            inside = False
        if match := _ADMONITION.match(line):
            inside = True
            yield f"**{match[2] or match[1].capitalize()}**"
            yield ""
        elif match := _TAB.match(line):
            inside = True
            yield f"**{match[1]}**"
            yield ""
        else:
            text = line.removeprefix("    ") if inside else line
            text = _HEADING_ID.sub(r"\1", text)
            text = _PAGE_LINK.sub(r"\1", _SYMBOL_LINK.sub(r"\1", text))
            yield _ATTRIBUTES.sub("", text).rstrip()


def _code_cell(name: str, code: str, outputs: list[Cell], tags: list[str]) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": name,
        "metadata": {"tags": tags} if tags else {},
        "outputs": outputs,
        "source": code.rstrip("\n").splitlines(keepends=True),
    }


def _outputs(block: Block, docs: Path) -> Iterator[Cell]:
    """What the page shows under a block, as a notebook keeps it."""
    if block.output:
        text = block.output.code
        lines = text.splitlines(keepends=True)
        if name := block.options.get("raises"):
            *lines, last = lines
            _, _, value = last.rstrip("\n").partition(": ")
            yield from _stream(lines)
            yield {
                "ename": name,
                "evalue": value,
                "output_type": "error",
                "traceback": [last.rstrip("\n")],
            }
        else:
            yield from _stream(lines)
    for figure in block.figures:
        path = docs / figure.path
        if path.is_file():
            svg = path.read_text(encoding="utf-8").splitlines(keepends=True)
            yield {
                "data": {"image/svg+xml": svg, "text/plain": [figure.alt]},
                "metadata": {},
                "output_type": "display_data",
            }


def _stream(lines: list[str]) -> Iterator[Cell]:
    if lines:
        yield {"name": "stdout", "output_type": "stream", "text": lines}

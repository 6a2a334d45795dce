"""Labs on the site: what mkdocs-jupyter makes of a notebook, mended.

The plugin renders the cells, and around them puts half a megabyte of JupyterLab's
style, scripts, prompts and the address of a CDN; formulas it leaves as they are. Here
its cells are taken out of that and become what every page is made of: programs with
their output (see `blocks.py`), figures as files, formulas for `formulas.py`, headings
with the anchors that both languages share.
"""

import html
import posixpath
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup, Tag
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc
from mkdocs.utils import get_relative_url

from docs.tools.fences import PageError
from docs.tools.lab_file import SUFFIX, Lab, Notebook, dump, load, sources, text_of
from docs.tools.snippets import Block
from docs.tools.web import notebooks
from docs.tools.web.assets import PIXELS

_FRAME = re.compile(r"<(style|script)\b.*?</\1>", re.DOTALL)
_FORMULA = re.compile(r"\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$]+)\$", re.DOTALL)
_HEADING = re.compile(r"h([1-6])")
_LENGTH = re.compile(r"([\d.]+)(pt|px|)")
_PAGE_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])+)\]\((?!https?:)[^)\s]*\)")


def is_lab(file: File) -> bool:
    """Whether a page is made from a notebook."""
    return file.src_uri.endswith(SUFFIX)


def page_uri(file: File) -> str:
    """Return the source's path, a notebook's as if it were Markdown.

    Examples:
        >>> from types import SimpleNamespace
        >>> page_uri(SimpleNamespace(src_uri="labs/first-network.ipynb"))
        'labs/first-network.md'
    """
    return re.sub(rf"{re.escape(SUFFIX)}$", ".md", file.src_uri)


def add_files(
    files: Files, config: MkDocsConfig, code: str, shared: type[File]
) -> None:
    """Add to the site each lab's figures, and the lab itself for download."""
    for path in sources(code):
        try:
            lab = load(path)
        except PageError:
            continue  # reported where the page is read
        for block, pictures in zip(lab.blocks, lab.pictures, strict=True):
            for figure, svg in zip(block.figures, pictures, strict=False):
                files.append(shared.generated(config, figure.path, content=svg))
        # not under its own name, by which MkDocs already knows the page
        copy = File.generated(
            config, f"{lab.key}.download{SUFFIX}", content=download(lab)
        )
        copy.dest_uri = f"{lab.key}{SUFFIX}"
        files.append(copy)


def download(lab: Lab) -> str:
    """Return the notebook as it leaves the site: without links to pages beside it."""
    cells = [dict(cell) for cell in lab.notebook["cells"]]
    for cell in cells:
        if cell["cell_type"] == "markdown":
            text = _PAGE_LINK.sub(r"\1", text_of(cell["source"]))
            cell["source"] = text.splitlines(keepends=True)
    notebook: Notebook = {**lab.notebook, "cells": cells}
    return dump(notebook)


def mend(
    content: str, page: Page, lab: Lab, files: Files, code: str, words: dict[str, str]
) -> tuple[str, list[str]]:
    """Make a page of the site from what mkdocs-jupyter rendered.

    Args:
        content: The plugin's HTML.
        page: The page; its contents, anchors and links are set.
        lab: Its notebook.
        files: All files of the site, to find what links point to.
        code: The page's language.
        words: Labels in the page's language.

    Returns:
        The page, and what is wrong with it.
    """
    soup = BeautifulSoup(_FRAME.sub("", content), "html.parser")
    blocks = iter(zip(lab.blocks, lab.pictures, strict=True))
    problems: list[str] = []
    parts: list[str] = []
    for kind, name in lab.outline:
        cell = soup.find("div", id=f"cell-id={name}")
        if not isinstance(cell, Tag):
            problems.append(f"the cell {name!r} was not rendered")
        elif kind == "code":
            parts += _program(cell, *next(blocks), page, words)
        else:
            prose = cell.select_one(".jp-RenderedMarkdown")
            assert prose is not None, name
            problems += _relink(prose, page, files)
            problems += _mark_formulas(prose, name)
            _name_heading(prose, name)
            _raise_answer(prose)
            parts.append(prose.decode_contents().strip())
    _set_contents(page, soup, lab)
    title, end, rest = "\n".join(parts).partition("</h1>")
    return f"{title}{end}{notebooks.offer(lab.key, code, words)}{rest}", problems


def _program(
    cell: Tag,
    block: Block,
    pictures: tuple[str, ...],
    page: Page,
    words: dict[str, str],
) -> Iterator[str]:
    """Yield a program, what it prints and what it draws, as on every page."""
    code = cell.select_one(".highlight-ipynb pre")
    assert code is not None, f"block {block.index}"
    listing = code.decode_contents().removeprefix("<span></span>")
    title = html.escape(block.options.get("title", ""))
    caption = f'<span class="filename">{title}</span>' if title else ""
    yield (
        f'<div id="block-{block.index}" class="language-python program highlight">'
        f"{caption}<pre><span></span><code>{listing}</code></pre></div>"
    )
    if block.output:
        shown = html.escape(block.output.code, quote=False)
        yield (
            '<div class="language-text output no-copy highlight"'
            f' data-label="{words["output"]}">'
            f"<pre><span></span><code>{shown}</code></pre></div>"
        )
    for figure, svg in zip(block.figures, pictures, strict=False):
        width, height = _size(svg)
        address = get_relative_url(figure.path, page.url)
        yield (
            f'<p><img alt="{html.escape(figure.alt)}" class="figure" width="{width}"'
            f' height="{height}" src="{address}" /></p>'
        )


def _size(svg: str) -> tuple[int, int]:
    """Width and height of a drawing, in CSS pixels."""
    root = ET.fromstring(svg)
    found = [_LENGTH.fullmatch(root.get(key, "")) for key in ("width", "height")]
    width, height = (round(float(n[1]) * PIXELS[n[2]]) if n else 0 for n in found)
    return width, height


def _name_heading(prose: Tag, name: str) -> None:
    """Give the heading of a cell the cell's name, and the theme's link to itself."""
    heading = prose.find(_HEADING)
    if not isinstance(heading, Tag):
        return
    heading["id"] = name
    for link in heading.select(".anchor-link"):
        link["class"] = "headerlink"
        link["href"] = f"#{name}"
        link["title"] = "Permanent link"


def _raise_answer(prose: Tag) -> None:
    """Turn a quotation that begins with a line in bold into the answer on top."""
    for quote in prose.find_all("blockquote"):
        first = quote.find("p")
        if not isinstance(first, Tag) or first.find(True, recursive=False) is None:
            continue
        strong = first.find("strong", recursive=False)
        if strong is None or strong.get_text() != first.get_text():
            continue
        first.string = strong.get_text()
        first["class"] = "admonition-title"
        quote.name = "div"
        quote["class"] = "admonition abstract"


def _mark_formulas(prose: Tag, name: str) -> Iterator[str]:
    """Put formulas into the elements that arithmatex makes of them on other pages."""
    for text in list(prose.find_all(string=re.compile(r"\$"))):
        if text.find_parent(["code", "pre"]):
            continue
        parts, end = [], 0
        for found in _FORMULA.finditer(text):
            parts.append(html.escape(text[end : found.start()], quote=False))
            parts.append(_arithmatex(found))
            end = found.end()
        parts.append(html.escape(text[end:], quote=False))
        if "$" in parts[-1]:
            yield f"cell {name!r}: a dollar sign without its counterpart"
        paragraph = text.parent
        text.replace_with(BeautifulSoup("".join(parts), "html.parser"))
        if formula := paragraph.find("div", class_="arithmatex"):
            if paragraph.get_text(strip=True) != formula.get_text(strip=True):
                yield f"cell {name!r}: a display formula needs lines of its own"
            paragraph.unwrap()


def _arithmatex(found: re.Match[str]) -> str:
    if found["display"]:
        tex = html.escape(found["display"], quote=False)
        return rf'<div class="arithmatex">\[{tex}\]</div>'
    tex = html.escape(found["inline"], quote=False)
    return rf'<span class="arithmatex">\({tex}\)</span>'


def _relink(prose: Tag, page: Page, files: Files) -> Iterator[str]:
    """Lead links from source to source to the pages made from them."""
    page.links_to_anchors = page.links_to_anchors or {}
    for link in prose.find_all("a", href=True):
        href = str(link["href"])
        path, _, anchor = href.partition("#")
        if re.match(r"[a-z]+:", href) or "anchor-link" in link.get("class", []):
            continue
        source = posixpath.join(posixpath.dirname(page.file.src_uri), path)
        target = files.get_file_from_path(posixpath.normpath(source)) if path else None
        target = target if path else page.file
        if target is None:
            yield f"the link {href} leads to no page"
            continue
        if anchor:
            page.links_to_anchors.setdefault(target, {})[anchor] = href
        if path:
            url = get_relative_url(target.url, page.url)
            link["href"] = f"{url}#{anchor}" if anchor else url


def _set_contents(page: Page, soup: BeautifulSoup, lab: Lab) -> None:
    """Set the page's table of contents, and the anchors that others may link to."""
    tokens: list[Any] = []
    for kind, name in lab.outline:
        heading = soup.find(_HEADING, id=name) if kind == "markdown" else None
        if not isinstance(heading, Tag):
            continue
        title = "".join(
            str(part) for part in heading.contents if not _is_link(part)
        ).strip()
        level = int(heading.name[1])
        below = tokens
        while below and below[-1]["level"] < level:
            below = below[-1]["children"]
        below.append({"level": level, "id": name, "name": title, "children": []})
    page.toc = get_toc(tokens)
    page.present_anchor_ids = {name for _, name in lab.outline}
    page.present_anchor_ids |= {f"block-{block.index}" for block in lab.blocks}


def _is_link(part: Any) -> bool:
    return isinstance(part, Tag) and "headerlink" in part.get("class", [])

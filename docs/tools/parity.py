"""Two languages, one page: what must be equal is compared, the prose is free.

Equal are the programs (as syntax trees: comments may be translated), their options and
golden outputs, heading ids and levels, display formulas, figures, admonitions, the rows
of tables and the page's seed; and, section by section, the links and citations, whose
order a sentence may change.
"""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from docs.tools.snippets import DOCS, LANGUAGES, Block, Page, load, pages

Item = tuple[int, Any]  # line, what must be equal

_HEADING = re.compile(r"(?P<level>#{1,6})\s+(?P<text>.*?)\s*$")
_ID = re.compile(r"\{\s*#(?P<id>[a-z0-9][a-z0-9-]*)[^}]*\}$")
_ADMONITION = re.compile(r"\s*(?:(?:!!!|\?\?\?\+?)\s+(?P<kind>[\w-]+)|===\s+\")")
_LINK = re.compile(
    r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\](?:\((?P<url>[^)\s]+)[^)]*\)|\[(?P<ref>[^\]]+)\])"
)
_CITED = re.compile(r"(?<=[\[;])\s*(@[a-z][a-z0-9-]*)(?=\s*[;\]])")
_FORMULA = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)


def explain_drift(docs: Path = DOCS) -> list[str]:
    """Return every difference between the languages, page and line first."""
    first, *others = LANGUAGES
    problems: list[str] = []
    for other in others:
        one = {path.relative_to(docs / first): path for path in pages(first, docs)}
        two = {path.relative_to(docs / other): path for path in pages(other, docs)}
        for missing in sorted(one.keys() ^ two.keys()):
            language = other if missing in one else first
            problems.append(f"docs/{language}/{missing.as_posix()} is missing")
        for path in sorted(one.keys() & two.keys()):
            problems += compare_pages(load(one[path]), load(two[path]))
    return problems


def compare_pages(one: Page, two: Page) -> list[str]:
    """Return what differs between a page and its counterpart."""
    problems = [*_unnamed(one), *_unnamed(two)]
    aspects: list[tuple[str, Callable[[Page], list[Item]]]] = [
        ("front matter", _front_matter),
        ("heading (level, id)", headings),
        ("program", lambda page: [(b.line, _tree(b)) for b in page.blocks]),
        ("options", lambda page: [(b.line, _options(b)) for b in page.blocks]),
        ("output", lambda page: [(b.line, _shown(b)) for b in page.blocks]),
        ("figure", _figures),
        ("display formula", formulas),
        ("admonition or tab", admonitions),
        ("table (rows)", tables),
        ("links and citations of the section", links),
    ]
    for name, items in aspects:
        problems += _differences(name, (one, items(one)), (two, items(two)))
    return problems


def headings(page: Page) -> list[Item]:
    """Line and (level, id) of every heading."""
    return [
        (number, (len(match["level"]), found["id"] if found else None))
        for number, match in _heading_lines(page)
        for found in [_ID.search(match["text"])]
    ]


def formulas(page: Page) -> list[Item]:
    """Line and source of every display formula, white space folded."""
    text = "\n".join(page.prose)
    return [
        (text.count("\n", 0, match.start()) + 1, " ".join(match[1].split()))
        for match in _FORMULA.finditer(text)
    ]


def admonitions(page: Page) -> list[Item]:
    """Line and kind of every admonition and tab."""
    found = ((n, _ADMONITION.match(line)) for n, line in enumerate(page.prose, start=1))
    return [(number, match["kind"] or "tab") for number, match in found if match]


def tables(page: Page) -> list[Item]:
    """First line and number of rows of every table."""
    found: list[Item] = []
    previous = False
    for number, line in enumerate(page.prose, start=1):
        row = line.lstrip().startswith("|")
        if row and previous:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif row:
            found.append((number, 1))
        previous = row
    return found


def links(page: Page) -> list[Item]:
    """First line of every section, and where its links and citations lead, sorted."""
    found: list[Item] = []
    for start, _, lines in sections(page):
        text = "\n".join(lines)
        led = [match["url"] or match["ref"] for match in _LINK.finditer(text)]
        found.append((start, sorted([*led, *_CITED.findall(text)])))
    return found


def sections(page: Page) -> Iterator[tuple[int, str, list[str]]]:
    """Line, heading id and prose of every section, the page's head included."""
    starts = [(1, "")]
    starts += [(line, identifier or "") for line, (_, identifier) in headings(page)]
    ends = [line for line, _ in starts[1:]] + [len(page.prose) + 1]
    for (start, identifier), end in zip(starts, ends, strict=True):
        yield start, identifier, page.prose[start - 1 : end - 1]


def _heading_lines(page: Page) -> Iterator[tuple[int, re.Match[str]]]:
    for number, line in enumerate(page.prose, start=1):
        if match := _HEADING.match(line):
            yield number, match


def _unnamed(page: Page) -> list[str]:
    """Headings without an id, and ids that stand twice."""
    problems: list[str] = []
    seen: dict[str, int] = {}
    for line, (_, identifier) in headings(page):
        if identifier is None:
            problems.append(f"{page.name}:{line}: the heading needs an id: {{ #id }}")
        elif identifier in seen:
            where = f"{page.name}:{line}: heading id {identifier!r}"
            problems.append(f"{where} stands on line {seen[identifier]} too")
        else:
            seen[identifier] = line
    return problems


def _front_matter(page: Page) -> list[Item]:
    return [(1, {key: page.meta.get(key) for key in ("seed", "rtol")})]


def _tree(block: Block) -> str:
    try:
        return ast.dump(ast.parse(block.fence.code))
    except SyntaxError as error:
        return f"no Python: {error}"


def _options(block: Block) -> dict[str, str]:
    return {key: value for key, value in block.options.items() if key != "title"}


def _shown(block: Block) -> str | None:
    return block.output.code if block.output else None


def _figures(page: Page) -> list[Item]:
    return [(f.line + 1, f.path) for block in page.blocks for f in block.figures]


def _differences(
    name: str, one: tuple[Page, list[Item]], two: tuple[Page, list[Item]]
) -> list[str]:
    """Report the first difference of one aspect; the rest often follows from it."""
    (a, left), (b, right) = one, two
    for (line, value), (other_line, other) in zip(left, right, strict=False):
        if value != other:
            where = f"{b.name}:{other_line}: {name} differs from {a.name}:{line}"
            return [f"{where}\n  {_short(value, other)}\n  {_short(other, value)}"]
    if len(left) != len(right):
        where = f"{b.name}: {len(right)} of kind {name!r}, but {len(left)} in {a.name}"
        longer, page = (left, a) if len(left) > len(right) else (right, b)
        line = longer[min(len(left), len(right))][0]
        return [f"{where} (first without counterpart: {page.name}:{line})"]
    return []


def _short(value: Any, other: Any) -> str:
    """Show a value from a little before the place where it departs from another."""
    text, rival = str(value), str(other)
    pairs = enumerate(zip(text, rival, strict=False))
    start = next((n for n, (x, y) in pairs if x != y), min(len(text), len(rival)))
    start = max(0, start - 40)
    return ("…" if start else "") + text[start : start + 100]

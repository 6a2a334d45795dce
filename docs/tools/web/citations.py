"""Works by author and year, as readers cite them.

A page cites by key: `[@shannon1948]`, or several at once, `[@lin1991; @endres2003]`.
What it cites is listed at its end, under `#references`.
"""

import re
from collections.abc import Callable, Mapping
from html import escape

from docs.tools.data import Source
from docs.tools.snippets import Page

AND = {"zh": " 与 ", "en": " and "}
BETWEEN = {"zh": "；", "en": "; "}
TITLE = {"zh": "参考文献", "en": "References"}
NAMED = 3  # authors; of more, the first and et al.

_KEY = r"@[a-z][a-z0-9-]*"
CITATION = re.compile(rf"\[(?P<keys>{_KEY}(?:\s*;\s*{_KEY})*)\]")
_CODE = re.compile(r"(`+)(?:(?!\1).)+\1")
_FURTHER = re.compile(r"^## .*\{ *#further *\}")


def label(work: Source, code: str) -> str:
    """Return author and year, such as `Cover and Thomas 2006`.

    Examples:
        >>> who = ("Ann B. Lee", "Bo Li")
        >>> work = Source("lee2001", "book", who, "Title", "Publisher", True, 2001)
        >>> label(work, "en"), label(work, "zh")
        ('Lee and Li 2001', 'Lee 与 Li 2001')
    """
    if work.type == "documentation":
        return work.authors[0].rpartition(" ")[0]
    families = [name.split()[-1] for name in work.authors]
    several = len(families) > 2
    who = f"{families[0]} et al." if several else AND[code].join(families)
    letter = work.key[-1] if work.key[-1].isalpha() else ""  # lecun1998b
    return f"{who} {work.year}{letter}"


def outward(work: Source, code: str) -> str:
    """Return author and year, linked to the work itself where it has an address."""
    text = escape(label(work, code), quote=False)
    return f'<a href="{escape(work.link)}">{text}</a>' if work.link else text


def keys(citation: re.Match[str]) -> list[str]:
    """Return the keys of one citation."""
    return [key.strip(" @") for key in citation["keys"].split(";")]


def resolve(
    page: Page, lines: list[str], works: Mapping[str, Source], code: str
) -> tuple[list[str], list[tuple[int, str]]]:
    """Turn a page's citations into links, and list at its end what they name.

    Args:
        page: The page, parsed.
        lines: Its lines, perhaps changed.
        works: The bibliography.
        code: The page's language.

    Returns:
        The lines, and what is amiss on which line.
    """
    lines, cited, problems = list(lines), set(), []

    def link(found: re.Match[str]) -> str:
        known = [key for key in keys(found) if key in works]
        problems.extend(
            (number + 1, f"no work in bibliography.yml has the key {key!r}")
            for key in keys(found)
            if key not in works
        )
        cited.update(known)
        names = {key: escape(label(works[key], code), quote=False) for key in known}
        links = [f'<a class="cite" href="#ref-{k}">{n}</a>' for k, n in names.items()]
        return BETWEEN[code].join(links)

    for number, line in enumerate(page.prose):
        if "[@" in line:
            lines[number] = _outside_code(lines[number], link)
    if cited:
        level = "###" if any(_FURTHER.match(line) for line in page.prose) else "##"
        entries = sorted((label(works[key], code), key) for key in cited)
        listed = "".join(_entry(works[key]) for _, key in entries)
        lines += ["", f"{level} {TITLE[code]} {{ #references }}", ""]
        lines += [f'<ul class="references">{listed}</ul>', ""]
    return lines, problems


def link_outward(page: Page, works: Mapping[str, Source], code: str) -> str:
    """Return a page's source, its citations linked to the works themselves."""

    def link(found: re.Match[str]) -> str:
        known = [works[key] for key in keys(found) if key in works]
        named = [(label(work, code), work.link) for work in known]
        links = [f"[{name}]({where})" if where else name for name, where in named]
        return BETWEEN[code].join(links)

    return "\n".join(
        _outside_code(line, link) if prose else line
        for line, prose in zip(page.lines, page.prose, strict=True)
    )


def _outside_code(line: str, link: Callable[[re.Match[str]], str]) -> str:
    """Replace citations, but not in inline code."""
    parts, end = [], 0
    for span in _CODE.finditer(line):
        parts += [CITATION.sub(link, line[end : span.start()]), span[0]]
        end = span.end()
    return "".join([*parts, CITATION.sub(link, line[end:])])


def _entry(work: Source) -> str:
    """Return a work's entry in the list, with a link to it."""
    who = ", ".join(work.authors[:NAMED]) + (" et al." * (len(work.authors) > NAMED))
    where = ", ".join(str(part) for part in (work.venue, work.year) if part)
    texts = [escape(text, quote=False) for text in (who, work.title, where)]
    end = "" if texts[1].endswith("?") else "."
    name = f"{texts[0].rstrip('.')}. <cite>{texts[1]}</cite>{end} {texts[2]}."
    return f'<li id="ref-{work.key}">{name}{_address(work)}</li>'


def _address(work: Source) -> str:
    """Return a link to a work, under its identifier or its site's name."""
    if not work.link:
        return ""
    if work.url:
        shown = work.url.split("/")[2].removeprefix("www.")
    else:
        shown = f"doi:{work.doi}" if work.doi else f"arXiv:{work.arxiv}"
    return f' <a href="{escape(work.link)}">{escape(shown, quote=False)}</a>'

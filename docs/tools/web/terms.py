"""The glossary on the site: its page, and a note at a term's first use on a page."""

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from docs.tools.data import Term
from docs.tools.snippets import DOCS, LANGUAGES, ROOT
from docs.tools.web.catalogue import Catalogue, href, way
from docs.tools.web.claim_tables import SCRIPT
from docs.tools.web.inline import attribute
from docs.tools.web.tables import Words

SEARCH_TERMS = ROOT / ".cache/search_terms.txt"
WEIGHT = 1000  # jieba keeps a word of this frequency whole
SEARCH = "assets/js/search.js"
NO_NAMES = "{ zh: {}, en: {} }"  # stands in it for the names that the build fills in

# Where no note belongs: these elements, and elements of these classes.
_CLOSED = {"a", "button", "code", "h1", "h2", "h3", "h4", "h5", "h6", "label", "pre"}
_CLOSED |= {"script", "style", "summary", "th", "x-tex"}
_CLOSED_CLASSES = {
    "admonition-title",
    "arithmatex",
    "claims",
    "doc-signature",
    "filename",
    "terms",
}
_VOID = {"area", "br", "col", "hr", "img", "input", "source", "wbr"}
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][\w-]*)(?P<rest>[^>]*)>|<!--.*?-->")
_CLASS = re.compile(r'\bclass="([^"]*)"')
_IN_BRACKETS = re.compile(r"\s*\((?P<text>[^)]*)\)")


def write_search_terms(terms: list[Term]) -> str:
    """Write the words that the search must keep whole; return the file's path."""
    lines = [f"{term.zh} {WEIGHT}\n" for term in terms if term.search]
    SEARCH_TERMS.parent.mkdir(exist_ok=True)
    SEARCH_TERMS.write_text("".join(lines), encoding="utf-8")
    return str(SEARCH_TERMS)


def other_names(terms: list[Term], code: str) -> dict[str, str]:
    """Return what else readers may call the terms -> the pages' word, longest first.

    Renderings that the Chinese pages avoid are on none of them: only who asks for one
    can mean the term.
    """
    names = {
        name.lower(): _IN_BRACKETS.sub("", getattr(term, code)).lower()
        for term in terms
        for name in (*getattr(term.also, code), *(term.avoid if code == "zh" else ()))
    }
    return dict(sorted(names.items(), key=lambda pair: (-len(pair[0]), pair)))


def search_script(terms: list[Term], docs: Path = DOCS) -> str:
    """Return the script of the search with the other names of the terms."""
    script = (docs / SEARCH).read_text(encoding="utf-8")
    if script.count(NO_NAMES) != 1:
        raise ValueError(f"expected {NO_NAMES!r} once in {SEARCH}")
    names = {code: other_names(terms, code) for code in LANGUAGES}
    return script.replace(NO_NAMES, json.dumps(names, ensure_ascii=False))


# --- the page -------------------------------------------------------------------------


def glossary(book: Catalogue, uri: str, words: Words) -> str:
    """Return the table of all terms, with what filters it."""
    other = "en" if book.code == "zh" else "zh"
    terms = book.terms
    if book.code == "en":
        terms = sorted(terms, key=lambda term: term.en.casefold())
    head = "".join(
        f'<th scope="col">{words[f"term_{part}"]}</th>'
        for part in ("here", "there", "note", "avoid")
    )
    rows = "\n".join(
        f'<tr id="{term.id}"><td>{escape(getattr(term, book.code))}</td>'
        f'<td lang="{other}">{escape(getattr(term, other))}</td>'
        f"<td>{escape(book.text(term.note))}</td>"
        f'<td lang="zh">{"、".join(map(escape, term.avoid))}</td></tr>'
        for term in terms
    )
    return (
        f'<form class="filter" hidden data-shown="{attribute(words["filter_shown"])}"'
        " data-search-exclude>"
        f'<input type="search" name="text" aria-label="{words["filter_text"]}"'
        f' placeholder="{words["filter_text"]}" autocomplete="off">'
        '<output aria-live="polite"></output></form>'
        f'<script src="{way(uri, SCRIPT)}" defer></script>'
        f'<table class="terms"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table>"
    )


# --- notes ----------------------------------------------------------------------------


def annotate(content: str, book: Catalogue, uri: str) -> str:
    """Link the first use of each term to the glossary, and let it show its note."""
    names = {name: term for term in book.terms for name in _names(term, book.code)}
    pattern = _pattern(names, book.code)
    seen: set[str] = set()

    def link(found: re.Match[str]) -> str:
        term = names[found["name"].lower()]
        if term.id in seen:
            return found[0]
        seen.add(term.id)
        address = href(uri, "about/glossary", term.id)
        note = attribute(book.text(term.note))
        return f'<a class="term" href="{address}" data-note="{note}">{found[0]}</a>'

    return "".join(
        pattern.sub(link, text) if is_open else text
        for text, is_open in _texts(content)
    )


def _names(term: Term, code: str) -> Iterator[str]:
    """Yield what a term is called in running text; nothing if that is ambiguous."""
    name = getattr(term, code)
    brackets = _IN_BRACKETS.search(name)
    short = code == "zh" and len(name) < 2
    if code in term.everyday or short or (brackets and not brackets["text"].isupper()):
        return
    yield _IN_BRACKETS.sub("", name).lower()


def _pattern(names: dict[str, Term], code: str) -> re.Pattern[str]:
    """Match any name, the longest first: 批量归一化 is not 归一化."""
    listed = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
    if code == "zh":
        return re.compile(rf"(?P<name>{listed})", re.IGNORECASE)
    return re.compile(rf"(?<![\w-])(?P<name>{listed})(?:e?s)?(?![\w-])", re.IGNORECASE)


def _texts(content: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a page, and whether they are text that may carry a note."""
    stack: list[tuple[str, bool]] = []  # open elements, and whether one is closed to us
    end = 0
    for tag in _TAG.finditer(content):
        closed = bool(stack) and stack[-1][1]
        yield content[end : tag.start()], not closed
        yield tag[0], False
        end = tag.end()
        name = (tag["name"] or "").lower()
        if tag["end"]:
            while stack and stack.pop()[0] != name:
                pass
        elif name and name not in _VOID and not tag["rest"].endswith("/"):
            classes = _CLASS.search(tag["rest"])
            refused = classes and _CLOSED_CLASSES.intersection(classes[1].split())
            stack.append((name, closed or name in _CLOSED or bool(refused)))
    yield content[end:], True

"""Read the Chinese pages as a proof-reader does.

Chinese text takes full-width punctuation, a space where it meets Latin letters, digits,
code or a formula, and none beside full-width punctuation. Terms are those of the
glossary.
"""

import re
from collections.abc import Iterator, Mapping

from docs.tools.snippets import Page

HAN = r"[㐀-鿿]"
_FULL = r"[，。；：？！、（）《》“”‘’…—]"

_PROTECTED = [
    (re.compile(r"^\s*(?:!!!|\?\?\?\+?|===)[\w\s+-]*\"(.*)\"\s*$"), r"\1"),
    (re.compile(r"<!--.*?-->|</?[a-zA-Z][^>]*>"), ""),
    (re.compile(r"\{\s*[#.:][^}]*\}"), ""),  # attribute lists
    (re.compile(r"(`+).+?\1"), "x"),
    (re.compile(r"\$\$.+?\$\$"), ""),
    (re.compile(r"\$[^$]+\$"), "x"),
    (re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\](?:\([^)]*\)|\[[^\]]*\])"), r"\1"),
    (re.compile(r"\\[()\[\]]"), "x"),
    (re.compile(r"\*{1,3}|(?<!\w)_{1,2}(?=\S)|(?<=\S)_{1,2}(?!\w)"), ""),
    (re.compile(r":(?:material|octicons|fontawesome|simple)-[\w-]+:"), "x"),
]
_RULES = [
    (
        re.compile(rf"{HAN}\s?[,;:!?](?![A-Za-z0-9])|{HAN}\.(?:\s|$)"),
        "half-width punctuation",
    ),
    (re.compile(rf"{HAN}\(|\){HAN}|\([^()]*{HAN}[^()]*\)"), "half-width parenthesis"),
    (re.compile(rf"{HAN}\s?\"|\"\s?{HAN}"), "straight quotation mark"),
    (re.compile(rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%°]{HAN}"), "no space beside Latin"),
    (re.compile(rf"{HAN} +{HAN}"), "a space inside Chinese"),
    (re.compile(rf"{_FULL} +(?={HAN})|{HAN} +{_FULL}"), "a space beside full-width"),
    (re.compile(rf"{HAN}-{{2,}}|{HAN}\.\.\."), "a dash or ellipsis in Latin form"),
]


def explain_typography(page: Page, avoid: Mapping[str, str] | None = None) -> list[str]:
    """Return every slip of a Chinese page, page and line first.

    Args:
        page: A page in Chinese.
        avoid: Renderings to avoid, each with the right one. A quotation in “…” may use
            them: a mistake has to be named to be corrected.
    """
    problems: list[str] = []
    for number, line in _lines(page):
        text = plain(line)
        for rule, name in _RULES:
            if match := rule.search(text):
                excerpt = text[max(0, match.start() - 8) : match.end() + 8].strip()
                problems.append(f"{page.name}:{number}: {name}: …{excerpt}…")
        said = re.sub("“[^”]*”", "", text)
        for wrong, right in (avoid or {}).items():
            if wrong in said:
                problems.append(f"{page.name}:{number}: write {right}, not {wrong}")
    return problems


def plain(line: str) -> str:
    """The text as read: markup dropped, code and formulas as one Latin letter."""
    for pattern, replacement in _PROTECTED:
        line = pattern.sub(replacement, line)
    return line


def _lines(page: Page) -> Iterator[tuple[int, str]]:
    """Lines of prose, those of display formulas left out."""
    inside = False
    for number, line in enumerate(page.prose, start=1):
        marks = line.count("$$")
        if inside or marks % 2:
            inside ^= bool(marks % 2)
        elif line.strip():
            yield number, line

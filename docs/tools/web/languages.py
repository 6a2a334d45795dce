"""Two languages, one site: who is whose counterpart, and how to get there.

Chinese is built into the site's root and English into `en/`. Paths below are the same
in both, so that a page's counterpart needs no table.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from docs.tools.data import site_map

ROOT = Path(__file__).resolve().parents[3]
LABELS = ROOT / "docs/tools/labels.yml"


@dataclass(frozen=True)
class Language:
    """A language of the site.

    Attributes:
        code: Its code, which also names its folder below `docs/`.
        name: What its readers call it.
        root: Where its pages lie below the site's root.
    """

    code: str
    name: str
    root: str

    @property
    def sources(self) -> Path:
        """Folder of its pages' sources."""
        return ROOT / "docs" / self.code


LANGUAGES = (Language("zh", "中文", ""), Language("en", "English", "en"))


def get_language(code: str) -> Language:
    """Return the language with this code."""
    return next(language for language in LANGUAGES if language.code == code)


@dataclass(frozen=True)
class Switch:
    """A link to the same page in a language."""

    code: str
    name: str
    href: str
    url: str  # absolute, or "" while nobody knows where the site will stand
    current: bool


def switches(
    here: Language, url: str, site_url: str = "", missing: frozenset[str] = frozenset()
) -> list[Switch]:
    """Return links from a page to itself in every language.

    Args:
        here: The page's language.
        url: The page's path below its language's root.
        site_url: Address of the site's root, where it is known.
        missing: Codes of languages that lack the page: the link leads to their home.

    Examples:
        >>> [link.href for link in switches(LANGUAGES[0], "cnn/output-size.html")]
        ['output-size.html', '../en/cnn/output-size.html']
        >>> [link.href for link in switches(LANGUAGES[1], "index.html")]
        ['../index.html', 'index.html']
        >>> switches(LANGUAGES[0], "index.html", "https://example.org/dlref/")[1].url
        'https://example.org/dlref/en/index.html'
    """
    start = posixpath.dirname(posixpath.join(here.root, url)) or "."
    links: list[Switch] = []
    for there in LANGUAGES:
        path = "index.html" if there.code in missing else url
        target = posixpath.join(there.root, path)
        href = posixpath.relpath(target, start)
        address = f"{site_url.rstrip('/')}/{target}" if site_url else ""
        links.append(Switch(there.code, there.name, href, address, there is here))
    return links


def homes(here: Language, root: str) -> list[Switch]:
    """Return links to every language's home, for pages that have no counterpart.

    Args:
        here: The page's language.
        root: Address of the site's root; "" if that is the server's.
    """
    return [
        Switch(
            there.code,
            there.name,
            posixpath.join(root or "/", there.root, "index.html"),
            "",
            there is here,
        )
        for there in LANGUAGES
    ]


def site_root(here: Language, url: str) -> str:
    """Return the way from a page to the root that the languages share.

    Examples:
        >>> site_root(LANGUAGES[1], "cnn/output-size.html")
        '../..'
    """
    start = posixpath.dirname(posixpath.join(here.root, url)) or "."
    return posixpath.relpath(".", start)


def lacking(language: Language, page: str) -> frozenset[str]:
    """Return the codes of the languages that have no counterpart of a page."""
    return frozenset(
        other.code
        for other in LANGUAGES
        if other is not language and not (other.sources / page).is_file()
    )


@cache
def labels() -> dict[str, dict[str, dict[str, str]]]:
    """Read the table of words that the site shows, in both languages."""
    return yaml.safe_load(LABELS.read_text(encoding="utf-8"))


def words(code: str) -> dict[str, str]:
    """Return the words of the frame in one language."""
    return {key: pair[code] for key, pair in labels()["words"].items()}


def section_label(key: str, code: str) -> str | None:
    """Return a section's label, or None where nobody has given it one.

    The sections of topics are named in pages.yml, the others in labels.yml.
    """
    if pair := labels()["sections"].get(key):
        return pair[code]
    titles = (section.title for section in site_map() if section.key == key)
    return next((getattr(title, code) for title in titles), None)


def name_sections(items: Iterable[Any], code: str) -> list[str]:
    """Give the sections of a navigation their labels; return what is amiss."""
    problems: list[str] = []
    for item in items:
        if item.is_section:
            label = section_label(item.title, code)
            if label is None:
                where = "docs/data/pages.yml and docs/tools/labels.yml"
                problems.append(f"{where} have no section {item.title!r}")
            item.title = label or item.title
            problems += name_sections(item.children, code)
    return problems


def translate_titles(content: str, code: str) -> str:
    """Translate titles of docstring sections that mkdocstrings leaves in English.

    Examples:
        >>> translate_titles("<summary>References</summary>", "zh")
        '<summary>参考文献</summary>'
    """
    for english, pair in labels()["docstrings"].items():
        content = content.replace(
            f"<summary>{english}</summary>", f"<summary>{pair[code]}</summary>"
        )
    return content

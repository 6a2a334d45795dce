"""Overviews: what a section holds, in reading order, and what is still to come.

Nothing here is listed by hand. The order is that of `nav` in mkdocs.yml, a page's
sentence is the `description` of its front matter, what is planned stands in pages.yml.
"""

from html import escape
from pathlib import Path

import yaml

from docs.tools.snippets import ROOT
from docs.tools.web.catalogue import Catalogue, href
from docs.tools.web.languages import section_label
from docs.tools.web.tables import Words

INDEX = "index"  # name of the page that opens a section
BETWEEN = {"zh": "：", "en": ": "}  # a title and the description that repeats it


class _Loader(yaml.SafeLoader):
    """YAML whose own tags (`!ENV`, `!!python/name`) mean nothing to us."""


_Loader.add_multi_constructor("", lambda loader, suffix, node: None)
_Loader.add_multi_constructor(
    "tag:yaml.org,2002:python/", lambda loader, suffix, node: None
)


def reading_order(config: Path = ROOT / "mkdocs.yml") -> dict[str, list[str]]:
    """Return the sections of the navigation, and the keys of their pages."""
    entries = yaml.load(config.read_text(encoding="utf-8"), _Loader)["nav"]
    sections = [entry for entry in entries if isinstance(entry, dict)]
    return {
        name: [Path(page).with_suffix("").as_posix() for page in pages]
        for section in sections
        for name, pages in section.items()
    }


def contents(book: Catalogue, uri: str, words: Words) -> str:
    """List the pages of the section that a page opens, and those that are planned."""
    section = uri.partition("/")[0]
    keys = [key for key in reading_order().get(section, []) if key in book.sources]
    items = [_item(key, book, uri) for key in keys if key != f"{section}/{INDEX}"]
    listed = f'<ol class="overview">{"".join(items)}</ol>' if items else ""
    titles = [
        escape(book.text(page.title), quote=False)
        for part in book.sections
        for page in part.pages
        if part.key == section and page.slug not in book.sources
    ]
    if titles:
        listed_titles = words["semicolon"].join(titles)
        text = words["overview_planned"].format(titles=listed_titles)
        listed += f'<p class="to-come">{text}</p>'
    return listed


def sections(book: Catalogue, uri: str, words: Words) -> str:
    """Show the sections that have an overview, each with all its pages."""
    cards = []
    for section, keys in reading_order().items():
        opening = f"{section}/{INDEX}"
        if opening not in book.sources:
            continue
        name = escape(section_label(section, book.code) or section, quote=False)
        pages = [
            f'<a href="{href(uri, key)}">{escape(book.heading(key), quote=False)}</a>'
            for key in keys
            if key in book.sources and key != opening
        ]
        listed = "".join(f"<li>{page}</li>" for page in pages)
        cards.append(
            f'<li><p class="name"><a href="{href(uri, opening)}">{name}</a></p>'
            f"<p>{_sentence(opening, book)}</p>{f'<ul>{listed}</ul>' if pages else ''}"
            "</li>"
        )
    return f'<ul class="map">{"".join(cards)}</ul>'


def _item(key: str, book: Catalogue, uri: str) -> str:
    title = escape(book.heading(key), quote=False)
    return _entry(href(uri, key), title, _sentence(key, book))


def _entry(address: str, title: str, sentence: str) -> str:
    return f'<li><a href="{address}">{title}</a><p>{sentence}</p></li>'


def _sentence(key: str, book: Catalogue) -> str:
    """Return a page's description, without the name with which its title begins."""
    between = BETWEEN[book.code]
    text = str(book.sources[key].meta.get("description", ""))
    repeated = f"{book.heading(key).partition(between)[0]}{between}"
    if text.startswith(repeated):
        text = text.removeprefix(repeated)
        text = text[:1].upper() + text[1:]
    return escape(text, quote=False)

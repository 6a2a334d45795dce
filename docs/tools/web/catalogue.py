"""What the data files and the sources say together: pages, titles, proofs.

A page of the map is written once its source exists; a claim is proven once a block of
its page carries its id. Read once per build and language.
"""

import posixpath
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property

from docs.tools.data import (
    Claim,
    Section,
    Source,
    Term,
    bibliography,
    claims,
    glossary,
    site_map,
)
from docs.tools.fences import PageError
from docs.tools.lab_file import all_sources, load_source
from docs.tools.record import read_record
from docs.tools.snippets import Page

DEVICES = {"cpu": "CPU", "cuda": "GPU"}


@dataclass(frozen=True)
class Catalogue:
    """The data, seen from one language."""

    code: str
    sections: list[Section]
    claims: list[Claim]
    works: dict[str, Source]
    terms: list[Term]
    sources: dict[str, Page]  # key -> page that has been written
    records: dict[str, dict]  # device -> record

    def title(self, slug: str) -> str:
        """Return a page's title on the map."""
        pages = (page for section in self.sections for page in section.pages)
        return getattr(next(p for p in pages if p.slug == slug).title, self.code)

    def heading(self, key: str) -> str:
        """Return the title that a written page gives itself, without its id."""
        lines = self.sources[key].prose
        heading = next((line for line in lines if line.startswith("# ")), key)
        return heading.removeprefix("# ").partition(" {")[0]

    @cached_property
    def entries(self) -> dict[str, str]:
        """The page of each documented name: `dlref.shapes.x` -> `api/shapes`."""
        return {
            line.removeprefix("::: ").strip(): key
            for key, page in self.sources.items()
            for line in page.prose
            if line.startswith("::: ")
        }

    def is_topic(self, slug: str) -> bool:
        """Say whether a page of the map deals with a subject, not with this site."""
        subjects = [section for section in self.sections if section.key != "about"]
        return any(page.slug == slug for s in subjects for page in s.pages)

    def proofs(self, slug: str) -> set[str]:
        """Return the ids of the claims that blocks of a page carry."""
        page = self.sources.get(slug)
        return {id_ for block in page.blocks for id_ in block.claims} if page else set()

    def claims_of(self, slug: str) -> list[Claim]:
        """Return the claims of a page."""
        return [claim for claim in self.claims if claim.page == slug]

    def text(self, pair: object) -> str:
        """Return a text in this language."""
        return getattr(pair, self.code)


@cache
def catalogue(code: str) -> Catalogue:
    """Read everything for one language; `forget` makes the next call read again."""
    sources = {page.key: page for page in _readable(code)}
    return Catalogue(
        code,
        site_map(),
        claims(),
        bibliography(),
        glossary(),
        dict(sorted(sources.items())),
        {device: read_record(device) for device in DEVICES},
    )


def _readable(code: str) -> Iterator[Page]:
    """Yield the pages of a language; the build itself reports one that is broken."""
    for path in all_sources(code):
        with suppress(PageError):
            yield load_source(path)


def forget() -> None:
    """Let the next build read the files anew."""
    catalogue.cache_clear()


def href(here: str, there: str, anchor: str = "") -> str:
    """Return the way from a page to another of the same language.

    Args:
        here: Source of the page, below its language's folder.
        there: Key of the other page.
        anchor: Id on that page.

    Examples:
        >>> href("math/information.md", "cnn/output-size", "same")
        '../cnn/output-size.html#same'
        >>> href("index.md", "about/errata")
        'about/errata.html'
    """
    path = way(here, f"{there}.html")
    return f"{path}#{anchor}" if anchor else path


def way(here: str, path: str) -> str:
    """Return the way from a page to a file of its language's site.

    Examples:
        >>> way("about/errata.md", "assets/js/filter.js")
        '../assets/js/filter.js'
    """
    return posixpath.relpath(path, posixpath.dirname(here) or ".")

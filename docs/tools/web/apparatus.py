"""What data add to a page: tables, badges, citations, notes on terms, a notebook."""

from docs.tools.snippets import Page
from docs.tools.web import (
    badges,
    citations,
    claim_tables,
    notebooks,
    overviews,
    tables,
    terms,
    verification,
)
from docs.tools.web.catalogue import catalogue
from docs.tools.web.tables import Maker, Words

TABLES: dict[str, Maker] = {
    "claims-summary": claim_tables.counts,
    "claims": claim_tables.errata,
    "contents": overviews.contents,
    "glossary": terms.glossary,
    "sections": overviews.sections,
    "verification-summary": verification.summary,
    "environments": verification.environments,
    "skips": verification.skips,
    "verified-pages": verification.by_page,
    "tests": verification.tests,
    "parity": verification.parity,
}


def cite(
    page: Page, lines: list[str], code: str
) -> tuple[list[str], list[tuple[int, str]]]:
    """Turn the citations of a page's source into links; see `citations.resolve`."""
    return citations.resolve(page, lines, catalogue(code).works, code)


def extend(
    content: str, page: Page, uri: str, code: str, words: Words
) -> tuple[str, list[str]]:
    """Add to a rendered page what the data say about it.

    Args:
        content: The page's HTML.
        page: Its source, parsed.
        uri: Path of the source below its language's folder.
        code: The language.
        words: Labels in that language.

    Returns:
        The page, and what is amiss.
    """
    book, key = catalogue(code), uri.removesuffix(".md")
    content, problems = tables.fill(content, TABLES, book, uri, words)
    content = badges.attach(content, page, key, book, words)
    content = notebooks.link(content, page, key, code, words)
    if table := claim_tables.pitfalls(key, book, words):
        content = claim_tables.after_heading(content, "pitfalls", table)
    if book.is_topic(key):
        content = terms.annotate(content, book, uri)
    problems += [
        f'no block carries claims="{claim}", a claim of this page'
        for claim in claim_tables.unproven(key, book)
    ]
    return content, problems

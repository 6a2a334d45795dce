"""The claims as tables: all of them on the errata page, its own on each page."""

from collections import Counter
from collections.abc import Iterator
from html import escape

from docs.tools.data import Claim
from docs.tools.web import citations
from docs.tools.web.catalogue import Catalogue, href, way
from docs.tools.web.inline import attribute, to_html
from docs.tools.web.tables import Words

VERDICTS = ("correct", "imprecise", "wrong", "outdated")
STATES = ("proven", "planned", "none")
SCRIPT = "assets/js/filter.js"


def state(claim: Claim, book: Catalogue) -> str:
    """Say whether a claim is proven, planned, or beyond any program."""
    if claim.proof == "none":
        return "none"
    return "proven" if claim.id in book.proofs(claim.page) else "planned"


def chip(claim: Claim, words: Words) -> str:
    """Return a claim's verdict as a word; its row's class gives the colour."""
    return f'<span class="chip">{words[f"verdict_{claim.verdict}"]}</span>'


def counts(book: Catalogue, uri: str, words: Words) -> str:
    """Say in one line how many claims have which verdict, and how many are proven."""
    found = Counter(claim.verdict for claim in book.claims)
    proven = sum(state(claim, book) == "proven" for claim in book.claims)
    parts = [words["claims_all"].format(n=len(book.claims))]
    parts += [f"{words[f'verdict_{v}']} {found[v]}" for v in VERDICTS]
    parts.append(words["claims_proven"].format(n=proven))
    return f'<p class="summary">{" · ".join(parts)}</p>'


def errata(book: Catalogue, uri: str, words: Words) -> str:
    """Return the table of all claims, with what filters it."""
    head = "".join(
        f'<th scope="col">{words[f"claim_{part}"]}</th>'
        for part in ("id", "belief", "truth", "place")
    )
    rows = "\n".join(_row(claim, book, uri, words) for claim in book.claims)
    return (
        f"{_filter(book, uri, words)}"
        '<table class="claims" data-search-exclude>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>"
    )


def pitfalls(slug: str, book: Catalogue, words: Words) -> str:
    """Return the table of a page's own claims, "" if it has none."""
    claims = book.claims_of(slug)
    if not claims:
        return ""
    head = "".join(
        f'<th scope="col">{words[f"claim_{part}"]}</th>'
        for part in ("id", "belief", "verdict")
    )
    rows = "\n".join(
        f'<tr class="{claim.verdict}"><td>{_proof_here(claim, book)}</td>'
        f"<td>{to_html(book.text(claim.belief))}</td><td>{chip(claim, words)}</td></tr>"
        for claim in claims
    )
    return (
        '<table class="claims claims--page" data-search-exclude>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>"
    )


def unproven(slug: str, book: Catalogue) -> list[str]:
    """Return the claims of a page that no block of it carries, though one could."""
    carried = book.proofs(slug)
    return [
        claim.id
        for claim in book.claims_of(slug)
        if claim.proof is None and claim.id not in carried
    ]


def _proof_here(claim: Claim, book: Catalogue) -> str:
    """Return a claim's id, linked to the block on this page that carries it."""
    if state(claim, book) == "proven":
        return f'<a href="#{claim.id.lower()}">{claim.id}</a>'
    return claim.id


def _row(claim: Claim, book: Catalogue, uri: str, words: Words) -> str:
    """Return a claim's row on the errata page; the filter reads its classes."""
    name, how = claim.id.lower(), state(claim, book)
    sources = words["semicolon"].join(
        citations.outward(book.works[key], book.code) for key in claim.sources
    )
    sources = f'<span class="from">{sources}</span>' if sources else ""
    return (
        f'<tr id="{name}" class="{claim.verdict} {claim.page.partition("/")[0]} {how}">'
        f"<td>{claim.id}{chip(claim, words)}</td>"
        f"<td>{to_html(book.text(claim.belief))}</td>"
        f"<td>{to_html(book.text(claim.truth))}{sources}</td>"
        f"<td>{_place(claim, how, book, uri, words)}</td></tr>"
    )


def _place(claim: Claim, how: str, book: Catalogue, uri: str, words: Words) -> str:
    """Return where a claim is dealt with: its page, and the block that proves it."""
    title = escape(book.title(claim.page), quote=False)
    if claim.page in book.sources:
        title = f'<a href="{href(uri, claim.page)}">{title}</a>'
    if how == "proven":
        address = href(uri, claim.page, claim.id.lower())
        return f'{title}<a class="proof" href="{address}">{words["claim_proof"]}</a>'
    note = words[f"reason_{claim.reason}" if how == "none" else "claim_planned"]
    return f'{title}<span class="planned">{note}</span>'


def _filter(book: Catalogue, uri: str, words: Words) -> str:
    """Return the form above the table; a script shows it and makes it work."""
    sections = [
        (section.key, book.text(section.title))
        for section in book.sections
        if any(claim.page.startswith(f"{section.key}/") for claim in book.claims)
    ]
    verdicts = "".join(_radio(v, words[f"verdict_{v}"]) for v in VERDICTS)
    states = [(key, words[f"filter_{key}"]) for key in STATES]
    return (
        f'<form class="filter" hidden data-shown="{attribute(words["filter_shown"])}"'
        " data-search-exclude>"
        f'<input type="search" name="text" aria-label="{words["filter_text"]}"'
        f' placeholder="{words["filter_text"]}" autocomplete="off">'
        f"{_select('section', words['filter_section'], sections)}"
        f"{_select('state', words['filter_state'], states)}"
        f"<fieldset><legend>{words['claim_verdict']}</legend>"
        f"{_radio('', words['filter_any'], checked=True)}{verdicts}</fieldset>"
        '<output aria-live="polite"></output></form>'
        f'<script src="{way(uri, SCRIPT)}" defer></script>'
    )


def _select(name: str, label: str, options: list[tuple[str, str]]) -> str:
    listed = "".join(f'<option value="{key}">{text}</option>' for key, text in options)
    return (
        f'<select name="{name}" aria-label="{label}">'
        f'<option value="">{label}</option>{listed}</select>'
    )


def _radio(value: str, label: str, *, checked: bool = False) -> str:
    on = " checked" if checked else ""
    return (
        f'<label><input type="radio" name="verdict" value="{value}"{on}>'
        f"<span>{label}</span></label>"
    )


def after_heading(content: str, heading: str, addition: str) -> str:
    """Put something behind the text of a section, before its first subsection.

    Examples:
        >>> after_heading('<h2 id="a">A</h2><p>x</p><h3 id="b">B</h3>', "a", "<hr>")
        '<h2 id="a">A</h2><p>x</p><hr><h3 id="b">B</h3>'
    """
    start = content.find(f'<h2 id="{heading}"')
    if start < 0:
        return content
    ends = [end for end in _heading_starts(content, start + 1) if end > 0]
    end = min(ends, default=len(content))
    return content[:end] + addition + content[end:]


def _heading_starts(content: str, start: int) -> Iterator[int]:
    for tag in ("<h2", "<h3"):
        yield content.find(tag, start)

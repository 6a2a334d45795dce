"""The claims on the site: the errata page, and each page's own under its pitfalls."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from docs.tools.data import claims
from docs.tools.snippets import DOCS, LANGUAGES, Page, load
from docs.tools.web import apparatus, citations, claim_tables, inline
from docs.tools.web.catalogue import Catalogue, catalogue
from docs.tools.web.formulas import Formulas, typeset
from docs.tools.web.languages import words
from tests.site_build import Html, ids_of

PAGE_BUDGET = 40_000  # bytes of gzipped HTML


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return request.param


def page_of(site: Path, language: str, path: str) -> Html:
    folder = site / ("" if language == "zh" else "en")
    return Html(folder / path, site)


def written_pages() -> set[str]:
    return {
        p.relative_to(DOCS / "en").with_suffix("").as_posix()
        for p in (DOCS / "en").rglob("*.md")
    }


# --- errata ---------------------------------------------------------------------------


def test_the_errata_page_shows_every_claim(site: Path, language: str) -> None:
    works = catalogue(language).works
    rows = page_of(site, language, "about/errata.html").tree.select(".claims tbody tr")
    assert [row["id"] for row in rows] == [claim.id.lower() for claim in claims()]
    for row, claim in zip(rows, claims(), strict=True):
        cells = row.select("td")
        chip = words(language)[f"verdict_{claim.verdict}"]
        assert cells[0].get_text() == claim.id + chip
        plain = getattr(claim.belief, language).replace("`", "").replace("**", "")
        assert cells[1].get_text() == plain or "$" in plain, claim.id
        named = [citations.label(works[key], language) for key in claim.sources]
        sources = cells[2].select_one(".from")
        assert (sources.get_text() if sources else "") == words(language)[
            "semicolon"
        ].join(named)


def test_a_row_leads_to_the_proof_or_says_why_not(site: Path, language: str) -> None:
    page = page_of(site, language, "about/errata.html")
    written = written_pages()
    for claim in claims():
        row = page.tree.find(id=claim.id.lower())
        proof = row.select_one("a.proof")
        if claim.page in written and claim.proof is None:
            target, anchor = page.resolve(proof["href"])
            assert anchor == claim.id.lower()
            assert anchor in ids_of(target, site)
        else:
            key = f"reason_{claim.reason}" if claim.proof else "claim_planned"
            assert proof is None
            assert row.select_one("span.planned").get_text() == words(language)[key]


def test_the_filter_knows_what_the_rows_are(site: Path, language: str) -> None:
    page = page_of(site, language, "about/errata.html")
    form = page.tree.select_one("form.filter")
    assert form.has_attr("hidden"), "without JavaScript there is nothing to press"
    options = {tag["value"] for tag in form.select("option, input[type=radio]")} - {""}
    classes = {
        name for row in page.tree.select(".claims tbody tr") for name in row["class"]
    }
    assert options == classes


def test_formulas_of_the_table_are_light(site: Path, language: str) -> None:
    table = page_of(site, language, "about/errata.html").tree.select_one(".claims")
    assert len(table.select(".tex")) > 150
    assert not table.select(".katex, math, annotation, x-tex")


def test_the_page_stays_light_when_all_claims_are_proven(
    site: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, labels = catalogue(language), words(language)
    slugs = {page.slug: Page("") for section in book.sections for page in section.pages}
    every = {claim.id for claim in claims()}
    monkeypatch.setattr(Catalogue, "proofs", lambda self, slug: every)
    table = claim_tables.errata(replace(book, sources=slugs), "about/errata.md", labels)
    assert table.count('class="proof"') == sum(
        claim.proof is None for claim in claims()
    )
    text = page_of(site, language, "about/errata.html").path.read_text(encoding="utf-8")
    start, end = text.index('<form class="filter"'), text.rindex("</table>")
    html = text[:start] + typeset(table, Formulas())[0] + text[end + len("</table>") :]
    assert len(gzip.compress(html.encode(), 9)) <= PAGE_BUDGET


# --- under the pitfalls ---------------------------------------------------------------


def test_a_page_shows_its_own_claims(site: Path, language: str) -> None:
    shown = 0
    for slug in sorted({claim.page for claim in claims()} & written_pages()):
        page = page_of(site, language, f"{slug}.html")
        rows = page.tree.select(".claims--page tbody tr")
        own = [claim for claim in claims() if claim.page == slug]
        assert [row.td.get_text() for row in rows] == [claim.id for claim in own]
        for row, claim in zip(rows, own, strict=True):
            if claim.proof is None:
                assert row.a["href"].removeprefix("#") in page.ids
        heading = page.tree.find(id="pitfalls")
        following = heading.find_all_next(["h2", "h3", "table"], limit=1)[0]
        assert following.name == "table", slug
        shown += len(rows)
    assert shown >= 26


def test_a_claim_without_its_block_is_reported() -> None:
    book = catalogue("en")
    page = load(DOCS / "en/math/information.md")
    bare = replace(page, blocks=tuple(b for b in page.blocks if not b.claims))
    lacking = replace(book, sources={**book.sources, "math/information": bare})
    assert claim_tables.unproven("math/information", book) == []
    found = claim_tables.unproven("math/information", lacking)
    assert found == ["C043", "C044", "C045", "C046", "C047"]


def test_the_build_reports_a_claim_without_its_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claim_tables, "unproven", lambda slug, book: ["C999"])
    page = load(DOCS / "en/about/errata.md")
    _, problems = apparatus.extend("", page, "about/errata.md", "en", words("en"))
    assert any("C999" in problem for problem in problems)


def test_what_no_program_can_show_needs_no_block() -> None:
    book = catalogue("en")
    for claim in claims():
        if claim.proof:
            assert claim_tables.state(claim, book) == "none"
            assert claim.id not in claim_tables.unproven(claim.page, book)


# --- texts ----------------------------------------------------------------------------


def test_a_text_cannot_smuggle_in_html() -> None:
    assert inline.to_html("a <b> & `<i>`") == "a &lt;b&gt; &amp; <code>&lt;i&gt;</code>"
    assert inline.attribute('"x" & <y>') == "&quot;x&quot; &amp; &lt;y&gt;"


@pytest.mark.parametrize(
    ("key", "english", "chinese"),
    [
        ("shannon1948", "Shannon 1948", "Shannon 1948"),
        ("cover2006", "Cover and Thomas 2006", "Cover 与 Thomas 2006"),
        ("szegedy2015", "Szegedy et al. 2015", "Szegedy et al. 2015"),
        ("lecun1998b", "LeCun et al. 1998b", "LeCun et al. 1998b"),
        ("scikit-learn", "scikit-learn", "scikit-learn"),
    ],
)
def test_works_are_named_by_author_and_year(
    key: str, english: str, chinese: str
) -> None:
    work = catalogue("en").works[key]
    assert citations.label(work, "en") == english
    assert citations.label(work, "zh") == chinese


def test_no_two_works_have_the_same_name() -> None:
    works = catalogue("en").works.values()
    names = [citations.label(work, "en") for work in works]
    assert sorted(set(names)) == sorted(names)

"""The glossary on the site: its page, the notes on terms, the search dictionary."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from docs.tools.data import glossary
from docs.tools.snippets import LANGUAGES
from docs.tools.web import terms
from docs.tools.web.catalogue import catalogue
from tests.site_build import Html


def page_of(site: Path, language: str, path: str) -> Html:
    return Html(site / ("" if language == "zh" else "en") / path, site)


def noted(content: str, language: str) -> list[tuple[str, str]]:
    """Terms and words that carry a note."""
    html = terms.annotate(content, catalogue(language), "math/information.md")
    return re.findall(r'<a class="term" href="[^"#]*#([\w-]+)"[^>]*>([^<]*)</a>', html)


# --- the page -------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_glossary_page_shows_every_term(site: Path, language: str) -> None:
    rows = page_of(site, language, "about/glossary.html").tree.select(".terms tbody tr")
    known = {term.id: term for term in glossary()}
    assert {row["id"] for row in rows} == known.keys()
    for row in rows:
        term, cells = known[row["id"]], [cell.get_text() for cell in row.select("td")]
        other = "en" if language == "zh" else "zh"
        expected = [getattr(term, language), getattr(term, other)]
        expected += [getattr(term.note, language), "、".join(term.avoid)]
        assert cells == expected


def test_english_terms_are_in_alphabetical_order(site: Path) -> None:
    rows = page_of(site, "en", "about/glossary.html").tree.select(".terms tbody tr")
    names = [row.td.get_text().casefold() for row in rows]
    assert names == sorted(names)


# --- notes ----------------------------------------------------------------------------


def test_only_the_first_use_carries_a_note() -> None:
    assert noted("<p>卷积核与卷积核，感受野</p>", "zh") == [
        ("kernel", "卷积核"),
        ("receptive-field", "感受野"),
    ]


def test_the_longest_term_is_meant() -> None:
    assert noted("<p>批量归一化，再说批量归一化</p>", "zh") == [
        ("batch-normalization", "批量归一化")
    ]


def test_english_terms_are_whole_words_in_any_number_and_case() -> None:
    found = noted("<p>Kernels are small; colonel and sub-kernel are not.</p>", "en")
    assert found == [("kernel", "Kernels")]


@pytest.mark.parametrize(
    "content",
    [
        '<p><a href="x">kernel</a></p>',
        "<pre><code>kernel</code></pre>",
        "<h2>The kernel</h2>",
        '<p class="admonition-title">A kernel</p>',
        '<span class="arithmatex">\\(kernel\\)</span>',
        '<table class="claims"><tr><td>kernel</td></tr></table>',
        '<img alt="kernel">',
        "<!-- kernel -->",
    ],
)
def test_some_places_carry_no_note(content: str) -> None:
    assert noted(content, "en") == []
    assert noted(f"{content}<p>kernel</p>", "en") == [("kernel", "kernel")]


def test_nothing_but_the_link_is_added() -> None:
    content = "<p>A <b>kernel</b> &lt; 3 &amp; its stride<br>and padding</p>"
    html = terms.annotate(content, catalogue("en"), "x.md")
    assert re.sub(r'<a class="term"[^>]*>|</a>', "", html) == content


def test_words_of_everyday_language_carry_no_note() -> None:
    assert noted("<p>In view of the saturation of the image.</p>", "en") == []
    assert noted("<p>饱和度</p>", "zh") == []


def test_topic_pages_carry_notes_and_others_do_not(site: Path) -> None:
    for path, some in {
        "cnn/output-size.html": True,
        "index.html": False,
        "about/glossary.html": False,
        "about/scope.html": False,
        "api/shapes.html": False,
    }.items():
        for language in LANGUAGES:
            page = page_of(site, language, path)
            assert bool(page.tree.select("a.term")) is some, page.name


# --- search ---------------------------------------------------------------------------


def test_the_search_dictionary_is_the_glossary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "SEARCH_TERMS", tmp_path / "x" / "terms.txt")
    first, *others = glossary()
    written = Path(terms.write_search_terms([replace(first, search=True), *others]))
    lines = written.read_text(encoding="utf-8").splitlines()
    expected = [first.zh, *(term.zh for term in others if term.search)]
    assert lines == [f"{word} 1000" for word in expected]

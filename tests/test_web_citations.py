"""Citations: by key in the source, by author and year on the page, listed below."""

import re
from pathlib import Path

import pytest

from docs.tools.data import bibliography
from docs.tools.parity import compare_pages
from docs.tools.snippets import LANGUAGES, load, pages, parse
from docs.tools.web import citations
from tests.site_build import Html, source_of


def cite(text: str, code: str = "en") -> tuple[str, list[tuple[int, str]]]:
    page = parse(text)
    lines, problems = citations.resolve(page, page.lines, bibliography(), code)
    return "\n".join(lines), problems


def test_a_citation_becomes_a_link_to_its_entry() -> None:
    text, problems = cite("Bits ([@shannon1948], section 6).\n")
    link = '<a class="cite" href="#ref-shannon1948">Shannon 1948</a>'
    assert text.startswith(f"Bits ({link}, section 6).")
    assert "## References { #references }" in text
    assert '<li id="ref-shannon1948">Claude E. Shannon. <cite>A Mathematical' in text
    assert "doi:10.1002/j.1538-7305.1948.tb01338.x</a></li>" in text
    assert problems == []


def test_several_works_are_cited_at_once_and_listed_in_order() -> None:
    text, _ = cite("（[@shannon1948; @endres2003]）\n", "zh")
    assert ">Shannon 1948</a>；<a" in text
    assert ">Endres 与 Schindelin 2003</a>）" in text
    assert "## 参考文献 { #references }" in text
    assert re.findall(r'id="ref-([\w-]+)"', text) == ["endres2003", "shannon1948"]


def test_a_work_is_listed_once() -> None:
    text, _ = cite("[@lin1991]\n\n[@lin1991]\n")
    assert text.count('class="cite"') == 2
    assert text.count('id="ref-lin1991"') == 1


def test_the_list_is_part_of_further() -> None:
    text, _ = cite("[@lin1991]\n\n## Further { #further }\n\n- more\n")
    assert "\n### References { #references }" in text


def test_an_unknown_key_is_reported_with_its_line() -> None:
    _, problems = cite("one\n\n[@lin1991; @nobody1900]\n")
    assert problems == [(3, "no work in bibliography.yml has the key 'nobody1900'")]


def test_code_cites_nothing() -> None:
    source = "`[@shannon1948]`\n\n```python\nx = '[@shannon1948]'\n```\n"
    text, problems = cite(source)
    assert text.strip() == source.strip()
    assert problems == []


def test_many_authors_are_shortened_and_a_question_keeps_its_mark() -> None:
    text, _ = cite("[@szegedy2015] [@bertasius2021]\n")
    assert "Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe et al. <cite>" in text
    assert "Understanding?</cite> ICML" in text


def test_languages_must_cite_the_same() -> None:
    one, two = parse("# T { #t }\n\n[@lin1991]\n"), parse("# T { #t }\n\n[@he2015]\n")
    assert "citations" in "\n".join(compare_pages(one, two))
    assert compare_pages(one, parse("# S { #t }\n\n（[@lin1991]）\n")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_cite_by_key(language: str) -> None:
    """A work of the bibliography is not linked by hand."""
    by_hand = re.compile(r"https?://(?:(?:dx\.)?doi\.org|arxiv\.org)/\S+")
    found = [
        f"{path}:{number}: {match[0]}"
        for path in pages(language)
        for number, line in enumerate(load(path).prose, start=1)
        if (match := by_hand.search(line))
    ]
    assert found == []


def test_every_citation_of_the_site_has_its_entry(site: Path) -> None:
    cited = 0
    for path in sorted(site.rglob("*.html")):
        page = Html(path, site)
        links = page.tree.select("a.cite")
        targets = {link["href"].removeprefix("#") for link in links}
        entries = [item["id"] for item in page.tree.select(".references li")]
        assert sorted(entries) == sorted(targets), page.name
        source = source_of(path, site)
        if source.is_file():
            text = "\n".join(load(source).prose)
            keys = {
                k for m in citations.CITATION.finditer(text) for k in citations.keys(m)
            }
            assert {f"ref-{key}" for key in keys} == targets, page.name
            cited += len(keys)
    assert cited >= 30

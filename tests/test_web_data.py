"""What the site makes of its data: badges, tables, citations, notes on terms."""

from pathlib import Path

import pytest

from docs.tools.data import bibliography, claims, glossary, site_map
from docs.tools.lab_file import all_sources, load_source
from docs.tools.record import entry, read_record
from docs.tools.snippets import LANGUAGES, Page, parse
from docs.tools.web import apparatus, badges, tables
from docs.tools.web.catalogue import Catalogue
from docs.tools.web.languages import words
from tests.site_build import Html, ids_of, source_of

PAGE = """\
# T { #t }

```python
print(1)
```
```output
1
```

```python
x = 1
```
"""
RENDERED = (
    '<div id="block-1" class="program"><pre>1</pre></div>'
    '<div class="text output"><pre>1</pre></div>'
    '<div id="block-2" class="program"><pre>2</pre></div>'
)
RUN = {"torch": "2.13.0", "device_name": "Some CPU", "date": "2026-11-20"}


@pytest.fixture
def page() -> Page:
    return parse(PAGE)


def book(code: str, page: Page, verdicts: list[str] | None) -> Catalogue:
    """A catalogue of one page, recorded on the CPU with these verdicts."""
    recorded = {"x": entry(page, verdicts)} if verdicts else {}
    return Catalogue(
        code,
        site_map(),
        claims(),
        bibliography(),
        glossary(),
        {"x": page},
        {
            "cpu": {"environment": RUN if verdicts else {}, "pages": recorded},
            "cuda": {"environment": {}, "pages": {}},
        },
    )


@pytest.fixture(scope="module")
def written(site: Path) -> list[Html]:
    found = [Html(path, site) for path in sorted(site.rglob("*.html"))]
    return [page for page in found if page.path.name != "404.html"]


# --- badges ---------------------------------------------------------------------------


def test_a_badge_says_what_the_record_says(page: Page) -> None:
    shelf = book("en", page, ["passed", "skipped: no driver"])
    one, two = (badges.badge(page, "x", b, shelf, words("en")) for b in page.blocks)
    assert "CPU ✓ · GPU –" in one
    assert "CPU: verified, torch 2.13.0, Some CPU, 2026-11-20" in one
    assert "GPU: not verified yet" in one
    assert "CPU –" in two
    assert "CPU: skipped, no driver" in two


def test_a_badge_tells_of_a_change(page: Page) -> None:
    shelf = book("zh", page, ["passed", "passed"])
    changed = parse(PAGE.replace("print(1)", "print(2 - 1)"))
    one, two = (
        badges.badge(changed, "x", b, shelf, words("zh")) for b in changed.blocks
    )
    assert "CPU ↻" in one
    assert "CPU：验证之后有改动，torch 2.13.0" in one
    assert "badge--doubt" in one
    assert "CPU ✓" in two


def test_a_comment_leaves_the_badge_as_it_is(page: Page) -> None:
    shelf = book("en", page, ["passed", "passed"])
    commented = parse(PAGE.replace("x = 1", "x = 1  # one"))
    assert "CPU ✓" in badges.badge(
        commented, "x", commented.blocks[1], shelf, words("en")
    )


def test_a_block_behind_the_record_has_changed(page: Page) -> None:
    shelf = book("en", page, ["passed", "passed"])
    longer = parse(PAGE + "\n```python\ny = 2\n```\n")
    verdict = badges.judge(shelf.records["cpu"], "x", longer.blocks[2])
    assert verdict.state == "changed"


def test_the_badge_hangs_under_the_output(page: Page) -> None:
    shelf = book("en", page, None)
    content = badges.attach(RENDERED, page, "x", shelf, words("en"))
    first, second = content.split('<div id="block-2"')
    assert first.split('class="text output"')[1].count('class="badge"') == 1
    assert first.split('class="text output"')[0].count("badge") == 0
    assert second.count('class="badge"') == 1


def test_every_program_has_its_badge(written: list[Html], site: Path) -> None:
    recorded = {badges.row_id(key) for key in read_record("cpu")["pages"]}
    for page in written:
        blocks = load_source(source_of(page.path, site)).blocks
        found = page.tree.select("a.badge")
        assert len(found) == len(blocks), page.name
        for mark in found:
            target, anchor = page.resolve(mark["href"])
            assert anchor in ids_of(target, site)
            assert ("torch" in mark.get_text()) == (anchor in recorded), page.name


# --- tables ---------------------------------------------------------------------------


def test_a_table_that_nobody_makes_is_named(page: Page) -> None:
    content = '<div data-table="nonsense"></div>'
    shelf = book("en", page, None)
    left, problems = tables.fill(content, apparatus.TABLES, shelf, "x.md", {})
    assert left == ""
    assert problems == ["no table is called 'nonsense'"]


def test_no_request_for_a_table_is_left(written: list[Html]) -> None:
    assert [page.name for page in written if page.tree.select("[data-table]")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_verification_page_counts_the_blocks(site: Path, language: str) -> None:
    folder = site / ("" if language == "zh" else "en")
    page = Html(folder / "about/verification.html", site)
    rows = page.tree.select('tr[id^="p-"]')
    loaded = [load_source(path) for path in all_sources(language)]
    counts = [len(page.blocks) for page in loaded if page.blocks]
    assert sorted(int(row.select("td")[1].get_text()) for row in rows) == sorted(counts)
    assert f"{sum(counts)} " in page.tree.select_one(".summary").get_text()

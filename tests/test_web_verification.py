"""The verification page: what it counts is what is there."""

from pathlib import Path

import pytest

from docs.tools.measured import read_parity
from docs.tools.snippets import LANGUAGES, ROOT
from docs.tools.web.badges import row_id
from docs.tools.web.catalogue import catalogue
from docs.tools.web.languages import section_label, words
from docs.tools.web.overviews import reading_order
from docs.tools.web.suite import KINDS, count_tests
from tests.site_build import Html, ids_of

TESTS = {
    "test_shapes.py": """
class TestOne:
    @given(integers())
    def test_a(self, n): ...

    def test_b(self): ...

    @pytest.mark.refusal
    def test_c(self): ...

    def helper(self): ...

@pytest.mark.refusal
class TestTwo:
    @pytest.mark.parametrize("x", range(100))
    def test_d(self, x): ...
""",
    "test_browser.py": "pytestmark = pytest.mark.browser\ndef test_e(): ...\n",
    "test_data.py": "@given(text())\ndef test_f(x): ...\n",
    "test_search.py": "@pytest.mark.browser\ndef test_g(): ...\ndef test_h(): ...\n",
    "helpers.py": "def test_i(): ...\n",
}


def page_of(site: Path, language: str) -> Html:
    folder = site / ("" if language == "zh" else "en")
    return Html(folder / "about/verification.html", site)


def test_tests_are_counted_by_kind(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "dlref").mkdir()
    for name, text in TESTS.items():
        (tmp_path / "tests" / name).write_text(text, encoding="utf-8")
    module = tmp_path / "dlref/shapes.py"
    module.write_text('"""M."""\ndef f():\n    """F.\n\n    >>> 1\n    """\n')
    (tmp_path / "dlref/shapes").mkdir()
    assert dict(count_tests(tmp_path)) == {
        "property": 1,
        "oracle": 1,
        "refusal": 2,
        "browser": 2,
        "machinery": 2,
        "docstring": 1,
    }


def test_every_kind_of_test_is_there() -> None:
    counts = count_tests(ROOT)
    assert set(counts) == set(KINDS)
    assert all(counts[kind] > 5 for kind in KINDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_the_counts(site: Path, language: str) -> None:
    heading = page_of(site, language).tree.find(id="tests")
    rows = heading.find_next("table").select("tbody tr")
    shown = {row.td.get_text(): row.select("td")[1].get_text() for row in rows}
    counts = count_tests(ROOT)
    for kind in KINDS:
        assert shown[words(language)[f"tests_{kind}"]] == str(counts[kind])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_what_was_measured(site: Path, language: str) -> None:
    page = page_of(site, language)
    rows = page.tree.select(".numbers tbody tr")
    _, measurements = read_parity()
    assert len(rows) == len(measurements) > 40
    for row, entry in zip(rows, measurements, strict=True):
        cells = [cell.get_text() for cell in row.select("td")]
        assert f"dlref.{cells[0]}" == entry.function
        assert cells[1] == entry.oracle
        assert cells[4] == str(entry.values)
        target, anchor = page.resolve(row.a["href"])
        assert anchor in ids_of(target, site)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_stand_under_their_section_in_reading_order(
    site: Path, language: str
) -> None:
    heading = page_of(site, language).tree.find(id="pages")
    bodies = heading.find_next("table").select("tbody")
    found = {
        body.th.get_text(): [row["id"] for row in body.select("tr[id]")]
        for body in bodies
    }
    expected: dict[str, list[str]] = {section_label("about", language): ["p-index"]}
    sources = catalogue(language).sources
    for section, keys in reading_order().items():
        for key in keys:
            if key in sources and sources[key].blocks:
                label = section_label(section, language)
                expected.setdefault(label, []).append(row_id(key))
    assert found == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_room_says_how_far_off_it_is_at_worst(site: Path, language: str) -> None:
    page = page_of(site, language)
    rooms = {entry.function.rpartition(".")[0] for entry in read_parity()[1]}
    parts = page.tree.select(".numbers > details")
    assert [part.summary.code.get_text() for part in parts] == sorted(rooms)
    for part in parts:
        functions = {row.a["href"] for row in part.select("tbody tr")}
        assert f" {len(functions)} " in part.summary.get_text().replace("：", " ")
        errors = {row.select("td")[3].get_text() for row in part.select("tbody tr")}
        assert part.summary.get_text().split()[-1] in errors


@pytest.mark.parametrize("language", LANGUAGES)
def test_home_and_scope_lead_there(site: Path, language: str) -> None:
    target = page_of(site, language).path.resolve()
    for name in ("index.html", "about/scope.html"):
        page = Html(target.parents[1] / name, site)
        links = page.article.find_all("a", class_=lambda c: c != "badge", href=True)
        assert any(page.resolve(link["href"])[0] == target for link in links), name

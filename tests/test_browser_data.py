"""What the site makes of its data, in a real Chromium: filters, notes, downloads."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from docs.tools.data import claims, glossary
from tests.chromium_tabs import DESK, PHONE, address_of
from tests.site_build import LANGUAGES, ROOT

pytestmark = pytest.mark.browser

ROWS = "table.claims > tbody > tr:not([hidden])"


def shown(tab, rows: str = ROWS) -> list[str]:
    """Ids of the rows that a reader sees."""
    return tab.evaluate(
        "rows => [...document.querySelectorAll(rows)]"
        ".filter(row => row.checkVisibility()).map(row => row.id.toUpperCase())",
        rows,
    )


def _fences(section: str) -> str:
    """The opening lines of all Python blocks on a section's pages."""
    sources = sorted((ROOT / "docs/zh" / section).glob("*.md"))
    lines = "\n".join(path.read_text("utf-8") for path in sources).splitlines()
    return "\n".join(line for line in lines if line.lstrip().startswith("```python"))


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def errata(tab, base: str, language: str):
    tab.goto(address_of(base, language, "about/errata.html"))
    return tab


# --- errata ---------------------------------------------------------------------------


def test_at_first_all_claims_are_shown(errata, complaints) -> None:
    assert shown(errata) == [claim.id for claim in claims()]
    assert "233" in errata.locator(".filter output").inner_text()
    assert complaints == []


def test_filters_narrow_and_combine(errata, complaints) -> None:
    errata.locator(".filter label", has=errata.locator("[value=wrong]")).click()
    wrong = {claim.id for claim in claims() if claim.verdict == "wrong"}
    assert set(shown(errata)) == wrong
    errata.select_option(".filter [name=section]", "cnn")
    both = {claim.id for claim in claims() if claim.page.startswith("cnn/")} & wrong
    assert set(shown(errata)) == both
    errata.select_option(".filter [name=state]", "proven")
    carried = {f"C{n}" for n in re.findall(r"\bC(\d{3})\b", _fences("cnn"))}
    assert "C131" in carried
    assert set(shown(errata)) == both & carried
    count = str(len(both & carried))
    assert count in errata.locator(".filter output").inner_text().split()
    assert complaints == []


def test_text_is_found_whatever_its_case_and_width(errata, language: str) -> None:
    errata.fill(".filter [name=text]", "ＴＯＴＥＮＳＯＲ 255")
    found = shown(errata)
    assert {"C037", "C038"} <= set(found)
    assert len(found) < 10
    errata.fill(".filter [name=text]", "zzzz")
    assert shown(errata) == []


def test_the_keyboard_filters(errata) -> None:
    errata.focus(".filter [name=text]")
    for _ in range(3):  # section, state, verdict
        errata.keyboard.press("Tab")
    errata.keyboard.press("ArrowRight")
    correct = [claim.id for claim in claims() if claim.verdict == "correct"]
    assert shown(errata) == correct


def test_enter_does_not_leave_the_page(errata, language: str) -> None:
    before = errata.url
    errata.fill(".filter [name=text]", "relu")
    errata.press(".filter [name=text]", "Enter")
    assert errata.url == before


def test_a_link_to_a_claim_that_is_filtered_away_shows_it(errata) -> None:
    errata.fill(".filter [name=text]", "dropout")
    assert "C131" not in shown(errata)
    errata.evaluate("location.hash = 'c131'")
    errata.wait_for_function("!document.getElementById('c131').hidden")
    assert len(shown(errata)) == len(claims())


def test_a_proof_is_one_click_away(errata, base: str, language: str) -> None:
    errata.click("#c131 a.proof")
    expected = address_of(base, language, "cnn/output-size.html#c131")
    assert errata.url == expected
    box = errata.locator("#c131").bounding_box()
    assert 0 <= box["y"] < DESK["height"]


def test_rows_are_cards_on_a_phone(errata) -> None:
    errata.set_viewport_size(PHONE)
    cells = errata.locator("#c037 > td")
    tops = [cells.nth(n).bounding_box()["y"] for n in range(4)]
    assert tops == sorted(tops)
    assert len(set(tops)) == 4
    assert errata.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_without_javascript_all_rows_are_there(chromium, base: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(f"{base}/about/errata.html")
    assert page.locator("table.claims > tbody > tr").count() == len(claims())
    assert page.locator("#c001").is_visible()
    assert not page.locator("form.filter").is_visible()
    context.close()


def test_formulas_are_set_in_katex_s_fonts(errata) -> None:
    loaded = errata.evaluate(
        "document.fonts.ready.then(() => [...document.fonts]"
        ".filter(({ status }) => status === 'loaded').map(({ family }) => family))"
    )
    assert {"KaTeX_Main", "KaTeX_Math"} <= set(loaded)
    root = errata.locator("#c001 .tex").first
    assert root.evaluate("e => getComputedStyle(e).fontFamily").startswith("KaTeX_Main")


# --- glossary and notes ---------------------------------------------------------------


def test_the_glossary_is_filtered_by_text(tab, base: str, language: str) -> None:
    tab.goto(address_of(base, language, "about/glossary.html"))
    rows = "table.terms > tbody > tr:not([hidden])"
    assert len(shown(tab, rows)) == len(glossary())
    tab.fill(".filter [name=text]", "感受野")
    assert set(shown(tab, rows)) == {"RECEPTIVE-FIELD", "EFFECTIVE-RECEPTIVE-FIELD"}


def test_a_note_appears_on_focus_and_leads_to_the_glossary(
    tab, base: str, language: str
) -> None:
    tab.goto(address_of(base, language, "cnn/output-size.html"))
    term = tab.locator("a.term[href$='#stride']")
    content = "term => getComputedStyle(term, '::after').content"
    assert term.evaluate(content) == "none"
    term.focus()
    tab.keyboard.press("Shift+Tab")  # back to it by keyboard, so that focus is visible
    tab.keyboard.press("Tab")
    note = next(entry.note for entry in glossary() if entry.id == "stride")
    assert term.evaluate(content) == f'"{getattr(note, language)}"'
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/about/glossary.html#stride")


# --- badges and notebooks -------------------------------------------------------------


def test_a_badge_explains_itself_on_hover_and_focus(
    tab, base: str, language: str
) -> None:
    tab.goto(address_of(base, language, "math/information.html"))
    badge = tab.locator("a.badge").first
    note = badge.locator(".badge__note")
    assert note.bounding_box()["width"] <= 1
    badge.hover()
    assert note.bounding_box()["width"] > 100
    assert "torch" in note.inner_text()
    tab.mouse.move(0, 0)
    assert note.bounding_box()["width"] <= 1
    badge.focus()
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Tab")
    assert note.bounding_box()["width"] > 100


@pytest.mark.parametrize("page", ["math/information", "labs/first-network", "index"])
def test_the_notebook_is_one_click_away(
    tab, base: str, site: Path, complaints: list[str], language: str, page: str
) -> None:
    """Served or from disk, it is saved under its name, byte by byte the site's file."""
    tab.goto(address_of(base, language, f"{page}.html"))
    for _ in range(2):
        with tab.expect_download() as caught:
            tab.click(".page-tools a[download]")
        assert caught.value.suggested_filename == f"{Path(page).name}.ipynb"
        saved = caught.value.path().read_bytes()
        assert saved == (site / LANGUAGES[language] / f"{page}.ipynb").read_bytes()
    nbformat.validate(nbformat.reads(saved.decode(), as_version=4))
    assert tab.url == address_of(base, language, f"{page}.html")
    assert complaints == []


@pytest.mark.parametrize("base", ["file"], indirect=True)
def test_without_its_script_the_link_leads_to_the_notebook(
    tab, base: str, site: Path, tmp_path: Path
) -> None:
    alone = tmp_path / "math"
    alone.mkdir()
    for name in ("information.html", "information.ipynb"):
        (alone / name).write_bytes((site / "math" / name).read_bytes())
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/js").symlink_to(site / "assets/js")
    tab.goto((alone / "information.html").as_uri())
    tab.click(".page-tools a[download]")
    tab.wait_for_url("**/math/information.ipynb")


@pytest.mark.parametrize("base", ["file"], indirect=True)
def test_without_javascript_the_notebook_is_shown(chromium, base: str) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(f"{base}/math/information.html")
    page.click(".page-tools a[download]")
    page.wait_for_url("**/math/information.ipynb")
    assert json.loads(page.locator("body").inner_text())["nbformat"] == 4
    context.close()

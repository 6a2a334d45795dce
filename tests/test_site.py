"""The built site: complete, self-contained, in two languages, and always the same."""

import filecmp
import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from docs.tools.lab_file import all_sources, load_source
from docs.tools.web import styles
from tests.site_build import (
    LANGUAGES,
    Html,
    build_site,
    copy_sources,
    is_external,
    source_of,
)

PAGE_BUDGET = 40_000  # bytes of gzipped HTML


@pytest.fixture(scope="module")
def pages(site: Path) -> list[Html]:
    return [Html(path, site) for path in sorted(site.rglob("*.html"))]


@pytest.fixture(scope="module")
def written(pages: list[Html]) -> list[Html]:
    """The pages that have a source of their own."""
    return [page for page in pages if page.path.name != "404.html"]


# --- two languages --------------------------------------------------------------------


def test_both_languages_have_the_same_pages(site: Path) -> None:
    english = {p.relative_to(site / "en") for p in (site / "en").rglob("*.html")}
    chinese = {p.relative_to(site) for p in site.rglob("*.html")}
    assert english == {path for path in chinese if path.parts[0] != "en"}


def test_every_source_became_a_page(written: list[Html], site: Path) -> None:
    sources = {source_of(page.path, site) for page in written}
    docs = source_of(site / "index.html", site).parents[1]
    assert sources == {p for code in LANGUAGES for p in all_sources(code, docs)}


def test_a_page_names_its_language_and_leads_to_the_other(written: list[Html]) -> None:
    for page in written:
        here = "en" if page.name.startswith("en/") else "zh"
        assert page.tree.html["lang"] == here, page.name
        found = {
            tag["hreflang"]: page.resolve(tag["href"])[0]
            for tag in page.tree.find_all("link", hreflang=True)
        }
        path = page.name.removeprefix("en/")
        expected = {c: (page.site / d / path).resolve() for c, d in LANGUAGES.items()}
        assert found == {**expected, "x-default": expected["zh"]}, page.name
        (switch,) = page.tree.find_all("a", attrs={"data-language": True})
        other = "zh" if here == "en" else "en"
        assert switch["hreflang"] == other, page.name
        assert page.resolve(switch["href"])[0] == expected[other], page.name


def test_the_frame_speaks_the_language_of_its_page(site: Path) -> None:
    for code, tab in (("", "数学"), ("en", "Mathematics")):
        tabs = Html(site / code / "index.html", site).tree.select(".md-tabs__link")
        assert tab in [link.get_text(strip=True) for link in tabs]
    chinese = Html(site / "api/shapes.html", site).article.get_text()
    assert "参数：" in chinese
    assert "Parameters:" not in chinese
    assert "Parameters:" in Html(site / "en/api/shapes.html", site).article.get_text()


def test_shared_files_lie_once_on_the_site(site: Path) -> None:
    theme = {"javascripts", "stylesheets", "images", "_mkdocstrings.css"}
    assert {path.name for path in (site / "en/assets").iterdir()} <= theme
    for page in ("index.html", "cnn/output-size.html", "404.html"):
        loads = Html(site / "en" / page, site).loads
        there = {path for load in loads if (path := load.partition("assets/")[2])}
        assert any(path.startswith("css/") for path in there), page
    figures = Html(site / "en/labs/first-network.html", site).article.select("img")
    sources = [str(figure["src"]) for figure in figures]
    assert sources
    assert all(source.startswith("../../assets/figures/labs/") for source in sources)


# --- nothing from elsewhere, nothing broken -------------------------------------------


def test_no_page_loads_anything_from_elsewhere(pages: list[Html]) -> None:
    for page in pages:
        assert page.loads
        assert not [a for a in page.loads if is_external(a)], page.name


def test_no_style_sheet_loads_anything_from_elsewhere(site: Path) -> None:
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        for address in re.findall(r"url\(\s*['\"]?([^'\")]+)", text):
            assert not is_external(address), f"{sheet.name}: {address[:80]}"
        assert not re.search(r"@import\s+['\"]", text), sheet.name


def test_what_a_page_loads_is_there(pages: list[Html]) -> None:
    for page in pages:
        for address in page.loads:
            if not address.startswith("data:"):
                assert page.resolve(address)[0].is_file(), f"{page.name}: {address}"


def test_links_and_anchors_resolve(pages: list[Html]) -> None:
    ids = {page.path.resolve(): set(page.ids) for page in pages}
    for page in pages:
        for address in page.links:
            if is_external(address) or address.startswith(("mailto:", "javascript:")):
                continue
            target, anchor = page.resolve(address)
            assert target.is_file(), f"{page.name}: {address}"
            if anchor and not anchor.startswith("__"):  # the theme's own toggles
                assert anchor in ids[target], f"{page.name}: {address}"


def test_ids_are_unique(pages: list[Html]) -> None:
    for page in pages:
        assert len(page.ids) == len(set(page.ids)), page.name


# --- formulas, programs, figures ------------------------------------------------------


def test_formulas_are_rendered(written: list[Html], site: Path) -> None:
    for page in written:
        formulas = page.article.select(".formula .katex-display")
        prose = "\n".join(load_source(source_of(page.path, site)).prose)
        expected = len(re.findall(r"\$\$", prose)) // 2
        # API pages show the formulas of docstrings besides their own.
        enough = len(formulas) >= expected
        assert enough if page.name.count("api/") else len(formulas) == expected, (
            page.name
        )


def test_no_tex_source_is_left(written: list[Html]) -> None:
    for page in written:
        page = Html(page.path, page.site)  # a tree of its own, to be cut up
        for tag in page.tree.select("pre, code, script, .katex"):
            tag.decompose()
        text = page.tree.get_text()
        for sign in ("$$", r"\(", r"\[", r"\frac"):
            assert sign not in text, f"{page.name}: {sign}"
        assert not page.tree.select("x-tex, .arithmatex, .formula-error"), page.name


def test_programs_and_outputs_are_shown(written: list[Html], site: Path) -> None:
    shown = 0
    for page in written:
        for block in load_source(source_of(page.path, site)).blocks:
            where = f"{page.name}#block-{block.index}"
            program = page.tree.find(id=f"block-{block.index}")
            assert program is not None, where
            assert program.code.get_text() == block.fence.code, where
            after = program.find_next_sibling()
            printed = after.code.get_text() if _is_output(after) else None
            assert printed == (block.output.code if block.output else None), where
            for claim in block.claims:
                assert claim.lower() in page.ids, f"{where}: {claim}"
            shown += 1
    assert shown > 20


def _is_output(tag) -> bool:
    return tag is not None and "output" in tag.get("class", [])


def test_block_options_are_hidden(written: list[Html]) -> None:
    for page in written:
        text = page.article.get_text()
        assert not re.search(r"```|\bclaims=|\braises=", text), page.name


def test_figures_have_text_and_size(written: list[Html]) -> None:
    figures = [(p, tag) for p in written for tag in p.article.select("img.figure")]
    assert figures
    for page, tag in figures:
        assert tag["alt"].strip(), f"{page.name}: {tag['src']}"
        assert int(tag["width"]) > 0, f"{page.name}: {tag['src']}"
        assert int(tag["height"]) > 0, f"{page.name}: {tag['src']}"


# --- search ---------------------------------------------------------------------------


def test_chinese_is_cut_into_words(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text(encoding="utf-8"))
    words = {w for doc in index["docs"] for w in doc["text"].split("\u200b")}
    assert {"卷积", "步幅", "图像"} <= words


def test_search_holds_words_and_no_tex(site: Path) -> None:
    for folder in LANGUAGES.values():
        path = site / folder / "search" / "search_index.json"
        index = json.loads(path.read_text(encoding="utf-8"))
        assert len(index["docs"]) > 20
        assert not [d["location"] for d in index["docs"] if r"\frac" in d["text"]]


# --- weight and bytes -----------------------------------------------------------------


def test_nothing_is_in_the_way_of_the_first_paint(pages: list[Html]) -> None:
    for page in pages:
        sheets = page.tree.select("link[rel=stylesheet]")
        assert len(sheets) == 3, page.name  # the theme's two, and all of ours
        for script in page.tree.select("script[src]"):
            assert script.has_attr("defer"), f"{page.name}: {script['src']}"


def test_our_style_sheets_are_sent_as_one(site: Path, tmp_path: Path) -> None:
    text = (site / styles.JOINED).read_text(encoding="utf-8")
    for selector in (".katex-display", ".doc-backlink-crumb", ".chip", "@media print"):
        assert (
            selector in text
        )  # of KaTeX, of mkdocstrings, ours: the first to the last
    assert "/*" not in text
    fonts = re.findall(r"url\((\.\.[^)]+\.woff2)\)", text)
    assert len(fonts) == 20
    for font in fonts:
        assert ((site / styles.JOINED).parent / font).resolve().is_file()
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/x.css").write_text("a { b: url(i.svg) url(data:i) }/* c */")
    joined = styles.join(["assets/x.css"], tmp_path)
    assert joined == "a { b: url(../i.svg) url(data:i) }"


def test_pages_are_light(pages: list[Html]) -> None:
    for page in pages:
        weight = len(gzip.compress(page.path.read_bytes(), 9))
        assert weight <= PAGE_BUDGET, f"{page.name}: {weight} bytes gzipped"


def test_two_builds_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    root = copy_sources(tmp_path / "elsewhere")
    result = build_site(tmp_path / "again", root, TZ="Asia/Shanghai", LC_ALL="C")
    assert result.returncode == 0, result.stdout
    files = {p.relative_to(site) for p in site.rglob("*") if p.is_file()}
    again = tmp_path / "again"
    assert files == {p.relative_to(again) for p in again.rglob("*") if p.is_file()}
    _, different, failed = filecmp.cmpfiles(site, again, map(str, files), shallow=False)
    assert (different, failed) == ([], [])


# --- what a strict build refuses ------------------------------------------------------

DEFECTS = {
    "zh": {
        "[断](../cnn/nowhere.md)": "cnn/nowhere.md",
        "[断](../cnn/output-size.md#nowhere)": "cnn/output-size.md#nowhere",
        "$\\fra{1}{2}$": r"\fra",
        "## 式 $x$ { #formula-in-heading }": "formula",
        "[断][dlref.no_such_name]": "dlref.no_such_name",
        "（[@nobody1900]）": "nobody1900",
    },
    "en": {
        "[broken](../cnn/nowhere.md)": "cnn/nowhere.md",
        "[broken](../../assets/figures/nowhere.svg)": "figures/nowhere.svg",
        "$$\n\\begin{nonsense}\n$$": "nonsense",
        '<div data-table="no-such-table"></div>': "no-such-table",
    },
}
PAGE = "about/scope.md"


@pytest.fixture(scope="module")
def refusal(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a build says that meets all the defects at once."""
    root = copy_sources(tmp_path_factory.mktemp("broken") / "tree")
    for code, defects in DEFECTS.items():
        page = root / "docs" / code / PAGE
        text = page.read_text(encoding="utf-8")
        page.write_text("\n\n".join([text, *defects]), encoding="utf-8")
    lonely = root / "docs/zh/math/lonely.md"
    lonely.write_text("# 单 { #lonely }\n\n```python\nx = 1\n", encoding="utf-8")
    (root / "docs/en/math/information.md").unlink()
    result = build_site(root / "site", root)
    shutil.rmtree(root)
    assert result.returncode != 0, result.stdout
    return result.stdout


@pytest.mark.parametrize(
    ("code", "sign"), [(c, s) for c, signs in DEFECTS.items() for s in signs.values()]
)
def test_a_defect_stops_the_build_and_is_named(
    refusal: str, code: str, sign: str
) -> None:
    lines = [line for line in refusal.splitlines() if sign in line]
    assert lines, refusal
    assert any(f"docs/{code}/{PAGE}" in line for line in lines), lines


@pytest.mark.parametrize(
    "message",
    [
        "docs/zh/math/lonely.md has no counterpart docs/en/math/lonely.md",
        "docs/zh/math/information.md has no counterpart docs/en/math/information.md",
        "docs/zh/math/lonely.md:3: the fence ```python is never closed",
        'not included in the "nav" configuration',
        "'math/information.md' is included in the 'nav' configuration",
    ],
)
def test_a_missing_part_stops_the_build_and_is_named(
    refusal: str, message: str
) -> None:
    assert message in refusal, refusal

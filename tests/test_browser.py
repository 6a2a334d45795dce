"""The built site in a real Chromium: opened from disk, and served."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from docs.tools.snippets import load
from tests.chromium_tabs import DESK, PHONE, address_of, copy_block
from tests.site_build import LANGUAGES, ROOT

pytestmark = pytest.mark.browser

FIRST_VISIT = 300_000  # bytes, compressed, without the search index


def _addresses(site: Path) -> list[str]:
    paths = sorted(p.relative_to(site).as_posix() for p in site.rglob("*.html"))
    return [path for path in paths if not path.endswith("404.html")]


def test_pages_ask_nobody_and_complain_of_nothing(tab, base, site, complaints) -> None:
    for address in _addresses(site):
        tab.goto(f"{base}/{address}")
    assert complaints == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_switch_keeps_page_and_section(tab, base, language: str) -> None:
    other = "en" if language == "zh" else "zh"
    tab.goto(address_of(base, language, "cnn/output-size.html"))
    tab.evaluate("location.hash = 'pitfalls'")
    tab.mouse.wheel(0, 5)  # a reader who has moved on a little
    tab.click("[data-language]")
    assert tab.url == address_of(base, other, "cnn/output-size.html#pitfalls")
    assert tab.locator("html").get_attribute("lang") == other


def test_dark_mode_reaches_figures_and_the_other_language(tab, base) -> None:
    tab.goto(f"{base}/cnn/output-size.html")
    figure = tab.locator("img.figure").first
    light_page, light = _brightness(tab.locator("body")), _brightness(figure)
    tab.locator("[data-md-component=palette] label:visible").click()
    tab.wait_for_timeout(300)
    assert _brightness(tab.locator("body")) < 70 < 200 < light_page
    assert _brightness(figure) < light - 100
    ink = _ink(figure)
    assert ink > 150, f"lines of the figure are dark on dark: {ink}"
    tab.click("[data-language]")
    assert tab.locator("body").get_attribute("data-md-color-scheme") == "slate"


def _picture(element) -> Image.Image:
    return Image.open(io.BytesIO(element.screenshot())).convert("L")


def _brightness(element) -> int:
    """Return the commonest level of grey: the ground."""
    histogram = _picture(element).histogram()
    return histogram.index(max(histogram))


def _ink(element) -> int:
    """Return the brightest level that more than a hundred pixels have."""
    histogram = _picture(element).histogram()
    return max(level for level, count in enumerate(histogram) if count > 100)


@pytest.mark.parametrize("language", LANGUAGES)
def test_copy_copies_the_program(tab, base, language: str) -> None:
    if base.startswith("http"):
        permissions = ["clipboard-read", "clipboard-write"]
        tab.context.grant_permissions(permissions, origin=base)
    page = "cnn/output-size"
    block = load(ROOT / "docs" / language / f"{page}.md").blocks[0]
    tab.goto(address_of(base, language, f"{page}.html"))
    assert copy_block(tab, 1).strip() == block.fence.code.strip()
    assert tab.locator(".output button").count() == 0


def test_a_phone_never_scrolls_sideways(tab, base, site) -> None:
    tab.set_viewport_size(PHONE)
    wide = {}
    for address in _addresses(site):
        tab.goto(f"{base}/{address}")
        tab.evaluate("document.fonts.ready")
        width = tab.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide[address] = width
    assert wide == {}


def test_pages_read_without_javascript(chromium, base, site) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport=DESK)
    page = context.new_page()
    page.goto(f"{base}/math/information.html")
    formula = page.locator(".formula .katex-html").first.bounding_box()
    assert formula["width"] > 60
    assert page.locator(".output code").first.is_visible()
    context.close()


def test_a_keyboard_shows_where_it_is(tab, base) -> None:
    tab.goto(f"{base}/en/cnn/output-size.html")
    for _ in range(3):
        tab.keyboard.press("Tab")
        width = tab.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width == "2px", tab.evaluate("document.activeElement.outerHTML")


def test_what_scrolls_sideways_is_reached_by_keyboard(tab, base) -> None:
    """Wherever it is on the page, and only while it is wider than its place."""
    tab.set_viewport_size(PHONE)
    tab.goto(f"{base}/en/cnn/output-size.html")
    wide = [tab.locator(".formula").last, tab.locator("pre > code").last]
    for size, length, index in ((PHONE, 300, 0), (DESK, 3, -1)):
        tab.set_viewport_size(size)
        wide[1].evaluate(f"box => box.textContent = 'x'.repeat({length})")
        tab.evaluate("dispatchEvent(new Event('resize'))")
        tab.wait_for_selector("html[data-measured]")
        assert [box.evaluate("box => box.tabIndex") for box in wide] == [index, index]


def test_paper_shows_the_text_and_nothing_of_the_frame(tab, base) -> None:
    tab.goto(f"{base}/en/cnn/output-size.html")
    last = tab.locator(".highlight > pre").last
    style = "element => getComputedStyle(element).contentVisibility"
    assert last.evaluate(style) == "auto"
    tab.emulate_media(media="print")
    assert last.evaluate(style) == "visible"  # what is out of sight is printed too
    for part in (".md-header", ".md-sidebar", ".md-footer", ".badge", ".page-tools"):
        assert not tab.locator(part).first.is_visible(), part
    assert tab.locator(".output code").last.is_visible()


@pytest.mark.parametrize("anchor", ["c182", "refusals", "block-4", "further"])
def test_a_link_to_a_section_leads_there(tab, base, anchor: str) -> None:
    """Although heights of what is out of sight are guessed."""
    tab.goto(f"{base}/cnn/output-size.html#{anchor}")
    tab.wait_for_load_state("networkidle")
    top = tab.locator(f"#{anchor}").bounding_box()["y"]
    assert -5 <= top <= DESK["height"] - 50
    tab.goto(f"{base}/api/transforms-augmentation.html#dlref.transforms.adjust_hue")
    tab.wait_for_load_state("networkidle")
    place = tab.locator("[id='dlref.transforms.adjust_hue']").bounding_box()
    assert -5 <= place["y"] <= DESK["height"] / 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "path",
    [
        "index.html",
        "practice/image-transforms.html",
        "api/transforms-augmentation.html",
    ],
)
def test_a_first_visit_is_light(
    chromium, served: str, language: str, path: str
) -> None:
    context = chromium.new_context(viewport=DESK)
    page = context.new_page()
    bodies: dict[str, Callable[[], bytes]] = {}
    page.on("response", lambda answer: bodies.update({answer.url: answer.body}))
    page.goto(address_of(served, language, path), wait_until="networkidle")
    weights = {
        url: len(gzip.compress(body()))
        for url, body in list(bodies.items())  # a late answer may still come
        if "/search/search_index" not in url
    }
    context.close()
    assert len(weights) > 5
    assert sum(weights.values()) <= FIRST_VISIT, weights

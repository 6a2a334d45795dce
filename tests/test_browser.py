"""The built site in a real Chromium: opened from disk, and served."""

import functools
import gzip
import http.server
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from docs.tools.chromium import find_chromium
from docs.tools.snippets import load
from tests.site_build import LANGUAGES, ROOT

sync_api = pytest.importorskip("playwright.sync_api", exc_type=ImportError)
pytestmark = pytest.mark.browser

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FIRST_VISIT = 300_000  # bytes, compressed, without the search index
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}

SEARCHES = {
    "zh": {
        "卷积输出尺寸": "cnn/output-size.html",
        "感受野": "shapes.html",
        "KL散度": "math/information.html",
        "交叉熵 单位": "math/information.html",
        "ToTensor": "practice/image-transforms.html",
        "ToTensor除以255": "practice/image-transforms.html",
        "same padding": "cnn/output-size.html",
        "dlref.shapes.conv_output_size": "api/shapes.html",
    },
    "en": {
        "same padding": "cnn/output-size.html",
        "receptive field": "shapes.html",
        "KL divergence": "math/information.html",
        "nats bits": "math/information.html",
        "ToTensor": "practice/image-transforms.html",
        "to_tensor": "transforms.html",
    },
}


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    path = find_chromium()
    if path is None:
        reason = "no Chromium here: `python docs/tools/chromium.py` installs one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def served(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["file", "served"])
def base(request: pytest.FixtureRequest, site: Path) -> str:
    """Where the site is opened from."""
    if request.param == "file":
        return site.as_uri()
    return request.getfixturevalue("served")


@pytest.fixture
def complaints() -> list[str]:
    """What the tab requested elsewhere, could not load, or complained about."""
    return []


@pytest.fixture
def tab(chromium, base: str, complaints: list[str]) -> Iterator[object]:
    """An empty tab of a fresh profile that notes everything amiss."""
    context = chromium.new_context(color_scheme="light", viewport=DESK)
    page = context.new_page()

    def note_request(request) -> None:
        if not request.url.startswith((base, "data:", "blob:")):
            complaints.append(f"requested {request.url}")

    def note_message(message) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{page.url}: {message.text}")

    def note_failure(request) -> None:
        if request.failure != "net::ERR_ABORTED":  # by the next page's loading
            complaints.append(f"could not load {request.url}: {request.failure}")

    page.on("request", note_request)
    page.on("console", note_message)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("requestfailed", note_failure)
    yield page
    context.close()


def _address(base: str, language: str, page: str) -> str:
    return "/".join(part for part in (base, LANGUAGES[language], page) if part)


def _addresses(site: Path) -> list[str]:
    paths = sorted(p.relative_to(site).as_posix() for p in site.rglob("*.html"))
    return [path for path in paths if not path.endswith("404.html")]


def test_pages_ask_nobody_and_complain_of_nothing(tab, base, site, complaints) -> None:
    for address in _addresses(site):
        tab.goto(f"{base}/{address}")
    assert complaints == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_search_answers(tab, base, complaints, language: str) -> None:
    tab.goto(_address(base, language, "index.html"))
    field = tab.locator(".md-search__input")
    field.click()
    tab.wait_for_selector(".md-search-result__list", state="attached")
    missed = {}
    for question, page in SEARCHES[language].items():
        field.fill(question)
        field.press("End")  # the theme listens to keys
        first = _first_results(tab)
        if not any(page in address for address in first):
            missed[question] = first
    assert missed == {}
    assert complaints == []


def _first_results(tab) -> list[str]:
    """Pages of the first three results, once the list has settled."""
    seen: list[str] = []
    for _ in range(25):
        tab.wait_for_timeout(120)
        found = tab.evaluate(
            "[...document.querySelectorAll('.md-search-result__item > a')]"
            ".slice(0, 3).map(a => new URL(a.href).pathname)"
        )
        if found and found == seen:
            break
        seen = found
    return seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_switch_keeps_page_and_section(tab, base, language: str) -> None:
    other = "en" if language == "zh" else "zh"
    tab.goto(_address(base, language, "cnn/output-size.html"))
    tab.evaluate("location.hash = 'pitfalls'")
    tab.mouse.wheel(0, 5)  # a reader who has moved on a little
    tab.click("[data-language]")
    assert tab.url == _address(base, other, "cnn/output-size.html#pitfalls")
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
    tab.goto(_address(base, language, f"{page}.html"))
    tab.locator("#block-1").hover()
    tab.locator("#block-1 button[data-md-type=copy]").click()
    tab.evaluate(
        "document.body.prepend(Object.assign(document.createElement('textarea'),"
        " {id: 'paste'}))"
    )
    tab.focus("#paste")
    tab.keyboard.press("Control+V")
    assert tab.input_value("#paste").strip() == block.fence.code.strip()
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_visit_is_light(chromium, served: str, language: str) -> None:
    context = chromium.new_context(viewport=DESK)
    page = context.new_page()
    bodies: dict[str, Callable[[], bytes]] = {}
    page.on("response", lambda answer: bodies.update({answer.url: answer.body}))
    page.goto(_address(served, language, "index.html"), wait_until="networkidle")
    weights = {
        url: len(gzip.compress(body()))
        for url, body in bodies.items()
        if "/search/search_index" not in url
    }
    context.close()
    assert len(weights) > 5
    assert sum(weights.values()) <= FIRST_VISIT, weights

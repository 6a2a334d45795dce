"""Chromium for the tests: browser, served site, tabs that note what is amiss.

`tests/conftest.py` makes the fixtures known to every test.
"""

import functools
import gzip
import http.server
import io
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

import pytest

from docs.tools.chromium import find_chromium
from tests.site_build import LANGUAGES

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
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    sync_api = pytest.importorskip("playwright.sync_api", exc_type=ImportError)
    path = find_chromium()
    if path is None:
        reason = "no Chromium here: `python docs/tools/chromium.py` installs one"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@functools.cache
def _compress(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 6)


class _Host(http.server.SimpleHTTPRequestHandler):
    """Serves text compressed and keeps connections, as hosts of static sites do."""

    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".woff2": "font/woff2",
    }

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        path = Path(self.translate_path(self.path))
        kind = self.guess_type(str(path))
        if not path.is_file() or not re.match("text/|.*(json|javascript|svg)", kind):
            return super().send_head()
        body = _compress(str(path))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        return io.BytesIO(body)


@pytest.fixture(scope="session")
def served(site: Path) -> Iterator[str]:
    handler = functools.partial(_Host, directory=str(site))
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
    watch(page, base, complaints)
    yield page
    context.close()


def watch(page, base: str, complaints: list[str]) -> None:
    """Note what a tab asks of others than `base`, and whatever goes wrong in it."""

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


def address_of(base: str, language: str, page: str) -> str:
    """Return the address of a page in a language."""
    return "/".join(part for part in (base, LANGUAGES[language], page) if part)


def copy_block(tab, number: int) -> str:
    """Copy a program by its button; return what can then be pasted."""
    tab.locator(f"#block-{number}").hover()
    tab.locator(f"#block-{number} button[data-md-type=copy]").click()
    tab.evaluate(
        "document.body.prepend(Object.assign(document.createElement('textarea'),"
        " {id: 'paste'}))"
    )
    tab.focus("#paste")
    tab.keyboard.press("Control+V")
    return tab.input_value("#paste")


# --- search ---------------------------------------------------------------------------

# The links of the first pages of results, less those below "more on this page", once
# the list has changed and then been still for a moment.
_RESULTS = """
([count, still, patience]) => new Promise((resolve) => {
  const list = document.querySelector(".md-search-result__list");
  let timer;
  const finish = () => {
    changes.disconnect();
    clearTimeout(limit);
    const groups = [...list.children].slice(0, count);
    const links = (group) => group.querySelectorAll(":scope > a");
    const read = ({ href }) => href.replace(/\\?.*?(?=#|$)/, ""); // words to highlight
    resolve(groups.map((group) => [...links(group)].map(read)));
  };
  const changes = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(finish, still);
  });
  const limit = setTimeout(finish, patience);
  changes.observe(list, { childList: true });
  const field = document.querySelector(".md-search__input");
  field.dispatchEvent(new KeyboardEvent("keyup", { key: "End", bubbles: true }));
})
"""


def open_search(tab) -> None:
    """Click into the search field, and wait until it can answer."""
    button = tab.locator(".md-header__inner > label[for=__search]")
    if button.is_visible():  # on a phone
        button.click()
    tab.locator(".md-search__input").click()
    tab.wait_for_selector(".md-search-result__list", state="attached")


def ask(tab, question: str, count: int = 3) -> list[list[str]]:
    """Type a question; return the addresses that the first results lead to, by page."""
    tab.locator(".md-search__input").fill(question)
    return tab.evaluate(_RESULTS, [count, 40, 1500])

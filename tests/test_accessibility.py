"""Nothing on any page violates a rule of axe-core: both schemes, wide and on a phone.

Every page is checked as a desk shows it by day, one page of each template in the three
other looks, and so is the search dialog with its results.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium_tabs import DESK, PHONE, address_of, ask, open_search
from tests.site_build import LANGUAGES

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "vendor/axe/axe.min.js"
TEMPLATES = [
    "index",
    "cnn/output-size",
    "api/shapes",
    "about/scope",
    "about/errata",
    "about/verification",
    "404",
]
LOOKS = {
    "day": ("light", DESK),
    "night": ("dark", DESK),
    "phone by day": ("light", PHONE),
    "phone by night": ("dark", PHONE),
}

# Violations as lines: rule and its help, then the first elements that break it.
_CHECK = """
() => axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.map(({ id, help, nodes }) => [
    `${id} (${nodes.length}): ${help}`,
    ...nodes.slice(0, 3).map(({ target, html, failureSummary }) =>
      `  ${target.join(" ")}\\n    ${html.slice(0, 160)}\\n    ${failureSummary}`),
  ].join("\\n")))
"""


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def tab(chromium, look: str) -> Iterator[object]:
    scheme, size = LOOKS[look]
    context = chromium.new_context(
        color_scheme=scheme, viewport=size, reduced_motion="reduce"
    )
    context.add_init_script(path=AXE)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_break_no_rule(
    tab, served: str, site: Path, look: str, language: str
) -> None:
    paths = [f"{name}.html" for name in TEMPLATES]
    if look == "day":
        root = site / LANGUAGES[language]
        names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*.html"))
        paths = [n for n in names if language == "en" or not n.startswith("en/")]
    found = []
    for path in paths:
        tab.goto(address_of(served, language, path))
        tab.wait_for_selector("html[data-measured]")
        found += [f"{path}: {text}" for text in tab.evaluate(_CHECK)]
    assert not found, "\n".join(["violations of axe-core's rules", *found])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_search_dialog_breaks_no_rule(tab, served: str, language: str) -> None:
    tab.goto(address_of(served, language, "cnn/output-size.html"))
    tab.wait_for_selector("html[data-measured]")
    open_search(tab)
    assert ask(tab, "same padding")
    found = tab.evaluate(_CHECK)
    assert not found, "\n".join(["violations of axe-core's rules", *found])


@pytest.mark.parametrize("look", ["day"], indirect=True)
def test_a_violation_is_found(tab, served: str) -> None:
    tab.goto(address_of(served, "en", "404.html"))
    tab.evaluate("document.querySelector('article').append(new Image())")
    (found,) = tab.evaluate(_CHECK)
    assert "image-alt" in found

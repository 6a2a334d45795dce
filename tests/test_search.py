"""Search answers what readers ask: tests/search/questions.yml, in a real browser."""

from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from tests.chromium_tabs import address_of, ask, open_search
from tests.site_build import LANGUAGES, ROOT

QUESTIONS = Path(__file__).parent / "search/questions.yml"
TABLE: dict[str, dict[str, list[str]]] = yaml.safe_load(
    QUESTIONS.read_text(encoding="utf-8")
)
ENOUGH = 2  # questions per page and language


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_among_the_first(tab, base, complaints, language: str) -> None:
    tab.goto(address_of(base, language, "index.html"))
    open_search(tab)
    root = address_of(base, language, "") + "/"
    failures = []
    for target, questions in TABLE.items():
        for question in questions[language]:
            groups = [
                [unquote(link).removeprefix(root) for link in links]
                for links in ask(tab, question)
            ]
            if not _holds(groups, target):
                came = [f"    {' '.join(links)}" for links in groups] or ["    nothing"]
                failures += [f"  {question}: expected {target}, found", *came]
    assert not failures, "\n".join([f"search in {language} fails", *failures])
    assert complaints == []


def _holds(groups: list[list[str]], target: str) -> bool:
    """Whether the page is among the results, at the section if one is named."""
    page, _, anchor = target.partition("#")
    links = {link for links in groups for link in links}
    if anchor:
        return f"{page}.html#{anchor}" in links
    return any(link.partition("#")[0] == f"{page}.html" for link in links)


def test_every_page_has_questions(site: Path) -> None:
    names = {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    pages = {name for name in names if not name.startswith("en/")} - {"404.html"}
    asked: dict[str, list[int]] = {page: [0, 0] for page in sorted(pages)}
    for target, questions in TABLE.items():
        page = f"{target.partition('#')[0]}.html"
        assert page in pages, f"{QUESTIONS.name}: there is no page {page}"
        for place, language in enumerate(LANGUAGES):
            asked[page][place] += len(questions[language])
    few = {page: counts for page, counts in asked.items() if min(counts) < ENOUGH}
    assert few == {}, f"add questions to {QUESTIONS.relative_to(ROOT)}"


def test_there_are_enough_questions() -> None:
    counts = [sum(len(asked[code]) for asked in TABLE.values()) for code in LANGUAGES]
    assert min(counts) >= 50, counts

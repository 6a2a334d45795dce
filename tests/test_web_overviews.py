"""Overviews of sections: made from the navigation, the pages and the map."""

from dataclasses import replace
from pathlib import Path

import pytest

from docs.tools.data import site_map
from docs.tools.lab_file import all_sources
from docs.tools.snippets import Page, parse
from docs.tools.web import overviews
from docs.tools.web.catalogue import Catalogue, catalogue
from docs.tools.web.languages import section_label, words
from tests.site_build import LANGUAGES, ROOT, Html

SECTIONS = [name for name in overviews.reading_order() if name != "about"]


def overview(site: Path, language: str, section: str) -> Html:
    return Html(site / LANGUAGES[language] / section / "index.html", site)


def page(title: str, description: str) -> Page:
    return parse(f"---\ndescription: '{description}'\n---\n\n# {title} {{ #x }}\n")


def book(code: str, sources: dict[str, Page]) -> Catalogue:
    return replace(catalogue(code), sources=sources)


@pytest.fixture
def navigation(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A navigation to write in, instead of that of mkdocs.yml."""
    order: dict[str, list[str]] = {}
    monkeypatch.setattr(overviews, "reading_order", lambda: order)
    return order


# --- what is listed -------------------------------------------------------------------


def test_the_order_is_that_of_the_navigation(tmp_path: Path) -> None:
    config = tmp_path / "mkdocs.yml"
    config.write_text(
        "site_url: !ENV [SITE_URL, '']\n"
        "nav:\n  - index.md\n"
        "  - b: [b/index.md, b/two.md, b/one.md]\n  - a:\n      - a/lab.ipynb\n"
        "emoji: !!python/name:material.extensions.emoji.twemoji\n"
    )
    found = overviews.reading_order(config)
    assert list(found.items()) == [
        ("b", ["b/index", "b/two", "b/one"]),
        ("a", ["a/lab"]),
    ]


def test_a_page_is_listed_with_its_sentence_once_it_is_written(navigation) -> None:
    navigation["gen"] = ["gen/index", "gen/vae", "gen/gan"]
    index = page("Generative models", "All of them.")
    before = {"gen/index": index, "gen/gan": page("GANs", "Two <nets>.")}
    listed = overviews.contents(book("en", before), "gen/index.md", words("en"))
    assert '<li><a href="gan.html">GANs</a><p>Two &lt;nets&gt;.</p></li></ol>' in listed
    assert "index.html" not in listed
    names = "DeepDream; Neural style transfer; Variational autoencoders; GAN and DCGAN"
    assert f'<p class="to-come">Planned: {names.rpartition(";")[0]}.</p>' in listed

    after = before | {"gen/vae": page("VAEs", "A code.")}
    listed = overviews.contents(book("en", after), "gen/index.md", words("en"))
    assert listed.index("VAEs") < listed.index("GANs")
    assert "Variational" not in listed


def test_a_section_without_plans_says_nothing_of_them(navigation) -> None:
    navigation["api"] = ["api/index", "api/x"]
    sources = {"api/x": page("dlref.x", "dlref.x: numbers, and more.")}
    listed = overviews.contents(book("en", sources), "api/index.md", words("en"))
    assert "to-come" not in listed
    assert "<p>Numbers, and more.</p>" in listed  # its title is not said twice
    sources = {"api/x": page("dlref.x: the old ones", "dlref.x: numbers.")}
    listed = overviews.contents(book("en", sources), "api/index.md", words("en"))
    assert ">dlref.x: the old ones</a><p>Numbers.</p>" in listed


def test_the_map_shows_every_section_with_its_pages(navigation) -> None:
    navigation |= {"gen": ["gen/index", "gen/vae", "gen/gan"], "about": ["about/scope"]}
    sources = {
        "gen/index": page("生成", "造图。"),
        "gen/gan": page("对抗", "两个网络。"),
        "about/scope": page("a", "b"),
    }
    listed = overviews.sections(book("zh", sources), "index.md", words("zh"))
    name = '<p class="name"><a href="gen/index.html">生成模型</a></p>'
    pages = '<ul><li><a href="gen/gan.html">对抗</a></li></ul>'
    assert listed == f'<ul class="map"><li>{name}<p>造图。</p>{pages}</li></ul>'


def test_sections_are_named_by_the_map_and_by_the_labels() -> None:
    for section in site_map():
        assert section_label(section.key, "zh") == section.title.zh
    assert section_label("labs", "en") == "Labs"
    assert section_label("nonsense", "en") is None


# --- on the site ----------------------------------------------------------------------


def test_every_section_opens_with_its_overview() -> None:
    for section in SECTIONS:
        assert overviews.reading_order()[section][0] == f"{section}/index"


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_overview_lists_every_page_of_its_section(
    site: Path, language: str, section: str
) -> None:
    shown = overview(site, language, section)
    links = shown.article.select("ol.overview > li > a")
    keys = [
        shown.resolve(str(link["href"]))[0]
        .relative_to((site / LANGUAGES[language]).resolve())
        .with_suffix("")
        .as_posix()
        for link in links
    ]
    folder = ROOT / "docs" / language
    sources = {
        path.relative_to(folder).with_suffix("").as_posix()
        for path in all_sources(language)
    }
    written = {key for key in sources if key.startswith(f"{section}/")}
    assert set(keys) == written - {f"{section}/index"}
    assert keys == [k for k in overviews.reading_order()[section] if k in keys]
    titles = catalogue(language)
    assert [link.get_text() for link in links] == [titles.heading(key) for key in keys]
    for sentence in shown.article.select("ol.overview > li > p"):
        assert len(sentence.get_text()) > 10


@pytest.mark.parametrize("section", SECTIONS)
def test_the_tab_of_a_section_leads_to_its_overview(site: Path, section: str) -> None:
    home = Html(site / "index.html", site)
    found = {home.resolve(a["href"])[0] for a in home.tree.select(".md-tabs__link")}
    assert (site / section / "index.html").resolve() in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_home_page_leads_to_every_page(site: Path, language: str) -> None:
    home = Html(site / LANGUAGES[language] / "index.html", site)
    root = (site / LANGUAGES[language]).resolve()
    links = {home.resolve(str(a["href"]))[0] for a in home.article.select(".map a")}
    for section in SECTIONS:
        for key in overviews.reading_order()[section]:
            if key in catalogue(language).sources:
                assert root / f"{key}.html" in links, key

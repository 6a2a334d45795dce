"""Search answers what readers ask: tests/search/questions.yml, in a real browser."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import material
import pytest
import yaml
from mkdocs.structure.files import File, Files

from docs.tools.data import glossary
from docs.tools.web import terms
from docs.tools.web.theme import MENDS, mend
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


# --- names ----------------------------------------------------------------------------

# What readers who know torch type -> the entries that may answer.
TORCH_NAMES = {
    "F.conv2d": {"conv2d"},
    "nn.Conv2d": {"Conv2d"},
    "torch.nn.functional.max_pool2d": {"max_pool2d"},
    "nn.MaxPool2d": {"max_pool2d"},
    "nn.BatchNorm2d": {"BatchNorm2d"},
    "nn.LayerNorm": {"layer_norm"},
    "torchvision.models.resnet50": {"resnet50"},
    "vgg16_bn": {"vgg16_bn"},
    "F.normalize": {"normalize"},
    "transforms.ToTensor": {"ToTensor"},
    "torchvision.transforms.functional.adjust_hue": {"adjust_hue"},
    "T.RandomResizedCrop": {"RandomResizedCrop"},
}


def _documented(site: Path) -> list[str]:
    """Places of all entries of the API, such as api/shapes.html#dlref.shapes.x."""
    index = json.loads((site / "en/search/search_index.json").read_text("utf-8"))
    places = [entry["location"] for entry in index["docs"]]
    return [place for place in places if "#dlref." in place and "__" not in place]


@pytest.mark.browser
@pytest.mark.parametrize("base", ["file"], indirect=True)
def test_a_name_of_the_api_leads_to_its_entry(tab, base: str, site: Path) -> None:
    """Short and dotted; a short name that is a plain word asks for the topic too."""
    tab.goto(address_of(base, "en", "index.html"))
    open_search(tab)
    places = _documented(site)
    assert len(places) > 40
    wrong = []
    for place in places:
        dotted = place.partition("#")[2]
        short = dotted.rpartition(".")[2]
        for name in (dotted, short):
            first, *others = ask(tab, name)
            if name == short and not (set(short) & set("_0123456789")):
                first += [link for links in others for link in links]
            if not any(link.endswith(f".{short}") for link in first):
                wrong.append(f"{name}: {first}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.browser
@pytest.mark.parametrize("base", ["file"], indirect=True)
@pytest.mark.parametrize("language", LANGUAGES)
def test_torch_s_names_lead_to_ours(tab, base: str, language: str) -> None:
    tab.goto(address_of(base, language, "index.html"))
    open_search(tab)
    for name, expected in TORCH_NAMES.items():
        links = ask(tab, name)[0]
        found = {link.rpartition(".")[2] for link in links if "#dlref." in link}
        assert found & expected, f"{name}: {links}"


# --- words ----------------------------------------------------------------------------


def test_the_search_knows_what_the_glossary_says() -> None:
    names = terms.other_names(glossary(), "zh")
    assert names["空洞卷积"] == names["带孔卷积"] == "膨胀卷积"
    assert names["mle"] == "最大似然估计"
    assert terms.other_names(glossary(), "en")["mle"] == "maximum likelihood"
    lengths = [len(name) for name in names]
    assert lengths == sorted(lengths, reverse=True)  # 霍夫曼编码 before 霍夫曼


def test_no_other_name_is_that_of_two_terms() -> None:
    for code in LANGUAGES:
        listed = [
            name.lower()
            for term in glossary()
            for name in (
                *getattr(term.also, code),
                *(term.avoid if code == "zh" else ()),
            )
        ]
        assert [name for name in listed if listed.count(name) > 1] == []


def test_a_script_without_a_place_for_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "assets/js").mkdir(parents=True)
    (tmp_path / "assets/js/search.js").write_text("const OTHERS = {};")
    with pytest.raises(ValueError, match=r"once in assets/js/search\.js"):
        terms.search_script(glossary(), tmp_path)


@pytest.mark.browser
@pytest.mark.parametrize("base", ["file"], indirect=True)
@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "color jitter", "colour jitter"),
        ("en", "standardization", "standardisation"),
        ("zh", "霍夫曼编码", "哈夫曼编码"),
        ("zh", "扩张卷积", "膨胀卷积"),
        ("zh", "交叉熵 nats", "交叉熵 奈特"),
        ("zh", "1x1 卷积", "1×1 卷积"),
    ],
)
def test_two_names_of_a_thing_lead_to_the_same_page(
    tab, base: str, language: str, one: str, other: str
) -> None:
    tab.goto(address_of(base, language, "index.html"))
    open_search(tab)
    pages = [
        [links[0].partition("#")[0] for links in ask(tab, question)]
        for question in (one, other)
    ]
    assert pages[0][0] == pages[1][0]


@pytest.mark.browser
@pytest.mark.parametrize("base", ["file"], indirect=True)
def test_a_chinese_word_is_found_while_it_is_typed(tab, base: str) -> None:
    tab.goto(address_of(base, "zh", "index.html"))
    open_search(tab)
    for question in ("正则", "正则化"):  # 正 and 则 are words of other pages
        assert ask(tab, question)[0][0].endswith("/reg/index.html")


# --- the theme's faults ---------------------------------------------------------------

# Five words on which lunr's automaton goes astray: see docs/tools/web/theme.py.
ASTRAY = ["0", "a0", "a1", "b" * 205, "c0qq"]
_ASK_WORKER = """
([script, words, question]) => new Promise((resolve) => {
  const worker = new Worker(URL.createObjectURL(new Blob([script])));
  worker.onmessage = ({ data }) => {
    if (data.type === 1) worker.postMessage({ type: 2, data: question });
    if (data.type === 3) resolve(data.data.items.flat().map((item) => item.text));
  };
  const docs = [{ location: "x.html", title: "x", text: words.join(" ") }];
  const fields = { title: { boost: 1 }, text: { boost: 1 } };
  const config = { lang: ["en"], separator: " ", pipeline: [], fields };
  const options = { suggest: false };
  worker.postMessage({ type: 0, data: { config, docs, options } });
})
"""


@pytest.fixture
def scripts(site: Path) -> list[str]:
    """The theme's search worker, and what the site makes of it."""
    (pattern,) = MENDS
    theme = Path(material.__path__[0]) / "templates"
    found = [path for root in (theme, site) for path in root.glob(pattern)]
    assert len(found) == 2
    return [path.read_text(encoding="utf-8") for path in found]


@pytest.mark.browser
@pytest.mark.parametrize("base", ["served"], indirect=True)
def test_words_full_of_digits_do_not_lead_the_search_astray(
    tab, base: str, scripts: list[str]
) -> None:
    tab.goto(f"{base}/404.html")
    theirs, ours = (tab.evaluate(_ASK_WORKER, [s, ASTRAY, "c0"]) for s in scripts)
    assert theirs == [], "the theme is mended: take our mend out"
    assert [text.rpartition(" ")[2] for text in ours] == ["<mark>c0qq</mark>"]


def test_the_build_says_when_the_theme_has_changed(site: Path) -> None:
    config: Any = SimpleNamespace(
        plugins=SimpleNamespace(_current_plugin=None),
        site_dir="",
        use_directory_urls=False,
    )
    expected = [f"the theme has 0 files {pattern}, not one" for pattern in MENDS]
    assert list(mend(Files([]), config)) == expected
    (name,) = (path.relative_to(site) for path in site.glob(next(iter(MENDS))))
    mended = File(name.as_posix(), str(site), str(site), use_directory_urls=False)
    problems = list(mend(Files([mended]), config))  # nothing wrong is left in it
    assert [problem.endswith("once: see theme.py") for problem in problems] == [
        True
    ] * 2

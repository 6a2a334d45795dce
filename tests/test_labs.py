"""The labs: every cell does what its notebook shows, in both languages, on the site.

Whether a break is noticed is tried on a small lab that is broken by hand.
"""

import copy
import gzip
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from docs.tools import labs
from docs.tools.compare import Tolerance
from docs.tools.data import glossary
from docs.tools.fences import PageError
from docs.tools.lab_file import (
    SVG,
    Lab,
    Notebook,
    all_sources,
    dump,
    load,
    load_source,
    parse,
    sources,
    text_of,
    tidy,
)
from docs.tools.lock import current
from docs.tools.record import entry, explain_stale
from docs.tools.snippets import DOCS, LANGUAGES, ROOT, BlockError, Result
from docs.tools.typography import explain_typography
from docs.tools.web.lab_pages import download, mend
from tests.site_build import LANGUAGES as FOLDERS
from tests.site_build import Html, is_external

LABS = [path for language in LANGUAGES for path in sources(language)]
NAMES = [f"{path.parts[-3]}/{path.stem}" for path in LABS]
SECONDS = 30  # of CPU time, for all cells of a lab
LONGEST_CELL = 25  # lines
PAGE_BUDGET = 40_000  # bytes of gzipped HTML
STYLE_BUDGET = 20_000  # bytes
WORDS = {"notebook": "Download"}

every_lab = pytest.mark.parametrize("path", LABS, ids=NAMES)


@cache
def run(path: Path, device: str) -> tuple[Lab, list[Result], float]:
    """Run a lab once for all its tests; the CPU time excludes what others take."""
    lab = load(path)
    started = time.process_time()
    results = labs.run(lab, device)
    return lab, results, time.process_time() - started


# --- what is committed ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "number"),
    [
        pytest.param(path, number, id=f"{name}:{cell}")
        for path, name in zip(LABS, NAMES, strict=True)
        for number, cell in enumerate(load(path).cells)
    ],
)
def test_cell(path: Path, number: int, device: str) -> None:
    lab, results, _ = run(path, device)
    labs.verify(lab, lab.blocks[number], results[number], device)


@every_lab
def test_a_lab_is_quick(path: Path, device: str) -> None:
    assert run(path, device)[2] < SECONDS


@every_lab
def test_the_file_is_a_valid_notebook_in_the_committed_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert text == dump(tidy(json.loads(text)))
    assert text == nbformat.writes(notebook) + "\n"  # Jupyter saves the same bytes


def test_languages_agree() -> None:
    assert not (drift := labs.explain_drift()), "\n".join(drift)


@pytest.mark.parametrize("path", sources("zh"), ids=lambda path: path.stem)
def test_chinese_typography(path: Path) -> None:
    avoid = {wrong: term.zh for term in glossary() for wrong in term.avoid}
    assert not (slips := explain_typography(load(path), avoid)), "\n".join(slips)


@every_lab
def test_cells_are_short_and_figures_described(path: Path) -> None:
    lab = load(path)
    assert lab.meta["description"]
    for name, block in zip(lab.cells, lab.blocks, strict=True):
        assert block.fence.code.count("\n") <= LONGEST_CELL, name
        assert all(len(figure.alt) > 20 for figure in block.figures), name


@every_lab
def test_links_lead_to_sources_that_exist(path: Path) -> None:
    text = "\n".join(load(path).prose)
    found = re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", text)
    assert found
    assert not [link for link in found if not (path.parent / link).is_file()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_first_network_learns(language: str) -> None:
    lab = load(DOCS / language / "labs/first-network.ipynb")
    output = lab.blocks[lab.cells.index("final")].output
    assert output is not None
    right, total = re.search(r"network +(\d+) of (\d+)", output.code).groups()
    assert int(total) == 360
    assert int(right) >= 0.96 * int(total)


# --- what is broken is noticed --------------------------------------------------------

PROGRAM = """\
import matplotlib.pyplot as plt

x = [1.0, 2.0, 4.0]{comment}
fig, ax = plt.subplots(figsize=(2, 1))
ax.plot(x)
print(f"{{sum(x):.3f}} in all")
"""


def tiny(language: str) -> Notebook:
    zh = language == "zh"
    program = PROGRAM.format(comment="  # 三个数" if zh else "  # three numbers")
    own = {"alt": ["一条折线" if zh else "A broken line"]}
    return {
        "cells": [
            prose("tiny", "# 小实验" if zh else "# A tiny lab"),
            prose("look", f"## 看\n\n{FORMULA}" if zh else f"## Look\n\n{FORMULA}"),
            {
                "cell_type": "code",
                "execution_count": 7,
                "id": "draw",
                "metadata": {"dlref": own, "scrolled": True},
                "outputs": [],
                "source": program,
            },
        ],
        "metadata": {"dlref": {"description": "tiny", "seed": 0}, "widgets": {}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


FORMULA = "$$\ny = x^2\n$$"


def prose(name: str, text: str) -> Notebook:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The tiny lab in both languages, with the outputs that `labs` writes."""
    docs = tmp_path_factory.mktemp("docs")
    return {code: text_after_refresh(docs, code) for code in LANGUAGES}


def text_after_refresh(docs: Path, language: str) -> str:
    path = docs / language / "labs/tiny.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(tiny(language)), encoding="utf-8")
    report = labs.refresh(path)
    assert report.verdicts == ["passed"]
    assert not report.failures
    assert "'draw'" in report.changed[0]
    return path.read_text(encoding="utf-8")


@pytest.fixture
def docs(tmp_path: Path, written: dict[str, str]) -> Path:
    for code, text in written.items():
        path = tmp_path / code / "labs/tiny.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def rewrite(path: Path, change: Callable[[Notebook], object]) -> Lab:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook)
    path.write_text(dump(notebook), encoding="utf-8")
    return load(path)


def failure(path: Path) -> str:
    (message,) = labs.refresh(path, write=False).failures
    return message


def test_a_refreshed_lab_is_tidy_and_stays_as_it_is(docs: Path) -> None:
    path = docs / "en/labs/tiny.ipynb"
    text = path.read_text(encoding="utf-8")
    for noise in ('execution_count": 7', "scrolled", "widgets"):
        assert noise not in text
    nbformat.validate(nbformat.reads(text, as_version=4))
    report = labs.refresh(path)
    assert not report.changed
    assert path.read_text(encoding="utf-8") == text
    assert not labs.refresh(path, write=False).failures
    assert not labs.explain_drift(docs)


def test_a_wrong_output_is_noticed_and_mended(docs: Path) -> None:
    path = docs / "en/labs/tiny.ipynb"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("7.000 in all", "7.001 in all"), encoding="utf-8")
    message = failure(path)
    line = 1 + path.read_text(encoding="utf-8").split("\n").index(
        '      "7.001 in all\\n"'
    )
    assert message.startswith(f"cell 'draw': {path}")
    assert f"first difference on line {line}" in message
    assert "-7.001 in all\n+7.000 in all" in message
    assert "tiny.ipynb: new outputs of 'draw'" in labs.refresh(path).changed[0]
    assert path.read_text(encoding="utf-8") == good


def test_a_wrong_figure_is_noticed_and_mended(docs: Path) -> None:
    path = docs / "en/labs/tiny.ipynb"
    good = path.read_text(encoding="utf-8")
    assert "#1f77b4" in good
    path.write_text(good.replace("#1f77b4", "#ff7f0e"), encoding="utf-8")
    message = failure(path)
    assert re.match(r"cell 'draw': .*tiny\.ipynb:\d+: figure 1 is not what", message)
    assert "#ff7f0e" in message
    assert labs.refresh(path).changed
    assert path.read_text(encoding="utf-8") == good


def test_what_lies_within_the_tolerance_stays(docs: Path) -> None:
    path = docs / "en/labs/tiny.ipynb"
    text = path.read_text(encoding="utf-8").replace("7.000 in", "7.0000001 in")
    changed = text.replace(":.3f", ":.7f")
    path.write_text(changed, encoding="utf-8")
    assert Tolerance.for_device("cpu").admits("7.0000001", "7.0000000")
    assert not labs.refresh(path).changed
    assert path.read_text(encoding="utf-8") == changed


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("ax.plot(y)\n", "NameError: name 'y' is not defined"),
        ("plt.close('all')\n", "the cell leaves 0 figures open; the notebook holds 1"),
        ("plt.figure()\n", "the cell leaves 2 figures open; the notebook holds 1"),
    ],
)
def test_a_cell_that_does_something_else_is_noticed(
    docs: Path, wrong: str, why: str
) -> None:
    path = docs / "zh/labs/tiny.ipynb"
    rewrite(path, lambda notebook: notebook["cells"][2]["source"].insert(5, wrong))
    assert why in failure(path)


def test_a_traceback_names_the_line_of_the_file(docs: Path) -> None:
    path = docs / "zh/labs/tiny.ipynb"
    rewrite(path, lambda notebook: notebook["cells"][2]["source"].insert(5, "1 / 0\n"))
    line = 1 + path.read_text(encoding="utf-8").split("\n").index('    "1 / 0\\n",')
    assert f'tiny.ipynb", line {line}, in <module>' in failure(path)


def test_noise_is_noticed(docs: Path) -> None:
    path = docs / "en/labs/tiny.ipynb"
    rewrite(path, lambda notebook: notebook["cells"][2].update(execution_count=3))
    assert "not as it is committed" in failure(path)
    assert labs.main(["--check", str(path)]) == 1
    assert labs.main([str(path)]) == 0
    assert labs.main(["--check", str(path)]) == 0


def drift(docs: Path, change: Callable[[Notebook], object]) -> str:
    rewrite(docs / "en/labs/tiny.ipynb", change)
    return "\n".join(labs.explain_drift(docs))


def replace_source(cell: int, old: str, new: str) -> Callable[[Notebook], None]:
    def change(notebook: Notebook) -> None:
        source = text_of(notebook["cells"][cell]["source"])
        assert old in source
        notebook["cells"][cell]["source"] = source.replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (replace_source(2, "4.0", "5.0"), "program differs from"),
        (replace_source(1, "x^2", "x^3"), "display formula differs from"),
        (replace_source(1, "## Look", "### Look"), "heading (level, id) differs from"),
        (lambda nb: nb["cells"][1].update(id="see"), "heading (level, id) differs"),
        (lambda nb: nb["cells"].insert(2, prose("more", "Two.")), "('code', 'draw')"),
        (lambda nb: nb["cells"][2]["outputs"].pop(0), "output differs from"),
        (
            lambda nb: nb["cells"][2]["outputs"][1]["data"].update({SVG: "<svg/>"}),
            "cell 'draw': not the figure of",
        ),
        (lambda nb: nb["metadata"]["dlref"].update(seed=1), "front matter differs"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_difference_between_languages_is_noticed(
    docs: Path, change: Callable[[Notebook], object], difference: str
) -> None:
    assert difference in drift(docs, change)


def test_translated_comments_are_no_difference(docs: Path) -> None:
    assert not drift(docs, replace_source(2, "# three numbers", "# three of them"))


def test_a_lab_in_one_language_is_noticed(docs: Path) -> None:
    (docs / "en/labs/tiny.ipynb").unlink()
    assert labs.explain_drift(docs) == ["docs/en/labs/tiny.ipynb is missing"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (replace_source(1, "## Look", "Text\n\n## Look"), "must begin its cell"),
        (lambda nb: nb["cells"][2].update(id="Draw It"), "cell id 'Draw It'"),
        (lambda nb: nb["cells"][2].update(id="look"), "'look': stands twice"),
        (lambda nb: nb["cells"][0].update(cell_type="raw"), "kind 'raw'"),
        (lambda nb: nb["cells"][2]["metadata"]["dlref"].update(x=1), "dlref 'x'"),
        (lambda nb: nb["metadata"]["dlref"].update(title="x"), "dlref 'title'"),
        (lambda nb: nb.update(nbformat_minor=4), "nbformat 4.5"),
        (lambda nb: nb.pop("cells"), "no cells"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_notebook_that_cannot_be_held_to_anything_is_refused(
    docs: Path, change: Callable[[Notebook], object], why: str
) -> None:
    with pytest.raises(PageError, match=re.escape(why)) as caught:
        rewrite(docs / "en/labs/tiny.ipynb", change)
    assert "tiny.ipynb" in str(caught.value)


def test_a_file_that_is_no_notebook_is_refused() -> None:
    with pytest.raises(PageError, match=r"line 2: .*no notebook"):
        parse("{\n]")


# --- the engine around them -----------------------------------------------------------


@every_lab
def test_lines_are_those_of_the_file(path: Path) -> None:
    lab = load(path)
    file = path.read_text(encoding="utf-8").split("\n")
    assert len(lab.lines) == len(file)
    for number, line in enumerate(lab.lines):
        plain = re.sub(r" \{ #[a-z-]+ \}$", "", line)
        shown = json.dumps(plain, ensure_ascii=False)[1:-1]
        assert shown in file[number]


def test_labs_enter_the_record_and_the_lock(docs: Path) -> None:
    paths = [path for code in LANGUAGES for path in all_sources(code, docs)]
    assert [path.name for path in paths] == ["tiny.ipynb"] * 2
    loaded = [load_source(path) for path in paths]
    record = {"pages": {loaded[0].key: entry(loaded[0], ["passed"])}}
    assert not explain_stale(loaded, record)
    changed = rewrite(paths[0], replace_source(2, "4.0", "5.0"))
    assert "block 1 changed since" in explain_stale([changed], record)[0]


def test_threads_are_left_as_they_were(docs: Path) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        labs.run(load(docs / "en/labs/tiny.ipynb"))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_cell_in_which_another_program_fails_names_its_cell() -> None:
    notebook = tiny("en")
    notebook["cells"][2]["source"] = "raise RuntimeError('no')"
    lab = parse(dump(notebook))
    (result,) = labs.run(lab)
    with pytest.raises(BlockError, match=r"(?s)cell 'draw': .*RuntimeError: no"):
        labs.verify(lab, lab.blocks[0], result)
    assert labs.renew(lab, [result]) == lab.notebook


# --- on the site ----------------------------------------------------------------------


@pytest.fixture(params=FOLDERS, scope="module")
def built(request: pytest.FixtureRequest, site: Path) -> Html:
    return Html(site / FOLDERS[request.param] / "labs/first-network.html", site)


def lab_of(page: Html) -> Lab:
    code = "en" if page.name.startswith("en/") else "zh"
    return load(DOCS / code / "labs/first-network.ipynb")


def test_page_is_light_and_asks_nobody(built: Html) -> None:
    raw = built.path.read_bytes()
    assert len(gzip.compress(raw, mtime=0)) < PAGE_BUDGET
    styles = [len(tag.decode_contents()) for tag in built.tree.find_all("style")]
    assert sum(styles) < STYLE_BUDGET
    assert sum(len(tag.get("style", "")) for tag in built.article.find_all(True)) < (
        STYLE_BUDGET
    )
    assert not [address for address in built.loads if is_external(address)]
    assert b"cdnjs" not in raw
    assert not built.article.find_all("script")


def test_page_has_nothing_of_jupyter(built: Html) -> None:
    tags = built.article.find_all(class_=re.compile(r"^(jp-|jupyter|CodeMirror)"))
    assert not [tag["class"] for tag in tags]
    assert "In [" not in built.article.get_text()


def test_formulas_are_set(built: Html) -> None:
    text = "\n".join(lab_of(built).prose)
    display = text.count("$$") // 2
    inline = len(re.findall(r"\$[^$]+\$", re.sub(r"(?s)\$\$.*?\$\$", "", text)))
    assert len(built.article.select(".formula .katex-display")) == display > 5
    assert len(built.article.select(".katex")) == display + inline
    visible = "".join(
        node
        for node in built.article.find_all(string=True)
        if "annotation" not in {parent.name for parent in node.parents}
    )
    assert "$" not in visible
    assert "arithmatex" not in str(built.article)


def test_programs_and_outputs_look_as_on_every_page(built: Html, site: Path) -> None:
    lab = lab_of(built)
    programs = built.article.select("div.program")
    assert [tag["id"] for tag in programs] == [f"block-{b.index}" for b in lab.blocks]
    for tag, block in zip(programs, lab.blocks, strict=True):
        assert tag.pre.code.get_text() == block.fence.code
        if block.output:
            output = tag.find_next_sibling()
            assert output.pre.code.get_text() == block.output.code
    other = Html(site / "math/information.html", site).article
    for kind in (".program", ".output"):
        mine, theirs = built.article.select_one(kind), other.select_one(kind)
        assert sorted(mine["class"]) == sorted(theirs["class"])
        assert mine.attrs.keys() == theirs.attrs.keys()
        tags = [t.name for t in mine.pre.find_all(True)]
        assert tags[:2] == [t.name for t in theirs.pre.find_all(True)][:2]


def test_figures_are_files_that_follow_the_scheme(built: Html) -> None:
    lab = lab_of(built)
    drawn = [svg for pictures in lab.pictures for svg in pictures]
    images = built.article.find_all("img")
    assert len(images) == len(drawn) == 5
    for image, svg in zip(images, drawn, strict=True):
        text = built.resolve(image["src"])[0].read_text(encoding="utf-8")
        assert text == svg
        assert "prefers-color-scheme:dark" in text
        assert "figure" in image["class"]
        assert image["alt"]
        assert int(image["width"]) > int(image["height"]) * 0.9
    alts = [figure.alt for block in lab.blocks for figure in block.figures]
    assert [image["alt"] for image in images] == alts


def test_headings_have_the_anchors_of_the_cells(built: Html) -> None:
    headings = built.article.find_all(re.compile(r"h[1-6]"))
    names = [heading["id"] for heading in headings]
    markdown = "\n".join(lab_of(built).lines)
    assert names == re.findall(r"^#.* \{ #([a-z-]+) \}$", markdown, re.MULTILINE)
    for heading in headings:
        assert heading.find("a", class_="headerlink")["href"] == f"#{heading['id']}"
    (beside,) = built.tree.select(".md-sidebar--secondary nav.md-nav--secondary")
    contents = beside.select("a.md-nav__link")
    assert [link["href"] for link in contents] == [f"#{name}" for name in names[1:]]


def test_page_offers_its_notebook(built: Html) -> None:
    (link,) = built.article.select("h1 + .page-tools > a[download]")
    path = built.resolve(link["href"])[0]
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    lab = lab_of(built)
    code = [cell.source + "\n" for cell in notebook.cells if cell.cell_type == "code"]
    assert code == [block.fence.code for block in lab.blocks]
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    links = re.findall(r"\]\(([^)]+)\)", "".join(prose))
    assert links
    assert all(is_external(link) for link in links)


def test_page_says_what_it_is_about(built: Html) -> None:
    lab = lab_of(built)
    meta = built.tree.find("meta", attrs={"name": "description"})
    assert meta["content"] == lab.meta["description"]
    title = built.article.h1.find(string=True)
    assert built.tree.title.string.startswith(str(title))


def test_the_downloaded_notebook_keeps_all_but_links_between_pages() -> None:
    lab = load(LABS[0])
    before = copy.deepcopy(lab.notebook)
    text = download(lab)
    assert lab.notebook == before
    assert ".md" not in text
    assert "https://doi.org/" in text


# --- the mending, where something is wrong --------------------------------------------


@dataclass(frozen=True)
class Target:
    """A file of the site, as far as a link cares."""

    url: str


def mended(text: str, html: str) -> tuple[str, list[str]]:
    """Mend a page of one Markdown cell, as the plugin renders it."""
    notebook = tiny("en")
    notebook["cells"] = [prose("cell", text)]
    page = SimpleNamespace(
        file=SimpleNamespace(src_uri="labs/tiny.ipynb"),
        url="labs/tiny.html",
        links_to_anchors=None,
    )
    other = Target("math/information.html")
    known = {"math/information.md": other}
    files = SimpleNamespace(get_file_from_path=known.get)
    content = (
        '<style>.jp { color: red }</style><script src="https://cdnjs"></script>'
        '<div class="jp-Cell" id="cell-id=cell">'
        f'<div class="jp-RenderedMarkdown">{html}</div></div>'
    )
    result = mend(content, page, parse(dump(notebook)), files, "zh", WORDS)
    anchors = (page.links_to_anchors or {}).get(other, {})
    return result[0], [*result[1], *(f"anchor {name}" for name in anchors)]


@pytest.mark.parametrize(
    ("html", "becomes"),
    [
        ("<p>a $x &lt; y$ b</p>", r'<span class="arithmatex">\(x &lt; y\)</span>'),
        (
            "<p>$$\nx\n$$</p>",
            '<div class="arithmatex">\\[\nx\n\\]</div>',
        ),
        ("<p><code>$x$</code></p>", "<p><code>$x$</code></p>"),
        (
            '<p><a href="../math/information.md">m</a></p>',
            '<a href="../math/information.html">m</a>',
        ),
        (
            "<blockquote><p><strong>So</strong></p><p>x</p></blockquote>",
            '<div class="admonition abstract"><p class="admonition-title">So</p>',
        ),
        ("<blockquote><p>So</p></blockquote>", "<blockquote><p>So</p></blockquote>"),
        ('<p><a href="https://doi.org/1">m</a></p>', '<a href="https://doi.org/1">m'),
    ],
)
def test_mending(html: str, becomes: str) -> None:
    content, problems = mended("text", html)
    assert becomes in content
    assert not problems
    assert "cdnjs" not in content
    assert "style" not in content


@pytest.mark.parametrize(
    ("html", "problem"),
    [
        ("<p>costs $5</p>", "cell 'cell': a dollar sign without its counterpart"),
        ("<p>so $$x$$ is</p>", "a display formula needs lines of its own"),
        ('<p><a href="../math/none.md">m</a></p>', "../math/none.md leads to no page"),
        ('<p><a href="../math/information.md#loss">m</a></p>', "anchor loss"),
    ],
)
def test_what_cannot_be_mended_is_reported(html: str, problem: str) -> None:
    assert any(problem in found for found in mended("text", html)[1])


def test_a_cell_that_the_plugin_left_out_is_reported() -> None:
    lab = parse(dump(tiny("en")))
    page = SimpleNamespace(url="x", file=SimpleNamespace(src_uri="x.ipynb"))
    problems = mend("", page, lab, SimpleNamespace(), "zh", WORDS)[1]
    assert problems[0] == "the cell 'tiny' was not rendered"
    assert len(problems) == 3


def test_the_lock_reads_labs() -> None:
    """`make sync` locks the prose of the labs as it does that of the pages."""
    lock, places = current()
    for path in LABS:
        lab = load(path)
        for kind, name in lab.outline:
            if kind == "markdown" and f"{{ #{name} }}" in lab.text:
                where = places[f"{lab.key}#{name} {path.parts[-3]}"]
                assert where.startswith(path.relative_to(ROOT).as_posix())
                assert lock[f"{lab.key}#{name}"]

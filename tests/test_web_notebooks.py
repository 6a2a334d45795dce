"""Every page as a notebook: offered, well formed, and giving what it shows."""

import json
import warnings
from pathlib import Path

import pytest

from docs.tools.compare import Tolerance, explain_difference
from docs.tools.snippets import DOCS, LANGUAGES, Page, load, pages, parse
from docs.tools.web.notebooks import (
    DELIVER,
    SCRIPTS,
    SETUP,
    dump,
    to_notebook,
    write_scripts,
)
from tests.site_build import Html, source_of

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

# What tests do for the torchvision of this machine, in the notebook's process as well.
PREPARE = "from docs.tools.oracle import prepare_torchvision; prepare_torchvision()"
FORGET = "%reset -f\nimport warnings; warnings.simplefilter('error')"


def with_blocks(language: str) -> list[Page]:
    return [page for path in pages(language) if (page := load(path)).blocks]


def as_notebook(text: str, language: str = "en") -> dict:
    return to_notebook(parse(text), language)


# --- offered --------------------------------------------------------------------------


def test_every_page_with_programs_offers_its_notebook(site: Path) -> None:
    offered = 0
    for path in sorted(site.rglob("*.html")):
        page, source = Html(path, site), source_of(path, site)
        if source.suffix != ".md" or not source.is_file():
            continue
        links = page.tree.select(".page-tools a[download]")
        assert len(links) == bool(load(source).blocks), page.name
        for link in links:
            target, _ = page.resolve(link["href"])
            assert target.stem == path.stem
            notebook = json.loads(target.read_text(encoding="utf-8"))
            language = "en" if page.name.startswith("en/") else "zh"
            assert notebook["metadata"]["dlref"]["language"] == language
            offered += 1
    assert offered >= 14


@pytest.mark.parametrize("language", LANGUAGES)
def test_notebooks_are_well_formed(language: str) -> None:
    for page in with_blocks(language):
        notebook = to_notebook(page, language)
        nbformat.validate(notebook)
        assert dump(notebook) == dump(to_notebook(load(page.path), language))


def test_a_script_holds_both_languages_and_each_figure_once(tmp_path: Path) -> None:
    folder = {"zh": tmp_path, "en": tmp_path / "en"}
    for language, place in folder.items():
        (place / "math").mkdir(parents=True)
        page = load(DOCS / language / "math/information.md")
        text = dump(to_notebook(page, language))
        (place / "math/information.ipynb").write_text(text, encoding="utf-8")
    (tmp_path / "lonely.ipynb").write_text("{}")
    write_scripts(tmp_path)
    (script,) = (tmp_path / SCRIPTS).rglob("*.js")
    assert script.relative_to(tmp_path / SCRIPTS).as_posix() == "math/information.js"
    text = script.read_text(encoding="utf-8")
    held = json.loads(text.removeprefix(f"{DELIVER}(").removesuffix(");\n"))
    assert held.keys() == {"zh", "en", "figures"}
    figures = sum(len(block.figures) for block in page.blocks)
    assert text.count("<svg") == len(held["figures"]) == figures > 3
    assert held["en"]["metadata"]["dlref"]["language"] == "en"


# --- what they hold -------------------------------------------------------------------


def test_prose_programs_and_outputs_are_kept_in_order() -> None:
    text = (
        "# T { #t }\n\nBefore.\n\n```python\nprint(1)\n```\n```output\n1\n```\n\nEnd.\n"
    )
    cells = as_notebook(text)["cells"]
    kinds = [cell["cell_type"] for cell in cells]
    assert kinds == ["markdown", "code", "code", "markdown"]
    assert "".join(cells[0]["source"]) == "# T\n\nBefore."
    assert "".join(cells[1]["source"]) == SETUP.format(seed=0).rstrip("\n")
    assert cells[2]["outputs"][0]["text"] == ["1\n"]


def test_citations_lead_to_the_works() -> None:
    cells = as_notebook("See [@he2015; @cheng2011].\n\n```python\nx = 1\n```\n")[
        "cells"
    ]
    text = "".join(cells[0]["source"])
    assert text == (
        "See [He et al. 2015](https://arxiv.org/abs/1512.03385); 程杰 2011."
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_the_site_s_markup_is_left(language: str) -> None:
    for page in with_blocks(language):
        for cell in to_notebook(page, language)["cells"]:
            if cell["cell_type"] == "markdown":
                text = "".join(cell["source"])
                for mark in ("{ #", "data-table", "[@", "!!!", ".md)", ".md#"):
                    assert mark not in text, f"{page.name}: {mark}"


# --- executed -------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_programs_are_those_of_the_page(language: str) -> None:
    """They run as the page's blocks; the kernel below need not run them all again."""
    for page in with_blocks(language):
        cells = to_notebook(page, language)["cells"]
        first, *programs = [
            "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"
        ]
        assert first.startswith(SETUP.split("{")[0])
        assert programs == [block.fence.code.rstrip("\n") for block in page.blocks]


def shortest(language: str) -> list[Page]:
    """Of each section the page with the fewest programs."""
    sections: dict[str, list[Page]] = {}
    for page in with_blocks(language):
        sections.setdefault(page.path.parent.name, []).append(page)
    return [min(many, key=lambda page: len(page.blocks)) for many in sections.values()]


def test_the_notebooks_give_what_they_show() -> None:
    """One kernel runs the shortest page of each section."""
    cells, shown = [nbformat.v4.new_code_cell(PREPARE)], []
    for page in shortest("zh"):
        notebook = to_notebook(page, "zh")
        cells.append(nbformat.v4.new_code_cell(FORGET))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                source, tags = "".join(cell["source"]), cell["metadata"]
                cells.append(nbformat.v4.new_code_cell(source, metadata=tags))
                shown.append((f"{page.name}: {cell['id']}", len(cells) - 1, cell))
    book = nbformat.v4.new_notebook(cells=cells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of zmq and asyncio
        nbclient.NotebookClient(
            book, timeout=120, kernel_name="python3", allow_errors=False
        ).execute()
    for where, number, cell in shown:
        given, expected = read(book.cells[number].outputs), read(cell["outputs"])
        assert given[1:] == expected[1:], where
        difference = explain_difference(
            expected[0], given[0], Tolerance.for_device("cpu"), 1
        )
        assert not difference, f"{where}\n{difference}"


def read(outputs: list[dict]) -> tuple[str, tuple[str, str] | None, int]:
    """What a cell printed, what it raised, and how many figures it drew."""
    printed, raised, figures = "", None, 0
    for output in outputs:
        if output["output_type"] == "stream" and output["name"] == "stdout":
            printed += "".join(output["text"])
        elif output["output_type"] == "error":
            raised = (output["ename"], output["evalue"].split("\n")[0])
        elif output["output_type"] == "display_data":
            figures += 1
    lines = [line.rstrip() for line in printed.splitlines()]
    return "".join(f"{line}\n" for line in lines), raised, figures

"""`make new-page`: what it writes passes the engine, and what it must not do."""

import re
from pathlib import Path

import pytest

from docs.tools.new_page import PLACEHOLDER, SECTIONS, main, new_page
from docs.tools.snippets import DOCS, LANGUAGES, Session, load, pages, verify

HEADING = re.compile(r"^(#+) .*\{ #([a-z0-9-]+)[ a-z-]* \}$", re.MULTILINE)


def test_writes_both_languages(tmp_path: Path) -> None:
    zh, en, *_ = new_page("practice/device", tmp_path)
    assert zh == tmp_path / "zh/practice/device.md"
    assert en == tmp_path / "en/practice/device.md"
    headings = HEADING.findall(zh.read_text(encoding="utf-8"))
    assert headings == HEADING.findall(en.read_text(encoding="utf-8"))
    assert headings[0] == ("#", "device")
    anchors = ["formula", "code", "torch", "pitfalls", "further"]
    assert [anchor for _, anchor in headings[1:]] == anchors
    for page in (zh, en):
        text = page.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if line.startswith("#")]
        assert len(lines) == len(headings)  # no heading without an anchor
        assert "@" not in text  # every field was filled in


def test_the_first_page_of_a_section_brings_its_overview(tmp_path: Path) -> None:
    first, second = (new_page(f"seq/{name}", tmp_path) for name in ("rnn", "lstm"))
    overviews = [tmp_path / code / "seq/index.md" for code in ("zh", "en")]
    assert first[2:] == overviews
    assert len(second) == 2  # it is there by now
    zh, en = (path.read_text(encoding="utf-8") for path in overviews)
    assert HEADING.findall(zh) == [("#", "seq"), ("##", "pages")]
    assert HEADING.findall(en) == [("#", "seq"), ("##", "pages")]
    assert "# 序列 {" in zh
    assert "# Sequences {" in en
    for text in (zh, en):
        assert '<div data-table="contents"></div>' in text
        assert PLACEHOLDER in text
        assert "@" not in text


def test_the_home_page_is_the_overview_of_about(tmp_path: Path) -> None:
    assert len(new_page("about/history", tmp_path)) == 2


def test_both_are_the_same_program_and_run(tmp_path: Path) -> None:
    zh, en, *_ = map(load, new_page("practice/device", tmp_path))
    assert [block.hash for block in zh.blocks] == [block.hash for block in en.blocks]
    for page in (zh, en):
        assert len(page.blocks) == 1
        assert page.meta["seed"] == 0
        assert page.meta["description"]
        session = Session(page)
        verify(page, page.blocks[0], session.run(page.blocks[0]), docs=tmp_path)
        session.close()


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "device",
        "/device",
        "practice/",
        "practice/device/",
        "practice/device.md",
        "practice//device",
        "practice/a/b",
        "../practice/device",
        "practice/..",
        "Practice/device",
        "practice/Device",
        "practice/my device",
        "practice/my_device",
        "practice/-device",
        "practice/device-",
        "practice/my--device",
        "practice/device\n",
        "practice\\device",
        "practice/设备",
        "practise/device",
        "api/device",
    ],
)
def test_refuses_a_bad_slug(tmp_path: Path, slug: str) -> None:
    with pytest.raises(ValueError, match=r"expected .*; got "):
        new_page(slug, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("language", LANGUAGES)
def test_touches_nothing_where_a_page_exists(tmp_path: Path, language: str) -> None:
    there = tmp_path / language / "practice/device.md"
    there.parent.mkdir(parents=True)
    there.write_text("mine\n", encoding="utf-8")
    with pytest.raises(FileExistsError, match=re.escape(str(there))):
        new_page("practice/device", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [there]
    assert there.read_text(encoding="utf-8") == "mine\n"


def test_command_says_what_to_do_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["cnn/pooling", "--docs", str(tmp_path)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "wrote docs/zh/cnn/pooling.md\nwrote docs/en/cnn/pooling.md\n" in printed
    assert "mkdocs.yml" in printed
    assert "make outputs" in printed
    assert "make test" in printed
    assert main(arguments) == 2
    assert "nothing was written" in capsys.readouterr().err
    assert main(["pooling", "--docs", str(tmp_path)]) == 2
    assert "got 'pooling'" in capsys.readouterr().err


def test_sections_of_the_site_are_known() -> None:
    folders = {path.name for path in (DOCS / "en").iterdir() if path.is_dir()}
    assert folders - {"api", "labs"} <= set(SECTIONS)  # these are not made of pages


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_placeholder_is_left_on_the_site(language: str) -> None:
    sources = pages(language)
    assert sources
    unfinished = [
        f"{path.relative_to(DOCS)}:{number}"
        for path in sources
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PLACEHOLDER in line
    ]
    assert not unfinished

"""Drift and typography: what the checks see, and what they leave alone."""

import json
import re
from pathlib import Path

import pytest

from docs.tools import lock
from docs.tools.parity import compare_pages
from docs.tools.snippets import parse
from docs.tools.typography import explain_typography, plain

BASE = """# T { #t }

See [a](b.md#c) and [`f`][dlref.shapes].

!!! note "n"

    | a | b |
    |---|---|
    | 1 | 2 |

=== "one"

    text

## U { #u }

[x](https://arxiv.org/abs/1603.07285)
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("!!! note", "!!! warning", "page.md:5: admonition or tab differs"),
        ("    | 1 | 2 |\n", "", r"page.md:7: table \(rows\) differs"),
        ("b.md#c", "b.md#d", "page.md:1: links and citations"),
        ("1603.07285", "1603.07286", "page.md:15: links and citations"),
        ("[`f`][dlref.shapes]", "`f`", "links and citations"),
        ('=== "one"', '!!! tip "one"', "admonition or tab differs"),
        ("## U", "### U", "heading"),
    ],
)
def test_structure_is_compared(old: str, new: str, message: str):
    one, two = (parse(t, Path("page.md")) for t in (BASE, BASE.replace(old, new)))
    (problem, *_) = compare_pages(one, two)
    assert re.search(message, problem), problem
    assert compare_pages(one, one) == []


def test_links_of_a_section_may_change_places():
    text = BASE.replace(
        "[a](b.md#c) and [`f`][dlref.shapes]", "[`f`][dlref.shapes] [a](b.md#c)"
    )
    assert compare_pages(parse(BASE), parse(text)) == []


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    for language in ("zh", "en"):
        path = tmp_path / language / "a.md"
        path.parent.mkdir()
        path.write_text(
            f"# T {{ #t }}\n\n{language}\n\n## U {{ #u }}\n\nmore\n", "utf-8"
        )
    assert lock.sync(docs=tmp_path) == []
    return tmp_path


def change(docs: Path, language: str, old: str, new: str) -> None:
    path = docs / language / "a.md"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_a_fresh_lock_holds(docs: Path):
    assert lock.explain_unlocked(docs) == []
    assert set(json.loads(lock.lock_path(docs).read_text())) == {"a#", "a#t", "a#u"}


def test_one_language_alone_needs_a_reader(docs: Path):
    change(docs, "en", "more", "less")
    (problem,) = lock.explain_unlocked(docs)
    assert "a.md:5: a#u changed in en but not in zh" in problem
    assert "READ=a#u" in problem
    assert len(lock.sync(docs=docs)) == 1
    assert lock.explain_unlocked(docs) == [problem]
    assert lock.sync(["a#u"], docs) == []
    assert lock.explain_unlocked(docs) == []


def test_both_languages_need_a_sync(docs: Path):
    change(docs, "en", "more", "less")
    change(docs, "zh", "more", "别的")
    (problem,) = lock.explain_unlocked(docs)
    assert "changed in both languages: run `make sync`" in problem
    assert lock.sync(docs=docs) == []
    assert lock.explain_unlocked(docs) == []


def test_sections_come_and_go(docs: Path):
    for language in ("zh", "en"):
        change(docs, language, "## U { #u }", "## V { #v }")
    assert len(lock.explain_unlocked(docs)) == 2
    assert lock.sync(docs=docs) == []
    assert set(lock.read_lock(docs)) == {"a#", "a#t", "a#v"}


def test_white_space_and_code_are_not_prose(docs: Path):
    change(docs, "en", "more", "more\n\n```python\nx = 1\n```\n")
    change(docs, "en", "en\n", "en  \n\n")
    assert lock.explain_unlocked(docs) == []


@pytest.mark.parametrize(
    "text",
    [
        "卷积核（kernel）是 3×3 的。",
        "输出形状是 (N, C, H, W) 的张量，步幅为 2。",
        "见[步幅](a.md#b)，以及 `conv2d` 与 $x^2$ 的关系。",
        '!!! note "一句话"',
        "所谓“运动”其实是动量。",
        "**粗体**与*斜体*，1 位 = 0.693 奈特。",
        "KL 散度，ToTensor、`x`、$p$：都可以。",
        "[arXiv:1603.07285](https://arxiv.org/abs/1603.07285)。",
        '<div class="grid cards" markdown>',
        "比值为 95%，约 3 倍——不多。",
        "- 第一项：`a`",
    ],
)
def test_good_typography(text: str):
    page = parse(text + "\n", Path("page.md"))
    assert explain_typography(page, {"运动": "动量"}) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("卷积核,步幅", "half-width punctuation"),
        ("卷积核. 步幅", "half-width punctuation"),
        ("卷积核(kernel)", "half-width parenthesis"),
        ("see (卷积)", "half-width parenthesis"),
        ("是3的", "no space"),
        ("用`x`表示", "no space"),
        ("用$x$表示", "no space"),
        ("中文Latin", "no space"),
        ("卷积 核", "a space inside Chinese"),
        ("卷积， 步幅", "a space beside full-width"),
        ('所谓"动量"', "straight quotation mark"),
        ("如此...", "dash or ellipsis"),
        ("用运动加速", "write 动量, not 运动"),
    ],
)
def test_bad_typography(text: str, message: str):
    page = parse(f"# T {{ #t }}\n\n{text}\n", Path("page.md"))
    (problem, *_) = explain_typography(page, {"运动": "动量"})
    assert problem.startswith("page.md:3: ")
    assert message in problem


def test_code_and_formulas_are_left_alone():
    page = parse("```python\nx = '中文,x'\n```\n\n$$\n中文,x\n$$\n\n`中文,x`\n")
    assert explain_typography(page) == []
    assert plain("**a** `b` [c](d) ![e](f) $g$") == "a x c e x"

"""The fence parser against hostile pages: each fence is found, or an error says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.tools.fences import PageError, find_fences, split_lines
from docs.tools.snippets import parse


def codes(text: str) -> list[str]:
    return [fence.code for fence in find_fences(text) if fence.is_python]


def test_plain():
    (fence,) = find_fences("a\n\n```python\nx = 1\n\ny\n```\nb\n")
    assert (fence.line, fence.end, fence.code) == (2, 6, "x = 1\n\ny\n")


@pytest.mark.parametrize(
    "text",
    [
        '!!! note "说明"\n\n    ```python\n    x = 1\n    if x:\n        y\n    ```\n',
        '=== "A"\n    ```python\n    x = 1\n    if x:\n        y\n    ```\n=== "B"\n',
        "1. item\n\n    ```python\n    x = 1\n    if x:\n        y\n    ```\n",
        "- item\n  - deeper\n\n        ```python\n        x = 1\n        if x:\n"
        "            y\n        ```\n",
        "> ```python\n> x = 1\n> if x:\n>     y\n> ```\n",
        "\t```python\n\tx = 1\n\tif x:\n\t    y\n\t```\n",
        "```python\r\nx = 1\r\nif x:\r\n    y\r\n```\r\n",
        "\ufeff```python\nx = 1\nif x:\n    y\n```",
        "~~~python\nx = 1\nif x:\n    y\n~~~\n",
        "````python\nx = 1\nif x:\n    y\n````\n",
        "```python\nx = 1\nif x:\n    y\n`````\n",
        "``` python\nx = 1\nif x:\n    y\n```   \n",
        "```{.python}\nx = 1\nif x:\n    y\n```\n",
        '```{ .python title="标题：卷积 (3x3)" }\nx = 1\nif x:\n    y\n```\n',
        '```python title="步幅为 2：`k`" claims="C131"\nx = 1\nif x:\n    y\n```\n',
        "```PYTHON\nx = 1\nif x:\n    y\n```\n",
        "<!-- a comment does not hide it\n```py\nx = 1\nif x:\n    y\n```\n-->\n",
    ],
)
def test_found_wherever_it_stands(text: str):
    if "`k`" in text:  # a backtick cannot stand in the info string of a backtick fence
        text = text.replace("`k`", "k")
    assert codes(text) == ["x = 1\nif x:\n    y\n"]


def test_four_backticks_hold_three():
    text = "````markdown\n```python\nnot a program of this page\n```\n````\n"
    assert codes(text) == []
    text = "````python\ns = '''\n```python\n'''\n```\n````\n"
    assert codes(text) == ["s = '''\n```python\n'''\n```\n"]


def test_blank_lines_without_indent_belong_to_an_indented_fence():
    assert codes("    ```python\n    a\n\n    b\n    ```\n") == ["a\n\nb\n"]


def test_form_feed_and_line_separator_end_no_line():
    assert split_lines("a\x0cb\u2028c\x85d\ne") == ["a\x0cb\u2028c\x85d", "e"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\n```python\nx\n", 2, "never closed"),
        ("```python\nx\n~~~\n", 1, "never closed"),
        ("````python\nx\n```\n", 1, "never closed"),
        ("!!! note\n    ```python\n    x\n```\n", 4, "left of the fence"),
        ("- ```python\n  x\n  ```\n", 1, "line of its own"),
        ("1. ~~~python\n", 1, "line of its own"),
        ("```python notest\nx\n```\n", 1, "'notest'"),
        ("```python continuation\nx\n```\n", 1, "'continuation'"),
        ('```python tilte="a"\nx\n```\n', 1, "unknown option 'tilte'"),
        ('```python title="a" title="b"\nx\n```\n', 1, "given twice"),
        ("```python title=a\nx\n```\n", 1, "title=a"),
        ("```python 中文\nx\n```\n", 1, "中文"),
        ("```pycon\n>>> x\n```\n", 1, "would not be run"),
        ("text\n\n```output\n1\n```\n", 3, "under no Python block"),
        ("```python\nprint(1)\n```\ntext\n```output\n1\n```\n", 5, "under no Python"),
        ("```python\n1\n```\n    ```output\n    1\n    ```\n", 4, "indented unlike"),
        ("![](../../assets/figures/a.svg)\n", 1, "follows no block"),
        ("```python\n1\n```\n![](../../assets/figures/a.svg)\n", 4, "alt text"),
        ("---\na: [\n---\n", 1, "no YAML"),
        ("---\n- a\n---\n", 1, "no table"),
    ],
)
def test_doubt_is_an_error_with_its_line(text: str, line: int, message: str):
    with pytest.raises(PageError, match=message) as caught:
        parse(text)
    assert caught.value.line == line


def test_output_and_figures_belong_to_the_block_above():
    page = parse(
        "```python\n1\n```\n\n```output\n2\n```\n\n"
        "![one](../../assets/figures/a/b.svg)\n![two](../../assets/figures/a/c.svg)\n"
        "```python\n3\n```\n"
    )
    first, second = page.blocks
    assert first.output is not None
    assert first.output.code == "2\n"
    assert [f.path for f in first.figures] == [
        "assets/figures/a/b.svg",
        "assets/figures/a/c.svg",
    ]
    assert second.output is None
    assert second.figures == ()


def test_front_matter_is_read_and_is_no_prose():
    page = parse("---\nseed: 7\ntitle: '# no heading'\n---\n# Yes { #yes }\n")
    assert page.meta["seed"] == 7
    assert [line for line in page.prose if line] == ["# Yes { #yes }"]


def test_hash_ignores_comments_and_title_but_not_program_or_output():
    def fingerprint(info: str, code: str, output: str) -> str:
        text = f"```python {info}\n{code}\n```\n```output\n{output}\n```\n"
        return parse(text).blocks[0].hash

    base = fingerprint("", "x = 1  # one\nprint(x)", "1")
    assert fingerprint('title="t"', "# 一\nx = 1\n\nprint(x)", "1") == base
    assert fingerprint("", "x = 2\nprint(x)", "1") != base
    assert fingerprint("", "x = 1\nprint(x)", "2") != base
    assert fingerprint('raises="ValueError"', "x = 1\nprint(x)", "1") != base
    assert fingerprint("", "x = '#'\nprint(x)", "1") != base


lines = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)


@given(
    st.lists(lines, max_size=6),
    st.sampled_from(["", "    ", "        ", "> ", ">  "]),
    st.sampled_from(["```", "````", "~~~"]),
    st.lists(lines, max_size=3),
)
def test_any_content_comes_back(
    body: list[str], indent: str, mark: str, around: list[str]
):
    body = [line for line in body if not line.lstrip(" \t>").startswith(mark[0] * 3)]
    body = [line for line in body if not line[:1].isspace() and line[:1] != ">"]
    around = [line for line in around if not set("`~") & set(line)]
    fenced = [f"{mark}python", *body, mark]
    text = "\n".join([*around, *(indent + line for line in fenced), *around])
    assert codes(text) == ["".join(f"{line}\n" for line in body)]


@given(st.text(alphabet="`~> \tpython{}=\"'\n-1.", max_size=80))
def test_never_anything_but_a_page_error(text: str):
    last = len(split_lines(text))
    try:
        places = [(fence.line, fence.end) for fence in find_fences(text)]
    except PageError as error:
        places = [(error.line - 1, error.line)]
    assert all(0 <= line < end <= last for line, end in places)

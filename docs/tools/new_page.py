"""Write the skeleton of a page in both languages: `make new-page SLUG=practice/device`.

The two files have the page structure that CONTRIBUTING describes, equal anchors, and a
block that runs. The first page of a section brings the section's overview with it,
`index.md`, whose list of pages the build makes. `tests/test_new_page.py` fails as long
as a placeholder is left on any page, so that nobody publishes a skeleton by mistake.
"""

import argparse
import re
import sys
from pathlib import Path

from docs.tools.data import site_map

__all__ = ["PLACEHOLDER", "SECTIONS", "new_page"]

PLACEHOLDER = "TODO"
SECTIONS = tuple(section.key for section in site_map())
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_ZH = """\
---
description: TODO 一句话说明这一页回答什么问题。
seed: 0
---

# TODO 标题 { #@name@ }

!!! abstract "一句话"

    TODO 先给答案：赶时间的读者读完这一句就能走。

## 公式 { #formula }

$$
y = f(x)
$$

TODO 换成这一页的公式（两种语言相同），并说明每个符号：$x$ 是输入，$y$ 是输出。

## 代码 { #code }

TODO 用这一页的 `dlref` 函数算出值得看的结果；输出由 `make outputs` 填写。

@block@

## 与 PyTorch 对照 { #torch }

TODO 用 torch 或 torchvision 再算一遍并比较；看图更明白的地方，由代码块画图。

## 常见误区 { #pitfalls }

TODO 每条误区一个三级标题，标识符是断言编号（如 c037）。

TODO 标题之下：流传的说法，错在哪里，带 claims 选项的证明代码块。

## 延伸 { #further }

TODO API 页、论文、下一页。
"""

_EN = """\
---
description: TODO one sentence on the question that this page answers.
seed: 0
---

# TODO title { #@name@ }

!!! abstract "In one sentence"

    TODO the answer first: a hurried reader leaves with this sentence.

## Formula { #formula }

$$
y = f(x)
$$

TODO put the page's formula here, the same in both languages, and name every symbol:
$x$ is the input, $y$ the output.

## Code { #code }

TODO use the page's function of `dlref` and print something worth seeing; the output is
written by `make outputs`.

@block@

## The same in PyTorch { #torch }

TODO compute it again with torch or torchvision and compare; where one would rather
look than read, let a block draw a figure.

## Pitfalls { #pitfalls }

TODO one level-three heading for each mistake, its id the claim's number (such as c037).

TODO below it: the belief, why it is wrong, and the block that proves it, with `claims`.

## Further { #further }

TODO the API page, the paper, the next page.
"""

_INDEX_ZH = """\
---
description: TODO 一句话说明这一部分回答什么问题。
seed: 0
---

# @title@ { #@name@ }

!!! abstract "一句话"

    TODO 这一部分回答什么，读完能做什么。

TODO 一两段：各页怎样相连，从哪里开始读。

## 按这个顺序读 { #pages data-search-exclude }

<div data-table="contents"></div>
"""

_INDEX_EN = """\
---
description: TODO one sentence on what this section answers.
seed: 0
---

# @title@ { #@name@ }

!!! abstract "In one sentence"

    TODO what this section answers, and what one can do after it.

TODO a paragraph or two: how the pages hang together, and where to begin.

## In reading order { #pages data-search-exclude }

<div data-table="contents"></div>
"""

_BLOCK = """\
```python
from dlref.shapes import conv_output_size

print(conv_output_size(224, 7, stride=2, padding=3))
```
```output
112
```"""

_NEXT = """\
next:
  1. add it to the navigation in mkdocs.yml ({slug}.md; a new section opens
     with its index.md) and to the table on about/scope
  2. write it in both languages, until no {placeholder} is left
  3. make outputs    runs it and writes outputs, figures and the record
  4. make serve      look at it, in both languages and in the dark
  5. make test"""


def _check_slug(slug: str) -> tuple[str, str]:
    """Return section and name; a slug is two lower-case ASCII words with one `/`."""
    section, slash, name = slug.partition("/")
    if not slash or not _NAME.fullmatch(section) or not _NAME.fullmatch(name):
        raise ValueError(
            "expected SLUG=section/name in lower-case ASCII letters, digits and single "
            f"hyphens, such as practice/device; got {slug!r}"
        )
    if section not in SECTIONS:
        raise ValueError(
            f"expected one of the sections {', '.join(SECTIONS)}; got {section!r}"
        )
    return section, name


def new_page(slug: str, docs: Path) -> list[Path]:
    """Write `docs/zh/<slug>.md` and `docs/en/<slug>.md` and return their paths.

    Where their section has no overview yet, that is written too.

    Args:
        slug: `section/name`, which is also the page's address on the site.
        docs: The directory that holds `zh` and `en`.

    Returns:
        The paths written, Chinese first, those of the overview last.

    Raises:
        ValueError: If the slug is not of that form, or the section is unknown.
        FileExistsError: If the page is there in either language.

    Nothing is written unless both files can be.
    """
    section, name = _check_slug(slug)
    texts = {docs / "zh" / f"{slug}.md": _ZH, docs / "en" / f"{slug}.md": _EN}
    if there := [str(path) for path in texts if path.exists()]:
        raise FileExistsError(f"there already: {', '.join(there)}; nothing was written")
    fields = {"@name@": name, "@block@": _BLOCK}
    written = [_write(path, text, fields) for path, text in texts.items()]
    return written + _write_overviews(section, docs)


def _write_overviews(section: str, docs: Path) -> list[Path]:
    """Write what a section lacks of its overview; the home page is that of `about`."""
    if section == "about":
        return []
    (title,) = (part.title for part in site_map() if part.key == section)
    texts = {"zh": (_INDEX_ZH, title.zh), "en": (_INDEX_EN, title.en)}
    return [
        _write(path, text, {"@name@": section, "@title@": heading})
        for code, (text, heading) in texts.items()
        if not (path := docs / code / section / "index.md").exists()
    ]


def _write(path: Path, text: str, fields: dict[str, str]) -> Path:
    for mark, value in fields.items():
        text = text.replace(mark, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status is 2 where nothing was written."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.tools.new_page",
        description="Write the skeleton of a page in both languages.",
    )
    parser.add_argument("slug", help="section/name, such as practice/device")
    parser.add_argument(
        "--docs", type=Path, default=Path(__file__).parents[1], help=argparse.SUPPRESS
    )
    args = parser.parse_args(argv)
    try:
        written = new_page(args.slug, args.docs)
    except (ValueError, FileExistsError) as error:
        print(f"new-page: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(f"wrote docs/{path.relative_to(args.docs).as_posix()}")
    print(_NEXT.format(slug=args.slug, placeholder=PLACEHOLDER))
    return 0


if __name__ == "__main__":
    sys.exit(main())

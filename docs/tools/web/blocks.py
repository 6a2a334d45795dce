"""Fences of a page, as the theme should show them.

Sources carry `key="value"` options that only the tests read. Here each fence becomes
one that superfences renders well, each program gets an anchor, and what it prints is
attached beneath it. The parser is the engine's, so site and tests see the same blocks.
"""

import re

from docs.tools.fences import Fence
from docs.tools.snippets import Page

_UNSAFE = re.compile(r'["\\]')


def rewrite(page: Page, lines: list[str], words: dict[str, str]) -> list[str]:
    """Return the page's lines with its fences in the theme's syntax.

    Args:
        page: The page, parsed.
        lines: Its lines, perhaps changed outside fences.
        words: Labels in the page's language.
    """
    lines = list(lines)
    for block in page.blocks:
        shown = {key: block.options.get(key, "") for key in ("title", "hl_lines")}
        attributes = f".python .program #block-{block.index}"
        _reopen(lines, block.fence, attributes, shown)
        if block.output:
            raises = "raises" in block.options
            attributes = ".text .output .no-copy" + (" .raises" if raises else "")
            label = {"data-label": words["raises" if raises else "output"]}
            _reopen(lines, block.output, attributes, label)
    return lines


def _reopen(
    lines: list[str], fence: Fence, attributes: str, options: dict[str, str]
) -> None:
    """Write the opening line anew; the fence's own marks stay, so that nesting holds.

    Blank lines around it keep it out of the paragraph of a neighbour without one.
    """
    body = lines[fence.line][len(fence.indent) :]
    marks = body[: len(body) - len(body.lstrip(body[0]))]
    words = [attributes]
    words += [f'{k}="{_UNSAFE.sub("", v)}"' for k, v in options.items() if v]
    blank = fence.indent.rstrip()
    lines[fence.line] = f"{blank}\n{fence.indent}{marks} {{{' '.join(words)}}}"
    lines[fence.end] += f"\n{blank}"


def decorate(content: str, page: Page) -> str:
    """Give each rendered program the anchors of its claims.

    The errata table links to `#c037`. Where a heading already has that id, the heading
    is the better place to land; else the first block that carries the claim gets it.
    """
    taken = set(re.findall(r'\sid="([^"]+)"', content))
    for block in page.blocks:
        opening = re.search(rf'<div id="block-{block.index}"[^>]*>', content)
        if opening is None:
            raise ValueError(f"the block on line {block.line} was not rendered")
        anchors = ""
        for claim in block.claims:
            if claim.lower() not in taken:
                taken.add(claim.lower())
                anchors += f'<span class="anchor" id="{claim.lower()}"></span>'
        content = content[: opening.end()] + anchors + content[opening.end() :]
    return content

"""Lighter listings: what highlighting adds without showing anything is taken out."""

import re

# Pygments marks every token; the theme gives names, punctuation and blanks no colour.
_PLAIN = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')
_SOURCE = re.compile(r'<details class="mkdocstrings-source">.*?</details>', re.DOTALL)
_NUMBERS = re.compile(r'<td class="linenos">.*?</td>', re.DOTALL)
_DOCSTRING = re.compile(
    r'<span class="sd">(?:[^<]|</span>\s*<span class="sd">)*</span>'
)
_HEAD = re.compile(r"<th([^>]*)>\s*</th>")


def lighten(content: str) -> str:
    r"""Drop marks without effect; under a docstring, show its function's code only.

    Examples:
        >>> lighten('<span class="n">y</span> <span class="o">=</span> 1')
        'y = 1'
    """
    return _PLAIN.sub(r"\1", _SOURCE.sub(_code_only, content))


def _code_only(source: re.Match[str]) -> str:
    """Take the line numbers and the docstring, which stands above, out of a source."""
    return _DOCSTRING.sub(
        '<span class="sd">"""…"""</span>', _NUMBERS.sub("", source[0])
    )


def plain_corners(content: str) -> str:
    """Turn empty header cells, such as a table's corner, into plain cells.

    Examples:
        >>> plain_corners('<th style="text-align: left;"></th><th>mode</th>')
        '<td style="text-align: left;"></td><th>mode</th>'
    """
    return _HEAD.sub(r"<td\1></td>", content)

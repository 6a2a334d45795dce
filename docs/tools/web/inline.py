"""Texts of the data files as HTML: code, formulas and stress, nothing else."""

import html
import re

_SPAN = re.compile(r"`([^`]+)`|\$([^$]+)\$|\*\*(.+?)\*\*")


def to_html(text: str) -> str:
    r"""Return a text of a data file as HTML; its formulas are marked for typesetting.

    Examples:
        >>> to_html("`x` is **not** 3")
        '<code>x</code> is <strong>not</strong> 3'
        >>> to_html("$a < b$")
        '<x-tex data-search-exclude kind="light">a &lt; b</x-tex>'
    """
    parts, end = [], 0
    for found in _SPAN.finditer(text):
        parts.append(html.escape(text[end : found.start()], quote=False))
        code, tex, stress = found.groups()
        if code:
            parts.append(f"<code>{html.escape(code, quote=False)}</code>")
        elif tex:
            formula = html.escape(tex, quote=False)
            parts.append(f'<x-tex data-search-exclude kind="light">{formula}</x-tex>')
        else:
            parts.append(f"<strong>{to_html(stress)}</strong>")
        end = found.end()
    return "".join(parts) + html.escape(text[end:], quote=False)


def attribute(text: str) -> str:
    """Return a text as the value of an attribute in double quotes."""
    return html.escape(text, quote=True)

"""Formulas for long tables: a dozen tags in KaTeX's fonts instead of its many boxes.

KaTeX's HTML weighs a kilobyte a formula, and its MathML looks poor wherever the reader
has no mathematical font. Here its MathML, which is well structured, is written as HTML:
italics, raised and lowered parts, fractions, roots. The text reads in order, so that
nothing has to be said twice for a screen reader or the filter of a table.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from html import escape

RELATIONS = frozenset("=≈≠<>≤≥∝∼→←∈")
OPERATORS = frozenset("+−×⋅⊙±∗")
OPENING, CLOSING = frozenset("([{⌊⌈"), frozenset(")]}⌋⌉")
LARGE = frozenset("∑∏∫")
APPLY = "\u2061"  # stands behind log, max …
THIN, FIXED = "\u2009", "\u00a0"  # spaces; no line ends at the second
SPACED = frozenset({"operand", "close"})  # what an operator joins


class UnknownMarkError(ValueError):
    """MathML that this module does not write; the message names the element."""


def to_html(row: Iterable[ET.Element]) -> str:
    r"""Return what stands in a `<math>` element as HTML.

    Raises:
        UnknownMarkError: If it holds an element that is not among the dozen.

    Examples:
        >>> math = "<math><msup><mi>x</mi><mn>2</mn></msup><mo>=</mo><mn>1</mn></math>"
        >>> to_html(ET.fromstring(math))
        '<span class="tex"><i>x</i><sup>2</sup>\xa0= 1</span>'
    """
    text = _row(list(row), script=False)
    return f'<span class="tex">{text.replace("</i><i>", "")}</span>'


def _row(nodes: list[ET.Element], *, script: bool) -> str:
    """Write nodes side by side, with the spaces that TeX puts between them."""
    parts: list[str] = []
    before = "start"
    for node in nodes:
        if node.text == APPLY:
            continue
        kind, text = _kind(node), _write(node, script=script)
        if kind == "operator" and before not in SPACED:
            kind = "sign"  # of a number: no spaces
        if not script:
            text = _spaced(text, kind, before)
        parts.append(text)
        before = kind
    return "".join(parts)


def _spaced(text: str, kind: str, before: str) -> str:
    """Put spaces around a node, by its kind and by the kind of what stands before."""
    if kind in {"relation", "operator"}:
        return f"{FIXED}{text} "
    if kind == "comma":
        return f"{text} "
    if kind == "space":
        return "" if before == "comma" else text
    named = kind == "function" and before in {*SPACED, "function"}
    applied = before == "function" and kind in {"operand", "sign"}
    return f"{THIN}{text}" if named or applied else text


def _kind(node: ET.Element) -> str:
    """Say what a node is among its neighbours."""
    if node.tag in {"msub", "msup", "msubsup"}:
        return _kind(node[0])
    if node.tag == "mrow":  # log with its mark, as the base of an index
        return "function" if node[-1].text == APPLY else "operand"
    text = node.text or ""
    if node.tag == "mi" and len(text) > 1 and text.isalpha():
        return "function"
    if node.tag in {"mtext", "mspace"}:
        return "space"
    if node.tag != "mo":
        return "operand"
    kinds = {
        "relation": RELATIONS,
        "operator": OPERATORS,
        "open": OPENING,
        "close": CLOSING,
        "comma": ",;",
        "function": LARGE,
    }
    return next((kind for kind, signs in kinds.items() if text in signs), "operand")


def _write(node: ET.Element, *, script: bool) -> str:
    """Write a node without the spaces around it."""
    match node.tag:
        case "mrow":
            return _row(list(node), script=script)
        case "mi":
            return _letter(node)
        case "mn" | "mo":
            return escape(node.text or "", quote=False)
        case "mtext":
            return THIN
        case "msub" | "msup" | "msubsup":
            return _scripts(node, script=script)
        case "mfrac":
            above, below = (_row([part], script=True) for part in node)
            parts = f"<span>{above}</span><s>/</s><span>{below}</span>"
            return f'<span class="frac">{parts}</span>'
        case "msqrt":
            return f'√<span class="root">{_row(list(node), script=script)}</span>'
    raise UnknownMarkError(f"no way to write the element {node.tag!r} lightly")


def _letter(node: ET.Element) -> str:
    text = escape(node.text or "", quote=False)
    if node.get("mathvariant") == "script":
        return f'<span class="script">{text}</span>'
    upright = node.get("mathvariant") == "normal" or len(text) > 1
    return text if upright else f"<i>{text}</i>"


def _scripts(node: ET.Element, *, script: bool) -> str:
    """Write a base with what is lowered and raised beside it."""
    base = _write(node[0], script=script)
    parts = [_row([part], script=True) for part in node[1:]]
    if node.tag == "msubsup":
        low, high = parts
        return f'{base}<span class="both"><sup>{high}</sup><sub>{low}</sub></span>'
    tag = "sub" if node.tag == "msub" else "sup"
    return f"{base}<{tag}>{parts[0]}</{tag}>"

"""Formulas, set by KaTeX while the site is built: the reader's browser runs nothing.

KaTeX runs in QuickJS, so no Node is needed. A formula costs some 8 ms; what it gave is
kept in `.cache/` under a key that holds KaTeX's version and its options.
"""

import hashlib
import html
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docs.tools.web import light_math

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "docs/tools/vendor/katex/katex.min.js"
CACHE = ROOT / ".cache/formulas.json"
VERSION = "0.19.1"
OPTIONS = {"throwOnError": True, "strict": "error", "output": "htmlAndMathml"}

_RENDER = """(tex, options) => {
  try { return JSON.stringify({html: katex.renderToString(tex, JSON.parse(options))}) }
  catch (error) { return JSON.stringify({error: error.message}) }
}"""

# What pymdownx.arithmatex (generic) leaves of a formula, inline and display.
_FOUND = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>',
    re.DOTALL,
)
_MARKED = re.compile(
    r'<x-tex data-search-exclude kind="(?P<kind>\w+)">(?P<tex>.*?)</x-tex>', re.DOTALL
)


_SOURCE = re.compile(
    r"<annotation\b.*?</annotation>|</?semantics>| xmlns=\"[^\"]*\"", re.DOTALL
)


class FormulaError(ValueError):
    """A formula that KaTeX refuses; the message quotes it."""


class Formulas:
    """Renders formulas, each once."""

    def __init__(self, cache: Path | None = CACHE) -> None:
        """Read what earlier builds have rendered."""
        self._cache = cache
        self._known: dict[str, str] = {}
        self._added = False
        self._function = None
        if cache is not None and cache.is_file():
            try:
                self._known = json.loads(cache.read_text(encoding="utf-8"))
            except ValueError:  # cut short by a crash: render again
                self._known = {}

    def render(self, tex: str, *, display: bool = False, light: bool = False) -> str:
        r"""Return the HTML (with MathML for screen readers) of a formula.

        Args:
            tex: Its source.
            display: Whether it stands on lines of its own.
            light: Return a few tags, a tenth of the bytes: for long tables.

        Raises:
            FormulaError: If KaTeX cannot read it.

        Examples:
            >>> "<mfrac>" in Formulas(cache=None).render(r"\frac{1}{2}")
            True
        """
        chosen = {**OPTIONS, "displayMode": display}
        if light:
            chosen["output"] = "mathml"
        options = json.dumps(chosen, sort_keys=True)
        text = f"{VERSION}\n{options}\n{tex}"
        key = hashlib.sha256(text.encode()).hexdigest()[:24]
        if key not in self._known:
            answer = json.loads(self._katex()(tex, options))
            if "error" in answer:
                raise FormulaError(_explain(answer["error"], tex))
            self._known[key] = answer["html"]
            self._added = True
        return _lighten(self._known[key], tex) if light else self._known[key]

    def save(self) -> None:
        """Keep for the next build what this one rendered."""
        if self._cache is None or not self._added:
            return
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        draft = self._cache.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(self._known, sort_keys=True), encoding="utf-8")
        draft.replace(self._cache)
        self._added = False

    def _katex(self):  # noqa: ANN202  a callable of QuickJS
        if self._function is None:
            import quickjs

            context = quickjs.Context()
            context.eval(SCRIPT.read_text(encoding="utf-8"))
            self._function = context.eval(_RENDER)
        return self._function


def mark(content: str) -> str:
    r"""Put each formula of a page into an element of its own, which search passes over.

    Examples:
        >>> mark(r'<span class="arithmatex">\(a &lt; b\)</span>')
        '<x-tex data-search-exclude kind="inline">a &lt; b</x-tex>'
    """

    def replace(found: re.Match[str]) -> str:
        kind = "display" if found["tag"] == "div" else "inline"
        tex = found["tex"].strip()
        return f'<x-tex data-search-exclude kind="{kind}">{tex}</x-tex>'

    return _FOUND.sub(replace, content)


def titles_with_formulas(items: Iterable[Any]) -> Iterator[str]:
    """Yield the headings of a table of contents that hold a formula."""
    for item in items:
        if r"\(" in item.title:
            yield item.title
        yield from titles_with_formulas(item.children)


def typeset(content: str, formulas: Formulas) -> tuple[str, list[str]]:
    """Render the marked formulas of a page.

    Returns:
        The page, and what is wrong with the formulas that cannot be read; these stand
        in the page as source text.
    """
    problems: list[str] = []

    def replace(found: re.Match[str]) -> str:
        display = found["kind"] == "display"
        tex = html.unescape(found["tex"])
        try:
            light = found["kind"] == "light"
            rendered = formulas.render(tex, display=display, light=light)
        except FormulaError as error:
            problems.append(str(error))
            return f'<code class="formula-error">{html.escape(tex)}</code>'
        if display:
            return f'<div class="formula">{rendered}</div>'
        return rendered

    return _MARKED.sub(replace, content), problems


def _lighten(rendered: str, tex: str) -> str:
    """Return KaTeX's MathML as light HTML."""
    formula = rendered.removeprefix('<span class="katex">').removesuffix("</span>")
    row = ElementTree.fromstring(_SOURCE.sub("", formula))[0]
    try:
        return light_math.to_html(row if row.tag == "mrow" else [row])
    except light_math.UnknownMarkError as error:
        raise FormulaError(_explain(str(error), tex)) from error


def _explain(message: str, tex: str) -> str:
    # KaTeX underlines the fault with combining characters, which terminals garble.
    message = message.replace("\u0332", "").removeprefix("KaTeX parse error: ")
    return f"{message}, in the formula {' '.join(tex.split())!r}"

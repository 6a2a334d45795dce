"""Formulas of long tables: light HTML that says and shows what KaTeX does."""

import re
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup

from docs.tools.data import claims
from docs.tools.web.formulas import FormulaError, Formulas
from docs.tools.web.light_math import UnknownMarkError, to_html

CODE = re.compile(r"`[^`]+`")
FORMULA = re.compile(r"\$([^$]+)\$")


def light(tex: str) -> str:
    """The inside of a formula's element; fixed spaces written as `~`, thin as `,`."""
    html = Formulas(cache=None).render(tex, light=True)
    inner = html.removeprefix('<span class="tex">').removesuffix("</span>")
    assert inner != html
    return inner.replace("\u00a0", "~").replace("\u2009", ",")


@pytest.mark.parametrize(
    ("tex", "html"),
    [
        ("k", "<i>k</i>"),
        ("xy", "<i>xy</i>"),
        ("a=b", "<i>a</i>~= <i>b</i>"),  # a line may end behind the sign only
        ("a<b", "<i>a</i>~&lt; <i>b</i>"),
        ("a-b", "<i>a</i>~− <i>b</i>"),
        ("-b", "−<i>b</i>"),
        ("x=-b", "<i>x</i>~= −<i>b</i>"),
        ("(-b)", "(−<i>b</i>)"),
        ("(3,-4)", "(3, −4)"),
        ("x^2", "<i>x</i><sup>2</sup>"),
        ("e^{-x+1}", "<i>e</i><sup>−<i>x</i>+1</sup>"),  # no spaces in small print
        ("f'(x)", "<i>f</i><sup>′</sup>(<i>x</i>)"),
        ("C_{out}", "<i>C</i><sub><i>out</i></sub>"),
        (
            r"\eta_t^2",
            '<i>η</i><span class="both"><sup>2</sup><sub><i>t</i></sub></span>',
        ),
        (r"\tanh x", "tanh,<i>x</i>"),
        (r"\tanh(x)", "tanh(<i>x</i>)"),
        (r"x\tanh x", "<i>x</i>,tanh,<i>x</i>"),
        (r"\log_2 q", "log<sub>2</sub>,<i>q</i>"),
        (r"\tanh^2x", "tanh<sup>2</sup>,<i>x</i>"),
        (r"\arg\max p", "arg,max,<i>p</i>"),
        (r"\sum_x p", "∑<sub><i>x</i></sub>,<i>p</i>"),
        (r"\mathrm{KL}(P\|Q)", "KL(<i>P</i>∥<i>Q</i>)"),
        (r"\mathcal N(0,I)", '<span class="script">N</span>(0, <i>I</i>)'),
        (r"a\,b", "<i>a</i>,<i>b</i>"),
        (r"a,\,b", "<i>a</i>, <i>b</i>"),
        (
            r"\frac12",
            '<span class="frac"><span>1</span><s>/</s><span>2</span></span>',
        ),
        (r"\sqrt{2\pi}", '√<span class="root">2<i>π</i></span>'),
    ],
)
def test_a_formula_is_written_with_few_tags(tex: str, html: str) -> None:
    assert light(tex) == html


def test_every_formula_of_the_claims_can_be_written() -> None:
    formulas = Formulas()
    found = {
        tex
        for claim in claims()
        for text in (claim.belief.zh, claim.belief.en, claim.truth.zh, claim.truth.en)
        for tex in FORMULA.findall(CODE.sub("", text))
    }
    assert len(found) > 100
    for tex in found:
        read = BeautifulSoup(formulas.render(tex, light=True), "html.parser").get_text()
        heard = ElementTree.fromstring(formulas.render(tex))[0][0][0][0]
        same = ["".join(text.split()) for text in (read, "".join(heard.itertext()))]
        same = [re.sub("[\u2061/√]", "", text) for text in same]  # drawn by MathML
        assert sorted(same[0]) == sorted(same[1]), tex


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(UnknownMarkError, match="'mtable'"):
        to_html([ElementTree.Element("mtable")])
    tex = r"\begin{matrix}a\end{matrix}"
    with pytest.raises(FormulaError, match=r"lightly, in the formula .*matrix"):
        Formulas(cache=None).render(tex, light=True)

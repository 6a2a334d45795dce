"""Figures: drawn by a block, kept as SVG that reads on light and on dark.

Black becomes `currentColor`, which the file itself sets from the colour scheme of the
page around it. Two figures are compared as drawings, not as bytes: the same elements
in the same order, numbers within a tolerance, embedded pictures by their pixels; ids,
which matplotlib makes anew from release to release, only by how they are used.
"""

import base64
import io
import math
import re
import xml.etree.ElementTree as ET
from itertools import zip_longest
from typing import Any

STYLE: dict[str, Any] = {
    "axes.facecolor": "none",
    "axes.grid": False,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.dpi": 144,
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "savefig.dpi": 144,
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "dlref",
}
INK, CHALK = "#1f2328", "#d5d9e0"  # on light, on dark

_CSS = (
    f"svg{{color:{INK};fill:currentColor}}"
    f"@media (prefers-color-scheme:dark){{svg{{color:{CHALK}}}}}"
)
_TOKEN = re.compile(
    r"#[0-9a-fA-F]{6}\b|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[^\s,;:()]+"
)
_REFERENCE = re.compile(r"url\(#([^)]+)\)|^#(.+)$")


def use_style() -> None:
    """Set matplotlib as the site draws: transparent, quiet, reproducible."""
    import matplotlib as mpl

    mpl.rcdefaults()
    mpl.use("Agg")
    mpl.rcParams.update(STYLE)


def render_open_figures() -> list[str]:
    """Return all open figures as SVG text, oldest first, and close them."""
    import matplotlib.pyplot as plt

    drawn = [to_svg(plt.figure(number)) for number in plt.get_fignums()]
    plt.close("all")
    return drawn


def to_svg(figure: Any) -> str:
    """Render one matplotlib figure: no date, no creator, black as `currentColor`."""
    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(stream, format="svg", transparent=True, metadata=nothing)
    svg = re.sub(r"#000000\b", "currentColor", stream.getvalue())
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!DOCTYPE.*?>\n", "", svg, flags=re.DOTALL)
    svg = svg.replace("<defs>", f"<style>{_CSS}</style>\n <defs>", 1)
    return "".join(f"{line.rstrip()}\n" for line in svg.splitlines())


def explain_figure_difference(committed: str, drawn: str, device: str = "cpu") -> str:
    """Return how two SVG files differ as drawings, or an empty string."""
    try:
        old, new = ET.fromstring(committed), ET.fromstring(drawn)
    except ET.ParseError as error:
        return f"no SVG: {error}"
    names: tuple[dict[str, int], dict[str, int]] = ({}, {})
    margin = 0.02 if device == "cpu" else 0.5  # points
    for a, b in zip_longest(old.iter(), new.iter()):
        if a is None or b is None:
            count = len(list(old.iter())), len(list(new.iter()))
            return f"{count[0]} elements in the file, {count[1]} drawn"
        if difference := _element_difference(a, b, names, margin):
            return f"<{a.tag.rpartition('}')[2]}> {difference}"
    return ""


def _element_difference(
    a: ET.Element,
    b: ET.Element,
    names: tuple[dict[str, int], dict[str, int]],
    margin: float,
) -> str:
    if a.tag != b.tag:
        return f"where <{b.tag.rpartition('}')[2]}> is drawn"
    one, two = _attributes(a, names[0]), _attributes(b, names[1])
    if one.keys() != two.keys():
        return f"attributes {sorted(one)} in the file, {sorted(two)} drawn"
    for key, value in one.items():
        if value.startswith("data:image"):
            if difference := _picture_difference(value, two[key]):
                return difference
        elif not _alike(value, two[key], margin):
            return f"{key}={value[:60]!r} in the file, {two[key][:60]!r} drawn"
    text = (a.text or "").strip(), (b.text or "").strip()
    return (
        "" if text[0] == text[1] else f"text {text[0]!r} in the file, {text[1]!r} drawn"
    )


def _attributes(element: ET.Element, names: dict[str, int]) -> dict[str, str]:
    """Attributes without `id`; references by the order of their targets."""
    if identifier := element.get("id"):
        names.setdefault(identifier, len(names))

    def rename(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return f"@{names.setdefault(name, len(names))}"

    return {
        key.rpartition("}")[2]: _REFERENCE.sub(rename, value)
        for key, value in element.attrib.items()
        if key != "id"
    }


def _alike(a: str, b: str, margin: float) -> bool:
    """Same words, same colours, numbers within the margin."""
    if a == b:
        return True
    one, two = _TOKEN.findall(a), _TOKEN.findall(b)
    return len(one) == len(two) and all(map(_same_token, one, two, [margin] * len(one)))


def _same_token(a: str, b: str, margin: float) -> bool:
    if a == b:
        return True
    if a.startswith("#") and b.startswith("#"):
        if margin < 0.1:
            return False
        pairs = zip(bytes.fromhex(a[1:]), bytes.fromhex(b[1:]), strict=True)
        return all(abs(x - y) <= 2 for x, y in pairs)
    try:
        return math.isclose(float(a), float(b), rel_tol=1e-4, abs_tol=margin)
    except ValueError:
        return False


def _picture_difference(a: str, b: str) -> str:
    """Compare two embedded PNG pictures by their pixels."""
    import numpy as np
    from PIL import Image

    def read(text: str) -> Any:
        data = base64.b64decode(text.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), dtype=np.int16)

    one, two = read(a), read(b)
    if one.shape != two.shape:
        return f"picture of {one.shape} pixels in the file, {two.shape} drawn"
    far = np.abs(one - two)
    if far.mean() > 0.5 or (far > 8).mean() > 1e-3:
        return f"picture: pixels differ by {far.mean():.2f} levels on average"
    return ""

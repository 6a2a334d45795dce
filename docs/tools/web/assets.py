"""Files shared by both languages, which lie once on the site, below its root.

MkDocs wants them in each language's build, so that it can check the links to them. In
English they are therefore known, but not written, and the pages' links to them are led
to the root.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.structure.files import File

from docs.tools.snippets import Page

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "docs/assets"

_LINK = re.compile(
    r"""(?P<before>\]\(\s*<?|\b(?:src|href)=["'])(?P<up>(?:\.\./)+)assets/"""
)
_IMAGE = re.compile(r'<img (?P<rest>[^>]*?)src="(?P<src>[^"]*assets/[^"]+\.svg)"')
_SVG = re.compile(r"<svg\b[^>]*>")
_LENGTH = r'\s%s="(?P<number>[\d.]+)(?P<unit>pt|px|)"'
# An address of such a file on a page. The theme's own files stay with each language.
_SHARED = re.compile(
    r"""(?P<before>\b(?:src|href)=["'](?P<up>(?:\.\./)*|/[^"']*?))(?P<there>assets/"""
    r"""(?:css|figures|img|js|notebooks|vendor)/)"""
)
PIXELS = {"pt": 4 / 3, "px": 1.0, "": 1.0}  # CSS


class Elsewhere(File):
    """A file that the build of another language has written."""

    def copy_file(self, dirty: bool = False) -> None:
        """Leave it where it is."""


def lead_to_root(html: str, folder: str) -> str:
    """Lead a page's links to shared files out of its language's folder.

    Args:
        html: The page.
        folder: Where the language's pages lie below the site's root.

    Examples:
        >>> lead_to_root('<img src="../assets/img/x.svg">', "en")
        '<img src="../../assets/img/x.svg">'
        >>> lead_to_root('<img src="/dlref/en/assets/img/x.svg">', "en")  # 404
        '<img src="/dlref/assets/img/x.svg">'
    """
    if not folder:
        return html

    def replace(found: re.Match[str]) -> str:
        if found["up"].startswith("/"):
            return found["before"].removesuffix(f"{folder}/") + found["there"]
        return f"{found['before']}../{found['there']}"

    return _SHARED.sub(replace, html)


def shared_files() -> Iterator[tuple[str, Path]]:
    """Yield path in the site and file on disk of all that both languages share."""
    for path in sorted(ASSETS.rglob("*")):
        hidden = any(part.startswith(".") for part in path.parts[len(ASSETS.parts) :])
        if path.is_file() and path.suffix != ".md" and not hidden:
            yield path.relative_to(ROOT / "docs").as_posix(), path


def relink(page: Page, src_uri: str) -> list[str]:
    """Return the page's lines, links to `docs/assets/` turned into links on the site.

    In the source such a link is relative to the file on disk (`../../assets/x.svg`), so
    that editors and code hosts find it. On the site the language's folder is the root:
    one step less.
    """
    depth = src_uri.count("/")

    def replace(found: re.Match[str]) -> str:
        if found["up"].count("../") != depth + 1:
            return found[0]  # a wrong number of steps: MkDocs reports it
        return f"{found['before']}{'../' * depth}assets/"

    lines = list(page.lines)
    for number, line in enumerate(page.prose):
        if line:
            lines[number] = _LINK.sub(replace, line)
    return lines


def add_sizes(content: str) -> str:
    """Give each figure its size, so that text does not jump when it comes into view."""

    def replace(found: re.Match[str]) -> str:
        path = ASSETS / found["src"].split("assets/", 1)[1]
        size = _read_size(path)
        if size is None or "width=" in found["rest"]:
            return found[0]
        width, height = size
        return (
            f'<img {found["rest"]}class="figure" width="{width}" height="{height}"'
            f' loading="lazy" src="{found["src"]}"'
        )

    return _IMAGE.sub(replace, content)


def _read_size(path: Path) -> tuple[int, int] | None:
    """Read width and height of an SVG, in CSS pixels."""
    if not path.is_file():
        return None
    tag = _SVG.search(path.read_text(encoding="utf-8")[:4000])
    lengths = [tag and re.search(_LENGTH % key, tag[0]) for key in ("width", "height")]
    if not all(lengths):
        return None
    width, height = (
        round(float(n["number"]) * PIXELS[n["unit"]]) for n in lengths if n
    )
    return width, height

"""Style sheets, written in several files and sent as one.

A browser shows nothing before it has every sheet that the head of a page names: eleven
requests would be two rounds on a slow line.
"""

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path

from docs.tools.snippets import DOCS

JOINED = "assets/css/site.css"

_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_ADDRESS = re.compile(r"url\((?!['\"]?(?:data:|#))(?P<path>[^)\s'\"]+)\)")


def join(paths: Iterable[str], site: Path) -> str:
    """Return the text of several sheets, as one that lies at `JOINED`.

    Args:
        paths: Where the sheets lie on the site, in their order.
        site: A language's site, for the sheet that mkdocstrings has written into it;
            the others are in `docs/`.
    """
    return "\n".join(_read(path, site) for path in paths)


def _read(path: str, site: Path) -> str:
    """Return a sheet without comments; what it loads is named from `JOINED`."""
    source = next(root / path for root in (site, DOCS) if (root / path).is_file())
    folder, here = posixpath.dirname(path), posixpath.dirname(JOINED)

    def rename(found: re.Match[str]) -> str:
        target = posixpath.join(folder, found["path"])
        return f"url({posixpath.relpath(target, here)})"

    text = _COMMENT.sub("", source.read_text(encoding="utf-8"))
    return _ADDRESS.sub(rename, text)

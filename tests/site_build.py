"""Build the site as `mkdocs build --strict` does, and read what came out."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).parents[1]
LANGUAGES = {"zh": "", "en": "en"}  # code -> folder below the site's root

# The build must not need what it documents: importing any of these fails.
_MKDOCS = """
import sys
for name in ("torch", "torchvision", "dlref", "matplotlib", "sklearn", "scipy"):
    sys.modules[name] = None
from mkdocs.__main__ import cli
cli()
"""

# What a browser fetches by itself: tag -> attribute.
LOADS = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
FETCHED_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "manifest"}


def build_site(
    target: Path, root: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Build strictly into `target`; stdout and stderr come back as one text."""
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", **environment}
    env.pop("SOURCE_DATE_EPOCH", None)
    return subprocess.run(
        [sys.executable, "-c", _MKDOCS, "build", "--strict", "-d", str(target)],
        cwd=root,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def copy_sources(target: Path) -> Path:
    """Copy what a build reads into another folder, and return that."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for folder in ("docs", "dlref", "tests"):
        shutil.copytree(ROOT / folder, target / folder, ignore=ignored)
    shutil.copy(ROOT / "mkdocs.yml", target)
    return target


def source_of(page: Path, site: Path) -> Path:
    """Return the source of a built page: Markdown, or a lab's notebook."""
    inside = page.relative_to(site)
    code = "en" if inside.parts[0] == "en" else "zh"
    if code == "en":
        inside = inside.relative_to("en")
    source = ROOT / "docs" / code / inside.with_suffix(".md")
    return source if source.is_file() else source.with_suffix(".ipynb")


@dataclass(frozen=True)
class Html:
    """A built page, parsed."""

    path: Path
    site: Path

    @property
    def name(self) -> str:
        """Path below the site's root."""
        return self.path.relative_to(self.site).as_posix()

    @cached_property
    def tree(self) -> BeautifulSoup:
        """The parsed page."""
        return BeautifulSoup(self.path.read_text(encoding="utf-8"), "html.parser")

    @property
    def article(self) -> Tag:
        """The text of the page, without the frame."""
        article = self.tree.find("article")
        assert isinstance(article, Tag), f"{self.name} has no article"
        return article

    @cached_property
    def ids(self) -> list[str]:
        """Every id of the page."""
        return [str(tag["id"]) for tag in self.tree.find_all(id=True)]

    @property
    def loads(self) -> list[str]:
        """Addresses that a browser fetches to show the page."""
        found: list[str] = []
        for tag in self.tree.find_all(list(LOADS)):
            if tag.name == "link" and not FETCHED_LINKS.intersection(tag["rel"]):
                continue
            found += [str(tag[a]) for a in (LOADS[tag.name], "srcset") if tag.get(a)]
        return found

    @property
    def links(self) -> list[str]:
        """Addresses that a reader can follow."""
        return [str(tag["href"]) for tag in self.tree.find_all("a", href=True)]

    def resolve(self, address: str) -> tuple[Path, str]:
        """Return file and anchor that an address of this page points to."""
        parts = urlsplit(address)
        path = unquote(parts.path)
        if path.startswith("/"):  # only the 404 page, which is served at any depth
            target = self.site / path.lstrip("/")
        else:
            target = self.path.parent / path if path else self.path
        if target.is_dir():
            target /= "index.html"
        return target.resolve(), unquote(parts.fragment)


@cache
def ids_of(path: Path, site: Path) -> frozenset[str]:
    """Every id of a page that many links lead to: it is read once."""
    return frozenset(Html(path, site).ids)


def is_external(address: str) -> bool:
    """Whether an address leads away from the site."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in {"http", "https", "ftp"}

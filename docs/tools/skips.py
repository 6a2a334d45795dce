"""Skipped blocks are counted, listed, and capped: the committed cap only falls."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from docs.tools.snippets import ROOT, Page


def skip_cap(root: Path = ROOT) -> int:
    """The cap in `pyproject.toml`: `skip-cap` of `[tool.dlref]`."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return int(tomllib.loads(text)["tool"]["dlref"]["skip-cap"])


def list_skips(pages: Iterable[Page]) -> list[str]:
    """Every skip with place and reason; a reason per device counts as one."""
    return [
        f"{page.name}:{block.line}: {option}: {block.options[option]}"
        for page in pages
        for block in page.blocks
        for option in ("skip", "skip-cuda")
        if option in block.options
    ]


def explain_skips(pages: Iterable[Page], cap: int) -> list[str]:
    """Say what is wrong with the skips: too many, without a reason, or a slack cap."""
    skips = list_skips(pages)
    problems = [
        f"{skip}(a skip needs a reason)" for skip in skips if skip.endswith(": ")
    ]
    if len(skips) > cap:
        listed = "\n  ".join(skips)
        problems.append(f"{len(skips)} skips exceed the cap of {cap}:\n  {listed}")
    if len(skips) < cap:
        problems.append(f"{len(skips)} skips: lower skip-cap = {cap} in pyproject.toml")
    return problems

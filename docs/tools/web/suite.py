"""How many tests there are, and of which kinds: counted in their sources at build.

Nothing is imported and nothing kept, so the numbers cannot be out of date. A test
function counts once, however many parameters or random examples it is run with.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from docs.tools.snippets import ROOT

KINDS = ("oracle", "property", "refusal", "docstring", "browser", "machinery")


def count_tests(root: Path = ROOT) -> Counter[str]:
    """Return the number of test functions of each kind below a checkout."""
    rooms = {path.stem for path in (root / "dlref").iterdir()}
    counts: Counter[str] = Counter(docstring=_examples(root / "dlref"))
    for path in sorted((root / "tests").glob("test_*.py")):
        words = path.stem.split("_")[1:]
        about_dlref = words[0] in rooms or words == ["parity"]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        marks = _marks(tree)
        for decorators in _tests(tree.body):
            counts[_kind(marks | decorators, about_dlref)] += 1
    return counts


def _kind(marks: set[str], about_dlref: bool) -> str:
    """Name the kind of a test by what decorates it and what its file is about."""
    for mark, kind in (("browser", "browser"), ("refusal", "refusal")):
        if mark in marks:
            return kind
    if not about_dlref:
        return "machinery"
    return "property" if "given" in marks else "oracle"


def _tests(body: list[ast.stmt]) -> Iterator[set[str]]:
    """Yield the last names of each test's decorators: `pytest.mark.x` gives `x`."""
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield _names(node.decorator_list)
        elif isinstance(node, ast.ClassDef):
            for inner in _tests(node.body):
                yield inner | _names(node.decorator_list)


def _names(decorators: list[ast.expr]) -> set[str]:
    return {name for node in decorators for name in _last_name(node)}


def _marks(tree: ast.Module) -> set[str]:
    """Return the marks that a file puts on all its tests."""
    return {
        name
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(getattr(to, "id", "") == "pytestmark" for to in node.targets)
        for name in _last_name(node.value)
    }


def _last_name(node: ast.expr) -> Iterator[str]:
    node = node.func if isinstance(node, ast.Call) else node
    if isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Name):
        yield node.id


def _examples(package: Path) -> int:
    """Count the docstrings that hold examples; each is run as a test."""
    documented = (ast.FunctionDef, ast.ClassDef, ast.Module)
    return sum(
        ">>>" in (ast.get_docstring(node) or "")
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, documented)
    )

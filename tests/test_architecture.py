"""The direction of imports, what a module exports, and what its docstrings hold."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.tools.snippets import LANGUAGES, ROOT, load, pages

PACKAGE = ROOT / "dlref"
LAYERS = {
    0: {"shapes"},
    1: {
        *("convolution", "pooling", "activations", "losses", "normalization"),
        *("regularization", "probability", "information", "metrics", "transforms"),
        *("linear", "init", "backprop", "_signature"),
    },
    2: {
        *("optim", "schedules", "recurrent", "attention"),
        *("transfer", "summary", "_network"),
    },
    3: {"models"},
    4: {"__main__"},
}
LAYER_OF = {room: layer for layer, rooms in LAYERS.items() for room in rooms}
LIBRARIES = {"torch", "numpy", "PIL", "jaxtyping"}
# L0 is pure Python; this file is imported when a function meets a torch module
LATE = {"dlref.shapes._trace"}
LONGEST = 320  # lines

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the absolute names of all modules that a tree imports, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "write imports from the package's root"
            yield node.module or ""


def explain_import(importer: str, imported: str) -> str | None:
    """Say what is wrong with an import, if something is."""
    root, *rest = imported.split(".")
    room = importer.split(".")[1] if "." in importer else ""
    if root in sys.stdlib_module_names:
        return None
    if root in LIBRARIES:
        pure = not room or (LAYER_OF[room] == 0 and importer not in LATE)
        return f"{importer} is pure Python, {imported} is not" if pure else None
    if root != "dlref":
        return f"{importer} may not import {imported}"
    if not rest or not room:
        return f"{importer} imports the package as a whole" if not rest else None
    if rest[0] not in LAYER_OF or LAYER_OF[rest[0]] > LAYER_OF[room]:
        return f"{importer} (L{LAYER_OF[room]}) imports {imported}, a higher layer"
    if room == rest[0] == "models" and importer != "dlref.models":
        return f"{importer} imports its neighbour {imported}"
    return None


@pytest.mark.parametrize("name", TREES)
def test_imports_point_downwards(name: str) -> None:
    if "." in name:
        assert name.split(".")[1] in LAYER_OF, "give the new room a layer in LAYERS"
    problems = [explain_import(name, imported) for imported in imports(TREES[name])]
    assert not [problem for problem in problems if problem]


def test_late_imports_stand_in_functions() -> None:
    for name, tree in TREES.items():
        at_import = {i for node in tree.body for i in imports(node)
                     if isinstance(node, ast.Import | ast.ImportFrom)}  # fmt: skip
        assert not at_import & LATE, name


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [("dlref", "torch", False), ("dlref.shapes", "math", True),
     ("dlref.shapes.fields", "torch.nn", False), ("dlref.shapes._trace", "torch", True),
     ("dlref.shapes.fields", "dlref.information", False),
     ("dlref.information", "dlref.shapes", True), ("dlref.information", "torch", True),
     ("dlref.information", "scipy.stats", False), ("dlref.information", "dlref", False),
     ("dlref.optim.adam", "dlref.optim.sgd", True),
     ("dlref.information", "dlref.optim.adam", False),
     ("dlref.information", "tests.benchmarks", False),
     ("dlref.models.vgg", "dlref.models.lenet", False),
     ("dlref.models", "dlref.models.vgg", True),
     ("dlref.models.vgg", "torchvision", False)],
)  # fmt: skip
def test_the_rule_sees_what_it_should(importer, imported, allowed) -> None:
    assert (explain_import(importer, imported) is None) == allowed


def test_docs_and_tests_depend_on_the_package_and_not_the_reverse() -> None:
    for path in (ROOT / "docs/tools").rglob("*.py"):
        roots = {
            name.split(".")[0] for name in imports(ast.parse(path.read_text("utf-8")))
        }
        assert "tests" not in roots, path
    engine = ast.parse((ROOT / "docs/tools/snippets.py").read_text("utf-8"))
    assert not {name.split(".")[0] for name in imports(engine)} & {"mkdocs", "pytest"}
    for page in (page for language in LANGUAGES for page in pages(language)):
        for block in load(page).blocks:
            roots = {
                name.split(".")[0] for name in imports(ast.parse(block.fence.code))
            }
            assert not roots & {"tests", "docs"}, f"{page}:{block.line}"


def exported(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    raise AssertionError("no __all__")


def defined(tree: ast.Module, *, is_package: bool) -> set[str]:
    """Return the public names that a module defines, or that a package re-exports."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, Function | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {
                n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)
            }
        elif is_package and isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize("name", TREES)
def test_all_is_what_is_public(name: str) -> None:
    names = exported(TREES[name])
    assert len(names) == len(set(names))
    public = {n for n in names if not (n.startswith("__") and n.endswith("__"))}
    assert public == defined(TREES[name], is_package=FILES[name].stem == "__init__")


@pytest.mark.parametrize("name", FILES)
def test_files_are_short(name: str) -> None:
    assert len(FILES[name].read_text("utf-8").splitlines()) <= LONGEST


Item = tuple[str, Function | ast.ClassDef, list[str]]


def surface(room: str) -> Iterator[Item]:
    """Yield what a room exports, with its place and the docstrings around it."""
    offered = exported(TREES[room])
    for name in (name for name in TREES if f"{name}.".startswith(f"{room}.")):
        tree = TREES[name]
        around = [ast.get_docstring(tree) or "", ast.get_docstring(TREES[room]) or ""]
        for node in tree.body:
            if (
                not isinstance(node, Function | ast.ClassDef)
                or node.name not in offered
            ):
                continue
            if any("overload" in ast.unparse(d) for d in node.decorator_list):
                continue
            yield f"{name}:{node.lineno} {node.name}", node, around
            around_method = [*around, ast.get_docstring(node) or ""]
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                # what nn.Module prescribes is documented by the class
                own = isinstance(inner, Function) and inner.name != "forward"
                if own and not inner.name.startswith("_"):
                    where = f"{name}:{inner.lineno} {node.name}.{inner.name}"
                    yield where, inner, around_method


def arguments(node: Function | ast.ClassDef) -> list[str]:
    """Return the parameters of a function, or of a class's `__init__`."""
    if isinstance(node, ast.ClassDef):
        inits = (
            n for n in node.body if isinstance(n, Function) and n.name == "__init__"
        )
        return [name for init in inits for name in arguments(init)]
    a = node.args
    every = [*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg]
    return [x.arg for x in every if x and x.arg not in ("self", "cls")]


def explain_docstring(node: Function | ast.ClassDef, around: list[str]) -> list[str]:
    """Say which parts a docstring lacks."""
    text = ast.get_docstring(node) or ""
    if not text:
        return ["a docstring"]
    parts = dict(re.findall(r"^(\w+):\n((?:    .*\n|\n)+)", text + "\n", re.MULTILINE))
    documented = re.findall(
        r"^    \*{0,2}(\w+)(?: \(.*?\))?:", parts.get("Args", ""), re.MULTILINE
    )
    lacks = [f"Args: {name}" for name in arguments(node) if name not in documented]
    if isinstance(node, Function) or arguments(node):  # and no inherited __init__
        extra = [name for name in documented if name not in arguments(node)]
        lacks += [f"no argument {name}" for name in extra]
    if isinstance(node, Function):
        returns = ast.unparse(node.returns) if node.returns else "None"
        if returns != "None" and not {"Returns", "Yields"} & parts.keys():
            lacks.append("Returns")
        raised = [n for n in ast.walk(node) if isinstance(n, ast.Raise) and n.exc]
        if raised and "Raises" not in parts:
            lacks.append("Raises")
    if "$$" in text and not any("References:\n" in doc for doc in (text, *around)):
        lacks.append("References")
    return lacks


@pytest.mark.parametrize("room", [name for name in TREES if name.count(".") == 1])
def test_docstrings_are_complete(room: str) -> None:
    assert list(surface(room))
    lacking = {
        where: lacks
        for where, node, around in surface(room)
        if (lacks := explain_docstring(node, around))
    }
    assert not lacking


def test_the_docstring_rule_sees_what_it_should() -> None:
    source = r'''
def f(a, *b, c=1, **d) -> int:
    """Do $$x$$.

    Args:
        a: One.
        b: Two.
        z: None.
    """
    raise ValueError
'''
    (node,) = ast.parse(source).body
    assert isinstance(node, Function)
    lacks = explain_docstring(node, [])
    assert lacks == [
        "Args: c",
        "Args: d",
        "no argument z",
        "Returns",
        "Raises",
        "References",
    ]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("name", ["dlref", "dlref.shapes"])
def test_importing_loads_no_library(name: str) -> None:
    code = (
        f"import sys; a = {{*sys.modules}}; import {name}; print(*{{*sys.modules}} - a)"
    )
    loaded = {module.split(".")[0] for module in python("-c", code).stdout.split()}
    assert "dlref" in loaded
    assert not loaded - sys.stdlib_module_names - {"dlref"}


def test_importing_takes_milliseconds() -> None:
    """10 ms are the bound; it takes less than one. (Of the processor, not the wall.)"""
    code = "from time import process_time as t; a = t(); import dlref; print(t() - a)"
    seconds = [float(python("-c", code).stdout) for _ in range(5)]
    assert statistics.median(seconds) <= 0.010

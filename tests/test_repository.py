"""What README, CONTRIBUTING, CITATION and the Scope page say is what is there."""

import ast
import doctest
import importlib
import inspect
import re
import tomllib

import pytest
import yaml

import dlref
from docs.tools.snippets import DOCS, LANGUAGES, ROOT, load, pages

READMES = ("README.md", "README.zh.md")
PACKAGE = ROOT / "dlref"
MODULES = sorted(
    {path.stem for path in PACKAGE.glob("[a-z]*.py")}
    | {path.parent.name for path in PACKAGE.glob("[a-z]*/__init__.py")}
)
GUIDES = (*READMES, "CONTRIBUTING.md")

FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`(?!\])")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)[^)]*\)")
MAKE = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
MODULE = re.compile(r"python -m (docs\.tools\.\w+)")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def fences(name: str) -> list[tuple[str, str]]:
    """Return language and code of every fence, comments taken out."""
    found = FENCE.findall(read(name))
    return [(lang, re.sub(r" *# .*", "", code)) for _, lang, code in found]


def first_column(name: str) -> list[str]:
    """Return the keys of all tables, in one notation."""
    keys = re.findall(r"^\| (`.*?) \|", read(name), re.MULTILINE)
    return [key.replace("、", ", ") for key in keys]


@pytest.mark.parametrize("name", READMES)
def test_readme_example_runs(name: str) -> None:
    examples = [code for lang, code in fences(name) if lang == "pycon"]
    assert len(examples) == 1
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
    result = runner.run(parser.get_doctest(examples[0], {}, name, name, 0))
    assert (result.failed, result.attempted) == (0, 5)


def test_readmes_show_the_same_commands() -> None:
    assert fences(READMES[0]) == fences(READMES[1])
    assert first_column(READMES[0]) == first_column(READMES[1])


@pytest.mark.parametrize("name", GUIDES)
def test_what_a_guide_names_exists(name: str) -> None:
    text = read(name)
    links = set(LINK.findall(CODE.sub("", FENCE.sub("", text))))
    missing = sorted(link for link in links if not (ROOT / link).exists())
    assert links
    assert not missing
    for module in MODULE.findall(text):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module
    rules = re.findall(r"^([a-z-]+):(?!=)", read("Makefile"), re.MULTILINE)
    unknown = sorted(set(MAKE.findall(text)) - set(rules))
    assert not unknown


@pytest.mark.parametrize("name", READMES)
def test_readme_names_every_target(name: str) -> None:
    documented = re.findall(r"^([a-z-]+):(?!=).*##", read("Makefile"), re.MULTILINE)
    assert documented
    assert set(MAKE.findall(read(name))) >= set(documented)


def test_citation_names_this_version() -> None:
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["version"] == dlref.__version__
    assert dlref.__version__ in read("CHANGELOG.md")


@pytest.mark.parametrize("language", LANGUAGES)
def test_scope_names_the_versions_in_use(language: str) -> None:
    text = (DOCS / language / "about/scope.md").read_text(encoding="utf-8")
    assert f"version = {{{dlref.__version__}}}" in text
    rows = dict(re.findall(r"^\| (\w+)[^|]* \| ([\d.]+) \|", text, re.MULTILINE))
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", read("constraints.txt"), re.MULTILINE))
    assert rows.keys() == {"Python", "torch", "torchvision", "NumPy", "Pillow"}
    for package in rows.keys() - {"Python"}:
        assert rows[package] == pins[package.lower()], package


@pytest.mark.parametrize("language", LANGUAGES)
def test_scope_names_the_oldest_versions_supported(language: str) -> None:
    text = (DOCS / language / "about/scope.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\w+)[^|]* \| [\d.]+ \| ([\d.]+)", text, re.MULTILINE))
    project = tomllib.loads(read("pyproject.toml"))["project"]
    needs = project["dependencies"] + project["optional-dependencies"]["test"]
    floors = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(needs), re.MULTILINE))
    assert rows.pop("Python") == project["requires-python"].removeprefix(">=")
    for package, oldest in rows.items():
        assert oldest == floors[package.lower()], package


@pytest.mark.parametrize("language", LANGUAGES)
def test_scope_links_every_topic(language: str) -> None:
    folder = DOCS / language
    text = (folder / "about/scope.md").read_text(encoding="utf-8")
    linked = {(folder / "about" / link).resolve() for link in LINK.findall(text)}
    topics = {
        path.resolve()
        for path in folder.rglob("*.md")
        if path.parent.name
        not in {language, "about", "api"}  # api/index.md has its list
    }
    topics.add((folder / "api/index.md").resolve())
    assert topics <= linked


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_api_page_shows_every_public_name_once(language: str, name: str) -> None:
    module = f"dlref.{name}"
    folder = DOCS / language / "api"  # of a large module: models-residual.md, …
    parts = [*folder.glob(f"{name}.md"), *sorted(folder.glob(f"{name}-*.md"))]
    text = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    public = sorted(importlib.import_module(module).__all__)
    shown = re.findall(rf"^::: {re.escape(module)}\.(\w+)$", text, re.MULTILINE)
    rows = re.findall(
        rf"^\| \[`(\w+)`\]\[{re.escape(module)}\.\1\] \|", text, re.MULTILINE
    )
    assert sorted(shown) == public
    assert rows == shown  # the table is in the order of the page


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_used_on_a_page(name: str) -> None:
    used: set[str] = set()
    for path in pages("en"):
        for block in load(path).blocks:
            for node in ast.walk(ast.parse(block.fence.code)):
                if isinstance(node, ast.Name):
                    used.add(node.id)
                elif isinstance(node, ast.Attribute):
                    used.add(node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    used.add(node.value)  # getattr(transforms, "RandomCrop")
            if block.output and "getattr(" in block.fence.code:  # a table of networks
                used |= set(re.findall(r"^(\w+) ", block.output.code, re.MULTILINE))
    module = importlib.import_module(f"dlref.{name}")
    public = set(module.__all__)
    if name == "models":  # a network's class is used by its constructor
        public = {n for n in public if not inspect.isclass(getattr(module, n))}
    assert public <= used, sorted(public - used)


def test_licences_are_both_there() -> None:
    assert "MIT License" in read("LICENSE")
    assert "LICENSE-docs" in read("LICENSE")
    assert "creativecommons.org/licenses/by/4.0/legalcode" in read("LICENSE-docs")
    names = {path.name for path in ROOT.glob("LICENSE*")}
    assert names == {"LICENSE", "LICENSE-docs"}

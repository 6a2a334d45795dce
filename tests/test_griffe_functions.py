"""On the API pages a name means what it means in Python."""

import importlib

import griffe
import pytest

from docs.tools.griffe_functions import PreferFunctions
from docs.tools.snippets import ROOT


@pytest.fixture(scope="module")
def models() -> griffe.Module:
    """`dlref.models` as the API pages see it."""
    extensions = griffe.load_extensions(PreferFunctions)
    package = griffe.load("dlref", search_paths=[str(ROOT)], extensions=extensions)
    return package["models"]


def test_every_exported_name_is_what_python_imports(models: griffe.Module) -> None:
    module = importlib.import_module("dlref.models")
    for name in module.__all__:
        member, real = models[name], getattr(module, name)
        assert member.kind.value == ("class" if isinstance(real, type) else "function")
        assert member.path == f"dlref.models.{name}"
        assert member.canonical_path == f"{real.__module__}.{name}"


def test_without_it_a_file_stands_before_its_function() -> None:
    """If griffe should learn this, the extension can go."""
    models = griffe.load("dlref", search_paths=[str(ROOT)])["models"]
    assert models["nin"].kind.value == "module"

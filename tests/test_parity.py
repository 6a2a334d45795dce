"""How far each public function is from its oracle; see docs/tools/measured.py."""

import enum
import importlib
import inspect
import json
import math
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import dlref
from docs.tools.measured import Measurement, Parity, parity_path, read_parity, round_up
from tests.parity_cases import CASES

for _file in sorted(Path(__file__).parent.glob("parity_*.py")):
    importlib.import_module(f"tests.{_file.stem}")  # registers its cases

# prepare a network for training, and compute nothing of their own
UNMEASURED = {"transfer"}
MODULES = [
    importlib.import_module(f"dlref.{name}")
    for _, name, _ in pkgutil.iter_modules(dlref.__path__)
    if not name.startswith("_") and name not in UNMEASURED
]


@pytest.fixture(scope="module")
def parity() -> Iterator[Parity]:
    """What this run measures, with one thread: sums are then taken in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Parity(str(torch.__version__))
    torch.set_num_threads(threads)


def values(given: Any) -> torch.Tensor:
    """The numbers of an image, a tensor or a number."""
    if isinstance(given, Image.Image):
        given = np.asarray(given.convert("RGB") if given.mode == "P" else given)
    if isinstance(given, torch.Tensor):
        return given.detach().cpu().double()
    return torch.as_tensor(np.asarray(given, dtype=np.float64))


def distance(ours: Any, theirs: Any) -> float:
    """The largest difference of two results; infinite if they are of another kind."""
    if isinstance(theirs, Image.Image) and ours.mode != theirs.mode:
        return math.inf
    if isinstance(theirs, torch.Tensor) and ours.dtype != theirs.dtype:
        return math.inf
    x, y = values(ours), values(theirs)
    if x.shape != y.shape:
        return math.inf
    return (x - y).abs().max().item()


@pytest.mark.parametrize(("function", "oracle"), CASES, ids=lambda name: name)
def test_function_agrees_with_its_oracle(
    parity: Parity, function: str, oracle: str
) -> None:
    tolerance, generate = CASES[function, oracle]
    worst, count = 0.0, 0
    for ours, theirs in generate():
        worst = max(worst, distance(ours, theirs))
        count += values(theirs).numel()
    assert count > 0
    parity.record(function, oracle, tolerance, worst, count)


def test_the_file_holds_what_was_measured(
    parity: Parity, request: pytest.FixtureRequest
) -> None:
    """Measured above; with --write-parity the file is written instead."""
    if parity.measured.keys() != CASES.keys():
        pytest.skip("only a part was measured, or something failed")
    if request.config.getoption("--write-parity"):
        parity.write()
    problems = parity.explain_difference()
    hint = "python -m pytest tests/test_parity.py --write-parity"
    assert not problems, "\n".join([*problems, f"if that is right: {hint}"])


def public(module: ModuleType) -> list[str]:
    """Functions and transforms of a module: what computes something."""
    found = []
    for name in module.__all__:
        member = getattr(module, name)
        is_type = inspect.isclass(member) and (
            issubclass(member, (enum.Enum, tuple)) or module.__name__ == "dlref.models"
        )  # of a network its constructor is measured
        if not is_type:
            found.append(f"{module.__name__}.{name}")
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_nothing_public_is_left_out(module: ModuleType) -> None:
    measured = {function for function, _ in CASES}
    assert [name for name in public(module) if name not in measured] == []


# --- the record -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "rounded"),
    [(0.0, 0.0), (1e-7, 1e-7), (1.01e-7, 1e-6), (9.9e-8, 1e-7), (3.0, 10.0)],
)
def test_errors_are_rounded_up(error: float, rounded: float) -> None:
    assert round_up(error) == rounded


def test_an_error_beyond_its_tolerance_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"f is .* away from g"):
        Parity("2.13.0", tmp_path).record("f", "g", 0.1, 0.2, 1)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    run = Parity("2.13.0+cpu", tmp_path)
    run.record("f", "g", 1e-6, 3e-8, 5)
    assert run.explain_difference() == ["f against g: not in the file"]
    run.write()
    assert run.explain_difference() == []
    expected = [Measurement("f", "g", 1e-6, 1e-7, 5)]
    assert read_parity(tmp_path) == ("2.13.0", expected)


@pytest.mark.parametrize(
    ("torch_version", "changed", "problem"),
    [
        ("2.13.0", {"error": 3e-8}, None),
        ("2.13.0", {"error": 1e-9}, None),
        ("2.13.0", {"error": 3e-7}, "off by 1e-06, not 1e-07"),
        ("2.11.0", {"error": 3e-7}, None),
        ("2.13.0", {"tolerance": 1e-3}, "was recorded"),
        ("2.13.0", {"values": 4}, "was recorded"),
        ("2.13.0", {"oracle": "h"}, "no longer measured"),
    ],
)
def test_a_difference_is_explained(
    tmp_path: Path, torch_version: str, changed: dict[str, Any], problem: str | None
) -> None:
    entry = {"oracle": "g", "tolerance": 1e-6, "error": 3e-8, "values": 5}
    before, now = Parity("2.13.0", tmp_path), Parity(torch_version, tmp_path)
    before.record("f", **entry)
    before.write()
    now.record("f", **{**entry, **changed})
    found = now.explain_difference()
    assert bool(found) is (problem is not None)
    assert problem is None or problem in found[0]


def test_the_file_is_sorted_and_ends_with_a_newline() -> None:
    text = parity_path().read_text(encoding="utf-8")
    names = [entry["function"] for entry in json.loads(text)["measurements"]]
    assert names == sorted(names)
    assert text.endswith("}\n")

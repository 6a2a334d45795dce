"""Time ours and theirs in one process, in turns, so that the machine's moods cancel.

A round is four blocks of calls: ours, theirs, theirs, ours; the next round begins
with theirs. A drift that is linear over a round (a clock that warms up, a neighbour
that wakes) weighs on both alike. The figure is the median over the rounds of our time
divided by theirs.
"""

import gc
import importlib
import pkgutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter

import torch

import tests.benchmarks
from docs.tools.snippets import ROOT

THREADS = (1, 2)
IMPORT_TARGET = 10.0  # milliseconds

Call = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """Two calls that do the same.

    Attributes:
        group: Under which heading it stands: the function's name.
        name: What tells it from the group's other cases; shown in both languages.
        ours: Our call.
        theirs: The call to compare with.
        target: The largest ratio of our time to theirs that passes; None for any.
    """

    group: str
    name: str
    ours: Call
    theirs: Call
    target: float | None


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        block: Seconds that a block of calls takes at least.
        rounds: Rounds of four blocks.
        starts: Interpreters started to time `import dlref`.
        clock: Returns the seconds now.
    """

    block: float
    rounds: int
    starts: int
    clock: Callable[[], float] = perf_counter


FULL = Effort(block=0.005, rounds=15, starts=11)
QUICK = Effort(block=0.0005, rounds=3, starts=3)


@dataclass(frozen=True)
class Result:
    """What was measured.

    Attributes:
        case: The case.
        ratios: Number of threads -> our time divided by theirs.
        seconds: Number of threads -> our time for one call.
    """

    case: Case
    ratios: Mapping[int, float]
    seconds: Mapping[int, float]

    @property
    def met(self) -> bool | None:
        """Whether every ratio is within the target; None without a target."""
        target = self.case.target
        return None if target is None else max(self.ratios.values()) <= target


def discover() -> list[Case]:
    """Return the cases of every `bench_*.py` beside this file."""
    found: list[Case] = []
    for module in pkgutil.iter_modules(tests.benchmarks.__path__):
        if module.name.startswith("bench_"):
            bench = importlib.import_module(f"tests.benchmarks.{module.name}")
            found += bench.cases()
    return unique(found)


def unique(cases: Iterable[Case]) -> list[Case]:
    """Return the cases, group by group, having checked that no name stands twice."""
    groups: dict[str, dict[str, Case]] = {}
    for case in cases:
        if groups.setdefault(case.group, {}).setdefault(case.name, case) is not case:
            raise ValueError(f"two cases are called {case.group} / {case.name}")
    return [case for group in groups.values() for case in group.values()]


def measure(case: Case, effort: Effort, threads: Iterable[int] = THREADS) -> Result:
    """Time a case with each number of threads."""
    ratios: dict[int, float] = {}
    seconds: dict[int, float] = {}
    for number in threads:
        with _threads(number):
            ratios[number], seconds[number] = _compare(case, effort)
    return Result(case, ratios, seconds)


def measure_import(effort: Effort) -> float:
    """Return the milliseconds that `import dlref` takes in a fresh interpreter."""
    code = "from time import perf_counter as t; a = t(); import dlref; print(t() - a)"
    command = [sys.executable, "-c", code]
    runs = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        for _ in range(effort.starts)
    )
    return 1e3 * statistics.median(float(run.stdout) for run in runs)


def _compare(case: Case, effort: Effort) -> tuple[float, float]:
    """Return the median ratio, and the median time of one of our calls."""
    calls = case.ours, case.theirs
    numbers = [_calls_per_block(call, effort) for call in calls]
    ratios: list[float] = []
    times: list[float] = []
    with _no_garbage_collection():
        for turn in range(effort.rounds):
            order = (0, 1, 1, 0) if turn % 2 == 0 else (1, 0, 0, 1)
            spent = [0.0, 0.0]
            for side in order:
                spent[side] += _block(calls[side], numbers[side], effort.clock) / 2
            ratios.append(spent[0] / spent[1])
            times.append(spent[0])
    return statistics.median(ratios), statistics.median(times)


def _calls_per_block(call: Call, effort: Effort) -> int:
    """Return how many calls fill a block; the calls made here warm the caches."""
    number = 1
    while (seconds := number * _block(call, number, effort.clock)) < effort.block:
        needed = number * effort.block / max(seconds, 1e-9)
        number = max(2 * number, int(1.1 * needed) + 1)
    return number


def _block(call: Call, number: int, clock: Callable[[], float]) -> float:
    """Return the mean seconds of a call."""
    start = clock()
    for _ in repeat(None, number):
        call()
    return (clock() - start) / number


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

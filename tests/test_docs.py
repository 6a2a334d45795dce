"""The pages as a whole: nothing escapes, nothing drifts, nothing is out of date.

What each block prints and draws is tested by the blocks themselves (`pytest docs`).
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.tools.data import claims, glossary
from docs.tools.lab_file import all_sources, load_source
from docs.tools.lock import explain_unlocked
from docs.tools.parity import explain_drift
from docs.tools.record import explain_stale, read_record
from docs.tools.skips import explain_skips, skip_cap
from docs.tools.snippets import DOCS, LANGUAGES, ROOT, Page, load, pages
from docs.tools.typography import explain_typography

LONGEST_BLOCK = 25  # lines


@pytest.fixture(scope="module")
def sources() -> list[Page]:
    return [load(path) for language in LANGUAGES for path in pages(language)]


def test_languages_agree():
    assert not (drift := explain_drift()), "\n".join(drift)


def test_no_section_changed_without_its_counterpart():
    assert not (unlocked := explain_unlocked()), "\n".join(unlocked)


def test_chinese_is_set_as_chinese():
    avoid = {wrong: term.zh for term in glossary() for wrong in term.avoid}
    chinese = [load(path) for path in pages("zh")]
    slips = [slip for page in chinese for slip in explain_typography(page, avoid)]
    assert not slips, "\n".join(slips)


def test_cpu_record_is_complete_and_fresh():
    every = [load_source(path) for code in LANGUAGES for path in all_sources(code)]
    stale = explain_stale(every, read_record("cpu"))
    assert not stale, "\n".join(stale)


def test_skips_stay_under_their_cap(sources: list[Page]):
    problems = explain_skips(sources, skip_cap())
    assert not problems, "\n".join(problems)


def count_fences_naively(text: str) -> int:
    """Count Python fences line by line, knowing nothing of the engine."""
    count, closing = 0, None
    for line in text.splitlines():
        stripped = line.strip(" >\t")
        if closing is None and (mark := re.match(r"`{3,}|~{3,}", stripped)):
            closing = mark[0]
            count += bool(re.match(r"[`~]+\s*\{?\s*\.?py(thon)?3?\b", stripped, re.I))
        elif closing and re.fullmatch(rf"{closing[0]}{{{len(closing)},}}", stripped):
            closing = None
    return count


def test_every_fence_is_collected_as_a_test(sources: list[Page]):
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "docs"]
    listing = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    fences = {page.name: count_fences_naively(page.text) for page in sources}
    collected = {name: listing.stdout.count(f"{name}::[CodeFence#") for name in fences}
    assert collected == fences
    assert sum(fences.values()) > 0


def test_blocks_are_short(sources: list[Page]):
    long = [
        f"{page.name}:{block.line}: {block.fence.end - block.fence.line - 1} lines"
        for page in sources
        for block in page.blocks
        if block.fence.end - block.fence.line - 1 > LONGEST_BLOCK
    ]
    assert not long, "\n".join(long)


def test_figures_stand_where_their_page_is_and_none_is_left_over(sources: list[Page]):
    shown = {f.path: page for page in sources for b in page.blocks for f in b.figures}
    for path, page in shown.items():
        assert path.startswith(f"assets/figures/{page.key}/"), f"{page.name}: {path}"
    files = (DOCS / "assets" / "figures").rglob("*.*")
    assert {path.relative_to(DOCS).as_posix() for path in files} == set(shown)


def test_every_claim_of_a_page_is_carried_by_a_block(sources: list[Page]):
    lacking = [
        f'{page.name}: no block has claims="{claim.id}": {claim.belief.en}'
        for page in sources
        for claim in claims()
        if claim.page == page.key
        and claim.proof is None
        and all(claim.id not in block.claims for block in page.blocks)
    ]
    assert not lacking, "\n".join(lacking)


def test_blocks_carry_claims_that_exist_and_belong_there(sources: list[Page]):
    page_of = {claim.id: claim.page for claim in claims()}
    strange = [
        f"{page.name}:{block.line}: {claim} is a claim of {page_of.get(claim)}"
        for page in sources
        for block in page.blocks
        for claim in block.claims
        if page_of.get(claim) != page.key
    ]
    assert not strange, "\n".join(strange)


def test_pages_say_what_they_are_about(sources: list[Page]):
    for page in sources:
        assert page.meta.get("description"), f"{page.name}: no description"


def test_nothing_from_the_engine_reaches_the_site():
    names = {path.name for path in Path(DOCS / "zh").rglob("*") if path.is_file()}
    assert not {name for name in names if name.endswith(".py")}

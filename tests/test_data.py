"""The data files: complete, sourced, cleanly written, and refused where amiss."""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.tools.data import (
    DATA,
    Claim,
    DataError,
    bibliography,
    claims,
    glossary,
    site_map,
)
from docs.tools.new_page import SECTIONS
from docs.tools.snippets import DOCS, ROOT
from docs.tools.web.formulas import FormulaError, Formulas

HAN = r"[\u4e00-\u9fff]"
SPAN = re.compile(r"`[^`]+`|\$[^$]+\$")  # code or formula
FORMULA = re.compile(r"\$([^$]+)\$")
CITED = re.compile(
    r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})|doi\.org/(10\.\d{4,9}/[^\s)\]\"']+)",
    re.IGNORECASE,
)


def chinese() -> Iterator[tuple[str, str]]:
    """Every Chinese sentence of the data, with where it stands."""
    for claim in claims():
        yield f"{claim.id} belief", claim.belief.zh
        yield f"{claim.id} truth", claim.truth.zh
    for term in glossary():
        yield f"{term.id} note", term.note.zh


def english() -> Iterator[tuple[str, str]]:
    """Every English sentence of the data, with where it stands."""
    for claim in claims():
        yield f"{claim.id} belief", claim.belief.en
        yield f"{claim.id} truth", claim.truth.en
    for term in glossary():
        yield f"{term.id} note", term.note.en


def offenders(
    texts: Iterator[tuple[str, str]], pattern: str, stand_in: str = "x"
) -> list[str]:
    """Where a pattern occurs outside code and formulas, which count as one letter."""
    found = []
    for place, text in texts:
        if hit := re.search(pattern, SPAN.sub(stand_in, text)):
            found.append(f"{place}: {hit[0]!r} in {text}")
    return found


# --- claims ---------------------------------------------------------------------------


def test_every_claim_of_the_notes_is_there_in_order() -> None:
    assert [claim.id for claim in claims()] == [f"C{n:03d}" for n in range(1, 234)]


def test_verdicts_are_those_of_the_ledger() -> None:
    counts = Counter(claim.verdict for claim in claims())
    assert counts == {"correct": 88, "imprecise": 99, "wrong": 37, "outdated": 9}


def test_no_claim_says_the_same_twice() -> None:
    texts = [text for _, text in [*chinese(), *english()]]
    assert [text for text, n in Counter(texts).items() if n > 1] == []


def test_the_two_languages_carry_the_same_formulas() -> None:
    def formulas(text: str) -> Counter[str]:
        return Counter(FORMULA.findall(text))

    differ = [
        claim.id
        for claim in claims()
        if formulas(claim.truth.zh) != formulas(claim.truth.en)
    ]
    assert differ == []


def test_a_claim_that_needs_one_has_a_source() -> None:
    without = [claim.id for claim in claims() if not claim.sources]
    assert without == ["C099", "C107", "C109", "C112", "C169", "C228"]


# --- the map --------------------------------------------------------------------------


def test_the_map_has_sixty_pages_in_ten_sections() -> None:
    sections = site_map()
    slugs = [page.slug for section in sections for page in section.pages]
    assert len(sections) == 10
    assert len(slugs) == len(set(slugs)) == 60
    for section in sections:
        assert all(page.slug.startswith(f"{section.key}/") for page in section.pages)


def test_every_written_page_is_on_the_map() -> None:
    sources = {page.source for section in site_map() for page in section.pages}
    sources |= {f"{section}/index.md" for section in ("labs", *SECTIONS)}
    beside = {"api", "about"}  # pages that the notes did not ask for
    for language in ("zh", "en"):
        folder = DOCS / language
        written = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")}
        stray = {page for page in written - sources if page.split("/")[0] not in beside}
        assert stray == set()


# --- how it is written ----------------------------------------------------------------


def test_chinese_punctuation_is_full_width() -> None:
    assert offenders(chinese(), rf"{HAN} ?[,;:!?]|[,;:!?.] ?{HAN}") == []
    assert offenders(chinese(), rf"{HAN}[.()\"']|[.()\"']{HAN}") == []


def test_a_space_stands_between_chinese_and_latin() -> None:
    assert offenders(chinese(), rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%°]{HAN}") == []
    assert (
        offenders(chinese(), r" [，。；：、！？（）“”]|[，。；：、！？（）“”] ") == []
    )


def test_english_has_no_full_width_punctuation() -> None:
    assert offenders(english(), r"[，。；：、！？（）“”]") == []
    gloss = rf"\({HAN}+\)"  # a Chinese word in brackets, behind its translation
    bare = ((place, re.sub(gloss, "", text)) for place, text in english())
    assert offenders(bare, HAN) == []


def test_every_text_is_whole_sentences() -> None:
    assert [place for place, text in chinese() if text[-1] != "。"] == []
    assert [place for place, text in english() if text[-1] != "."] == []


def test_markup_is_code_formulas_and_stress() -> None:
    texts = [*chinese(), *english()]
    assert offenders(iter(texts), r"[_<>{}\\$`]") == []
    assert [place for place, text in texts if SPAN.sub("", text).count("**") % 2] == []
    assert offenders(iter(texts), r"(?<!\*)\*(?!\*)") == []
    for term in glossary():  # a tooltip shows them as they are
        assert not re.search(r"[`$*\[\]]", term.note.zh + term.note.en), term.id


def test_katex_reads_every_formula() -> None:
    formulas, refused = Formulas(cache=None), []
    for place, text in [*chinese(), *english()]:
        for tex in FORMULA.findall(text):
            try:
                formulas.render(tex)
            except FormulaError as error:
                refused.append(f"{place}: {error}")
    assert refused == []


def test_no_avoided_rendering_is_used() -> None:
    avoided = [word for term in glossary() for word in term.avoid]
    quoted = re.compile("“[^”]*”")
    texts = [(claim.id, quoted.sub("", claim.truth.zh)) for claim in claims()]
    texts += [(term.id, term.note.zh) for term in glossary()]
    assert [
        (place, word) for place, text in texts for word in avoided if word in text
    ] == []


# --- glossary -------------------------------------------------------------------------


def test_terms_and_renderings_are_unique() -> None:
    terms = glossary()
    for field in ("id", "zh", "en"):
        counts = Counter(getattr(term, field) for term in terms)
        assert [word for word, n in counts.items() if n > 1] == []
    avoided = Counter(word for term in terms for word in term.avoid)
    assert [word for word, n in avoided.items() if n > 1] == []


def test_no_rendering_is_both_used_and_avoided() -> None:
    terms = glossary()
    clashes = [
        (word, other.zh)
        for term in terms
        for word in term.avoid
        for other in terms
        if word in other.zh
    ]
    assert clashes == []


def test_words_kept_whole_are_chinese() -> None:
    kept = [term.zh for term in glossary() if term.search]
    assert len(kept) >= 30
    assert [word for word in kept if not re.fullmatch(rf"{HAN}{{2,}}", word)] == []


# --- bibliography ---------------------------------------------------------------------


def test_identifiers_are_well_formed_and_unique() -> None:
    works = bibliography().values()
    for field, pattern in (("arxiv", r"\d{4}\.\d{4,5}"), ("doi", r"10\.\d{4,9}/\S+")):
        values = [value for work in works if (value := getattr(work, field))]
        assert [value for value in values if not re.fullmatch(pattern, value)] == []
        assert len({value.lower() for value in values}) == len(values)


def test_every_work_can_be_found() -> None:
    lost = [key for key, work in bibliography().items() if not work.link]
    assert lost == ["bishop2006", "cheng2011"]  # books that have no page of their own


def test_keys_are_author_and_year() -> None:
    for key, work in bibliography().items():
        if match := re.fullmatch(r"[a-z]+(\d{4})[a-z]?", key):
            assert int(match[1]) == work.year, key
        else:
            assert work.type in {"documentation", "report"}, key


def test_every_citation_in_the_repository_is_in_the_bibliography() -> None:
    works = bibliography().values()
    known = {work.arxiv for work in works} | {
        (work.doi or "").lower() for work in works
    }
    missing = set()
    for path in [
        *ROOT.glob("dlref/**/*.py"),
        *DOCS.glob("zh/**/*.md"),
        *DOCS.glob("en/**/*.md"),
    ]:
        for arxiv, doi in CITED.findall(path.read_text(encoding="utf-8")):
            cited = arxiv or doi.lower().rstrip(".,;")
            if cited not in known:
                missing.add(f"{path.relative_to(ROOT)}: {cited}")
    assert sorted(missing) == []


def test_every_source_of_a_claim_is_used_by_its_key() -> None:
    used = {key for claim in claims() for key in claim.sources}
    aliases = {key for key, work in bibliography().items() if work.alias}
    cited_elsewhere = {"zeiler2012", "wu2021"}  # on pages to come
    assert aliases - used == cited_elsewhere


# --- refusals -------------------------------------------------------------------------

LOADERS = {
    "claims.yml": claims,
    "bibliography.yml": bibliography,
    "glossary.yml": glossary,
    "pages.yml": site_map,
}
FIRST = "zh: 没有激活函数，网络就只是线性的，等价于一层。"
PAGE = "  page: nn/linear\n"
YEAR = "  year: 2016\n"
D2L = "arxiv: '2106.11342'"
BROKEN = [
    ("claims.yml", "verdict: imprecise", "verdict: vague", "C001: verdict: malformed"),
    ("claims.yml", PAGE, "  page: nn/line\n", "C001: page: no nn/line in pages.yml"),
    ("claims.yml", PAGE, "", "C001: page: missing"),
    ("claims.yml", PAGE, PAGE + "  shown: x\n", "C001: shown: no such field"),
    ("claims.yml", PAGE, PAGE + "  proof: x\n", "C001: proof: malformed: 'x'"),
    ("claims.yml", PAGE, PAGE + "  proof: none\n", "C001: reason: goes with"),
    ("claims.yml", PAGE, PAGE + "  reason: naming\n", "C001: reason: goes with"),
    ("claims.yml", PAGE, PAGE * 2, "14: page: occurs twice"),
    ("claims.yml", "[goodfellow2016]", "[he]", "C001: sources: unknown: ['he']"),
    ("claims.yml", "[goodfellow2016]", "[]", "C001: sources: expected a list"),
    ("claims.yml", "[pytorch]", "[ab, ab]", "C002: sources: 'ab' occurs twice"),
    ("claims.yml", FIRST, "zh: ''", "C001: belief: zh: expected one trimmed line"),
    ("claims.yml", FIRST + "\n", "\n", "C001: belief: zh: missing"),
    ("claims.yml", "- id: C002", "- id: C001", "C001: id: occurs twice"),
    ("claims.yml", "- id: C002", "- id: c2", "c2: id: malformed: 'c2'"),
    ("claims.yml", "- id: C001", "- no\n- id: C001", "1: expected fields, got False"),
    (
        "bibliography.yml",
        YEAR,
        "  year: '2016'\n",
        "goodfellow2016: year: expected int",
    ),
    ("bibliography.yml", YEAR, "", "goodfellow2016: year: missing"),
    ("bibliography.yml", D2L, "arxiv: '2106.1'", "zhang2023: arxiv: malformed"),
    ("bibliography.yml", D2L, "arxiv: 2106.11342", "zhang2023: arxiv: expected str"),
    (
        "bibliography.yml",
        "doi: 10.1002",
        "doi: doi:10.1002",
        "cover2006: doi: malformed",
    ),
    (
        "bibliography.yml",
        "10.1007/978-0-387-84858-7",
        "10.1002/047174882x",
        "hastie2009: doi: that of cover2006",
    ),
    ("bibliography.yml", "https://d2l", "http://d2l", "zhang2023: url: malformed"),
    ("bibliography.yml", ": book", ": novel", "goodfellow2016: type: malformed"),
    ("bibliography.yml", ": true", ": yea", "goodfellow2016: checked: expected bool"),
    ("glossary.yml", "- id: axis", "- id: tensor", "tensor: id: occurs twice"),
    ("glossary.yml", "[雅克比, 雅各比]", "雅克比", "jacobian: avoid: expected a list"),
    ("glossary.yml", "search: true", "search: 1", "jacobian: search: expected bool"),
    ("pages.yml", "slug: about/scope", "slug: S", "about: pages: 2: slug: malformed"),
    ("pages.yml", "- key: math", "- key: about", "about: key: occurs twice"),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), BROKEN)
def test_what_is_amiss_is_named(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    folder = shutil.copytree(DATA, tmp_path / "data")
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        LOADERS[file](folder)
    assert re.match(rf"{file}: ?{re.escape(message)}", str(caught.value))


def test_an_empty_file_has_no_entries(tmp_path: Path) -> None:
    (tmp_path / "glossary.yml").touch()
    assert glossary(tmp_path) == []


def test_a_claim_cannot_be_altered() -> None:
    claim: Claim = claims()[0]
    with pytest.raises(AttributeError):
        claim.page = "nn/losses"  # type: ignore[misc]

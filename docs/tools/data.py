"""The site's data, typed: claims, bibliography, glossary and the map of the pages.

A class below is the schema of a file in `docs/data`: fields without a default must be
there, unknown ones must not, what `Annotated` carries is a regular expression. Whatever
is amiss is a `DataError` that names file, entry and field.
"""

import re
from collections.abc import Hashable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import yaml

DATA = Path(__file__).resolve().parents[1] / "data"
KINDS = "article|book|course|documentation|incollection|inproceedings|preprint|report"
T = TypeVar("T")


class DataError(ValueError):
    """A data file is amiss; the message names file, entry and field."""


@dataclass(frozen=True)
class Text:
    """The same text in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Claim:
    """A statement of the notes, the verdict on it, and what is correct.

    `proof: none` is for what no program can show; `reason` then says of which kind.
    """

    id: Annotated[str, r"C\d{3}"]
    page: str
    verdict: Annotated[str, "correct|imprecise|wrong|outdated"]
    belief: Text
    truth: Text
    sources: tuple[str, ...] = ()
    proof: Annotated[str | None, "none"] = None
    reason: Annotated[str | None, "citation|history|naming"] = None


@dataclass(frozen=True)
class Source:
    """A work that is cited; `checked` if its entry was compared with other records."""

    key: Annotated[str, r"[a-z][a-z0-9-]*"]
    type: Annotated[str, KINDS]
    authors: tuple[str, ...]
    title: str
    venue: str
    checked: bool
    year: int | None = None
    alias: str | None = None
    arxiv: Annotated[str | None, r"\d{4}\.\d{4,5}"] = None
    doi: Annotated[str | None, r"10\.\d{4,9}/\S+"] = None
    url: Annotated[str | None, r"https://[^\s/]+/\S*"] = None

    @property
    def link(self) -> str | None:
        """Where to find it: its own address, else by DOI, else on arXiv."""
        doi = self.doi and f"https://doi.org/{self.doi}"
        return self.url or doi or (self.arxiv and f"https://arxiv.org/abs/{self.arxiv}")


@dataclass(frozen=True)
class Names:
    """What readers of each language may call a term instead."""

    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


@dataclass(frozen=True)
class Term:
    """A term, its rendering in both languages, and the renderings to avoid.

    In the languages named by `everyday` the word means other things too, so that pages
    carry no note on it. Who searches for one of `also`, or of `avoid`, finds the term.
    """

    id: Annotated[str, r"[a-z0-9-]+"]
    zh: str
    en: str
    note: Text
    avoid: tuple[str, ...] = ()
    also: Names = field(default_factory=Names)
    search: bool = False
    everyday: tuple[str, ...] = ()


@dataclass(frozen=True)
class SitePage:
    """A page of the map, written or planned."""

    slug: Annotated[str, r"[a-z]+/[a-z-]+"]
    title: Text

    @property
    def source(self) -> str:
        """Path of its source below a language's folder."""
        return "index.md" if self.slug == "about/index" else f"{self.slug}.md"


@dataclass(frozen=True)
class Section:
    """A section of the map and its pages, in their order."""

    key: Annotated[str, r"[a-z]+"]
    title: Text
    pages: tuple[SitePage, ...]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML in which a key that occurs twice is an error, not silently the last one."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        names = [name.value for name, _ in node.value]
        if twice := [name for name in names if names.count(name) > 1]:
            place = f"{Path(node.start_mark.name).name}:{node.start_mark.line + 1}"
            raise DataError(f"{place}: {twice[0]}: occurs twice")
        return super().construct_mapping(node, deep=deep)


def _value(hint: Any, given: Any, place: str) -> Any:
    """Return a value as its type hint wants it."""
    base, *pattern = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if is_dataclass(base):
        return _build(base, given, place)
    if get_origin(base) is tuple:
        if not isinstance(given, list) or not given:
            raise DataError(
                f"{place}: expected a list that is not empty, got {given!r}"
            )
        kind = get_args(base)[0]
        items = [_value(kind, item, f"{place}: {i}") for i, item in enumerate(given, 1)]
        if twice := [item for item in items if items.count(item) > 1]:
            raise DataError(f"{place}: {twice[0]!r} occurs twice")
        return tuple(items)
    wanted = (get_args(base) or (base,))[0]
    if type(given) is not wanted:
        raise DataError(f"{place}: expected {wanted.__name__}, got {given!r}")
    if wanted is str and (not given or given != " ".join(given.split())):
        raise DataError(f"{place}: expected one trimmed line, got {given!r}")
    if pattern and not re.fullmatch(pattern[0], given):
        raise DataError(f"{place}: malformed: {given!r}")
    return given


def _build(kind: type[T], given: Any, place: str) -> T:
    """Return an instance of a class, made from the fields of an entry."""
    if not isinstance(given, dict):
        raise DataError(f"{place}: expected fields, got {given!r}")
    hints, values = get_type_hints(kind, include_extras=True), {}
    for name in given.keys() - hints.keys():
        raise DataError(f"{place}: {name}: no such field")
    for f in fields(kind):
        if f.name in given:
            values[f.name] = _value(hints[f.name], given[f.name], f"{place}: {f.name}")
        elif f.default is MISSING and f.default_factory is MISSING:
            raise DataError(f"{place}: {f.name}: missing")
    return kind(**values)


def _load(kind: type[T], path: Path) -> dict[str, T]:
    """Return the entries of a file by key, which is the first field of their class."""
    key, entries = fields(kind)[0].name, {}
    with path.open(encoding="utf-8") as file:
        listed = yaml.load(file, _Loader) or []
    for number, given in enumerate(listed, 1):
        name = given.get(key, number) if isinstance(given, dict) else number
        if name in entries:
            raise DataError(f"{path.name}: {name}: {key}: occurs twice")
        entries[name] = _build(kind, given, f"{path.name}: {name}")
    return entries


def site_map(folder: Path = DATA) -> list[Section]:
    """Return the sections of `pages.yml` with their pages."""
    return list(_load(Section, folder / "pages.yml").values())


def bibliography(folder: Path = DATA) -> dict[str, Source]:
    """Return the works of `bibliography.yml` by key; no identifier occurs twice."""
    works = _load(Source, folder / "bibliography.yml")
    owner: dict[str, str] = {}
    for key, work in works.items():
        if work.year is None and work.type != "documentation":
            raise DataError(f"bibliography.yml: {key}: year: missing")
        for name in ("alias", "arxiv", "doi", "url"):
            first = owner.setdefault((getattr(work, name) or key).lower(), key)
            if first != key:
                raise DataError(f"bibliography.yml: {key}: {name}: that of {first}")
    return works


def claims(folder: Path = DATA) -> list[Claim]:
    """Return the claims of `claims.yml`; their pages and sources are known ones."""
    slugs = {page.slug for section in site_map(folder) for page in section.pages}
    works = bibliography(folder)
    found = _load(Claim, folder / "claims.yml")
    for name, claim in found.items():
        if claim.page not in slugs:
            raise DataError(f"claims.yml: {name}: page: no {claim.page} in pages.yml")
        if unknown := sorted(set(claim.sources) - works.keys()):
            raise DataError(f"claims.yml: {name}: sources: unknown: {unknown}")
        if (claim.proof is None) != (claim.reason is None):
            raise DataError(f"claims.yml: {name}: reason: goes with `proof: none`")
    return list(found.values())


def glossary(folder: Path = DATA) -> list[Term]:
    """Return the terms of `glossary.yml`, in its order."""
    return list(_load(Term, folder / "glossary.yml").values())

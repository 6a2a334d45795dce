"""Find every fenced block of a Markdown page, wherever it stands.

A fence inside an admonition, a tab, a list or a quotation is indented or prefixed; the
usual parsers collect some of these and lose others in silence. Here a fence is a line
that begins (after white space and `>`) with three or more backticks or tildes, and what
cannot be read with certainty is an error that names its line, never a guess.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

PYTHON = frozenset({"python", "py", "python3"})
OUTPUT = "output"
OPTIONS = frozenset(
    {"claims", "hl_lines", "raises", "rtol", "skip", "skip-cuda", "title"}
)

_OPENING = re.compile(r"(?P<indent>[ >]*)(?P<mark>`{3,}|~{3,})(?P<info>.*)")
_HIDDEN = re.compile(r"^[ >]*(?:[-*+]|\d+[.)])\s+(?:`{3,}|~{3,})")
_LANGUAGE = re.compile(r"\{?\s*\.?(?P<lang>[^\s{}=\"]*)(?P<rest>.*?)\}?\s*")
_OPTION = re.compile(r'\s*(?P<key>[A-Za-z_-]+)="(?P<value>[^"]*)"')
_NEWLINE = re.compile(r"\r\n|\n|\r")


class PageError(ValueError):
    """A page that cannot be read with certainty; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        """Keep the line beside the message."""
        super().__init__(f"line {line}: {message}")
        self.line = line


@dataclass(frozen=True)
class Fence:
    """One fenced block: where it stands and what it holds.

    Attributes:
        line: Index of the opening line, from 0.
        end: Index of the closing line.
        indent: What precedes the fence on its line: spaces, `>` or nothing.
        lang: First word of the info string, in lower case.
        options: `key="value"` pairs of the info string.
        code: Content without the indent, each line ended by a newline.
    """

    line: int
    end: int
    indent: str
    lang: str
    options: Mapping[str, str]
    code: str

    @property
    def is_python(self) -> bool:
        """Whether the block is a program, to be run."""
        return self.lang in PYTHON


def split_lines(text: str) -> list[str]:
    """Split at line ends only (not at form feeds), tabs of the indent as 4 spaces."""
    lines = _NEWLINE.split(text.removeprefix("\ufeff"))
    return [_expand_indent(line) for line in lines]


def find_fences(text: str) -> list[Fence]:
    """Return all fences of a page, top to bottom.

    Raises:
        PageError: If a fence is not closed, its content sticks out to the left of it,
            hides behind a list marker, or its info string cannot be read.
    """
    lines = split_lines(text)
    fences: list[Fence] = []
    number = 0
    while number < len(lines):
        if opening := _OPENING.fullmatch(lines[number]):
            if opening["mark"][0] != "`" or "`" not in opening["info"]:
                fences.append(_read_fence(lines, number, opening))
                number = fences[-1].end
        elif _HIDDEN.match(lines[number]):
            raise PageError(number + 1, "a fence must begin on a line of its own")
        number += 1
    return fences


def _read_fence(lines: list[str], start: int, opening: re.Match[str]) -> Fence:
    """Read from the opening line to the line that closes it."""
    indent, mark = opening["indent"], opening["mark"]
    closing = re.compile(rf"[ >]*{mark[0]}{{{len(mark)},}}\s*")
    content: list[str] = []
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.startswith(indent):
            if closing.fullmatch(line) and len(_indent(line)) == len(indent):
                lang, options = _read_info(opening["info"], start + 1)
                code = "".join(f"{text}\n" for text in content)
                return Fence(start, number, indent, lang, options, code)
            content.append(line[len(indent) :])
        elif not line.strip(" >"):
            content.append("")
        else:
            raise PageError(
                number + 1,
                f"text stands left of the fence opened on line {start + 1}"
                " (its indent must hold to the closing line)",
            )
    raise PageError(start + 1, f"the fence {mark}{opening['info']} is never closed")


def _read_info(info: str, line: int) -> tuple[str, dict[str, str]]:
    """Split `python key="value" …` or `{.python key="value" …}`."""
    parts = _LANGUAGE.fullmatch(info.strip())
    if parts is None:
        raise PageError(line, f"cannot read the info string {info.strip()!r}")
    lang, rest = parts["lang"].lower(), parts["rest"]
    options: dict[str, str] = {}
    position = 0
    while pair := _OPTION.match(rest, position):
        if pair["key"] in options:
            raise PageError(line, f"option {pair['key']!r} is given twice")
        options[pair["key"]] = pair["value"]
        position = pair.end()
    if lang in PYTHON:
        if rest[position:].strip():
            raise PageError(
                line,
                f'expected key="value" options, got {rest[position:].strip()!r}',
            )
        if unknown := sorted(set(options) - OPTIONS):
            raise PageError(
                line, f"unknown option {unknown[0]!r}; known: {sorted(OPTIONS)}"
            )
    elif lang in {"pycon", "python-repl", "ipython"}:
        raise PageError(line, f"a {lang} block would not be run: write ```python")
    return lang, options


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" >"))]


def _expand_indent(line: str) -> str:
    body = line.lstrip(" \t>")
    prefix = line[: len(line) - len(body)]
    return prefix.expandtabs(4) + body

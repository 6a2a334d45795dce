"""Tables that are made from data, written as HTML."""

import re
from collections.abc import Callable, Iterable, Sequence

from docs.tools.web.catalogue import Catalogue

Words = dict[str, str]
Maker = Callable[[Catalogue, str, Words], str]

# A page says where a table goes; the line reads well in any editor.
_MARK = re.compile(r'<div data-table="(?P<name>[\w-]+)"></div>')


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], ids: Sequence[str] = ()
) -> str:
    """Return a table; cells are HTML.

    Examples:
        >>> table(["a"], [["1"]], ["x"]).partition("<tbody>")[2]
        '<tr id="x"><td>1</td></tr></tbody></table>'
    """
    top = "".join(f"<th>{cell}</th>" for cell in head)
    lines = []
    for number, row in enumerate(rows):
        name = f' id="{ids[number]}"' if ids else ""
        cells = "".join(f"<td>{cell}</td>" for cell in row)
        lines.append(f"<tr{name}>{cells}</tr>")
    return (
        f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def fill(
    content: str, makers: dict[str, Maker], book: Catalogue, uri: str, words: Words
) -> tuple[str, list[str]]:
    """Put the tables where a page asks for them.

    Returns:
        The page, and what is wrong with its requests.
    """
    problems: list[str] = []

    def make(found: re.Match[str]) -> str:
        maker = makers.get(found["name"])
        if maker is None:
            problems.append(f"no table is called {found['name']!r}")
            return ""
        return maker(book, uri, words)

    return _MARK.sub(make, content), problems

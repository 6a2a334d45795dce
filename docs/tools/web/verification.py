"""The tables of the verification page: what was run, where, and what came of it."""

from html import escape

from docs.tools.measured import Measurement, read_parity
from docs.tools.web import badges, suite
from docs.tools.web.catalogue import DEVICES, Catalogue, href
from docs.tools.web.languages import section_label
from docs.tools.web.overviews import reading_order
from docs.tools.web.tables import Words, table

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FACTS = (
    "device_name",
    "date",
    "torch",
    "torchvision",
    "numpy",
    "pillow",
    "matplotlib",
    "python",
    "platform",
)


def summary(book: Catalogue, uri: str, words: Words) -> str:
    """Say in one line how much was verified, on each device."""
    with_blocks = [page for page in book.sources.values() if page.blocks]
    total = sum(len(page.blocks) for page in with_blocks)
    counts = words["verification_counts"].format(pages=len(with_blocks), blocks=total)
    parts = [counts]
    for device, name in DEVICES.items():
        passed = sum(_count(book, device, key)["passed"] for key in book.sources)
        parts.append(f"{name} {passed}/{total}")
    return f'<p class="summary">{" · ".join(parts)}</p>'


def environments(book: Catalogue, uri: str, words: Words) -> str:
    """One column per device: its name, the date, the versions."""
    records = book.records.items()
    head = ["", *(DEVICES[device] for device, _ in records)]
    rows = [
        [
            words.get(f"fact_{fact}", fact),
            *(
                escape(_fact(record["environment"], fact, words))
                for _, record in records
            ),
        ]
        for fact in FACTS
    ]
    return table(head, rows)


def skips(book: Catalogue, uri: str, words: Words) -> str:
    """The blocks that are skipped, each with its reason."""
    rows = []
    for key, page in book.sources.items():
        for block in page.blocks:
            reasons = {
                name: reason
                for device, name in DEVICES.items()
                if (reason := block.skip_reason(device))
            }
            link = f'<a href="{href(uri, key, f"block-{block.index}")}">{key}</a>'
            rows += [[link, name, escape(reason)] for name, reason in reasons.items()]
    if not rows:
        return f"<p>{words['no_skips']}</p>"
    return table([words["page"], words["device"], words["reason"]], rows)


def by_page(book: Catalogue, uri: str, words: Words) -> str:
    """One row per page with blocks: how many, and how many each device vouches for."""
    head = [words["page"], words["blocks"], *DEVICES.values()]
    rows: dict[str, list[str]] = {}
    for key in _in_reading_order(book):
        page, title = book.sources[key], escape(book.heading(key), quote=False)
        cells = [f'<a href="{href(uri, key)}">{title}</a>', str(len(page.blocks))]
        cells += [_cell(_count(book, device, key), words) for device in DEVICES]
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        section = key.partition("/")[0] if "/" in key else "about"
        rows.setdefault(section, []).append(f'<tr id="{badges.row_id(key)}">{row}</tr>')
    bodies = [
        f'<tbody><tr class="group"><th colspan="{len(head)}" scope="rowgroup">'
        f"{section_label(section, book.code) or section}</th></tr>{''.join(listed)}"
        "</tbody>"
        for section, listed in rows.items()
    ]
    return table(head, []).replace("<tbody></tbody>", "".join(bodies))


def _in_reading_order(book: Catalogue) -> list[str]:
    """Return the pages with blocks, as the navigation has them; the home page first."""
    order = [key for keys in reading_order().values() for key in keys]
    keys = [key for key, page in book.sources.items() if page.blocks]
    place = {key: number for number, key in enumerate(["index", *order])}
    return sorted(keys, key=lambda key: (place.get(key, len(place)), key))


def tests(book: Catalogue, uri: str, words: Words) -> str:
    """One row per kind of test: how many, and what they are for."""
    counts = suite.count_tests()
    counts["block"] = sum(len(page.blocks) for page in book.sources.values())
    rows = [
        [words[f"tests_{kind}"], str(counts[kind])] for kind in ("block", *suite.KINDS)
    ]
    return table([words["tests_kind"], words["tests_number"]], rows)


def parity(book: Catalogue, uri: str, words: Words) -> str:
    """Per room, one row per function and oracle: tolerance, worst error, values."""
    rooms: dict[str, list[Measurement]] = {}
    for entry in read_parity()[1]:
        rooms.setdefault(entry.function.rpartition(".")[0], []).append(entry)
    head = ("function", "oracle", "tolerance", "error", "values")
    parts = []
    for module, entries in rooms.items():
        count = len({entry.function for entry in entries})
        worst = _power(max(entry.error for entry in entries))
        title = words["parity_room"].format(n=count, error=worst)
        rows = [_measured(entry, book, uri) for entry in entries]
        listed = table([words[f"parity_{part}"] for part in head], rows)
        parts.append(
            f"<details><summary><code>{module}</code>{title}</summary>{listed}</details>"
        )
    return f'<div class="numbers">{"".join(parts)}</div>'


def _measured(entry: Measurement, book: Catalogue, uri: str) -> list[str]:
    """Return a measurement's row; its function is linked to its entry in the API."""
    module, _, name = entry.function.rpartition(".")
    room = module.removeprefix("dlref.")
    key = book.entries.get(entry.function, f"api/{room}")
    oracle = escape(entry.oracle, quote=False).replace(".", ".<wbr>")
    numbers = [_power(entry.tolerance), _power(entry.error), str(entry.values)]
    address = href(uri, key, entry.function)
    return [f'<a href="{address}">{room}.<wbr>{name}</a>', oracle, *numbers]


def _power(error: float) -> str:
    """Write a power of ten as one does by hand.

    Examples:
        >>> _power(1e-12), _power(0.0)
        ('10⁻¹²', '0')
    """
    if not error:
        return "0"
    exponent = f"{error:e}".partition("e")[2]
    return "10" + f"{int(exponent)}".translate(
        str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    )


def _fact(environment: dict[str, str], fact: str, words: Words) -> str:
    """Return a fact of a run; of a run that never was, say so once."""
    return environment.get(fact, words["not_yet"] if fact == FACTS[0] else "–")


def _count(book: Catalogue, device: str, key: str) -> dict[str, int]:
    """Count the verdicts of a device on a page."""
    page, counts = book.sources[key], dict.fromkeys(badges.SIGNS, 0)
    for block in page.blocks:
        counts[badges.judge(book.records[device], key, block).state] += 1
    return counts


def _cell(counts: dict[str, int], words: Words) -> str:
    """Write counts: `12 ✓`, and what else there is in words."""
    found = {state: count for state, count in counts.items() if count}
    if set(found) == {"absent"}:
        return words["not_yet"]
    parts = []
    for state, count in found.items():
        what = "✓" if state == "passed" else words[f"count_{state}"]
        parts.append(f"{count} {what}")
    return ", ".join(parts)

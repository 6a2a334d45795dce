"""Compare printed text: numbers within a tolerance, everything else to the letter.

A whole number (a count, a shape, a level) must be equal. A number with a decimal point
must show the same number of digits and lie within the tolerance: 1e-6 relative on the
CPU, where a page was made, so that every visible digit counts; on another device one
unit of the last printed place, or 1e-3 relative, whichever is larger. A page may only
tighten this.
"""

import difflib
import re
from dataclasses import dataclass, replace
from decimal import Decimal

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")


@dataclass(frozen=True)
class Tolerance:
    """How far a printed number may be from the shown one.

    Attributes:
        relative: Relative to the shown number.
        last_place: Whether one unit of the last printed place is allowed too.
    """

    relative: float
    last_place: bool = False

    @classmethod
    def for_device(cls, device: str) -> "Tolerance":
        """Default tolerance of a device."""
        if device == "cpu":
            return cls(1e-6)
        return cls(1e-3, last_place=True)

    def tightened(self, relative: float) -> "Tolerance":
        """Apply a page's own `rtol`.

        Raises:
            ValueError: If it is negative, or wider than the CPU's default.
        """
        widest = Tolerance.for_device("cpu").relative
        if not 0 <= relative <= widest:
            raise ValueError(
                f"rtol may only tighten: expected 0 … {widest}, got {relative}"
            )
        return replace(self, relative=relative) if not self.last_place else self

    def admits(self, shown: str, got: str) -> bool:
        """Whether `got` may stand where the page shows `shown`; both as printed."""
        if shown == got:
            return True
        digits = _decimals(shown)
        if digits is None or digits != _decimals(got):
            return False
        if ("e" in shown.lower()) != ("e" in got.lower()):
            return False
        a, b = Decimal(shown), Decimal(got)  # as printed: no rounding to floats
        allowed = Decimal(self.relative) * abs(a)
        if self.last_place:
            allowed = max(allowed, _unit(shown))
        return abs(a - b) <= allowed


def explain_difference(
    shown: str, got: str, tolerance: Tolerance, first_line: int = 1
) -> str:
    """Return what differs, ready to be read, or an empty string if nothing does.

    Args:
        shown: What the page shows.
        got: What the program printed.
        tolerance: For numbers with a decimal point.
        first_line: Line of the page on which `shown` begins.
    """
    shown_lines = [line.rstrip() for line in shown.rstrip().splitlines()]
    got_lines = [line.rstrip() for line in got.rstrip().splitlines()]
    wrong = [
        number
        for number, pair in enumerate(zip(shown_lines, got_lines, strict=False))
        if not _same_line(*pair, tolerance)
    ]
    if not wrong and len(shown_lines) == len(got_lines):
        return ""
    first = wrong[0] if wrong else min(len(shown_lines), len(got_lines))
    kept = [
        b if n not in wrong else a
        for n, (a, b) in enumerate(zip(shown_lines, got_lines, strict=False))
    ]
    # lines within tolerance are shown as equal: the diff names only the culprits
    aligned = kept + shown_lines[len(kept) :]
    diff = difflib.unified_diff(
        aligned,
        got_lines,
        "shown on the page",
        "printed by the block",
        lineterm="",
        n=2,
    )
    head = f"first difference on line {first_line + first}"
    return "\n".join([head, *diff])


def _same_line(shown: str, got: str, tolerance: Tolerance) -> bool:
    if shown == got:
        return True
    if _NUMBER.sub("0", shown).split() != _NUMBER.sub("0", got).split():
        return False
    if not tolerance.last_place and _NUMBER.sub("0", shown) != _NUMBER.sub("0", got):
        return False  # on another device a sign may move a column
    pairs = zip(_NUMBER.findall(shown), _NUMBER.findall(got), strict=True)
    return all(tolerance.admits(a, b) for a, b in pairs)


def _decimals(number: str) -> int | None:
    """Digits behind the point; None for a whole number."""
    mantissa = number.lower().partition("e")[0]
    if "." not in mantissa:
        return 0 if "e" in number.lower() else None
    return len(mantissa.partition(".")[2])


def _unit(number: str) -> Decimal:
    """Value of one unit in the last printed place."""
    exponent = number.lower().partition("e")[2]
    return Decimal(1).scaleb(int(exponent or 0) - (_decimals(number) or 0))

"""Reading arguments that come in several forms: one value, or a sequence of a few.

Each function returns what the code behind it works with, or refuses at the door with
what was expected and what was received.
"""

import math
from collections.abc import Sequence
from operator import index
from typing import SupportsFloat, SupportsIndex, TypeAlias, TypeGuard

__all__ = [
    "Integer",
    "Number",
    "Real",
    "as_finite",
    "as_integers",
    "as_number",
    "as_numbers",
    "as_size",
    "is_sequence",
]

Integer: TypeAlias = SupportsIndex
"""An `int`, a NumPy integer or an integer tensor of no dimensions."""

Number: TypeAlias = int | float
"""A real number (at run time `float` alone does not admit an `int`)."""

Real: TypeAlias = SupportsFloat
"""A number, a NumPy scalar or a tensor of one element."""


def is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    """Tell a list, tuple or other sequence from a string and from single values."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def as_integers(name: str, value: object, lengths: tuple[int, ...]) -> list[int]:
    """Read one integer, or a sequence of an allowed length.

    Args:
        name: What the caller calls it, for the error message.
        value: The argument.
        lengths: How many there may be in a sequence.

    Returns:
        The integers.

    Raises:
        TypeError: If an entry is no integer.
        ValueError: If there are too few or too many.

    Examples:
        >>> as_integers("padding", (2, 3), (1, 2, 4))
        [2, 3]
    """
    if isinstance(value, int):
        return [value]
    entries = value if is_sequence(value) else [value]
    if len(entries) not in lengths:
        raise ValueError(f"{name} expected {_count(lengths)} integers, got {value!r}")
    # `int` comes first: a look at the protocol takes ten times as long
    integers = [index(v) for v in entries if isinstance(v, (int, SupportsIndex))]
    if len(integers) < len(entries):
        raise TypeError(f"{name} expected integers, got {value!r}")
    return integers


def as_size(name: str, size: object) -> tuple[int, int]:
    """Read a size, given as one integer or as (height, width).

    Args:
        name: What the caller calls it, for the error message.
        size: One integer (or a sequence of one) for a square, else height and width.

    Returns:
        Height and width, in pixels.

    Raises:
        TypeError: If an entry is no integer.
        ValueError: If there are not one or two entries, or one is below 1.

    Examples:
        >>> as_size("size", 32), as_size("size", [32, 48])
        ((32, 32), (32, 48))
    """
    entries = as_integers(name, size, (1, 2))
    if min(entries) < 1:
        raise ValueError(f"{name} expected at least 1 pixel a side, got {size!r}")
    return entries[0], entries[-1]


def as_number(name: str, value: object) -> Number:
    """Read a real number.

    Raises:
        TypeError: If it is none.
    """
    if not isinstance(value, (int, float)):
        raise TypeError(f"{name} expected a number, got {value!r}")
    return value


def as_finite(name: str, value: object) -> Number:
    """Read a finite real number.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is infinite or NaN.
    """
    number = as_number(name, value)
    if not math.isfinite(number):
        raise ValueError(f"{name} expected a finite number, got {value}")
    return number


def as_numbers(name: str, values: object, lengths: tuple[int, ...]) -> list[Number]:
    """Read a sequence of finite real numbers of an allowed length.

    Raises:
        TypeError: If it is no sequence, or an entry no number.
        ValueError: If there are too few or too many, or one is infinite or NaN.

    Examples:
        >>> as_numbers("center", (2, 3.5), (2,))
        [2, 3.5]
    """
    if not is_sequence(values):
        counts = _count(lengths)
        raise TypeError(
            f"{name} expected a sequence of {counts} numbers, got {values!r}"
        )
    if len(values) not in lengths:
        raise ValueError(f"{name} expected {_count(lengths)} numbers, got {values!r}")
    return [as_finite(name, value) for value in values]


def _count(lengths: tuple[int, ...]) -> str:
    """Write (1, 2, 4) as "1 or 2 or 4"."""
    return " or ".join(map(str, lengths))

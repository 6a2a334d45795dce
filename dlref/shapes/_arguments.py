"""How the functions of `dlref.shapes` read a count, or one count per axis."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, Literal, SupportsIndex, TypeAlias, TypeGuard

__all__ = [
    "Count",
    "NamedPadding",
    "PerAxis",
    "as_int",
    "is_per_axis",
    "map_axes",
    "per_axis",
]

PerAxis: TypeAlias = Sequence[SupportsIndex]
"""One count for each spatial axis: `(height, width)`."""

Count: TypeAlias = SupportsIndex | PerAxis
"""One count for every axis, or one for each."""

NamedPadding: TypeAlias = Literal["same", "valid"]
"""torch's names for paddings that follow from the window."""


def as_int(name: str, value: object, at_least: int) -> int:
    """Return `value` as a plain int.

    Args:
        name: What the caller's caller knows the value by.
        value: An int, a NumPy integer or an integer tensor of one element.
        at_least: The smallest count that makes sense.

    Returns:
        The same number as an `int`.

    Raises:
        TypeError: If it is a bool, a float, a sequence or anything else but an integer.
        ValueError: If it is below `at_least`.
    """
    # True has an index and so has torch.tensor(True); a count of True is a mistake.
    is_bool = (
        isinstance(value, bool) or str(getattr(value, "dtype", "")) == "torch.bool"
    )
    if is_bool or not isinstance(value, SupportsIndex):
        raise TypeError(f"expected {name} to be an int, got {value!r}")
    try:
        count = operator.index(value)
    except TypeError:  # arrays and tensors have __index__ and refuse when it is called
        raise TypeError(f"expected {name} to be an int, got {value!r}") from None
    if count < at_least:
        raise ValueError(f"expected {name} >= {at_least}, got {name}={count}")
    return count


def is_per_axis(value: object) -> TypeGuard[Sequence[object]]:
    """Tell whether `value` holds one count per axis: a tuple, a list, a `torch.Size`.

    Args:
        value: An argument of one of the functions.

    Returns:
        True for a sequence that is not a string.
    """
    return isinstance(value, Sequence) and not isinstance(value, str)


def per_axis(**arguments: object) -> list[dict[str, Any]]:
    """Spread arguments over the axes, an int standing for the same int on every axis.

    Args:
        **arguments: Ints (or strings, or None) and sequences of one int per axis; the
            first sequence says how many axes there are.

    Returns:
        One dictionary of arguments per axis.

    Raises:
        ValueError: If the sequences differ in length or are empty.
    """
    sequences = {
        n: tuple(value) for n, value in arguments.items() if is_per_axis(value)
    }
    first, axes = next(iter(sequences.items()))
    for name, values in sequences.items():
        if len(values) != len(axes) or not values:
            raise ValueError(
                f"expected {name} to be an int or one int for each axis of {first}, "
                f"got {name}={values} and {first}={axes}"
            )
    return [
        {n: sequences[n][axis] if n in sequences else arguments[n] for n in arguments}
        for axis in range(len(axes))
    ]


def map_axes(function: Callable[..., int], **arguments: object) -> tuple[int, ...]:
    """Call a one-axis function for every axis.

    Args:
        function: Takes the arguments as ints.
        **arguments: As `per_axis` takes them.

    Returns:
        One result per axis.
    """
    return tuple(function(**axis) for axis in per_axis(**arguments))

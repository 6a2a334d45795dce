"""Where the windows of a pooling lie, from arguments in torch's forms."""

import math
import sys
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from dlref.shapes import pool_output_size
from dlref.shapes._arguments import Count, as_int, is_per_axis

__all__ = [
    "AVERAGED",
    "FLOATS",
    "REAL",
    "Axis",
    "Phase",
    "Size",
    "adaptive_axes",
    "as_counts",
    "as_divisor",
    "check_input",
    "pooling_axes",
]

Size: TypeAlias = Count | tuple[int | None, ...] | list[int | None]
"""Output size of an adaptive pooling; None keeps the input's."""

FLOATS = frozenset((torch.float16, torch.bfloat16, torch.float32, torch.float64))
AVERAGED = FLOATS | {torch.int64}
REAL = FLOATS | {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}


class Phase(NamedTuple):
    """Windows of one length at equal distances.

    Attributes:
        start: Where the first begins, in pixels of the padded axis.
        taps: Number of taps $k$ of each.
        stride: Pixels $s$ from one window to the next.
        dilation: Pixels $d$ from one tap to the next.
    """

    start: int
    taps: int
    stride: int
    dilation: int = 1


class Axis(NamedTuple):
    """All windows of one axis.

    Attributes:
        phases: One if all windows are equal. The lengths of adaptive windows repeat:
            window t belongs to phase t modulo the number of phases.
        before: Padding at the near end, in pixels.
        after: Padding at the far end, as far as windows reach into it.
        first: For each window the first tap that lies on a pixel; () if all are 0.
        inside: For each window the number of taps on pixels and padding; a last window
            may hang over (`ceil_mode`).
        pixels: For each window the number of taps on pixels.
    """

    phases: tuple[Phase, ...]
    before: int
    after: int
    first: tuple[int, ...]
    inside: tuple[int, ...]
    pixels: tuple[int, ...]


def pooling_axes(
    sizes: tuple[int, ...],
    kernel_size: Count,
    stride: Count | None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
) -> list[Axis]:
    """Return the windows of each axis.

    Args:
        sizes: Length of each spatial axis, in pixels.
        kernel_size: Number of taps. This and all that follow: an int (or a sequence of
            one) for every axis, or one int per axis.
        stride: Pixels from one window to the next; None or () for the kernel's size.
        padding: Pixels added at each end.
        dilation: Pixels from one tap to the next.
        ceil_mode: Whether a last window may hang over the far end.

    Returns:
        One description per axis.

    Raises:
        TypeError: If an argument holds anything but integers.
        ValueError: If there are more or fewer integers than axes, or if
            `pool_output_size` refuses one.
    """
    n = len(sizes)
    k = as_counts("kernel_size", kernel_size, n, 1)
    if stride is None or (is_per_axis(stride) and len(stride) == 0):
        s = k
    else:
        s = as_counts("stride", stride, n, 1)
    p = as_counts("padding", padding, n, 0)
    d = as_counts("dilation", dilation, n, 1)
    ceil = bool(ceil_mode)
    return [_pooling_axis(*a, ceil) for a in zip(sizes, k, s, p, d, strict=True)]


@lru_cache(maxsize=256)  # a network asks for the same few, over and over
def _pooling_axis(i: int, k: int, s: int, p: int, d: int, ceil_mode: bool) -> Axis:
    o = pool_output_size(i, k, stride=s, padding=p, dilation=d, ceil_mode=ceil_mode)
    starts = range(-p, o * s - p, s)  # in pixels of the input: padding is negative
    windows = [range(start, start + d * k, d) for start in starts]
    first = tuple(-(min(0, start) // d) for start in starts)
    return Axis(
        phases=(Phase(0, k, s, d),),
        before=p,
        after=max(0, windows[-1][-1] - (i - 1)),
        first=first if any(first) else (),
        inside=tuple(len(range(w.start, min(w.stop, i + p), d)) for w in windows),
        pixels=tuple(
            len(range(w.start + u * d, min(w.stop, i), d))
            for u, w in zip(first, windows, strict=True)
        ),
    )


def adaptive_axes(sizes: tuple[int, ...], output_size: Size) -> list[Axis]:
    """Return the windows of each axis that lead to an output of a given size.

    Args:
        sizes: Length of each spatial axis, in pixels.
        output_size: Windows per axis: an int for every axis, or one per axis, None for
            as many as pixels.

    Returns:
        One description per axis.

    Raises:
        TypeError: If a size is neither an integer nor None.
        ValueError: If there are more or fewer of them than axes, or one is negative.
    """
    n = len(sizes)
    if not is_per_axis(output_size):
        output_size = (as_int("output_size", output_size, 0),) * n
    elif len(output_size) != n:
        raise ValueError(
            f"expected output_size to be an int or {n} of them, got {output_size!r}"
        )
    return [
        _adaptive_axis(i, i if o is None else as_int("output_size", o, 0))
        for i, o in zip(sizes, output_size, strict=True)
    ]


@lru_cache(maxsize=256)
def _adaptive_axis(i: int, o: int) -> Axis:
    starts = [t * i // o for t in range(o)]
    stops = [-((t + 1) * i // -o) for t in range(o)]  # rounded up
    counts = tuple(b - a for a, b in zip(starts, stops, strict=True))
    common = math.gcd(i, o)  # after o / common windows, i / common pixels have passed
    phases = tuple(Phase(starts[t], counts[t], i // common) for t in range(o // common))
    return Axis(phases, before=0, after=0, first=(), inside=counts, pixels=counts)


def as_counts(name: str, value: object, n: int, at_least: int) -> tuple[int, ...]:
    """Return one int per axis.

    Args:
        name: What the caller's caller knows the value by.
        value: An int, or a sequence of one or of `n`.
        n: Number of axes.
        at_least: The smallest count that makes sense.

    Returns:
        `n` ints.

    Raises:
        TypeError: If the value holds anything but integers.
        ValueError: If it holds another number of them, or one below `at_least`.
    """
    if type(value) is int and value >= at_least:  # as most do: spare the long way
        return (value,) * n
    if not is_per_axis(value):
        return (as_int(name, value, at_least),) * n
    if len(value) not in (1, n):
        raise ValueError(f"expected {name} to be an int or {n} of them, got {value!r}")
    counts = tuple(as_int(name, count, at_least) for count in value)
    return counts if len(counts) == n else counts * n


def as_divisor(value: object) -> int | None:
    """Return the divisor of an average.

    Args:
        value: An int, or None.

    Returns:
        The int, or None.

    Raises:
        TypeError: If it is neither.
        ValueError: If it is 0.
    """
    if value is None:
        return None
    divisor = as_int("divisor_override", value, -sys.maxsize)
    if divisor == 0:
        raise ValueError("expected divisor_override other than 0, got 0")
    return divisor


def check_input(
    input: object, n: int, dtypes: frozenset[torch.dtype], *, channels: int = 1
) -> None:
    """Refuse what cannot be pooled over `n` axes.

    Args:
        input: What the caller was given.
        n: Number of spatial axes.
        dtypes: What the values may be.
        channels: The smallest number of channels.

    Raises:
        TypeError: If it is no tensor, or not of these dtypes.
        ValueError: If its shape is not (N, C, *S) or (C, *S), or one of C and S is 0.
    """
    if not isinstance(input, Tensor):
        raise TypeError(f"expected input to be a Tensor, got {type(input).__name__}")
    if input.dtype not in dtypes:
        expected = ", ".join(sorted(str(dtype)[6:] for dtype in dtypes))
        raise TypeError(f"expected input of one of {expected}, got {input.dtype}")
    shape = input.shape[-n - 1 :]
    if input.ndim - n not in (1, 2) or shape[0] < channels or 0 in shape[1:]:
        axes = ", ".join("DHW"[-n:])
        raise ValueError(
            f"expected input of shape (N, C, {axes}) or (C, {axes}), where only N may "
            f"be 0, got {tuple(input.shape)}"
        )

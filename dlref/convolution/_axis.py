"""One spatial axis of a convolution: which tap of which window lies on which pixel."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

__all__ = ["Axis", "Overlap", "is_plain", "overlaps"]

Overlap: TypeAlias = tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]
"""A tap, the windows that have a pixel under it, and these pixels, by axis."""


class Axis(NamedTuple):
    """An axis of $i$ pixels on which $o$ windows of $k$ taps stand.

    Tap $u$ of window $t$ lies on pixel $t s + u d - p$; where there is no pixel, on
    padding, which counts as zero.

    Attributes:
        i: Pixels of the input.
        o: Windows, which are the pixels of the output.
        k: Taps of a window.
        s: Stride, in pixels from one window to the next.
        p: Padding in front of the first pixel. That behind the last one follows from
            the number of windows.
        d: Dilation, in pixels from one tap to the next.
    """

    i: int
    o: int
    k: int
    s: int = 1
    p: int = 0
    d: int = 1

    @property
    def reach(self) -> int:
        """Pixels from the first tap of the first window to the last of the last."""
        return (self.o - 1) * self.s + (self.k - 1) * self.d + 1

    @property
    def behind(self) -> int:
        """Padding behind the last pixel; negative where windows do not get there."""
        return self.reach - self.p - self.i

    def overlap(self, tap: int) -> tuple[slice, slice]:
        """Return the windows that have a pixel under a tap, and these pixels."""
        at = tap * self.d - self.p  # of window 0
        first = max(0, -(at // self.s))  # ceil(-at / s)
        stop = max(first, min(self.o, (self.i - 1 - at) // self.s + 1))
        pixel, beyond = first * self.s + at, (stop - 1) * self.s + at + 1
        return slice(first, stop), slice(pixel, max(pixel, beyond), self.s)


def is_plain(axes: Sequence[Axis]) -> bool:
    """Tell whether windows are pixels: nothing is to be unfolded."""
    return all(a.k == a.s == 1 and a.p == 0 and a.o == a.i for a in axes)


def overlaps(axes: Sequence[Axis]) -> Iterator[Overlap]:
    """Yield the taps of a kernel, each with its windows and their pixels."""
    by_axis = [[axis.overlap(u) for u in range(axis.k)] for axis in axes]
    for taps in product(*(range(axis.k) for axis in axes)):
        found = [along[u] for along, u in zip(by_axis, taps, strict=True)]
        yield taps, tuple(o for o, _ in found), tuple(i for _, i in found)

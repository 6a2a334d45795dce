"""The three sums of a depthwise convolution of stride 1, on shifted images.

Where each channel has a kernel of its own, no matrix is left to multiply by, only rows;
and to unfold would copy each pixel once a tap. Instead the pixels of the padded image
are laid end to end, on one line. Where windows stand on every pixel, what a tap sees of
this line is a slice: the offset is the tap's, the same for all windows.

Where a window would run over the end of a row and into the next, the line has numbers
that belong to no window: on the way out they are dropped, on the way back they are 0.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import inf, prod

import torch
import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._axis import Axis
from dlref.convolution._geometry import Geometry

__all__ = ["by_input", "by_output", "by_weight", "fits"]

_TOGETHER = 2**20  # numbers that the images taken at a time may add up to


def fits(
    w: Shaped[Tensor, "k c *taps"], geometry: Geometry, *, longest: int | float = inf
) -> bool:
    """Tell whether the convolution is one of these, and lines hold less than im2col.

    Args:
        w: Weights.
        geometry: The rest.
        longest: The most numbers that a line of windows may have.

    Returns:
        Whether to call a function of this file.
    """
    axes, groups = geometry
    own = w.shape[0] == groups and w.shape[1] == 1
    dense = all(axis.s == 1 for axis in axes)
    lines = 2 * prod(axis.reach for axis in axes) + _length(axes)
    less = lines <= prod(axis.k * axis.o for axis in axes)
    return own and dense and less and _length(axes) <= longest


def by_output(
    w: Shaped[Tensor, "c 1 *taps"],
    x: Shaped[Tensor, "n c *pixels"],
    y: Shaped[Tensor, "n c *windows"],
    axes: Sequence[Axis],
) -> None:
    """Write the derivative by y into it: the convolution."""
    for xs, ys in _blocks(x, y):
        X = _padded(xs, axes)
        Y = X.new_zeros(*xs.shape[:2], _length(axes))
        for tap, part in _parts(X, axes):
            Y.addcmul_(part, w[:, 0, *tap].unsqueeze(-1))
        ys.copy_(_windows(Y, axes))


def by_input(
    w: Shaped[Tensor, "c 1 *taps"],
    y: Shaped[Tensor, "n c *windows"],
    x: Shaped[Tensor, "n c *pixels"],
    axes: Sequence[Axis],
) -> None:
    """Write the derivative by x into it: the transposed convolution."""
    for ys, xs in _blocks(y, x):
        Y = _line(ys, axes)
        padded = Y.new_zeros(*xs.shape[:2], *(axis.reach for axis in axes))
        X = padded.flatten(2)  # a view
        for tap, part in _parts(X, axes):
            part.addcmul_(Y, w[:, 0, *tap].unsqueeze(-1))
        xs.copy_(F.pad(padded, [-end for end in _ends(axes)]))


def by_weight(
    x: Shaped[Tensor, "n c *pixels"],
    y: Shaped[Tensor, "n c *windows"],
    w: Shaped[Tensor, "c 1 *taps"],
    axes: Sequence[Axis],
) -> None:
    """Add the derivative by w to it: the gradient of the weights."""
    for xs, ys in _blocks(x, y):
        X, Y = _padded(xs, axes), _line(ys, axes)
        dots = torch.stack([_dot(part, Y) for _, part in _parts(X, axes)], dim=-1)
        w += dots.sum(0).view_as(w)  # (n, c, taps) to (c, 1, *taps)


def _blocks(*images: Shaped[Tensor, "n c ..."]) -> Iterator[tuple[Tensor, ...]]:
    """Yield several images at a time."""
    size = max(1, _TOGETHER // max(1, sum(t[:1].numel() for t in images)))
    for start in range(0, len(images[0]), size):
        yield tuple(t[start : start + size] for t in images)


def _ends(axes: Sequence[Axis]) -> list[int]:
    """Return the padding as `pad` wants it; negative where pixels are cut off."""
    return [end for axis in reversed(axes) for end in (axis.p, axis.behind)]


def _padded(x: Tensor, axes: Sequence[Axis]) -> Shaped[Tensor, "n c line"]:
    return F.pad(x, _ends(axes)).flatten(2)


def _steps(axes: Sequence[Axis]) -> list[int]:
    """Return how far apart on the line neighbours along each axis are."""
    return [prod(axis.reach for axis in axes[i + 1 :]) for i in range(len(axes))]


def _length(axes: Sequence[Axis]) -> int:
    """Return how far it is from the first window to the last, both counted."""
    steps = zip(_steps(axes), axes, strict=True)
    return 1 + sum(step * (axis.o - 1) for step, axis in steps)


def _parts(
    X: Shaped[Tensor, "n c line"], axes: Sequence[Axis]
) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """Yield each tap and the slice of the line that it sees."""
    steps = [s * axis.d for s, axis in zip(_steps(axes), axes, strict=True)]
    for tap in product(*(range(axis.k) for axis in axes)):
        offset = sum(u * step for u, step in zip(tap, steps, strict=True))
        yield tap, X.narrow(2, offset, _length(axes))


def _windows(
    Y: Shaped[Tensor, "n c line"], axes: Sequence[Axis]
) -> Shaped[Tensor, "n c *windows"]:
    """Return the view of a line on which only the windows are."""
    size = *Y.shape[:2], *(axis.o for axis in axes)
    return Y.as_strided(size, (*Y.stride()[:2], *_steps(axes)))


def _line(
    y: Shaped[Tensor, "n c *windows"], axes: Sequence[Axis]
) -> Shaped[Tensor, "n c line"]:
    """Lay the windows on a line, with 0 in between."""
    Y = y.new_zeros(*y.shape[:2], _length(axes))
    _windows(Y, axes).copy_(y)
    return Y


def _dot(a: Tensor, b: Tensor) -> Shaped[Tensor, "n c"]:
    return torch.linalg.vecdot(a.conj(), b)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

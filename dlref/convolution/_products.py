"""The three sums of a convolution as products of matrices.

Where every channel has a kernel of its own, at stride 1, there are none: see `_shifts`.
Large ones of float32 on the CPU are left to `_onednn`.

References:
    Cho and Brand (2017), MEC: memory-efficient convolution for deep neural network,
    [arXiv:1706.06873](https://arxiv.org/abs/1706.06873).
"""

import sys
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution import _onednn, _shifts
from dlref.convolution._axis import Axis, is_plain
from dlref.convolution._columns import gather, scatter_
from dlref.convolution._geometry import Geometry, empty_images

__all__ = ["by_input", "by_output", "by_weight"]

_FEW = 2**15  # numbers in all columns, up to which one product is faster than several
_TOGETHER = 2**20  # numbers that the columns of several images may add up to
_SHORT = 2**9  # windows of a channel, up to which lines are faster by the weights too


class _Plan(NamedTuple):
    """How to unfold the images.

    Attributes:
        axes: What is unfolded.
        taps: Taps that are not: the products of matrices to be summed.
        step: Columns from where one product begins to where the next one does.
        images: Images to unfold at a time.
        padded: Channels of a group copied at a time, to put zeros around them.
    """

    axes: tuple[Axis, ...]
    taps: int
    step: int
    images: int
    padded: int


def by_output(
    w: Shaped[Tensor, "k c *taps"],
    x: Shaped[Tensor, "n channels *pixels"],
    geometry: Geometry,
) -> Shaped[Tensor, "n k *windows"]:
    """Return the derivative by y: the convolution.

    Args:
        w: Weights.
        x: Input.
        geometry: The rest.

    Returns:
        Output.
    """
    n = x.shape[0]  # sooner than len(x)
    size = n, w.shape[0], *(axis.o for axis in geometry.axes)
    if _shifts.fits(w, geometry):
        y = empty_images(size, w, x)
        _shifts.by_output(w, x, y, geometry.axes)
        return y
    if _onednn.fits(w, geometry):
        return _onednn.by_output(w, x, geometry.axes)
    plan = _plan(geometry, w, n)
    W = _matrices(w, geometry, plan)  # (taps, groups, k, rows)
    y = ys = None
    for (xs,) in _blocks(geometry, plan, x):
        columns = _unfold(xs, plan)  # (n, rows, …)
        if y is None or ys is None:  # only now: a padded copy of the images is gone
            y = empty_images(size, w, x)
            ys = _blocks(geometry, plan, y)
        Y = next(ys)[0].flatten(2)  # (n, k, …)
        for u, part in enumerate(_parts(columns, plan, Y)):
            Y.baddbmm_(W[u].expand(Y.shape[0], -1, -1), part, beta=min(u, 1))
            del part
        del columns  # before there are others
    return empty_images(size, w, x) if y is None else y


def by_input(
    w: Shaped[Tensor, "k c *taps"],
    y: Shaped[Tensor, "n k *windows"],
    geometry: Geometry,
) -> Shaped[Tensor, "n channels *pixels"]:
    """Return the derivative by x: the transposed convolution.

    Args:
        w: Weights.
        y: Output of the convolution, which is the input of the transposed one.
        geometry: The rest.

    Returns:
        Input of the convolution.
    """
    axes, groups = geometry
    x = empty_images(
        (y.shape[0], groups * w.shape[1], *(axis.i for axis in axes)), w, y
    )
    if _shifts.fits(w, geometry):
        _shifts.by_input(w, y, x, axes)
        return x
    x.zero_()
    if _onednn.fits(w, geometry) and len(w) <= prod(axis.o for axis in axes):
        _onednn.by_input(w, y, x, axes)
        return x
    plan = _plan(geometry, w)
    W = _matrices(w, geometry, plan).mT  # (taps, groups, rows, k)
    plain = is_plain(plan.axes)
    for xs, ys in _blocks(geometry, plan, x, y):
        Y = ys.flatten(2)
        n = Y.shape[0]
        size = n, W.shape[2], prod(axis.o for axis in plan.axes)
        columns = xs.flatten(2) if plain else xs.new_zeros(size)
        for u, part in enumerate(_parts(columns, plan, Y)):
            if groups == 1 and (n == 1 or plan.taps == 1):
                part.baddbmm_(W[u].expand(n, -1, -1), Y)
            elif Y.shape[1] == 1:
                part.addcmul_(W[u], Y)  # a column times a row
            else:  # in place, into slices, products would be made one by one
                part += W[u] @ Y
        if not plain:
            scatter_(columns, xs, plan.axes)
    return x


def by_weight(
    x: Shaped[Tensor, "n channels *pixels"],
    y: Shaped[Tensor, "n k *windows"],
    geometry: Geometry,
) -> Shaped[Tensor, "k c *taps"]:
    """Return the derivative by w: the gradient of the weights.

    Args:
        x: Input.
        y: Gradient of the output.
        geometry: The rest.

    Returns:
        Gradient of the weights.
    """
    axes, groups = geometry
    w = x.new_zeros(y.shape[1], x.shape[1] // groups, *(axis.k for axis in axes))
    if _shifts.fits(w, geometry, longest=_SHORT):
        _shifts.by_weight(x, y, w, axes)
        return w
    if _onednn.fits(w, geometry):
        _onednn.by_weight(x, y, w, axes)
        return w
    plan = _plan(geometry, w, x.shape[0])
    W = x.new_zeros(_matrices(w, geometry, plan).shape)  # (taps, groups, k, rows)
    for xs, ys in _blocks(geometry, plan, x, y):
        columns, Y = _unfold(xs, plan), ys.flatten(2)
        for u, part in enumerate(_parts(columns, plan, Y)):
            if groups > 1:
                W[u].baddbmm_(Y, part.mT)
            elif Y.shape[0] > 1 and Y.shape[1] <= Y.shape[2]:
                W[u] += (Y @ part.mT).sum(0)  # no larger than the columns
            else:
                W[u, 0].addbmm_(Y, part.mT)  # image by image
    taps = W.view(*W.shape[:3], w.shape[1], -1)  # (taps, groups, k, c, the others)
    return taps.movedim(0, 3).reshape(w.shape)


def _plan(geometry: Geometry, w: Tensor, n: int | None = None) -> _Plan:
    """Choose one of two ways to unfold: the one that holds less, or starts sooner.

    One unfolds all axes (im2col); then a single product remains. The other unfolds all
    but the first, where windows stand on every pixel. The columns that the next tap on
    the first axis needs are then the same, moved by one row of windows (or by several,
    under dilation): a slice. But it needs the weights sorted by that tap, a copy, and
    one of the images with their padding. Beside im2col there is room for as much of the
    latter as the output will take, which is made when it is gone.

    Args:
        geometry: The convolution.
        w: Its weights.
        n: Images, where few of them are better unfolded at once; None where columns are
            added up, which takes more steps the more axes are unfolded.
    """
    lead, *rest = geometry.axes
    channels, windows = geometry.groups * w.shape[1], prod(a.o for a in geometry.axes)
    numbers = channels * prod(axis.k for axis in geometry.axes) * windows
    copied = channels * prod(axis.reach for axis in geometry.axes)
    images = max(1, _TOGETHER // max(1, numbers))
    padded = w.shape[1] * min(numbers, w.shape[0] * windows) // max(1, copied)
    whole = _Plan(geometry.axes, 1, 0, images, padded)
    if lead.s > 1 or (n is not None and n * numbers <= _FEW):
        return whole
    row = prod(axis.o for axis in rest)
    held = copied + numbers // (lead.k * lead.o) * lead.reach
    if held + w.numel() >= numbers:
        return whole
    rows = lead._replace(k=1, o=lead.reach, d=1)
    images = max(1, _TOGETHER // held)
    return _Plan((rows, *rest), lead.k, lead.d * row, images, sys.maxsize)


def _unfold(x: Tensor, plan: _Plan) -> Tensor:
    return gather(x, plan.axes, padded=plan.padded)


def _matrices(
    w: Shaped[Tensor, "k c *taps"], geometry: Geometry, plan: _Plan
) -> Shaped[Tensor, "sliced groups k_of_group rows"]:
    """Sort the weights by the taps that are not unfolded: a view if there is one."""
    k, c = w.shape[0] // geometry.groups, w.shape[1]
    taps = w.reshape(geometry.groups, k, c, plan.taps, -1)
    return taps.movedim(3, 0).flatten(3)


def _blocks(
    geometry: Geometry, plan: _Plan, *images: Shaped[Tensor, "n ..."]
) -> Iterator[tuple[Tensor, ...]]:
    """Yield several images, or the groups of one: what one batch of products takes."""
    if geometry.groups == 1:
        for start in range(0, images[0].shape[0], plan.images):
            yield tuple(t[start : start + plan.images] for t in images)
        return
    for image in zip(*images, strict=True):
        yield tuple(t.unflatten(0, (geometry.groups, -1)) for t in image)


def _parts(columns: Tensor, plan: _Plan, Y: Tensor) -> Iterator[Tensor]:
    """Yield, for each tap that is not unfolded, the columns that it meets."""
    for u in range(plan.taps):
        yield columns.narrow(2, u * plan.step, Y.shape[2])

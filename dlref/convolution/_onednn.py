"""The three sums of a convolution in one group, from float32 on the CPU, by oneDNN.

torch hands matrices to the library for linear algebra that it was built with (MKL, for
most), convolutions to oneDNN. oneDNN multiplies as well, on an AMD processor in half
the time of MKL. Of torch's names for that, `F.linear` with `to_mkldnn` would copy both
matrices. The one used here, of torch's compiler, reads them where they are.

It wants a right factor without gaps: no slices. So this is im2col, of one image at a
time, or of parts of one if it is large.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._axis import Axis, is_plain
from dlref.convolution._columns import gather, scatter_
from dlref.convolution._geometry import Geometry, are_last, empty_images

__all__ = ["by_input", "by_output", "by_weight", "fits"]

_LARGE = 2**22  # multiplications from which it is faster,
_FEW = 2**5  # where each number of a factor takes part in so many
_TOGETHER = 2**21  # numbers that the columns of a block may add up to


class _Block(NamedTuple):
    """Some rows of windows of one image.

    Attributes:
        image: Which image.
        windows: Which rows of windows.
        pixels: Which rows of pixels these see.
        axes: The windows on these pixels.
    """

    image: int
    windows: slice
    pixels: slice
    axes: tuple[Axis, ...]


def fits(w: Shaped[Tensor, "k c *taps"], geometry: Geometry) -> bool:
    """Tell whether a convolution is one for this file, and faster by it.

    Args:
        w: Weights.
        geometry: The rest.

    Returns:
        Whether to call a function of this file.
    """
    if w.numel() * prod(axis.o for axis in geometry.axes) < _LARGE:
        return False
    ours = w.dtype == torch.float32 and w.device.type == "cpu"
    many = geometry.groups == 1 and min(w.shape[0], w.shape[1:].numel()) >= _FEW
    backend = torch.backends.mkldnn
    known = backend.is_available() and backend.enabled
    return ours and many and known and not torch.is_autocast_enabled("cpu")  # bfloat16


def by_output(
    w: Shaped[Tensor, "k c *taps"],
    x: Shaped[Tensor, "n c *pixels"],
    axes: Sequence[Axis],
) -> Shaped[Tensor, "n k *windows"]:
    """Return the derivative by y: the convolution."""
    W, size = w.flatten(1), (len(x), len(w), *(axis.o for axis in axes))
    blocks = list(_blocks(w, len(x), axes))
    if len(blocks) == 1 and not are_last(w, x):
        return _matmul(W, _gather(x, blocks[0], len(w))).resize_(size)  # no view
    y = empty_images(size, w, x)
    most = W.shape[1] if is_plain(axes) else max(1, W.shape[1] // 2)  # of a product
    for block in blocks:
        columns = _gather(x, block, most)
        for start in range(0, len(W), most):
            kernels = slice(start, start + most)
            ys = y[block.image, kernels, block.windows]
            ys.copy_(_matmul(W[kernels], columns).view(ys.shape))
        del columns  # before there are others
    return y


def by_input(
    w: Shaped[Tensor, "k c *taps"],
    y: Shaped[Tensor, "n k *windows"],
    x: Shaped[Tensor, "n c *pixels"],
    axes: Sequence[Axis],
) -> None:
    """Add the derivative by x to it: the transposed convolution."""
    rows = w.flatten(1).mT.contiguous()
    for block in _blocks(w, len(x), axes):
        Y = y[block.image, :, block.windows].flatten(1)
        xs = x[block.image, :, block.pixels].unsqueeze(0)
        columns = _matmul(rows, Y).unsqueeze(0)
        if is_plain(axes):
            xs += columns.view(xs.shape)
        else:
            scatter_(columns, xs, block.axes)


def by_weight(
    x: Shaped[Tensor, "n c *pixels"],
    y: Shaped[Tensor, "n k *windows"],
    w: Shaped[Tensor, "k c *taps"],
    axes: Sequence[Axis],
) -> None:
    """Add the derivative by w to it: the gradient of the weights."""
    for block in _blocks(w, len(x), axes):
        Y = y[block.image, :, block.windows].flatten(1)
        w += _matmul(Y, _gather(x, block, len(w)).mT).view(w.shape)


def _blocks(
    w: Shaped[Tensor, "k c *taps"], n: int, axes: Sequence[Axis]
) -> Iterator[_Block]:
    """Yield images whole, or in parts of as many rows, give or take one."""
    lead, *rest = axes
    numbers = w.shape[1:].numel() * prod(axis.o for axis in axes)
    parts = 1 if is_plain(axes) else min(lead.o, -(-numbers // _TOGETHER))
    for image, part in product(range(n), range(parts)):
        windows = slice(lead.o * part // parts, lead.o * (part + 1) // parts)
        axis = lead._replace(o=windows.stop - windows.start)
        first = (
            windows.start * lead.s - lead.p
        )  # pixel; before 0 and from i on, padding
        pixels = slice(max(0, first), max(0, first, min(lead.i, first + axis.reach)))
        axis = axis._replace(i=pixels.stop - pixels.start, p=max(0, -first))
        yield _Block(image, windows, pixels, (axis, *rest))


def _gather(
    x: Shaped[Tensor, "n c *pixels"], block: _Block, room: int
) -> Shaped[Tensor, "rows windows"]:
    """Unfold a block; there is room for so many more rows while it is done."""
    windows = room * prod(axis.o for axis in block.axes)
    channels = windows // prod(axis.reach for axis in block.axes)  # with padding
    xs = x[block.image, :, block.pixels].unsqueeze(0)
    return gather(xs, block.axes, padded=channels).squeeze(0)


def _matmul(
    A: Shaped[Tensor, "i j"], B: Shaped[Tensor, "j k"]
) -> Shaped[Tensor, "i k"]:
    if not (B.is_contiguous() or B.mT.is_contiguous()):
        return _matmul(A, B.contiguous())  # not in a plain loop
    linear = cast("Any", torch.ops).mkldnn._linear_pointwise
    return linear(A, B.mT, None, "none", [], "")

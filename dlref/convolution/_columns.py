"""Unfold an image into columns, one for each window; and its adjoint, which adds."""

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._axis import Axis, is_plain, overlaps

__all__ = ["gather", "scatter_"]


def gather(
    x: Shaped[Tensor, "n c *pixels"], axes: Sequence[Axis], *, padded: int
) -> Shaped[Tensor, "n rows windows"]:
    """Return what lies under the taps of each window; on the padding, zeros.

    It is a view of `x` where windows are pixels.

    Args:
        x: Images.
        axes: The windows on them.
        padded: How many channels may be copied at a time, to put zeros around them. It
            is faster than without (0), and holds more.

    Returns:
        One column a window, with a row for each tap on each channel.
    """
    if is_plain(axes):
        return x.flatten(2)
    ends = [end for axis in reversed(axes) for end in (axis.p, axis.behind)]
    dense = [axis._replace(i=axis.reach, p=0) for axis in axes]
    if any(axis.p > axis.reach for axis in axes):
        padded = 0  # all windows lie before the first pixel
    if max(ends) <= 0:
        columns = _windows(x, axes)
    elif padded >= x.shape[1]:
        columns = _windows(F.pad(x, ends), dense)
    elif padded:
        columns = x.new_empty(_shape(x, axes))
        for start in range(0, x.shape[1], padded):
            channels = slice(start, start + padded)
            columns[:, channels] = _windows(F.pad(x[:, channels], ends), dense)
    else:
        columns = x.new_zeros(_shape(x, axes))
        for taps, windows, pixels in overlaps(axes):
            columns[:, :, *taps, *windows] = x[:, :, *pixels]
    return columns.flatten(1, len(axes) + 1).flatten(2)  # the copy, where it is a view


def scatter_(
    columns: Shaped[Tensor, "n rows windows"],
    x: Shaped[Tensor, "n c *pixels"],
    axes: Sequence[Axis],
) -> None:
    """Add columns to the pixels that they lie on; what lies on the padding is lost.

    Args:
        columns: One column a window, with a row for each tap on each channel.
        x: Images, changed in place.
        axes: The windows on them.
    """
    columns = columns.reshape(_shape(x, axes))  # (n, c, *taps, *windows)
    for taps, windows, pixels in overlaps(axes):
        x[:, :, *pixels].add_(columns[:, :, *taps, *windows])


def _windows(x: Tensor, axes: Sequence[Axis]) -> Tensor:
    """Return a view of shape (n, c, *taps, *windows) of images without padding."""
    for dim, axis in enumerate(axes, 2):
        x = x.unfold(dim, axis.d * (axis.k - 1) + 1, axis.s)
        x = x.narrow(dim, 0, axis.o)[..., :: axis.d]
    windows, taps = range(2, 2 + len(axes)), range(2 + len(axes), x.dim())
    return x.permute(0, 1, *taps, *windows)


def _shape(x: Tensor, axes: Sequence[Axis]) -> tuple[int, ...]:
    return (*x.shape[:2], *(axis.k for axis in axes), *(axis.o for axis in axes))

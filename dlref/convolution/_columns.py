"""Unfold an image into columns, one for each window; and its adjoint, which adds."""

from collections.abc import Sequence

from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._axis import Axis, is_plain, overlaps

__all__ = ["gather", "scatter_"]


def gather(
    x: Shaped[Tensor, "n c *pixels"], axes: Sequence[Axis]
) -> Shaped[Tensor, "n rows windows"]:
    """Return what lies under the taps of each window; on the padding, zeros.

    It is a view of `x` where windows are pixels.

    Args:
        x: Images.
        axes: The windows on them.

    Returns:
        One column a window, with a row for each tap on each channel.
    """
    if is_plain(axes):
        return x.flatten(2)
    columns = x.new_zeros(_shape(x, axes))  # (n, c, *taps, *windows)
    for taps, windows, pixels in overlaps(axes):
        columns[:, :, *taps, *windows] = x[:, :, *pixels]
    return columns.flatten(1, len(axes) + 1).flatten(2)


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
        x[:, :, *pixels] += columns[:, :, *taps, *windows]


def _shape(x: Tensor, axes: Sequence[Axis]) -> tuple[int, ...]:
    return (*x.shape[:2], *(axis.k for axis in axes), *(axis.o for axis in axes))

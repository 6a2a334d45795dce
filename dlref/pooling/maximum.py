"""Max pooling."""

from typing import Literal, TypeAlias, overload

from jaxtyping import Int64, Real
from torch import Tensor

from dlref.pooling._geometry import (
    REAL,
    Axis,
    check_input,
    pooling_axes,
)
from dlref.pooling._maxima import pool_maxima
from dlref.shapes._arguments import Count

__all__ = ["max_pool1d", "max_pool2d", "max_pool3d"]

_Values: TypeAlias = Real[Tensor, "..."]
_Both: TypeAlias = tuple[Real[Tensor, "..."], Int64[Tensor, "..."]]


@overload
def max_pool1d(
    input: Real[Tensor, "*batch c w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Real[Tensor, "*batch c o"]: ...
@overload
def max_pool1d(
    input: Real[Tensor, "*batch c w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Real[Tensor, "*batch c o"], Int64[Tensor, "*batch c o"]]: ...
def max_pool1d(
    input: Real[Tensor, "*batch c w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> (
    Real[Tensor, "*batch c o"]
    | tuple[Real[Tensor, "*batch c o"], Int64[Tensor, "*batch c o"]]
):
    r"""Return the largest value of each window of a sequence.

    $$y_{c,t} = \max_{0 \le u < k} x_{c,\, ts - p + ud}$$

    As [`max_pool2d`][dlref.pooling.max_pool2d], along one axis.

    Args:
        input: Sequences $x$ of shape (N, C, W), or one of shape (C, W).
        kernel_size: Number of taps $k$.
        stride: Steps $s$ from one window to the next; None means $s = k$.
        padding: Steps $p$ added at each end, at most $k / 2$.
        dilation: Steps $d$ from one tap to the next.
        ceil_mode: Whether a last window may hang over the far end.
        return_indices: Whether to return the maxima's places too.

    Returns:
        Maxima $y$ of shape (N, C, o) or (C, o); with `return_indices` also their
        positions along W, int64.

    Raises:
        TypeError: If `input` is no tensor of real numbers, or a count no integer.
        ValueError: If a shape or a count is out of range.

    Examples:
        >>> import torch
        >>> max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 5.0, 4.0]]), 3, stride=2)
        tensor([[3., 5.]])
    """
    check_input(input, 1, REAL)
    axes = pooling_axes(
        input.shape[-1:], kernel_size, stride, padding, dilation, ceil_mode
    )
    return _pool(input, axes, return_indices)


@overload
def max_pool2d(
    input: Real[Tensor, "*batch c h w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Real[Tensor, "*batch c oh ow"]: ...
@overload
def max_pool2d(
    input: Real[Tensor, "*batch c h w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Real[Tensor, "*batch c oh ow"], Int64[Tensor, "*batch c oh ow"]]: ...
def max_pool2d(
    input: Real[Tensor, "*batch c h w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> (
    Real[Tensor, "*batch c oh ow"]
    | tuple[Real[Tensor, "*batch c oh ow"], Int64[Tensor, "*batch c oh ow"]]
):
    r"""Return the largest value of each window of an image, channel by channel.

    $$y_{c,i,j} = \max_{0 \le u < k_h} \max_{0 \le v < k_w}
        x_{c,\; i s_h - p_h + u d_h,\; j s_w - p_w + v d_w}$$

    Padding never wins: it counts as $-\infty$ (as the lowest integer). NaN wins over
    any number. Of equal values the first in reading order is taken, of NaNs the last;
    it alone receives the gradient. The output size is that of
    [`pool_output_size`][dlref.shapes.pool_output_size].

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W); floating
            point or integer.
        kernel_size: Number of taps $k$. This, `stride`, `padding` and `dilation`: an
            int for both axes, or (for H, for W).
        stride: Pixels $s$ from one window to the next; None means $s = k$.
        padding: Pixels $p$ added at each end, at most $k / 2$.
        dilation: Pixels $d$ from one tap to the next.
        ceil_mode: Whether a last window may hang over the far end, if it begins on a
            pixel or the near padding.
        return_indices: Whether to return the maxima's places too.

    Returns:
        Maxima $y$ of shape (N, C, o_h, o_w) or (C, o_h, o_w), of the input's dtype,
        channels last in memory if the input is; with `return_indices` also their
        places $h W + w$ in the plane (H, W), int64.

    Raises:
        TypeError: If `input` is no tensor of real numbers, or a count no integer.
        ValueError: If `input` has another number of axes, one but N is empty, a count
            is out of range, the padding exceeds half the kernel or no window fits.

    Examples:
        >>> import torch
        >>> x = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> max_pool2d(x, 2)
        tensor([[[[ 5.,  7.],
                  [13., 15.]]]])
        >>> max_pool2d(x, 3, stride=1, return_indices=True)[1].flatten()
        tensor([10, 11, 14, 15])

    References:
        Goodfellow, Bengio and Courville (2016), Deep Learning, section 9.3,
        [deeplearningbook.org](https://www.deeplearningbook.org/contents/convnets.html).
    """
    check_input(input, 2, REAL)
    axes = pooling_axes(
        input.shape[-2:], kernel_size, stride, padding, dilation, ceil_mode
    )
    return _pool(input, axes, return_indices)


@overload
def max_pool3d(
    input: Real[Tensor, "*batch c d h w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: Literal[False] = False,
) -> Real[Tensor, "*batch c od oh ow"]: ...
@overload
def max_pool3d(
    input: Real[Tensor, "*batch c d h w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    *,
    return_indices: Literal[True],
) -> tuple[Real[Tensor, "*batch c od oh ow"], Int64[Tensor, "*batch c od oh ow"]]: ...
def max_pool3d(
    input: Real[Tensor, "*batch c d h w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> (
    Real[Tensor, "*batch c od oh ow"]
    | tuple[Real[Tensor, "*batch c od oh ow"], Int64[Tensor, "*batch c od oh ow"]]
):
    """Return the largest value of each window of a volume.

    As [`max_pool2d`][dlref.pooling.max_pool2d], along three axes.

    Args:
        input: Volumes of shape (N, C, D, H, W), or one of shape (C, D, H, W).
        kernel_size: Number of taps. This, `stride`, `padding` and `dilation`: an int
            for all axes, or (for D, for H, for W).
        stride: Steps from one window to the next; None for the kernel's size.
        padding: Steps added at each end, at most half the kernel.
        dilation: Steps from one tap to the next.
        ceil_mode: Whether a last window may hang over the far end.
        return_indices: Whether to return the maxima's places too.

    Returns:
        Maxima of shape (N, C, o_d, o_h, o_w) or (C, o_d, o_h, o_w); with
        `return_indices` also their places (d H + h) W + w, int64.

    Raises:
        TypeError: If `input` is no tensor of real numbers, or a count no integer.
        ValueError: If a shape or a count is out of range.

    Examples:
        >>> import torch
        >>> max_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 2).item()
        7.0
    """
    check_input(input, 3, REAL)
    axes = pooling_axes(
        input.shape[-3:], kernel_size, stride, padding, dilation, ceil_mode
    )
    return _pool(input, axes, return_indices)


def _pool(x: Tensor, axes: list[Axis], return_indices: bool) -> _Values | _Both:
    y, places = pool_maxima(x, axes, places=return_indices)
    return y if places is None else (y, places)

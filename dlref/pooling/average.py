"""Average pooling, global average pooling and power-average pooling."""

import math
from typing import SupportsIndex

from jaxtyping import Float, Real
from torch import Tensor

from dlref.pooling._geometry import (
    AVERAGED,
    FLOATS,
    as_counts,
    as_divisor,
    check_input,
    pooling_axes,
)
from dlref.pooling._sums import pool_averages
from dlref.pooling.maximum import max_pool2d
from dlref.shapes._arguments import Count

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "global_avg_pool2d",
    "lp_pool2d",
]


def avg_pool1d(
    input: Real[Tensor, "*batch c w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Real[Tensor, "*batch c o"]:
    r"""Return the average of each window of a sequence.

    $$y_{c,t} = \frac{1}{k} \sum_{0 \le u < k} x_{c,\, ts - p + u}$$

    As [`avg_pool2d`][dlref.pooling.avg_pool2d], along one axis.

    Args:
        input: Sequences $x$ of shape (N, C, W), or one of shape (C, W).
        kernel_size: Number of taps $k$.
        stride: Steps $s$ from one window to the next; None means $s = k$.
        padding: Zeros $p$ added at each end, at most $k / 2$.
        ceil_mode: Whether a last window may hang over the far end.
        count_include_pad: Whether padding counts in the divisor.

    Returns:
        Averages $y$ of shape (N, C, o) or (C, o).

    Raises:
        TypeError: If `input` is no tensor of floating point or int64, or a count no
            integer.
        ValueError: If a shape or a count is out of range.

    Examples:
        >>> import torch
        >>> avg_pool1d(torch.tensor([[1.0, 3.0, 2.0, 5.0, 4.0]]), 3, stride=2)
        tensor([[2.0000, 3.6667]])
    """
    check_input(input, 1, AVERAGED)
    axes = pooling_axes(
        input.shape[-1:], kernel_size, stride, padding, ceil_mode=ceil_mode
    )
    return pool_averages(input, axes, count_include_pad=count_include_pad)


def avg_pool2d(
    input: Real[Tensor, "*batch c h w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: SupportsIndex | None = None,
) -> Real[Tensor, "*batch c oh ow"]:
    r"""Return the average of each window of an image, channel by channel.

    $$y_{c,i,j} = \frac{1}{n_{ij}} \sum_{0 \le u < k_h} \sum_{0 \le v < k_w}
        x_{c,\; i s_h - p_h + u,\; j s_w - p_w + v}$$

    Padding is 0. The divisor $n_{ij}$ is $k_h k_w$; where `ceil_mode` lets a window
    hang over the padded input, only what is inside counts; without
    `count_include_pad`, only pixels count. The output size is that of
    [`pool_output_size`][dlref.shapes.pool_output_size].

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W); floating
            point or int64.
        kernel_size: Number of taps $k$. This, `stride` and `padding`: an int for both
            axes, or (for H, for W).
        stride: Pixels $s$ from one window to the next; None means $s = k$.
        padding: Zeros $p$ added at each end, at most $k / 2$.
        ceil_mode: Whether a last window may hang over the far end, if it begins on a
            pixel or the near padding.
        count_include_pad: Whether padding counts in the divisor.
        divisor_override: A divisor instead of $n_{ij}$, not 0; 1 gives sums.

    Returns:
        Averages $y$ of shape (N, C, o_h, o_w) or (C, o_h, o_w), of the input's dtype,
        channels last in memory if the input is; of int64 rounded towards zero.

    Raises:
        TypeError: If `input` is no tensor of floating point or int64, or a count no
            integer.
        ValueError: If `input` has another number of axes, one but N is empty, a count
            is out of range, the padding exceeds half the kernel or no window fits.

    Examples:
        >>> import torch
        >>> x = torch.arange(16.0).reshape(1, 1, 4, 4)
        >>> avg_pool2d(x, 2)
        tensor([[[[ 2.5000,  4.5000],
                  [10.5000, 12.5000]]]])
        >>> ones = torch.ones(1, 2, 2)
        >>> [avg_pool2d(ones, 2, 2, 1, False, p)[0, 0, 0].item() for p in (True, False)]
        [0.25, 1.0]

    References:
        LeCun et al. (1998), Gradient-Based Learning Applied to Document Recognition,
        section II.B (its layers also scale the average and add a bias),
        [doi:10.1109/5.726791](https://doi.org/10.1109/5.726791).
    """
    check_input(input, 2, AVERAGED)
    divisor = as_divisor(divisor_override)
    axes = pooling_axes(
        input.shape[-2:], kernel_size, stride, padding, ceil_mode=ceil_mode
    )
    return pool_averages(
        input, axes, count_include_pad=count_include_pad, divisor=divisor
    )


def avg_pool3d(
    input: Real[Tensor, "*batch c d h w"],
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: SupportsIndex | None = None,
) -> Real[Tensor, "*batch c od oh ow"]:
    """Return the average of each window of a volume.

    As [`avg_pool2d`][dlref.pooling.avg_pool2d], along three axes; but an axis shorter
    than the kernel is refused, padded or not, as in torch.

    Args:
        input: Volumes of shape (N, C, D, H, W), or one of shape (C, D, H, W).
        kernel_size: Number of taps. This, `stride` and `padding`: an int for all axes,
            or (for D, for H, for W).
        stride: Steps from one window to the next; None for the kernel's size.
        padding: Zeros added at each end, at most half the kernel.
        ceil_mode: Whether a last window may hang over the far end.
        count_include_pad: Whether padding counts in the divisor.
        divisor_override: A divisor instead of the window's size, not 0.

    Returns:
        Averages of shape (N, C, o_d, o_h, o_w) or (C, o_d, o_h, o_w).

    Raises:
        TypeError: If `input` is no tensor of floating point or int64, or a count no
            integer.
        ValueError: If a shape or a count is out of range.

    Examples:
        >>> import torch
        >>> avg_pool3d(torch.arange(8.0).reshape(1, 2, 2, 2), 2).item()
        3.5
    """
    check_input(input, 3, AVERAGED)
    divisor = as_divisor(divisor_override)
    kernel = as_counts("kernel_size", kernel_size, 3, 1)
    sizes = input.shape[-3:]
    if any(i < k for i, k in zip(sizes, kernel, strict=True)):
        raise ValueError(
            f"expected input axes of at least {kernel} steps, got {tuple(sizes)}"
        )
    axes = pooling_axes(sizes, kernel, stride, padding, ceil_mode=ceil_mode)
    return pool_averages(
        input, axes, count_include_pad=count_include_pad, divisor=divisor
    )


def global_avg_pool2d(
    input: Float[Tensor, "*batch c h w"],
) -> Float[Tensor, "*batch c 1 1"]:
    r"""Return the average of each channel over the whole plane.

    $$y_c = \frac{1}{HW} \sum_{h,w} x_{c,h,w}$$

    It equals `adaptive_avg_pool2d(input, 1)` and `avg_pool2d(input, (H, W))`, and has
    no counterpart by this name in torch; `.flatten(-3)` gives the (N, C) of a
    classifier.

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W); floating
            point.

    Returns:
        Averages $y$ of shape (N, C, 1, 1) or (C, 1, 1).

    Raises:
        TypeError: If `input` is no tensor of floating point.
        ValueError: If `input` has another number of axes, or H or W is 0.

    Examples:
        >>> import torch
        >>> global_avg_pool2d(torch.arange(9.0).reshape(1, 3, 3))
        tensor([[[4.]]])

    References:
        Lin, Chen and Yan (2013), Network In Network, section 3.2,
        [arXiv:1312.4400](https://arxiv.org/abs/1312.4400).
    """
    check_input(input, 2, FLOATS, channels=0)
    return input.mean((-2, -1), keepdim=True)


def lp_pool2d(
    input: Real[Tensor, "*batch c h w"],
    norm_type: float | int,
    kernel_size: Count,
    stride: Count | None = None,
    ceil_mode: bool = False,
) -> Real[Tensor, "*batch c oh ow"]:
    r"""Return the p-norm of each window: of p = 1 the sum, of p = inf the maximum.

    $$y_{c,i,j} = \Bigl( \sum_{u,v} x_{c,\; i s_h + u,\; j s_w + v}^{\,p} \Bigr)^{1/p}$$

    As in torch, powers are taken of $x$ and not of its magnitude (but for infinite
    $p$), so a norm comes of even $p$ or $x \ge 0$ and NaN may come of others; a window
    that hangs over (`ceil_mode`) is weighed up to a full one; and where the sum of
    powers is 0 the gradient is 0.

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W).
        norm_type: Exponent $p$, not 0; infinite for the largest magnitude, minus
            infinite for the smallest.
        kernel_size: Number of taps, an int for both axes, or (for H, for W).
        stride: Pixels $s$ from one window to the next; None for the kernel's size.
        ceil_mode: Whether a last window may hang over the far end.

    Returns:
        Norms $y$ of shape (N, C, o_h, o_w) or (C, o_h, o_w).

    Raises:
        TypeError: If `input` is no tensor of floating point or int64, or a count no
            integer.
        ValueError: If a shape or a count is out of range, or `norm_type` is 0.

    Examples:
        >>> import torch
        >>> x = torch.tensor([[[3.0, 4.0], [0.0, 0.0]]])
        >>> [lp_pool2d(x, p, 2).item() for p in (1, 2, math.inf)]
        [7.0, 5.0, 4.0]

    References:
        Sermanet, Chintala and LeCun (2012), Convolutional Neural Networks Applied to
        House Numbers Digit Classification,
        [arXiv:1204.3968](https://arxiv.org/abs/1204.3968).
    """
    check_input(input, 2, AVERAGED)
    if norm_type == 0:
        raise ValueError("expected norm_type other than 0, got 0")
    k = as_counts("kernel_size", kernel_size, 2, 1)
    if norm_type == math.inf:
        return max_pool2d(input.abs(), k, stride, ceil_mode=ceil_mode)
    if norm_type == -math.inf:
        return -max_pool2d(-input.abs(), k, stride, ceil_mode=ceil_mode)
    total = avg_pool2d(input.pow(norm_type), k, stride, ceil_mode=ceil_mode)
    total = total.where(total != 0, 0)  # a constant: the root has no slope there
    return (total * math.prod(k)).pow(1 / norm_type)

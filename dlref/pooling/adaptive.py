"""Adaptive pooling: the output size is given, and windows follow from it."""

from typing import Literal, overload

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from dlref.pooling._geometry import (
    FLOATS,
    Size,
    adaptive_axes,
    as_counts,
    check_input,
)
from dlref.pooling._maxima import pool_maxima
from dlref.pooling._sums import pool_averages
from dlref.pooling._windows import empty
from dlref.shapes._arguments import Count

__all__ = ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool2d"]


@overload
def adaptive_max_pool2d(
    input: Float[Tensor, "*batch c h w"],
    output_size: Size,
    return_indices: Literal[False] = False,
) -> Float[Tensor, "*batch c oh ow"]: ...
@overload
def adaptive_max_pool2d(
    input: Float[Tensor, "*batch c h w"],
    output_size: Size,
    return_indices: Literal[True],
) -> tuple[Float[Tensor, "*batch c oh ow"], Int64[Tensor, "*batch c oh ow"]]: ...
def adaptive_max_pool2d(
    input: Float[Tensor, "*batch c h w"],
    output_size: Size,
    return_indices: bool = False,
) -> (
    Float[Tensor, "*batch c oh ow"]
    | tuple[Float[Tensor, "*batch c oh ow"], Int64[Tensor, "*batch c oh ow"]]
):
    r"""Return the largest value of each window, with as many windows as asked for.

    Window $t$ of $o$ on an axis of $i$ pixels reaches from
    $\lfloor t\,i / o \rfloor$ to $\lceil (t + 1)\,i / o \rceil$, exclusive.

    Args:
        input: Images of shape (N, C, H, W), or one of shape (C, H, W); floating point.
        output_size: Output size: one int for both axes, or (for H, for W), where None
            keeps the input's.
        return_indices: Whether to return the maxima's places too.

    Returns:
        Maxima of the output size; with `return_indices` also their places h W + w.

    Raises:
        TypeError: If `input` is no tensor of floating point, or a size no integer.
        ValueError: If a shape or a size is out of range.

    Examples:
        >>> adaptive_max_pool2d(torch.arange(9.0).reshape(1, 3, 3), 2)
        tensor([[[4., 5.],
                 [7., 8.]]])
    """
    check_input(input, 2, FLOATS)
    axes = adaptive_axes(input.shape[-2:], output_size)
    y = empty(input, axes)
    if y is not None:
        return (y, y.to(torch.int64)) if return_indices else y
    y, places = pool_maxima(input, axes, places=return_indices)
    return y if places is None else (y, places)


def adaptive_avg_pool1d(
    input: Float[Tensor, "*batch c w"], output_size: Count
) -> Float[Tensor, "*batch c o"]:
    r"""Return the average of each window of a sequence, with as many as asked for.

    As [`adaptive_avg_pool2d`][dlref.pooling.adaptive_avg_pool2d], along one axis.

    Args:
        input: Sequences of shape (N, C, W), or one of shape (C, W); floating point.
        output_size: Number of windows, an int or a sequence of one.

    Returns:
        Averages of shape (N, C, o) or (C, o).

    Raises:
        TypeError: If `input` is no tensor of floating point, or the size no integer.
        ValueError: If a shape or the size is out of range.

    Examples:
        >>> adaptive_avg_pool1d(torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), 2)
        tensor([[2., 4.]])
    """
    check_input(input, 1, FLOATS, channels=0)
    axes = adaptive_axes(input.shape[-1:], as_counts("output_size", output_size, 1, 0))
    y = empty(input, axes)
    return pool_averages(input, axes) if y is None else y


def adaptive_avg_pool2d(
    input: Float[Tensor, "*batch c h w"], output_size: Size
) -> Float[Tensor, "*batch c oh ow"]:
    r"""Return the average of each window, with as many windows as asked for.

    Window $t$ of $o$ on an axis of $i$ pixels covers the pixels

    $$\left\lfloor \frac{t\,i}{o} \right\rfloor, \;\ldots,\;
        \left\lceil \frac{(t + 1)\,i}{o} \right\rceil - 1 .$$

    If $o$ divides $i$, they are the windows of `avg_pool2d(input, i // o)`; if not,
    they overlap and differ in length.

    Args:
        input: Images of shape (N, C, H, W), or one of shape (C, H, W); floating point.
        output_size: Output size: one int for both axes, or (for H, for W), where None
            keeps the input's.

    Returns:
        Averages of shape (N, C, o_h, o_w) or (C, o_h, o_w), of the input's dtype,
        channels last in memory if the input is.

    Raises:
        TypeError: If `input` is no tensor of floating point, or a size no integer.
        ValueError: If a shape or a size is out of range.

    Examples:
        >>> x = torch.arange(9.0).reshape(1, 3, 3)
        >>> adaptive_avg_pool2d(x, 2)
        tensor([[[2., 3.],
                 [5., 6.]]])
        >>> adaptive_avg_pool2d(x, (None, 1)).shape
        torch.Size([1, 3, 1])

    References:
        [AdaptiveAvgPool2d](https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html),
        and its windows as torch computes them.
    """
    check_input(input, 2, FLOATS, channels=0)
    axes = adaptive_axes(input.shape[-2:], output_size)
    y = empty(input, axes)
    return pool_averages(input, axes) if y is None else y

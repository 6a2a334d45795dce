"""Transposed convolution: it goes the way of a convolution's gradient, as a layer."""

from typing import SupportsIndex

from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._arguments import (
    Count,
    autocast,
    check_channels,
    check_operands,
    transposed_axes,
)
from dlref.convolution._derivatives import differentiate
from dlref.convolution._geometry import Geometry

__all__ = ["conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def conv_transpose1d(
    input: Shaped[Tensor, "*batch c w"],
    weight: Shaped[Tensor, "c k_of_group kw"],
    bias: Shaped[Tensor, " k"] | None = None,
    stride: Count = 1,
    padding: Count = 0,
    output_padding: Count = 0,
    groups: SupportsIndex = 1,
    dilation: Count = 1,
) -> Shaped[Tensor, "*batch k ow"]:
    r"""Return the transposed convolution of sequences with kernels.

    $$y_{o,j} = b_o + \sum_c \; \sum_{i s + u d - p \,=\, j} w_{c,o,u}\; x_{c,i}$$

    As [`conv_transpose2d`][dlref.convolution.conv_transpose2d], along one axis.

    Args:
        input: Sequences $x$ of shape (N, C, W), or one of shape (C, W).
        weight: Kernels $w$ of shape (C, K / groups, $k_w$).
        bias: One number $b$ for each output channel, or None.
        stride: Steps $s$, in the output, from one input's window to the next.
        padding: Steps $p$ cut off at each end of the output.
        output_padding: Steps more at the far end.
        groups: Groups of channels, each a convolution of its own.
        dilation: Steps $d$ from one tap to the next.

    Returns:
        Sequences $y$ of shape (N, K, o) or (K, o).

    Raises:
        TypeError: If an operand is no tensor of numbers, their dtypes differ, or a
            count is no integer.
        ValueError: If a shape or a count is out of range, or nothing remains.

    Examples:
        >>> import torch
        >>> x, w = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[[1.0, 0.5]]])
        >>> conv_transpose1d(x, w, stride=2)
        tensor([[1.0000, 0.5000, 2.0000, 1.0000, 3.0000, 1.5000]])
    """
    geometry = stride, padding, output_padding, groups, dilation
    return _conv_transpose(1, input, weight, bias, *geometry)


def conv_transpose2d(
    input: Shaped[Tensor, "*batch c h w"],
    weight: Shaped[Tensor, "c k_of_group kh kw"],
    bias: Shaped[Tensor, " k"] | None = None,
    stride: Count = 1,
    padding: Count = 0,
    output_padding: Count = 0,
    groups: SupportsIndex = 1,
    dilation: Count = 1,
) -> Shaped[Tensor, "*batch k oh ow"]:
    r"""Return the transposed convolution of images with kernels.

    $$\langle \operatorname{conv}(z),\, x \rangle =
      \langle z,\, \operatorname{conv\_transpose}(x) \rangle$$

    for all $x$ and $z$, without bias: the matrix of
    [`conv2d`][dlref.convolution.conv2d] with the same kernels, transposed. Each input
    pixel puts its kernel, weighted, onto the output, where they add up. This is also
    how a gradient goes back through a convolution. It undoes the size of a convolution,
    not its values: it is no inverse.

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W).
        weight: Kernels of shape (C, K / groups, $k_h$, $k_w$): those of the convolution
            from K channels to C.
        bias: One number for each output channel, or None.
        stride: Pixels, in the output, from one input's window to the next. This and
            all that follow but the groups: an int for both axes, or one for each.
        padding: Pixels cut off at each end of the output.
        output_padding: Pixels more at the far end, fewer than the stride or than the
            dilation. They tell apart the sizes from which one convolution's output
            comes.
        groups: Groups of channels, each a convolution of its own.
        dilation: Pixels from one tap to the next.

    Returns:
        Images of shape (N, K, o_h, o_w) or (K, o_h, o_w), their sizes those of
        [`conv_transpose_output_size`][dlref.shapes.conv_transpose_output_size].

    Raises:
        TypeError: If an operand is no tensor of numbers, their dtypes differ, or a
            count is no integer.
        ValueError: If a shape or a count is out of range, or nothing remains.

    Examples:
        >>> import torch
        >>> x = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
        >>> conv_transpose2d(x, torch.ones(1, 1, 2, 2))  # kernels overlap and add up
        tensor([[[ 1.,  3.,  2.],
                 [ 4., 10.,  6.],
                 [ 3.,  7.,  4.]]])

    References:
        Dumoulin and Visin (2016), [arXiv:1603.07285](https://arxiv.org/abs/1603.07285),
        chapter 4.
    """
    geometry = stride, padding, output_padding, groups, dilation
    return _conv_transpose(2, input, weight, bias, *geometry)


def conv_transpose3d(
    input: Shaped[Tensor, "*batch c d h w"],
    weight: Shaped[Tensor, "c k_of_group kd kh kw"],
    bias: Shaped[Tensor, " k"] | None = None,
    stride: Count = 1,
    padding: Count = 0,
    output_padding: Count = 0,
    groups: SupportsIndex = 1,
    dilation: Count = 1,
) -> Shaped[Tensor, "*batch k od oh ow"]:
    """Return the transposed convolution of volumes with kernels.

    As [`conv_transpose2d`][dlref.convolution.conv_transpose2d], along three axes.

    Args:
        input: Volumes of shape (N, C, D, H, W), or one of shape (C, D, H, W).
        weight: Kernels of shape (C, K / groups, $k_d$, $k_h$, $k_w$).
        bias: One number for each output channel, or None.
        stride: Voxels, in the output, from one input's window to the next.
        padding: Voxels cut off at each end of the output.
        output_padding: Voxels more at the far end.
        groups: Groups of channels, each a convolution of its own.
        dilation: Voxels from one tap to the next.

    Returns:
        Volumes of shape (N, K, o_d, o_h, o_w) or (K, o_d, o_h, o_w).

    Raises:
        TypeError: If an operand is no tensor of numbers, their dtypes differ, or a
            count is no integer.
        ValueError: If a shape or a count is out of range, or nothing remains.

    Examples:
        >>> import torch
        >>> x, w = torch.ones(1, 4, 3, 3, 3), torch.ones(4, 2, 2, 2, 2)
        >>> conv_transpose3d(x, w, stride=2).shape
        torch.Size([1, 2, 6, 6, 6])
    """
    geometry = stride, padding, output_padding, groups, dilation
    return _conv_transpose(3, input, weight, bias, *geometry)


def _conv_transpose(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Count,
    padding: Count,
    output_padding: Count,
    groups: SupportsIndex,
    dilation: Count,
) -> Tensor:
    check_operands(n, input, weight, bias)
    input, weight, bias = autocast(input, weight, bias)
    x = input if input.dim() == n + 2 else input.unsqueeze(0)
    g = check_channels(groups, x.shape[1], weight, bias, transposed=True)
    axes = transposed_axes(
        x.shape[2:], weight.shape[2:], stride, padding, output_padding, dilation
    )
    y = differentiate(weight, None, x, Geometry(axes, g))
    if bias is not None:
        y.add_(bias.view(-1, *n * [1]))
    return y if x is input else y.squeeze(0)

r"""Convolution along one, two and three axes, as deep learning means the word.

What it computes is a cross-correlation. The convolution of mathematics, which rotates
the kernel, is [`true_conv2d`][dlref.convolution.true_conv2d].
"""

from typing import SupportsIndex

from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._arguments import (
    Count,
    Padding,
    autocast,
    check_channels,
    check_operands,
    conv_axes,
)
from dlref.convolution._derivatives import differentiate
from dlref.convolution._geometry import Geometry

__all__ = ["conv1d", "conv2d", "conv3d", "true_conv2d"]


def conv1d(
    input: Shaped[Tensor, "*batch c w"],
    weight: Shaped[Tensor, "k c_of_group kw"],
    bias: Shaped[Tensor, " k"] | None = None,
    stride: Count = 1,
    padding: Padding = 0,
    dilation: Count = 1,
    groups: SupportsIndex = 1,
) -> Shaped[Tensor, "*batch k ow"]:
    r"""Return the cross-correlation of sequences with kernels.

    $$y_{o,i} = b_o + \sum_c \sum_{0 \le u < k_w} w_{o,c,u}\; x_{c,\, i s + u d - p}$$

    As [`conv2d`][dlref.convolution.conv2d], along one axis.

    Args:
        input: Sequences $x$ of shape (N, C, W), or one of shape (C, W).
        weight: Kernels $w$ of shape (K, C / groups, $k_w$).
        bias: One number $b$ for each kernel, or None.
        stride: Steps $s$ from one window to the next.
        padding: Zeros $p$ at each end; "valid" for none, "same" to keep the length.
        dilation: Steps $d$ from one tap to the next.
        groups: Groups of channels, each a convolution of its own.

    Returns:
        Sequences $y$ of shape (N, K, o) or (K, o).

    Raises:
        TypeError: If an operand is no tensor of numbers, their dtypes differ, or a
            count is no integer.
        ValueError: If a shape or a count is out of range, or no window fits.

    Examples:
        >>> import torch
        >>> x = torch.tensor([[1.0, 2.0, 4.0, 7.0]])
        >>> conv1d(x, torch.tensor([[[-1.0, 1.0]]]))  # differences
        tensor([[1., 2., 3.]])
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Shaped[Tensor, "*batch c h w"],
    weight: Shaped[Tensor, "k c_of_group kh kw"],
    bias: Shaped[Tensor, " k"] | None = None,
    stride: Count = 1,
    padding: Padding = 0,
    dilation: Count = 1,
    groups: SupportsIndex = 1,
) -> Shaped[Tensor, "*batch k oh ow"]:
    r"""Return the cross-correlation of images with kernels.

    $$y_{o,i,j} = b_o + \sum_c \sum_{u, v} w_{o,c,u,v}\;
      x_{c,\; i s_h + u d_h - p_h,\; j s_w + v d_w - p_w}$$

    in which $x$ is 0 outside the image. Each of the $K$ kernels sums over all channels
    and gives one map; with groups, over those of its group.

    It is computed as products of matrices, on windows that are unfolded along all axes,
    or along all but the first: see `_products`, and `_onednn` for large ones of float32
    on the CPU. If each channel has a kernel of its own (depthwise), at stride 1, it is
    a sum of the image moved, once a tap: see `_shifts`. More than what im2col holds is
    never held. float16 and bfloat16 are summed in float32.

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W).
        weight: Kernels $w$ of shape (K, C / groups, $k_h$, $k_w$).
        bias: One number $b$ for each kernel, or None.
        stride: Pixels $s$ from one window to the next. This, the padding and the
            dilation: an int for both axes, or one for each.
        padding: Pixels $p$ at each end; "valid" for none, "same" to keep the size,
            which takes stride 1.
        dilation: Pixels $d$ from one tap to the next.
        groups: Groups of channels, each a convolution of its own.

    Returns:
        Maps $y$ of shape (N, K, o_h, o_w) or (K, o_h, o_w), their sizes those of
        [`conv_output_size`][dlref.shapes.conv_output_size]; channels last in memory
        where those of `input` or `weight` are.

    Raises:
        TypeError: If an operand is no tensor of numbers, their dtypes differ, or a
            count is no integer.
        ValueError: If a shape or a count is out of range, or no window fits.

    Examples:
        >>> import torch
        >>> x = torch.arange(9.0).reshape(1, 1, 3, 3)
        >>> w = torch.arange(4.0).reshape(1, 1, 2, 2)
        >>> conv2d(x, w, torch.tensor([1.0]))
        tensor([[[[20., 26.],
                  [38., 44.]]]])

    References:
        Dumoulin and Visin (2016), [arXiv:1603.07285](https://arxiv.org/abs/1603.07285);
        Goodfellow, Bengio and Courville (2016), Deep Learning, section 9.1,
        [deeplearningbook.org](https://www.deeplearningbook.org/contents/convnets.html).
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Shaped[Tensor, "*batch c d h w"],
    weight: Shaped[Tensor, "k c_of_group kd kh kw"],
    bias: Shaped[Tensor, " k"] | None = None,
    stride: Count = 1,
    padding: Padding = 0,
    dilation: Count = 1,
    groups: SupportsIndex = 1,
) -> Shaped[Tensor, "*batch k od oh ow"]:
    r"""Return the cross-correlation of volumes with kernels.

    $$y_{o,t} = b_o + \sum_c \sum_u w_{o,c,u}\; x_{c,\, t s + u d - p}, \qquad
      t, u \in \mathbb{Z}^3$$

    As [`conv2d`][dlref.convolution.conv2d], along three axes.

    Args:
        input: Volumes $x$ of shape (N, C, D, H, W), or one of shape (C, D, H, W).
        weight: Kernels $w$ of shape (K, C / groups, $k_d$, $k_h$, $k_w$).
        bias: One number $b$ for each kernel, or None.
        stride: Voxels $s$ from one window to the next.
        padding: Voxels $p$ at each end; "valid" for none, "same" to keep the size.
        dilation: Voxels $d$ from one tap to the next.
        groups: Groups of channels, each a convolution of its own.

    Returns:
        Volumes $y$ of shape (N, K, o_d, o_h, o_w) or (K, o_d, o_h, o_w).

    Raises:
        TypeError: If an operand is no tensor of numbers, their dtypes differ, or a
            count is no integer.
        ValueError: If a shape or a count is out of range, or no window fits.

    Examples:
        >>> import torch
        >>> conv3d(torch.ones(1, 2, 8, 9, 9), torch.ones(4, 2, 3, 3, 3)).shape
        torch.Size([1, 4, 6, 7, 7])
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def true_conv2d(
    input: Shaped[Tensor, "*batch c h w"],
    weight: Shaped[Tensor, "k c_of_group kh kw"],
    bias: Shaped[Tensor, " k"] | None = None,
    stride: Count = 1,
    padding: Padding = 0,
    dilation: Count = 1,
    groups: SupportsIndex = 1,
) -> Shaped[Tensor, "*batch k oh ow"]:
    r"""Return the convolution of images with kernels, as mathematics defines it.

    $$(w * x)_{i,j} = \sum_{u, v} w_{u,v}\; x_{i-u,\, j-v}$$

    The index of $x$ falls where that of $w$ rises. So it is
    [`conv2d`][dlref.convolution.conv2d] with the kernel rotated by 180°; the result is
    rotated by nothing.

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W).
        weight: Kernels $w$ of shape (K, C / groups, $k_h$, $k_w$).
        bias: One number for each kernel, or None.
        stride: Pixels from one window to the next.
        padding: Pixels at each end, "valid" or "same".
        dilation: Pixels from one tap to the next.
        groups: Groups of channels, each a convolution of its own.

    Returns:
        Maps of shape (N, K, o_h, o_w) or (K, o_h, o_w).

    Raises:
        TypeError: If an operand is no tensor of numbers, their dtypes differ, or a
            count is no integer.
        ValueError: If a shape or a count is out of range, or no window fits.

    Examples:
        >>> import torch
        >>> x = torch.zeros(1, 3, 3)
        >>> x[0, 1, 1] = 1
        >>> w = torch.arange(4.0).reshape(1, 1, 2, 2)
        >>> true_conv2d(x, w, padding=0)  # an impulse gives the kernel as it is
        tensor([[[0., 1.],
                 [2., 3.]]])

    References:
        Goodfellow, Bengio and Courville (2016), Deep Learning, equations 9.4 to 9.6,
        [deeplearningbook.org](https://www.deeplearningbook.org/contents/convnets.html).
    """
    rotated = weight.flip(-2, -1)
    return conv2d(input, rotated, bias, stride, padding, dilation, groups)


def _conv(
    n: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Count,
    padding: Padding,
    dilation: Count,
    groups: SupportsIndex,
) -> Tensor:
    check_operands(n, input, weight, bias)
    input, weight, bias = autocast(input, weight, bias)
    x = input if input.dim() == n + 2 else input.unsqueeze(0)
    g = check_channels(groups, x.shape[1], weight, bias, transposed=False)
    axes = conv_axes(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    y = differentiate(weight, x, None, Geometry(axes, g))
    if bias is not None:
        y.add_(bias.view(-1, *n * [1]))
    return y if x is input else y.squeeze(0)

"""Depthwise separable convolution: space first, channels second."""

from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._arguments import Count, Padding, check_operands
from dlref.convolution.correlation import conv2d

__all__ = ["depthwise_separable_conv2d"]


def depthwise_separable_conv2d(
    input: Shaped[Tensor, "*batch c h w"],
    depthwise_weight: Shaped[Tensor, "cm 1 kh kw"],
    pointwise_weight: Shaped[Tensor, "k cm 1 1"],
    bias: Shaped[Tensor, " k"] | None = None,
    stride: Count = 1,
    padding: Padding = 0,
    dilation: Count = 1,
) -> Shaped[Tensor, "*batch k oh ow"]:
    r"""Return a depthwise convolution followed by a pointwise one.

    $$z_{c m + a,\, i,j} = \sum_{u,v} D_{c m + a,\, u,v}\;
      x_{c,\; i s + u d - p,\; j s + v d - p}, \qquad
      y_{o,i,j} = b_o + \sum_{c'} P_{o,c'}\, z_{c',i,j}$$

    The first step filters each of the $C$ channels by itself, $m$ times; the second, a
    1x1 convolution, mixes the channels of each pixel. It is the convolution with the
    kernels $\sum_a P_{o,cm+a} D_{cm+a}$. For $m = 1$ those take
    $C k_h k_w + C K$ weights rather than $C K k_h k_w$: a share of
    $1 / K + 1 / (k_h k_w)$, in weights and in multiplications.

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W).
        depthwise_weight: $D$ of shape (C m, 1, $k_h$, $k_w$): $m$ kernels a channel.
        pointwise_weight: $P$ of shape (K, C m, 1, 1).
        bias: One number $b$ for each output channel, or None.
        stride: Pixels $s$ from one window of the first step to the next.
        padding: Pixels $p$ at each end, "valid" or "same".
        dilation: Pixels $d$ from one tap to the next.

    Returns:
        Maps $y$ of shape (N, K, o_h, o_w) or (K, o_h, o_w).

    Raises:
        TypeError: If an operand is no tensor of numbers, their dtypes differ, or a
            count is no integer.
        ValueError: If a shape or a count is out of range, or no window fits.

    Examples:
        >>> import torch
        >>> x = torch.ones(1, 2, 4, 4)
        >>> D, P = torch.ones(2, 1, 3, 3), torch.tensor([1.0, 10.0]).reshape(1, 2, 1, 1)
        >>> depthwise_separable_conv2d(x, D, P)
        tensor([[[[99., 99.],
                  [99., 99.]]]])

    References:
        Chollet (2016), Xception: deep learning with depthwise separable convolutions,
        [arXiv:1610.02357](https://arxiv.org/abs/1610.02357), section 1.2 (which has the
        two steps without a nonlinearity in between); Howard et al. (2017), MobileNets,
        [arXiv:1704.04861](https://arxiv.org/abs/1704.04861), section 3.1 (the cost).
    """
    check_operands(2, input, depthwise_weight, bias)
    check_operands(2, input, pointwise_weight, bias)
    if tuple(pointwise_weight.shape[2:]) != (1, 1):
        raise ValueError(
            "expected pointwise_weight of shape (K, C m, 1, 1), "
            f"got one of shape {(*pointwise_weight.shape,)}"
        )
    channels = input.shape[-3]
    z = conv2d(input, depthwise_weight, None, stride, padding, dilation, channels)
    return conv2d(z, pointwise_weight, bias)

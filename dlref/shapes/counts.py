r"""Parameters and multiply-accumulate operations (MACs) of layers.

A parameter is stored once however often it is used; a MAC, $a \leftarrow a + w x$, is
counted each time. That is why a convolution has few parameters and many MACs.
"""

from math import prod
from typing import Any, SupportsIndex

from dlref.shapes._arguments import Count, as_int, is_per_axis, per_axis

__all__ = ["conv_macs", "conv_num_params", "linear_num_params"]


def conv_num_params(
    in_channels: SupportsIndex,
    out_channels: SupportsIndex,
    kernel_size: Count,
    *,
    groups: SupportsIndex = 1,
    bias: bool = True,
) -> int:
    r"""Return the number of parameters of a convolution.

    $$\left(\frac{C_{in}}{g} \prod_a k_a + 1\right) C_{out}$$

    Each of the $C_{out}$ kernels spans *all* input channels of its group and has one
    bias. Stride, padding and dilation do not enter: they move the kernel, they do not
    add to it.

    Args:
        in_channels: Input channels $C_{in}$.
        out_channels: Output channels $C_{out}$, the number of kernels.
        kernel_size: Taps $k_a$ along each axis: an int for a square 2-D kernel, or a
            tuple of one int per axis; `(5,)` is a 1-D kernel, `(3, 3, 3)` a 3-D one.
        groups: Groups $g$ of channels that do not see one another; $g = C_{in}$ is a
            depthwise convolution. Must divide both channel counts.
        bias: Whether there is a bias, the $+ 1$.

    Returns:
        The number of trainable numbers.

    Raises:
        TypeError: If a count is not an integer (bool and float are not).
        ValueError: If a count is below 1, or `groups` does not divide the channels.

    Examples:
        >>> conv_num_params(3, 6, 5)  # (5 * 5 * 3 + 1) * 6
        456
        >>> conv_num_params(32, 32, (3, 3), groups=32, bias=False)  # depthwise
        288

    References:
        LeCun, Bottou, Bengio and Haffner (1998), Gradient-based learning applied to
        document recognition, [doi:10.1109/5.726791](https://doi.org/10.1109/5.726791),
        section II.B (layer C1: 156 parameters).
    """
    C, K = _channels(in_channels, out_channels, groups)
    axes = _axes(kernel_size=kernel_size)
    taps = prod(as_int("kernel_size", axis["kernel_size"], 1) for axis in axes)
    return (C * taps + bool(bias)) * K


def linear_num_params(
    in_features: SupportsIndex, out_features: SupportsIndex, *, bias: bool = True
) -> int:
    r"""Return the number of parameters of a fully connected layer.

    $$(n_{in} + 1)\, n_{out}$$

    Args:
        in_features: Inputs $n_{in}$.
        out_features: Outputs $n_{out}$.
        bias: Whether there is a bias, the $+ 1$.

    Returns:
        The number of trainable numbers.

    Raises:
        TypeError: If a count is not an integer (bool and float are not).
        ValueError: If a count is below 1.

    Examples:
        >>> linear_num_params(28 * 28, 100)
        78500

    References:
        [Linear](https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html).
    """
    n_in = as_int("in_features", in_features, 1)
    return (n_in + bool(bias)) * as_int("out_features", out_features, 1)


def conv_macs(
    in_channels: SupportsIndex,
    out_channels: SupportsIndex,
    kernel_size: Count,
    output_size: Count,
    *,
    groups: SupportsIndex = 1,
) -> int:
    r"""Return the multiply-accumulate operations of a convolution, for one image.

    $$\frac{C_{in}}{g} \prod_a k_a \; C_{out} \prod_a o_a$$

    Every weight is used once at every output position. Taps that fall on the padding
    are counted as well, since the usual algorithms compute them; the bias is not, and
    a FLOP count is about twice the MAC count.

    Args:
        in_channels: Input channels $C_{in}$.
        out_channels: Output channels $C_{out}$.
        kernel_size: Taps $k_a$ along each axis.
        output_size: Output length $o_a$ along each axis in pixels, as
            [`conv_output_size`][dlref.shapes.conv_output_size] gives it. Where neither
            this nor `kernel_size` is a tuple, both are square and 2-D.
        groups: Groups $g$ of channels that do not see one another.

    Returns:
        The number of MACs.

    Raises:
        TypeError: If a count is not an integer (bool and float are not).
        ValueError: If a count is below 1, `groups` does not divide the channels, or the
            tuples differ in length.

    Examples:
        >>> conv_macs(3, 64, 7, 112)  # ResNet stem at 224 x 224
        118013952

    References:
        He, Zhang, Ren and Sun (2015), [arXiv:1512.03385](https://arxiv.org/abs/1512.03385),
        table 1, counts its "FLOPs" this way.
    """
    C, K = _channels(in_channels, out_channels, groups)
    axes = _axes(output_size=output_size, kernel_size=kernel_size)
    taps = prod(as_int("kernel_size", axis["kernel_size"], 1) for axis in axes)
    positions = prod(as_int("output_size", axis["output_size"], 1) for axis in axes)
    return C * taps * K * positions


def _channels(
    in_channels: SupportsIndex, out_channels: SupportsIndex, groups: SupportsIndex
) -> tuple[int, int]:
    """Return the input channels that one kernel sees, and the number of kernels."""
    C = as_int("in_channels", in_channels, 1)
    K = as_int("out_channels", out_channels, 1)
    g = as_int("groups", groups, 1)
    if C % g or K % g:
        raise ValueError(
            f"expected groups to divide the channels, "
            f"got groups={g}, in_channels={C}, out_channels={K}"
        )
    return C // g, K


def _axes(**sizes: object) -> list[dict[str, Any]]:
    """Spread sizes over the axes; where all are ints, they are square and 2-D."""
    if not any(is_per_axis(size) for size in sizes.values()):
        sizes = {name: (size, size) for name, size in sizes.items()}
    return per_axis(**sizes)

"""Windows as columns (im2col), and their way back (col2im)."""

from math import prod
from typing import Any, cast

import torch
from jaxtyping import Shaped
from torch import Tensor

from dlref._signature import keep_signature
from dlref.convolution._arguments import Count, conv_axes, per_axis
from dlref.convolution._axis import Axis, is_plain
from dlref.convolution._columns import gather, scatter_

__all__ = ["fold", "unfold"]


def unfold(
    input: Shaped[Tensor, "*batch c h w"],
    kernel_size: Count,
    dilation: Count = 1,
    padding: Count = 0,
    stride: Count = 1,
) -> Shaped[Tensor, "*batch rows windows"]:
    r"""Return the windows of images, each as a column (im2col).

    $$\text{columns}_{(c,u,v),\,(i,j)} =
      x_{c,\; i s_h + u d_h - p_h,\; j s_w + v d_w - p_w}$$

    A convolution is then one product of matrices: the kernels, a row each, times these
    columns. They hold up to $k_h k_w$ times what the image does, and that is the price.

    Args:
        input: Images $x$ of shape (N, C, H, W), or one of shape (C, H, W).
        kernel_size: Taps of a window. This and all that follow: an int for both axes,
            or one for each.
        dilation: Pixels $d$ from one tap to the next.
        padding: Pixels $p$ of zeros at each end.
        stride: Pixels $s$ from one window to the next.

    Returns:
        Columns of shape (N, C $k_h k_w$, o_h o_w) or (C $k_h k_w$, o_h o_w).

    Raises:
        TypeError: If `input` is no tensor, or a count no integer.
        ValueError: If a shape or a count is out of range, or no window fits.

    Examples:
        >>> import torch
        >>> unfold(torch.arange(9.0).reshape(1, 3, 3), 2)
        tensor([[0., 1., 3., 4.],
                [1., 2., 4., 5.],
                [3., 4., 6., 7.],
                [4., 5., 7., 8.]])

    References:
        Chellapilla, Puri and Simard (2006), High performance convolutional neural
        networks for document processing,
        [inria-00112631](https://inria.hal.science/inria-00112631).
    """
    _check(input, "input", 3)
    x = input if input.dim() == 4 else input.unsqueeze(0)
    if x.shape[1] < 1:
        raise ValueError(f"expected channels, got input of shape {(*input.shape,)}")
    k = per_axis("kernel_size", kernel_size, 2)
    axes = conv_axes(x.shape[2:], k, stride, padding, dilation)
    columns = cast("Any", _Unfolded).apply(x, axes)
    return columns if x is input else columns.squeeze(0)


def fold(
    input: Shaped[Tensor, "*batch rows windows"],
    output_size: Count,
    kernel_size: Count,
    dilation: Count = 1,
    padding: Count = 0,
    stride: Count = 1,
) -> Shaped[Tensor, "*batch c h w"]:
    r"""Return images onto which columns are put back, where they add up (col2im).

    $$\langle \operatorname{unfold}(x),\, y \rangle =
      \langle x,\, \operatorname{fold}(y) \rangle$$

    for all $x$ and $y$: the adjoint of [`unfold`][dlref.convolution.unfold], and its
    gradient. It is no inverse: a pixel of $m$ windows comes back $m$ times as large.

    Args:
        input: Columns of shape (N, C $k_h k_w$, L) or (C $k_h k_w$, L), one for each of
            $L$ windows.
        output_size: Height and width of the images, in pixels.
        kernel_size: Taps of a window.
        dilation: Pixels from one tap to the next.
        padding: Pixels at each end, where what is put is lost.
        stride: Pixels from one window to the next.

    Returns:
        Images of shape (N, C, H, W) or (C, H, W).

    Raises:
        TypeError: If `input` is no tensor, or a count no integer.
        ValueError: If a shape or a count is out of range, or the columns are not those
            of the windows.

    Examples:
        >>> import torch
        >>> fold(torch.ones(4, 4), 3, 2)  # in how many windows each pixel lies
        tensor([[[1., 2., 1.],
                 [2., 4., 2.],
                 [1., 2., 1.]]])
    """
    _check(input, "input", 2)
    y = input if input.dim() == 3 else input.unsqueeze(0)
    k = per_axis("kernel_size", kernel_size, 2)
    size = per_axis("output_size", output_size, 2)
    axes = conv_axes(size, k, stride, padding, dilation)
    windows = prod(axis.o for axis in axes)
    if y.shape[2] != windows or y.shape[1] < 1 or y.shape[1] % prod(k):
        raise ValueError(
            f"expected {windows} columns with a multiple of {prod(k)} rows, "
            f"got input of shape {(*input.shape,)}"
        )
    images = cast("Any", _Folded).apply(y, axes)
    return images if y is input else images.squeeze(0)


def _check(t: object, name: str, dims: int) -> None:
    if not isinstance(t, Tensor):
        raise TypeError(f"expected {name} to be a Tensor, got {type(t).__name__}")
    if t.dim() not in (dims, dims + 1):
        raise ValueError(
            f"expected {name} of {dims} dimensions (unbatched) or {dims + 1}, "
            f"got one of shape {(*t.shape,)}"
        )


@keep_signature
class _Unfolded(torch.autograd.Function):
    """`gather` with its gradient."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, axes: tuple[Axis, ...]) -> Tensor:
        """Return the columns, and no view."""
        columns = gather(x, axes, padded=False)
        return columns.clone() if is_plain(axes) else columns

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:  # noqa: ANN401
        """Keep the axes."""
        _, ctx.axes = inputs

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to the images."""
        return cast("Any", _Folded).apply(*grad_outputs, ctx.axes), None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent, which is unfolded likewise."""
        return cast("Any", _Unfolded).apply(grad_inputs[0], ctx.axes)


@keep_signature
class _Folded(torch.autograd.Function):
    """`scatter_` with its gradient."""

    generate_vmap_rule = True

    @staticmethod
    def forward(y: Tensor, axes: tuple[Axis, ...]) -> Tensor:
        """Return the images."""
        channels = y.shape[1] // prod(axis.k for axis in axes)
        x = y.new_zeros(len(y), channels, *(axis.i for axis in axes))
        scatter_(y, x, axes)
        return x

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:  # noqa: ANN401
        """Keep the axes."""
        _, ctx.axes = inputs

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to the columns."""
        return cast("Any", _Unfolded).apply(*grad_outputs, ctx.axes), None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent, which is folded likewise."""
        return cast("Any", _Folded).apply(grad_inputs[0], ctx.axes)

"""Output size of max and average pooling."""

from typing import SupportsIndex, overload

from dlref.shapes._arguments import Count, PerAxis, as_int, is_per_axis, map_axes

__all__ = ["pool_output_size"]


@overload
def pool_output_size(
    size: SupportsIndex,
    kernel_size: SupportsIndex,
    *,
    stride: SupportsIndex | None = None,
    padding: SupportsIndex = 0,
    dilation: SupportsIndex = 1,
    ceil_mode: bool = False,
) -> int: ...
@overload
def pool_output_size(
    size: PerAxis,
    kernel_size: Count,
    *,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
) -> tuple[int, ...]: ...
def pool_output_size(
    size: Count,
    kernel_size: Count,
    *,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
) -> int | tuple[int, ...]:
    r"""Return the length of a spatial axis after max or average pooling.

    $$o = \left\lfloor \frac{i + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1$$

    With `ceil_mode` the quotient is rounded up, so that a last window may hang over the
    far end; it is dropped if it does not even *start* in the input or the near padding.

    Args:
        size: Input length $i$ in pixels, or one length per axis: `(height, width)`.
        kernel_size: Number of taps $k$. This and all that follow: an int for every
            axis, or one int per axis of `size`.
        stride: Pixels $s$ from one window to the next; None means $s = k$.
        padding: Pixels $p$ added at *each* end, at most half the kernel: $p \le k / 2$,
            whatever the dilation.
        dilation: Pixels $d$ from one tap to the next; average pooling has 1.
        ceil_mode: Round up instead of down.

    Returns:
        Output length $o$ in pixels, at least 1; a tuple if `size` is one.

    Raises:
        TypeError: If an argument is not an integer (bool and float are not).
        ValueError: If a count is out of range, the padding exceeds half the kernel, or
            no
            window fits: whenever `torch.nn.functional.max_pool2d` fails. (`avg_pool3d`
            alone also refuses an input shorter than the kernel, padded or not.)

    Examples:
        >>> pool_output_size(112, 3, stride=2, padding=1)  # ResNet stem
        56
        >>> [pool_output_size(6, 3, stride=2, ceil_mode=ceil) for ceil in (False, True)]
        [2, 3]

    References:
        Dumoulin and Visin (2016), [arXiv:1603.07285](https://arxiv.org/abs/1603.07285),
        relationship 7, to which padding and `ceil_mode` are torch's additions
        ([MaxPool2d](https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html)).
    """
    if is_per_axis(size):
        return map_axes(
            pool_output_size,
            size=size,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            ceil_mode=ceil_mode,
        )
    i, k = as_int("size", size, 1), as_int("kernel_size", kernel_size, 1)
    s = k if stride is None else as_int("stride", stride, 1)
    p, d = as_int("padding", padding, 0), as_int("dilation", dilation, 1)
    if p > k // 2:
        raise ValueError(
            f"expected padding <= kernel_size / 2, got padding={p}, kernel_size={k}"
        )
    slack = i + 2 * p - (d * (k - 1) + 1)  # pixels that the first window leaves free
    o = (slack + (s - 1 if ceil_mode else 0)) // s + 1
    if o < 1:
        raise ValueError(
            f"expected a window within the padded input, got kernel_size={k}, "
            f"dilation={d} on {i} + {2 * p} pixels"
        )
    return o - 1 if ceil_mode and (o - 1) * s >= i + p else o

"""Output sizes of convolutions and transposed convolutions.

A formula counts the places of a sliding window along *one* axis; axes do not interact,
so a tuple of sizes gives a tuple of results. What torch refuses is refused here as
well.
"""

from typing import SupportsIndex, overload

from dlref.shapes._arguments import (
    Count,
    NamedPadding,
    PerAxis,
    as_int,
    is_per_axis,
    map_axes,
)

__all__ = [
    "conv_output_size",
    "conv_transpose_output_size",
    "same_padding",
]


@overload
def conv_output_size(
    size: SupportsIndex,
    kernel_size: SupportsIndex,
    *,
    stride: SupportsIndex = 1,
    padding: SupportsIndex | NamedPadding = 0,
    dilation: SupportsIndex = 1,
) -> int: ...
@overload
def conv_output_size(
    size: PerAxis,
    kernel_size: Count,
    *,
    stride: Count = 1,
    padding: Count | NamedPadding = 0,
    dilation: Count = 1,
) -> tuple[int, ...]: ...
def conv_output_size(
    size: Count,
    kernel_size: Count,
    *,
    stride: Count = 1,
    padding: Count | NamedPadding = 0,
    dilation: Count = 1,
) -> int | tuple[int, ...]:
    r"""Return the length of a spatial axis after a convolution.

    $$o = \left\lfloor \frac{i + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1$$

    The floor takes the whole quotient: a last, incomplete step is not made.

    Args:
        size: Input length $i$ in pixels, or one length per axis: `(height, width)`.
        kernel_size: Number of taps $k$. This and all that follow: an int for every
            axis, or one int per axis of `size`.
        stride: Pixels $s$ from one window to the next.
        padding: Pixels $p$ added at *each* end, or torch's `"valid"` (none) or `"same"`
            (as many as keep the size, see [`same_padding`][dlref.shapes.same_padding]).
        dilation: Pixels $d$ from one tap to the next; 1 leaves no gap.

    Returns:
        Output length $o$ in pixels, at least 1; a tuple if `size` is one.

    Raises:
        TypeError: If an argument is not an integer (bool and float are not).
        ValueError: If a count is out of range, the window exceeds the padded input, or
            `"same"` comes with a stride: whenever `torch.nn.functional.conv2d` fails.

    Examples:
        >>> conv_output_size(224, 7, stride=2, padding=3)  # ResNet stem
        112
        >>> conv_output_size((480, 640), (3, 5), padding="same")
        (480, 640)

    References:
        Dumoulin and Visin (2016), [arXiv:1603.07285](https://arxiv.org/abs/1603.07285),
        relationships 6 and 15.
    """
    if is_per_axis(size):
        return map_axes(
            conv_output_size,
            size=size,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
        )
    i, k = as_int("size", size, 1), as_int("kernel_size", kernel_size, 1)
    s, d = as_int("stride", stride, 1), as_int("dilation", dilation, 1)
    total = _total_padding(padding, k, s, d)
    window = d * (k - 1) + 1
    if window > i + total:
        raise ValueError(
            f"expected a window within the padded input, got one of {window} pixels "
            f"(kernel_size={k}, dilation={d}) on {i} + {total} pixels"
        )
    return (i + total - window) // s + 1


def _total_padding(padding: Count | NamedPadding, k: int, s: int, d: int) -> int:
    if not isinstance(padding, str):
        return 2 * as_int("padding", padding, 0)
    if padding == "valid":
        return 0
    if padding != "same" or s != 1:
        raise ValueError(
            'expected padding to be an int, "valid" or, with stride=1, "same", '
            f"got padding={padding!r}, stride={s}"
        )
    return sum(same_padding(k, dilation=d))


@overload
def conv_transpose_output_size(
    size: SupportsIndex,
    kernel_size: SupportsIndex,
    *,
    stride: SupportsIndex = 1,
    padding: SupportsIndex = 0,
    output_padding: SupportsIndex = 0,
    dilation: SupportsIndex = 1,
) -> int: ...
@overload
def conv_transpose_output_size(
    size: PerAxis,
    kernel_size: Count,
    *,
    stride: Count = 1,
    padding: Count = 0,
    output_padding: Count = 0,
    dilation: Count = 1,
) -> tuple[int, ...]: ...
def conv_transpose_output_size(
    size: Count,
    kernel_size: Count,
    *,
    stride: Count = 1,
    padding: Count = 0,
    output_padding: Count = 0,
    dilation: Count = 1,
) -> int | tuple[int, ...]:
    r"""Return the length of a spatial axis after a transposed convolution.

    $$o = (i - 1)\,s - 2p + d\,(k - 1) + a + 1$$

    It undoes [`conv_output_size`][dlref.shapes.conv_output_size] of the same arguments.
    That one floors, so $s$ input lengths share an output length: $a$ says which is
    meant.

    Args:
        size: Input length $i$ in pixels, or one length per axis: `(height, width)`.
        kernel_size: Number of taps $k$. This and all that follow: an int for every
            axis, or one int per axis of `size`.
        stride: Pixels $s$ from one window to the next, in the *output*.
        padding: Pixels $p$ cut off at *each* end of the output.
        output_padding: Pixels $a$ more at the far end, fewer than the stride or than
            the dilation.
        dilation: Pixels $d$ from one tap to the next; 1 leaves no gap.

    Returns:
        Output length $o$ in pixels, at least 1; a tuple if `size` is one.

    Raises:
        TypeError: If an argument is not an integer (bool and float are not).
        ValueError: If a count is out of range, `output_padding` is not below the
            larger of stride and dilation, or nothing remains: whenever
            `torch.nn.functional.conv_transpose2d` fails.

    Examples:
        >>> conv_transpose_output_size(7, 4, stride=2, padding=1)  # DCGAN doubles
        14

    References:
        Dumoulin and Visin (2016), [arXiv:1603.07285](https://arxiv.org/abs/1603.07285),
        relationship 14.
    """
    if is_per_axis(size):
        return map_axes(
            conv_transpose_output_size,
            size=size,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            dilation=dilation,
        )
    i, k = as_int("size", size, 1), as_int("kernel_size", kernel_size, 1)
    s, d = as_int("stride", stride, 1), as_int("dilation", dilation, 1)
    p, a = as_int("padding", padding, 0), as_int("output_padding", output_padding, 0)
    if a >= max(s, d):
        raise ValueError(
            f"expected output_padding below stride or dilation, "
            f"got output_padding={a}, stride={s}, dilation={d}"
        )
    o = (i - 1) * s - 2 * p + d * (k - 1) + a + 1
    if o < 1:
        raise ValueError(
            f"expected padding to leave a pixel, got padding={p}: {o} pixels"
        )
    return o


def same_padding(
    kernel_size: SupportsIndex, *, dilation: SupportsIndex = 1
) -> tuple[int, int]:
    r"""Return the padding of torch's `padding="same"`: it keeps a length at stride 1.

    The two ends together need $P = d\,(k - 1)$ pixels. Where $P$ is odd, which takes an
    even kernel, torch puts the extra pixel at the far end (right, bottom).

    Args:
        kernel_size: Number of taps $k$ along the axis.
        dilation: Pixels $d$ from one tap to the next; 1 leaves no gap.

    Returns:
        Pixels at the near and at the far end: $\lfloor P/2 \rfloor$ and
        $\lceil P/2 \rceil$.

    Raises:
        TypeError: If an argument is not an integer (bool and float are not).
        ValueError: If an argument is below 1.

    Examples:
        >>> same_padding(3), same_padding(4)
        ((1, 1), (1, 2))

    References:
        Dumoulin and Visin (2016), [arXiv:1603.07285](https://arxiv.org/abs/1603.07285),
        relationship 3 (odd kernels);
        [Conv2d](https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html).
    """
    k, d = as_int("kernel_size", kernel_size, 1), as_int("dilation", dilation, 1)
    P = d * (k - 1)
    return P // 2, P - P // 2

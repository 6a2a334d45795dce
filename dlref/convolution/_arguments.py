"""Reading the arguments of a convolution: tensors that fit, and its axes."""

from collections.abc import Sequence
from typing import Literal, SupportsIndex, TypeAlias, cast

import torch
from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._axis import Axis
from dlref.shapes._arguments import as_int, is_per_axis

__all__ = [
    "Count",
    "Padding",
    "autocast",
    "check_channels",
    "check_operands",
    "conv_axes",
    "per_axis",
    "transposed_axes",
]

Count: TypeAlias = SupportsIndex | Sequence[SupportsIndex]
"""One count for every axis, or one for each."""

Padding: TypeAlias = Count | Literal["same", "valid"]
"""Pixels at each end, or torch's names for paddings that follow from the window."""


def per_axis(name: str, value: object, n: int, least: int = 1) -> tuple[int, ...]:
    """Read one count for each of `n` axes.

    Args:
        name: What the caller knows it by.
        value: An integer, or a sequence of one or of `n`.
        n: Number of axes.
        least: The smallest count that makes sense.

    Returns:
        The counts.

    Raises:
        TypeError: If one of them is no integer (a bool is none).
        ValueError: If there are too few or too many, or one is too small.
    """
    values = tuple(value) if is_per_axis(value) else (value,)
    if len(values) == 1:
        values *= n
    if len(values) != n:
        raise ValueError(f"expected {name} to be an int or {n} ints, got {value!r}")
    if all(type(v) is int and v >= least for v in values):  # as_int takes microseconds
        return cast("tuple[int, ...]", values)
    return tuple(as_int(name, v, least) for v in values)


def conv_axes(
    pixels: Sequence[int],
    taps: Sequence[int],
    stride: Count,
    padding: Padding,
    dilation: Count,
) -> tuple[Axis, ...]:
    """Read the axes of a convolution.

    Args:
        pixels: Size of the input.
        taps: Size of the kernel.
        stride: Pixels from one window to the next.
        padding: Pixels at each end, "valid" (none) or "same" (to keep the size).
        dilation: Pixels from one tap to the next.

    Returns:
        The axes, each with at least one window.

    Raises:
        TypeError: If a count is no integer.
        ValueError: If one is out of range, or no window fits.
    """
    n = len(pixels)
    strides, dilations = (
        per_axis("stride", stride, n),
        per_axis("dilation", dilation, n),
    )
    totals = [d * (k - 1) for k, d in zip(taps, dilations, strict=True)]  # of "same"
    if padding == "same" and strides != (1,) * n:
        raise ValueError(f"expected stride=1 with padding='same', got {stride=}")
    if padding == "valid":
        totals = n * [0]
    elif padding != "same":
        totals = [2 * p for p in per_axis("padding", padding, n, 0)]
    axes = tuple(
        Axis(i, (i + total - d * (k - 1) - 1) // s + 1, k, s, total // 2, d)
        for i, k, s, total, d in zip(
            pixels, taps, strides, totals, dilations, strict=True
        )
    )
    if any(min(axis.i, axis.k, axis.o) < 1 for axis in axes):
        raise ValueError(
            f"expected windows within the padded input, got kernel_size={(*taps,)}, "
            f"{dilation=} on {(*pixels,)} pixels with {padding=}"
        )
    return axes


def transposed_axes(
    windows: Sequence[int],
    taps: Sequence[int],
    stride: Count,
    padding: Count,
    output_padding: Count,
    dilation: Count,
) -> tuple[Axis, ...]:
    """Read the axes of the convolution whose transpose is asked for.

    Args:
        windows: Size of that convolution's output, the transpose's input.
        taps: Size of the kernel.
        stride: Pixels from one window to the next.
        padding: Pixels at each end, cut off the result.
        output_padding: Pixels more at the far end.
        dilation: Pixels from one tap to the next.

    Returns:
        The axes, each with at least one pixel.

    Raises:
        TypeError: If a count is no integer.
        ValueError: If one is out of range, or no pixel remains.
    """
    n = len(windows)
    more = per_axis("output_padding", output_padding, n, 0)
    strides, dilations = (
        per_axis("stride", stride, n),
        per_axis("dilation", dilation, n),
    )
    if any(a >= max(s, d) for a, s, d in zip(more, strides, dilations, strict=True)):
        raise ValueError(
            "expected output_padding below stride or dilation, "
            f"got {output_padding=}, {stride=}, {dilation=}"
        )
    paddings = per_axis("padding", padding, n, 0)
    axes = tuple(
        Axis((o - 1) * s - 2 * p + d * (k - 1) + 1 + a, o, k, s, p, d)
        for o, k, s, p, d, a in zip(
            windows, taps, strides, paddings, dilations, more, strict=True
        )
    )
    if any(min(axis.i, axis.k, axis.o) < 1 for axis in axes):
        raise ValueError(
            f"expected padding to leave pixels, got {padding=}: "
            f"{tuple(axis.i for axis in axes)} from {(*windows,)} pixels, with "
            f"kernel_size={(*taps,)}"
        )
    return axes


def check_operands(
    n: int,
    input: Shaped[Tensor, "..."],
    weight: Shaped[Tensor, "..."],
    bias: Shaped[Tensor, "..."] | None,
) -> None:
    """Refuse what cannot be input, weight and bias, whatever their channels.

    Args:
        n: Number of spatial axes.
        input: Input, batched or not.
        weight: Kernels.
        bias: One number for each output channel, or None.

    Raises:
        TypeError: If one is no tensor of numbers, or their dtypes differ.
        ValueError: If their dimensions or devices do not fit.
    """
    given = {"input": input, "weight": weight, "bias": bias}
    for name, t in given.items():
        if t is None and name == "bias":
            continue
        if not isinstance(t, Tensor):
            raise TypeError(f"expected {name} to be a Tensor, got {type(t).__name__}")
        if t.dtype != input.dtype or t.dtype == torch.bool:
            raise TypeError(
                f"expected numbers of one dtype, got {name} of {t.dtype}, "
                f"input of {input.dtype}"
            )
        if t.device != input.device:
            raise ValueError(
                f"expected {name} where input is, on {input.device}, got {t.device}"
            )
    if input.dim() not in (n + 1, n + 2) or weight.dim() != n + 2:
        raise ValueError(
            f"expected input of {n + 1} dimensions (unbatched) or {n + 2}, and weight "
            f"of {n + 2}, got shapes {(*input.shape,)} and {(*weight.shape,)}"
        )


def check_channels(
    groups: SupportsIndex,
    channels: int,
    weight: Shaped[Tensor, "..."],
    bias: Shaped[Tensor, "..."] | None,
    *,
    transposed: bool,
) -> int:
    """Refuse groups and channels that do not fit one another.

    Args:
        groups: Groups of channels.
        channels: Channels of the input.
        weight: Kernels, (out, in / groups, ...); (in, out / groups, ...) if transposed.
        bias: One number for each output channel, or None.
        transposed: Whether the convolution is.

    Returns:
        The groups, as an int.

    Raises:
        TypeError: If `groups` is no integer.
        ValueError: If groups do not divide the channels, or shapes do not fit.
    """
    g = as_int("groups", groups, 1)
    kernels, of_group = weight.shape[:2]
    takes, gives = (kernels, of_group * g) if transposed else (of_group * g, kernels)
    if channels != takes or kernels % g or min(kernels, of_group) < 1:
        raise ValueError(
            f"expected {takes} input channels and groups that divide {kernels}, got "
            f"{channels} channels, groups={g}, weight of shape {(*weight.shape,)}"
        )
    if bias is not None and bias.shape != (gives,):
        raise ValueError(
            f"expected bias of shape ({gives},), got one of shape {(*bias.shape,)}"
        )
    return g


def autocast(
    input: Shaped[Tensor, "..."],
    weight: Shaped[Tensor, "..."],
    bias: Shaped[Tensor, "..."] | None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Round operands as `torch.autocast` asks, where it is on.

    Args:
        input: Input.
        weight: Kernels.
        bias: One number for each output channel, or None.

    Returns:
        The three, in the dtype that was asked for; float64 and integers stay.
    """
    device = input.device.type
    if not torch.amp.is_autocast_available(device) or (
        not torch.is_autocast_enabled(device)
    ):
        return input, weight, bias
    dtype = torch.get_autocast_dtype(device)

    def lower(t: Tensor) -> Tensor:
        eligible = t.is_floating_point() and t.dtype != torch.float64
        return t.to(dtype) if eligible else t

    return lower(input), lower(weight), None if bias is None else lower(bias)

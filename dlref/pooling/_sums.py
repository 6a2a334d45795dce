"""The sum and the average of each window."""

import math
from collections.abc import Callable
from functools import partial, reduce
from typing import Any, TypeAlias

import torch
from torch import Tensor

from dlref._signature import keep_signature
from dlref.pooling._geometry import Axis, Phase
from dlref.pooling._windows import (
    formatted,
    interleaved,
    padded,
    taps,
)

__all__ = ["counts", "linear", "pool_averages", "spread", "sums"]

_Map: TypeAlias = Callable[[Tensor], Tensor]


def pool_averages(
    x: Tensor,
    axes: list[Axis],
    *,
    count_include_pad: bool = True,
    divisor: int | None = None,
) -> Tensor:
    """Return the average of each window.

    Args:
        x: Tensor whose last axes are pooled.
        axes: Their windows.
        count_include_pad: Whether padding counts as pixels that are 0.
        divisor: What to divide sums by; None for the number of pixels.

    Returns:
        One value per window; of integers, rounded towards zero.
    """
    if x.dtype in (torch.float16, torch.bfloat16):
        wide = x.float()  # a sum needs more digits than its terms
        y = pool_averages(
            wide, axes, count_include_pad=count_include_pad, divisor=divisor
        )
        return y.to(x.dtype)
    X = padded(x, axes, 0)
    sizes = X.shape[-len(axes) :]
    total = linear(X, partial(sums, axes=axes), partial(spread, axes=axes, sizes=sizes))
    n = divisor or counts(axes, total, count_include_pad=count_include_pad)
    rounding = None if x.is_floating_point() else "trunc"
    return formatted(torch.div(total, n, rounding_mode=rounding), x)


def counts(axes: list[Axis], like: Tensor, *, count_include_pad: bool) -> int | Tensor:
    """Return the number of taps of each window: one if it is the same everywhere.

    Args:
        axes: The windows.
        like: A tensor of the device and dtype wanted.
        count_include_pad: Whether taps on padding count.

    Returns:
        An int, or one number per window.
    """
    along = [axis.inside if count_include_pad else axis.pixels for axis in axes]
    if all(len({*numbers}) == 1 for numbers in along):
        return math.prod(numbers[0] for numbers in along)
    n = like.new_ones(())
    for numbers in along:
        n = n.unsqueeze(-1) * like.new_tensor(numbers)  # (o_h, 1) * (o_w,)
    return n


def sums(x: Tensor, axes: list[Axis]) -> Tensor:
    """Return the sum of each window.

    Args:
        x: Tensor, padded with zeros.
        axes: The windows of its last axes.

    Returns:
        One sum per window; a view of `x` if windows are single pixels.
    """
    for dim, axis in enumerate(axes, -len(axes)):
        parts = [reduce(torch.add, taps(x, dim, phase)) for phase in axis.phases]
        x = interleaved(parts, dim)
    return x


def spread(y: Tensor, axes: list[Axis], sizes: tuple[int, ...]) -> Tensor:
    """Return, for each pixel, the sum over the windows that read it.

    Args:
        y: One value per window.
        axes: The windows.
        sizes: Length of each padded axis, in pixels.

    Returns:
        The transpose of `sums`, applied to `y`.
    """
    for dim, axis in enumerate(axes, -len(axes)):
        shape = list(y.shape)
        shape[dim] = sizes[dim]
        x = y.new_zeros(shape)
        for number, phase in enumerate(axis.phases):
            (part,) = taps(y, dim, Phase(number, 1, len(axis.phases)))  # its windows
            for tap in taps(x, dim, phase):
                tap.add_(part)
        y = x
    return y


@keep_signature
class _Linear(torch.autograd.Function):
    """A linear map; its gradient is its transpose, whose gradient is the map."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, f: _Map, transpose: _Map) -> Tensor:
        """Return f(x)."""
        return f(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:  # noqa: ANN401
        """Keep the maps; of the tensors nothing is needed."""
        _, ctx.f, ctx.transpose = inputs

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to x."""
        (dy,) = grad_outputs
        return linear(dy, ctx.transpose, ctx.f), None, None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent of f(x)."""
        return ctx.f(grad_inputs[0])


def linear(x: Tensor, f: _Map, transpose: _Map) -> Tensor:
    """Return f(x) for a linear f, with `transpose` as its gradient.

    Left to itself, autograd would keep one gradient of the size of `x` for each tap.

    Args:
        x: A tensor.
        f: A linear map.
        transpose: Its transpose.

    Returns:
        f(x).
    """
    if not (x.requires_grad and torch.is_grad_enabled()):
        return f(x)
    return _Linear.apply(x, f, transpose)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

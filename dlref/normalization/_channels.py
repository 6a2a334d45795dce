"""One number for each channel: scales, shifts, and statistics that follow the batch."""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Vector", "apply_statistics", "per_channel", "scale_and_shift", "track"]

Vector: TypeAlias = Float[Tensor, " c"]
"""One number for each channel."""


def per_channel(values: Vector, x: Tensor) -> Tensor:
    """Return one value a channel in a shape that broadcasts to (N, C, ...)."""
    return values.view(-1, *(1,) * (x.ndim - 2))


def scale_and_shift(x: Tensor, gamma: Vector | None, beta: Vector | None) -> Tensor:
    """Return gamma * x + beta, channel by channel, in the dtype of x."""
    if gamma is not None:
        x = x * per_channel(gamma.to(x.dtype), x)
    return x if beta is None else x + per_channel(beta.to(x.dtype), x)


def apply_statistics(
    x: Tensor,
    mean: Vector,
    var: Vector,
    gamma: Vector | None,
    beta: Vector | None,
    eps: float,
) -> Tensor:
    """Normalize by statistics that are given: one scale and one shift a channel."""
    scale = (var.to(x.dtype) + eps).rsqrt()
    if gamma is not None:
        scale = scale * gamma.to(x.dtype)
    shift = -scale * mean.to(x.dtype)
    if beta is not None:
        shift = shift + beta.to(x.dtype)
    return (x * per_channel(scale, x)).add_(per_channel(shift, x))


@torch.no_grad()
def track(running: Vector | None, value: Vector, momentum: float) -> None:
    """Move a running statistic towards a new value, in place."""
    if running is not None:
        running.copy_((1 - momentum) * running.to(value.dtype) + momentum * value)

"""Sums of squares, in little memory where that costs no digits."""

import math
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["sum_squares"]

_SHORT = (
    2**14
)  # values; a norm adds them up one by one, and of more it would lose digits


def sum_squares(x: Float[Tensor, "..."], axes: int) -> Float[Tensor, "..."]:
    """Return the sums of squares over the last axes.

    The norm of what lies together in memory needs no second tensor for the squares.

    Args:
        x: Values.
        axes: Number of axes to sum over, at least one.

    Returns:
        Sums, with axes of length 1 instead.
    """
    last = tuple(range(-axes, 0))
    if math.prod(x.shape[-axes:]) > _SHORT or not x.is_contiguous():
        return x.square().sum(last, keepdim=True)
    norm = cast("Any", torch).linalg.vector_norm
    return norm(x, dim=last, keepdim=True).square()

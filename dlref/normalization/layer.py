"""Normalization of each sample over its last axes: by mean and variance, or by size."""

import math
from collections.abc import Sequence
from typing import SupportsFloat, SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.normalization._arguments import check_input, check_parameters, wide_dtype
from dlref.normalization._rows import standardize_rows

__all__ = ["layer_norm", "rms_norm"]


def layer_norm(
    input: Float[Tensor, "..."],
    normalized_shape: Sequence[SupportsIndex],
    weight: Float[Tensor, "..."] | None = None,
    bias: Float[Tensor, "..."] | None = None,
    eps: SupportsFloat = 1e-5,
) -> Float[Tensor, "..."]:
    r"""Normalize each sample over its last axes.

    $$y_i = \gamma_i\,\frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta_i$$

    $\mu$ and $\sigma^2$ are mean and biased variance of the sample's values: of a
    sequence (N, T, D) with `normalized_shape=(D,)`, of each vector of D features. No
    sample knows of another, and there is nothing to gather for evaluation. Each
    *position* $i$ has a $\gamma_i$ and $\beta_i$ of its own, unlike the channels of
    [`group_norm`][dlref.normalization.group_norm].

    Args:
        input: Activations $x$ of shape (..., *normalized_shape).
        normalized_shape: Lengths of the last axes, over which statistics are taken.
        weight: Scale $\gamma$ of shape `normalized_shape`; 1 if None.
        bias: Shift $\beta$ of shape `normalized_shape`; 0 if None.
        eps: $\epsilon$, in units of the variance.

    Returns:
        $y$, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point, `normalized_shape` no
            sequence of integers, or a parameter of another dtype (of half precision:
            than float32 or the input's).
        ValueError: If the input does not end in `normalized_shape`, that is empty, or
            a parameter has another shape.

    Examples:
        >>> x = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
        >>> layer_norm(x, (3,))
        tensor([[-1.2247,  0.0000,  1.2247],
                [-1.2247,  0.0000,  1.2247]])

    References:
        Ba, Kiros and Hinton (2016), Layer normalization,
        [arXiv:1607.06450](https://arxiv.org/abs/1607.06450), equation 4.
    """
    shape = _last_axes(input, normalized_shape)
    check_parameters(input, shape, {"weight": weight, "bias": bias})
    wide = wide_dtype(input)
    rows = input.to(wide).reshape(*_outer(input, shape), math.prod(shape))
    y, _, _ = standardize_rows(rows, float(eps))
    y = y.reshape(input.shape)
    if weight is not None and bias is not None:
        y = torch.addcmul(bias.to(wide), y, weight.to(wide))
    elif weight is not None:
        y = y * weight.to(wide)
    elif bias is not None:
        y = y + bias.to(wide)
    return y.to(input.dtype)


def rms_norm(
    input: Float[Tensor, "..."],
    normalized_shape: Sequence[SupportsIndex],
    weight: Float[Tensor, "..."] | None = None,
    eps: SupportsFloat | None = None,
) -> Float[Tensor, "..."]:
    r"""Divide each sample by the root mean square of its last axes.

    $$y_i = \gamma_i\,\frac{x_i}{\sqrt{\frac{1}{d} \sum_j x_j^2 + \epsilon}}$$

    Layer norm without its mean: a vector keeps its direction and loses its size.

    Args:
        input: Activations $x$ of shape (..., *normalized_shape).
        normalized_shape: Lengths of the last axes, $d$ values together.
        weight: Scale $\gamma$ of shape `normalized_shape`; 1 if None.
        eps: $\epsilon$, in units of $x^2$; if None, the machine epsilon of the dtype in
            which the input is computed: 2.2e-16 for float64, else 1.2e-7.

    Returns:
        $y$, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point, `normalized_shape` no
            sequence of integers, or `weight` not of floating point.
        ValueError: If the input does not end in `normalized_shape`, that is empty, or
            `weight` has another shape.

    Examples:
        >>> rms_norm(torch.tensor([[3.0, 4.0], [30.0, 40.0]]), (2,))
        tensor([[0.8485, 1.1314],
                [0.8485, 1.1314]])

    References:
        Zhang and Sennrich (2019), Root mean square layer normalization,
        [arXiv:1910.07467](https://arxiv.org/abs/1910.07467), equation 4.
    """
    shape = _last_axes(input, normalized_shape)
    wide = wide_dtype(input)
    x = input.to(wide)
    gamma = None if weight is None else weight.to(wide)
    check_parameters(x, shape, {"weight": gamma})
    axes = tuple(range(-len(shape), 0))
    epsilon = torch.finfo(wide).eps if eps is None else float(eps)
    y = x * (x.square().mean(axes, keepdim=True) + epsilon).rsqrt()
    return (y if gamma is None else y * gamma).to(input.dtype)


def _last_axes(
    input: Tensor, normalized_shape: Sequence[SupportsIndex]
) -> tuple[int, ...]:
    """Return `normalized_shape` as a tuple that the input's shape ends in."""
    check_input(input, 0)
    try:
        shape = tuple(length.__index__() for length in normalized_shape)
    except (TypeError, AttributeError) as error:
        raise TypeError(
            f"expected normalized_shape to be a tuple of ints, got {normalized_shape!r}"
        ) from error
    if not shape or input.shape[-len(shape) :] != shape:
        raise ValueError(
            "expected normalized_shape to be the last axes, at least one, of an input "
            f"of the shape {tuple(input.shape)}, got {shape}"
        )
    return shape


def _outer(input: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(input.shape[: input.ndim - len(shape)])

"""The identity above 0, and below it an exponential that saturates."""

from typing import SupportsFloat

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from dlref.activations._elementwise import apply, where_positive, with_derivative

__all__ = ["celu", "elu", "selu"]

_ALPHA, _SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def elu(
    input: Float[Tensor, "*shape"], alpha: SupportsFloat = 1.0, inplace: bool = False
) -> Float[Tensor, "*shape"]:
    r"""Saturate at $-\alpha$ below 0: the exponential linear unit.

    $$\text{elu}(x) = \begin{cases} x & x > 0 \\
    \alpha\,(e^x - 1) & x \le 0 \end{cases}$$

    At 0 the gradient is $\alpha$.

    Args:
        input: $x$, of any shape.
        alpha: $\alpha$, minus the limit on the left.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> import torch
        >>> elu(torch.tensor([-10.0, -1.0, 2.0]))
        tensor([-1.0000, -0.6321,  2.0000])

    References:
        Clevert, Unterthiner and Hochreiter (2015),
        [arXiv:1511.07289](https://arxiv.org/abs/1511.07289), equation 15.
    """
    return _elu(input, 1.0, float(alpha), 1.0, inplace)


def selu(
    input: Float[Tensor, "*shape"], inplace: bool = False
) -> Float[Tensor, "*shape"]:
    r"""Keep mean 0 and variance 1 from layer to layer: the scaled `elu`.

    $$\text{selu}(x) = \lambda\,\text{elu}_\alpha(x) \qquad \alpha \approx 1.6733 \quad
    \lambda \approx 1.0507$$

    The constants make mean 0 and variance 1 a fixed point, if weights have mean 0 and
    variance 1 / n.

    Args:
        input: $x$, of any shape.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> import torch
        >>> selu(torch.tensor([-10.0, -1.0, 2.0]))
        tensor([-1.7580, -1.1113,  2.1014])

    References:
        Klambauer et al. (2017), Self-normalizing neural networks,
        [arXiv:1706.02515](https://arxiv.org/abs/1706.02515), equations 2 and 14.
    """
    return _elu(input, _SCALE, _ALPHA, 1.0, inplace)


def celu(
    input: Float[Tensor, "*shape"], alpha: SupportsFloat = 1.0, inplace: bool = False
) -> Float[Tensor, "*shape"]:
    r"""Saturate at $-\alpha$ below 0, with slope 1 at 0 for every $\alpha$.

    $$\text{celu}(x) = \begin{cases} x & x > 0 \\
    \alpha\,(e^{x / \alpha} - 1) & x \le 0 \end{cases}$$

    Args:
        input: $x$, of any shape.
        alpha: $\alpha$, minus the limit on the left.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.
        ValueError: If `alpha` is 0.

    Examples:
        >>> import torch
        >>> celu(torch.tensor([-10.0, -1.0, 2.0]), alpha=2)
        tensor([-1.9865, -0.7869,  2.0000])

    References:
        Barron (2017), Continuously differentiable exponential linear units,
        [arXiv:1704.07483](https://arxiv.org/abs/1704.07483).
    """
    a = float(alpha)
    if a == 0:
        raise ValueError(f"expected alpha other than 0, got {alpha}")
    return _elu(input, 1.0, a, 1 / a, inplace)


def _elu(
    input: Tensor, scale: float, alpha: float, rate: float, inplace: bool
) -> Tensor:
    r"""Return $s\,(\max(x, 0) + \alpha\,(e^{r \min(x, 0)} - 1))$."""

    def value(x: Tensor) -> Tensor:
        below = _scaled(x.clamp(max=0), rate).expm1_()
        return _scaled(F.threshold(x, 0, 0).add_(below, alpha=alpha), scale)

    def pullback(g: Tensor, x: Tensor) -> Tensor:
        slope = _scaled(x.clamp(max=0), rate).exp_() * g  # above 0 that is g
        if alpha * rate != 1:
            above = where_positive(g, x)
            slope = above.add_(slope.sub_(above), alpha=alpha * rate)
        return _scaled(slope, scale)

    return apply(lambda x: with_derivative(value, pullback, x), input, inplace=inplace)


def _scaled(x: Tensor, factor: float) -> Tensor:
    """Multiply in place, and spare the pass where the factor is 1."""
    return x if factor == 1 else x.mul_(factor)

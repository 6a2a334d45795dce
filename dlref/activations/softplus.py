"""The smooth ramp, and the logarithm of the sigmoid, which is the same curve turned."""

from typing import SupportsFloat

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.activations._elementwise import apply, where_positive, with_derivative

__all__ = ["logsigmoid", "softplus"]


def softplus(
    input: Float[Tensor, "*shape"],
    beta: SupportsFloat = 1.0,
    threshold: SupportsFloat = 20.0,
) -> Float[Tensor, "*shape"]:
    r"""Round the corner of `relu`.

    $$\text{softplus}(x) = \frac{1}{\beta} \ln(1 + e^{\beta x})
    = \frac{1}{\beta} \left(\max(\beta x, 0) + \ln(1 + e^{-|\beta x|})\right)$$

    The first form overflows, the second, which is computed, does not. The derivative is
    $\sigma(\beta x)$.

    Args:
        input: $x$, of any shape.
        beta: $\beta$; the larger, the sharper the corner.
        threshold: Where $\beta x$ is larger, the result is $x$ itself. With the default
            of 20 that is what float32 gives anyway; in float64 it leaves out 2e-9.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> softplus(torch.tensor([-30.0, 0.0, 1000.0]))
        tensor([9.3576e-14, 6.9315e-01, 1.0000e+03])

    References:
        Dugas et al. (2001), Incorporating second-order functional knowledge for better
        option pricing, NeurIPS 13.
    """
    b, limit = float(beta), float(threshold)

    def value(x: Tensor) -> Tensor:
        z = x * b
        bend = z.abs().neg_().exp_().log1p_()
        bend.sub_(where_positive(bend, z, limit))
        return z.clamp_(min=0).add_(bend).div_(b)

    def pullback(g: Tensor, x: Tensor) -> Tensor:
        z = x * b
        slope = torch.sigmoid(z)
        return (slope + where_positive(1 - slope, z, limit)).mul_(g)

    return apply(lambda x: with_derivative(value, pullback, x), input)


def logsigmoid(input: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    r"""Return the logarithm of `sigmoid`, also where that rounds to 0 or 1.

    $$\ln\sigma(x) = -\ln(1 + e^{-x}) = \min(x, 0) - \ln(1 + e^{-|x|}) \qquad
    (\ln\sigma)'(x) = \sigma(-x)$$

    Args:
        input: $x$, of any shape.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> logsigmoid(torch.tensor([-1000.0, 0.0, 30.0]))
        tensor([-1.0000e+03, -6.9315e-01, -9.3576e-14])
    """

    def value(x: Tensor) -> Tensor:
        return x.clamp(max=0).sub_(x.abs().neg_().exp_().log1p_())

    def pullback(g: Tensor, x: Tensor) -> Tensor:
        return g * torch.sigmoid(-x)

    return apply(lambda x: with_derivative(value, pullback, x), input)

"""Activations that saturate at both ends: sigmoid and its straight copy, tanh."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Real
from torch import Tensor

from dlref.activations._elementwise import apply, as_floating, with_derivative

__all__ = ["hardsigmoid", "sigmoid", "softsign", "tanh"]


def sigmoid(
    input: Real[Tensor, "*shape"] | Bool[Tensor, "*shape"],
) -> Float[Tensor, "*shape"]:
    r"""Map any number into (0, 1): the logistic function.

    $$\sigma(x) = \frac{1}{1 + e^{-x}} \qquad \sigma'(x) = \sigma(x)\,(1 - \sigma(x))$$

    Near 0 it keeps its relative precision: $\sigma(-30)$ is 9.4e-14, not 0. That rules
    out $\frac{1}{2}(1 + \tanh\frac{x}{2})$; the formula itself, in four passes over
    memory, is as exact as torch's one pass and takes about three times as long. So the
    work is left to torch, as it is for `exp`.

    Args:
        input: $x$, of any shape; integers are taken as the default dtype.

    Returns:
        $\sigma(x)$, of the input's shape.

    Raises:
        TypeError: If `input` is no tensor of real numbers.

    Examples:
        >>> sigmoid(torch.tensor([-2.0, 0.0, 2.0]))
        tensor([0.1192, 0.5000, 0.8808])
    """
    return apply(torch.sigmoid, as_floating(input))


def hardsigmoid(
    input: Float[Tensor, "*shape"], inplace: bool = False
) -> Float[Tensor, "*shape"]:
    r"""Return the straight line through (-3, 0) and (3, 1), cut off at 0 and 1.

    $$\text{hardsigmoid}(x) = \frac{\min(\max(x, -3), 3) + 3}{6}$$

    The slope is $\frac{1}{6}$ between the kinks; on them it is taken as 0.

    Args:
        input: $x$, of any shape.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> hardsigmoid(torch.tensor([-4.0, -3.0, 0.0, 1.5]))
        tensor([0.0000, 0.0000, 0.5000, 0.7500])

    References:
        Howard et al. (2019), Searching for MobileNetV3,
        [arXiv:1905.02244](https://arxiv.org/abs/1905.02244), section 5.2.
    """
    return apply(
        lambda x: F.hardtanh(x, -3, 3).add(3).div(6),
        input,
        inplace=inplace,
    )


def tanh(
    input: Real[Tensor, "*shape"] | Bool[Tensor, "*shape"],
) -> Float[Tensor, "*shape"]:
    r"""Map any number into (-1, 1), through 0 with slope 1: the hyperbolic tangent.

    $$\tanh x = \frac{e^x - e^{-x}}{e^x + e^{-x}} = 2\,\sigma(2x) - 1
    \qquad \tanh' x = 1 - \tanh^2 x$$

    Args:
        input: $x$, of any shape; integers are taken as the default dtype.

    Returns:
        $\tanh x$, of the input's shape.

    Raises:
        TypeError: If `input` is no tensor of real numbers.

    Examples:
        >>> tanh(torch.tensor([-2.0, 0.0, 2.0]))
        tensor([-0.9640,  0.0000,  0.9640])
    """
    return apply(torch.tanh, as_floating(input))


def softsign(input: Real[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    r"""Map any number into (-1, 1), without an exponential.

    $$\text{softsign}(x) = \frac{x}{1 + |x|} \qquad
    \text{softsign}'(x) = \frac{1}{(1 + |x|)^2}$$

    It saturates slowly: at 10 its slope is still $\frac{1}{121}$, that of tanh 8e-9.

    Args:
        input: $x$, of any shape; integers are taken as the default dtype.

    Returns:
        The result, of the input's shape.

    Raises:
        TypeError: If `input` is no tensor of real numbers.

    Examples:
        >>> softsign(torch.tensor([-3.0, 0.0, 1.0]))
        tensor([-0.7500,  0.0000,  0.5000])

    References:
        Glorot and Bengio (2010), Understanding the difficulty of training deep
        feedforward neural networks, AISTATS, section 3.
    """

    def value(x: Tensor) -> Tensor:
        return x / x.abs().add_(1)

    def pullback(g: Tensor, x: Tensor) -> Tensor:
        return g / x.abs().add_(1).square_()

    x = as_floating(input)
    return apply(lambda x: with_derivative(value, pullback, x), x)

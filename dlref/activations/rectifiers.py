"""Activations of straight pieces: the identity above 0, a smaller slope below."""

from typing import SupportsFloat

import torch
import torch.nn.functional as F
from jaxtyping import Float, Real
from torch import Tensor

from dlref.activations._elementwise import (
    apply,
    check_floating,
    check_real,
    where_positive,
    with_derivative,
)

__all__ = ["leaky_relu", "prelu", "relu", "relu6"]


def relu(
    input: Real[Tensor, "*shape"], inplace: bool = False
) -> Real[Tensor, "*shape"]:
    r"""Set what is negative to 0: the rectified linear unit.

    $$\text{relu}(x) = \max(x, 0) \qquad
    \text{relu}'(x) = \begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}$$

    At 0, where there is no derivative, the gradient is 0.

    Args:
        input: $x$, of any shape.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of real numbers.

    Examples:
        >>> import torch
        >>> relu(torch.tensor([-2.0, 0.0, 3.0]))
        tensor([0., 0., 3.])

    References:
        Glorot, Bordes and Bengio (2011), Deep sparse rectifier neural networks,
        AISTATS.
    """
    check_real(input)
    return F.threshold(input, 0, 0, inplace)


def relu6(
    input: Real[Tensor, "*shape"], inplace: bool = False
) -> Real[Tensor, "*shape"]:
    r"""Set what is negative to 0 and what is above 6 to 6.

    $$\text{relu6}(x) = \min(\max(x, 0), 6)$$

    On both kinks, 0 and 6, the gradient is 0.

    Args:
        input: $x$, of any shape.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of real numbers.

    Examples:
        >>> import torch
        >>> relu6(torch.tensor([-2.0, 3.0, 9.0]))
        tensor([0., 3., 6.])

    References:
        Howard et al. (2017), MobileNets,
        [arXiv:1704.04861](https://arxiv.org/abs/1704.04861).
    """
    check_real(input)
    return F.hardtanh(input, 0, 6, inplace)


def leaky_relu(
    input: Float[Tensor, "*shape"],
    negative_slope: SupportsFloat = 0.01,
    inplace: bool = False,
) -> Float[Tensor, "*shape"]:
    r"""Keep a small slope below 0.

    $$\text{leaky\_relu}(x) = \begin{cases} x & x > 0 \\ a\,x & x \le 0 \end{cases}$$

    Args:
        input: $x$, of any shape.
        negative_slope: $a$, also the gradient at 0.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> import torch
        >>> leaky_relu(torch.tensor([-2.0, 0.0, 3.0]), 0.1)
        tensor([-0.2000,  0.0000,  3.0000])

    References:
        Maas, Hannun and Ng (2013), Rectifier nonlinearities improve neural network
        acoustic models, section 2.
    """
    a = float(negative_slope)

    def value(x: Tensor) -> Tensor:
        y = x * a if a else x.clamp(max=0) * a  # infinity times 0 would be NaN
        return torch.maximum(x, y) if a <= 1 else torch.minimum(x, y)

    def pullback(g: Tensor, x: Tensor) -> Tensor:
        return where_positive(g, x).lerp_(g, a)  # g where that is g, a g where it is 0

    return apply(lambda x: with_derivative(value, pullback, x), input, inplace=inplace)


def prelu(
    input: Float[Tensor, "*shape"], weight: Float[Tensor, "..."]
) -> Float[Tensor, "*shape"]:
    r"""Multiply what is negative by a slope that is learned, one for each channel.

    $$\text{prelu}(x) = \max(x, 0) + a_c \min(x, 0)$$

    Args:
        input: $x$, of shape (N, C, ...), or any shape with a single slope.
        weight: $a$, of shape (C,), (1,) or ().

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If an argument is no tensor of floating point, or their dtypes
            differ.
        ValueError: If `weight` has neither one slope nor one for each channel.

    Examples:
        >>> import torch
        >>> prelu(torch.tensor([[-1.0, -1.0, 2.0]]), torch.tensor([0.1, 0.5, 0.9]))
        tensor([[-0.1000, -0.5000,  2.0000]])

    References:
        He et al. (2015), Delving deep into rectifiers,
        [arXiv:1502.01852](https://arxiv.org/abs/1502.01852), equation 1.
    """
    a = _slopes(input, weight)

    def value(x: Tensor) -> Tensor:
        return F.threshold(x, 0, 0) + a.to(x.dtype) * _negative_part(x)

    return apply(value, input)


def _negative_part(x: Tensor) -> Tensor:
    """Return min(x, 0), whose gradient at 0 is 1."""

    def value(x: Tensor) -> Tensor:
        return x.clamp(max=0)

    def pullback(g: Tensor, x: Tensor) -> Tensor:
        return g - where_positive(g, x)

    return with_derivative(value, pullback, x)


def _slopes(input: Tensor, weight: Tensor) -> Tensor:
    """Return the slopes in a shape that meets the channels of the input."""
    check_floating(input)
    if not isinstance(weight, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected weight to be a Tensor, got {type(weight).__name__}")
    if weight.dtype != input.dtype:
        raise TypeError(f"expected weight of {input.dtype}, got {weight.dtype}")
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim > 1 or weight.numel() not in {1, channels}:
        raise ValueError(
            f"expected weight of shape (1,) or ({channels},) for an input of the shape "
            f"{tuple(input.shape)}, got {tuple(weight.shape)}"
        )
    if weight.numel() == 1:
        return weight.reshape(())
    return weight.reshape(-1, *[1] * (input.ndim - 2))  # (C, 1, ...)

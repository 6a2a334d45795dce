"""Activations of the form $x$ times a gate between 0 and 1."""

import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from dlref.activations._elementwise import apply, check_floating, gated

__all__ = ["gelu", "glu", "hardswish", "mish", "silu"]


def silu(
    input: Float[Tensor, "*shape"], inplace: bool = False
) -> Float[Tensor, "*shape"]:
    r"""Multiply $x$ by its own sigmoid; also called swish.

    $$\text{silu}(x) = x\,\sigma(x)$$

    Smooth, and not monotone: its minimum is about -0.278, at $x \approx -1.278$.

    Args:
        input: $x$, of any shape.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> silu(torch.tensor([-1.0, 0.0, 2.0]))
        tensor([-0.2689,  0.0000,  1.7616])

    References:
        Hendrycks and Gimpel (2016),
        [arXiv:1606.08415](https://arxiv.org/abs/1606.08415), where it gets its name;
        Ramachandran, Zoph and Le (2017), Searching for activation functions,
        [arXiv:1710.05941](https://arxiv.org/abs/1710.05941).
    """
    return apply(lambda x: x * torch.sigmoid(x), input, inplace=inplace)


def hardswish(
    input: Float[Tensor, "*shape"], inplace: bool = False
) -> Float[Tensor, "*shape"]:
    r"""Multiply $x$ by `hardsigmoid`: `silu` without an exponential.

    $$\text{hardswish}(x) = x\,h(x) \qquad h(x) = \frac{\min(\max(x, -3), 3) + 3}{6}
    \qquad \text{hardswish}'(x) = h(x) + x\,h'(x)$$

    On the kinks, $\pm 3$, $h'$ is taken as 0, so that the slope is 0 at -3 and 1 at 3.

    Args:
        input: $x$, of any shape.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> hardswish(torch.tensor([-4.0, -1.5, 0.0, 3.0]))
        tensor([-0.0000, -0.3750,  0.0000,  3.0000])

    References:
        Howard et al. (2019), Searching for MobileNetV3,
        [arXiv:1905.02244](https://arxiv.org/abs/1905.02244), section 5.2.
    """

    def slope(x: Tensor, _: Tensor) -> Tensor:
        # 1 / 6 on (-3, 3), 0 elsewhere: the derivative of hardtanh, in one pass
        sixth = x.new_full((), 1 / 6).expand_as(x)
        return cast("Any", torch.ops.aten).hardtanh_backward(sixth, x, -3, 3)

    return apply(lambda x: gated(F.hardsigmoid, slope, x), input, inplace=inplace)


def gelu(
    input: Float[Tensor, "*shape"], approximate: str = "none"
) -> Float[Tensor, "*shape"]:
    r"""Multiply $x$ by the probability that a standard normal variable is below it.

    $$\text{gelu}(x) = x\,\Phi(x) = \frac{x}{2}
    \left(1 + \text{erf}\frac{x}{\sqrt{2}}\right)$$

    The approximation by tanh is a gate of the logistic function, as
    $\frac{1}{2}(1 + \tanh u) = \sigma(2u)$:

    $$\text{gelu}_{\tanh}(x) = x\,\sigma\!\left(2\sqrt{\tfrac{2}{\pi}}\,
    (x + 0.044715\,x^3)\right)$$

    Args:
        input: $x$, of any shape.
        approximate: `"none"` or `"tanh"`; they differ by less than 5e-4.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.
        ValueError: If `approximate` is another word.

    Examples:
        >>> gelu(torch.tensor([-1.0, 0.0, 2.0]))
        tensor([-0.1587,  0.0000,  1.9545])
        >>> gelu(torch.tensor([-1.0, 0.0, 2.0]), approximate="tanh")
        tensor([-0.1588,  0.0000,  1.9546])

    References:
        Hendrycks and Gimpel (2016),
        [arXiv:1606.08415](https://arxiv.org/abs/1606.08415), section 2.
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"expected approximate 'none' or 'tanh', got {approximate!r}")
    gate, slope = _NORMAL if approximate == "none" else _TANH
    return apply(lambda x: gated(gate, slope, x), input)


def mish(
    input: Float[Tensor, "*shape"], inplace: bool = False
) -> Float[Tensor, "*shape"]:
    r"""Multiply $x$ by the tanh of its softplus.

    $$\text{mish}(x) = x \tanh(\ln(1 + e^x)) = x\,\frac{n}{n + 2}
    \qquad n = e^x (e^x + 2)$$

    Smooth, and not monotone: its minimum is about -0.309, at $x \approx -1.192$. The
    form on the right has one exponential and no cancellation; above 20 the gate is 1.

    Args:
        input: $x$, of any shape.
        inplace: Whether to write the result over `input`.

    Returns:
        The result, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.

    Examples:
        >>> mish(torch.tensor([-1.0, 0.0, 2.0]))
        tensor([-0.3034,  0.0000,  1.9440])

    References:
        Misra (2019), [arXiv:1908.08681](https://arxiv.org/abs/1908.08681), equation 1.
    """

    def value(x: Tensor) -> Tensor:
        e = F.hardtanh(x, -math.inf, 20).exp()
        n = e * (e + 2)
        return x * (n / (n + 2))

    return apply(value, input, inplace=inplace)


def glu(input: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    r"""Let one half of the channels gate the other: the gated linear unit.

    $$\text{glu}(a, b) = a \cdot \sigma(b)$$

    Args:
        input: $a$ and $b$, one behind the other along `dim`.
        dim: The axis that is split in two.

    Returns:
        The result: half as long as `input` along `dim`.

    Raises:
        TypeError: If `input` is no tensor of floating point.
        ValueError: If it has no axes, or an odd length along `dim`.
        IndexError: If there is no axis `dim`.

    Examples:
        >>> glu(torch.tensor([1.0, 2.0, 0.0, 100.0]))
        tensor([0.5000, 2.0000])

    References:
        Dauphin et al. (2016), Language modeling with gated convolutional networks,
        [arXiv:1612.08083](https://arxiv.org/abs/1612.08083), equation 1.
    """
    check_floating(input)
    if input.ndim == 0 or input.shape[dim] % 2:
        raise ValueError(
            f"expected an even length along dim {dim}, got an input of the shape "
            f"{tuple(input.shape)}"
        )

    def value(x: Tensor) -> Tensor:
        a, b = x.chunk(2, dim)
        return a * torch.sigmoid(b)

    return apply(value, input)


def _normal_cdf(x: Tensor) -> Tensor:
    return x.mul(math.sqrt(1 / 2)).erf_().add_(1).mul_(0.5)


def _normal_density(x: Tensor, _: Tensor) -> Tensor:
    log_c = x.new_full((), -0.5 * math.log(2 * math.pi))
    return torch.addcmul(log_c, x, x, value=-0.5).exp_()


def _tanh_gate(x: Tensor) -> Tensor:
    x = F.hardtanh(x, -10, 10)  # beyond, the gate is 0 or 1, and a cube may overflow
    return x.square().mul_(0.044715 * _RATE).add_(_RATE).mul_(x).sigmoid_()


def _tanh_slope(x: Tensor, s: Tensor) -> Tensor:
    x = F.hardtanh(x, -10, 10)
    return x.square().mul_(3 * 0.044715 * _RATE).add_(_RATE) * (s * (1 - s))


_RATE = 2 * math.sqrt(2 / math.pi)
_NORMAL = _normal_cdf, _normal_density
_TANH = _tanh_gate, _tanh_slope

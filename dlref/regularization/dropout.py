"""Dropout: in training, a random part of the activations is 0."""

import math
import warnings

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.regularization._arguments import check_floating, check_probability

__all__ = ["alpha_dropout", "dropout", "dropout2d"]

# -lambda * alpha of SELU: where its curve ends on the left
_SELU_END = -1.7580993408473766


def dropout(
    input: Float[Tensor, "..."],
    p: int | float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Float[Tensor, "..."]:
    r"""Set each element to 0 with probability $p$, and scale up those that stay.

    $$h' = \frac{m}{1 - p}\,h, \qquad m \sim \text{Bernoulli}(1 - p)$$

    Thus $E[h'] = h$ and $\text{Var}[h'] = h^2\,p / (1 - p)$: the mean is kept, noise is
    added. Without `training` the result is the input itself, not a copy of it.

    On the CPU torch draws the same mask from the same generator state; on a GPU torch
    draws another, with the same distribution.

    Args:
        input: $h$, of any shape.
        p: Probability $p$ that an element is *dropped*.
        training: Whether to drop at all.
        inplace: Whether to write the result over the input.

    Returns:
        $h'$, of the shape and the dtype of the input.

    Raises:
        TypeError: If the input is no tensor of floating point.
        ValueError: If `p` is no probability.

    Examples:
        >>> dropout(torch.ones(1000)).unique()
        tensor([0., 2.])
        >>> dropout(torch.ones(1000), p=0.2).unique()
        tensor([0.0000, 1.2500])
        >>> dropout(torch.ones(1000), training=False).unique()
        tensor([1.])

    References:
        Srivastava et al. (2014), [Dropout](https://jmlr.org/papers/v15/srivastava14a.html),
        section 4; there p is the probability of *keeping*, and the weights are made
        smaller after the training, instead of $h$ larger in training.
    """
    check_floating("input", input)
    check_probability("p", p)
    if not training or p == 0:
        return input
    return _times(input, _mask(torch.empty_like(input), p), inplace)


def dropout2d(
    input: Float[Tensor, "..."],
    p: int | float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Float[Tensor, "..."]:
    r"""Drop whole channels, each with probability $p$, and scale up those that stay.

    $$
    h'_{nc} = \frac{m_{nc}}{1 - p}\,h_{nc}, \qquad
    m_{nc} \sim \text{Bernoulli}(1 - p)
    $$

    Neighbouring pixels of a feature map are alike; where one is dropped by itself, the
    others still tell of it. Here one number $m_{nc}$ decides on a channel's pixels.

    Args:
        input: $h$, of shape (N, C, H, W). Other shapes are read as (N, C, ...), with a
            warning, as in torch: three axes are *not* an image without a batch.
        p: Probability $p$ that a channel is dropped.
        training: Whether to drop at all.
        inplace: Whether to write the result over the input.

    Returns:
        $h'$, of the shape and the dtype of the input.

    Raises:
        TypeError: If the input is no tensor of floating point.
        ValueError: If `p` is no probability, or the input has fewer than two axes.

    Examples:
        >>> h = dropout2d(torch.ones(8, 16, 3, 3))
        >>> h.mean(dim=(2, 3)).unique()  # all pixels of a channel, or none
        tensor([0., 2.])

    References:
        Tompson et al. (2015), [arXiv:1411.4280](https://arxiv.org/abs/1411.4280):
        SpatialDropout.
    """
    check_floating("input", input)
    check_probability("p", p)
    _check_axes(input)
    if not training or p == 0:
        return input
    n, c = input.shape[:2]
    noise = input.new_empty((n, c) + (1,) * (input.ndim - 2))  # (N, C, 1, 1)
    return _times(input, _mask(noise, p), inplace)


def alpha_dropout(
    input: Float[Tensor, "..."],
    p: int | float = 0.5,
    training: bool = False,
    inplace: bool = False,
) -> Float[Tensor, "..."]:
    r"""Drop to the left end of SELU's curve, so that mean and variance both stay.

    $$
    h' = a\,(m\,h + (1 - m)\,\alpha') + b \qquad
    a = \frac{1}{\sqrt{(1 - p)(1 + p\,\alpha'^2)}} \qquad
    b = -a\,p\,\alpha'
    $$

    with $m \sim \text{Bernoulli}(1 - p)$ and $\alpha' = -\lambda\alpha \approx -1.758$,
    the limit of SELU at $-\infty$. If $h$ has mean 0 and variance 1, so has $h'$.

    Args:
        input: $h$, of any shape.
        p: Probability $p$ that an element is dropped.
        training: Whether to drop at all; as in torch the default is *not* to.
        inplace: Whether to write the result over the input.

    Returns:
        $h'$, of the shape and the dtype of the input; at $p = 1$ zeros, as in torch.

    Raises:
        TypeError: If the input is no tensor of floating point.
        ValueError: If `p` is no probability.

    Examples:
        >>> h = torch.randn(100_000)
        >>> kept = alpha_dropout(h, p=0.2, training=True)
        >>> abs(kept.mean().item()) < 0.05, f"{kept.std().item():.1f}"
        (True, '1.0')

    References:
        Klambauer et al. (2017), [arXiv:1706.02515](https://arxiv.org/abs/1706.02515),
        "New Dropout Technique"; there q is the probability of keeping.
    """
    check_floating("input", input)
    check_probability("p", p)
    if not training or p == 0:
        return input
    if p == 1:
        return _times(input, input.new_zeros(()), inplace)
    m = torch.empty_like(input).bernoulli_(1 - p)
    a = 1 / math.sqrt((1 - p) * (1 + p * _SELU_END**2))
    # a (1 - m) alpha' + b, added up in torch's order, to its last bit
    shift = m.add(-1).mul_(-_SELU_END * a).add_(-_SELU_END * a * p)
    return _times(input, m.mul_(a), inplace).add_(shift)


def _mask(noise: Tensor, p: float) -> Tensor:
    """Fill with 0 at probability p, and with 1 / (1 - p) elsewhere."""
    return noise.bernoulli_(1 - p).div_(1 - p) if p < 1 else noise.zero_()


def _times(input: Tensor, noise: Tensor, inplace: bool) -> Tensor:
    return input.mul_(noise) if inplace else input * noise


def _check_axes(input: Tensor) -> None:
    """Refuse what has no channels; warn of what may not be meant so."""
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise ValueError(f"expected an input of shape (N, C, H, W), got {shape}")
    if len(shape) != 4:
        warnings.warn(
            f"dropout2d expects (N, C, H, W); got {shape} and reads it as (N, C, ...)",
            stacklevel=3,
        )

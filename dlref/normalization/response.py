"""Local response normalization: neighbouring channels compete."""

from typing import SupportsFloat, SupportsIndex

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from dlref.normalization._arguments import check_input, wide_dtype

__all__ = ["local_response_norm"]


def local_response_norm(
    input: Float[Tensor, "n c *spatial"],
    size: SupportsIndex,
    alpha: SupportsFloat = 1e-4,
    beta: SupportsFloat = 0.75,
    k: SupportsFloat = 1.0,
) -> Float[Tensor, "n c *spatial"]:
    r"""Divide each value by the energy of its pixel in the neighbouring channels.

    $$b_c = a_c \left( k + \frac{\alpha}{n} \sum_{j = c - \lfloor n / 2 \rfloor}
    ^{c + \lfloor (n - 1) / 2 \rfloor} a_j^2 \right)^{-\beta}$$

    The sum ends at the first and the last channel, the divisor is $n$ all the same. The
    paper has no $1/n$: its $\alpha = 10^{-4}$ with $n = 5$ is `alpha=5e-4` here, as in
    torch.

    Args:
        input: Activations $a$ of shape (N, C, ...), of three axes or more.
        size: Number of channels $n$ in a neighbourhood.
        alpha: Weight $\alpha$ of the mean square.
        beta: Exponent $\beta$.
        k: Constant $k$.

    Returns:
        $b$, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point.
        ValueError: If it has fewer than three axes, or `size` is less than 1.

    Examples:
        >>> x = torch.tensor([1.0, 2.0, 3.0]).view(1, 3, 1)
        >>> local_response_norm(x, 3, alpha=3, beta=1).flatten()
        tensor([0.1667, 0.1333, 0.2143])

    References:
        Krizhevsky, Sutskever and Hinton (2012), ImageNet classification with deep
        convolutional neural networks, section 3.3,
        [NeurIPS 2012](https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks).
    """
    check_input(input, 3)
    n, c = size.__index__(), input.shape[1]
    if n < 1:
        raise ValueError(f"expected size >= 1, got {n}")
    a = input.to(wide_dtype(input))
    no_padding = (0, 0) * (a.ndim - 2)
    squares = F.pad(a.square(), (*no_padding, n // 2, (n - 1) // 2))
    energy = torch.zeros_like(a)
    for j in range(n):
        energy += squares[:, j : j + c]
    return (a * (float(k) + float(alpha) / n * energy) ** -float(beta)).to(input.dtype)

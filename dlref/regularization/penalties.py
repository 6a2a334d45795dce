r"""Penalties on the size of weights, to be added to a loss.

The L2 penalty carries a factor 1/2, so that its gradient is $\alpha w$: plain SGD with
`weight_decay` $\alpha$ makes the same step as SGD on a loss with this penalty.
Frameworks differ here: some leave the 1/2 out, and their $\alpha$ is half of this one.
"""

import math
from collections.abc import Callable, Iterable
from functools import reduce
from typing import TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "Weights",
    "check_strength",
    "elastic_net_penalty",
    "l1_penalty",
    "l2_penalty",
]

Weights: TypeAlias = Float[Tensor, "..."] | Iterable[Float[Tensor, "..."]]
"""One tensor, or several, such as `model.parameters()`; of floating point."""


def l1_penalty(weights: Weights, alpha: int | float = 1.0) -> Float[Tensor, ""]:
    r"""Sum the absolute values of all weights.

    $$\Omega(w) = \alpha\,\lVert w \rVert_1 = \alpha \sum_i |w_i|$$

    Its gradient is $\alpha\,\text{sign}(w)$, and 0 where a weight is 0, although any
    number in $[-\alpha, \alpha]$ is a subgradient there. Gradient steps therefore do
    not stop at 0 but jitter around it; exact zeros take
    [`soft_threshold`][dlref.regularization.soft_threshold].

    Args:
        weights: A tensor, or several, of any shapes.
        alpha: Strength $\alpha$, in units of the loss for each unit of weight.

    Returns:
        $\Omega$, without axes; several dtypes give the widest of them.

    Raises:
        TypeError: If `weights` holds something else than tensors of floating point.
        ValueError: If there are no tensors, or `alpha` is negative.

    Examples:
        >>> l1_penalty(torch.tensor([3.0, -4.0]), alpha=0.1)
        tensor(0.7000)

    References:
        Tibshirani (1996), Regression shrinkage and selection via the lasso, Journal of
        the Royal Statistical Society B 58 (1), 267-288.
    """
    check_strength("alpha", alpha)
    return _total(weights, lambda w: w.abs().sum(), alpha)


def l2_penalty(weights: Weights, alpha: int | float = 1.0) -> Float[Tensor, ""]:
    r"""Sum the squares of all weights, halved.

    $$\Omega(w) = \frac{\alpha}{2}\,\lVert w \rVert_2^2
    = \frac{\alpha}{2} \sum_i w_i^2 \qquad \nabla\Omega = \alpha\,w$$

    Args:
        weights: A tensor, or several, of any shapes.
        alpha: Strength $\alpha$, which is the `weight_decay` of `torch.optim.SGD`.

    Returns:
        $\Omega$, without axes; several dtypes give the widest of them.

    Raises:
        TypeError: If `weights` holds something else than tensors of floating point.
        ValueError: If there are no tensors, or `alpha` is negative.

    Examples:
        >>> w = torch.tensor([3.0, -4.0], requires_grad=True)
        >>> l2_penalty(w, alpha=0.1)
        tensor(1.2500, grad_fn=<MulBackward0>)
        >>> layer = torch.nn.Linear(5, 2)
        >>> l2_penalty(layer.parameters()).shape
        torch.Size([])

    References:
        Goodfellow, Bengio and Courville (2016),
        [Deep Learning](https://www.deeplearningbook.org/), section 7.1.1.
    """
    check_strength("alpha", alpha)
    return _total(weights, lambda w: w.square().sum(), alpha / 2)


def elastic_net_penalty(
    weights: Weights, alpha: int | float = 1.0, l1_ratio: int | float = 0.5
) -> Float[Tensor, ""]:
    r"""Mix both penalties, as `sklearn.linear_model.ElasticNet` does.

    $$\Omega(w) = \alpha \left(\rho\,\lVert w \rVert_1
    + \frac{1 - \rho}{2}\,\lVert w \rVert_2^2\right)$$

    It has exact zeros like L1, and like L2 it gives similar features similar weights,
    where L1 alone picks one of them.

    Args:
        weights: A tensor, or several, of any shapes.
        alpha: Strength $\alpha$.
        l1_ratio: Share $\rho$ of L1, a fraction: 1 is `l1_penalty`, 0 `l2_penalty`.

    Returns:
        $\Omega$, without axes; several dtypes give the widest of them.

    Raises:
        TypeError: If `weights` holds something else than tensors of floating point.
        ValueError: If there are no tensors, `alpha` is negative, or `l1_ratio` is not
            within [0, 1].

    Examples:
        >>> elastic_net_penalty(torch.tensor([3.0, -4.0]), alpha=0.1, l1_ratio=0.5)
        tensor(0.9750)

    References:
        Zou and Hastie (2005), Regularization and variable selection via the elastic
        net, Journal of the Royal Statistical Society B 67 (2), 301-320. Their naive
        elastic net: nothing is scaled up afterwards.
    """
    check_strength("alpha", alpha)
    rho = l1_ratio
    if not 0 <= rho <= 1:
        raise ValueError(f"expected l1_ratio within [0, 1], got {l1_ratio}")

    def omega(w: Tensor) -> Tensor:
        return rho * w.abs().sum() + (1 - rho) / 2 * w.square().sum()

    return _total(weights, omega, alpha)


def check_strength(name: str, strength: object, *, zero: bool = True) -> None:
    """Refuse what is no finite number, a negative one, and 0 unless `zero`."""
    if isinstance(strength, bool) or not isinstance(strength, int | float):
        raise TypeError(f"expected {name} to be a number, got {strength!r}")
    enough = strength >= 0 if zero else strength > 0
    if not enough or strength == math.inf:
        sign = ">=" if zero else ">"
        raise ValueError(f"expected a finite {name} {sign} 0, got {strength}")


def _total(
    weights: Weights, omega: Callable[[Tensor], Tensor], factor: float
) -> Tensor:
    """Sum a penalty over tensors, half precision in float32, and round once."""
    tensors = [weights] if isinstance(weights, Tensor) else _as_tensors(weights)
    for w in tensors:
        if not w.is_floating_point():
            raise TypeError(f"expected weights of floating point, got {w.dtype}")
    dtype = reduce(torch.promote_types, (w.dtype for w in tensors))
    wide = torch.promote_types(dtype, torch.float32)
    terms = [omega(w.to(wide)) for w in tensors]
    total = torch.stack(terms).sum() if len(terms) > 1 else terms[0]
    return (total * factor).to(dtype)


def _as_tensors(weights: object) -> list[Tensor]:
    """Return what is iterable, once it is known to hold tensors."""
    hint = "a Tensor or an iterable of them, such as model.parameters()"
    if not isinstance(weights, Iterable):
        raise TypeError(f"expected weights to be {hint}, got {type(weights).__name__}")
    tensors: list[Tensor] = []
    for w in cast("Iterable[object]", weights):
        if not isinstance(w, Tensor):
            raise TypeError(f"expected weights to be {hint}; it holds {w!r:.60}")
        tensors.append(w)
    if not tensors:
        raise ValueError(
            "expected one tensor of weights or more, got none (a generator such as "
            "model.parameters() can be read only once)"
        )
    return tensors

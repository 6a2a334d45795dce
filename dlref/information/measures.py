"""Entropy, cross-entropy, divergences and mutual information."""

import math
from collections.abc import Callable
from typing import SupportsFloat, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.information._distribution import (
    Distribution,
    as_distribution,
    as_pair,
    as_tensor,
)

__all__ = [
    "cross_entropy",
    "entropy",
    "js_divergence",
    "kl_divergence",
    "mutual_information",
]

_Log: TypeAlias = Callable[[Tensor], Tensor]


def entropy(
    p: Distribution, base: SupportsFloat | None = None, *, dim: int = -1
) -> Float[Tensor, "..."]:
    r"""Return the Shannon entropy of a distribution.

    $$H(P) = -\sum_x p(x) \log p(x)$$

    No code that can be decoded spends fewer than $H(P)$ bits (base 2) a symbol on
    average, and [`huffman_code_lengths`][dlref.information.huffman_code_lengths] gives
    one that spends less than $H(P) + 1$.

    Args:
        p: Probabilities; they sum to one along `dim`.
        base: Base of the logarithm: None for nats, 2 for bits, 10 for hartleys.
        dim: The axis of the outcomes.

    Returns:
        Entropy in units of `base`, from 0 to $\log n$ for $n$ outcomes, without `dim`.

    Raises:
        TypeError: If `p` does not hold real numbers.
        ValueError: If `p` holds a negative number or NaN, or does not sum to one within
            3.5e-4 (float32), 3.1e-2 (float16) or 8.8e-2 (bfloat16), which is the square
            root of the dtype's epsilon, or 1e-6 (float64, as in `torch.distributions`:
            float32 made wider passes); or if `base` is not positive, or is 1.
        IndexError: If there is no axis `dim`.

    Examples:
        >>> entropy([1 / 2, 1 / 4, 1 / 8, 1 / 8], 2).item()
        1.75

    References:
        Shannon (1948), A mathematical theory of communication,
        [doi:10.1002/j.1538-7305.1948.tb01338.x](https://doi.org/10.1002/j.1538-7305.1948.tb01338.x),
        section 6.
    """
    log, unit = _logarithm(base)
    p, dtype = as_distribution("p", p, dim)
    log_p = log(p.clamp_min(torch.finfo(p.dtype).tiny))  # finite: 0 log 0 = 0
    return _total(-p * log_p, dim, unit).to(dtype)


def cross_entropy(
    p: Distribution,
    q: Distribution,
    base: SupportsFloat | None = None,
    *,
    dim: int = -1,
) -> Float[Tensor, "..."]:
    r"""Return the cross-entropy of two distributions.

    $$H(P, Q) = -\sum_x p(x) \log q(x) = H(P) + D_{KL}(P \| Q)$$

    It is the mean length of a code made for $Q$ on symbols that come from $P$; the loss
    of a classifier, where $P$ is the target and $Q$ the prediction. (That loss takes
    logits: a softmax in front of this function loses what the softmax underflows.)

    Args:
        p: Probabilities of the symbols; they sum to one along `dim`.
        q: Probabilities that the code assumes; the shape of `p`.
        base: Base of the logarithm: None for nats, 2 for bits, 10 for hartleys.
        dim: The axis of the outcomes.

    Returns:
        Cross-entropy in units of `base`, without `dim`: at least the entropy of `p`,
        and `inf` where `q` is 0 and `p` is not.

    Raises:
        TypeError: If `p` or `q` does not hold real numbers.
        ValueError: If `p` or `q` is no distribution, their shapes or devices differ, or
            `base` is not positive, or is 1: see [`entropy`][dlref.information.entropy].
        IndexError: If there is no axis `dim`.

    Examples:
        >>> p = [1 / 2, 1 / 4, 1 / 8, 1 / 8]
        >>> cross_entropy(p, 4 * [1 / 4], 2).item()
        2.0

    References:
        Cover and Thomas (2006), chapter 5 (the wrong code),
        [doi:10.1002/047174882X](https://doi.org/10.1002/047174882X).
    """
    log, unit = _logarithm(base)
    p, q, dtype = as_pair(p, q, dim)
    return _total(-p * _log(q, p, log), dim, unit).to(dtype)


def kl_divergence(
    p: Distribution,
    q: Distribution,
    base: SupportsFloat | None = None,
    *,
    dim: int = -1,
) -> Float[Tensor, "..."]:
    r"""Return the Kullback-Leibler divergence of `p` from `q`, the relative entropy.

    $$D_{KL}(P \| Q) = \sum_x p(x) \log \frac{p(x)}{q(x)} = H(P, Q) - H(P) \ge 0$$

    It is 0 only for $P = Q$, but it is no distance: $D_{KL}(Q \| P)$ is another number,
    and the triangle inequality does not hold. Mind the order of torch:
    `F.kl_div(q.log(), p, reduction="sum")` is $D_{KL}(P \| Q)$.

    Args:
        p: Probabilities of the symbols; they sum to one along `dim`.
        q: Probabilities to compare with; the shape of `p`.
        base: Base of the logarithm: None for nats, 2 for bits, 10 for hartleys.
        dim: The axis of the outcomes.

    Returns:
        Divergence in units of `base`, without `dim`: `inf` where `q` is 0 and `p` is
        not, exactly 0 for equal distributions, and never negative: what rounding
        leaves below 0 is raised to 0, its gradient untouched.

    Raises:
        TypeError: If `p` or `q` does not hold real numbers.
        ValueError: If `p` or `q` is no distribution, their shapes or devices differ, or
            `base` is not positive, or is 1: see [`entropy`][dlref.information.entropy].
        IndexError: If there is no axis `dim`.

    Examples:
        >>> p, q = [0.9, 0.1], [0.5, 0.5]
        >>> [round(kl_divergence(*pair).item(), 3) for pair in ((p, q), (q, p))]
        [0.368, 0.511]

    References:
        Kullback and Leibler (1951), On information and sufficiency,
        [doi:10.1214/aoms/1177729694](https://doi.org/10.1214/aoms/1177729694).
    """
    log, unit = _logarithm(base)
    p, q, dtype = as_pair(p, q, dim)
    return _total(p * (_log(p, p, log) - _log(q, p, log)), dim, unit).to(dtype)


def js_divergence(
    p: Distribution,
    q: Distribution,
    base: SupportsFloat | None = None,
    *,
    dim: int = -1,
) -> Float[Tensor, "..."]:
    r"""Return the Jensen-Shannon divergence of two distributions.

    $$D_{JS}(P, Q) = \tfrac12 D_{KL}(P \| M) + \tfrac12 D_{KL}(Q \| M), \qquad
      M = \tfrac12 (P + Q)$$

    It is symmetric and finite, and its square root (what `scipy.spatial.distance` calls
    `jensenshannon`) is a metric.

    Args:
        p: Probabilities; they sum to one along `dim`.
        q: Probabilities; the shape of `p`.
        base: Base of the logarithm: None for nats, 2 for bits, 10 for hartleys.
        dim: The axis of the outcomes.

    Returns:
        Divergence in units of `base`, without `dim`: from 0 (equal) to $\log 2$, which
        is 1 bit (no outcome in common).

    Raises:
        TypeError: If `p` or `q` does not hold real numbers.
        ValueError: If `p` or `q` is no distribution, their shapes or devices differ, or
            `base` is not positive, or is 1: see [`entropy`][dlref.information.entropy].
        IndexError: If there is no axis `dim`.

    Examples:
        >>> js_divergence([1, 0], [0, 1], 2).item()
        1.0

    References:
        Lin (1991), Divergence measures based on the Shannon entropy,
        [doi:10.1109/18.61115](https://doi.org/10.1109/18.61115).
    """
    log, unit = _logarithm(base)
    p, q, dtype = as_pair(p, q, dim)
    m = (p + q) / 2
    m = torch.where(m > 0, m, p + q)  # half of the smallest number there is, is 0
    terms = p * (_log(p, p, log) - _log(m, p, log))
    terms = terms + q * (_log(q, q, log) - _log(m, q, log))
    return _total(terms / 2, dim, unit).to(dtype)


def mutual_information(
    joint: Distribution, base: SupportsFloat | None = None
) -> Float[Tensor, "..."]:
    r"""Return the mutual information of two variables from their joint distribution.

    $$I(X; Y) = \sum_{x, y} p(x, y) \log \frac{p(x, y)}{p(x)\,p(y)}
      = D_{KL}(P_{XY} \| P_X P_Y) = H(X) + H(Y) - H(X, Y)$$

    Args:
        joint: Probabilities $p(x, y)$; the last *two* axes, $x$ and $y$, together sum
            to one, and those before them are a batch.
        base: Base of the logarithm: None for nats, 2 for bits, 10 for hartleys.

    Returns:
        Information in units of `base`, without the last two axes; 0 if and only if the
        variables are independent.

    Raises:
        TypeError: If `joint` does not hold real numbers.
        ValueError: If it has fewer than two axes or is no distribution, or `base` is
            not
            positive, or is 1: see [`entropy`][dlref.information.entropy].

    Examples:
        >>> mutual_information([[1 / 2, 0], [0, 1 / 2]], 2).item()  # y tells x
        1.0

    References:
        Cover and Thomas (2006), chapter 2,
        [doi:10.1002/047174882X](https://doi.org/10.1002/047174882X).
    """
    log, unit = _logarithm(base)
    joint = as_tensor("joint", joint)
    if joint.ndim < 2:
        raise ValueError(f"expected joint to have two axes or more, got {joint.ndim}")
    flat, dtype = as_distribution("joint", joint.flatten(-2), -1)
    p = flat.reshape(joint.shape)  # (*batch, x, y)
    p_x, p_y = p.sum(-1, keepdim=True), p.sum(-2, keepdim=True)
    terms = p * (_log(p, p, log) - _log(p_x, p, log) - _log(p_y, p, log))
    return _total(terms.flatten(-2), -1, unit).to(dtype)


def _logarithm(base: object) -> tuple[_Log, float]:
    """Return a logarithm and what to divide by; log2 is exact at the powers of two."""
    if base is None:
        return torch.log, 1.0
    if not isinstance(base, SupportsFloat):
        raise TypeError(f"expected base to be a number or None, got {base!r}")
    b = float(base)
    if not 0 < b < math.inf or b == 1:
        raise ValueError(f"expected base > 0 and not 1, got base={b:g}")
    exact: dict[float, _Log] = {2.0: torch.log2, 10.0: torch.log10}
    return (exact[b], 1.0) if b in exact else (torch.log, math.log(b))


def _log(q: Tensor, p: Tensor, log: _Log) -> Tensor:
    """Return log q, to be multiplied by p: finite where both are 0."""
    tiny = torch.finfo(q.dtype).tiny
    return log(torch.where(p + q == 0, tiny, q))


def _total(terms: Tensor, dim: int, unit: float) -> Tensor:
    """Return a sum that is not negative: what is below 0 is rounding."""
    total = terms.sum(dim)
    total = total - total.detach().clamp_max(0)  # the value rises to 0, the slope stays
    return total if unit == 1 else total / unit

"""Random orthogonal matrices."""

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.init._arguments import check_tensor, fans

__all__ = ["orthogonal_"]


def orthogonal_(
    tensor: Float[Tensor, "..."],
    gain: float | int = 1,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "..."]:
    r"""Fill a weight with a random matrix of orthonormal rows or columns.

    The weight, flattened to $m$ rows and $n$ columns, is $g Q$, where

    $$Q^\top Q = I \ \text{ if } m \ge n, \qquad Q Q^\top = I \ \text{ if } m \le n$$

    Such a $Q$ keeps the length of every vector (if $m < n$, of those in the span of its
    rows), and so do products of square ones, however many: that is more than
    independent weights can do, which keep it on average. $Q$ comes from a QR
    decomposition of normal numbers; with the signs of $R$'s diagonal moved into $Q$ all
    directions are equally likely.

    Half precision is computed in float32 and rounded once.

    Args:
        tensor: The weight to overwrite, of two or more axes; those behind the first are
            taken as one.
        gain: $g$, any number.
        generator: Source of the random numbers; torch's own if None.

    Returns:
        The same tensor.

    Raises:
        TypeError: If it is no tensor of floating point.
        ValueError: If it has fewer than two axes.

    Examples:
        >>> w = orthogonal_(torch.empty(5, 3, dtype=torch.float64))
        >>> torch.allclose(w.T @ w, torch.eye(3).double())
        True

    References:
        Saxe, McClelland and Ganguli (2013),
        [arXiv:1312.6120](https://arxiv.org/abs/1312.6120).

        Mezzadri (2006), [arXiv:math-ph/0609050](https://arxiv.org/abs/math-ph/0609050),
        *A Correct and Efficient Algorithm*: the signs.
    """
    check_tensor(tensor)
    fans(tensor)
    if not tensor.numel() or tensor.is_meta:
        return tensor
    dtype = torch.promote_types(tensor.dtype, torch.float32)
    a = torch.empty(tensor.shape, dtype=dtype, device=tensor.device).flatten(1)
    a.normal_(0, 1, generator=generator)  # (m, n)
    m, n = a.shape
    q, r = _qr(a if m >= n else a.mT)
    q.mul_(r.diagonal().sign()).mul_(gain)
    w = q if m >= n else q.mT
    with torch.no_grad():
        return tensor.copy_(w.reshape(tensor.shape))


def _qr(a: Tensor) -> tuple[Tensor, Tensor]:
    return torch.linalg.qr(a)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

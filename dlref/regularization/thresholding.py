"""The step that makes weights exactly zero."""

from typing import SupportsFloat

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import hardshrink

from dlref.regularization._arguments import check_floating

__all__ = ["soft_threshold"]


def soft_threshold(
    input: Float[Tensor, "*shape"], lambd: SupportsFloat | Float[Tensor, "..."] = 0.5
) -> Float[Tensor, "*shape"]:
    r"""Move every number towards zero by $\lambda$, and stop there.

    $$S_\lambda(x) = \text{sign}(x)\,\max(|x| - \lambda, 0)
    = \arg\min_w \tfrac12 (w - x)^2 + \lambda\,|w|$$

    It is the proximal operator of the L1 penalty, and `torch.nn.functional.softshrink`.
    The proximal operator of the L2 penalty with the same strength is
    $x / (1 + \lambda)$, which is 0 only where $x$ is.

    Args:
        input: $x$, of any shape.
        lambd: $\lambda$, in units of $x$; a tensor gives each number its own, and must
            broadcast to the shape of `input`.

    Returns:
        $S_\lambda(x)$, of the shape and dtype of `input`; half precision is computed in
        float32.

    Raises:
        TypeError: If `input` is no tensor of floating point.
        ValueError: If `lambd` is negative or NaN, or does not broadcast.

    Examples:
        >>> soft_threshold(torch.tensor([-2.0, -0.5, 0.3, 1.0]), 0.5)
        tensor([-1.5000,  0.0000,  0.0000,  0.5000])

    References:
        Daubechies, Defrise and De Mol (2004), An iterative thresholding algorithm for
        linear inverse problems with a sparsity constraint,
        [doi:10.1002/cpa.20042](https://doi.org/10.1002/cpa.20042);
        Parikh and Boyd (2014), Proximal algorithms, section 6.5.2,
        [doi:10.1561/2400000003](https://doi.org/10.1561/2400000003).
    """
    check_floating("input", input)
    x = input.to(torch.promote_types(input.dtype, torch.float32))
    if isinstance(lambd, Tensor) and lambd.ndim > 0:
        each = _check_tensor(lambd, input).to(x.dtype)
        return (x - x.clamp(-each, each)).to(input.dtype)
    bound = float(lambd)
    if not bound >= 0:
        raise ValueError(f"expected lambd >= 0, got {bound}")
    beyond = hardshrink(x, bound)  # x where |x| > lambda, else 0; its slope is ours
    return (beyond - beyond.detach().clamp(-bound, bound)).to(input.dtype)


def _check_tensor(lambd: Tensor, x: Tensor) -> Tensor:
    sizes = zip(reversed(lambd.shape), reversed(x.shape), strict=False)
    if lambd.ndim > x.ndim or any(a not in (1, b) for a, b in sizes):
        raise ValueError(
            f"expected a lambd that broadcasts to {tuple(x.shape)}, "
            f"got {tuple(lambd.shape)}"
        )
    if not bool((lambd >= 0).all()):
        raise ValueError(f"expected lambd >= 0, got {lambd.min().item()}")
    return lambd

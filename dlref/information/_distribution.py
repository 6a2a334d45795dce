"""How the functions of `dlref.information` read a distribution."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Real
from torch import Tensor

__all__ = ["Distribution", "as_distribution", "as_pair", "as_tensor"]

Distribution: TypeAlias = Real[Tensor, "..."] | npt.NDArray[Any] | Sequence[Any]


def as_tensor(name: str, p: Distribution, device: torch.device | None = None) -> Tensor:
    """Return a floating-point tensor of the numbers.

    Args:
        name: What the caller's caller knows `p` by.
        p: A tensor, an array or a sequence, nested or not.
        device: Where an array or a sequence goes; None is torch's default.

    Returns:
        Float tensors as they are, integer tensors in torch's default dtype; float16 and
        float32 arrays in their dtype, other arrays and sequences in float64.

    Raises:
        TypeError: If the numbers are not real numbers.
    """
    if isinstance(p, Tensor):
        if p.is_complex() or p.dtype == torch.bool:
            raise TypeError(f"expected {name} to hold real numbers, got {p.dtype}")
        return p if p.is_floating_point() else p.to(torch.get_default_dtype())
    try:
        array = np.array(p, order="C")  # a copy, so that torch may call it writable
    except (ValueError, RuntimeError) as error:  # ragged, or tensors with a gradient
        raise TypeError(f"expected {name} to hold real numbers: {error}") from error
    if array.dtype.kind not in "iuf":
        raise TypeError(f"expected {name} to hold real numbers, got {array.dtype}")
    if array.dtype.name not in ("float16", "float32"):
        array = array.astype(np.float64)
    return torch.as_tensor(array, device=device)


def as_distribution(name: str, p: Distribution, dim: int) -> tuple[Tensor, torch.dtype]:
    """Return a distribution, checked and wide enough to compute with.

    Args:
        name: What the caller's caller knows `p` by.
        p: Probabilities; they sum to one along `dim`.
        dim: The axis of the outcomes.

    Returns:
        The probabilities, half precision widened to float32, and the dtype they had.

    Raises:
        TypeError: If `p` does not hold real numbers.
        ValueError: If there is a negative number or NaN, or a sum is not one within the
            square root of the dtype's epsilon, but 1e-6 for float64.
        IndexError: If there is no axis `dim`.
    """
    p = as_tensor(name, p)
    if not -p.ndim <= dim < p.ndim:
        raise IndexError(f"expected an axis of {name}, which has {p.ndim}, got {dim=}")
    dtype = p.dtype
    p = p.to(torch.promote_types(dtype, torch.float32))
    total = p.detach().sum(dim)
    tolerance = max(1e-6, math.sqrt(torch.finfo(dtype).eps))
    near = (total - 1).abs() <= tolerance  # False for NaN
    if not bool((p >= 0).all() & near.all()):
        raise ValueError(_explain(name, p, total, dim, tolerance))
    return p, dtype


def _explain(name: str, p: Tensor, total: Tensor, dim: int, tolerance: float) -> str:
    """Say what keeps numbers from being a distribution."""
    if bool(p.isnan().any()):
        return f"expected {name} to be probabilities, got NaN"
    if bool((p < 0).any()):
        return f"expected {name} >= 0, got {p.min().item():.6g}"
    worst = total.flatten()[(total - 1).abs().argmax()].item()
    return (
        f"expected {name} to sum to 1 along dim={dim} within {tolerance:.1e}, got a "
        f"sum of {worst:.9g}; normalise it: {name} / {name}.sum({dim}, keepdim=True)"
    )


def as_pair(
    p: Distribution, q: Distribution, dim: int
) -> tuple[Tensor, Tensor, torch.dtype]:
    """Return two distributions over the same outcomes, in one dtype.

    Args:
        p: Probabilities; they sum to one along `dim`.
        q: Probabilities; the shape of `p`.
        dim: The axis of the outcomes.

    Returns:
        Both, in the wider of their dtypes and at least in float32, and the dtype of a
        result: the wider of the dtypes that they had.

    Raises:
        TypeError: If `p` or `q` does not hold real numbers.
        ValueError: If their shapes or devices differ, or one is no distribution.
        IndexError: If there is no axis `dim`.
    """
    device = next((x.device for x in (p, q) if isinstance(x, Tensor)), None)
    p, q = as_tensor("p", p, device), as_tensor("q", q, device)
    if p.shape != q.shape or p.device != q.device:
        raise ValueError(
            "expected p and q of one shape on one device, "
            f"got {tuple(p.shape)} on {p.device} and {tuple(q.shape)} on {q.device}"
        )
    p, p_dtype = as_distribution("p", p, dim)
    q, q_dtype = as_distribution("q", q, dim)
    wide = torch.promote_types(p.dtype, q.dtype)
    return p.to(wide), q.to(wide), torch.promote_types(p_dtype, q_dtype)

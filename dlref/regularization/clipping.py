"""Gradient clipping: a bound on the length of a step, or on each of its numbers."""

import math
import warnings
from collections.abc import Iterable
from types import GeneratorType
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.regularization._arguments import check_tensor

__all__ = ["clip_grad_norm_", "clip_grad_value_"]

_each: Any = (
    torch  # torch._foreach_*: one call for a list; private, but torch's own too
)


@torch.no_grad()
def clip_grad_norm_(
    parameters: Float[Tensor, "..."] | Iterable[Float[Tensor, "..."]],
    max_norm: int | float,
    norm_type: int | float | str = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Float[Tensor, ""]:
    r"""Shorten the gradient of all parameters together to at most a given norm.

    $$g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert + 10^{-6}}\right)$$

    $g$ is the gradient of *all* parameters as one vector: its direction stays.

    Args:
        parameters: One tensor or several; their `grad`, where there is one, is changed.
        max_norm: $c$, the norm from which on to shorten.
        norm_type: The $p$ of the norm, above 0; infinity, or "inf", for the largest
            absolute value.
        error_if_nonfinite: Whether to refuse gradients whose norm is NaN or infinite;
            otherwise they become NaN or 0.
        foreach: Whether one call handles all gradients; None is as True.

    Returns:
        The norm *before* clipping, a tensor of shape ().

    Raises:
        TypeError: If a parameter is no tensor.
        ValueError: If `max_norm` is negative or NaN, or `norm_type` is not above 0: the
            norm of the tensors' norms is then not the norm of all.
        RuntimeError: If the norm is NaN or infinite, and `error_if_nonfinite` is set.

    Examples:
        >>> w = torch.zeros(2, requires_grad=True)
        >>> w.grad = torch.tensor([3.0, 4.0])
        >>> clip_grad_norm_(w, max_norm=1.0)
        tensor(5.)
        >>> w.grad
        tensor([0.6000, 0.8000])

    References:
        Pascanu et al. (2013), [arXiv:1211.5063](https://arxiv.org/abs/1211.5063),
        section 3.2, algorithm 1.
    """
    p = float(norm_type)
    _check_bound("max_norm", max_norm)
    if not p > 0:
        raise ValueError(f"expected norm_type above 0, got {norm_type}")
    gradients = _gradients(parameters)
    norm = _total_norm(gradients, p, foreach=foreach is not False)
    if error_if_nonfinite and not norm.isfinite():
        raise RuntimeError(f"expected gradients of finite norm, got {norm.item()}")
    shrink = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    for device in {g.device for g in gradients}:
        here = [g for g in gradients if g.device == device]
        _scale(here, shrink.to(device), foreach=foreach is not False)
    return norm


@torch.no_grad()
def clip_grad_value_(
    parameters: Float[Tensor, "..."] | Iterable[Float[Tensor, "..."]],
    clip_value: int | float,
    foreach: bool | None = None,
) -> None:
    r"""Cut every number of the gradients off at a bound, above and below.

    $$g_i \leftarrow \min(\max(g_i, -c), c)$$

    Other than with [`clip_grad_norm_`][dlref.regularization.clip_grad_norm_], the
    direction of the step changes.

    Args:
        parameters: One tensor or several; their `grad`, where there is one, is changed.
        clip_value: The bound $c$.
        foreach: Whether one call handles all gradients; None is as True.

    Raises:
        TypeError: If a parameter is no tensor.
        ValueError: If `clip_value` is negative or NaN.

    Examples:
        >>> w = torch.zeros(3, requires_grad=True)
        >>> w.grad = torch.tensor([0.3, -4.0, 50.0])
        >>> clip_grad_value_(w, 1.0)
        >>> w.grad
        tensor([ 0.3000, -1.0000,  1.0000])

    References:
        Goodfellow, Bengio and Courville (2016),
        [Deep Learning](https://www.deeplearningbook.org/), section 10.11.1.
    """
    c = float(clip_value)
    _check_bound("clip_value", c)
    gradients = _gradients(parameters)
    if foreach is not False and gradients:
        _each._foreach_clamp_min_(gradients, -c)
        _each._foreach_clamp_max_(gradients, c)
    else:
        for g in gradients:
            g.clamp_(-c, c)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """Return the gradients that are there."""
    single = isinstance(parameters, Tensor)
    tensors = [parameters] if single else list(parameters)
    for tensor in tensors:
        check_tensor("each parameter", tensor)
    if isinstance(parameters, GeneratorType) and not tensors:
        warnings.warn("an empty generator of parameters: used up?", stacklevel=4)
    return [tensor.grad for tensor in tensors if tensor.grad is not None]


def _total_norm(gradients: list[Tensor], p: float, *, foreach: bool) -> Tensor:
    """Return the norm of the norms: the norm of all gradients as one vector."""
    if math.isinf(p):  # torch has no largest value of nothing
        gradients = [g for g in gradients if g.numel()]
    if not gradients:
        return torch.tensor(0.0)
    if foreach:
        norms = cast("list[Tensor]", _each._foreach_norm(gradients, p))
    else:
        norms = [cast("Any", torch).linalg.vector_norm(g, p) for g in gradients]
    together = torch.stack([norm.to(gradients[0].device) for norm in norms])
    return cast("Any", torch).linalg.vector_norm(together, p)


def _scale(gradients: list[Tensor], factor: Tensor, *, foreach: bool) -> None:
    """Multiply all of them, which are on one device."""
    if foreach:
        _each._foreach_mul_(gradients, factor)
    else:
        for g in gradients:
            g.mul_(factor)


def _check_bound(name: str, value: int | float) -> None:
    if math.isnan(value) or value < 0:
        raise ValueError(f"expected {name} of 0 or more, got {value}")

"""Derivatives without the chain rule: move one entry, and see what happens."""

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["central_differences", "check_input", "numerical_gradient"]


@overload
def numerical_gradient(
    func: Callable[..., Tensor | float],
    inputs: Float[Tensor, "..."],
    *,
    eps: float = 1e-6,
) -> Float[Tensor, "..."]: ...
@overload
def numerical_gradient(
    func: Callable[..., Tensor | float],
    inputs: Sequence[Float[Tensor, "..."]],
    *,
    eps: float = 1e-6,
) -> tuple[Float[Tensor, "..."], ...]: ...
def numerical_gradient(
    func: Callable[..., Tensor | float],
    inputs: Float[Tensor, "..."] | Sequence[Float[Tensor, "..."]],
    *,
    eps: float = 1e-6,
) -> Float[Tensor, "..."] | tuple[Float[Tensor, "..."], ...]:
    r"""Approximate the gradient of a function with one number as result.

    $$\frac{\partial E}{\partial x_i}
    \approx \frac{E(x + \varepsilon e_i) - E(x - \varepsilon e_i)}{2\,\varepsilon}$$

    The error has two parts: the series that is cut off, about $\varepsilon^2 |E'''|/6$,
    and rounding, about $u\,|E| / \varepsilon$ with $u \approx 10^{-16}$ in float64;
    where both are alike, $\varepsilon$ is near $10^{-5}$. In float32 little is left.

    Each entry of the inputs is moved *in place* and put back exactly, so that a
    function may also read the tensor from elsewhere, as a module reads its weights.

    Args:
        func: $E$: takes the inputs, returns a tensor of one entry, or a number.
        inputs: A tensor of floating point, or several.
        eps: Step $\varepsilon$.

    Returns:
        A gradient for each input, of its shape and dtype: a tensor if one was given,
        else a tuple.

    Raises:
        TypeError: If an input is not a tensor of floating point.
        ValueError: If the function returns more than one number, entries of an input
            share memory, or `eps` is not positive.

    Examples:
        >>> x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
        >>> numerical_gradient(lambda x: (x**2).sum(), x)
        tensor([2.0000, 4.0000, 6.0000], dtype=torch.float64)

    References:
        Goodfellow, Bengio and Courville (2016), section 11.5.
    """
    single = isinstance(inputs, Tensor)
    tensors = (inputs,) if single else tuple(inputs)
    for number, x in enumerate(tensors):
        check_input(number, x)

    def outputs() -> list[Tensor]:
        y = func(*tensors)
        y = y if isinstance(y, Tensor) else torch.tensor(y, dtype=torch.float64)
        if y.numel() != 1:
            raise ValueError(f"expected one number, got shape {tuple(y.shape)}")
        return [y]

    gradients = tuple(_gradient(outputs, x, eps) for x in tensors)
    return gradients[0] if single else gradients


def _gradient(outputs: Callable[[], Sequence[Tensor]], x: Tensor, eps: float) -> Tensor:
    columns = central_differences(outputs, x, eps)
    return columns[0].reshape(x.shape).to(x) if columns else torch.zeros_like(x)


def central_differences(
    outputs: Callable[[], Sequence[Tensor]], x: Tensor, eps: float
) -> list[Tensor]:
    """Approximate the Jacobian of each output, (entries of output, entries of x).

    Args:
        outputs: Computes the outputs from `x` as it stands.
        x: A tensor; its entries are moved one by one, and put back.
        eps: How far.
    """
    if not eps > 0:
        raise ValueError(f"expected a positive eps, got {eps}")
    columns: list[list[Tensor]] = []
    for index in np.ndindex(x.shape):
        entry = x.data[index]  # a view, of which autograd hears nothing
        kept = entry.clone()
        try:
            ends: list[list[Tensor]] = []
            for end in (kept + eps, kept - eps):
                entry.copy_(end)
                ends.append([y.detach().flatten().clone() for y in outputs()])
        finally:
            entry.copy_(kept)
        columns.append([(p - m) / (2 * eps) for p, m in zip(*ends, strict=True)])
    return [torch.stack(output, dim=1) for output in zip(*columns, strict=True)]


def check_input(number: int, x: object) -> None:
    """Refuse what cannot be moved entry by entry."""
    if not isinstance(x, Tensor) or not x.is_floating_point():
        got = x.dtype if isinstance(x, Tensor) else type(x).__name__
        raise TypeError(
            f"expected input {number} to be a Tensor of floating point, got {got}"
        )
    if any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape, strict=True)):
        raise ValueError(
            f"expected input {number} to have memory for each entry, got an expanded "
            f"tensor of shape {tuple(x.shape)} and strides {x.stride()}"
        )

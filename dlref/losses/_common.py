"""What every loss does around its formula: checks, the dtype, the reduction."""

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from dlref._signature import keep_signature

__all__ = [
    "apply",
    "bounds",
    "broadcast_shape",
    "check_floating",
    "check_reduction",
    "check_same_shape",
    "check_tensors",
    "elementwise",
    "reduced",
]


def check_reduction(
    reduction: str, size_average: bool | None = None, reduce: bool | None = None
) -> str:
    """Return the reduction wanted, from torch's old arguments as well."""
    if size_average is not None or reduce is not None:
        each = reduce is not None and not reduce
        total = size_average is not None and not size_average
        reduction = "none" if each else "sum" if total else "mean"
        warnings.warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead.",
            stacklevel=3,
        )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"expected reduction none, mean or sum, got {reduction!r}")
    return reduction


def check_tensors(**given: object) -> None:
    """Refuse what is no tensor."""
    for name, value in given.items():
        if not isinstance(value, Tensor):
            kind = type(value).__name__
            raise TypeError(f"expected {name} to be a Tensor, got {kind}")


def check_floating(**given: Tensor) -> None:
    """Refuse what is no tensor of floating point."""
    check_tensors(**given)
    for name, x in given.items():
        if not x.is_floating_point():
            raise TypeError(f"expected {name} of floating point, got {x.dtype}")


def check_same_shape(input: Tensor, **given: Tensor | None) -> None:
    """Refuse what has not the shape of the input."""
    for name, x in given.items():
        if x is not None and x.shape != input.shape:
            raise ValueError(
                f"expected {name} of the input's shape {tuple(input.shape)}, got "
                f"{tuple(x.shape)}"
            )


def broadcast_shape(**given: Tensor) -> tuple[int, ...]:
    """Return the shape that all can be broadcast to, or refuse them."""
    shapes = [tuple(x.shape) for x in given.values()]
    try:
        return tuple(cast("Any", torch).broadcast_shapes(*shapes))
    except RuntimeError:
        names = ", ".join(f"{n} {s}" for n, s in zip(given, shapes, strict=True))
        raise ValueError(f"expected shapes that fit, got {names}") from None


def bounds(x: Tensor) -> tuple[int | float, int | float] | None:
    """Return the smallest and the largest number.

    None if there is none, or none that can be asked for: `vmap` shows no values.
    """
    if not x.numel():
        return None
    try:
        low, high = x.aminmax()
        return low.item(), high.item()
    except RuntimeError:
        return None


def apply(formula: Callable[..., Tensor], *given: Tensor | None) -> Tensor:
    """Return `formula(*given)` in the common dtype of all that is given.

    Of half precision it is computed in float32, and rounded once.
    """
    dtypes = {x.dtype for x in given if x is not None}
    if len(dtypes) == 1 and dtypes <= {torch.float32, torch.float64}:
        return formula(*given)
    dtype = wide = functools.reduce(torch.promote_types, dtypes)
    if dtype.is_floating_point and dtype.itemsize < 4:
        wide = torch.float32
    y = formula(*(x if x is None or x.dtype is wide else x.to(wide) for x in given))
    return y if y.dtype is dtype else y.to(dtype)


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Return each loss, their sum or their mean."""
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss.mean()


def elementwise(
    value: Callable[..., Tensor],
    pullbacks: Sequence[Callable[..., Tensor]],
    reduction: str,
    *arguments: Tensor,
) -> Tensor:
    r"""Reduce a loss $f(x, \ldots)$ whose derivatives are given, not recorded.

    Args:
        value: $f$, element by element.
        pullbacks: For each argument $(g, x, \ldots) \mapsto g\,\partial f$, in
            operations that can be differentiated; $g$ may be a single number.
        reduction: none, mean or sum.
        *arguments: $x$ and others, of one shape.
    """
    function = cast("Any", _Elementwise)
    return function.apply(value, pullbacks, reduction, *arguments)


@keep_signature
class _Elementwise(torch.autograd.Function):
    """A reduced formula beside its derivatives."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        value: Callable[..., Tensor], pullbacks: object, reduction: str, *x: Tensor
    ) -> Tensor:
        """Return f(x, ...), reduced."""
        return reduced(value(*x), reduction)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep the arguments, and the derivatives."""
        _, ctx.pullbacks, ctx.reduction, *x = inputs
        ctx.save_for_backward(*x)
        ctx.save_for_forward(*x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to each argument that needs one."""
        x, (g,) = ctx.saved_tensors, grad_outputs
        g = g / x[0].numel() if ctx.reduction == "mean" else g
        pairs = zip(ctx.pullbacks, ctx.needs_input_grad[3:], strict=True)
        return None, None, None, *(f(g, *x) if need else None for f, need in pairs)

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent of the reduced loss."""
        x, tangents = ctx.saved_tensors, grad_inputs[3:]
        pairs = zip(ctx.pullbacks, tangents, strict=True)
        parts: list[Any] = [f(dx, *x) for f, dx in pairs if dx is not None]
        return reduced(cast("Tensor", sum(parts)), ctx.reduction)

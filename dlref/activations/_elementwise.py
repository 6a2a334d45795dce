"""How every activation is applied: what it accepts, its dtype, its derivative."""

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor

from dlref._signature import keep_signature

__all__ = [
    "apply",
    "as_floating",
    "check_floating",
    "check_real",
    "gated",
    "where_positive",
    "with_derivative",
]

_Value = Callable[[Tensor], Tensor]
_Pullback = Callable[[Tensor, Tensor], Tensor]


def check_real(input: object) -> None:
    """Refuse what is no tensor, and complex numbers."""
    if not isinstance(input, Tensor):
        raise TypeError(f"expected input to be a Tensor, got {type(input).__name__}")
    if input.is_complex():
        raise TypeError(f"expected input of real numbers, got {input.dtype}")


def check_floating(input: object) -> None:
    """Refuse what is no tensor of floating point."""
    check_real(input)
    if not cast("Tensor", input).is_floating_point():
        dtype = cast("Tensor", input).dtype
        raise TypeError(f"expected input of floating point, got {dtype}")


def as_floating(input: Tensor) -> Tensor:
    """Return integers and booleans in the default dtype, other numbers as given."""
    check_real(input)
    return input if input.is_floating_point() else input.to(torch.get_default_dtype())


def apply(value: _Value, input: Tensor, *, inplace: bool = False) -> Tensor:
    """Return `value(input)`, of half precision computed in float32 and rounded once.

    Args:
        value: The formula.
        input: Its argument $x$.
        inplace: Whether to write the result over `input`; the formula then works on a
            copy, which its derivative may still read.
    """
    check_floating(input)
    dtype = input.dtype
    wide = torch.float32 if dtype.itemsize < 4 else dtype
    if dtype is wide and not inplace:
        return value(input)
    y = value(input.to(wide, copy=inplace)).to(dtype)
    return input.copy_(y) if inplace else y


def with_derivative(value: _Value, pullback: _Pullback, x: Tensor) -> Tensor:
    r"""Return $f(x)$ with a derivative that is given, not recorded.

    Args:
        value: $f$, element by element.
        pullback: $(g, x) \mapsto g\,f'(x)$, in operations that can be differentiated.
        x: The argument, in a dtype wide enough to compute with.
    """
    return cast("Any", _WithDerivative).apply(x, value, pullback)


@keep_signature
class _WithDerivative(torch.autograd.Function):
    """A formula beside its derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, value: _Value, pullback: _Pullback) -> Tensor:
        """Return f(x)."""
        return value(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep x, and the derivative."""
        x, _, ctx.pullback = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to x."""
        return ctx.pullback(grad_outputs[0], *ctx.saved_tensors), None, None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent of f(x)."""
        # element by element, the Jacobian is its own transpose
        return ctx.pullback(grad_inputs[0], *ctx.saved_tensors)


def gated(gate: _Value, slope: _Pullback, x: Tensor) -> Tensor:
    r"""Return $x\,s(x)$ with its derivative $s(x) + x\,s'(x)$.

    Args:
        gate: $s$, element by element.
        slope: Its derivative $(x, s) \mapsto s'(x)$, in operations that can be
            differentiated.
        x: The argument, in a dtype wide enough to compute with.
    """
    return cast("Any", _Gated).apply(x, gate, slope)[0]


@keep_signature
class _Gated(torch.autograd.Function):
    """A product with a gate, and the gate, which the derivative needs again."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, gate: _Value, slope: _Pullback) -> tuple[Tensor, Tensor]:
        """Return x s(x) and s(x)."""
        s = gate(x)
        return x * s, s

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep x, s(x), and the derivative of s."""
        x, _, ctx.slope = inputs
        ctx.save_for_backward(x, output[1])
        ctx.save_for_forward(x, output[1])
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to x."""
        (x, s), (g, g_s) = ctx.saved_tensors, grad_outputs
        ds = ctx.slope(x, s)
        parts = [] if g is None else [torch.addcmul(s, x, ds).mul_(g)]
        parts += [] if g_s is None else [g_s * ds]
        return (sum(parts) if parts else None), None, None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangents of x s(x) and of s(x)."""
        (x, s), t = ctx.saved_tensors, grad_inputs[0]
        ds = ctx.slope(x, s)
        return torch.addcmul(s, x, ds).mul_(t), t * ds


def where_positive(g: Tensor, x: Tensor, threshold: float = 0.0) -> Tensor:
    """Return g where x > threshold, and 0 elsewhere: the derivative of `relu`.

    In one pass; `torch.where` takes a hundred times as long on some processors.
    """
    return cast("Any", torch.ops.aten).threshold_backward(g, x, threshold)

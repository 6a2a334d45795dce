r"""The one differentiable operation on which this room stands.

A convolution pairs weights $w$, an input $x$ and an output $y$ in one trilinear form,

$$T(w, x, y) =
  \sum_{n, k, c, t, u} w_{k, c, u}\; x_{n, c,\, t s + u d - p}\; y_{n, k, t},$$

in which the window $t$ and the tap $u$ have one component for each axis. Its derivative
by $y$ is the convolution of $x$ with $w$; by $x$, the transposed convolution of $y$; by
$w$, the gradient of the weights. To differentiate one of the three takes the two
others, so that they are all there is, to any order.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import torch
from jaxtyping import Shaped
from torch import Tensor

from dlref._signature import keep_signature
from dlref.convolution import _products
from dlref.convolution._geometry import Geometry

__all__ = ["differentiate"]

_Operand: TypeAlias = Shaped[Tensor, "..."] | None

_WIDE = {  # the sums of these dtypes are taken in those, and rounded once
    torch.float16: torch.float32,
    torch.bfloat16: torch.float32,
    torch.complex32: torch.complex64,
}


def differentiate(
    w: _Operand, x: _Operand, y: _Operand, geometry: Geometry
) -> Shaped[Tensor, "..."]:
    """Return the derivative of the form by the operand that is None.

    Args:
        w: Weights, of shape (k, c, *taps).
        x: Input, of shape (n, groups * c, *pixels).
        y: Output, of shape (n, k, *windows).
        geometry: The rest.

    Returns:
        Without `y` the convolution, without `x` the transposed convolution, without `w`
        the gradient of the weights.
    """
    return cast("Any", _Derivative).apply(w, x, y, geometry)


@keep_signature
class _Derivative(torch.autograd.Function):
    """`differentiate`, itself differentiable: backward, forward, and in a batch."""

    @staticmethod
    def forward(
        w: _Operand, x: _Operand, y: _Operand, geometry: Geometry
    ) -> Shaped[Tensor, "..."]:
        """Return the derivative, as products of matrices where there are any."""
        (dtype,) = {t.dtype for t in (w, x, y) if t is not None}
        if dtype in _WIDE:
            w, x, y = (t if t is None else t.to(_WIDE[dtype]) for t in (w, x, y))
        if y is None:
            result = _products.by_output(cast("Tensor", w), cast("Tensor", x), geometry)
        elif x is None:
            result = _products.by_input(cast("Tensor", w), y, geometry)
        else:
            result = _products.by_weight(x, y, geometry)
        return result.to(dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:  # noqa: ANN401
        """Keep the operands."""
        *operands, ctx.geometry = inputs
        ctx.save_for_backward(*operands)
        ctx.save_for_forward(*operands)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Let the gradient stand for the result; leave out each operand in turn."""
        given: tuple[_Operand, ...] = ctx.saved_tensors
        (gradient,) = grad_outputs
        full = [gradient if t is None else t.conj() for t in given]
        grads = [
            differentiate(*_replace(full, i, None), ctx.geometry) if needed else None
            for i, needed in enumerate(ctx.needs_input_grad[:3])
        ]
        return *grads, None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Let each tangent stand for its operand in turn, and add up."""
        given: tuple[_Operand, ...] = ctx.saved_tensors
        return sum(
            differentiate(*_replace(given, i, tangent), ctx.geometry)
            for i, tangent in enumerate(grad_inputs[:3])
            if tangent is not None
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *inputs: Any) -> Any:  # noqa: ANN401
        """Make of many convolutions one, with as many times the groups."""
        *operands, geometry = inputs
        size = info.batch_size
        w, x, y = (
            _stack(t, dim, size) for t, dim in zip(operands, in_dims[:3], strict=True)
        )
        x, y = (t if t is None else t.movedim(0, 1).flatten(1, 2) for t in (x, y))
        w = w if w is None else w.flatten(0, 1)
        many = geometry._replace(groups=size * geometry.groups)
        result = differentiate(w, x, y, many)
        dim = 0 if w is None else 1  # of the result: its channels
        return result.unflatten(dim, (size, -1)), dim


def _replace(
    operands: Sequence[_Operand], i: int, by: _Operand
) -> tuple[_Operand, _Operand, _Operand]:
    w, x, y = (by if j == i else t for j, t in enumerate(operands))
    return w, x, y


def _stack(t: _Operand, dim: int | None, size: int) -> _Operand:
    """Put the batch of `vmap` first; repeat what has none."""
    if t is None:
        return None
    return t.expand(size, *t.shape) if dim is None else t.movedim(dim, 0)

"""Turning scores into probabilities that add up to 1, and their logarithms."""

import warnings
from typing import Any, cast

import torch
from jaxtyping import Float, Real
from torch import Tensor

from dlref._signature import keep_signature
from dlref.activations._elementwise import apply, check_real

__all__ = ["log_softmax", "softmax"]


def softmax(
    input: Real[Tensor, "*shape"],
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "*shape"]:
    r"""Turn the scores along an axis into probabilities.

    $$p_i = \frac{e^{x_i - m}}{\sum_j e^{x_j - m}} \qquad m = \max_j x_j$$

    Any $m$ gives the same $p$; the maximum keeps the exponentials from overflowing. The
    gradient is $p \odot (g - g \cdot p)$.

    Args:
        input: Scores $x$ (logits).
        dim: The axis along which the results add up to 1. Left out, it is axis 0 of an
            input with 0, 1 or 3 axes, else axis 1, with a warning.
        _stacklevel: Whose line that warning names, as in torch.
        dtype: To convert the input to first.

    Returns:
        $p$, of the input's shape.

    Raises:
        TypeError: If `input` is no tensor of floating point and no `dtype` is given.
        IndexError: If there is no axis `dim`.

    Examples:
        >>> softmax(torch.tensor([1000.0, 1001.0, 1002.0]), dim=0)
        tensor([0.0900, 0.2447, 0.6652])

    References:
        Goodfellow, Bengio and Courville (2016), Deep learning, section 4.1.
    """
    x, axis = _arguments("softmax", input, dim, dtype, _stacklevel)
    return apply(lambda x: cast("Any", _Softmax).apply(x, axis), x)


def log_softmax(
    input: Real[Tensor, "*shape"],
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: torch.dtype | None = None,
) -> Float[Tensor, "*shape"]:
    r"""Return the logarithms of `softmax`, where that is 0 in floating point as well.

    $$\ln p_i = x_i - m - \ln \sum_j e^{x_j - m} \qquad m = \max_j x_j$$

    The gradient is $g - p \sum_j g_j$.

    Args:
        input: Scores $x$ (logits).
        dim: The axis along which probabilities add up to 1; see
            [`softmax`][dlref.activations.softmax].
        _stacklevel: Whose line a warning names, as in torch.
        dtype: To convert the input to first.

    Returns:
        $\ln p$, in nats, of the input's shape.

    Raises:
        TypeError: If `input` is no tensor of floating point and no `dtype` is given.
        IndexError: If there is no axis `dim`.

    Examples:
        >>> log_softmax(torch.tensor([0.0, 1000.0]), dim=0)
        tensor([-1000.,     0.])
    """
    x, axis = _arguments("log_softmax", input, dim, dtype, _stacklevel)
    return apply(lambda x: cast("Any", _LogSoftmax).apply(x, axis)[0], x)


def _arguments(
    name: str, input: Tensor, dim: int | None, dtype: torch.dtype | None, level: int
) -> tuple[Tensor, int]:
    """Return the input in the dtype wanted, and an axis that it has."""
    check_real(input)
    if dim is None:
        warnings.warn(
            f"Implicit dimension choice for {name} has been deprecated. Change the "
            "call to include dim=X as an argument.",
            stacklevel=level,
        )
        dim = 0 if input.ndim in (0, 1, 3) else 1
    return input if dtype is None else input.to(dtype), dim


def _shifted(x: Tensor, dim: int) -> Tensor:
    """Subtract the maximum along an axis."""
    return x - x.amax(dim, keepdim=True) if x.numel() else x.clone()


@keep_signature
class _Softmax(torch.autograd.Function):
    """The formula, with its derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, dim: int) -> Tensor:
        """Return the probabilities."""
        e = _shifted(x, dim).exp_()
        return e.div_(e.sum(dim, keepdim=True))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep the result, all that the derivative needs."""
        _, ctx.dim = inputs
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to x."""
        (p,) = ctx.saved_tensors
        return _softmax_derivative(grad_outputs[0], p, ctx.dim), None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent of p: the Jacobian, diag(p) - p p^T, is symmetric."""
        (p,) = ctx.saved_tensors
        return _softmax_derivative(grad_inputs[0], p, ctx.dim)


def _softmax_derivative(g: Tensor, p: Tensor, dim: int) -> Tensor:
    gp = g * p
    return gp.addcmul(p, gp.sum(dim, keepdim=True), value=-1)


@keep_signature
class _LogSoftmax(torch.autograd.Function):
    """The formula, with its derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
        """Return logarithms, and the probabilities for the derivative."""
        x = _shifted(x, dim)
        p = x.exp()
        total = p.sum(dim, keepdim=True)
        return x.sub_(total.log()), p.div_(total)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep both results."""
        _, ctx.dim = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*output)
        ctx.save_for_forward(*output)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to x."""
        g, (y, p) = grad_outputs[0], ctx.saved_tensors
        if torch.is_grad_enabled():  # for a second derivative: p depends on x
            p = y.exp()
        return g.addcmul(p, g.sum(ctx.dim, keepdim=True), value=-1), None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent: that of x, less its mean under p."""
        t, (_, p) = grad_inputs[0], ctx.saved_tensors
        return t - (t * p).sum(ctx.dim, keepdim=True), None

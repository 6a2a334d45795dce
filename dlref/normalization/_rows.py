"""Rows of mean 0 and variance 1: what layer, group and instance norm have in common."""

from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from dlref._signature import keep_signature
from dlref.normalization._sums import sum_squares

__all__ = ["standardize_rows"]


def standardize_rows(
    x: Float[Tensor, "*rows d"], eps: float
) -> tuple[
    Float[Tensor, "*rows d"], Float[Tensor, "*rows 1"], Float[Tensor, "*rows 1"]
]:
    r"""Standardize along the last axis.

    $$\hat{x} = r\,(x - \mu) \qquad r = \frac{1}{\sqrt{\sigma^2 + \epsilon}}$$

    Args:
        x: Values, in a dtype wide enough to compute with.
        eps: $\epsilon$, in units of the variance.

    Returns:
        $\hat{x}$; and mean and biased variance of each row, free of gradients.
    """
    return cast("Any", _StandardizeRows).apply(x, eps)


@keep_signature
class _StandardizeRows(torch.autograd.Function):
    """The formula, with its derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        """Return the standardized rows, their means and their biased variances."""
        mean = x.mean(-1, keepdim=True)
        x_c = x - mean
        var = sum_squares(x_c, 1) / max(1, x.shape[-1])
        return x_c.mul_((var + eps).rsqrt_()), mean, var

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep what the derivative needs: of the input's size, only the input."""
        x, ctx.eps = inputs
        _, mean, var = output
        ctx.mark_non_differentiable(mean, var)
        ctx.save_for_backward(x, mean, var)
        ctx.save_for_forward(x, mean, var)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to x: the Jacobian is symmetric."""
        x, mean, var = ctx.saved_tensors
        return _derivative(grad_outputs[0], x, mean, var, ctx.eps), None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent of the rows."""
        x, mean, var = ctx.saved_tensors
        return _derivative(grad_inputs[0], x, mean, var, ctx.eps), None, None


def _derivative(g: Tensor, x: Tensor, mean: Tensor, var: Tensor, eps: float) -> Tensor:
    r"""Return $r\,(g - \overline{g} - \hat{x}\,\overline{g\hat{x}})$.

    The bars are means of rows: $g$ loses its parts along the constant and along
    $\hat{x}$, since a row's shift and size do not reach the result.
    """
    if torch.is_grad_enabled():  # for a second derivative: they depend on x
        mean = x.mean(-1, keepdim=True)
        var = (x - mean).square().mean(-1, keepdim=True)
    r = (var + eps).rsqrt()
    x_hat = (x - mean) * r
    along = (g * x_hat).mean(-1, keepdim=True)
    centred = g - g.mean(-1, keepdim=True)
    return torch.addcmul(centred, x_hat, along, value=-1).mul_(r)

"""Batch normalization, with a backward pass of its own.

Autograd would keep an image for each line of the formula. Written as one function with
its derivative, two of that size are enough on the way there and three on the way back.
"""

import math
from typing import Any, SupportsFloat, cast

import torch
from jaxtyping import Float
from torch import Tensor

from dlref._signature import keep_signature
from dlref.normalization._arguments import (
    check_input,
    check_momentum,
    check_parameters,
    check_statistics,
    wide_dtype,
)
from dlref.normalization._channels import (
    Vector,
    apply_statistics,
    per_channel,
    track,
)
from dlref.normalization._sums import sum_squares

__all__ = ["batch_norm"]


def batch_norm(
    input: Float[Tensor, "n c *spatial"],
    running_mean: Vector | None,
    running_var: Vector | None,
    weight: Vector | None = None,
    bias: Vector | None = None,
    training: bool = False,
    momentum: SupportsFloat = 0.1,
    eps: SupportsFloat = 1e-5,
) -> Float[Tensor, "n c *spatial"]:
    r"""Normalize each channel over a batch, or by statistics gathered before.

    $$y_{nchw} = \gamma_c\,\frac{x_{nchw} - \mu_c}{\sqrt{\sigma^2_c + \epsilon}}
    + \beta_c$$

    In training, $\mu_c$ and $\sigma^2_c$ are mean and *biased* variance of the channel
    over the batch and its $m = NHW$ values, and the running statistics move towards
    them, the variance with its *unbiased* estimate:

    $$\mu^{run} \leftarrow (1 - \rho)\,\mu^{run} + \rho\,\mu \qquad
    (\sigma^2)^{run} \leftarrow (1 - \rho)\,(\sigma^2)^{run}
    + \rho\,\tfrac{m}{m - 1}\,\sigma^2$$

    Otherwise $\mu$ and $\sigma^2$ are the running statistics, and each sample is
    transformed alone. Mind that $\rho$ is the weight of the *new* value, the reverse of
    an optimizer's momentum.

    Args:
        input: Activations $x$ of shape (N, C) or (N, C, ...).
        running_mean: $\mu^{run}$ of each channel, overwritten in training; or None.
        running_var: $(\sigma^2)^{run}$ of each channel, overwritten in training; or
            None, as `running_mean`.
        weight: Scale $\gamma$ of each channel; 1 if None.
        bias: Shift $\beta$ of each channel; 0 if None.
        training: Whether to use the batch's own statistics, and to update the others.
        momentum: Weight $\rho$ of the batch in the running statistics.
        eps: $\epsilon$, in units of the variance.

    Returns:
        $y$, of the shape and dtype of `input`. An empty batch moves no statistics.

    Raises:
        TypeError: If `input` is no tensor of floating point, a parameter is of another
            dtype (of half precision: than float32 or the input's), or `momentum` is no
            number.
        ValueError: If shapes do not fit, if one running statistic is given without the
            other or none out of training, if in training a channel has a single value
            (whose variance is 0: the result would be $\beta$ whatever $x$ is), or if
            `eps` is negative, or 0 in training.

    Examples:
        >>> x = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
        >>> batch_norm(x, None, None, training=True)
        tensor([[-1.0000, -1.0000],
                [ 1.0000,  1.0000]])
        >>> mean, var = torch.zeros(2), torch.ones(2)
        >>> y = batch_norm(x, mean, var, training=True, momentum=0.5)
        >>> mean, var
        (tensor([ 1., 10.]), tensor([  1.5000, 100.5000]))

    References:
        Ioffe and Szegedy (2015), Batch normalization: accelerating deep network
        training by reducing internal covariate shift,
        [arXiv:1502.03167](https://arxiv.org/abs/1502.03167), algorithms 1 and 2.
    """
    momentum, eps = check_momentum(momentum), float(eps)
    check_input(input, 2)
    check_statistics(running_mean, running_var, needed=not training)
    parameters = {"weight": weight, "bias": bias}
    statistics = {"running_mean": running_mean, "running_var": running_var}
    check_parameters(input, input.shape[1:2], parameters | statistics)
    _check_training(input, eps, training=training)
    x = input.to(wide_dtype(input))
    if running_mean is not None and running_var is not None and not training:
        y = apply_statistics(x, running_mean, running_var, weight, bias, eps)
        return y.to(input.dtype)
    c, m = input.shape[1], _count(input)
    gamma = x.new_ones(c) if weight is None else weight.to(x.dtype)
    beta = x.new_zeros(c) if bias is None else bias.to(x.dtype)
    y, mean, var = cast("Any", _BatchNorm).apply(x, gamma, beta, eps)
    if m > 0:
        track(running_mean, mean, momentum)
        track(running_var, var * (m / (m - 1)), momentum)
    return y.to(input.dtype)


@keep_signature
class _BatchNorm(torch.autograd.Function):
    """The formula in training, with its derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        x: Tensor, gamma: Tensor, beta: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the result, and mean and biased variance of each channel."""
        mean = _mean(x)
        x_c = x - per_channel(mean, x)
        squares = sum_squares(x_c, x.ndim - 2) if x.ndim > 2 else x_c.square()
        var = squares.view(x.shape[:2]).sum(0) / max(1, _count(x))
        scale = gamma * (var + eps).rsqrt()
        y = x_c.mul_(per_channel(scale, x)).add_(per_channel(beta, x))
        return y, mean, var

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep what the derivative needs: of the input's size, only the input."""
        x, gamma, _, ctx.eps = inputs
        _, mean, var = output
        ctx.mark_non_differentiable(mean, var)
        ctx.save_for_backward(x, gamma, mean, var)
        ctx.save_for_forward(x, gamma, mean, var)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        r"""Return the gradients of input, weight and bias.

        With $\hat{x} = r\,(x - \mu)$ and $r = 1 / \sqrt{\sigma^2 + \epsilon}$, they are
        $d\beta = \sum dy$, $d\gamma = \sum dy\,\hat{x}$ and
        $dx = \gamma r\,(dy - (d\beta + \hat{x}\,d\gamma) / m)$: $dy$ loses its parts
        along the constant and along $\hat{x}$, since a channel's shift and size do not
        reach the result.
        """
        x, gamma, mean, var = ctx.saved_tensors
        dy = grad_outputs[0]
        x_c, r = _centre(x, mean, var, ctx.eps)
        dbeta, dgamma = _sum(dy), _sum(dy * x_c) * r
        scale, m = gamma * r, max(1, _count(x))
        constant, along = -scale * dbeta / m, -scale * r * dgamma / m
        dx = torch.addcmul(dy * per_channel(scale, x), x_c, per_channel(along, x))
        return dx.add_(per_channel(constant, x)), dgamma, dbeta, None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent of the result."""
        x, gamma, mean, var = ctx.saved_tensors
        dx, dgamma, dbeta, _ = grad_inputs
        x_c, r = _centre(x, mean, var, ctx.eps)
        x_hat = x_c * per_channel(r, x)
        constant, along = _mean(dx), per_channel(_mean(dx * x_hat), x)
        dx_hat = (dx - per_channel(constant, x) - x_hat * along) * per_channel(r, x)
        dy = dx_hat * per_channel(gamma, x) + x_hat * per_channel(dgamma, x)
        return dy + per_channel(dbeta, x), None, None


def _centre(x: Tensor, mean: Tensor, var: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return x - mean and 1 / std."""
    if torch.is_grad_enabled():  # for a second derivative: they depend on x
        mean = _mean(x)
        var = _mean((x - per_channel(mean, x)).square())
    return x - per_channel(mean, x), (var + eps).rsqrt()


def _mean(x: Tensor) -> Tensor:
    return _sum(x) / max(1, _count(x))


def _sum(x: Tensor) -> Tensor:
    """Return the sum over all axes but the channels'.

    Planes first: one long sum of float32 would lose two digits more.
    """
    planes = x.sum(tuple(range(2, x.ndim))) if x.ndim > 2 else x  # (N, C)
    return planes.sum(0)


def _count(x: Tensor) -> int:
    """Return the number of values in a channel."""
    return x.shape[0] * math.prod(x.shape[2:])


def _check_training(x: Tensor, eps: float, *, training: bool) -> None:
    if training and _count(x) == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{tuple(x.shape)}"
        )
    if eps < 0 or (training and eps == 0):
        least = "eps > 0 when training" if training else "eps >= 0"
        raise ValueError(f"expected {least}, got {eps}")

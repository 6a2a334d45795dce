r"""Losses of a number that is predicted: functions of the error $e = x - t$."""

import warnings
from typing import SupportsFloat

import torch
from jaxtyping import Float, Num, Real
from torch import Tensor

from dlref.losses._common import (
    apply,
    broadcast_shape,
    check_reduction,
    check_same_shape,
    check_tensors,
    elementwise,
    reduced,
)

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def mse_loss(
    input: Real[Tensor, "..."],
    target: Real[Tensor, "..."],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Real[Tensor, "..."] | None = None,
) -> Float[Tensor, "..."]:
    r"""Square the errors: the loss that the conditional mean minimises.

    $$\ell = e^2 \qquad \ell' = 2e \qquad e = x - t$$

    Args:
        input: Predictions $x$.
        target: $t$, of the same shape; another shape is broadcast, with a warning.
        size_average: Torch's old way to say `reduction`; warns.
        reduce: Likewise.
        reduction: `"none"`, `"mean"` or `"sum"`.
        weight: A factor for each error, of the shape of `input`; the mean is then
            divided by the sum of the weights.

    Returns:
        The loss, of the common dtype: one number, or one for each error.

    Raises:
        TypeError: If an argument is no tensor, or none is of floating point.
        ValueError: If shapes do not fit, or `reduction` is another word.

    Examples:
        >>> mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(2.)
    """

    def pullback(g: Tensor, e: Tensor) -> Tensor:
        return e * (2 * g)

    def loss(x: Tensor, t: Tensor, w: Tensor | None) -> Tensor:
        if w is None:
            return elementwise(torch.square, [pullback], reduction, x - t)
        return _weighted_mean(w * (x - t).square(), w, reduction)

    reduction = check_reduction(reduction, size_average, reduce)
    _check(input, target, weight)
    return apply(loss, input, target, weight)


def l1_loss(
    input: Num[Tensor, "..."],
    target: Num[Tensor, "..."],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Real[Tensor, "..."] | None = None,
) -> Real[Tensor, "..."]:
    r"""Take absolute errors: the loss that the conditional median minimises.

    $$\ell = |e| \qquad \ell' = \text{sign}(e) \qquad e = x - t$$

    At 0 the gradient is 0.

    Args:
        input: Predictions $x$; complex numbers too.
        target: $t$, of the same shape; another shape is broadcast, with a warning.
        size_average: Torch's old way to say `reduction`; warns.
        reduce: Likewise.
        reduction: `"none"`, `"mean"` or `"sum"`.
        weight: A factor for each error, of the shape of `input`; the mean is then
            divided by the sum of the weights.

    Returns:
        The loss: one number, or one for each error.

    Raises:
        TypeError: If an argument is no tensor, or a mean of integers is asked for.
        ValueError: If shapes do not fit, or `reduction` is another word.

    Examples:
        >>> l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
        tensor(1.)
    """

    def loss(x: Tensor, t: Tensor, w: Tensor | None) -> Tensor:
        size = (x - t).abs()
        return (
            reduced(size, reduction)
            if w is None
            else _weighted_mean(w * size, w, reduction)
        )

    reduction = check_reduction(reduction, size_average, reduce)
    _check(input, target, weight, floating=reduction == "mean")
    if input.is_complex() or target.is_complex():
        return loss(input, target, weight)
    return apply(loss, input, target, weight)


def huber_loss(
    input: Real[Tensor, "..."],
    target: Real[Tensor, "..."],
    reduction: str = "mean",
    delta: SupportsFloat = 1.0,
    weight: Real[Tensor, "..."] | None = None,
) -> Float[Tensor, "..."]:
    r"""Square small errors, take the absolute values of large ones.

    $$\ell = c\,\left(e - \tfrac{1}{2}c\right) = \begin{cases}
    \frac{1}{2} e^2 & |e| \le \delta \\
    \delta\,\left(|e| - \frac{1}{2}\delta\right) & |e| > \delta \end{cases}
    \qquad \ell' = c = \min(\max(e, -\delta), \delta)$$

    The derivative is the error $e = x - t$, clipped.

    Args:
        input: Predictions $x$.
        target: $t$, of the same shape; another shape is broadcast, with a warning.
        reduction: `"none"`, `"mean"` or `"sum"`.
        delta: $\delta$, from which size on an error counts as large.
        weight: A factor for each error, of the shape of `input`. As in torch the mean
            is divided by the number of errors, not by the sum of the weights.

    Returns:
        The loss, of the common dtype: one number, or one for each error.

    Raises:
        TypeError: If an argument is no tensor, or none is of floating point.
        ValueError: If shapes do not fit, `delta` is not above 0, or `reduction` is
            another word.

    Examples:
        >>> huber_loss(torch.tensor([0.5, 9.0]), torch.zeros(2), reduction="none")
        tensor([0.1250, 8.5000])

    References:
        Huber (1964), Robust estimation of a location parameter,
        [doi:10.1214/aoms/1177703732](https://doi.org/10.1214/aoms/1177703732).
    """
    d, reduction = float(delta), check_reduction(reduction)
    if not d > 0:
        raise ValueError(f"expected delta above 0, got {delta}")

    def loss(x: Tensor, t: Tensor, w: Tensor | None) -> Tensor:
        if w is None:
            return _huber(x - t, d, 1.0, reduction)
        return reduced(w * _huber(x - t, d, 1.0, "none"), reduction)

    _check(input, target, weight)
    return apply(loss, input, target, weight)


def smooth_l1_loss(
    input: Real[Tensor, "..."],
    target: Real[Tensor, "..."],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: SupportsFloat = 1.0,
) -> Float[Tensor, "..."]:
    r"""Take the errors' absolute values, with the corner at 0 rounded.

    $$\ell = \begin{cases} \frac{1}{2} e^2 / \beta & |e| < \beta \\
    |e| - \frac{1}{2}\beta & |e| \ge \beta \end{cases} \qquad e = x - t$$

    It is [`huber_loss`][dlref.losses.huber_loss] divided by $\beta$: the slope of large
    errors is 1 for every $\beta$. With $\beta = 0$ it is
    [`l1_loss`][dlref.losses.l1_loss].

    Args:
        input: Predictions $x$.
        target: $t$, of the same shape; another shape is broadcast, with a warning.
        size_average: Torch's old way to say `reduction`; warns.
        reduce: Likewise.
        reduction: `"none"`, `"mean"` or `"sum"`.
        beta: $\beta$, how far the rounded corner reaches.

    Returns:
        The loss, of the common dtype: one number, or one for each error.

    Raises:
        TypeError: If an argument is no tensor, or none is of floating point.
        ValueError: If shapes do not fit, `beta` is negative, or `reduction` is another
            word.

    Examples:
        >>> smooth_l1_loss(torch.tensor([0.5, 9.0]), torch.zeros(2), reduction="none")
        tensor([0.1250, 8.5000])

    References:
        Girshick (2015), Fast R-CNN,
        [arXiv:1504.08083](https://arxiv.org/abs/1504.08083), equation 3 ($\beta = 1$).
    """
    b, reduction = float(beta), check_reduction(reduction, size_average, reduce)
    if not b >= 0:
        raise ValueError(f"expected beta of at least 0, got {beta}")

    def loss(x: Tensor, t: Tensor) -> Tensor:
        if b == 0:
            return reduced((x - t).abs(), reduction)
        return _huber(x - t, b, 1 / b, reduction)

    _check(input, target, None)
    return apply(loss, input, target)


def _huber(e: Tensor, delta: float, scale: float, reduction: str) -> Tensor:
    """Return the Huber loss of errors, times a factor."""

    def value(e: Tensor) -> Tensor:
        c = e.clamp(-delta, delta)
        loss = torch.sub(e, c, alpha=0.5).mul_(c)
        return loss if scale == 1 else loss.mul_(scale)

    def pullback(g: Tensor, e: Tensor) -> Tensor:
        return e.clamp(-delta, delta) * (scale * g)

    return elementwise(value, [pullback], reduction, e)


def _weighted_mean(loss: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Reduce weighted losses; the mean is over the weights."""
    return (
        loss.sum() / weight.sum() if reduction == "mean" else reduced(loss, reduction)
    )


def _has_fractions(x: Tensor) -> bool:
    return x.is_floating_point() or x.is_complex()


def _check(
    input: Tensor, target: Tensor, weight: Tensor | None, *, floating: bool = True
) -> None:
    """Refuse what has no error; warn of shapes that differ."""
    check_tensors(input=input, target=target)
    if floating and not (_has_fractions(input) or _has_fractions(target)):
        raise TypeError(f"expected numbers of floating point, got {input.dtype}")
    if weight is not None:
        check_tensors(weight=weight)
        check_same_shape(input, weight=weight)
    if input.shape == target.shape:
        return
    broadcast_shape(input=input, target=target)
    warnings.warn(
        f"target of shape {tuple(target.shape)} and input of shape "
        f"{tuple(input.shape)} are broadcast, which will likely give incorrect results",
        stacklevel=3,
    )

"""Losses of a probability between two outcomes, or of many such outcomes at once."""

from typing import SupportsFloat

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.activations import logsigmoid, sigmoid
from dlref.losses._common import (
    apply,
    bounds,
    broadcast_shape,
    check_floating,
    check_reduction,
    check_same_shape,
    elementwise,
    reduced,
)

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "focal_loss"]


def binary_cross_entropy(
    input: Float[Tensor, "*shape"],
    target: Float[Tensor, "*shape"],
    weight: Float[Tensor, "..."] | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Float[Tensor, "..."]:
    r"""Return the negative log-likelihood of Bernoulli variables.

    $$\ell = -w\,\left(t \ln p + (1 - t) \ln(1 - p)\right) \qquad
    \frac{\partial \ell}{\partial p} = w\,\frac{p - t}{p\,(1 - p)}$$

    As in torch logarithms are cut off at -100, and the denominator at 1e-12: beyond it
    a confident mistake looks like any other. With logits
    [`binary_cross_entropy_with_logits`][dlref.losses.binary_cross_entropy_with_logits]
    needs no such cuts.

    Args:
        input: Probabilities $p$, between 0 and 1.
        target: $t$, between 0 and 1; a label is 0 or 1.
        weight: $w$, which can be broadcast to the shape of `input`.
        size_average: Torch's old way to say `reduction`; warns.
        reduce: Likewise.
        reduction: `"none"`, `"mean"` or `"sum"`.

    Returns:
        The loss in nats: one number, or one for each probability.

    Raises:
        TypeError: If an argument is no tensor of floating point, or dtypes differ.
        ValueError: If shapes do not fit, a probability is not between 0 and 1, or
            `reduction` is another word.

    Examples:
        >>> binary_cross_entropy(torch.tensor([0.5, 0.9]), torch.tensor([0.0, 1.0]))
        tensor(0.3993)

    References:
        Goodfellow, Bengio and Courville (2016), Deep learning, section 6.2.2.2.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    _check(input, target, weight=weight)
    if target.dtype != input.dtype:
        raise TypeError(f"expected target of {input.dtype}, got {target.dtype}")
    for name, given in (("input", input), ("target", target)):
        low, high = bounds(given) or (0, 1)
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"expected {name} between 0 and 1, got numbers from {low:g} to {high:g}"
            )

    def loss(p: Tensor, t: Tensor, w: Tensor | None) -> Tensor:
        pullbacks = _pull_to_p, _pull_to_t
        if w is None:
            return elementwise(_likelihood, pullbacks, reduction, p, t)
        return reduced(w * elementwise(_likelihood, pullbacks, "none", p, t), reduction)

    return apply(loss, input, target, weight).to(input.dtype)


def binary_cross_entropy_with_logits(
    input: Float[Tensor, "*shape"],
    target: Float[Tensor, "*shape"],
    weight: Float[Tensor, "..."] | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Float[Tensor, "..."] | None = None,
) -> Float[Tensor, "..."]:
    r"""Apply a sigmoid and return the negative log-likelihood, in one formula.

    $$\ell = -w\,\left(c\,t \ln \sigma(x) + (1 - t) \ln \sigma(-x)\right) \qquad
    \frac{\partial \ell}{\partial x} = w\,(\sigma(x) - t) \quad (c = 1)$$

    As $\ln \sigma(-x) = \ln \sigma(x) - x$, what is computed is

    $$\ell = w\,\left((1 - t)\,x - (1 + (c - 1)\,t) \ln \sigma(x)\right)$$

    which is exact where $\sigma(x)$ rounds to 0 or 1.

    Args:
        input: Logits $x$, any numbers.
        target: $t$; a label is 0 or 1.
        weight: $w$, which can be broadcast to the shape of `input`.
        size_average: Torch's old way to say `reduction`; warns.
        reduce: Likewise.
        reduction: `"none"`, `"mean"` or `"sum"`.
        pos_weight: $c$, the weight of positive examples, which can be broadcast to the
            shape of `input`; above 1 it raises recall.

    Returns:
        The loss in nats: one number, or one for each logit.

    Raises:
        TypeError: If an argument is no tensor of floating point.
        ValueError: If shapes do not fit, or `reduction` is another word.

    Examples:
        >>> x, t = torch.tensor([0.0, 200.0]), torch.tensor([1.0, 0.0])
        >>> binary_cross_entropy_with_logits(x, t, reduction="none")
        tensor([  0.6931, 200.0000])

    References:
        Goodfellow, Bengio and Courville (2016), Deep learning, section 6.2.2.2.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    _check(input, target, weight=weight, pos_weight=pos_weight)

    def loss(x: Tensor, t: Tensor, w: Tensor | None, c: Tensor | None) -> Tensor:
        if w is c is None:
            return elementwise(_surprise, (_pull_to_x, _pull_to_label), reduction, x, t)
        each = (1 - t) * x - (1 if c is None else 1 + (c - 1) * t) * logsigmoid(x)
        return reduced(each if w is None else w * each, reduction)

    return apply(loss, input, target, weight, pos_weight)


def focal_loss(
    inputs: Float[Tensor, "*shape"],
    targets: Float[Tensor, "*shape"],
    alpha: SupportsFloat = 0.25,
    gamma: SupportsFloat = 2,
    reduction: str = "none",
) -> Float[Tensor, "..."]:
    r"""Turn down the loss of what is already classified well.

    $$\ell = -\alpha_t\,(1 - p_t)^\gamma \ln p_t \qquad
    p_t = \begin{cases} \sigma(x) & t = 1 \\ \sigma(-x) & t = 0 \end{cases} \qquad
    \alpha_t = \begin{cases} \alpha & t = 1 \\ 1 - \alpha & t = 0 \end{cases}$$

    With $\gamma = 0$ and `alpha=-1` it is the binary cross-entropy. The signature is
    that of `torchvision.ops.sigmoid_focal_loss`, whose `reduction` is `"none"` if not
    given. Targets between 0 and 1 mix both cases, as there.

    Args:
        inputs: Logits $x$, any numbers.
        targets: $t$; a label is 0 or 1.
        alpha: $\alpha$, between 0 and 1; -1 for $\alpha_t = 1$.
        gamma: $\gamma$, at least 0; the larger, the less easy examples count.
        reduction: `"none"`, `"mean"` or `"sum"`.

    Returns:
        The loss in nats: one for each logit, or one number.

    Raises:
        TypeError: If an argument is no tensor of floating point.
        ValueError: If shapes differ, `alpha` or `gamma` is out of range, or `reduction`
            is another word.

    Examples:
        >>> x = torch.tensor([0.0, 1.0])
        >>> focal_loss(x, torch.ones(2), alpha=-1)  # with gamma=0: 0.6931, 0.3133
        tensor([0.1733, 0.0227])

    References:
        Lin et al. (2017), Focal loss for dense object detection,
        [arXiv:1708.02002](https://arxiv.org/abs/1708.02002), equation 5.
    """
    a, focus, reduction = float(alpha), float(gamma), check_reduction(reduction)
    _check(inputs, targets)
    if not (0 <= a <= 1 or a == -1):
        raise ValueError(f"expected alpha between 0 and 1, or -1, got {alpha}")
    if not focus >= 0:
        raise ValueError(f"expected gamma of at least 0, got {gamma}")

    def loss(x: Tensor, t: Tensor) -> Tensor:
        wrong = t * sigmoid(-x) + (1 - t) * sigmoid(x)  # 1 - p_t
        # above 0, so that a power below 1 has a finite slope
        wrong = wrong.clamp(min=torch.finfo(x.dtype).tiny)
        each = wrong**focus * ((1 - t) * x - logsigmoid(x))
        return reduced(each if a < 0 else (a * t + (1 - a) * (1 - t)) * each, reduction)

    return apply(loss, inputs, targets)


def _check(input: Tensor, target: Tensor, **weights: Tensor | None) -> None:
    """Refuse what is no pair of numbers of one shape, and weights that do not fit."""
    check_floating(input=input, target=target)
    check_same_shape(input, target=target)
    for name, w in weights.items():
        if w is None:
            continue
        check_floating(**{name: w})
        if broadcast_shape(input=input, weight=w) != input.shape:
            raise ValueError(
                f"expected {name} that can be broadcast to {tuple(input.shape)}, got "
                f"shape {tuple(w.shape)}"
            )


def _likelihood(p: Tensor, t: Tensor) -> Tensor:
    """Return -t ln p - (1 - t) ln(1 - p), with logarithms from -100 on."""
    log_p, log_q = p.log().clamp_(min=-100), (-p).log1p_().clamp_(min=-100)
    return (t - 1) * log_q - t * log_p


def _pull_to_p(g: Tensor, p: Tensor, t: Tensor) -> Tensor:
    return g * (p - t) / ((1 - p) * p).clamp(min=1e-12)


def _pull_to_t(g: Tensor, p: Tensor, t: Tensor) -> Tensor:
    return g * ((-p).log1p().clamp(min=-100) - p.log().clamp(min=-100))


def _surprise(x: Tensor, t: Tensor) -> Tensor:
    """Return (1 - t) x - ln sigmoid(x) = max(x, 0) - t x + ln(1 + exp(-|x|))."""
    bend = x.abs().neg_().exp_().log1p_().add_(x.clamp(min=0))
    return bend.addcmul(x, t, value=-1)


def _pull_to_x(g: Tensor, x: Tensor, t: Tensor) -> Tensor:
    return g * (torch.sigmoid(x) - t)


def _pull_to_label(g: Tensor, x: Tensor, t: Tensor) -> Tensor:
    return g * -x

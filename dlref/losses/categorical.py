"""Losses of one class out of many, and what turns a class into a vector."""

import torch
from jaxtyping import Float, Int64, Integer
from torch import Tensor

from dlref.losses._classes import (
    along,
    as_classes,
    averaged,
    check_probabilities,
    check_scores,
    pick,
    smoothed,
    softmax_cross_entropy,
    softmax_nll,
    weighted,
    without_ignored,
)
from dlref.losses._common import apply, bounds, check_reduction, check_tensors, reduced

__all__ = ["cross_entropy", "nll_loss", "one_hot"]


def nll_loss(
    input: Float[Tensor, "..."],
    target: Integer[Tensor, "..."],
    weight: Float[Tensor, " c"] | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Float[Tensor, "..."]:
    r"""Pick the log-probability of the class that is right, and change its sign.

    $$\ell_n = -w_{t_n} \ln p_{n, t_n} \qquad
    L = \frac{\sum_n \ell_n}{\sum_n w_{t_n}}$$

    Args:
        input: Log-probabilities $\ln p$, of shape (C,), (N, C) or (N, C, d1, ...).
        target: Classes $t$ from 0 to C - 1, in int64 or uint8, of shape (), (N,) or
            (N, d1, ...).
        weight: $w$, a factor for each class.
        size_average: Torch's old way to say `reduction`; warns.
        ignore_index: A target that counts nothing, in the mean's divisor neither.
        reduce: Torch's old way to say `reduction`; warns.
        reduction: `"none"`, `"mean"` ($L$) or `"sum"`.

    Returns:
        The loss in nats: one number, or one for each target. A mean over nothing, or
        over weights of 0, is NaN.

    Raises:
        TypeError: If `input` is no tensor of floating point, `target` none of classes,
            or `weight` of another dtype.
        ValueError: If shapes do not fit, or `reduction` is another word.
        IndexError: If a target is not a class.

    Examples:
        >>> log_p = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
        >>> nll_loss(log_p, torch.tensor([1, 0]))
        tensor(0.4904)
    """
    reduction = check_reduction(reduction, size_average, reduce)
    check_scores(input, weight)
    axis = min(1, input.ndim - 1)
    t = as_classes(input, target)
    t, ignored = without_ignored(t, ignore_index, input.shape[axis])

    def loss(log_p: Tensor, w: Tensor | None) -> Tensor:
        each = weighted(-pick(log_p, t, axis), t, w)
        return averaged(each, t, w, ignored, reduction)

    return apply(loss, input, weight)


def cross_entropy(
    input: Float[Tensor, "..."],
    target: Integer[Tensor, "..."] | Float[Tensor, "..."],
    weight: Float[Tensor, " c"] | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Float[Tensor, "..."]:
    r"""Apply a softmax and return the cross-entropy from the target.

    $$\ell_n = -\sum_c w_c\, y_{nc} \ln p_{nc} \qquad p_n = \text{softmax}(x_n) \qquad
    \frac{\partial \ell_n}{\partial x_n} = p_n - y_n \quad (w = 1)$$

    Classes $t_n$ stand for $y_n = \text{onehot}(t_n)$; the mean is then weighted, as in
    [`nll_loss`][dlref.losses.nll_loss]. Of probabilities $y$ it is over $n$. Smoothing
    replaces $y$ by $(1 - \varepsilon)\,y + \varepsilon / C$.

    Args:
        input: Logits $x$, of shape (C,), (N, C) or (N, C, d1, ...).
        target: Classes $t$ from 0 to C - 1, in int64 or uint8, of shape (), (N,) or
            (N, d1, ...); or probabilities $y$, of the shape of `input`.
        weight: $w$, a factor for each class.
        size_average: Torch's old way to say `reduction`; warns.
        ignore_index: A class that counts nothing; not with probabilities.
        reduce: Torch's old way to say `reduction`; warns.
        reduction: `"none"`, `"mean"` or `"sum"`.
        label_smoothing: $\varepsilon$, between 0 and 1.

    Returns:
        The loss in nats: one number, or one for each target.

    Raises:
        TypeError: If `input` is no tensor of floating point, `target` neither classes
            nor probabilities, or `weight` of another dtype.
        ValueError: If shapes do not fit, `label_smoothing` is out of range, an
            `ignore_index` is given with probabilities, or `reduction` is another word.
        IndexError: If a target is not a class.

    Examples:
        >>> x = torch.tensor([[0.0, 200.0], [0.0, 0.0]])
        >>> cross_entropy(x, torch.tensor([0, 1]), reduction="none")
        tensor([200.0000,   0.6931])

    References:
        Goodfellow, Bengio and Courville (2016), Deep learning, section 6.2.2.3;
        smoothing: Szegedy et al. (2015), Rethinking the Inception architecture,
        [arXiv:1512.00567](https://arxiv.org/abs/1512.00567), section 7.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    check_scores(input, weight)
    check_tensors(target=target)
    e = label_smoothing
    if not 0 <= e <= 1:
        raise ValueError(f"expected label_smoothing between 0 and 1, got {e}")
    axis = min(1, input.ndim - 1)
    if target.shape == input.shape:
        check_probabilities(target, ignore_index)

        def mixed(x: Tensor, y: Tensor, w: Tensor | None) -> Tensor:
            y = (1 - e) * y + e / x.shape[axis] if e else y
            y = y if w is None else along(w, x, axis) * y
            return reduced(softmax_cross_entropy(x, y, axis), reduction)

        return apply(mixed, input, target, weight)
    t = as_classes(input, target)
    t, ignored = without_ignored(t, ignore_index, input.shape[axis])

    def picked(x: Tensor, w: Tensor | None) -> Tensor:
        each = weighted(softmax_nll(x, t, axis), t, w)
        each = smoothed(each, x, w, axis, e) if e else each
        return averaged(each, t, w, ignored, reduction)

    return apply(picked, input, weight)


def one_hot(
    input: Int64[Tensor, "*shape"], num_classes: int = -1
) -> Int64[Tensor, "*shape c"]:
    r"""Turn classes into vectors that are 1 at the class and 0 elsewhere.

    $$y_c = [\,t = c\,]$$

    Args:
        input: Classes $t$ from 0 on, in int64.
        num_classes: How many there are; -1 for the largest of `input` plus 1.

    Returns:
        $y$ in int64, with the classes on a new last axis.

    Raises:
        TypeError: If `input` is no tensor of int64.
        ValueError: If a class is negative or not below `num_classes`, or there is none
            to count from.

    Examples:
        >>> one_hot(torch.tensor([0, 2]))
        tensor([[1, 0, 0],
                [0, 0, 1]])
    """
    check_tensors(input=input)
    if input.dtype != torch.int64:
        raise TypeError(f"expected input of torch.int64, got {input.dtype}")
    if not input.numel() and num_classes <= 0:
        raise ValueError("expected num_classes above 0 with an input of no classes")
    seen = bounds(input)
    low, high = seen or (0, num_classes - 1)
    count = int(high) + 1 if num_classes == -1 else num_classes
    if not 0 <= low <= high < count:
        raise ValueError(f"expected classes from 0 to {count - 1}, got {low} to {high}")
    zeros = input.new_zeros(*input.shape, count)
    # in place where there are values to see: under vmap there are none, and no rule
    fill = zeros.scatter_ if seen else zeros.scatter
    return fill(-1, input[..., None], 1)  # (*shape, c)

"""Losses that compare: two distributions, a score and a margin, three points."""

import warnings
from typing import Any, SupportsFloat, cast

import torch
from jaxtyping import Float, Num
from torch import Tensor

from dlref.activations import relu
from dlref.losses._common import (
    apply,
    bounds,
    broadcast_shape,
    check_floating,
    check_reduction,
    check_tensors,
    reduced,
)

__all__ = ["hinge_loss", "kl_div", "triplet_margin_loss"]


def kl_div(
    input: Float[Tensor, "..."],
    target: Float[Tensor, "..."],
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Float[Tensor, "..."]:
    r"""Return the terms of the Kullback-Leibler divergence from the target.

    $$\ell = t\,(\ln t - x) \qquad \text{KL}(t \,\|\, q) = \sum_i \ell_i \qquad
    x = \ln q$$

    `"batchmean"` divides their sum by the size of the first axis: of rows that are
    distributions it is the mean divergence. `"mean"` divides by the number of terms as
    well, which is hardly ever wanted; as torch does, it warns.

    Args:
        input: Log-probabilities $x$; mind the order, the model comes first.
        target: Probabilities $t$, or their logarithms; another shape is broadcast.
        size_average: Torch's old way to say `reduction`; warns.
        reduce: Likewise.
        reduction: `"none"`, `"mean"`, `"batchmean"` or `"sum"`.
        log_target: Whether `target` holds logarithms.

    Returns:
        The loss in nats: one number, or one for each term. A target of 0 adds 0.

    Raises:
        TypeError: If an argument is no tensor of floating point.
        ValueError: If shapes do not fit, or `reduction` is another word.

    Examples:
        >>> p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.9, 0.1]])
        >>> kl_div(q.log(), p, reduction="batchmean")
        tensor(0.5108)

    References:
        Kullback and Leibler (1951), On information and sufficiency,
        [doi:10.1214/aoms/1177729694](https://doi.org/10.1214/aoms/1177729694).
    """
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "reduction 'mean' divides by the number of terms; 'batchmean', by that of "
            "distributions, is the divergence",
            stacklevel=2,
        )
    batch = reduction == "batchmean"
    reduction = check_reduction("sum" if batch else reduction, size_average, reduce)
    check_floating(input=input, target=target)
    broadcast_shape(input=input, target=target)

    def loss(x: Tensor, t: Tensor) -> Tensor:
        each = t.exp() * (t - x) if log_target else torch.xlogy(t, t) - t * x
        total = reduced(each, reduction)
        return total / x.shape[0] if batch and x.ndim else total

    return apply(loss, input, target)


def hinge_loss(
    input: Float[Tensor, "..."],
    target: Num[Tensor, "..."],
    *,
    reduction: str = "mean",
) -> Float[Tensor, "..."]:
    r"""Ask scores for a margin of 1: the loss of support vector machines.

    Of two classes, with one score and a target of -1 or 1:

    $$\ell = \max(0,\, 1 - t\,x)$$

    Of several, with a score for each, the margin is that over the best wrong class:

    $$\ell_n = \max\left(0,\, 1 - x_{n, t_n} + \max_{j \ne t_n} x_{nj}\right)$$

    It is what `sklearn.metrics.hinge_loss` averages, which takes the target first and
    codes two classes by itself. Torch has no such function: its `hinge_embedding_loss`
    is of distances, and `multi_margin_loss` adds up all wrong classes. At a margin of
    exactly 1 the gradient is 0.

    Args:
        input: Scores $x$: of any shape with the target's, or (N, C) for classes.
        target: $t$: -1 or 1 for each score, or (N,) integers from 0 to C - 1.
        reduction: `"none"`, `"mean"` or `"sum"`.

    Returns:
        The loss: one number, or one for each target.

    Raises:
        TypeError: If an argument is no tensor, `input` is not of floating point, or
            classes are not integers.
        ValueError: If shapes do not fit, a target is neither -1 nor 1, there is no
            wrong class, or `reduction` is another word.
        IndexError: If a target is not a class.

    Examples:
        >>> hinge_loss(torch.tensor([0.5, -2.0]), torch.tensor([1, -1]))
        tensor(0.2500)
        >>> hinge_loss(torch.tensor([[2.0, 1.5, 0.0]]), torch.tensor([0]))
        tensor(0.5000)

    References:
        Crammer and Singer (2001), On the algorithmic implementation of multiclass
        kernel-based vector machines, Journal of Machine Learning Research 2.
    """
    reduction = check_reduction(reduction)
    check_floating(input=input)
    check_tensors(target=target)
    several = input.ndim == 2 and target.ndim == 1
    (_check_classes if several else _check_signs)(input, target)

    def loss(x: Tensor) -> Tensor:
        margin = _lead(x, target.long()) if several else target.to(x) * x
        return reduced(relu(1 - margin), reduction)

    return apply(loss, input)


def triplet_margin_loss(
    anchor: Num[Tensor, "..."],
    positive: Num[Tensor, "..."],
    negative: Num[Tensor, "..."],
    margin: SupportsFloat = 1.0,
    p: SupportsFloat = 2,
    eps: SupportsFloat = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Float[Tensor, "..."]:
    r"""Ask that an anchor be nearer to its like than to another, by a margin.

    $$\ell = \max(0,\, d(a, p) - d(a, n) + m) \qquad
    d(u, v) = \lVert u - v + \epsilon \rVert_p$$

    Args:
        anchor: Points $a$, with their coordinates on the last axis.
        positive: Points $p$ of the same kind as $a$.
        negative: Points $n$ of another kind.
        margin: $m$, above 0.
        p: The order of the norm; 2 is the Euclidean.
        eps: $\epsilon$, which keeps the slope of the norm finite at 0.
        swap: Whether $d(p, n)$ counts instead of $d(a, n)$ where it is smaller.
        size_average: Torch's old way to say `reduction`; warns.
        reduce: Likewise.
        reduction: `"none"`, `"mean"` or `"sum"`.

    Returns:
        The loss: one number, or one for each anchor.

    Raises:
        TypeError: If an argument is no tensor.
        ValueError: If the numbers of axes differ, shapes do not fit, `margin` is not
            above 0, or `reduction` is another word.

    Examples:
        >>> a, p, n = torch.tensor([[0.0, 0.0], [3.0, 4.0], [4.0, 3.0]]).split(1)
        >>> triplet_margin_loss(a, p, n, margin=2)  # both at a distance of 5
        tensor(2.)

    References:
        Schroff, Kalenichenko and Philbin (2015), FaceNet,
        [arXiv:1503.03832](https://arxiv.org/abs/1503.03832), equation 3, with squared
        distances; swap: Balntas et al. (2016), Learning local feature descriptors with
        triplets and shallow convolutional neural networks, BMVC.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    m, order, epsilon = float(margin), float(p), float(eps)
    if not m > 0:
        raise ValueError(f"expected margin above 0, got {margin}")
    check_tensors(anchor=anchor, positive=positive, negative=negative)
    broadcast_shape(anchor=anchor, positive=positive, negative=negative)
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ValueError(
            "expected as many axes of anchor, positive and negative, got "
            f"{anchor.ndim}, {positive.ndim} and {negative.ndim}"
        )

    def distance(u: Tensor, v: Tensor) -> Tensor:
        return cast("Any", torch.linalg).vector_norm(u - v + epsilon, order, dim=-1)

    def loss(a: Tensor, p: Tensor, n: Tensor) -> Tensor:
        far = distance(a, n)
        if swap:
            far = torch.minimum(far, distance(p, n))
        return reduced((distance(a, p) - far + m).clamp(min=0), reduction)

    return apply(loss, anchor, positive, negative)


def _lead(x: Tensor, t: Tensor) -> Tensor:
    """Return by how much the score of the right class exceeds the best other."""
    t = t[:, None]
    others = x.scatter(1, t, -torch.inf).amax(1)
    return x.gather(1, t).squeeze(1) - others


def _check_signs(input: Tensor, target: Tensor) -> None:
    """Refuse targets that are not -1 or 1 for each score."""
    if target.shape != input.shape:
        raise ValueError(
            f"expected target of the input's shape {tuple(input.shape)}, or input of "
            f"shape (N, C) and target of shape (N,), got {tuple(target.shape)}"
        )
    squares = bounds(target * target)
    if squares and squares != (1, 1):
        raise ValueError(f"expected targets of -1 and 1, got {target}")


def _check_classes(input: Tensor, target: Tensor) -> None:
    """Refuse targets that are not a class for each row, and scores without a rival."""
    n, count = input.shape
    if target.is_floating_point():
        raise TypeError(f"expected classes to be integers, got {target.dtype}")
    if len(target) != n or count < 2:
        raise ValueError(
            f"expected input of shape (N, C), C at least 2, and target of shape (N,), "
            f"got {tuple(input.shape)} and {tuple(target.shape)}"
        )
    low, high = bounds(target) or (0, 0)
    if not 0 <= low <= high < count:
        raise IndexError(f"expected targets from 0 to {count - 1}, got {low} to {high}")

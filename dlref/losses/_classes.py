"""Losses of classes given by number: checks, picking, weights, the fused gradient."""

from typing import Any, cast

import torch
from torch import Tensor

from dlref._signature import keep_signature
from dlref.activations import log_softmax, softmax
from dlref.losses._common import (
    bounds,
    check_floating,
    check_tensors,
    reduced,
)

__all__ = [
    "along",
    "as_classes",
    "averaged",
    "check_probabilities",
    "check_scores",
    "pick",
    "smoothed",
    "softmax_cross_entropy",
    "softmax_nll",
    "weighted",
    "without_ignored",
]


def along(weight: Tensor, x: Tensor, axis: int) -> Tensor:
    """Return the weights of classes in a shape that meets the class axis."""
    return weight.reshape(-1, *[1] * (x.ndim - 1 - axis))  # (C, 1, ...)


def pick(x: Tensor, t: Tensor, axis: int) -> Tensor:
    """Return the entries of x at the classes t."""
    return x.gather(axis, t.unsqueeze(axis)).squeeze(axis)


def weighted(loss: Tensor, t: Tensor, weight: Tensor | None) -> Tensor:
    """Multiply losses by the weights of their classes."""
    return loss if weight is None else weight[t] * loss


def smoothed(
    loss: Tensor, x: Tensor, weight: Tensor | None, axis: int, e: float
) -> Tensor:
    """Mix in the loss of the uniform distribution, with the share e."""
    log_p = log_softmax(x, axis)
    every = log_p if weight is None else along(weight, x, axis) * log_p
    return (1 - e) * loss - e / x.shape[axis] * every.sum(axis)


def averaged(
    loss: Tensor, t: Tensor, weight: Tensor | None, ignored: Tensor | None, how: str
) -> Tensor:
    """Leave out what is ignored, and reduce; the mean is over the weights."""
    loss = loss if ignored is None else loss.masked_fill(ignored, 0)
    if how != "mean" or (weight is None and ignored is None):
        return reduced(loss, how)
    w = torch.ones_like(loss) if weight is None else weight[t]
    w = w if ignored is None else w.masked_fill(ignored, 0)
    return loss.sum() / w.sum()


def softmax_nll(x: Tensor, t: Tensor, axis: int) -> Tensor:
    r"""Return $-\ln \text{softmax}(x)_t$, with the gradient $p - \text{onehot}(t)$."""
    return cast("Any", _SoftmaxNLL).apply(x, t, axis)[0]


@keep_signature
class _SoftmaxNLL(torch.autograd.Function):
    """The loss of classes from their scores."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, t: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """Return ln sum exp x - x[t], and the probabilities for the derivative."""
        z = x - x.amax(axis, keepdim=True)
        right = pick(z, t, axis)
        p = z.exp_()
        total = p.sum(axis, keepdim=True)
        return total.log().squeeze(axis) - right, p.div_(total)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep the probabilities, and x for a second derivative."""
        x, t, ctx.axis = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(x, t, output[1])
        ctx.save_for_forward(x, t, output[1])

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradient with respect to x: p - y, each times its g."""
        x, t, p = ctx.saved_tensors
        if torch.is_grad_enabled():  # for a second derivative: p depends on x
            p = softmax(x, ctx.axis)
        g = grad_outputs[0].unsqueeze(ctx.axis)
        dx = p * g
        return dx.scatter_add_(ctx.axis, t.unsqueeze(ctx.axis), -g), None, None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent: its mean under p, less its entry at t."""
        dx, (_, t, p) = grad_inputs[0], ctx.saved_tensors
        return (p * dx).sum(ctx.axis) - pick(dx, t, ctx.axis), None


def softmax_cross_entropy(x: Tensor, y: Tensor, axis: int) -> Tensor:
    r"""Return $-\sum_c y_c \ln \text{softmax}(x)_c$, with the gradient $p - y$."""
    return cast("Any", _SoftmaxCrossEntropy).apply(x, y, axis)[0]


@keep_signature
class _SoftmaxCrossEntropy(torch.autograd.Function):
    """The loss of probabilities of classes from their scores."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, y: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """Return sum y ln sum exp x - sum y x, and the model's probabilities."""
        z = x - x.amax(axis, keepdim=True)
        right = cast("Any", torch.linalg).vecdot(y, z, dim=axis)
        p = z.exp_()
        total = p.sum(axis, keepdim=True)
        return total.log().squeeze(axis) * y.sum(axis) - right, p.div_(total)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep the probabilities, and x for other derivatives."""
        x, y, ctx.axis = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(x, y, output[1])
        ctx.save_for_forward(x, y, output[1])

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        """Return the gradients: (p sum y - y) g with respect to x, -g ln p to y."""
        x, y, p = ctx.saved_tensors
        if torch.is_grad_enabled():  # for a second derivative: p depends on x
            p = softmax(x, ctx.axis)
        g = grad_outputs[0].unsqueeze(ctx.axis)
        dx = p * (g * y.sum(ctx.axis, keepdim=True))
        dy = -g * log_softmax(x, ctx.axis) if ctx.needs_input_grad[1] else None
        return dx.addcmul_(y, g, value=-1), dy, None

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:  # noqa: ANN401
        """Return the tangent, from those of x and of y."""
        dx, dy, _ = grad_inputs
        x, y, p = ctx.saved_tensors
        each = 0 if dx is None else dx * (p * y.sum(ctx.axis, keepdim=True) - y)
        each = each if dy is None else each - dy * log_softmax(x, ctx.axis)
        return cast("Tensor", each).sum(ctx.axis), None


def without_ignored(
    t: Tensor, ignore_index: int, count: int
) -> tuple[Tensor, Tensor | None]:
    """Return classes that all exist, and which of them are to count nothing."""
    seen, ignored = bounds(t), None
    if seen is None or seen[0] <= ignore_index <= seen[1]:
        ignored = t == ignore_index
        t = t.masked_fill(ignored, 0)
        seen = bounds(t)
    if seen and not 0 <= seen[0] <= seen[1] < count:
        raise IndexError(
            f"expected targets from 0 to {count - 1}, got {seen[0]} to {seen[1]}"
        )
    return t, ignored


def check_scores(input: Tensor, weight: Tensor | None) -> None:
    """Refuse what has no classes, and weights that are not one for each."""
    check_floating(input=input)
    if not input.ndim:
        raise ValueError("expected input of shape (C,), (N, C) or (N, C, ...), got ()")
    if weight is None:
        return
    check_tensors(weight=weight)
    if weight.dtype != input.dtype:
        raise TypeError(f"expected weight of {input.dtype}, got {weight.dtype}")
    count = input.shape[min(1, input.ndim - 1)]
    if weight.shape != (count,):
        raise ValueError(
            f"expected weight of shape ({count},), one for each class, got "
            f"{tuple(weight.shape)}"
        )


def as_classes(input: Tensor, target: Tensor) -> Tensor:
    """Return the target in int64, in the shape of the input less the class axis."""
    check_tensors(target=target)
    if target.dtype not in (torch.int64, torch.uint8):
        raise TypeError(f"expected classes of int64 or uint8, got {target.dtype}")
    wanted = input.shape[:1] + input.shape[2:] if input.ndim > 1 else torch.Size()
    if target.shape != wanted and not (input.ndim == target.numel() == 1):
        raise ValueError(
            f"expected target of shape {tuple(wanted)} for an input of the shape "
            f"{tuple(input.shape)}, got {tuple(target.shape)}"
        )
    return target.long().reshape(wanted)


def check_probabilities(target: Tensor, ignore_index: int) -> None:
    """Refuse a target of the input's shape that is not of probabilities."""
    if not target.is_floating_point():
        raise TypeError(
            "expected a target of the input's shape to hold probabilities, of floating "
            f"point, got {target.dtype}"
        )
    if ignore_index >= 0:
        raise ValueError(
            f"expected no ignore_index with probabilities, got {ignore_index}"
        )

"""A list of tensors with the methods of one: a rule moves all of them at once."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Tensors", "Value"]

_each: Any = torch  # torch._foreach_*: one call for a list; private, but torch.optim's


class Tensors:
    """Tensors that move together: each method does what a tensor's does, to every one.

    An update rule is written once, in the methods of a tensor. With this class instead
    of a tensor the same lines become a few calls for a thousand parameters.

    Args:
        tensors: Tensors of one dtype and device.
    """

    def __init__(self, tensors: Iterable[Float[Tensor, "..."]]) -> None:
        """Hold the tensors."""
        self.tensors = list(tensors)

    def __neg__(self) -> "Tensors":
        return Tensors(_each._foreach_neg(self.tensors))

    def copy_(self, other: "Tensors") -> "Tensors":
        _each._foreach_copy_(self.tensors, other.tensors)
        return self

    def abs(self) -> "Tensors":
        return Tensors(_each._foreach_abs(self.tensors))

    def sqrt(self) -> "Tensors":
        return Tensors(_each._foreach_sqrt(self.tensors))

    def sqrt_(self) -> "Tensors":
        _each._foreach_sqrt_(self.tensors)
        return self

    def add(
        self, other: "Tensors | int | float", *, alpha: int | float = 1
    ) -> "Tensors":
        if isinstance(other, Tensors):
            sums = _each._foreach_add(self.tensors, other.tensors, alpha=alpha)
        else:
            sums = _each._foreach_add(self.tensors, alpha * other)
        return Tensors(sums)

    def add_(
        self, other: "Tensors | int | float", *, alpha: int | float = 1
    ) -> "Tensors":
        if isinstance(other, Tensors):
            _each._foreach_add_(self.tensors, other.tensors, alpha=alpha)
        else:
            _each._foreach_add_(self.tensors, alpha * other)
        return self

    def mul_(self, other: "Tensors | int | float") -> "Tensors":
        _each._foreach_mul_(self.tensors, _plain(other))
        return self

    def div(self, other: "Tensors | int | float") -> "Tensors":
        return Tensors(_each._foreach_div(self.tensors, _plain(other)))

    def div_(self, other: "Tensors | int | float") -> "Tensors":
        _each._foreach_div_(self.tensors, _plain(other))
        return self

    def lerp_(self, end: "Tensors", weight: int | float) -> "Tensors":
        _each._foreach_lerp_(self.tensors, end.tensors, weight)
        return self

    def clamp_(self, *, min: "Tensors") -> "Tensors":
        _each._foreach_maximum_(self.tensors, min.tensors)
        return self

    def addcmul(
        self, x: "Tensors", y: "Tensors", *, value: int | float = 1
    ) -> "Tensors":
        sums = _each._foreach_addcmul(self.tensors, x.tensors, y.tensors, value)
        return Tensors(sums)

    def addcmul_(
        self, x: "Tensors", y: "Tensors", *, value: int | float = 1
    ) -> "Tensors":
        _each._foreach_addcmul_(self.tensors, x.tensors, y.tensors, value)
        return self

    def addcdiv_(
        self, x: "Tensors", y: "Tensors", *, value: int | float = 1
    ) -> "Tensors":
        _each._foreach_addcdiv_(self.tensors, x.tensors, y.tensors, value)
        return self


if TYPE_CHECKING:  # where Tensors is a tensor, for it has the methods that rules use
    _Moved: TypeAlias = Tensor
else:
    _Moved = Float[Tensor, "..."] | Tensors
Value: TypeAlias = _Moved
"""What a rule moves: a tensor, or several at once."""


def _plain(other: Tensors | int | float) -> list[Tensor] | float:
    return other.tensors if isinstance(other, Tensors) else other

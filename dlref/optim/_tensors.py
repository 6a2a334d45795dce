"""A list of tensors with the methods of one: a rule moves all of them at once."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Number", "Tensors", "Value", "as_operand"]

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
        addend, options = self._addend(other, alpha)
        return Tensors(_each._foreach_add(self.tensors, addend, **options))

    def add_(
        self, other: "Tensors | int | float", *, alpha: int | float = 1
    ) -> "Tensors":
        addend, options = self._addend(other, alpha)
        _each._foreach_add_(self.tensors, addend, **options)
        return self

    def mul_(self, other: "Tensors | int | float") -> "Tensors":
        _each._foreach_mul_(self.tensors, self._operand(other))
        return self

    def div(self, other: "Tensors | int | float") -> "Tensors":
        return Tensors(_each._foreach_div(self.tensors, self._operand(other)))

    def div_(self, other: "Tensors | int | float") -> "Tensors":
        _each._foreach_div_(self.tensors, self._operand(other))
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

    def _addend(
        self, other: "Tensors | int | float", alpha: int | float
    ) -> tuple[Any, dict[str, int | float]]:
        if isinstance(other, Tensors):
            return other.tensors, {"alpha": alpha}
        addend = self._operand(alpha * other)
        # without alpha, torch takes a tensor of one element for a number
        return addend, {"alpha": 1} if isinstance(addend, Tensor) else {}

    def _operand(self, other: "Tensors | int | float") -> Any:  # noqa: ANN401
        """Return what torch takes: a list, a number, or a tensor in place of one."""
        if isinstance(other, Tensors):
            return other.tensors
        first = self.tensors[0]
        return as_operand(other, first.dtype) if first.is_cpu else other


if TYPE_CHECKING:  # where Tensors is a tensor, for it has the methods that rules use
    _Moved: TypeAlias = Tensor
else:
    _Moved = Float[Tensor, "..."] | Tensors
Value: TypeAlias = _Moved
"""What a rule moves: a tensor, or several at once."""

Number: TypeAlias = int | float | Float[Tensor, ""]
"""A number, or a tensor of one element that stands for it."""


def as_operand(value: Number, dtype: torch.dtype) -> Number:
    """Return a number as a tensor of the same dtype as those that it is added to.

    Of a number torch makes a tensor in each operation anew, of another dtype, which
    takes longer than to add it to a small tensor. The sum has the same bits. Half types
    are computed in float32, from a number that is not rounded to half: it stays one.
    """
    if not isinstance(value, Tensor) and dtype in (torch.float32, torch.float64):
        return torch.tensor(value, dtype=dtype, device="cpu")
    return value

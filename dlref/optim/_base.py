"""What the first-order optimizers share: they run a rule on each parameter in turn.

The rule is a function of its own, in the file of the method; here stands what is not in
the paper: parameter groups, states, gradients that are missing, the order of the steps.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, overload

import torch
from jaxtyping import Inexact
from torch import Tensor
from torch.optim import Optimizer

from dlref.optim._tensors import Tensors, Value

__all__ = [
    "Count",
    "Group",
    "Parameters",
    "RuleOptimizer",
    "State",
    "check_number",
    "number",
]

Parameters: TypeAlias = Iterable[Any]  # of tensors, of named tensors, or of groups
Group: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, Any]
Count: TypeAlias = tuple[int | float, ...]


class RuleOptimizer(Optimizer):
    """An optimizer of torch whose step is a rule, applied to one parameter or to many.

    With `foreach=True` the parameters of a group move together, with the same result.

    Args:
        params: Parameters, or groups of them.
        defaults: Options of groups that have none of their own.
    """

    _numbers = ("step",)  # entries of the state that are one number a parameter

    def __init__(self, params: Parameters, defaults: Group) -> None:
        """Refuse torch's options that ask for another implementation."""
        for name in ("capturable", "differentiable", "fused"):
            if defaults.get(name):
                raise ValueError(
                    f"expected {name}=False, got {defaults[name]!r}: "
                    f"{type(self).__name__} is a reference and has one implementation"
                )
        for name in ("lr", "eps", "weight_decay", "momentum", "lr_decay"):
            if name in defaults:
                check_number(name, defaults[name])
        for beta in defaults.get("betas", ()):
            check_number("betas", beta, below=1)
        super().__init__(params, defaults)

    @abstractmethod
    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return the state of a parameter before its first step."""

    @abstractmethod
    def _rule(
        self, theta: Value, g: Value, state: State, count: Count, group: Group
    ) -> None:
        """Change `theta` and the state, given the gradient `g`."""

    def _count(self, state: State, group: Group) -> Count:
        """Count a step; return its number, and what else of one number a rule needs."""
        state["step"] += 1
        return (int(state["step"].item()),)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], Any]) -> Any: ...  # noqa: ANN401

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step with all parameters that have a gradient.

        Args:
            closure: Computes the gradients anew and returns the loss.

        Returns:
            What the closure returned; None without one.

        Raises:
            ValueError: If a gradient is sparse.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moving = [p for p in group["params"] if p.grad is not None]
            foreach = group.get("foreach")
            if foreach is None:  # as torch: together where kernels take long to start
                foreach = bool(moving) and all(p.is_cuda for p in moving)
            if foreach:
                self._step_together(moving, group)
            else:
                self._step_each(moving, group)
        return loss

    def __setstate__(self, state: State) -> None:
        """Restore the state; options that an older one lacks get their defaults."""
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self.defaults.items():
                group.setdefault(name, value)

    def _step_each(self, moving: list[Any], group: Group) -> None:
        for p in moving:
            state = self._state_of(p, group)
            count = self._count(state, group)
            if p.is_complex():
                self._move(_real(p), _real(p.grad), _real_state(state), count, group)
            else:
                self._move(p, p.grad, state, count, group)

    def _step_together(self, moving: list[Any], group: Group) -> None:
        """Move all at once that are of one kind and one age."""
        kinds: dict[Any, list[tuple[Tensor, State]]] = {}
        for p in moving:
            state = self._state_of(p, group)
            count = self._count(state, group)
            names = tuple(name for name in state if name not in self._numbers)
            kinds.setdefault((p.dtype, p.device, count, names), []).append((p, state))
        for (_, _, count, names), pairs in kinds.items():
            lists = {n: Tensors([_real(state[n]) for _, state in pairs]) for n in names}
            theta: Any = Tensors([_real(p) for p, _ in pairs])
            g: Any = Tensors([_real(p.grad) for p, _ in pairs])
            self._move(theta, g, lists, count, group)

    def _move(
        self, theta: Value, g: Value, state: State, count: Count, group: Group
    ) -> None:
        """Apply what all rules have in common, then the rule."""
        if group["maximize"]:
            g = -g
        weight_decay = number(group["weight_decay"])
        if weight_decay != 0 and not group.get("decoupled_weight_decay"):
            g = g.add(theta, alpha=weight_decay)  # the gradient of an L2 penalty
        self._rule(theta, g, state, count, group)

    def _state_of(self, p: Tensor, group: Group) -> State:
        if p.grad is not None and p.grad.is_sparse:
            raise ValueError(
                f"expected dense gradients, got a sparse one of shape {tuple(p.shape)}"
            )
        state = self.state.get(p)
        if not state:
            state = self._start(p, group)
            if state:
                self.state[p] = state
        return state


def number(value: int | float | Tensor) -> int | float:
    """Return what may be given as a tensor of one element as a number."""
    return value.item() if isinstance(value, Tensor) else value


def check_number(name: str, value: object, below: int | float = float("inf")) -> None:
    """Refuse an option that is not a number in [0, below)."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"expected one number for {name}, got {tuple(value.shape)}")
    if not isinstance(value, int | float | Tensor):
        raise TypeError(f"expected a number for {name}, got {type(value).__name__}")
    if not 0 <= value < below:
        bound = "" if below == float("inf") else f" and below {below:g}"
        raise ValueError(f"expected {name} of at least 0{bound}, got {value}")


def _real(x: Any) -> Any:  # noqa: ANN401 - a tensor, or an entry of a state
    """Return a complex tensor as one of pairs of real numbers, others as they are."""
    return torch.view_as_real(x) if isinstance(x, Tensor) and x.is_complex() else x


def _real_state(state: State) -> State:
    return {name: _real(value) for name, value in state.items()}

"""What the first-order optimizers share: they run a rule on each parameter in turn.

The rule is a function of its own, in the file of the method; here stands what is not in
the paper: parameter groups, states, gradients that are missing, the order of the steps.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias, overload

import torch
from jaxtyping import Inexact
from torch import Tensor
from torch.optim import Optimizer

from dlref.optim._tensors import Number, Tensors, Value, as_operand

__all__ = [
    "Count",
    "Group",
    "Operand",
    "Parameters",
    "Rule",
    "RuleOptimizer",
    "State",
    "check_betas",
    "check_number",
    "number",
]

Parameters: TypeAlias = Iterable[Any]  # of tensors, of named tensors, or of groups
Group: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, Any]
Count: TypeAlias = tuple[int | float, ...]
Rule: TypeAlias = Callable[[Any, Any, State, Count], None]
Operand: TypeAlias = Callable[[Number], Number]


class RuleOptimizer(Optimizer):
    """An optimizer of torch whose step is a rule, applied to one parameter or to many.

    With `foreach=True` the parameters of a group move together, with the same result.

    Args:
        params: Parameters, or groups of them.
        defaults: Options of groups that have none of their own.
    """

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
        super().__init__(params, defaults)

    @abstractmethod
    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return the state of a parameter before its first step."""

    @abstractmethod
    def _rule(self, group: Group, operand: Operand) -> Rule:
        """Return the group's rule: it changes parameters and state, given gradients.

        What `operand` makes of a number is faster to add to a tensor or to multiply by.
        """

    def _count(self, states: list[State], group: Group) -> list[Count]:
        """Count a step; return its number, and what else of one number a rule needs."""
        steps = [state["step"] for state in states]
        Tensors(steps).add_(1)
        return [(step.item(),) for step in steps]

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
            moving = [(p, g) for p in group["params"] if (g := p.grad) is not None]
            if moving:
                states = [self._state_of(p, g, group) for p, g in moving]
                with torch.inference_mode():  # operations start faster in it
                    self._step_group(moving, states, group)
        return loss

    def __setstate__(self, state: State) -> None:
        """Restore the state; options that an older one lacks get their defaults."""
        super().__setstate__(state)
        for group in self.param_groups:
            for name, value in self.defaults.items():
                group.setdefault(name, value)

    def _step_group(
        self, moving: list[tuple[Any, Any]], states: list[State], group: Group
    ) -> None:
        """Move the parameters of a group, each on its own or all that can together."""
        counts = self._count(states, group)
        together = group.get("foreach")
        if together is None:  # as torch: together where kernels take long to start
            together = all(p.is_cuda for p, _ in moving)
        if together:
            _move_together(self._with_decay(group, float), moving, states, counts)
            return
        rules: dict[torch.dtype, Rule] = {}
        for dtype in {p.dtype for p, _ in moving}:
            operand = partial(as_operand, dtype=dtype.to_real())
            rules[dtype] = self._with_decay(group, operand)
        for (p, g), state, count in zip(moving, states, counts, strict=True):
            if p.is_complex():
                rules[p.dtype](_real(p), _real(g), _real_state(state), count)
            else:
                rules[p.dtype](p, g, state, count)

    def _with_decay(self, group: Group, operand: Operand) -> Rule:
        """Return the rule, with what all rules have in common before it."""
        rule, maximize = self._rule(group, operand), group["maximize"]
        penalty = number(group["weight_decay"])
        if group.get("decoupled_weight_decay"):
            penalty = 0
        if not maximize and penalty == 0:
            return rule

        def decayed(theta: Value, g: Value, state: State, count: Count) -> None:
            if maximize:
                g = -g
            if penalty != 0:
                g = g.add(theta, alpha=penalty)  # the gradient of an L2 penalty
            rule(theta, g, state, count)

        return decayed

    def _state_of(self, p: Tensor, g: Tensor, group: Group) -> State:
        if g.is_sparse:
            raise ValueError(
                f"expected dense gradients, got a sparse one of shape {tuple(p.shape)}"
            )
        state = self.state.get(p)
        if not state:
            state = self._start(p, group)
            if state:
                self.state[p] = state
        return state


def _move_together(
    rule: Rule,
    moving: list[tuple[Any, Any]],
    states: list[State],
    counts: list[Count],
) -> None:
    """Move at once what is of one kind and one age."""
    kinds: dict[Any, list[tuple[Tensor, Tensor, State]]] = {}
    for (p, g), state, count in zip(moving, states, counts, strict=True):
        kinds.setdefault((p.dtype, p.device, count), []).append((p, g, state))
    for (dtype, _, count), rows in kinds.items():
        read = _real if dtype.is_complex else _same
        names = [
            n for n, value in rows[0][2].items() if value.shape == rows[0][0].shape
        ]
        lists = {n: Tensors([read(state[n]) for _, _, state in rows]) for n in names}
        theta: Any = Tensors([read(p) for p, _, _ in rows])
        gradient: Any = Tensors([read(g) for _, g, _ in rows])
        rule(theta, gradient, lists, count)


def number(value: int | float | Tensor) -> int | float:
    """Return what may be given as a tensor of one element as a number."""
    return value.item() if isinstance(value, Tensor) else value


def check_number(
    name: str,
    value: object,
    *,
    least: int | float = 0,
    below: int | float = float("inf"),
) -> None:
    """Refuse an option that is not a number in [least, below)."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"expected one number for {name}, got {tuple(value.shape)}")
    if not isinstance(value, int | float | Tensor):
        raise TypeError(f"expected a number for {name}, got {type(value).__name__}")
    if not least <= value < below:
        bound = "" if below == float("inf") else f" and below {below:g}"
        raise ValueError(f"expected {name} of at least {least:g}{bound}, got {value}")


def check_betas(betas: Iterable[object]) -> None:
    """Refuse what is not a pair of numbers in [0, 1)."""
    try:
        beta1, beta2 = betas
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"expected a pair of numbers for betas, got {betas}"
        ) from error
    check_number("betas", beta1, below=1)
    check_number("betas", beta2, below=1)


def _real(x: Any) -> Any:  # noqa: ANN401 - a tensor, or an entry of a state
    """Return a complex tensor as one of pairs of real numbers, others as they are."""
    return torch.view_as_real(x) if isinstance(x, Tensor) and x.is_complex() else x


def _same(x: Any) -> Any:  # noqa: ANN401 - as `_real`
    return x


def _real_state(state: State) -> State:
    return {name: _real(value) for name, value in state.items()}

r"""L-BFGS: a Newton step from the last gradients, without a Hessian.

From pairs $s_i = \theta_{i+1} - \theta_i$ and $y_i = g_{i+1} - g_i$, two loops over the
pairs give $d = -H_k g$, where $H_k$ approximates the inverse Hessian.

References:
    Nocedal and Wright (2006), Numerical optimization, second edition, algorithms 7.4,
    7.5 (L-BFGS), 3.5 and 3.6 (strong Wolfe conditions, with zoom); Liu and Nocedal
    (1989), On the limited memory BFGS method for large scale optimization, Mathematical
    Programming 45, 503-528.
"""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer

from dlref.optim._base import Parameters, check_number, number
from dlref.optim._wolfe import Point, search_strong_wolfe

__all__ = ["LBFGS", "two_loop_direction"]


def two_loop_direction(
    g: Float[Tensor, " n"],
    s: list[Float[Tensor, " n"]],
    y: list[Float[Tensor, " n"]],
    gamma: int | float | Float[Tensor, ""] = 1.0,
) -> Float[Tensor, " n"]:
    r"""Return $-H_k g$ from the last steps and the changes of gradient along them.

    With $\rho_i = 1 / (y_i^\top s_i)$, from the newest pair to the oldest
    $\alpha_i = \rho_i\,s_i^\top q$ and $q \leftarrow q - \alpha_i y_i$, then
    $r = \gamma q$, and back again
    $r \leftarrow r + (\alpha_i - \rho_i\,y_i^\top r)\,s_i$.

    Args:
        g: Gradient.
        s: Steps, oldest first.
        y: Changes of the gradient along them.
        gamma: Scale $\gamma$ of the first guess $\gamma I$ at the inverse Hessian.

    Returns:
        Direction of descent.

    Raises:
        ValueError: If there are not as many steps as changes.
    """
    if len(s) != len(y):
        raise ValueError(f"expected as many s as y, got {len(s)} and {len(y)}")
    pairs = [(s_i, y_i, 1 / y_i.dot(s_i)) for s_i, y_i in zip(s, y, strict=True)]
    r, alphas = -g, list[Tensor]()
    for s_i, y_i, rho in reversed(pairs):
        alphas.append(s_i.dot(r) * rho)
        r = r - alphas[-1] * y_i
    r = gamma * r
    for (s_i, y_i, rho), alpha in zip(pairs, reversed(alphas), strict=True):
        r = r + (alpha - rho * y_i.dot(r)) * s_i
    return r


class LBFGS(Optimizer):
    r"""L-BFGS on all parameters at once; as `torch.optim.LBFGS`.

    $$\theta_{t} = \theta_{t-1} - \eta_t\,H_t\,g_t$$

    Args:
        params: Parameters, in one group.
        lr: Step $\eta$, of which 1 is the natural one.
        max_iter: Iterations that one call of `step` makes at most.
        max_eval: Evaluations of the loss that it makes at most; None for 5/4 of
            `max_iter`.
        tolerance_grad: It ends where no entry of the gradient is larger.
        tolerance_change: It ends where neither loss nor parameters change by more.
        history_size: Pairs that are remembered.
        line_search_fn: `"strong_wolfe"`, or None for a fixed step.

    Raises:
        ValueError: If a number is out of its range, there are several groups, or the
            line search has no such name.
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: int | float = 1e-7,
        tolerance_change: int | float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        """Check the options."""
        _check_whole("max_iter", max_iter)
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        _check_whole("max_eval", max_eval)
        _check_whole("history_size", history_size)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
        }
        for name in ("lr", "max_iter", "max_eval", "history_size"):
            check_number(name, defaults[name])
        if line_search_fn not in (None, "strong_wolfe"):
            raise ValueError(
                f"expected line_search_fn 'strong_wolfe' or None, got {line_search_fn}"
            )
        super().__init__(params, {**defaults, "line_search_fn": line_search_fn})
        if len(self.param_groups) != 1:
            raise ValueError(f"expected one group, got {len(self.param_groups)}")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    @torch.no_grad()
    def step(  # pyright: ignore[reportIncompatibleMethodOverride] - returns the loss
        self, closure: Callable[[], Any]
    ) -> Any:  # noqa: ANN401 - what the closure returned
        """Take up to `max_iter` steps.

        Args:
            closure: Computes the gradients anew and returns the loss.

        Returns:
            What the closure returned at the start.
        """
        run = _Run(self._params, self.param_groups[0], torch.enable_grad()(closure))
        return run.descend(self.state[self._params[0]])


class _Run:
    """One call of `step`: the loss as a function of one long vector."""

    def __init__(
        self, params: list[Tensor], group: dict[str, Any], closure: Callable[[], Any]
    ) -> None:
        """Know what to evaluate."""
        self.params = [torch.view_as_real(p) if p.is_complex() else p for p in params]
        self.given, self.group, self.closure = params, group, closure
        self.evaluations = 0

    def descend(self, state: dict[str, Any]) -> Any:  # noqa: ANN401 - a loss
        """Iterate; what the next call needs is kept in `state`, under torch's names."""
        tolerance = self.group["tolerance_change"]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        loss = self.closure()
        f, g, self.evaluations = float(loss), self._gradient(), 1
        for left in reversed(range(self.group["max_iter"])):
            if g.abs().max() <= self.group["tolerance_grad"]:
                break
            t = self._turn(g, state)
            state["prev_flat_grad"], state["prev_loss"] = g, f
            d = state["d"]
            if (slope := g.dot(d)) > -tolerance:
                break
            origin = Point(0.0, f, g, slope.item())
            t, f, g = self._advance(t, d, origin, last=left == 0)
            state["t"] = t
            still = (t * d).abs().max() <= tolerance or abs(f - origin.f) < tolerance
            if still or self.evaluations >= self.group["max_eval"]:
                break
        state["func_evals"] += self.evaluations
        return loss

    def _turn(self, g: Float[Tensor, " n"], state: dict[str, Any]) -> int | float:
        """Set the new direction, from what the last step showed; return its step."""
        state["n_iter"] += 1
        lr = number(self.group["lr"])
        if state["n_iter"] == 1:
            state.update(d=-g, old_stps=[], old_dirs=[], ro=[], H_diag=1)
            return min(1.0, 1.0 / g.abs().sum().item()) * lr
        y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
        memory = state["old_stps"], state["old_dirs"], state["ro"]
        if (ys := y.dot(s)) > 1e-10:  # else the curvature says nothing
            for kept, new in zip(memory, (s, y, 1 / ys), strict=True):
                kept.append(new)
                del kept[: -self.group["history_size"]]
            state["H_diag"] = ys / y.dot(y)
        state["d"] = two_loop_direction(g, memory[0], memory[1], state["H_diag"])
        return lr

    def _advance(
        self, t: int | float, d: Float[Tensor, " n"], origin: Point, *, last: bool
    ) -> tuple[int | float, float, Float[Tensor, " n"]]:
        """Move along `d`; return how far, and loss and gradient there."""
        theta = [p.clone() for p in self.params]

        def move(t: int | float) -> None:
            start = 0
            for p, before in zip(self.params, theta, strict=True):
                end = start + p.numel()
                p.copy_(before).add_(d[start:end].view_as(p), alpha=t)
                start = end

        def evaluate(t: int | float) -> Point:
            move(t)
            f, g = float(self.closure()), self._gradient()
            self.evaluations += 1
            return Point(t, f, g, g.dot(d).item())

        if self.group["line_search_fn"]:
            tolerance = self.group["tolerance_change"] / d.abs().max().item()
            most = self.group["max_eval"] - self.evaluations
            end = search_strong_wolfe(
                evaluate, origin, t, tolerance=tolerance, searches=most
            )
            move(end.t)
        elif last:  # what it led to is seen by the next call
            move(t)
            return t, origin.f, origin.g
        else:
            end = evaluate(t)
        return end.t, end.f, end.g

    def _gradient(self) -> Float[Tensor, " n"]:
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.given]
        real = [torch.view_as_real(g) if g.is_complex() else g for g in parts]
        return torch.cat([g.flatten() for g in real])


def _check_whole(name: str, value: object) -> None:
    """Refuse what is no whole number."""
    if not isinstance(value, Integral):
        raise TypeError(f"expected a whole number for {name}, got {value!r}")

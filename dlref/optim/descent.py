r"""Gradient descent on the whole loss, with a line search if wanted.

$$\theta_t = \theta_{t-1} - \eta_t\,g_t$$

With a line search, $\eta_t$ is the first of $\eta, \eta/2, \eta/4, \dots$ that lowers
the loss by a share $c$ of what the slope promises:
$f(\theta - \eta_t g) \le f(\theta) - c\,\eta_t \lVert g \rVert^2$.

References:
    Cauchy (1847), Méthode générale pour la résolution des systèmes d'équations
    simultanées; Armijo (1966), Minimization of functions having Lipschitz continuous
    first partial derivatives, Pacific Journal of Mathematics 16, 1-3.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer

from dlref.optim._base import Parameters, check_number, number

__all__ = ["GradientDescent", "backtrack"]


def backtrack(
    loss_at: Callable[[int | float], int | float],
    loss: int | float,
    slope: int | float,
    *,
    lr: int | float = 1.0,
    c: int | float = 1e-4,
    halvings: int = 50,
) -> float:
    r"""Halve a step until it lowers the loss enough.

    Returns the first $\eta$ of `lr`, `lr` / 2, … with
    $\varphi(\eta) \le \varphi(0) + c\,\eta\,\varphi'(0)$ (Armijo).

    Args:
        loss_at: Loss $\varphi(\eta)$ after a step of size $\eta$.
        loss: Loss $\varphi(0)$ where the search starts.
        slope: Slope $\varphi'(0)$ there, negative.
        lr: Step $\eta$ that is tried first.
        c: Share of the promised decrease that is asked for.
        halvings: After so many halvings the search gives up.

    Returns:
        The size of the step; 0 where no size was good enough.

    Raises:
        ValueError: If the slope is not negative.

    Examples:
        >>> backtrack(lambda step: (1 - 2 * step) ** 2, 1.0, -4.0, lr=2.0)
        0.5
    """
    if not slope < 0:
        raise ValueError(f"expected a direction that descends, got a slope of {slope}")
    step = float(lr)
    for _ in range(halvings + 1):
        if loss_at(step) <= loss + c * step * slope:
            return step
        step /= 2
    return 0.0


class GradientDescent(Optimizer):
    r"""Steps against the gradient of the whole loss.

    $$\theta_t = \theta_{t-1} - \eta_t\,g_t$$

    Without a line search this is [`SGD`][dlref.optim.SGD] without momentum: what makes
    the descent stochastic is the data that the loss was computed from.

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$; with a line search the one tried first.
        line_search: `"armijo"` to halve the rate until the loss falls enough; None to
            take it as it is.

    Raises:
        ValueError: If a number is out of its range, or no line search has that name.

    Examples:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = GradientDescent([w], lr=8.0, line_search="armijo")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = w.square().sum()
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure).item(), w.item()
        (1.0, 0.0)
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1e-3,
        *,
        line_search: str | None = None,
    ) -> None:
        """Check the options."""
        check_number("lr", lr)
        if line_search not in (None, "armijo"):
            raise ValueError(
                f"expected line_search 'armijo' or None, got {line_search}"
            )
        super().__init__(params, {"lr": lr, "line_search": line_search})

    @torch.no_grad()
    def step(  # pyright: ignore[reportIncompatibleMethodOverride] - returns the loss
        self, closure: Callable[[], Any] | None = None
    ) -> Any:  # noqa: ANN401 - what the closure returned
        """Take one step with all parameters that have a gradient.

        Args:
            closure: Computes the gradients anew and returns the loss; a line search
                calls it again at each step that it tries.

        Returns:
            What the closure returned at the start; None without one.

        Raises:
            TypeError: If there is a line search and no closure.
        """
        evaluate = torch.enable_grad()(closure) if closure is not None else None
        loss = evaluate() if evaluate is not None else None
        moving = [
            (p, p.clone(), p.grad.clone(), group)
            for group in self.param_groups
            for p in group["params"]
            if p.grad is not None
        ]

        def move(step: int | float) -> None:
            for p, theta, g, group in moving:
                p.copy_(theta).add_(g, alpha=-step * number(group["lr"]))

        if not any(group["line_search"] for _, _, _, group in moving):
            move(1.0)
            return loss
        if evaluate is None or loss is None:
            raise TypeError("expected a closure that computes the loss, got None")
        slope = -sum(
            number(group["lr"]) * g.square().sum().item() for _, _, g, group in moving
        )
        if slope == 0:
            return loss

        def loss_at(step: int | float) -> float:
            move(step)
            return float(evaluate())

        move(backtrack(loss_at, float(loss), slope))
        return loss

r"""Stochastic gradient descent, with momentum in its two forms.

$$v_t = \mu\,v_{t-1} + (1 - \tau)\,g_t \qquad \theta_t = \theta_{t-1} - \eta\,v_t$$

The velocity $v$ starts as the first gradient, and the rate $\eta$ stands outside of it.
The paper has it inside, $v_t = \mu v_{t-1} - \eta g_t$: the same path while $\eta$ is
constant, another one where a schedule changes it.

References:
    Sutskever, Martens, Dahl and Hinton (2013), On the importance of initialization and
    momentum in deep learning, ICML, section 2.
"""

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from dlref.optim._base import (
    Count,
    Group,
    Operand,
    Parameters,
    Rule,
    RuleOptimizer,
    State,
    check_number,
    number,
)
from dlref.optim._tensors import Number, Value

__all__ = ["SGD", "sgd_"]


def sgd_(
    theta: Value,
    g: Value,
    v: Value | None = None,
    t: int | float = 1,
    *,
    lr: int | float,
    momentum: Number = 0.0,
    dampening: int | float = 0.0,
    nesterov: bool = False,
) -> None:
    r"""Take a step of gradient descent, in place.

    $$v_1 = g_1 \qquad v_t = \mu\,v_{t-1} + (1 - \tau)\,g_t$$

    $$\theta_t = \theta_{t-1} - \eta\,v_t \qquad\text{or, after Nesterov,}\qquad
      \theta_t = \theta_{t-1} - \eta\,(g_t + \mu\,v_t)$$

    Args:
        theta: Parameters $\theta$, changed.
        g: Gradient.
        v: Velocity, changed; None for plain descent, $\theta - \eta g$.
        t: Number of this step, from 1: at the first, what `v` holds is overwritten.
        lr: Learning rate $\eta$.
        momentum: What $\mu$ of the velocity is kept.
        dampening: What $\tau$ of a new gradient is left out of it.
        nesterov: Whether to look ahead.
    """
    if v is not None:
        if t == 1:
            v.copy_(g)
        else:
            v.mul_(momentum).add_(g, alpha=1 - dampening)
        g = g.add(v, alpha=number(momentum)) if nesterov else v
    theta.add_(g, alpha=-lr)


class SGD(RuleOptimizer):
    r"""[`sgd_`][dlref.optim.sgd_] on each parameter; as `torch.optim.SGD`.

    $$v_t = \mu\,v_{t-1} + (1 - \tau)\,g_t \qquad \theta_t = \theta_{t-1} - \eta\,v_t$$

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$.
        momentum: What $\mu$ of the velocity is kept.
        dampening: What $\tau$ of a new gradient is left out of the velocity.
        weight_decay: Weight $\lambda$ of an L2 penalty: $\lambda \theta$ is added to
            the gradient.
        nesterov: Whether to look ahead.
        maximize: Whether to climb.
        foreach: Whether the parameters of a group move together; None does where all
            are on a GPU.
        differentiable: As torch's; only False.
        fused: As torch's; only None or False.

    Raises:
        ValueError: If a number is out of its range, or `nesterov` has no momentum or a
            dampening.

    Examples:
        >>> w = torch.nn.Parameter(torch.tensor([1.0]))
        >>> optimizer = SGD([w], lr=0.1)
        >>> w.square().sum().backward()
        >>> optimizer.step()
        >>> w.item()
        0.800000011920929
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1e-3,
        momentum: int | float = 0,
        dampening: int | float = 0,
        weight_decay: int | float | Float[Tensor, "..."] = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        """Check the options."""
        check_number("momentum", momentum)
        check_number("dampening", dampening, least=float("-inf"))
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "expected a momentum and no dampening with nesterov=True, "
                f"got {momentum=} {dampening=}"
            )
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return a velocity that the first step fills; nothing without momentum."""
        if group["momentum"] == 0:
            return {}
        return {"momentum_buffer": torch.empty_like(p), "fresh": True}

    def _count(self, states: list[State], group: Group) -> list[Count]:
        """Return 1 for the first step and 2 later: there is no more to know."""
        return [(1 if state.pop("fresh", False) else 2,) for state in states]

    def _rule(self, group: Group, operand: Operand) -> Rule:
        """Return `sgd_` with the options of the group."""
        lr, momentum = number(group["lr"]), group["momentum"]
        mu, tau, nesterov = operand(momentum), group["dampening"], group["nesterov"]

        def rule(theta: Value, g: Value, state: State, count: Count) -> None:
            v, t = (state["momentum_buffer"] if momentum else None), count[0]
            sgd_(theta, g, v, t, lr=lr, momentum=mu, dampening=tau, nesterov=nesterov)

        return rule

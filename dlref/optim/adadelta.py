"""AdaDelta: the step is measured by the steps before it, so that units agree.

References:
    Zeiler (2012), ADADELTA: an adaptive learning rate method, algorithm 1,
    [arXiv:1212.5701](https://arxiv.org/abs/1212.5701).
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

__all__ = ["Adadelta", "adadelta_"]


def adadelta_(
    theta: Value,
    g: Value,
    r: Value,
    u: Value,
    *,
    lr: int | float = 1.0,
    rho: int | float = 0.9,
    eps: Number = 1e-6,
) -> None:
    r"""Take a step of AdaDelta, in place.

    $$r_t = \rho\,r_{t-1} + (1 - \rho)\,g_t \odot g_t \qquad
      \Delta_t = \frac{\sqrt{u_{t-1} + \epsilon}}{\sqrt{r_t + \epsilon}} \odot g_t$$

    $$u_t = \rho\,u_{t-1} + (1 - \rho)\,\Delta_t \odot \Delta_t \qquad
      \theta_t = \theta_{t-1} - \eta\,\Delta_t$$

    Args:
        theta: Parameters $\theta$, changed.
        g: Gradient.
        r: Running mean of the squared gradients, changed.
        u: Running mean of the squared steps, changed.
        lr: Learning rate $\eta$; the paper has none, which is 1.
        rho: What $\rho$ of a mean is kept.
        eps: Small $\epsilon$, which also sets the size of the first steps.
    """
    r.mul_(rho).addcmul_(g, g, value=1 - rho)
    delta = u.add(eps).sqrt_().div_(r.add(eps).sqrt_()).mul_(g)
    u.mul_(rho).addcmul_(delta, delta, value=1 - rho)
    theta.add_(delta, alpha=-lr)


class Adadelta(RuleOptimizer):
    r"""[`adadelta_`][dlref.optim.adadelta_] on each parameter; `torch.optim`'s.

    $$\theta_t = \theta_{t-1} - \eta\,
      \frac{\sqrt{u_{t-1} + \epsilon}}{\sqrt{r_t + \epsilon}} \odot g_t$$

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$; the paper has none, which is 1.
        rho: What $\rho$ of a running mean is kept.
        eps: Small $\epsilon$, which also sets the size of the first steps.
        weight_decay: Weight $\lambda$ of an L2 penalty: $\lambda \theta$ is added to
            the gradient.
        foreach: Whether the parameters of a group move together; None does where all
            are on a GPU.
        capturable: As torch's; only False.
        maximize: Whether to climb.
        differentiable: As torch's; only False.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1.0,
        rho: int | float = 0.9,
        eps: int | float = 1e-6,
        weight_decay: int | float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        """Check the options."""
        check_number("rho", rho)
        if rho > 1:
            raise ValueError(f"expected rho in [0, 1], got {rho}")
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return two means of zero."""
        return {
            "step": torch.tensor(0.0, device="cpu"),
            "square_avg": torch.zeros_like(p),
            "acc_delta": torch.zeros_like(p),
        }

    def _rule(self, group: Group, operand: Operand) -> Rule:
        """Return `adadelta_` with the options of the group."""
        lr, rho, eps = number(group["lr"]), group["rho"], operand(group["eps"])

        def rule(theta: Value, g: Value, state: State, count: Count) -> None:
            r, u = state["square_avg"], state["acc_delta"]
            adadelta_(theta, g, r, u, lr=lr, rho=rho, eps=eps)

        return rule

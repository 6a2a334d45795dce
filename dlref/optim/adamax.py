"""Adamax: Adam with the largest gradient of late in place of the mean square.

References:
    Kingma and Ba (2014), Adam: a method for stochastic optimization, algorithm 2,
    [arXiv:1412.6980](https://arxiv.org/abs/1412.6980).
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
    check_betas,
    number,
)
from dlref.optim._tensors import Number, Value

__all__ = ["Adamax", "adamax_"]


def adamax_(
    theta: Value,
    g: Value,
    m: Value,
    u: Value,
    t: int | float,
    *,
    lr: int | float = 2e-3,
    betas: tuple[int | float, int | float] = (0.9, 0.999),
    eps: Number = 1e-8,
) -> None:
    r"""Take a step of Adamax, in place.

    $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,g_t \qquad
      u_t = \max(\beta_2 u_{t-1},\ |g_t| + \epsilon) \qquad
      \theta_t = \theta_{t-1} - \frac{\eta}{1 - \beta_1^t}\,\frac{m_t}{u_t}$$

    The paper has no $\epsilon$.

    Args:
        theta: Parameters $\theta$, changed.
        g: Gradient.
        m: Running mean of the gradients, changed.
        u: Largest gradient, fading, changed.
        t: Number of this step, from 1.
        lr: Learning rate $\eta$.
        betas: What $\beta_1$ and $\beta_2$ of `m` and `u` is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
    """
    beta1, beta2 = betas
    m.lerp_(g, 1 - beta1)
    u.mul_(beta2).clamp_(min=g.abs().add_(eps))
    theta.addcdiv_(m, u, value=-lr / (1 - beta1**t))


class Adamax(RuleOptimizer):
    r"""[`adamax_`][dlref.optim.adamax_] on each parameter; as `torch.optim.Adamax`.

    $$\theta_t = \theta_{t-1} - \frac{\eta}{1 - \beta_1^t}\,\frac{m_t}{u_t}$$

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$.
        betas: What $\beta_1$ and $\beta_2$ of the mean and the maximum is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
        weight_decay: Weight $\lambda$ of an L2 penalty: $\lambda \theta$ is added to
            the gradient.
        foreach: Whether the parameters of a group move together; None does where all
            are on a GPU.
        maximize: Whether to climb.
        differentiable: As torch's; only False.
        capturable: As torch's; only False.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 2e-3,
        betas: tuple[int | float, int | float] = (0.9, 0.999),
        eps: int | float = 1e-8,
        weight_decay: int | float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        """Check the options."""
        check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return a mean and a maximum of zero."""
        return {
            "step": torch.tensor(0.0, device="cpu"),
            "exp_avg": torch.zeros_like(p),
            "exp_inf": torch.zeros_like(p),
        }

    def _rule(self, group: Group, operand: Operand) -> Rule:
        """Return `adamax_` with the options of the group."""
        lr, betas, eps = number(group["lr"]), group["betas"], operand(group["eps"])

        def rule(theta: Value, g: Value, state: State, count: Count) -> None:
            m, u = state["exp_avg"], state["exp_inf"]
            adamax_(theta, g, m, u, *count, lr=lr, betas=betas, eps=eps)

        return rule

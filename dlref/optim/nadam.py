"""NAdam: Adam that looks ahead, with a momentum that warms up.

References:
    Dozat (2016), Incorporating Nesterov momentum into Adam, ICLR workshop, algorithm 2.
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
    check_number,
    number,
)
from dlref.optim._tensors import Number, Value, as_operand

__all__ = ["NAdam", "nadam_"]


def nadam_(
    theta: Value,
    g: Value,
    m: Value,
    v: Value,
    t: int | float,
    mu_product: int | float,
    *,
    lr: int | float = 2e-3,
    betas: tuple[int | float, int | float] = (0.9, 0.999),
    eps: Number = 1e-8,
    momentum_decay: int | float = 4e-3,
) -> None:
    r"""Take a step of NAdam, in place.

    $$\mu_t = \beta_1 \bigl(1 - \tfrac12\,0.96^{t\psi}\bigr) \qquad
      m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,g_t \qquad
      v_t = \beta_2 v_{t-1} + (1 - \beta_2)\,g_t \odot g_t$$

    $$\hat m_t = \frac{\mu_{t+1}\,m_t}{1 - \prod_{i=1}^{t+1} \mu_i}
      + \frac{(1 - \mu_t)\,g_t}{1 - \prod_{i=1}^{t} \mu_i} \qquad
      \theta_t = \theta_{t-1} - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$

    with $\hat v_t = v_t / (1 - \beta_2^t)$ as in Adam. The paper keeps $\mu_t$ of $m$,
    torch $\beta_1$, and so do we.

    Args:
        theta: Parameters $\theta$, changed.
        g: Gradient.
        m: Running mean of the gradients, changed.
        v: Running mean of the squared gradients, changed.
        t: Number of this step, from 1.
        mu_product: $\prod_{i=1}^{t} \mu_i$, this step's factor among them.
        lr: Learning rate $\eta$.
        betas: What $\beta_1$ and $\beta_2$ of the means is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
        momentum_decay: How fast, $\psi$, the momentum warms up.
    """
    beta1, beta2 = betas
    mu = _momentum(beta1, t, momentum_decay)
    mu_next = _momentum(beta1, t + 1, momentum_decay)
    m.lerp_(g, 1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    deviation = v.div(1 - beta2**t).sqrt_().add_(eps)
    theta.addcdiv_(g, deviation, value=-lr * (1 - mu) / (1 - mu_product))
    theta.addcdiv_(m, deviation, value=-lr * mu_next / (1 - mu_product * mu_next))


def _momentum(beta1: int | float, t: int | float, momentum_decay: int | float) -> float:
    return beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))


class NAdam(RuleOptimizer):
    r"""[`nadam_`][dlref.optim.nadam_] on each parameter; as `torch.optim.NAdam`.

    $$\theta_t = \theta_{t-1} - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$.
        betas: What $\beta_1$ and $\beta_2$ of the running means is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
        weight_decay: Weight $\lambda$ of an L2 penalty: $\lambda \theta$ is added to
            the gradient.
        momentum_decay: How fast, $\psi$, the momentum warms up.
        decoupled_weight_decay: Whether $\theta$ shrinks by $\eta \lambda \theta$ on its
            own, as in AdamW, and the gradient is left alone.
        foreach: Whether the parameters of a group move together; None does where all
            are on a GPU.
        maximize: Whether to climb.
        capturable: As torch's; only False.
        differentiable: As torch's; only False.

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
        momentum_decay: int | float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        """Check the options."""
        check_betas(betas)
        check_number("momentum_decay", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return means of zero."""
        return {
            "step": torch.tensor(0.0, device="cpu"),
            "mu_product": torch.tensor(1.0, device="cpu"),
            "exp_avg": torch.zeros_like(p),
            "exp_avg_sq": torch.zeros_like(p),
        }

    def _count(self, states: list[State], group: Group) -> list[Count]:
        """Return the number of this step, and the product of the momenta up to it."""
        beta1, psi = group["betas"][0], group["momentum_decay"]
        counts, momenta = list[Count](), dict[int | float, Number]()
        for state, (t,) in zip(states, super()._count(states, group), strict=True):
            product = state["mu_product"]
            if t not in momenta:
                momenta[t] = as_operand(_momentum(beta1, t, psi), product.dtype)
            counts.append((t, product.mul_(momenta[t]).item()))
        return counts

    def _rule(self, group: Group, operand: Operand) -> Rule:
        """Return `nadam_` with the options; decoupled decay shrinks before it."""
        lr, betas, eps = number(group["lr"]), group["betas"], operand(group["eps"])
        psi = group["momentum_decay"]
        decay = group["weight_decay"] if group["decoupled_weight_decay"] else 0
        shrink = operand(1 - lr * decay)

        def rule(theta: Value, g: Value, state: State, count: Count) -> None:
            if decay != 0:
                theta.mul_(shrink)
            m, v = state["exp_avg"], state["exp_avg_sq"]
            options = {"lr": lr, "betas": betas, "eps": eps, "momentum_decay": psi}
            nadam_(theta, g, m, v, *count, **options)

        return rule

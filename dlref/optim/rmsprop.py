"""RMSprop: AdaGrad that forgets.

References:
    Tieleman and Hinton (2012), Lecture 6.5: RMSprop, COURSERA: Neural Networks for
    Machine Learning; centred and with momentum: Graves (2013), equations 38 to 41,
    [arXiv:1308.0850](https://arxiv.org/abs/1308.0850).
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

__all__ = ["RMSprop", "rmsprop_"]


def rmsprop_(
    theta: Value,
    g: Value,
    r: Value,
    m: Value | None = None,
    v: Value | None = None,
    *,
    lr: int | float,
    alpha: int | float = 0.99,
    eps: Number = 1e-8,
    momentum: Number = 0.0,
) -> None:
    r"""Take a step of RMSprop, in place.

    $$r_t = \alpha\,r_{t-1} + (1 - \alpha)\,g_t \odot g_t \qquad
      \theta_t = \theta_{t-1} - \frac{\eta}{\sqrt{r_t} + \epsilon} \odot g_t$$

    Centred, the mean $m_t = \alpha\,m_{t-1} + (1 - \alpha)\,g_t$ is taken out, and
    $\sqrt{r_t - m_t \odot m_t}$ stands below the fraction; with momentum,
    $v_t = \mu\,v_{t-1} + g_t / (\sqrt{r_t} + \epsilon)$ and
    $\theta_t = \theta_{t-1} - \eta\,v_t$. Graves has $\epsilon$ within the root.

    Args:
        theta: Parameters $\theta$, changed.
        g: Gradient.
        r: Running mean of the squared gradients, changed.
        m: Running mean of the gradients, changed; None for the uncentred rule.
        v: Velocity, changed; None without momentum.
        lr: Learning rate $\eta$.
        alpha: What $\alpha$ of a mean is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
        momentum: What $\mu$ of the velocity is kept.
    """
    r.mul_(alpha).addcmul_(g, g, value=1 - alpha)
    if m is None:
        rms = r.sqrt().add_(eps)
    else:
        m.lerp_(g, 1 - alpha)
        rms = r.addcmul(m, m, value=-1).sqrt_().add_(eps)
    if v is None:
        theta.addcdiv_(g, rms, value=-lr)
    else:
        v.mul_(momentum).addcdiv_(g, rms)
        theta.add_(v, alpha=-lr)


class RMSprop(RuleOptimizer):
    r"""[`rmsprop_`][dlref.optim.rmsprop_] on each parameter; as `torch.optim.RMSprop`.

    $$r_t = \alpha\,r_{t-1} + (1 - \alpha)\,g_t \odot g_t \qquad
      \theta_t = \theta_{t-1} - \frac{\eta}{\sqrt{r_t} + \epsilon} \odot g_t$$

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$.
        alpha: What $\alpha$ of a running mean is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
        weight_decay: Weight $\lambda$ of an L2 penalty: $\lambda \theta$ is added to
            the gradient.
        momentum: What $\mu$ of a velocity is kept; 0 for none.
        centered: Whether the variance of the gradients stands below the fraction, and
            not their mean square.
        capturable: As torch's; only False.
        foreach: Whether the parameters of a group move together; None does where all
            are on a GPU.
        maximize: Whether to climb.
        differentiable: As torch's; only False.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1e-2,
        alpha: int | float = 0.99,
        eps: int | float = 1e-8,
        weight_decay: int | float = 0,
        momentum: int | float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        """Check the options."""
        check_number("alpha", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return means of zero, as many as the options ask for."""
        state = {
            "step": torch.tensor(0.0, device="cpu"),
            "square_avg": torch.zeros_like(p),
        }
        if group["momentum"] > 0:
            state["momentum_buffer"] = torch.zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = torch.zeros_like(p)
        return state

    def _rule(self, group: Group, operand: Operand) -> Rule:
        """Return `rmsprop_` with the options of the group."""
        lr, alpha, eps = number(group["lr"]), group["alpha"], operand(group["eps"])
        momentum, centered = group["momentum"], group["centered"]
        mu = operand(momentum)

        def rule(theta: Value, g: Value, state: State, count: Count) -> None:
            m = state["grad_avg"] if centered else None
            v = state["momentum_buffer"] if momentum > 0 else None
            r = state["square_avg"]
            rmsprop_(theta, g, r, m, v, lr=lr, alpha=alpha, eps=eps, momentum=mu)

        return rule

"""Adam, with AMSGrad and with AdamW's decay: a running mean over a running deviation.

References:
    Kingma and Ba (2014), Adam: a method for stochastic optimization, algorithm 1,
    [arXiv:1412.6980](https://arxiv.org/abs/1412.6980); Reddi, Kale and Kumar (2018), On
    the convergence of Adam and beyond, algorithm 2,
    [arXiv:1904.09237](https://arxiv.org/abs/1904.09237); Loshchilov and Hutter (2017),
    Decoupled weight decay regularization, algorithm 2,
    [arXiv:1711.05101](https://arxiv.org/abs/1711.05101).
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

__all__ = ["Adam", "AdamW", "adam_"]


def adam_(
    theta: Value,
    g: Value,
    m: Value,
    v: Value,
    t: int | float,
    v_max: Value | None = None,
    *,
    lr: int | float = 1e-3,
    betas: tuple[int | float, int | float] = (0.9, 0.999),
    eps: Number = 1e-8,
) -> None:
    r"""Take a step of Adam, in place.

    $$m_t = \beta_1 m_{t-1} + (1 - \beta_1)\,g_t \qquad
      v_t = \beta_2 v_{t-1} + (1 - \beta_2)\,g_t \odot g_t$$

    $$\hat m_t = \frac{m_t}{1 - \beta_1^t} \qquad \hat v_t = \frac{v_t}{1 - \beta_2^t}$$

    $$\theta_t = \theta_{t-1} - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$

    AMSGrad puts the largest $v$ so far in place of $v_t$ (the paper leaves out the
    corrections, which torch keeps).

    Args:
        theta: Parameters $\theta$, changed.
        g: Gradient.
        m: Running mean of the gradients, changed.
        v: Running mean of the squared gradients, changed.
        t: Number of this step, from 1.
        v_max: Largest `v` so far, changed, for AMSGrad; None for Adam.
        lr: Learning rate $\eta$.
        betas: What $\beta_1$ and $\beta_2$ of the means is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
    """
    beta1, beta2 = betas
    m.lerp_(g, 1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    if v_max is not None:
        v = v_max.clamp_(min=v)
    deviation = v.sqrt().div_((1 - beta2**t) ** 0.5).add_(eps)
    theta.addcdiv_(m, deviation, value=-lr / (1 - beta1**t))


class Adam(RuleOptimizer):
    r"""[`adam_`][dlref.optim.adam_] on each parameter; as `torch.optim.Adam`.

    $$\theta_t = \theta_{t-1} - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$.
        betas: What $\beta_1$ and $\beta_2$ of the running means is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
        weight_decay: Weight $\lambda$ of an L2 penalty: $\lambda \theta$ is added to
            the gradient.
        amsgrad: Whether the largest $v$ so far stands in place of $v_t$.
        foreach: Whether the parameters of a group move together; None does where all
            are on a GPU.
        maximize: Whether to climb.
        capturable: As torch's; only False.
        differentiable: As torch's; only False.
        fused: As torch's; only None or False.
        decoupled_weight_decay: Whether $\theta$ shrinks by $\eta \lambda \theta$ on its
            own, as in AdamW, and the gradient is left alone.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1e-3,
        betas: tuple[
            int | float | Float[Tensor, "..."], int | float | Float[Tensor, "..."]
        ] = (
            0.9,
            0.999,
        ),
        eps: int | float = 1e-8,
        weight_decay: int | float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        """Check the options."""
        check_betas(betas)
        defaults = {
            "lr": lr,
            "betas": tuple(number(beta) for beta in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return means of zero."""
        state = {
            "step": torch.tensor(0.0, device="cpu"),
            "exp_avg": torch.zeros_like(p),
            "exp_avg_sq": torch.zeros_like(p),
        }
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = torch.zeros_like(p)
        return state

    def _rule(self, group: Group, operand: Operand) -> Rule:
        """Return `adam_` with the options; decoupled decay shrinks before it."""
        lr, betas, eps = number(group["lr"]), group["betas"], operand(group["eps"])
        decay = group["weight_decay"] if group["decoupled_weight_decay"] else 0
        shrink = operand(1 - lr * decay)
        amsgrad = group["amsgrad"]

        def rule(theta: Value, g: Value, state: State, count: Count) -> None:
            if decay != 0:
                theta.mul_(shrink)
            m, v = state["exp_avg"], state["exp_avg_sq"]
            v_max = state["max_exp_avg_sq"] if amsgrad else None
            adam_(theta, g, m, v, count[0], v_max, lr=lr, betas=betas, eps=eps)

        return rule


class AdamW(Adam):
    r"""Adam whose weights decay on their own; as `torch.optim.AdamW`.

    $$\theta_t = (1 - \eta \lambda)\,\theta_{t-1}
      - \eta\,\frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}$$

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$.
        betas: What $\beta_1$ and $\beta_2$ of the running means is kept.
        eps: Small $\epsilon$ that keeps the ratio finite.
        weight_decay: Rate $\lambda$ of the decay. The paper's schedule multiplier
            covers the decay as well; here, as in torch, it is $\eta$ that does.
        amsgrad: Whether the largest $v$ so far stands in place of $v_t$.
        maximize: Whether to climb.
        foreach: Whether the parameters of a group move together; None does where all
            are on a GPU.
        capturable: As torch's; only False.
        differentiable: As torch's; only False.
        fused: As torch's; only None or False.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1e-3,
        betas: tuple[
            int | float | Float[Tensor, "..."], int | float | Float[Tensor, "..."]
        ] = (
            0.9,
            0.999,
        ),
        eps: int | float = 1e-8,
        weight_decay: int | float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        """Check the options."""
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

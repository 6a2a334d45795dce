"""AdaGrad: each parameter has a rate of its own, which falls with the gradients seen.

References:
    Duchi, Hazan and Singer (2011), Adaptive subgradient methods for online learning and
    stochastic optimization, JMLR 12, 2121-2159; Goodfellow, Bengio and Courville
    (2016), Deep Learning, algorithm 8.4.
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

__all__ = ["Adagrad", "adagrad_"]


def adagrad_(
    theta: Value,
    g: Value,
    r: Value,
    t: int | float = 1,
    *,
    lr: int | float,
    lr_decay: int | float = 0.0,
    eps: Number = 1e-10,
) -> None:
    r"""Take a step of AdaGrad, in place.

    $$r_t = r_{t-1} + g_t \odot g_t \qquad
      \theta_t = \theta_{t-1} - \frac{\eta_t}{\sqrt{r_t} + \epsilon} \odot g_t \qquad
      \eta_t = \frac{\eta}{1 + (t - 1)\,d}$$

    Args:
        theta: Parameters $\theta$, changed.
        g: Gradient.
        r: Sum of the squares of all gradients, changed.
        t: Number of this step, from 1.
        lr: Learning rate $\eta$.
        lr_decay: What $d$ makes the rate fall besides; the paper has none.
        eps: Small $\epsilon$ that keeps the ratio finite; the book has 1e-7.
    """
    r.addcmul_(g, g)
    eta = lr / (1 + (t - 1) * lr_decay)
    theta.addcdiv_(g, r.sqrt().add_(eps), value=-eta)


class Adagrad(RuleOptimizer):
    r"""[`adagrad_`][dlref.optim.adagrad_] on each parameter; as `torch.optim.Adagrad`.

    $$r_t = r_{t-1} + g_t \odot g_t \qquad
      \theta_t = \theta_{t-1} - \frac{\eta_t}{\sqrt{r_t} + \epsilon} \odot g_t$$

    Args:
        params: Parameters, or groups of them.
        lr: Learning rate $\eta$.
        lr_decay: What makes the rate fall besides, $\eta / (1 + (t - 1)\,d)$.
        weight_decay: Weight $\lambda$ of an L2 penalty: $\lambda \theta$ is added to
            the gradient.
        initial_accumulator_value: What $r_0$ is.
        eps: Small $\epsilon$ that keeps the ratio finite.
        foreach: Whether the parameters of a group move together; None does where all
            are on a GPU.
        maximize: Whether to climb.
        differentiable: As torch's; only False.
        fused: As torch's; only None or False.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1e-2,
        lr_decay: int | float = 0,
        weight_decay: int | float = 0,
        initial_accumulator_value: int | float = 0,
        eps: int | float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        """Check the options, and start the sums: torch has them from the beginning."""
        check_number("initial_accumulator_value", initial_accumulator_value)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = self._start(p, group)

    def _start(self, p: Inexact[Tensor, "..."], group: Group) -> State:
        """Return a sum that holds its initial value."""
        first = group["initial_accumulator_value"]
        if p.is_complex():
            first = complex(first, first)
        return {
            "step": torch.tensor(0.0, device="cpu"),
            "sum": torch.full_like(p, first),
        }

    def _rule(self, group: Group, operand: Operand) -> Rule:
        """Return `adagrad_` with the options of the group."""
        lr, lr_decay = number(group["lr"]), group["lr_decay"]
        eps = operand(group["eps"])

        def rule(theta: Value, g: Value, state: State, count: Count) -> None:
            r = state["sum"]
            adagrad_(theta, g, r, *count, lr=lr, lr_decay=lr_decay, eps=eps)

        return rule

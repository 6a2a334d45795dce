"""Schedules that turn an optimizer's rate, under the names of torch.optim.lr_scheduler.

Each computes its rate from the time alone, where torch multiplies the last rate: the
values agree within rounding. What another scheduler did to the rate is overwritten.
"""

from math import floor
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from dlref.schedules import curves
from dlref.schedules._checks import check_numbers

__all__ = [
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LinearLR",
    "StepLR",
]


class _Closed(LRScheduler):
    """A schedule whose rate is a function of the time."""

    def __init__(self, optimizer: Optimizer, last_epoch: int) -> None:
        """Take the first step, to time 0."""
        _check_optimizer(optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """Return the rate of each group now."""
        return [self._rate(float(base)) for base in self.base_lrs]

    def _rate(self, base: float) -> float:
        raise NotImplementedError


class StepLR(_Closed):
    r"""A rate that falls by a factor every `step_size` steps.

    Args:
        optimizer: Optimizer whose groups' rates are set.
        step_size: Length of a stair.
        gamma: Factor from stair to stair.
        last_epoch: Time to go on from; -1 to begin.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        step_size: int,
        gamma: int | float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        """Check the options, and set the rate of time 0."""
        curves.step_decay(0, step_size, gamma)
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _rate(self, base: float) -> float:
        return base * curves.step_decay(self.last_epoch, self.step_size, self.gamma)


class ExponentialLR(_Closed):
    r"""A rate that falls by a factor every step.

    Args:
        optimizer: Optimizer whose groups' rates are set.
        gamma: Factor from step to step.
        last_epoch: Time to go on from; -1 to begin.
    """

    def __init__(
        self, optimizer: Optimizer, gamma: int | float, last_epoch: int = -1
    ) -> None:
        """Set the rate of time 0."""
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _rate(self, base: float) -> float:
        return base * curves.exponential_decay(self.last_epoch, self.gamma)


class LinearLR(_Closed):
    r"""A rate that warms up along a straight line.

    Args:
        optimizer: Optimizer whose groups' rates are set.
        start_factor: Share of the rate at time 0.
        end_factor: Share of the rate from `total_iters` on.
        total_iters: How long it takes.
        last_epoch: Time to go on from; -1 to begin.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: int | float = 1.0 / 3,
        end_factor: int | float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        """Check the options, and set the rate of time 0."""
        curves.linear_warmup(0, total_iters, start_factor, end_factor)
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _rate(self, base: float) -> float:
        ends = self.start_factor, self.end_factor
        return base * curves.linear_warmup(self.last_epoch, self.total_iters, *ends)


class CosineAnnealingLR(_Closed):
    r"""A rate that falls along half a cosine wave, and climbs after it.

    Args:
        optimizer: Optimizer whose groups' rates are set.
        T_max: When the least rate is reached.
        eta_min: The least rate.
        last_epoch: Time to go on from; -1 to begin.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: int | float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        """Check the options, and set the rate of time 0."""
        curves.cosine_decay(0, T_max)
        check_numbers(eta_min=eta_min)
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _rate(self, base: float) -> float:
        factor = curves.cosine_decay(self.last_epoch, self.T_max)
        return self.eta_min + (base - self.eta_min) * factor


class CosineAnnealingWarmRestarts(_Closed):
    r"""A rate that falls along half a cosine wave, and starts anew, again and again.

    Args:
        optimizer: Optimizer whose groups' rates are set.
        T_0: Length of the first cycle.
        T_mult: How many times as long each next cycle is.
        eta_min: The least rate.
        last_epoch: Time to go on from; -1 to begin.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: int | float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        """Check the options, and set the rate of time 0."""
        check_numbers(eta_min=eta_min)
        self.T_cur, self.T_i = curves.locate_restart(0, T_0, T_mult)
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self._time: int | float = last_epoch
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: int | float | None = None) -> None:
        """Go on by one, or to a time that may be a fraction, as between two batches.

        Args:
            epoch: The time; None for one more than the last.
        """
        self._time = self._time + 1 if epoch is None else epoch
        self.T_cur, self.T_i = curves.locate_restart(self._time, self.T_0, self.T_mult)
        self.last_epoch = floor(self._time)
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            _set_rate(group, rate)
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _rate(self, base: float) -> float:
        factor = curves.cosine_decay(self.T_cur, self.T_i)
        return self.eta_min + (base - self.eta_min) * factor


def _set_rate(group: dict[str, Any], rate: float) -> None:
    """Set the rate of a group; one that is a tensor stays that tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def _check_optimizer(optimizer: object) -> None:
    """Refuse what is no optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"expected an Optimizer, got {type(optimizer).__name__}")

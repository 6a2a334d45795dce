"""One cycle: the rate climbs to a peak and falls far below its start.

The momentum mirrors it.

References:
    Smith and Topin (2017), Super-convergence: very fast training of neural networks
    using large learning rates, [arXiv:1708.07120](https://arxiv.org/abs/1708.07120).
    Two pieces and cosines, as here by default, are fast.ai's; the paper has three
    straight pieces (`three_phase=True`, `anneal_strategy="linear"`).
"""

from numbers import Integral
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from dlref.schedules._checks import check_numbers
from dlref.schedules.curves import interpolate

__all__ = ["OneCycleLR"]


class OneCycleLR(LRScheduler):
    r"""One cycle of rate and momentum; as `torch.optim.lr_scheduler.OneCycleLR`.

    Args:
        optimizer: Optimizer whose groups' rates, and momenta, are set.
        max_lr: Rate at the peak, one number or one for each group.
        total_steps: Steps of the cycle.
        epochs: Epochs of the cycle, with `steps_per_epoch` in place of `total_steps`.
        steps_per_epoch: Steps of an epoch.
        pct_start: Share of the cycle that climbs: a fraction, not percent.
        anneal_strategy: `"cos"` or `"linear"`.
        cycle_momentum: Whether the momentum (of Adam: $\beta_1$) mirrors the rate.
        base_momentum: Momentum at the peak, one number or one for each group.
        max_momentum: Momentum at the ends, one number or one for each group.
        div_factor: How many times the peak is the first rate.
        final_div_factor: How many times the first rate is the last.
        three_phase: Whether the rate falls to where it began before it falls further.
        last_epoch: Time to go on from; -1 to begin.

    Raises:
        TypeError: If there is no optimizer.
        ValueError: If the length is not given in one of the two ways, a number is out
            of its range, or the optimizer has no momentum to cycle.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: int | float | list[Any],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: int | float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: int | float | list[Any] = 0.85,
        max_momentum: int | float | list[Any] = 0.95,
        div_factor: int | float = 25.0,
        final_div_factor: int | float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        """Check the options, and set rate and momentum of time 0."""
        if not isinstance(optimizer, Optimizer):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"expected an Optimizer, got {type(optimizer).__name__}")
        total_steps = _count_steps(total_steps, epochs, steps_per_epoch)
        _check_shares(pct_start, div_factor, final_div_factor)
        kinds = ("momentum", "betas")
        if cycle_momentum and not any(kind in optimizer.defaults for kind in kinds):
            raise ValueError(
                "expected an optimizer with momentum or betas, or "
                f"cycle_momentum=False, got {type(optimizer).__name__}"
            )
        interpolate(0, [0, 1], [0, 1], shape=anneal_strategy)
        self.total_steps, self.cycle_momentum = total_steps, cycle_momentum
        self.shape, self.three_phase = anneal_strategy, three_phase
        peak = pct_start * total_steps - 1
        middle = [2 * peak] if three_phase else []
        self.times = [0, peak, *middle, total_steps - 1]
        groups = optimizer.param_groups
        rows = zip(
            groups,
            _spread("max_lr", max_lr, groups),
            _spread("max_momentum", max_momentum, groups),
            _spread("base_momentum", base_momentum, groups),
            strict=True,
        )
        for group, rate, most, least in rows if last_epoch == -1 else ():
            group["initial_lr"], group["max_lr"] = rate / div_factor, rate
            group["min_lr"] = group["initial_lr"] / final_div_factor
            if cycle_momentum:
                group["max_momentum"], group["base_momentum"] = most, least
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        """Return the rate of each group now, and set the momenta.

        Returns:
            The rates.

        Raises:
            ValueError: If the cycle is over.
        """
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"expected {self.total_steps} steps at most, got {self.last_epoch}"
            )
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            most, least = group["max_momentum"], group["base_momentum"]
            ends = [most, most] if self.three_phase else [most]
            momentum = self._at([most, least, *ends])
            if "betas" in self.optimizer.defaults:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum
        return [self._rate(group) for group in self.optimizer.param_groups]

    def _rate(self, group: dict[str, Any]) -> float:
        start, peak, end = (group[k] for k in ("initial_lr", "max_lr", "min_lr"))
        middle = [start] if self.three_phase else []
        return self._at([start, peak, *middle, end])

    def _at(self, values: list[float]) -> float:
        return interpolate(self.last_epoch, self.times, values, shape=self.shape)


def _count_steps(
    total_steps: int | None, epochs: int | None, steps_per_epoch: int | None
) -> int:
    """Return the length of the cycle, given in one of two ways."""
    given = total_steps
    if given is None and epochs is not None and steps_per_epoch is not None:
        given = epochs * steps_per_epoch
    if not isinstance(given, Integral) or given < 1:
        raise ValueError(
            "expected a positive whole total_steps, or epochs and steps_per_epoch, "
            f"got {total_steps=} {epochs=} {steps_per_epoch=}"
        )
    return int(given)


def _check_shares(
    pct_start: int | float, div_factor: int | float, final_div_factor: int | float
) -> None:
    """Refuse what makes no cycle."""
    check_numbers(pct_start=pct_start)
    check_numbers(div_factor=div_factor, final_div_factor=final_div_factor)
    if not 0 <= pct_start <= 1:
        raise ValueError(f"expected pct_start in [0, 1], got {pct_start}")
    if div_factor <= 0 or final_div_factor <= 0:
        raise ValueError(
            "expected positive div_factor and final_div_factor, "
            f"got {div_factor=} {final_div_factor=}"
        )


def _spread(name: str, value: Any, groups: list[Any]) -> list[Any]:  # noqa: ANN401
    """Return one value for each group."""
    values: list[Any] = [value] * len(groups)
    if isinstance(value, list | tuple):
        values = [*value]  # pyright: ignore[reportUnknownVariableType]
    if len(values) != len(groups):
        raise ValueError(
            f"expected one {name} for each of {len(groups)} groups, got {len(values)}"
        )
    for each in values:
        check_numbers(**{name: each})
    return values

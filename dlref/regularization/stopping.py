"""Early stopping: keep the weights that did best on the validation set."""

import copy
import math
from typing import Any, Literal, SupportsFloat

from torch import nn

__all__ = ["EarlyStopping"]


class EarlyStopping:
    r"""Watch a validation metric; when it stops improving, go back to the best weights.

    A value $v_t$ is better if it beats the best one so far by more than `min_delta`:

    $$v_t < v_{\text{best}} - \delta$$

    (for `mode="max"`: $v_t > v_{\text{best}} + \delta$.) Whenever it is, the model's
    weights are copied; after `patience` values in a row that are not,
    [`step`][dlref.regularization.EarlyStopping.step] puts that copy back and says stop.

    The values must come from a *validation* set. A model chosen by its test error has
    been fitted to the test set.

    Args:
        patience: Values without improvement, in a row, until the stop.
        min_delta: $\delta$, what an improvement must exceed, in units of the metric.
        mode: `"min"` where less is better (a loss), `"max"` where more is (accuracy).

    Attributes:
        best: The best value so far; at first infinitely bad.
        best_step: Which call of `step` brought it, counted from 0; at first None.
        num_steps: Calls of `step` so far.
        num_bad: Calls since the best value.

    Raises:
        ValueError: If `patience` is not positive, `min_delta` negative or NaN, or
            `mode` neither.

    Examples:
        >>> model = nn.Linear(1, 1)
        >>> stopping = EarlyStopping(patience=2)
        >>> for epoch, loss in enumerate([0.9, 0.5, 0.6, 0.7, 0.4]):
        ...     _ = nn.init.constant_(model.bias, epoch)  # stands for training
        ...     if stopping.step(loss, model):
        ...         break
        >>> epoch, stopping.best_step, model.bias.item()
        (3, 1, 1.0)

    References:
        Goodfellow, Bengio and Courville (2016),
        [Deep Learning](https://www.deeplearningbook.org/), section 7.8, algorithm 7.1.
    """

    def __init__(
        self,
        patience: int = 10,
        min_delta: int | float = 0.0,
        mode: Literal["min", "max"] = "min",
    ) -> None:
        """Start without a best value."""
        if patience < 1 or not min_delta >= 0:
            raise ValueError(
                "expected patience of 1 or more and min_delta of 0 or more, "
                f"got {patience=} {min_delta=}"
            )
        if mode not in ("min", "max"):
            raise ValueError(f"expected mode to be 'min' or 'max', got {mode!r}")
        self.patience, self.min_delta, self.mode = patience, min_delta, mode
        self.best = math.inf if mode == "min" else -math.inf
        self.best_step: int | None = None
        self.num_steps = 0
        self.num_bad = 0
        self._weights: dict[str, Any] | None = None

    def step(self, value: SupportsFloat, model: nn.Module) -> bool:
        """Take the next value of the metric, and the weights that led to it.

        Args:
            value: The metric on the validation set. NaN is never better.
            model: The model that was measured. Its state dict (parameters and buffers)
                is copied if the value is the best so far, and put back when it is time
                to stop.

        Returns:
            Whether to stop.
        """
        v = float(value)
        sign = 1 if self.mode == "min" else -1
        if sign * v < sign * self.best - self.min_delta:
            self.best, self.best_step, self.num_bad = v, self.num_steps, 0
            self._weights = copy.deepcopy(model.state_dict())
        else:
            self.num_bad += 1
        self.num_steps += 1
        stop = self.num_bad >= self.patience
        if stop and self._weights is not None:
            self.restore(model)
        return stop

    def restore(self, model: nn.Module) -> None:
        """Put the best weights back; for a training that ended before the stop.

        Args:
            model: The model, or one of the same architecture.

        Raises:
            ValueError: If there is no best value yet.
        """
        if self._weights is None:
            raise ValueError(
                f"expected a best value to go back to, got {self.num_steps} values "
                "and none better than infinitely bad"
            )
        model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """Return all that a checkpoint needs to go on, the best weights included.

        Returns:
            Names and values, for
            [`load_state_dict`][dlref.regularization.EarlyStopping.load_state_dict].
        """
        return dict(vars(self))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Args:
            state_dict: What `state_dict` returned.

        Raises:
            ValueError: If its names are others.
        """
        if state_dict.keys() != vars(self).keys():
            expected, got = sorted(vars(self)), sorted(state_dict)
            raise ValueError(f"expected the names {expected}, got {got}")
        vars(self).update(copy.deepcopy(state_dict))

"""Learning-rate schedules: curves, and the schedulers that follow them.

A curve (`curves`) is a function of time; a scheduler (`schedulers`, `one_cycle`) sets
an optimizer's rate by it, with the names and options of `torch.optim.lr_scheduler`.
"""

from dlref.schedules.curves import (
    cosine_decay,
    exponential_decay,
    interpolate,
    linear_warmup,
    locate_restart,
    step_decay,
)
from dlref.schedules.one_cycle import OneCycleLR
from dlref.schedules.schedulers import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    StepLR,
)

__all__ = [
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LinearLR",
    "OneCycleLR",
    "StepLR",
    "cosine_decay",
    "exponential_decay",
    "interpolate",
    "linear_warmup",
    "locate_restart",
    "step_decay",
]

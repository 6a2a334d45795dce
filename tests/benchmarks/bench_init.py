"""What to time of dlref.init, against torch.nn.init."""

from collections.abc import Callable

import torch
from torch import nn

from dlref import init as ours
from tests.benchmarks.harness import Case

TARGET = 1.05
FUNCTIONS = ["xavier_uniform_", "kaiming_normal_", "orthogonal_"]
SHAPES = {"512 × 512": (512, 512), "256 × 128 × 3 × 3": (256, 128, 3, 3)}


def cases() -> list[Case]:
    """Return the cases."""

    def filled(
        module: object, name: str, shape: tuple[int, ...]
    ) -> Callable[[], object]:
        weight, fill = torch.empty(shape), getattr(module, name)
        return lambda: fill(weight)

    return [
        Case(
            name, title, filled(ours, name, shape), filled(nn.init, name, shape), TARGET
        )
        for name in FUNCTIONS
        for title, shape in SHAPES.items()
    ]

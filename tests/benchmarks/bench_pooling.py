"""What to time of dlref.pooling, against torch.nn.functional."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from dlref import pooling as ours
from tests.benchmarks.harness import Case

TARGET = 3.0
LAYERS = {
    "ResNet, 3x3/2, 64 × 112²": ((1, 64, 112, 112), (3, 2, 1)),
    "VGG, 2x2/2, 64 × 224²": ((1, 64, 224, 224), (2, 2)),
    "GoogLeNet, 3x3/1, 192 × 28²": ((1, 192, 28, 28), (3, 1, 1)),
    "LeNet, 2x2/2, 6 × 28²": ((1, 6, 28, 28), (2, 2)),
    "LeNet, 2x2/2, 64 × 6 × 28²": ((64, 6, 28, 28), (2, 2)),
}


def values(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def trained(
    pool: Callable[..., Tensor], x: Tensor, *arguments: int
) -> Callable[[], Tensor]:
    """Return a call that pools and takes the gradient back to the input."""
    x = x.clone().requires_grad_()
    dy = torch.ones_like(pool(x, *arguments))
    return lambda: torch.autograd.grad(pool(x, *arguments), x, dy)[0]


def pooling_cases(name: str) -> Iterator[Case]:
    mine, theirs = getattr(ours, name), getattr(F, name)
    for layer, (shape, arguments) in LAYERS.items():
        x = values(*shape)
        yield Case(
            name,
            layer,
            lambda x=x, a=arguments: mine(x, *a),
            lambda x=x, a=arguments: theirs(x, *a),
            TARGET,
        )
        if shape[0] > 1 or shape[1] > 6:  # no one trains on a single LeNet image
            yield Case(
                name,
                f"{layer}, forward + backward",
                trained(mine, x, *arguments),
                trained(theirs, x, *arguments),
                TARGET,
            )


def whole_plane_cases() -> Iterator[Case]:
    for shape in (1, 512, 7, 7), (16, 512, 7, 7):
        x = values(*shape)
        name = " × ".join(map(str, shape[:2])) + " × 7²"
        yield Case(
            "global_avg_pool2d",
            f"{name} ÷ adaptive_avg_pool2d(x, 1)",
            lambda x=x: ours.global_avg_pool2d(x),
            lambda x=x: F.adaptive_avg_pool2d(x, 1),
            TARGET,
        )
    for name in "adaptive_avg_pool2d", "adaptive_max_pool2d":
        mine, theirs = getattr(ours, name), getattr(F, name)
        for side, o in (14, 7), (13, 6):
            x = values(1, 256, side, side)
            yield Case(
                name,
                f"256 × {side}², output {o}²",
                lambda x=x, o=o, f=mine: f(x, o),
                lambda x=x, o=o, f=theirs: f(x, o),
                TARGET,
            )


def cases() -> list[Case]:
    """Return one case a layer and function."""
    x = values(1, 64, 56, 56)
    return [
        *pooling_cases("max_pool2d"),
        *pooling_cases("avg_pool2d"),
        *whole_plane_cases(),
        Case(
            "max_pool2d",
            "3x3/2, 64 × 56², return_indices",
            lambda: ours.max_pool2d(x, 3, 2, 1, return_indices=True),
            lambda: F.max_pool2d(x, 3, 2, 1, return_indices=True),
            TARGET,
        ),
        Case(
            "lp_pool2d",
            "p = 2, 2x2/2, 64 × 56²",
            lambda: ours.lp_pool2d(x, 2, 2),
            lambda: F.lp_pool2d(x, 2, 2),
            TARGET,
        ),
    ]

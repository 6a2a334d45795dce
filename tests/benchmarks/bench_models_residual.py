"""What to time of the residual networks, against torchvision and timm.

The images are small: on large ones nearly all time is spent in torch's convolutions,
which are the same on both sides. Weights are shared by both, and no more than one pair
of networks is held at a time.
"""

from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.benchmarks.harness import Call, Case

NOT_SLOWER = 1.03
PREDICTED = ["resnet18", "resnet50", "resnext50_32x4d", "xception", "resnest50"]
TRAINED = ["resnet18", "resnet50"]


@lru_cache(maxsize=1)
def networks(name: str) -> tuple[nn.Module, nn.Module]:
    """Our network and theirs, with the same weights."""
    from tests import residual_oracle

    return residual_oracle.twins(name, num_classes=10)


def images(number: int, side: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(number, 3, side, side, generator=generator)


def predict(name: str, which: int, x: Tensor) -> Call:
    def call() -> Tensor:
        network = networks(name)[which].eval()
        with torch.inference_mode():
            return network(x)

    return call


def step(name: str, which: int, x: Tensor) -> Call:
    def call() -> None:
        network = networks(name)[which].train()
        F.cross_entropy(network(x), torch.arange(len(x)) % 10).backward()
        network.zero_grad()

    return call


def predictions() -> Iterator[Case]:
    for name in PREDICTED:
        x = images(1, 64)
        ours, theirs = (predict(name, which, x) for which in (0, 1))
        yield Case(name, "eval 1 × 3 × 64 × 64", ours, theirs, NOT_SLOWER)


def steps() -> Iterator[Case]:
    for name in TRAINED:
        x = images(2, 64)
        ours, theirs = (step(name, which, x) for which in (0, 1))
        yield Case(name, "train 2 × 3 × 64 × 64", ours, theirs, NOT_SLOWER)


def cases() -> list[Case]:
    """Return a prediction of some of the networks, and a step of training of two."""
    return [*predictions(), *steps()]

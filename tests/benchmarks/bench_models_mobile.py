"""What to time of the light and the dense networks, against torchvision and timm.

Small images, the same weights on both sides, one pair of networks held at a time: as in
`bench_models_residual`.
"""

from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.benchmarks.harness import Call, Case

NOT_SLOWER = 1.03
PREDICTED = ["densenet121", "mobilenet_v1", "mobilenet_v2", "squeezenet1_1"]
TRAINED = ["mobilenet_v2"]


@lru_cache(maxsize=1)
def networks(name: str) -> tuple[nn.Module, nn.Module]:
    """Our network and theirs, with the same weights."""
    from tests import mobile_oracle

    return mobile_oracle.twins(name, num_classes=10)


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
        x = images(4, 64)
        ours, theirs = (step(name, which, x) for which in (0, 1))
        yield Case(name, "train 4 × 3 × 64 × 64", ours, theirs, NOT_SLOWER)


def cases() -> list[Case]:
    """Return a prediction of each network, and a step of training of one."""
    return [*predictions(), *steps()]

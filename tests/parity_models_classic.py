"""Pairs for LeNet, AlexNet and VGG; see tests/parity_cases.py."""

from collections.abc import Iterator
from typing import Any

import torch

from dlref import models
from tests import classic_oracle
from tests.classic_oracle import IN_TORCHVISION, images, twins
from tests.parity_cases import Pairs, case


def _in_torchvision(name: str) -> None:
    @case(f"dlref.models.{name}", f"torchvision.models.{name}")
    def pairs() -> Pairs:
        with torch.no_grad():
            ours, theirs = twins(name)
            for size in ((64, 64), (65, 97)):
                x = images(2, 3, *size)
                yield ours(x), theirs(x)


for _name in IN_TORCHVISION:
    _in_torchvision(_name)


def _networks(make: Any, **options: Any) -> Iterator[torch.nn.Module]:
    for seed in range(3):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield make(**options).double().eval()


@case("dlref.models.lenet5", "torch.nn.Sequential", 1e-14)
def lenet5() -> Pairs:
    for network in _networks(models.lenet5):
        x = images(4, 1, 32, 32, dtype=torch.float64)
        yield network(x), classic_oracle.lenet_chain(network)(x)


@case("dlref.models.lenet5_1998", "LeCun et al. (1998), section II-B", 1e-12)
def lenet5_1998() -> Pairs:
    for network in _networks(models.lenet5_1998):
        x = images(4, 1, 32, 32, dtype=torch.float64)
        yield network(x), -classic_oracle.lenet_1998(network.state_dict(), x)


@case("dlref.models.alexnet_2012", "Krizhevsky et al. (2012), section 3", 1e-13)
def alexnet_2012() -> Pairs:
    with torch.no_grad():
        network = next(_networks(models.alexnet_2012, num_classes=10))
        x = images(1, 3, 224, 224, dtype=torch.float64)
        yield network(x), classic_oracle.alexnet_2012(network, x)

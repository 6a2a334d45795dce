"""What to time of LeNet, AlexNet and VGG, against torchvision or torch's layers.

The images are small: of a network on large ones, nearly all time is spent in torch's
convolutions, which are the same on both sides. Weights are shared by both, and no more
than one pair of networks is held at a time.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from docs.tools.oracle import prepare_torchvision
from tests.benchmarks.harness import Call, Case

NOT_SLOWER = 1.03
SIDES = {"lenet5": 32, "alexnet": 64, "vgg11": 32, "vgg16_bn": 32}


@lru_cache(maxsize=1)
def networks(name: str) -> tuple[nn.Module, nn.Module]:
    """Our network and theirs, with the same weights."""
    prepare_torchvision()
    from dlref.models import lenet5
    from tests import classic_oracle

    torch.manual_seed(0)
    if name != "lenet5":
        return classic_oracle.twins(name, num_classes=10)
    ours = lenet5()
    return ours, classic_oracle.lenet_chain(ours).float()


def images(name: str, number: int) -> Tensor:
    side, channels = SIDES[name], 1 if name == "lenet5" else 3
    generator = torch.Generator().manual_seed(0)
    return torch.randn(number, channels, side, side, generator=generator)


def whole(name: str, which: int) -> nn.Module:
    return networks(name)[which]


def stack(name: str, which: int) -> nn.Module:
    return networks(name)[which].features


def size(x: Tensor) -> str:
    return " × ".join(map(str, x.shape))


def predict(part: Callable[[int], nn.Module], which: int, x: Tensor) -> Call:
    def call() -> Tensor:
        network = part(which).eval()
        with torch.inference_mode():
            return network(x)

    return call


def step(part: Callable[[int], nn.Module], which: int, x: Tensor) -> Call:
    def call() -> None:
        network = part(which).train()
        y = network(x).flatten(1)
        F.cross_entropy(y, torch.arange(len(x)) % 10).backward()
        network.zero_grad()

    return call


def predictions() -> Iterator[Case]:
    for name, number in {"lenet5": 64, "alexnet": 4, "vgg11": 1, "vgg16_bn": 1}.items():
        x = images(name, number)
        ours, theirs = (predict(partial(whole, name), which, x) for which in (0, 1))
        yield Case(name, f"eval {size(x)}", ours, theirs, NOT_SLOWER)


def steps() -> Iterator[Case]:
    """A gradient of VGG's linear layers alone takes half a second, whoever asks."""
    parts = {"lenet5": (whole, 64, ""), "alexnet": (whole, 4, ""),
             "vgg16_bn": (stack, 2, ".features")}  # fmt: skip
    for name, (part, number, suffix) in parts.items():
        x = images(name, number)
        ours, theirs = (step(partial(part, name), which, x) for which in (0, 1))
        yield Case(name, f"train{suffix} {size(x)}", ours, theirs, NOT_SLOWER)


def cases() -> list[Case]:
    """Return a prediction of each network, and a step of training of most."""
    return [*predictions(), *steps()]

"""What to time of GoogLeNet and Inception v3, against torchvision's networks."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlref import models as ours
from docs.tools.oracle import prepare_torchvision
from tests.benchmarks.harness import Case

NOT_SLOWER = 1.03


def predict(network: nn.Module, x: Tensor) -> Callable[[], object]:
    """Return a call that predicts."""
    network.eval()

    def call() -> object:
        with torch.inference_mode():
            return network(x)

    return call


def train(network: nn.Module, x: Tensor) -> Callable[[], object]:
    """Return a call that does a training step, with the heads."""
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6)
    target = torch.zeros(len(x), dtype=torch.int64)

    def call() -> object:
        optimizer.zero_grad()
        losses = [F.cross_entropy(logits, target) for logits in network(x)]
        (losses[0] + 0.3 * sum(losses[1:])).backward()
        optimizer.step()
        return losses

    return call


def cases() -> list[Case]:
    """Return a prediction of each network, and a training step of GoogLeNet."""
    prepare_torchvision()
    from torchvision import models as theirs

    found = []
    steps = [("googlenet", predict, 1, 224), ("inception_v3", predict, 1, 299),
             ("googlenet", train, 2, 96)]  # fmt: skip
    for name, step, batch, side in steps:
        x = torch.rand(batch, 3, side, side)
        networks = [getattr(m, name)(init_weights=False) for m in (ours, theirs)]
        networks[0].load_state_dict(networks[1].state_dict())
        calls = [step(network, x) for network in networks]
        title = f"{step.__name__}, {batch} × {side}²"
        found.append(Case(name, title, *calls, NOT_SLOWER))
    return found

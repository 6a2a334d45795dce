"""What to time of dlref.summary: one watched run on `meta`, against torchinfo's.

Ours follows the receptive field of every tensor as well, torchinfo does not.
"""

from functools import partial

import torch
import torchinfo

from dlref import models
from dlref.summary import summary
from tests.benchmarks.harness import Case

TARGET = 2.5


def cases() -> list[Case]:
    """Return a chain of layers, and a network with branches."""
    return [_case(name) for name in ("vgg16", "resnet18")]


def _case(name: str) -> Case:
    with torch.device("meta"):
        net = getattr(models, name)()
    theirs = partial(
        torchinfo.summary, net, input_size=(1, 3, 224, 224), device="meta", verbose=0,
        depth=9,
    )  # fmt: skip
    return Case("summary", name, lambda: summary(net, (3, 224, 224)), theirs, TARGET)

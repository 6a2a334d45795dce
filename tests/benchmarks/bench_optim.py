"""What to time of dlref.optim, against torch.optim with `foreach=False`."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torchvision.models import resnet18

from dlref import optim
from tests.benchmarks.harness import Case

NAMES = ("SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adamax", "NAdam")
MANY = 1000


def cases() -> list[Case]:
    """Return a step of each optimizer on many small parameters, and on ResNet-18's."""
    return [*_small(), *_large()]


def _small() -> Iterator[Case]:
    for name in NAMES:
        theirs = _step(torch.optim, name, _many(), foreach=False)
        ours = _step(optim, name, _many(), foreach=False)
        together = _step(optim, name, _many(), foreach=True)
        model = nn.ParameterList(_many())
        vector = _step(optim, name, [optim.flatten_parameters(model)], foreach=False)
        yield Case(name, f"{MANY}×(10,10)", ours, theirs, 0.87)
        yield Case(name, f"{MANY}×(10,10), foreach", together, theirs, 0.5)
        yield Case(name, f"{MANY}×(10,10), flatten_parameters", vector, theirs, 0.05)


def _large() -> Iterator[Case]:
    shapes = [p.shape for p in resnet18(weights=None).parameters()]
    for name in NAMES:
        steps = [
            _step(m, name, _parameters(shapes), foreach=False)
            for m in (optim, torch.optim)
        ]
        yield Case(name, "ResNet-18", *steps, 1.03)


def _many() -> list[nn.Parameter]:
    return _parameters([torch.Size((10, 10))] * MANY)


def _parameters(shapes: list[torch.Size]) -> list[nn.Parameter]:
    return [nn.Parameter(torch.randn(shape)) for shape in shapes]


def _step(module: Any, name: str, parameters: list[Any], *, foreach: bool) -> Any:
    options = {"momentum": 0.9} if name == "SGD" else {}
    optimizer = getattr(module, name)(parameters, lr=1e-6, foreach=foreach, **options)
    for p in parameters:
        p.grad = torch.randn_like(p, requires_grad=False)
    return optimizer.step

"""What to time of dlref.activations and dlref.linear, against torch's."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlref import activations
from dlref.linear import linear
from tests.benchmarks.harness import Case

SHAPES = {"64 × 1024": (64, 1024), "256 × 4096": (256, 4096)}
ONE, COMPOSED = 1.05, 3.0  # where one primitive of torch does it, and where not
PRIMITIVE = ["sigmoid", "tanh", "relu", "relu6"]
FORMULAS: dict[str, list[dict[str, Any]]] = {
    "leaky_relu": [{}],
    "elu": [{}],
    "gelu": [{}, {"approximate": "tanh"}],
    "silu": [{}],
    "mish": [{}],
    "softplus": [{}],
    "logsigmoid": [{}],
    "softsign": [{}],
    "hardsigmoid": [{}],
    "hardswish": [{}],
    "glu": [{}],
    "softmax": [{"dim": -1}],
    "log_softmax": [{"dim": -1}],
}


def values(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def trained(function: Callable[..., Tensor], *given: Tensor) -> Callable[[], object]:
    """Return a call that computes the value and the gradients."""
    leaves = [x.clone().requires_grad_() for x in given]
    dy = values(*function(*leaves).shape)
    return lambda: torch.autograd.grad(function(*leaves), leaves, dy)


def activation_cases() -> Iterator[Case]:
    calls = [(name, {}, ONE) for name in PRIMITIVE]
    calls += [(n, o, COMPOSED) for n, many in FORMULAS.items() for o in many]
    for (name, options, target), (title, shape) in (
        (call, item) for call in calls for item in SHAPES.items()
    ):
        x = values(*shape)
        mine, theirs = (
            trained(lambda x, f=f, o=options: f(x, **o), x)
            for f in (getattr(activations, name), getattr(F, name))
        )
        more = "".join(f", {value}" for value in options.values() if value != -1)
        yield Case(name, f"{title}{more}, forward + backward", mine, theirs, target)


def linear_cases() -> Iterator[Case]:
    for n, n_in, n_out in ((64, 784, 100), (32, 1024, 1024)):
        given = values(n, n_in), values(n_out, n_in), values(n_out)
        mine, theirs = (trained(f, *given) for f in (linear, F.linear))
        name = f"{n} × {n_in} → {n_out}, forward + backward"
        yield Case("linear", name, mine, theirs, ONE)


def cases() -> list[Case]:
    """Return the cases, each with its gradient."""
    return [*activation_cases(), *linear_cases()]

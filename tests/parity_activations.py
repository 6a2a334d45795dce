"""What tests/test_parity.py measures of dlref.activations: torch's, in float64."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlref import activations
from tests.parity_cases import Pairs, case

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "celu": [{}, {"alpha": 2.0}],
    "elu": [{}, {"alpha": 0.3}],
    "gelu": [{}, {"approximate": "tanh"}],
    "glu": [{}, {"dim": 0}],
    "hardsigmoid": [{}],
    "hardswish": [{}],
    "leaky_relu": [{}, {"negative_slope": 0.3}],
    "log_softmax": [{"dim": 0}, {"dim": -1}],
    "logsigmoid": [{}],
    "mish": [{}],
    "relu": [{}],
    "relu6": [{}],
    "selu": [{}],
    "sigmoid": [{}],
    "silu": [{}],
    "softmax": [{"dim": 0}, {"dim": -1}],
    "softplus": [{}, {"beta": 2.0, "threshold": 3.0}],
    "softsign": [{}],
    "tanh": [{}],
}
# torch's gradient of hardsigmoid holds 1 / 6 in float32; here it is multiplied by 4
TOLERANCES = {"hardsigmoid": 2.1e-8}


def inputs() -> Iterator[Tensor]:
    """Yield the line through all kinks and both ends, and random numbers."""
    yield torch.linspace(-30, 30, 241, dtype=torch.float64)[1:].reshape(12, 20)
    yield torch.tensor([[-1e4, 1e4], [-700.0, 700.0]], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    yield 3 * torch.randn(6, 8, dtype=torch.float64, generator=generator)


def with_gradients(f: Callable[..., Tensor], *arguments: Tensor) -> Iterator[Tensor]:
    """Yield the value, and the gradients of its sum with weights 1, 2, 3, 4, 1, ..."""
    leaves = [x.detach().clone().requires_grad_() for x in arguments]
    y = f(*leaves)
    yield y
    weights = (torch.arange(y.numel()) % 4 + 1).to(y).reshape(y.shape)
    yield from torch.autograd.grad(y, leaves, weights)


def _function(name: str, options: list[dict[str, Any]]) -> None:
    tolerance = TOLERANCES.get(name, 1e-12)

    @case(f"dlref.activations.{name}", f"torch.nn.functional.{name}", tolerance)
    def pairs() -> Pairs:
        for x in inputs():
            for given in options:
                mine, theirs = (
                    with_gradients(lambda x, f=f, o=given: getattr(f, name)(x, **o), x)
                    for f in (activations, F)
                )
                yield from zip(mine, theirs, strict=True)


for _name, _options in OPTIONS.items():
    _function(_name, _options)


@case("dlref.activations.prelu", "torch.nn.functional.prelu", 1e-12)
def prelu() -> Pairs:
    for x in inputs():
        for count in (1, x.shape[1]):
            slopes = torch.linspace(-0.5, 1, count, dtype=torch.float64)
            pair = (with_gradients(f.prelu, x, slopes) for f in (activations, F))
            yield from zip(*pair, strict=True)


@case("dlref.activations.Maxout", "torch: einsum and amax", 1e-12)
def maxout() -> Pairs:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = activations.Maxout(8, 3, 4, dtype=torch.float64)
    *_, x = inputs()
    w, b = layer.weight, layer.bias
    pair = (layer, lambda x: (torch.einsum("ni,oki->nok", x, w) + b).amax(-1))
    yield from zip(*(with_gradients(f, x) for f in pair), strict=True)

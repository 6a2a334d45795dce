"""What to time of dlref.backprop, against torch.autograd."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlref.backprop import Value, backward_mlp, forward_mlp, gradcheck
from tests.benchmarks.harness import Case


def values(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def trained(leaf: Callable[[float], Any]) -> Callable[[], object]:
    """Return a call that takes one neuron with eight inputs forward and backward."""
    w, x = ([leaf(0.1 * i - b) for i in range(8)] for b in (0.3, 0.5))

    def call() -> None:
        z = sum(u * v for u, v in zip(w, x, strict=True))
        (z.tanh() - 0.5).backward()

    return call


def number_cases() -> Iterator[Case]:
    ours = trained(Value)
    theirs = trained(lambda number: torch.tensor(number, requires_grad=True))
    yield Case("Value", "8 × 1, tanh, forward + backward", ours, theirs, 0.6)


def network_cases() -> Iterator[Case]:
    for n, sizes in ((64, (784, 100, 10)), (8, (16, 16, 4))):
        x, dy = values(n, sizes[0]), values(n, sizes[-1])
        W = [values(b, a) for a, b in pairwise(sizes)]
        b = [values(size) for size in sizes[1:]]
        leaves = [p.clone().requires_grad_() for p in (*W, *b, x)]

        def ours(x: Tensor = x, W: Any = W, b: Any = b, dy: Tensor = dy) -> object:
            return backward_mlp(forward_mlp(x, W, b), W, dy)

        def theirs(p: Any = leaves, dy: Tensor = dy) -> object:
            y = F.linear(F.linear(p[4], p[0], p[2]).relu(), p[1], p[3])
            return torch.autograd.grad(y, p, dy)

        name = f"{n} × {' → '.join(map(str, sizes))}, forward + backward"
        yield Case("backward_mlp", name, ours, theirs, 1.3)


def check_cases() -> Iterator[Case]:
    x = values(5, 4).double().requires_grad_()

    def func(x: Tensor) -> Tensor:
        return (x @ x.T).tanh().sum()

    calls = [lambda f=f: f(func, x) for f in (gradcheck, torch.autograd.gradcheck)]
    yield Case("gradcheck", "5 × 4 → 1", *calls, 1.1)


def cases() -> list[Case]:
    """Return the cases."""
    return [*number_cases(), *network_cases(), *check_cases()]

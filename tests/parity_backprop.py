"""What tests/test_parity.py measures of dlref.backprop: torch.autograd, in float64."""

from itertools import pairwise, product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlref import backprop
from tests.parity_cases import Pairs, case

ACTIVATIONS = {
    "relu": F.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda z: z,
}
SIZES = (6, 8, 5, 3)


def random(*shape: int, seed: int = 0) -> Tensor:
    """Return numbers that do not depend on what was drawn before."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def parameters() -> tuple[list[Tensor], list[Tensor]]:
    """Return weights and biases."""
    weights = [random(m, n, seed=m) for n, m in pairwise(SIZES)]
    return weights, [random(m, seed=m + 50) for m in SIZES[1:]]


def expression(x: Any, y: Any) -> Any:
    """Compute with every operation, on numbers of ours or of torch."""
    u = (x * y - 3).tanh() + 1 / (y**2 + 0.5) - x / 4
    v = (2 - u).sigmoid() * (u**2 + 1).log() + (u * y).relu()
    return (v - u).exp() + v**3 / (x**2 + 1) ** 0.5 + u


@case("dlref.backprop.Value", "torch.autograd, numbers", 1e-12)
def value() -> Pairs:
    for numbers in random(200, 2).tolist():
        ours = [backprop.Value(number) for number in numbers]
        theirs = [torch.tensor(number, dtype=torch.float64) for number in numbers]
        for leaf in theirs:
            leaf.requires_grad_()
        mine, other = expression(*ours), expression(*theirs)
        mine.backward()
        other.backward()
        yield mine.data, other.item()
        for a, b in zip(ours, theirs, strict=True):
            assert b.grad is not None
            yield a.grad, b.grad.item()


def by_torch(x: Tensor, name: str, *leaves: Tensor) -> tuple[Tensor, ...]:
    """Return the output and the pre-activations."""
    a, z = x, list[Tensor]()
    for W, b in zip(leaves[::2], leaves[1::2], strict=True):
        z.append(F.linear(a, W, b))
        a = ACTIVATIONS[name](z[-1])
    return a, *z


def forward(name: str) -> tuple[Tensor, backprop.Forward]:
    """Return an input and what ours makes of it."""
    x = random(7, SIZES[0])
    options = {"activation": name, "output_activation": name}
    return x, backprop.forward_mlp(x, *parameters(), **options)


@case("dlref.backprop.forward_mlp", "torch.nn.functional.linear", 1e-12)
def forward_mlp() -> Pairs:
    for name in ACTIVATIONS:
        x, mine = forward(name)
        leaves = [p for pair in zip(*parameters(), strict=True) for p in pair]
        y, *z = by_torch(x, name, *leaves)
        yield from zip((mine.output, *mine.z), (y, *z), strict=True)


@case("dlref.backprop.backward_mlp", "torch.autograd", 1e-12)
def backward_mlp() -> Pairs:
    for name in ACTIVATIONS:
        x, mine = forward(name)
        weights, biases = parameters()
        dy = random(*mine.output.shape, seed=9)
        grads = backprop.backward_mlp(mine, weights, dy)
        leaves = [p for pair in zip(weights, biases, strict=True) for p in pair]
        for leaf in (x, *leaves):
            leaf.requires_grad_()
        y, *z = by_torch(x, name, *leaves)
        theirs = torch.autograd.grad(y, [*weights, *biases, x, *z], dy)
        ours = *grads.weights, *grads.biases, grads.input, *grads.deltas
        yield from zip(ours, theirs, strict=True)


def loss(x: Tensor, w: Tensor) -> Tensor:
    """Return a number, smooth in both."""
    return (x @ w).tanh().square().sum()


@case("dlref.backprop.numerical_gradient", "torch.autograd", 1e-8)
def numerical_gradient() -> Pairs:
    for seed in range(5):
        inputs = [random(4, 3, seed=seed), random(3, seed=seed + 50)]
        ours = backprop.numerical_gradient(loss, inputs)
        leaves = [x.requires_grad_() for x in inputs]
        theirs = torch.autograd.grad(loss(*leaves), leaves)
        yield from zip(ours, theirs, strict=True)


MISTAKES = (0.0, 1e-4, 9e-4, 1.1e-3, 0.1, -2.0)
OPTIONS: dict[str, Any] = {"raise_exception": False, "atol": 1e-9}


def mistaken(x: Tensor, mistake: float) -> Tensor:
    """Return sin x, with a slope that is too large by some part."""
    return x.sin() + mistake * (x.sin() - x.sin().detach())


@case("dlref.backprop.gradcheck", "torch.autograd.gradcheck, verdicts")
def gradcheck() -> Pairs:
    for seed, mistake in product(range(5), MISTAKES):
        given = random(3, seed=seed).requires_grad_(), mistake
        ours = backprop.gradcheck(mistaken, given, **OPTIONS)
        yield bool(ours), torch.autograd.gradcheck(mistaken, given, **OPTIONS)


@case("dlref.backprop.GradcheckReport", "the mistakes themselves", 1e-8)
def report() -> Pairs:
    for seed, mistake in product(range(5), MISTAKES):
        x = random(3, seed=seed).requires_grad_()
        ours = backprop.gradcheck(mistaken, (x, mistake), **OPTIONS)
        yield ours.max_difference, (mistake * x.detach().cos()).abs().max().item()

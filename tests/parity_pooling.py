"""What tests/test_parity.py measures of dlref.pooling: torch's own, in float64."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F

from dlref import pooling
from tests.parity_cases import Pairs, case

MAXIMA = list(product((1, 2, 3), (1, 2, 3), (0, 1), (1, 2), (False, True)))
AVERAGES = list(product((1, 2, 3), (1, 2, 3), (0, 1), (False, True), (False, True)))


def images(n: int) -> Iterator[torch.Tensor]:
    """Draw images of two sizes, in two layouts."""
    generator = torch.Generator().manual_seed(n)
    for side in (6, 7):
        x = torch.randn(2, 3, *n * [side], dtype=torch.float64, generator=generator)
        yield x
        yield x.transpose(1, -1).contiguous().transpose(1, -1)


def gradient(function: Any, x: torch.Tensor, *arguments: Any) -> torch.Tensor:
    """Return the gradient of the sum of squares of what a function returns."""
    x = x.detach().requires_grad_()
    (dx,) = torch.autograd.grad(function(x, *arguments).square().sum(), x)
    return dx


def _maxima(n: int) -> None:
    @case(f"dlref.pooling.max_pool{n}d", f"torch.nn.functional.max_pool{n}d")
    def pairs() -> Pairs:
        ours = getattr(pooling, f"max_pool{n}d")
        theirs = getattr(F, f"max_pool{n}d")
        for x, (k, s, p, d, ceil) in product(images(n), MAXIMA):
            if 2 * p <= k:
                got = ours(x, k, s, p, d, ceil, return_indices=True)
                expected = theirs(x, k, s, p, d, ceil, return_indices=True)
                yield from zip(got, expected, strict=True)
                yield ours(x, k, s, p, d, ceil), expected[0]


def _averages(n: int) -> None:
    @case(f"dlref.pooling.avg_pool{n}d", f"torch.nn.functional.avg_pool{n}d", 1e-12)
    def pairs() -> Pairs:
        ours = getattr(pooling, f"avg_pool{n}d")
        theirs = getattr(F, f"avg_pool{n}d")
        for x, (k, s, p, ceil, count) in product(images(n), AVERAGES):
            if 2 * p <= k:
                arguments = k, s, p, ceil, count
                yield ours(x, *arguments), theirs(x, *arguments)
                yield gradient(ours, x, *arguments), gradient(theirs, x, *arguments)


for _n in (1, 2, 3):
    _maxima(_n)
    _averages(_n)


@case(
    "dlref.pooling.adaptive_avg_pool1d",
    "torch.nn.functional.adaptive_avg_pool1d",
    1e-12,
)
def adaptive_avg_pool1d() -> Pairs:
    for x, o in product(images(1), range(1, 10)):
        yield pooling.adaptive_avg_pool1d(x, o), F.adaptive_avg_pool1d(x, o)


@case(
    "dlref.pooling.adaptive_avg_pool2d",
    "torch.nn.functional.adaptive_avg_pool2d",
    1e-12,
)
def adaptive_avg_pool2d() -> Pairs:
    ours, theirs = pooling.adaptive_avg_pool2d, F.adaptive_avg_pool2d
    for x, o in product(images(2), product((1, 3, 4, None), (2, 5, 9))):
        yield ours(x, o), theirs(x, o)
        yield gradient(ours, x, o), gradient(theirs, x, o)


@case("dlref.pooling.adaptive_max_pool2d", "torch.nn.functional.adaptive_max_pool2d")
def adaptive_max_pool2d() -> Pairs:
    for x, o in product(images(2), product((1, 3, 4, None), (2, 5, 9))):
        got = pooling.adaptive_max_pool2d(x, o, True)
        yield from zip(got, F.adaptive_max_pool2d(x, o, True), strict=True)


@case(
    "dlref.pooling.global_avg_pool2d",
    "torch.nn.functional.adaptive_avg_pool2d(x, 1)",
    1e-12,
)
def global_avg_pool2d() -> Pairs:
    for x in images(2):
        yield pooling.global_avg_pool2d(x), F.adaptive_avg_pool2d(x, 1)


@case("dlref.pooling.lp_pool2d", "torch.nn.functional.lp_pool2d", 1e-12)
def lp_pool2d() -> Pairs:
    for x, p, k, ceil in product(images(2), (2, 4), (2, 3), (False, True)):
        arguments = p, k, 2, ceil
        yield pooling.lp_pool2d(x, *arguments), F.lp_pool2d(x, *arguments)

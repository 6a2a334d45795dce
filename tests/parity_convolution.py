"""Convolution against torch, in float64."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import scipy.signal
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlref import convolution
from tests.parity_cases import Pairs, case

CONV = {"conv1d": 1, "conv2d": 2, "conv3d": 3}
GEOMETRIES = list(product((1, 2), (0, 1), (1, 2), (1, 2)))  # stride, padding, …, groups


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def operands(n: int, *, transposed: bool) -> Iterator[tuple[Any, ...]]:
    """Input, weight, bias, stride, padding, dilation, groups: every combination."""
    for stride, padding, dilation, groups in GEOMETRIES:
        x = random(2, 4, *[9, 8, 7][:n])
        size = (4, 6 // groups) if transposed else (6, 4 // groups)
        w = random(*size, *[3, 2, 3][:n], seed=1)
        yield x, w, random(6, seed=2), stride, padding, dilation, groups


def _conv(name: str, n: int) -> None:
    @case(f"dlref.convolution.{name}", f"torch.nn.functional.{name}", 1e-12)
    def pairs() -> Pairs:
        for x, w, b, *geometry in operands(n, transposed=False):
            ours = getattr(convolution, name)(x, w, b, *geometry)
            yield ours, getattr(F, name)(x, w, b, *geometry)


def _conv_transpose(name: str, n: int) -> None:
    @case(f"dlref.convolution.{name}", f"torch.nn.functional.{name}", 1e-12)
    def pairs() -> Pairs:
        for x, w, b, s, p, d, groups in operands(n, transposed=True):
            geometry = s, p, max(s, d) - 1, groups, d
            ours = getattr(convolution, name)(x, w, b, *geometry)
            yield ours, getattr(F, name)(x, w, b, *geometry)


for _name, _n in CONV.items():
    _conv(_name, _n)
    _conv_transpose(_name.replace("conv", "conv_transpose"), _n)


@case("dlref.convolution.unfold", "torch.nn.functional.unfold")
def unfold() -> Pairs:
    for k, s, p, d in product((1, 2, 3), (1, 2), (0, 1), (1, 2)):
        x = random(2, 3, 7, 9)
        yield convolution.unfold(x, k, d, p, s), F.unfold(x, k, d, p, s)


@case("dlref.convolution.fold", "torch.nn.functional.fold", 1e-12)
def fold() -> Pairs:
    for k, s, p, d in product((1, 2, 3), (1, 2), (0, 1), (1, 2)):
        y = torch.rand_like(F.unfold(random(2, 3, 7, 9), k, d, p, s))
        arguments = y, (7, 9), k, d, p, s
        yield convolution.fold(*arguments), F.fold(*arguments)


@case("dlref.convolution.corr2d", "scipy.signal.correlate2d", 1e-12)
def corr2d() -> Pairs:
    for k in product((1, 2, 3), (1, 4)):
        X, K = random(7, 6), random(*k, seed=1)
        yield convolution.corr2d(X, K), scipy.signal.correlate2d(X, K, "valid")


@case("dlref.convolution.true_conv2d", "scipy.signal.convolve2d", 1e-12)
def true_conv2d() -> Pairs:
    for mode, padding in (("valid", 0), ("same", 1), ("full", 2)):
        X, K = random(7, 6), random(3, 3, seed=1)
        ours = convolution.true_conv2d(X[None], K[None, None], None, 1, padding)
        yield ours[0], scipy.signal.convolve2d(X, K, mode)


@case(
    "dlref.convolution.depthwise_separable_conv2d",
    "torch.nn.functional.conv2d, one kernel for both steps",
    1e-12,
)
def depthwise_separable_conv2d() -> Pairs:
    for stride, padding, dilation, m in GEOMETRIES:
        x, b = random(2, 4, 9, 8), random(6, seed=3)
        D, P = random(4 * m, 1, 3, 2, seed=1), random(6, 4 * m, 1, 1, seed=2)
        w = torch.einsum("kcm,cmuv->kcuv", P.view(6, 4, m), D.view(4, m, 3, 2))
        geometry = stride, padding, dilation
        ours = convolution.depthwise_separable_conv2d(x, D, P, b, *geometry)
        yield ours, F.conv2d(x, w, b, *geometry)


@case("dlref.convolution.Conv2d", "torch.nn.Conv2d", 1e-12)
def conv2d_layer() -> Pairs:
    for mode, groups in product(("zeros", "reflect", "replicate", "circular"), (1, 2)):
        layers = []
        for kind in (convolution.Conv2d, nn.Conv2d):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                options = {"groups": groups, "padding_mode": mode}
                layers.append(kind(4, 6, 3, 2, 1, **options).double())
        yield layers[0](random(2, 4, 9, 8)), layers[1](random(2, 4, 9, 8))


@case("dlref.convolution.SeparableConv2d", "torch.nn.Conv2d, two of them", 1e-12)
def separable_conv2d_layer() -> Pairs:
    for stride, padding, dilation, m in GEOMETRIES:
        geometry = 3, stride, padding, dilation
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            theirs = nn.Sequential(
                nn.Conv2d(4, 4 * m, *geometry, groups=4, bias=False),
                nn.Conv2d(4 * m, 6, 1),
            ).double()
            torch.manual_seed(0)
            ours = convolution.SeparableConv2d(4, 6, *geometry, depth_multiplier=m)
        x = random(2, 4, 9, 8)
        yield ours.double()(x), theirs(x)

"""What tests/test_parity.py measures of dlref.normalization: torch's, in float64."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import resnet18

from dlref import normalization
from tests.parity_cases import Pairs, case

SHAPES = [(8, 6), (4, 6, 7), (4, 6, 5, 7), (2, 6, 3, 4, 5)]
EPSILONS = (1e-5, 0.1)


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Draw numbers with mean 1 and standard deviation 2."""
    generator = torch.Generator().manual_seed(seed)
    return 1 + 2 * torch.randn(shape, dtype=torch.float64, generator=generator)


def images(least: int = 2) -> Iterator[Tensor]:
    """Draw activations, in two layouts."""
    for seed, shape in enumerate(shape for shape in SHAPES if len(shape) >= least):
        x = draw(*shape, seed=seed)
        yield x
        yield x.transpose(1, -1).contiguous().transpose(1, -1)


def with_gradients(f: Callable[..., Tensor], *arguments: Tensor) -> Iterator[Tensor]:
    """Yield the value, and the gradients of a weighted sum of it."""
    leaves = [x.detach().clone().requires_grad_() for x in arguments]
    y = f(*leaves)
    yield y
    yield from torch.autograd.grad(y, leaves, draw(*y.shape, seed=9))


def compare(
    ours: Callable[..., Tensor], theirs: Callable[..., Tensor], *arguments: Tensor
) -> Pairs:
    """Pair values and gradients."""
    yield from zip(
        with_gradients(ours, *arguments),
        with_gradients(theirs, *arguments),
        strict=True,
    )


def with_statistics(ours: Any, theirs: Any, x: Tensor, **options: Any) -> Pairs:
    """Pair values, gradients, and the running statistics behind them."""
    moved: list[list[Tensor]] = []

    def call(function: Any) -> Callable[..., Tensor]:
        statistics = [draw(6, seed=5), draw(6, seed=6).abs()]
        moved.append(statistics)
        return lambda x, w, b: function(x, *statistics, w, b, **options)

    yield from compare(call(ours), call(theirs), x, draw(6, seed=3), draw(6, seed=4))
    yield from zip(*moved, strict=True)


@case("dlref.normalization.batch_norm", "torch.nn.functional.batch_norm", 1e-12)
def batch_norm() -> Pairs:
    functions = normalization.batch_norm, F.batch_norm
    for x, eps, training in product(images(), EPSILONS, (True, False)):
        x = x if training else x.contiguous()  # else torch's gradient may be wrong
        yield from with_statistics(*functions, x, training=training, eps=eps)


@case("dlref.normalization.instance_norm", "torch.nn.functional.instance_norm", 1e-12)
def instance_norm() -> Pairs:
    functions = normalization.instance_norm, F.instance_norm
    for x, eps in product(images(3), EPSILONS):
        yield from with_statistics(*functions, x, eps=eps)


@case("dlref.normalization.group_norm", "torch.nn.functional.group_norm", 1e-12)
def group_norm() -> Pairs:
    for x, eps, groups in product(images(3), EPSILONS, (1, 2, 3, 6)):
        functions = (
            lambda x, w, b, f=f, g=groups, eps=eps: f(x, g, w, b, eps)
            for f in (normalization.group_norm, F.group_norm)
        )
        yield from compare(*functions, x, draw(6, seed=3), draw(6, seed=4))


@case("dlref.normalization.layer_norm", "torch.nn.functional.layer_norm", 1e-12)
def layer_norm() -> Pairs:
    for x, eps, axes in product(images(), EPSILONS, (1, 2)):
        shape = x.shape[-axes:]
        functions = (
            lambda x, w, b, f=f, shape=shape, eps=eps: f(x, shape, w, b, eps)
            for f in (normalization.layer_norm, F.layer_norm)
        )
        yield from compare(*functions, x, draw(*shape, seed=3), draw(*shape, seed=4))


@case("dlref.normalization.rms_norm", "torch.nn.functional.rms_norm", 1e-12)
def rms_norm() -> Pairs:
    for x, eps, axes in product(images(), (None, 0.1), (1, 2)):
        shape = x.shape[-axes:]
        functions = (
            lambda x, w, f=f, shape=shape, eps=eps: f(x, shape, w, eps)
            for f in (normalization.rms_norm, F.rms_norm)
        )
        yield from compare(*functions, x, draw(*shape, seed=3))


@case(
    "dlref.normalization.local_response_norm",
    "torch.nn.functional.local_response_norm",
    1e-12,
)
def local_response_norm() -> Pairs:
    for x, size, alpha in product(images(3), (1, 2, 5, 9), (1e-4, 2.0)):
        functions = (
            lambda x, f=f, size=size, alpha=alpha: f(x, size, alpha, 0.75, 2.0)
            for f in (normalization.local_response_norm, F.local_response_norm)
        )
        yield from compare(*functions, x.contiguous())


def _layer(name: str, shapes: list[tuple[int, ...]]) -> None:
    @case(f"dlref.normalization.{name}", f"torch.nn.{name}", 1e-12)
    def pairs() -> Pairs:
        for shape, momentum in product(shapes, (0.1, None)):
            ours = getattr(normalization, name)(6, momentum=momentum).double()
            theirs = getattr(nn, name)(6, momentum=momentum).double()
            for batch in range(4):
                x = draw(*shape, seed=batch)
                yield from compare(ours, theirs, x)
            yield from zip(ours.buffers(), theirs.buffers(), strict=True)
            yield ours.eval()(draw(*shape)), theirs.eval()(draw(*shape))


_layer("BatchNorm1d", SHAPES[:2])
_layer("BatchNorm2d", SHAPES[2:3])


def settled(network: nn.Module) -> Any:
    """Give each batch norm statistics that matter, in evaluation and float64."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for seed, vector in enumerate((module.running_mean, module.running_var)):
                vector.copy_(draw(len(vector), seed=seed).abs())
    return network.double().eval()


@case("dlref.normalization.fuse_conv_bn", "torch.nn.utils.fuse_conv_bn_eval", 1e-12)
def fuse_conv_bn() -> Pairs:
    for bias, groups in product((True, False), (1, 3)):
        conv = nn.Conv2d(6, 6, 3, groups=groups, bias=bias)
        pair = settled(nn.Sequential(conv, nn.BatchNorm2d(6)))
        ours, theirs = normalization.fuse_conv_bn(*pair), fuse_conv_bn_eval(*pair)
        yield ours.weight, theirs.weight
        yield ours.bias, theirs.bias
        yield normalization.fuse_conv_bn(pair)(draw(2, 6, 5, 5)), pair(draw(2, 6, 5, 5))


@case("dlref.normalization.fuse_conv_bn", "torchvision's resnet18, unfused", 1e-11)
def fuse_network() -> Pairs:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = settled(resnet18())
        x = draw(1, 3, 64, 64)
        expected = network(x)
        scale = expected.abs().max()
        yield normalization.fuse_conv_bn(network)(x) / scale, expected / scale

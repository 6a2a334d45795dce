"""What tests/test_parity.py measures of dlref.losses: torch's, in float64."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import sklearn.metrics
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor

from dlref import losses
from tests.parity_cases import Pairs, case

REDUCTIONS = ("none", "mean", "sum")
CLASSES = 4
REGRESSION: dict[str, list[dict[str, Any]]] = {
    "huber_loss": [{}, {"delta": 2.5}],
    "l1_loss": [{}],
    "mse_loss": [{}],
    "smooth_l1_loss": [{}, {"beta": 0.3}, {"beta": 0}],
}


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(shape, dtype=torch.float64, generator=generator)


def with_gradients(f: Callable[..., Tensor], *arguments: Tensor) -> Iterator[Tensor]:
    """Yield the value, and the gradients of its sum with weights 1, 2, 3, 4, 1, ..."""
    leaves = [x.detach().clone().requires_grad_() for x in arguments]
    y = f(*leaves)
    yield y
    weights = (torch.arange(y.numel()) % 4 + 1).to(y).reshape(y.shape)
    yield from torch.autograd.grad(y, leaves, weights)


def compared(mine: Callable[..., Tensor], theirs: Any, *x: Tensor) -> Pairs:
    """Yield pairs of values and of gradients, for each reduction."""
    for r in REDUCTIONS:
        pair = (
            with_gradients(lambda *x, f=f, r=r: f(*x, reduction=r), *x)
            for f in (mine, theirs)
        )
        yield from zip(*pair, strict=True)


def bound(f: Callable[..., Tensor], *given: Any, **options: Any) -> Any:
    """Return f of a leading argument, with the others given."""
    return lambda x, **more: f(x, *given, **options, **more)


def _regression(name: str, options: list[dict[str, Any]]) -> None:
    @case(f"dlref.losses.{name}", f"torch.nn.functional.{name}", 1e-12)
    def pairs() -> Pairs:
        x, t = random(6, 8), random(6, 8, seed=1)
        for given in options:
            mine, theirs = (
                lambda *x, f=f, o=given, **r: f(*x, **o, **r)
                for f in (getattr(losses, name), getattr(F, name))
            )
            yield from compared(mine, theirs, x, t)


for _name, _options in REGRESSION.items():
    _regression(_name, _options)


@case(
    "dlref.losses.binary_cross_entropy",
    "torch.nn.functional.binary_cross_entropy",
    1e-12,
)
def binary_cross_entropy() -> Pairs:
    p, t = random(6, 8).sigmoid(), random(6, 8, seed=1).sigmoid()
    f, g = losses.binary_cross_entropy, F.binary_cross_entropy
    yield from compared(f, g, p, t)
    yield from compared(bound(f, t, t[0]), bound(g, t, t[0]), p)


@case(
    "dlref.losses.binary_cross_entropy_with_logits",
    "torch.nn.functional.binary_cross_entropy_with_logits",
    1e-12,
)
def binary_cross_entropy_with_logits() -> Pairs:
    x, t = 9 * random(6, 8), random(6, 8, seed=1).sigmoid()
    f, g = losses.binary_cross_entropy_with_logits, F.binary_cross_entropy_with_logits
    yield from compared(f, g, x, t)
    options: dict[str, Any] = {"weight": t[0], "pos_weight": 3 * t[1]}
    yield from compared(bound(f, t, **options), bound(g, t, **options), x)


@case("dlref.losses.focal_loss", "torchvision.ops.sigmoid_focal_loss", 1e-12)
def focal_loss() -> Pairs:
    x, t = random(6, 8), (random(6, 8, seed=1) > 0).double()
    f, g = losses.focal_loss, torchvision.ops.sigmoid_focal_loss
    for a, c in ((0.25, 2), (-1, 1.5), (0.5, 0)):
        yield from compared(bound(f, t, a, c), bound(g, t, a, c), x)


def scores() -> Iterator[tuple[Tensor, Tensor]]:
    """Yield scores and classes, of one sample, of a batch, of an image."""
    for shape in ((CLASSES,), (6, CLASSES), (2, CLASSES, 3, 2)):
        wanted = shape[:1] + shape[2:] if len(shape) > 1 else ()
        t = torch.arange(math.prod(wanted)).reshape(wanted) % CLASSES
        yield random(*shape), t


def _classes(name: str, options: list[dict[str, Any]]) -> None:
    f, g = getattr(losses, name), getattr(F, name)

    @case(f"dlref.losses.{name}", f"torch.nn.functional.{name}", 1e-12)
    def pairs() -> Pairs:
        for x, t in scores():
            for w in (None, random(CLASSES).exp()):
                for o in options:
                    yield from compared(bound(f, t, w, **o), bound(g, t, w, **o), x)
            if name == "cross_entropy":
                y = random(*x.shape, seed=1).softmax(min(1, x.ndim - 1))
                yield from compared(f, g, x, y)


_classes("nll_loss", [{}, {"ignore_index": 1}])
_classes("cross_entropy", [{}, {"ignore_index": 1, "label_smoothing": 0.1}])


@case("dlref.losses.kl_div", "torch.nn.functional.kl_div", 1e-12)
def kl_div() -> Pairs:
    x, t = random(6, 8).log_softmax(1), random(6, 8, seed=1).softmax(1)
    for target, log in ((t, False), (t.log(), True)):
        for r in ("none", "batchmean", "sum"):
            pair = (
                with_gradients(
                    lambda *x, f=f, r=r, log=log: f(*x, reduction=r, log_target=log),
                    *(x, target),
                )
                for f in (losses.kl_div, F.kl_div)
            )
            yield from zip(*pair, strict=True)


@case("dlref.losses.hinge_loss", "sklearn.metrics.hinge_loss", 1e-12)
def hinge_loss() -> Pairs:
    for seed in range(5):
        x, t = random(40, 5, seed=seed), torch.arange(40) % 5
        yield losses.hinge_loss(x, t), sklearn.metrics.hinge_loss(t, x)
        sign = 2 * (t % 2) - 1
        mean = sklearn.metrics.hinge_loss(sign, x[:, 0])
        yield losses.hinge_loss(x[:, 0], sign), mean


@case(
    "dlref.losses.triplet_margin_loss", "torch.nn.functional.triplet_margin_loss", 1e-12
)
def triplet_margin_loss() -> Pairs:
    given = [random(6, 8, seed=seed) for seed in range(3)]
    for options in ({}, {"swap": True, "p": 1}, {"margin": 0.3, "p": math.inf}):
        mine, theirs = (
            lambda *x, f=f, o=options, **r: f(*x, **o, **r)
            for f in (losses.triplet_margin_loss, F.triplet_margin_loss)
        )
        yield from compared(mine, theirs, *given)


@case("dlref.losses.one_hot", "torch.nn.functional.one_hot")
def one_hot() -> Pairs:
    t = torch.arange(12).reshape(3, 4) % 5
    for count in (-1, 5, 9):
        yield losses.one_hot(t, count), F.one_hot(t, count)

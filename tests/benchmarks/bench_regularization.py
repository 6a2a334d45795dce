"""What to time of dlref.regularization, against torch's and torchvision's."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import utils

from dlref import regularization as ours
from docs.tools.oracle import prepare_torchvision
from tests.benchmarks.harness import Case

ROWS = {"64 × 1024": (64, 1024), "256 × 4096": (256, 4096)}
MAPS = {"8 × 64 × 28²": (8, 64, 28, 28)}
NOISE, CLIPPING, MIXING = 2.0, 1.05, 1.05
PENALTY, COMPOSED = 1.2, 3.0


def values(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def trained(function: Callable[..., Tensor], x: Tensor) -> Callable[[], object]:
    """Return a call that computes the value and the gradient."""
    leaf = x.clone().requires_grad_()
    dy = values(*x.shape)
    return lambda: torch.autograd.grad(function(leaf, training=True), leaf, dy)


def noise_cases() -> Iterator[Case]:
    for name, shapes in (
        ("dropout", ROWS),
        ("alpha_dropout", ROWS),
        ("dropout2d", MAPS),
    ):
        for title, shape in shapes.items():
            mine, theirs = (
                trained(getattr(f, name), values(*shape)) for f in (ours, F)
            )
            yield Case(name, f"{title}, forward + backward", mine, theirs, NOISE)


def clipping_cases() -> Iterator[Case]:
    """Clip to infinity, so that every call finds the same numbers."""
    w = [nn.Parameter(torch.zeros(100)) for _ in range(300)]
    for p in w:
        p.grad = values(100)
    for name in ("clip_grad_norm_", "clip_grad_value_"):
        mine, theirs = (getattr(f, name) for f in (ours, utils))
        calls: list[Any] = [lambda f=f: f(w, 1e30) for f in (mine, theirs)]
        yield Case(name, "300 × 100", *calls, CLIPPING)


def mixing_cases() -> Iterator[Case]:
    prepare_torchvision()
    from torchvision.ops import stochastic_depth
    from torchvision.transforms import v2

    x, y = values(32, 3, 64, 64), torch.arange(32) % 10
    for name, theirs in (("mixup", v2.MixUp), ("cutmix", v2.CutMix)):
        mine, other = getattr(ours, name), theirs(num_classes=10)
        yield Case(
            name,
            "32 × 3 × 64²",
            lambda f=mine: f(x, y, num_classes=10),
            lambda f=other: f(x, y),
            MIXING,
        )
    mine, theirs = (
        trained(lambda x, training, f=f: f(x, 0.2, "row", training), x)
        for f in (ours.stochastic_depth, stochastic_depth)
    )
    name = "32 × 3 × 64², forward + backward"
    yield Case("stochastic_depth", name, mine, theirs, NOISE)


def penalty_cases() -> Iterator[Case]:
    """Compare with one call of torch a tensor."""
    w = [values(100, 30).requires_grad_() for _ in range(60)]
    for penalty, theirs in (
        (ours.l1_penalty, lambda w: sum(p.norm(1) for p in w)),
        (ours.l2_penalty, lambda w: sum(p.norm() ** 2 for p in w) / 2),
    ):
        calls: list[Any] = [
            lambda f=f: torch.autograd.grad(f(w), w) for f in (penalty, theirs)
        ]
        name = penalty.__name__
        yield Case(name, "60 × 3000, forward + backward", *calls, PENALTY)
    for title, shape in ROWS.items():
        x, dy = values(*shape).requires_grad_(), values(*shape)
        calls = [
            lambda f=f, x=x, dy=dy: torch.autograd.grad(f(x, 0.5), x, dy)
            for f in (ours.soft_threshold, F.softshrink)
        ]
        yield Case("soft_threshold", f"{title}, forward + backward", *calls, COMPOSED)


def regression_cases() -> Iterator[Case]:
    from sklearn.linear_model import Lasso, Ridge

    X, y = values(400, 30).double(), values(400).double()
    y = y + X[:, :5].sum(1)
    given = X.numpy(), y.numpy()
    mine = [lambda: ours.ridge(X, y), lambda: ours.lasso_ista(X, y, 0.1)]
    for f, theirs in zip(mine, (Ridge(), Lasso(0.1)), strict=True):
        name = "lasso_ista" if theirs.alpha == 0.1 else "ridge"
        yield Case(name, "400 × 30", f, lambda m=theirs: m.fit(*given), None)


def cases() -> list[Case]:
    """Return the cases."""
    return [
        *noise_cases(),
        *clipping_cases(),
        *mixing_cases(),
        *penalty_cases(),
        *regression_cases(),
    ]

"""What tests/test_parity.py measures of dlref.regularization, from equal draws."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import sklearn.linear_model
import torch
import torch.nn.functional as F
import torchvision.ops
from torch import Tensor, nn
from torch.nn import utils
from torchvision.transforms import v2

from dlref import regularization
from tests.parity_cases import Pairs, case

RATES = (0.1, 0.5, 0.9, 1.0)


def random(*shape: int, seed: int = 1) -> Tensor:
    """Draw numbers of float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def drawn(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call it with the generator of the CPU at a fixed state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return call(*arguments, **options)


def with_gradient(f: Callable[[Tensor], Tensor], x: Tensor) -> Iterator[Tensor]:
    """Yield the value, and the gradient of its sum with weights 1, 2, 3, 4, 1, ..."""
    leaf = x.detach().clone().requires_grad_()
    y = drawn(f, leaf)
    yield y
    weights = (torch.arange(y.numel()) % 4 + 1).to(y).reshape(y.shape)
    yield from torch.autograd.grad(y, leaf, weights)


def _noise(name: str, oracle: str, theirs: Any, *arguments: str) -> None:
    ours = getattr(regularization, name)

    @case(f"dlref.regularization.{name}", oracle)
    def pairs() -> Pairs:
        for p, shape in product(RATES, ((4, 5, 6, 3), (7, 40, 1, 1))):
            x = random(*shape)
            pair = (
                with_gradient(lambda x, f=f, p=p: f(x, p, *arguments, training=True), x)
                for f in (ours, theirs)
            )
            yield from zip(*pair, strict=True)


for _name in ("dropout", "dropout2d", "alpha_dropout"):
    _noise(_name, f"torch.nn.functional.{_name}", getattr(F, _name))
for _mode in ("batch", "row"):
    _noise(
        "stochastic_depth",
        f'torchvision.ops.stochastic_depth(mode="{_mode}")',
        torchvision.ops.stochastic_depth,
        _mode,
    )


@case("dlref.regularization.clip_grad_norm_", "torch.nn.utils.clip_grad_norm_")
def clip_grad_norm_() -> Pairs:
    for p, foreach in product((1, 2, 4, float("inf")), (False, True)):
        results = []
        for f in (regularization, utils):
            ws = [nn.Parameter(torch.zeros(n, 50).double()) for n in range(1, 5)]
            for i, w in enumerate(ws):
                w.grad = random(*w.shape, seed=i)
            norm = f.clip_grad_norm_(ws, 0.5, p, foreach=foreach)
            results.append([norm, *(w.grad for w in ws)])
        yield from zip(*results, strict=True)


@case("dlref.regularization.clip_grad_value_", "torch.nn.utils.clip_grad_value_")
def clip_grad_value_() -> Pairs:
    for foreach in (False, True):
        results = []
        for f in (regularization, utils):
            w = nn.Parameter(torch.zeros(30, 50).double())
            w.grad = random(30, 50)
            f.clip_grad_value_(w, 0.5, foreach)
            results.append(w.grad)
        yield results


@case(
    "dlref.regularization.label_smoothing", "torch.nn.functional.cross_entropy", 1e-12
)
def label_smoothing() -> Pairs:
    scores = random(6, 5, 3, 2)
    target = torch.arange(36).reshape(6, 3, 2) % 5
    one_hot = F.one_hot(target, 5).double().movedim(-1, 1)
    for smoothing in (0.0, 0.1, 0.5, 1.0):
        q = regularization.label_smoothing(one_hot, smoothing, dim=1)
        theirs = F.cross_entropy(scores, target, label_smoothing=smoothing)
        yield F.cross_entropy(scores, q), theirs


def _mixing(name: str, oracle: str) -> None:
    ours = getattr(regularization, name)

    @case(f"dlref.regularization.{name}", f"torchvision.transforms.v2.{oracle}")
    def pairs() -> Pairs:
        x, y = random(6, 3, 9, 14), torch.arange(6) % 4
        for alpha in (0.2, 1.0, 3.0):
            options = {"alpha": alpha, "num_classes": 4}
            theirs = drawn(getattr(v2, oracle)(**options), x, y)
            yield from zip(drawn(ours, x, y, **options), theirs, strict=True)


_mixing("mixup", "MixUp")
_mixing("cutmix", "CutMix")


@case("dlref.regularization.EarlyStopping", "numpy: weights at the least value")
def early_stopping() -> Pairs:
    for seed in range(10):
        values = random(30, seed=seed).tolist()
        model = nn.Linear(1, 1)
        stopping = regularization.EarlyStopping(patience=30)
        for step, value in enumerate(values):
            nn.init.constant_(model.weight, step)
            stopping.step(value, model)
        stopping.restore(model)
        yield model.weight.item(), float(np.argmin(values))
        yield stopping.best, float(np.min(values))


def _penalty(name: str, oracle: str, formula: Callable[[Any], float]) -> None:
    ours = getattr(regularization, name)

    @case(f"dlref.regularization.{name}", oracle, 1e-12)
    def pairs() -> Pairs:
        for seed, alpha in product(range(3), (0.0, 0.01, 1.0, 10.0)):
            w = [random(4, 5, seed=seed), random(7, seed=seed + 10)]
            together = torch.cat([w[0].flatten(), w[1]]).numpy()
            yield ours(w, alpha).item(), alpha * formula(together)


_penalty("l1_penalty", "numpy.linalg.norm", lambda w: np.linalg.norm(w, 1))
_penalty("l2_penalty", "numpy.linalg.norm", lambda w: np.linalg.norm(w, 2) ** 2 / 2)
_penalty(
    "elastic_net_penalty",
    "numpy.linalg.norm",
    lambda w: np.linalg.norm(w, 1) / 2 + np.linalg.norm(w, 2) ** 2 / 4,
)


@case("dlref.regularization.soft_threshold", "torch.nn.functional.softshrink")
def soft_threshold() -> Pairs:
    x = torch.cat([random(200), torch.linspace(-2, 2, 17).double()])
    for lambd in (0.0, 0.25, 0.3, 1.0):
        pair = (
            with_gradient(lambda x, f=f, b=lambd: f(x, b), x)
            for f in (regularization.soft_threshold, F.softshrink)
        )
        yield from zip(*pair, strict=True)


def regressions() -> Iterator[tuple[Tensor, Tensor, float, bool]]:
    """Yield features, targets, strength, and whether to fit an intercept."""
    for (n, p), alpha in product([(40, 6), (8, 20)], (0.05, 0.5, 5.0)):
        X = random(n, p) + torch.arange(p) / p
        y = 3 + X @ random(p, seed=2) + 0.3 * random(n, seed=3)
        yield from ((X, y, alpha, fit_intercept) for fit_intercept in (True, False))


@case("dlref.regularization.ridge", "sklearn.linear_model.Ridge", 1e-10)
def ridge() -> Pairs:
    for X, y, alpha, b in regressions():
        mine = regularization.ridge(X, y, alpha, fit_intercept=b)
        theirs = sklearn.linear_model.Ridge(alpha, fit_intercept=b).fit(X, y)
        yield mine.coef, torch.tensor(theirs.coef_)
        yield mine.intercept.item(), theirs.intercept_


def _lasso(oracle: str, *, accelerate: bool) -> None:
    @case("dlref.regularization.lasso_ista", oracle, 1e-5)
    def pairs() -> Pairs:
        for X, y, alpha, b in regressions():
            mine = regularization.lasso_ista(
                X, y, alpha, fit_intercept=b, tol=1e-12, max_iter=20_000,
                accelerate=accelerate,
            )  # fmt: skip
            options = {"fit_intercept": b, "tol": 1e-12, "max_iter": 10**6}
            theirs = sklearn.linear_model.Lasso(alpha, **options).fit(X, y)
            yield mine.coef, torch.tensor(theirs.coef_)
            yield mine.intercept.item(), theirs.intercept_


_lasso("sklearn.linear_model.Lasso, tol=1e-12", accelerate=False)
_lasso("sklearn.linear_model.Lasso, tol=1e-12; accelerate=True", accelerate=True)

"""What tests/test_parity.py measures of dlref.optim and dlref.schedules."""

from typing import Any

import numpy as np
import scipy.optimize
import torch
from torch import nn

from dlref import optim, schedules
from tests.parity_cases import Pairs, case

STEPS = 100
CLASSES = ("SGD", "Adagrad", "RMSprop", "Adadelta", "Adam", "AdamW", "Adamax", "NAdam")


def descend(module: Any, name: str, dtype: torch.dtype, **options: Any) -> torch.Tensor:
    """Go into a bowl that is shaken."""
    generator = torch.Generator("cpu").manual_seed(0)
    theta = torch.randn(40, generator=generator, dtype=dtype, device="cpu")
    noise = torch.randn(STEPS, 40, generator=generator, dtype=dtype, device="cpu")
    p = nn.Parameter(theta.to(torch.get_default_device()))
    optimizer = getattr(module, name)([p], foreach=False, **options)
    for shake in noise.to(p.device):
        p.grad = shake.add(p.detach(), alpha=0.5)
        optimizer.step()
    return p.detach()


def _optimizer(name: str) -> None:
    def pairs() -> Pairs:
        for dtype in (torch.float32, torch.float64):
            for options in ({}, {"lr": 0.01, "weight_decay": 0.1}):
                runs = (
                    descend(m, name, dtype, **options) for m in (optim, torch.optim)
                )
                yield tuple(runs)

    oracle = f"torch.optim.{name}, foreach=False, {STEPS} steps"
    case(f"dlref.optim.{name}", oracle)(pairs)
    if name != "AdamW":  # its rule is Adam's
        rule = "rmsprop" if name == "RMSprop" else name.lower()
        case(f"dlref.optim.{rule}_", oracle)(pairs)


for _name in CLASSES:
    _optimizer(_name)


def rosenbrock(p: torch.Tensor) -> torch.Tensor:
    """A valley."""
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def follow(module: Any) -> torch.Tensor:
    """Go through the valley with L-BFGS."""
    p = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    optimizer = module.LBFGS([p], line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = rosenbrock(p)
        loss.backward()
        return loss

    optimizer.step(closure)
    return p.detach()


def _lbfgs() -> Pairs:
    yield follow(optim), follow(torch.optim)


for _name in ("LBFGS", "two_loop_direction"):
    case(f"dlref.optim.{_name}", "torch.optim.LBFGS, strong Wolfe", 1e-9)(_lbfgs)


def _newton() -> Pairs:
    p = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    optimizer = optim.Newton([p], saddle_free=False)
    for _ in range(3):
        x = p.detach().numpy(force=True).copy()
        H, g = scipy.optimize.rosen_hess(x), scipy.optimize.rosen_der(x)
        optimizer.step(lambda: rosenbrock(p))
        yield p.detach(), x - np.linalg.solve(H, g)


for _name in ("Newton", "newton_direction"):
    case(f"dlref.optim.{_name}", "scipy.optimize.rosen_hess, NumPy", 1e-9)(_newton)


@case("dlref.optim.GradientDescent", "torch.optim.SGD")
def gradient_descent() -> Pairs:
    """Without a line search."""
    ends = []
    for kind in (optim.GradientDescent, torch.optim.SGD):
        p = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
        optimizer = kind([p], lr=1e-3)
        for _ in range(STEPS):
            optimizer.zero_grad()
            rosenbrock(p).backward()
            optimizer.step()
        ends.append(p.detach())
    yield tuple(ends)


@case("dlref.optim.backtrack", "the definition, by hand")
def backtrack() -> Pairs:
    """Halved until f(1 - 2t) falls by enough."""
    for lr, expected in ((8.0, 0.5), (0.75, 0.75), (0.25, 0.25), (3.0, 0.75)):
        yield optim.backtrack(lambda t: (1 - 2 * t) ** 2, 1.0, -4.0, lr=lr), expected


@case("dlref.optim.flatten_parameters", "torch.optim.Adam on the parameters")
def flatten_parameters() -> Pairs:
    """A model as one vector takes the same steps."""
    torch.manual_seed(0)
    x, models = torch.randn(9, 3), []
    for flat in (True, False):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        groups = [optim.flatten_parameters(model)] if flat else model.parameters()
        optimizer = torch.optim.Adam(groups, foreach=False)
        for _ in range(20):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
        models.append(model)
    yield from zip(*(m.parameters() for m in models), strict=True)


# --- schedules ------------------------------------------------------------------------

SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {
    "step_decay": ("StepLR", {"step_size": 3}),
    "exponential_decay": ("ExponentialLR", {"gamma": 0.8}),
    "cosine_decay": ("CosineAnnealingLR", {"T_max": 8}),
    "locate_restart": ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
    "linear_warmup": ("LinearLR", {"start_factor": 0.1}),
    "interpolate": ("OneCycleLR", {"max_lr": 1.0, "total_steps": 30}),
}


def _schedule(curve: str, name: str, options: dict[str, Any]) -> None:
    def pairs() -> Pairs:
        twins = [torch.optim.SGD([torch.ones(1)], lr=0.1, momentum=0.9) for _ in "ab"]
        ours = getattr(schedules, name)(twins[0], **options)
        theirs = getattr(torch.optim.lr_scheduler, name)(twins[1], **options)
        for _ in range(25):
            yield ours.get_last_lr(), theirs.get_last_lr()
            for part in (*twins, ours, theirs):
                part.step()

    for function in (curve, name):
        oracle = f"torch.optim.lr_scheduler.{name}"
        case(f"dlref.schedules.{function}", oracle, 1e-15)(pairs)


for _curve, (_name, _options) in SCHEDULERS.items():
    _schedule(_curve, _name, _options)

"""What to time of dlref.losses, against torch's and torchvision's."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from dlref import losses
from tests.benchmarks.harness import Case

SHAPES = {"64 × 10": (64, 10), "256 × 1000": (256, 1000)}
# l1 is one absolute value on either side; the others are composed of several steps
ONE, COMPOSED = 1.05, 3.0
OPTIONS: dict[str, dict[str, Any]] = {
    "mse_loss": {},
    "huber_loss": {},
    "smooth_l1_loss": {},
    "binary_cross_entropy": {},
    "binary_cross_entropy_with_logits": {},
    "kl_div": {"reduction": "batchmean"},
}


def values(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def trained(function: Callable[..., Tensor], x: Tensor) -> Callable[[], object]:
    """Return a call that computes the loss and its gradient."""
    leaf = x.clone().requires_grad_()
    return lambda: torch.autograd.grad(function(leaf), leaf)


def pair(
    name: str, theirs: Callable[..., Tensor], x: Tensor, *given: Tensor, **options: Any
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return our call and theirs."""
    mine, other = (
        trained(lambda x, f=f: f(x, *given, **options), x)
        for f in (getattr(losses, name), theirs)
    )
    return mine, other


def elementwise_cases() -> Iterator[Case]:
    calls = [("l1_loss", {}, ONE)]
    calls += [(name, options, COMPOSED) for name, options in OPTIONS.items()]
    for (name, options, target), (title, shape) in (
        (call, item) for call in calls for item in SHAPES.items()
    ):
        x, t = values(*shape), values(*shape, seed=1).sigmoid()
        x = x.sigmoid() if name == "binary_cross_entropy" else x
        mine, theirs = pair(name, getattr(F, name), x, t, **options)
        yield Case(name, f"{title}, forward + backward", mine, theirs, target)


def class_cases() -> Iterator[Case]:
    for title, shape in {**SHAPES, "8 × 21 × 64 × 64": (8, 21, 64, 64)}.items():
        x, generator = values(*shape), torch.Generator().manual_seed(1)
        t = torch.randint(shape[1], (shape[0], *shape[2:]), generator=generator)
        log_p = x.log_softmax(1)
        case = f"{title}, forward + backward"
        yield Case("nll_loss", case, *pair("nll_loss", F.nll_loss, log_p, t), COMPOSED)
        calls = pair("cross_entropy", F.cross_entropy, x, t)
        yield Case("cross_entropy", case, *calls, COMPOSED)
        if len(shape) > 2:
            continue
        calls = pair("cross_entropy", F.cross_entropy, x, values(*shape).softmax(1))
        name = f"{title}, probabilities, forward + backward"
        yield Case("cross_entropy", name, *calls, COMPOSED)
        mine, theirs = (partial(f, t, shape[1]) for f in (losses.one_hot, F.one_hot))
        yield Case("one_hot", title, mine, theirs, COMPOSED)


def other_cases() -> Iterator[Case]:
    for title, shape in SHAPES.items():
        case = f"{title}, forward + backward"
        x, t = values(*shape), (values(*shape, seed=1) > 1).float()
        calls = pair("focal_loss", sigmoid_focal_loss, x, t, reduction="mean")
        yield Case("focal_loss", case, *calls, COMPOSED)
        given = values(*shape, seed=1), values(*shape, seed=2)
        calls = pair("triplet_margin_loss", F.triplet_margin_loss, x, *given)
        yield Case("triplet_margin_loss", case, *calls, COMPOSED)


def cases() -> list[Case]:
    """Return the cases, each with its gradient but for `one_hot`'s."""
    return [*elementwise_cases(), *class_cases(), *other_cases()]

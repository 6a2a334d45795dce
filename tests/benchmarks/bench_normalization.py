"""What to time of dlref.normalization, against torch.nn.functional and torchvision."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlref import models
from dlref import normalization as ours
from docs.tools.oracle import prepare_torchvision
from tests.benchmarks.harness import Case

FORWARD, BOTH, EVALUATION = 1.4, 1.9, 2.0  # of batch norm
BATCHES = {
    "ResNet, 32 × 64 × 56²": (32, 64, 56, 56),
    "ResNet, 8 × 256 × 14²": (8, 256, 14, 14),
    "ResNet, 8 × 64 × 28²": (8, 64, 28, 28),
}
ROWS = {"8 × 197 × 768": (8, 197, 768), "32 × 128 × 512": (32, 128, 512)}


def values(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def parameters(*shape: int) -> tuple[Tensor, Tensor]:
    return 1 + 0.1 * values(*shape), values(*shape)


def no_grad(call: Callable[[], Tensor]) -> Callable[[], Tensor]:
    return torch.no_grad()(call)


def trained(function: Callable[..., Tensor], *given: Tensor) -> Callable[[], object]:
    """Return a call that takes the gradients back to everything."""
    leaves = [x.clone().requires_grad_() for x in given]
    dy = values(*given[0].shape)
    return lambda: torch.autograd.grad(function(*leaves), leaves, dy)


def batch_norm_cases() -> Iterator[Case]:
    for name, shape in BATCHES.items():
        x, (w, b), c = values(*shape), parameters(shape[1]), shape[1]

        def call(
            batch_norm: Any, x: Tensor, w: Tensor, b: Tensor, c: int = c
        ) -> Tensor:
            mean, var = torch.zeros(c), torch.ones(c)
            return batch_norm(x, mean, var, w, b, training=True)

        mine, theirs = (partial(call, f) for f in (ours.batch_norm, F.batch_norm))
        yield Case(
            "batch_norm",
            name,
            no_grad(partial(mine, x, w, b)),
            no_grad(partial(theirs, x, w, b)),
            FORWARD,
        )
        yield Case(
            "batch_norm",
            f"{name}, forward + backward",
            trained(mine, x, w, b),
            trained(theirs, x, w, b),
            BOTH,
        )
    x, (w, b) = values(8, 256, 14, 14), parameters(256)
    yield Case(
        "batch_norm",
        "8 × 256 × 14², evaluation",
        no_grad(lambda: ours.batch_norm(x, b, w, w, b)),
        no_grad(lambda: F.batch_norm(x, b, w, w, b)),
        EVALUATION,
    )


def layer_norm_cases() -> Iterator[Case]:
    for name, shape in ROWS.items():
        x, (w, b), last = values(*shape), parameters(shape[-1]), shape[-1:]
        yield Case(
            "layer_norm",
            name,
            no_grad(lambda x=x, s=last, w=w, b=b: ours.layer_norm(x, s, w, b)),
            no_grad(lambda x=x, s=last, w=w, b=b: F.layer_norm(x, s, w, b)),
            3.5,
        )


def other_cases() -> Iterator[Case]:
    x, (w, b) = values(8, 64, 28, 28), parameters(64)
    calls: dict[str, Callable[[Any], Tensor]] = {
        "group_norm": lambda f: f.group_norm(x, 32, w, b),
        "instance_norm": lambda f: f.instance_norm(x, None, None, w, b),
        "local_response_norm": lambda f: f.local_response_norm(x, 5),
        "rms_norm": lambda f: f.rms_norm(x, (28,), w[:28]),
    }
    for name, call in calls.items():
        yield Case(
            name,
            "8 × 64 × 28²",
            no_grad(partial(call, ours)),
            no_grad(partial(call, F)),
            None,
        )


def fusion_cases(theirs: Callable[..., Any]) -> Iterator[Case]:
    network = theirs().eval()
    mine = models.resnet50(weights=network.state_dict()).eval()
    fused = ours.fuse_conv_bn(mine).to(memory_format=torch.channels_last)
    for batch, target in (1, 0.9), (8, 0.8):
        x = values(batch, 3, 224, 224)
        y = x.to(memory_format=torch.channels_last)
        yield Case(
            "fuse_conv_bn",
            f"ResNet-50, channels_last, batch {batch} ÷ torchvision's",
            no_grad(partial(fused, y)),
            no_grad(partial(network, x)),
            target,
        )


def cases() -> list[Case]:
    """Return the cases of the functions, and those of a whole network."""
    prepare_torchvision()
    from torchvision.models import resnet50

    return [
        *batch_norm_cases(),
        *layer_norm_cases(),
        *other_cases(),
        *fusion_cases(resnet50),
    ]

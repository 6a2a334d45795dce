"""What to time of dlref.convolution, against torch's functions.

A target is the largest ratio, ours to theirs, that passes. Ours is products of
matrices: where torch's convolution is of another library (oneDNN, in float32) than its
products (MKL), their ratio is what remains; in float64 both are of one.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlref import convolution as ours
from tests.benchmarks.harness import Case

# name, input, kernels, then stride, padding, dilation, groups; target of the forward
LAYERS: list[tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...], float]] = [
    ("64 × 56², 3×3", (1, 64, 56, 56), (64, 64, 3, 3), (1, 1, 1, 1), 1.5),
    ("128 × 28², 3×3", (1, 128, 28, 28), (128, 128, 3, 3), (1, 1, 1, 1), 1.5),
    ("512 × 7², 3×3", (1, 512, 7, 7), (512, 512, 3, 3), (1, 1, 1, 1), 2.0),
    ("64 × 56², 1×1, to 256", (1, 64, 56, 56), (256, 64, 1, 1), (1, 0, 1, 1), 1.1),
    ("LeNet, first", (1, 1, 28, 28), (6, 1, 5, 5), (1, 2, 1, 1), 5.0),
    ("LeNet, second", (1, 6, 14, 14), (16, 6, 5, 5), (1, 0, 1, 1), 5.0),
    ("LeNet, second, 64 images", (64, 6, 14, 14), (16, 6, 5, 5), (1, 0, 1, 1), 5.0),
    ("64 × 56², 3×3, stride 2", (1, 64, 56, 56), (128, 64, 3, 3), (2, 1, 1, 1), 5.0),
    ("3 × 112², 7×7, stride 2", (1, 3, 112, 112), (64, 3, 7, 7), (2, 3, 1, 1), 5.0),
    ("128 × 28², dilation 2", (1, 128, 28, 28), (128, 128, 3, 3), (1, 2, 2, 1), 5.0),
    ("128 × 28², 32 groups", (1, 128, 28, 28), (128, 4, 3, 3), (1, 1, 1, 32), 5.0),
    ("128 × 28², depthwise", (1, 128, 28, 28), (128, 1, 3, 3), (1, 1, 1, 128), 5.0),
]


def numbers(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator, dtype=dtype)


def forward(conv: Callable[..., Tensor], *arguments: object) -> Callable[[], Tensor]:
    return lambda: conv(*arguments)


def forward_and_backward(
    conv: Callable[..., Tensor], x: Tensor, w: Tensor, *rest: object
) -> Callable[[], object]:
    x, w = x.clone().requires_grad_(), w.clone().requires_grad_()

    def step() -> object:
        y = conv(x, w, *rest)
        return torch.autograd.grad(y, (x, w), y.detach())

    return step


def conv2d_cases() -> Iterator[Case]:
    for name, pixels, kernels, geometry, target in LAYERS:
        x, w = numbers(*pixels), numbers(*kernels)
        calls = (forward(f, x, w, None, *geometry) for f in (ours.conv2d, F.conv2d))
        yield Case("conv2d", name, *calls, target)
    for name, pixels, kernels, geometry, _ in LAYERS[:2]:
        x, w = (numbers(*shape, dtype=torch.float64) for shape in (pixels, kernels))
        calls = (forward(f, x, w, None, *geometry) for f in (ours.conv2d, F.conv2d))
        yield Case("conv2d", f"{name}, float64", *calls, 1.5)
    for name, pixels, kernels, geometry, target in LAYERS:
        x, w = numbers(*pixels), numbers(*kernels)
        calls = (
            forward_and_backward(f, x, w, None, *geometry)
            for f in (ours.conv2d, F.conv2d)
        )
        special = target == 5.0 and "LeNet" not in name
        yield Case("conv2d, forward + backward", name, *calls, 5.0 if special else 2.5)


def other_cases() -> Iterator[Case]:
    others = [
        ("conv1d", "64 × 1024, 3", (4, 64, 1024), (64, 64, 3), (1, 1)),
        ("conv3d", "16 × 16³, 3×3×3", (1, 16, 16, 16, 16), (16, 16, 3, 3, 3), (1, 1)),
        ("conv_transpose2d", "64 × 28², 4×4, stride 2", (1, 64, 28, 28),
         (64, 32, 4, 4), (2, 1)),
    ]  # fmt: skip
    for function, name, pixels, kernels, geometry in others:
        x, w = numbers(*pixels), numbers(*kernels)
        calls = (
            forward(getattr(room, function), x, w, None, *geometry)
            for room in (ours, F)
        )
        yield Case(function, name, *calls, 5.0)


def separable_cases() -> Iterator[Case]:
    for name, pixels in [
        ("8 × 32 × 56², 3×3, to 64", (8, 32, 56, 56)),
        ("32 × 64 × 14², 3×3, to 64", (32, 64, 14, 14)),
    ]:
        x, c = numbers(*pixels), pixels[1]
        mine = ours.SeparableConv2d(c, 64, 3, padding=1)
        first = nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False)
        theirs = nn.Sequential(first, nn.Conv2d(c, 64, 1))
        calls = (training_step(layer, x) for layer in (mine, theirs))
        yield Case("SeparableConv2d, forward + backward", name, *calls, 2.5)


def training_step(layer: nn.Module, x: Tensor) -> Callable[[], object]:
    x = x.clone().requires_grad_()
    wanted = [x, *layer.parameters()]

    def step() -> object:
        y = layer(x)
        return torch.autograd.grad(y, wanted, y.detach())

    return step


def cases() -> list[Case]:
    """Return one case a layer, forward and with its gradient, and other functions."""
    return [*conv2d_cases(), *other_cases(), *separable_cases()]

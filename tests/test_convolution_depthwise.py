"""A kernel for every channel, stride 1: computed on lines of pixels, not by im2col."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dlref import convolution
from dlref.convolution import _shifts, conv2d, conv_transpose2d
from dlref.convolution._arguments import conv_axes
from dlref.convolution._geometry import Geometry
from tests.memory import peak_bytes

pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit.script` is deprecated",  # torch, as forward mode is first used
)
CASES: list[tuple[str, tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ("conv1d", (3, 5, 11), (4,), {"padding": 2}),
    ("conv1d", (2, 4, 32), (5,), {"dilation": 2}),
    ("conv2d", (3, 4, 9, 8), (3, 3), {}),
    ("conv2d", (3, 4, 9, 8), (3, 3), {"padding": 1}),
    ("conv2d", (2, 6, 9, 11), (3, 2), {"padding": (3, 2), "dilation": (2, 3)}),
    ("conv2d", (1, 1, 7, 7), (5, 5), {"padding": "same"}),
    ("conv3d", (2, 3, 5, 6, 7), (2, 3, 3), {"padding": (0, 1, 1)}),
    ("conv_transpose1d", (3, 5, 11), (4,), {"padding": 2}),
    ("conv_transpose2d", (3, 4, 9, 8), (3, 3), {}),
    ("conv_transpose2d", (3, 4, 9, 8), (3, 3), {"padding": 2}),
    (
        "conv_transpose2d",
        (2, 4, 9, 9),
        (3, 3),
        {"padding": 1, "dilation": 2, "output_padding": (1, 0)},
    ),
    ("conv_transpose3d", (2, 3, 5, 6, 7), (2, 3, 3), {"padding": (0, 1, 1)}),
]


def numbers(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=dtype)


def outcome(function: Any, x: Tensor, w: Tensor, options: dict[str, Any]):
    """Return the value and both gradients."""
    x, w = x.clone().requires_grad_(), w.clone().requires_grad_()
    y = function(x, w, groups=len(w), **options)
    direction = numbers(*y.shape).to(y)
    return [y, *torch.autograd.grad(y, (x, w), direction)]


def seen(monkeypatch) -> list[str]:
    """Return where the names of the sums that are taken on lines will be put."""
    names: list[str] = []
    for name in ("by_output", "by_input", "by_weight"):
        plain = getattr(_shifts, name)

        def spy(*arguments, name=name, plain=plain):
            names.append(name)
            plain(*arguments)

        monkeypatch.setattr(_shifts, name, spy)
    return names


@pytest.mark.parametrize("together", [1, 2**20])  # images: one by one, or all at once
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize(("name", "shape", "taps", "options"), CASES)
def test_value_and_gradients(
    name, shape, taps, options, dtype, together, device, monkeypatch
):
    monkeypatch.setattr(_shifts, "_TOGETHER", together)
    names = seen(monkeypatch)
    x, w = numbers(*shape, dtype=dtype), numbers(shape[1], 1, *taps, dtype=dtype)
    theirs = outcome(getattr(F, name), x, w, options)
    ours = outcome(getattr(convolution, name), x.to(device), w.to(device), options)
    for o, t in zip(ours, theirs, strict=True):
        torch.testing.assert_close(
            o.cpu(), t, rtol=0, atol=1e-13 * t.abs().max().item()
        )
    assert sorted(names) == ["by_input", "by_output", "by_weight"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64])
def test_other_numbers(dtype, device):
    x, w = (10 * numbers(2, 4, 9, 8)).to(dtype), (10 * numbers(4, 1, 3, 3)).to(dtype)
    for ours, theirs in ((conv2d, F.conv2d), (conv_transpose2d, F.conv_transpose2d)):
        y = ours(x.to(device), w.to(device), groups=4, padding=1).cpu()
        exact = theirs(x.double(), w.double(), groups=4, padding=1)
        assert y.dtype == dtype
        eps = 0 if dtype == torch.int64 else torch.finfo(dtype).eps
        bound = (
            2 * eps * theirs(x.double().abs(), w.double().abs(), groups=4, padding=1)
        )
        assert ((y.double() - exact).abs() <= bound).all()


def test_higher_derivatives_and_batches(device):
    x = numbers(2, 3, 4, 5).to(device).requires_grad_()
    w = numbers(3, 1, 3, 3).to(device).requires_grad_()

    def depthwise(x, w):
        return conv2d(x, w, groups=3, padding=1)

    assert torch.autograd.gradcheck(depthwise, (x, w), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(depthwise, (x, w))
    many = torch.vmap(depthwise)(torch.stack([x, 2 * x]), torch.stack([w, w]))
    torch.testing.assert_close(many[1], 2 * many[0], rtol=0, atol=1e-13)


def test_infinite_numbers_stay_where_they_are(device):
    x = numbers(1, 2, 6, 6).to(device)
    x[0, 0, 2, 5] = torch.inf  # the last of a row: the next row does not see it
    w = numbers(2, 1, 3, 3).to(device)
    y = conv2d(x, w, groups=2, padding=1)
    assert y.isinf().nonzero().tolist() == [
        [0, 0, i, j] for i in (1, 2, 3) for j in (4, 5)
    ]
    assert not y.isnan().any()


def test_channels_last_stays(device):
    x = numbers(2, 4, 9, 8).to(device).to(memory_format=torch.channels_last)
    w = numbers(4, 1, 3, 3).to(device)
    y = conv2d(x, w, groups=4, padding=1)
    assert y.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(
        y, conv2d(x.contiguous(), w, groups=4, padding=1), rtol=0, atol=0
    )


def test_holds_less_than_im2col():
    x, w = torch.ones(4, 16, 28, 28), torch.ones(16, 1, 3, 3)
    peak = peak_bytes(lambda: conv2d(x, w, groups=16, padding=1))
    assert peak <= 3.5 * x.numel() * 4  # im2col: 9, and the output


@pytest.mark.parametrize(
    ("shape", "w", "options"),
    [
        ((1, 4, 9, 9), (8, 1, 3, 3), {"groups": 4}),  # two kernels a channel
        ((1, 4, 9, 9), (4, 2, 3, 3), {"groups": 2}),
        ((1, 4, 9, 9), (4, 1, 3, 3), {"groups": 4, "stride": 2}),
        ((1, 4, 9, 9), (4, 1, 1, 2), {"groups": 4}),  # lines would hold more
        ((1, 4, 3, 3), (4, 1, 3, 3), {"groups": 4}),
    ],
)
def test_others_are_products_of_matrices(shape, w, options, monkeypatch):
    names = seen(monkeypatch)
    x, w = numbers(*shape), numbers(*w)
    torch.testing.assert_close(conv2d(x, w, **options), F.conv2d(x, w, **options))
    assert names == []
    axes = conv_axes(shape[2:], w.shape[2:], options.get("stride", 1), 0, 1)
    assert not _shifts.fits(w, Geometry(axes, options["groups"]))

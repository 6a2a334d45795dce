"""Receptive fields of dlref.summary: the support of the gradient, and dlref.shapes."""

import os

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dlref.shapes import receptive_field
from dlref.summary import Row, summary

few = os.environ.get("DLREF_EXAMPLES") == "few"
wide = settings(max_examples=20 if few else 100, deadline=None)


class Branches(nn.Module):
    """Convolutions side by side, joined along the channels or added."""

    def __init__(self, how: str, *branches: nn.Module) -> None:
        super().__init__()
        self.how = how
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        y = [branch(x) for branch in self.branches]
        return torch.cat(y, 1) if self.how == "cat" else F.relu(sum(y[1:], y[0]))


def make_positive(net: nn.Module) -> nn.Module:
    """All weights positive and maxima replaced by means: no gradient cancels."""
    for module in net.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.MaxPool2d):
                k, s, p = child.kernel_size, child.stride, child.padding
                setattr(module, name, nn.AvgPool2d(k, s, p, child.ceil_mode))
    with torch.no_grad():
        for p in net.parameters():
            p.fill_(1 / p[0].numel() if p.ndim > 1 else 1)
    return net.double().eval()


def support(net: nn.Module, *size: int, pixel: int) -> list[int]:
    """Input pixels, along each axis, with a gradient from one pixel of the output."""
    x = torch.ones(1, *size, dtype=torch.float64, requires_grad=True)
    y = net(x)
    (dx,) = torch.autograd.grad(y[(0, 0, *[pixel] * (y.ndim - 2))], x)
    return [torch.count_nonzero(dx[0, 0].amax(axis)).item() for axis in (1, 0)]


def last(net: nn.Module, *size: int) -> Row:
    return summary(net, size).rows[-1]


def conv(i: int, o: int, k: int, s: int = 1, d: int = 1) -> nn.Conv2d:
    return nn.Conv2d(i, o, k, s, d * (k - 1) // 2, d)


layers = st.tuples(
    st.sampled_from(["conv", "max", "avg"]), st.integers(1, 4), st.integers(1, 3),
    st.integers(1, 2),
)  # fmt: skip


def build(kind: str, k: int, s: int, d: int) -> nn.Module:
    if kind == "conv":
        return nn.Conv2d(1, 1, k, s, dilation=d)
    return nn.MaxPool2d(k, s, dilation=d) if kind == "max" else nn.AvgPool2d(k, s)


@wide
@given(st.lists(layers, min_size=1, max_size=5))
def test_a_stack_has_the_field_that_dlref_shapes_gives(stack) -> None:
    net = nn.Sequential(*(build(*layer) for layer in stack))
    rows = summary(net, (1, 600, 600)).rows
    for number, row in enumerate(rows):
        assert row.receptive_field == receptive_field(net[: number + 1]).size


def test_functions_count_like_layers() -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Conv2d(4, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            w = torch.ones(4, 1, 3, 3, device=x.device, dtype=x.dtype)
            x = F.relu(F.conv2d(x, w, stride=2), inplace=True)
            x = F.max_pool2d(F.pad(x, (1, 1, 1, 1)), kernel_size=3)
            x, _ = F.max_pool2d(x, 2, stride=(1, 1), return_indices=True)
            x = F.lp_pool2d(F.avg_pool2d(x, 2, 1), 2.0, 2, 1)
            x = x.view(x.shape[0], 2, 2, *x.shape[2:]).transpose(1, 2).flatten(1, 2)
            return self.last(torch.cat([chunk + 1 for chunk in x.chunk(2, dim=1)], 1))

    windows = [(3, 2), (3, 3), (2, 1), (2, 1), (2, 1), (3, 1)]
    field = receptive_field(windows).size
    assert last(Functional(), 1, 64, 64).receptive_field == field


class TestGradientSupport:
    @pytest.mark.parametrize("how", ["cat", "add"])
    def test_the_largest_branch(self, how) -> None:
        net = nn.Sequential(
            conv(1, 4, 3, 2),
            Branches(how, conv(4, 4, 1), conv(4, 4, 5), conv(4, 4, 3, d=3)),
            conv(4 if how == "add" else 12, 2, 3),
        )
        field = last(net, 1, 64, 64).receptive_field
        assert [field] * 2 == support(make_positive(net), 1, 64, 64, pixel=16)
        assert field == 3 + 2 * 6 + 2 * 2

    def test_branches_that_are_wide_along_different_axes(self) -> None:
        one = nn.Conv2d(1, 1, (1, 5), padding=(0, 2))
        other = nn.Conv2d(1, 1, (3, 1), padding=(1, 0))
        net = Branches("add", one, other)
        rows = summary(net, (1, 16, 16))
        assert [row.receptive_field for row in rows.rows] == [(1, 5), (3, 1)]
        assert rows.calls[0].row.receptive_field == (3, 5)
        assert support(make_positive(net), 1, 16, 16, pixel=8) == [3, 5]

    @pytest.mark.parametrize(("name", "side"), [("resnet18", 512), ("vgg11", 256)])
    def test_networks(self, name, side) -> None:
        net = getattr(torchvision.models, name)
        with torch.device("meta"):
            net = net()
        thin = make_positive(narrow(net))
        stages = {
            row.name: row.receptive_field for row in summary(thin, (1, side, side)).rows
        }
        *_, final = stages.values()
        pixel = side // 64
        assert [final] * 2 == support(thin, 1, side, side, pixel=pixel)


def narrow(net: nn.Module) -> nn.Sequential:
    """The part of a network before the head, with one channel everywhere."""
    body = [child for name, child in net.named_children()
            if name not in ("avgpool", "fc", "classifier")]  # fmt: skip
    net, device = nn.Sequential(*body), torch.get_default_device()
    for parent in net.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d):
                k, s, p = child.kernel_size, child.stride, child.padding
                setattr(parent, name, nn.Conv2d(1, 1, k, s, p, device=device))
            elif isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.BatchNorm2d(1, device=device))
    return net


class TestTheWholeInput:
    @pytest.mark.parametrize(
        "head",
        [
            [nn.AdaptiveAvgPool2d(1)],
            [nn.AdaptiveMaxPool2d((1, 1)), nn.Flatten(), nn.ReLU()],
            [nn.Flatten(), nn.Linear(2 * 64, 5)],
            [nn.Flatten(), nn.Dropout(), nn.Linear(2 * 64, 5), nn.Linear(5, 3)],
            [nn.AdaptiveAvgPool2d(3), nn.Conv2d(2, 1, 1),
             nn.Flatten(), nn.Linear(9, 2)],
            [nn.AdaptiveAvgPool2d((1, 3)), nn.Flatten(), nn.Linear(6, 2)],
            [nn.GroupNorm(1, 2)],
            [nn.InstanceNorm2d(2), nn.Conv2d(2, 2, 3)],
            [nn.Flatten(), nn.Linear(2 * 64, 4), nn.Unflatten(1, (1, 2, 2)),
             nn.ConvTranspose2d(1, 1, 2), nn.Softmax2d()],
        ],
        ids=lambda head: "-".join(type(layer).__name__ for layer in head),
    )  # fmt: skip
    def test_seen_by(self, head) -> None:
        net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), *head)
        assert last(net, 1, 8, 8).receptive_field == "all"

    def test_a_gate_makes_it_seen(self) -> None:
        class Gate(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv = nn.Conv2d(2, 2, 1)

            def forward(self, x: Tensor) -> Tensor:
                return x * torch.sigmoid(self.conv(x.mean((2, 3), keepdim=True)))

        net = nn.Sequential(nn.Conv2d(1, 2, 3), Gate(), nn.ReLU())
        fields = [row.receptive_field for row in summary(net, (1, 8, 8)).rows]
        assert fields == [3, "all", "all"]

    def test_a_perceptron(self) -> None:
        net = nn.Sequential(nn.ReLU(), nn.Linear(4, 3), nn.Tanh())
        rows = summary(net, (4,)).rows
        assert [row.receptive_field for row in rows] == [None, "all", "all"]


class TestNoSingleWindow:
    @pytest.mark.parametrize(
        "layer",
        [
            nn.Flatten(),
            nn.ConvTranspose2d(2, 2, 2, 2),
            nn.Upsample(scale_factor=2),
            nn.AdaptiveAvgPool2d(3),
            nn.PixelShuffle(1),
            nn.Softmax(dim=-1),
            nn.Linear(8, 8),
            Branches("add", nn.Conv2d(2, 2, 1), nn.Upsample(scale_factor=1)),
        ],
        ids=lambda layer: type(layer).__name__,
    )
    def test_after(self, layer) -> None:
        net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), layer, nn.ReLU())
        rows = summary(net, (1, 8, 8)).rows
        assert rows[0].receptive_field == 3
        assert rows[-1].receptive_field is None

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: x[:, :, ::2],
            lambda x: x.mT,
            lambda x: x.transpose(2, 3),
            lambda x: x.flip(2),
            lambda x: torch.cat([x, x], dim=2),
            lambda x: x + x.mT,
            lambda x: x.permute(0, 2, 3, 1),
            lambda x: x.amax(2, keepdim=True),
            lambda x: F.avg_pool2d(x, 2, 1) + x[:, :, 1:, 1:],
            lambda x: x.cumsum(2),
        ],
    )
    def test_after_functions(self, function) -> None:
        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv = nn.Conv2d(1, 2, 3, padding=1)
                self.relu = nn.ReLU()

            def forward(self, x: Tensor) -> Tensor:
                return self.relu(function(self.conv(x)))

        rows = summary(Net(), (1, 8, 8)).rows
        assert [row.receptive_field for row in rows] == [3, None]

    def test_strides_that_do_not_agree(self) -> None:
        half = nn.Sequential(nn.Conv2d(2, 2, 1, 2, 7))  # as large as its input of 14
        net = nn.Sequential(nn.Conv2d(1, 2, 1), Branches("add", half, nn.Identity()))
        calls = summary(net, (1, 14, 14)).calls
        assert [call.row.receptive_field for call in calls if not call.is_layer][
            1
        ] is None


def test_a_convolution_made_of_something_else() -> None:
    class Taps(nn.Module):
        """Built like torch's convolution, but computed by slices."""

        def __init__(self) -> None:
            super().__init__()
            self.in_channels = self.out_channels = self.groups = 1
            self.kernel_size, self.stride, self.padding = (3,), (1,), (0,)
            self.weight = nn.Parameter(torch.ones(1, 1, 3))

        def forward(self, x: Tensor) -> Tensor:
            w = self.weight.flatten()
            return w[0] * x[..., :-2] + w[1] * x[..., 1:-1] + w[2] * x[..., 2:]

    net = nn.Sequential(Taps(), nn.MaxPool1d(2), Taps())
    rows = summary(net, (1, 20)).rows
    assert [row.receptive_field for row in rows] == [3, 4, 8]
    assert [row.macs for row in rows] == [3 * 18, 0, 3 * 7]

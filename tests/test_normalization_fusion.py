"""dlref.normalization.fuse_conv_bn: what is folded, and what is left alone."""

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn.utils import fusion as oracle

from dlref import models
from dlref.convolution import Conv2d
from dlref.normalization import BatchNorm2d, fuse_conv_bn

NETWORKS = {  # constructor: convolutions, and batch norms that remain
    "resnet18": (20, 0),
    "resnet50": (53, 0),
    "mobilenet_v2": (52, 0),
    "shufflenet_v2_x0_5": (56, 0),
    "densenet121": (120, 62),
    "googlenet": (57, 0),
    "inception_v3": (94, 0),
    "regnet_y_400mf": (85, 0),
    "squeezenet1_1": (26, 0),
}


def settle(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give every batch norm statistics and parameters that matter."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if hasattr(module, "running_var") and module.running_var is not None:
            for vector in (module.running_mean, module.running_var, module.weight,
                           module.bias):  # fmt: skip
                if vector is not None:
                    noise = torch.rand(vector.shape, generator=generator, device="cpu")
                    vector.data.copy_(0.5 + noise)
    return network.eval()


def kinds(network: nn.Module, *types: type) -> int:
    return sum(isinstance(module, types) for module in network.modules())


def agree(got: Tensor, expected: Tensor, tolerance: float = 1e-11) -> None:
    scale = expected.detach().abs().max().item()
    torch.testing.assert_close(got, expected, rtol=0, atol=tolerance * scale)


PAIRS = [
    (nn.Conv1d, nn.BatchNorm1d, (2, 4, 9)),
    (nn.Conv2d, nn.BatchNorm2d, (2, 4, 9, 8)),
    (nn.Conv2d, BatchNorm2d, (2, 4, 9, 8)),
    (Conv2d, nn.BatchNorm2d, (2, 4, 9, 8)),
    (nn.Conv3d, nn.BatchNorm3d, (2, 4, 5, 6, 7)),
]
FORMS = [
    {}, {"bias": False}, {"groups": 2, "stride": 2}, {"padding": 1, "dilation": 2},
    {"padding": 1, "padding_mode": "reflect"},
]  # fmt: skip


class TestPair:
    @pytest.mark.parametrize("pair", PAIRS, ids=str)
    @pytest.mark.parametrize("form", FORMS, ids=str)
    def test_it_does_the_work_of_both(self, device, pair, form):
        conv, bn, shape = pair
        torch.manual_seed(0)
        both = settle(nn.Sequential(conv(4, 6, 3, **form), bn(6, eps=0.1)).double())
        both = both.to(device)
        x = torch.randn(shape, dtype=torch.float64, device="cpu").to(device)
        fused = fuse_conv_bn(*both)
        agree(fused(x), both(x), 1e-13)
        assert type(fused) is conv
        assert not fused.training
        if conv is nn.Conv2d and bn is nn.BatchNorm2d:
            agree(fused.weight, oracle.fuse_conv_bn_eval(*both).weight, 1e-15)

    @pytest.mark.parametrize("options", [{"affine": False}, {"bias": False}], ids=str)
    def test_without_scale_or_shift(self, options):
        if "bias" in options:
            bn = BatchNorm2d(6, bias=False)
        else:
            bn = nn.BatchNorm2d(6, **options)
        both = settle(nn.Sequential(nn.Conv2d(4, 6, 3), bn).double())
        x = torch.randn(2, 4, 5, 5, dtype=torch.float64)
        agree(fuse_conv_bn(*both)(x), both(x), 1e-13)

    def test_the_originals_are_untouched(self):
        conv, bn = nn.Conv2d(2, 3, 1, bias=False).eval(), settle(nn.BatchNorm2d(3))
        weight = conv.weight.clone()
        fused = fuse_conv_bn(conv, bn)
        with torch.no_grad():
            fused.weight.zero_()
        assert conv.weight.equal(weight)
        assert conv.bias is None

    def test_dtype_and_gradients_are_the_convolutions(self):
        conv, bn = nn.Conv2d(2, 3, 1).half().eval(), settle(nn.BatchNorm2d(3))
        conv.weight.requires_grad_(requires_grad=False)
        fused = fuse_conv_bn(conv, bn)
        assert fused.weight.dtype == fused.bias.dtype == torch.float16
        assert not fused.weight.requires_grad
        assert fuse_conv_bn(nn.Conv2d(2, 3, 1).eval(), bn).bias.requires_grad

    def test_channels_last_stays(self):
        conv = nn.Conv2d(4, 8, 3).to(memory_format=torch.channels_last).eval()
        fused = fuse_conv_bn(conv, settle(nn.BatchNorm2d(8)))
        assert fused.weight.is_contiguous(memory_format=torch.channels_last)


class TestNetwork:
    @pytest.mark.parametrize("name", NETWORKS)
    def test_torchvisions_networks(self, device, name):
        convolutions, remaining = NETWORKS[name]
        options = (
            {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        )
        torch.manual_seed(0)
        network = settle(getattr(torchvision.models, name)(**options)).double()
        network = network.to(device)
        side = 96 if name == "inception_v3" else 64
        x = torch.randn(2, 3, side, side, dtype=torch.float64, device="cpu").to(device)
        before = {k: v.clone() for k, v in network.state_dict().items()}
        fused = fuse_conv_bn(network)
        with torch.no_grad():
            agree(fused(x), network(x))
        assert type(fused) is type(network)
        auxiliary = "aux" if name in ("googlenet", "inception_v3") else "-"
        used = nn.ModuleList(
            m for k, m in fused.named_children() if not k.lower().startswith(auxiliary)
        )
        assert kinds(used, nn.Conv2d) == convolutions
        assert kinds(used, nn.BatchNorm2d) == remaining
        assert all(v.equal(before[k]) for k, v in network.state_dict().items())

    @pytest.mark.refusal  # a stand-in is none of the tensors that are annotated
    @pytest.mark.parametrize(
        ("name", "remaining"),  # in version 2, those before the activations
        [("resnet18", 0), ("resnet18_v2", 9), ("resnest50", 0), ("mobilenet_v1", 0)],
    )
    def test_this_packages_networks(self, name, remaining):
        torch.manual_seed(0)
        network = settle(getattr(models, name)(num_classes=3)).double()
        fused = fuse_conv_bn(network)
        x = torch.randn(1, 3, 64, 64, dtype=torch.float64)
        with torch.no_grad():
            agree(fused(x), network(x))
        assert kinds(fused, nn.BatchNorm2d) == remaining

    def test_this_packages_layers(self):
        network = settle(
            nn.Sequential(Conv2d(3, 4, 3), BatchNorm2d(4), nn.ReLU()).double()
        )
        fused = fuse_conv_bn(network)
        assert kinds(fused, BatchNorm2d) == 0
        x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
        agree(fused(x), network(x))

    def test_a_single_layer_and_nothing_to_fuse(self):
        conv = nn.Conv2d(1, 1, 1).eval()
        fused = fuse_conv_bn(conv)
        assert fused is not conv
        assert fused.weight.equal(conv.weight)
        assert kinds(fuse_conv_bn(nn.Sequential(conv, nn.ReLU()).eval()), nn.ReLU) == 1


class Net(nn.Module):
    """Two layers, and a forward that each test below makes its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.bn = nn.BatchNorm2d(3)


def check(x: Tensor) -> None:
    """A check that no stand-in for a tensor passes."""
    if not isinstance(x, Tensor) or x.shape[1] != 3:
        raise ValueError("not for the likes of you")


class Fused(Net):
    def forward(self, x):
        check(x)
        return self.bn(self.conv(x)).relu()


class Decorated(Net):
    @torch.no_grad()
    def forward(self, x):
        return self.bn(self.conv(x)).relu()


class Branch(Net):
    def forward(self, x):
        y = self.conv(x)
        return self.bn(y) + y


class Between(Net):
    def forward(self, x):
        return self.bn(self.conv(x).relu())


class TwiceConv(Net):
    def forward(self, x):
        return self.conv(self.bn(self.conv(x)))


class TwiceNorm(Net):
    def forward(self, x):
        return self.bn(self.bn(self.conv(x)))


class Before(Net):
    def forward(self, x):
        return self.conv(self.bn(x).relu())


class Aliased(Net):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([self.conv, self.bn])

    def forward(self, x):
        return self.layers[1](self.conv(x))


class Steps(nn.Conv2d):
    """A convolution with something of its own."""

    def forward(self, input):
        return super().forward(input) ** 3


class Subclass(Net):
    def __init__(self) -> None:
        super().__init__()
        self.conv = Steps(3, 3, 1)

    def forward(self, x):
        return self.bn(self.conv(x))


class Untracked(Net):
    def __init__(self) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, x):
        return self.bn(self.conv(x))


class Tied(Net):
    def forward(self, x):
        return self.bn(self.conv(x)) + self.conv.weight.sum()


class Counts(Net):
    """A part that cannot be traced."""

    def forward(self, x):
        return self.bn(self.conv(x)).reshape(len(x), 3, 5, 5)


class Part(nn.Module):
    """Its stem can be fused, what follows cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
        self.body = nn.Sequential(Counts(), Counts())

    def forward(self, x):
        return self.body(self.stem(x))


class Shared(Part):
    """What is inside a closed part is called outside of it as well."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(self.body[0].conv, nn.BatchNorm2d(3))


class TestWhatIsLeftAlone:
    @pytest.mark.parametrize(
        ("kind", "fused"),
        [(Fused, True), (Decorated, True), (Aliased, True), (Branch, False),
         (Between, False), (TwiceConv, False), (TwiceNorm, False), (Before, False),
         (Subclass, False), (Untracked, False), (Tied, False)],
    )  # fmt: skip
    def test_only_what_may_be_is_fused(self, kind, fused):
        torch.manual_seed(0)
        network = settle(kind().double())
        copy = fuse_conv_bn(network)
        x = torch.randn(2, 3, 5, 5, dtype=torch.float64)
        agree(copy(x), network(x), 1e-13)
        assert kinds(copy, nn.BatchNorm2d) == (0 if fused else 1)
        assert kinds(copy, nn.Identity) == (1 if fused else 0)

    @pytest.mark.parametrize(("kind", "left"), [(Part, 2), (Shared, 3)])
    def test_parts_that_cannot_be_traced(self, kind, left):
        torch.manual_seed(0)
        network = settle(kind().double())
        copy = fuse_conv_bn(network)
        x = torch.randn(2, 3, 5, 5, dtype=torch.float64)
        agree(copy(x), network(x), 1e-13)
        assert kinds(copy, nn.BatchNorm2d) == left


class Moody(Net):
    def forward(self, x):
        return self.bn(self.conv(x)) if x.mean() > 0 else x


@pytest.mark.refusal
class TestRefusals:
    def test_training_mode(self):
        conv, bn = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)
        with pytest.raises(ValueError, match="evaluation mode"):
            fuse_conv_bn(conv, bn.eval())
        with pytest.raises(ValueError, match="evaluation mode"):
            fuse_conv_bn(conv.eval(), bn.train())
        with pytest.raises(
            ValueError, match=r"a network in evaluation mode: call \.eval"
        ):
            fuse_conv_bn(nn.Sequential(conv, bn))
        network = nn.Sequential(conv, bn).eval()
        bn.train()
        with pytest.raises(ValueError, match="both layers in evaluation mode"):
            fuse_conv_bn(network)

    def test_no_pair(self):
        conv, bn = nn.Conv2d(1, 2, 1).eval(), nn.BatchNorm2d(2).eval()
        for a, b in ((bn, conv), (conv, nn.BatchNorm1d(2)), (nn.Linear(1, 2), bn),
                     (conv, nn.ReLU()), (nn.ConvTranspose2d(1, 2, 1), bn)):  # fmt: skip
            with pytest.raises(
                TypeError, match="expected a convolution and a batch norm"
            ):
                fuse_conv_bn(a, b)
        with pytest.raises(ValueError, match="batch norm of 2 channels, got 3"):
            fuse_conv_bn(conv, nn.BatchNorm2d(3).eval())
        untracked = nn.BatchNorm2d(2, track_running_stats=False).eval()
        with pytest.raises(
            ValueError, match="with running statistics, got one without"
        ):
            fuse_conv_bn(conv, untracked)

    def test_no_module(self):
        with pytest.raises(TypeError, match=r"expected an nn.Module, got Tensor"):
            fuse_conv_bn(torch.ones(1))

    def test_a_forward_that_depends_on_values(self):
        with pytest.raises(
            ValueError, match=r"torch.fx can trace, got TraceError in Moody"
        ):
            fuse_conv_bn(Moody().eval())

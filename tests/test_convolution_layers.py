"""The layers of dlref.convolution against torch.nn.Conv2d: everything that one sees."""

import itertools

import pytest
import torch
from torch import nn

from dlref.convolution import Conv2d, SeparableConv2d, depthwise_separable_conv2d

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
ARGUMENTS = [
    ((3, 8, 3), {}),
    ((3, 8, (3, 5), 2, 1), {}),
    ((4, 8, 3), {"padding": (0, 2), "dilation": (2, 1), "groups": 4, "bias": False}),
    ((4, 6, 3), {"padding": "same", "groups": 2}),
    ((4, 6, (2, 3)), {"padding": "same", "dilation": (1, 2)}),
    ((2, 2, 1), {"padding": "valid", "stride": (1, 2)}),
    ((2, 3, [3, 3], [2, 1], [1, 0]), {}),
]
MODES = ["zeros", "reflect", "replicate", "circular"]


def pair(arguments, options, device="cpu"):
    """Return our layer and torch's, made from the same seed."""
    layers = []
    for kind in (Conv2d, nn.Conv2d):
        torch.manual_seed(0)
        layers.append(kind(*arguments, **options).to(device, torch.float64))
    return layers


class TestConv2d:
    @pytest.mark.parametrize(("arguments", "options"), ARGUMENTS)
    @pytest.mark.parametrize("mode", MODES)
    def test_equals_torchs(self, device, arguments, options, mode):
        ours, theirs = pair(arguments, options | {"padding_mode": mode}, device)
        assert str(ours) == str(theirs)
        for key, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[key], value)
        for shape in ((2, arguments[0], 7, 8), (arguments[0], 7, 8)):
            x = torch.randn(shape, dtype=torch.float64).to(device).requires_grad_()
            y, expected = ours(x), theirs(x)
            torch.testing.assert_close(y, expected)
            direction = torch.randn_like(y)
            got, wanted = (
                torch.autograd.grad(out, [x, *layer.parameters()], direction)
                for out, layer in ((y, ours), (expected, theirs))
            )
            for a, e in zip(got, wanted, strict=True):
                torch.testing.assert_close(a, e, rtol=1e-10, atol=1e-10)

    @pytest.mark.parametrize(("arguments", "options"), ARGUMENTS)
    def test_state_dicts_load_into_one_another(self, arguments, options):
        ours, theirs = Conv2d(*arguments, **options), nn.Conv2d(*arguments, **options)
        ours.load_state_dict(theirs.state_dict())
        theirs.load_state_dict(ours.state_dict())
        assert ours.state_dict().keys() == theirs.state_dict().keys()

    def test_attributes(self):
        ours, theirs = pair((3, 8, 3, 2, (1, 0)), {"groups": 1})
        for name in ("in_channels", "out_channels", "kernel_size", "stride", "padding",
                     "dilation", "groups", "padding_mode"):  # fmt: skip
            assert getattr(ours, name) == getattr(theirs, name)
        assert Conv2d(1, 1, 1, padding="same").padding == "same"
        assert Conv2d(1, 1, 1, bias=False).bias is None

    def test_device_and_dtype(self):
        layer = Conv2d(3, 4, 3, device="meta", dtype=torch.float64)
        assert layer.weight.is_meta
        assert layer.bias.dtype == torch.float64
        assert layer(torch.empty(1, 3, 9, 9, device="meta").double()).shape[1] == 4

    def test_drawing_anew(self):
        ours, theirs = pair((3, 4, 3), {})
        for layer in (ours, theirs):
            torch.manual_seed(1)
            layer.reset_parameters()
        assert torch.equal(ours.weight, theirs.weight)
        assert torch.equal(ours.bias, theirs.bias)
        assert ours.weight.abs().max() <= 27**-0.5

    def test_trains(self, device):
        """A layer learns an edge detector from examples (C185)."""
        x = torch.ones(1, 1, 6, 8, device=device)
        x[..., 2:6] = 0
        target = nn.functional.conv2d(x, torch.tensor([[[[1.0, -1.0]]]], device=device))
        torch.manual_seed(0)
        layer = Conv2d(1, 1, (1, 2), bias=False, device=device)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.03)
        for _ in range(60):
            optimizer.zero_grad()
            (layer(x) - target).square().sum().backward()
            optimizer.step()
        expected = torch.tensor([1.0, -1.0], device=device)
        assert (layer.weight.flatten() - expected).abs().max() < 1e-3

    @pytest.mark.refusal
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"in_channels": 0}, "in_channels >= 1"),
            ({"out_channels": 0}, "out_channels >= 1"),
            ({"groups": 2}, "groups that divide the channels, got groups=2"),
            ({"groups": 0}, "groups >= 1"),
            ({"kernel_size": 0}, "kernel_size >= 1"),
            ({"kernel_size": (1, 2, 3)}, "kernel_size to be an int or 2 ints"),
            ({"padding_mode": "mirror"}, "got padding_mode='mirror'"),
            ({"padding": "full"}, "got padding='full'"),
            ({"padding": "same", "stride": 2}, "got padding='same', stride=\\(2, 2\\)"),
            ({"padding": -1}, "padding >= 0"),
        ],
    )
    def test_refuses(self, arguments, message):
        given = {"in_channels": 3, "out_channels": 4, "kernel_size": 3} | arguments
        with pytest.raises(ValueError, match=message):
            Conv2d(**given)

    @pytest.mark.refusal
    def test_refuses_what_is_no_count(self):
        with pytest.raises(TypeError, match="in_channels to be an int"):
            Conv2d(3.0, 4, 3)
        with pytest.raises(TypeError, match="stride to be an int"):
            Conv2d(3, 4, 3, stride=True)


class TestSeparableConv2d:
    @pytest.mark.parametrize(
        ("m", "bias", "mode"), [*itertools.product((1, 2), (True, False), MODES[:2])]
    )
    def test_is_two_of_torchs(self, device, m, bias, mode):
        options = {"bias": bias, "padding_mode": mode, "depth_multiplier": m}
        layer = SeparableConv2d(4, 6, 3, 2, 1, **options).to(device, torch.float64)
        depthwise = nn.Conv2d(
            4, 4 * m, 3, 2, 1, groups=4, bias=False, padding_mode=mode
        )
        theirs = nn.Sequential(depthwise, nn.Conv2d(4 * m, 6, 1, bias=bias))
        theirs = theirs.to(device, torch.float64)
        names = {"0.": "depthwise.", "1.": "pointwise."}
        layer.load_state_dict(
            {names[k[:2]] + k[2:]: v for k, v in theirs.state_dict().items()}
        )
        x = torch.randn(2, 4, 9, 8, dtype=torch.float64).to(device)
        torch.testing.assert_close(layer(x), theirs(x))
        if mode == "zeros":
            weights = layer.depthwise.weight, layer.pointwise.weight
            same = depthwise_separable_conv2d(x, *weights, layer.pointwise.bias, 2, 1)
            assert torch.equal(layer(x), same)

    def test_counts(self):
        """C092: 64 to 128 channels, 3x3."""
        layer = SeparableConv2d(64, 128, 3, bias=False)
        assert sum(p.numel() for p in layer.parameters()) == 8768
        assert nn.Conv2d(64, 128, 3, bias=False).weight.numel() == 73728

    def test_options_reach_both_steps(self):
        layer = SeparableConv2d(
            2, 3, 3, padding="same", dilation=2, device="meta", dtype=torch.float64
        )
        x = torch.empty(1, 2, 9, 9, device="meta", dtype=torch.float64)
        assert layer(x).shape == (1, 3, 9, 9)
        assert {p.dtype for p in layer.parameters()} == {torch.float64}
        assert layer.depthwise.bias is None

    @pytest.mark.refusal
    def test_refuses(self):
        with pytest.raises(ValueError, match="depth_multiplier >= 1"):
            SeparableConv2d(2, 3, 3, depth_multiplier=0)
        with pytest.raises(ValueError, match="in_channels >= 1"):
            SeparableConv2d(0, 3, 3)

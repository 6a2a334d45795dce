"""dlref.shapes against torch: the same numbers, and the same refusals."""

import math
import os
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from dlref.shapes import (
    ReceptiveField,
    conv_macs,
    conv_num_params,
    conv_output_size,
    conv_transpose_output_size,
    linear_num_params,
    pool_output_size,
    receptive_field,
    same_padding,
)

few = os.environ.get("DLREF_EXAMPLES") == "few"
wide = settings(max_examples=40 if few else 250, deadline=None)
# every third draw or so may be out of range, so that refusals are compared as well
positive = st.integers(1, 6) | st.integers(1, 6) | st.integers(-1, 6)
size = st.integers(1, 14) | st.integers(1, 14) | st.integers(-1, 14)
natural = st.integers(0, 5) | st.integers(0, 5) | st.integers(-2, 7)
sizes = st.tuples(size, size)
pair = st.tuples(positive, positive)


def theirs(call: Callable[[], Tensor]) -> tuple[int, ...] | None:
    """Return the spatial shape that torch computes, None where it raises."""
    try:
        return tuple(call().shape[2:])
    except (RuntimeError, ValueError):
        return None


def ours(call: Callable[[], int | tuple[int, ...]]) -> tuple[int, ...] | None:
    try:
        result = call()
    except ValueError:
        return None
    return result if isinstance(result, tuple) else (result,)


def zeros(*shape: int) -> Tensor:
    return torch.zeros(1, 1, *shape)


class TestConvOutputSize:
    @wide
    @given(size, positive, positive, natural, positive)
    def test_equals_conv1d(self, i, k, s, p, d):
        expected = theirs(lambda: F.conv1d(zeros(i), zeros(k), None, s, p, d))
        got = ours(lambda: conv_output_size(i, k, stride=s, padding=p, dilation=d))
        assert got == expected

    @wide
    @given(*5 * [st.tuples(positive, positive)])
    def test_equals_conv2d_per_axis(self, i, k, s, p, d):
        expected = theirs(lambda: F.conv2d(zeros(*i), zeros(*k), None, s, p, d))
        got = ours(lambda: conv_output_size(i, k, stride=s, padding=p, dilation=d))
        assert got == expected

    @wide
    @given(size, positive, positive, positive, st.sampled_from(["same", "valid"]))
    @pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
    def test_equals_conv1d_with_named_padding(self, i, k, s, d, p):
        expected = theirs(lambda: F.conv1d(zeros(i), zeros(k), None, s, p, d))
        got = ours(lambda: conv_output_size(i, k, stride=s, padding=p, dilation=d))
        assert got == expected

    def test_large_numbers_need_no_memory(self):
        assert conv_output_size(10**30, 3, stride=2) == (10**30 - 3) // 2 + 1

    def test_claims_of_the_ledger(self):
        assert conv_output_size(32, 5) == 28  # C131
        assert conv_output_size((8, 8), 3) == (6, 6)  # C135
        assert (
            conv_output_size(8, 3, padding=2) == 10
        )  # C180: k - 1 per side is too much
        assert conv_output_size(8, 3, padding=1) == 8

    def test_floor_belongs_to_the_whole_quotient(self):
        """C179: floor((n - k + p + s) / s), where p is the padding of both ends."""
        for n in range(3, 12):
            for s in (1, 2, 3):
                assert conv_output_size(n, 3, stride=s, padding=1) == (n - 1 + s) // s

    def test_an_int_holds_for_every_axis(self):
        got = conv_output_size([224, 112, 56], 7, stride=(2, 1, 2), padding=3)
        assert got == (112, 112, 28)
        assert conv_output_size(torch.Size([224, 112]), 7, padding=3) == (224, 112)

    @pytest.mark.parametrize("seven", [np.int64(7), np.array(7), torch.tensor(7), 7])
    def test_takes_what_has_an_index_and_gives_an_int(self, seven):
        got = conv_output_size(seven, seven, stride=seven, padding=seven, dilation=1)
        assert type(got) is int
        assert conv_output_size((seven, 9), 3) == (5, 7)

    @pytest.mark.refusal
    @pytest.mark.parametrize(
        "value", [True, 3.0, "3", None, np.bool_(True), torch.tensor(True),
                  torch.tensor(3.0), np.array([3, 3]), 3 + 0j]
    )  # fmt: skip
    @pytest.mark.parametrize("name", ["size", "kernel_size", "stride", "dilation"])
    def test_refuses_what_is_no_integer(self, name, value):
        arguments = {"size": 8, "kernel_size": 3} | {name: value}
        with pytest.raises(TypeError, match=f"expected {name} to be an int, got"):
            conv_output_size(**arguments)

    @pytest.mark.refusal
    def test_says_what_it_received(self):
        with pytest.raises(ValueError, match="expected stride >= 1, got stride=0"):
            conv_output_size(8, 3, stride=0)
        with pytest.raises(
            ValueError, match=r"window.* got one of 9 .* on 8 \+ 0 pixels"
        ):
            conv_output_size(8, 3, dilation=4)
        with pytest.raises(
            ValueError, match=r"each axis of size.*\(3, 3, 3\).*\(8, 8\)"
        ):
            conv_output_size((8, 8), (3, 3, 3))
        with pytest.raises(ValueError, match=r"each axis of size, got size=\(\)"):
            conv_output_size((), 3)
        with pytest.raises(ValueError, match="got padding='same', stride=2"):
            conv_output_size(8, 3, stride=2, padding="same")
        with pytest.raises(ValueError, match="got padding='full'"):
            conv_output_size(8, 3, padding="full")
        with pytest.raises(TypeError, match=r"kernel_size to be an int, got \(3, 3\)"):
            conv_output_size(8, (3, 3))


class TestConvTransposeOutputSize:
    @wide
    @given(size, positive, positive, natural, natural, positive)
    def test_equals_conv_transpose1d(self, i, k, s, p, a, d):
        expected = theirs(
            lambda: F.conv_transpose1d(zeros(i), zeros(k), None, s, p, a, 1, d)
        )
        got = ours(
            lambda: conv_transpose_output_size(
                i, k, stride=s, padding=p, output_padding=a, dilation=d
            )
        )
        assert got == expected

    @wide
    @given(*6 * [st.tuples(natural, natural)])
    def test_equals_conv_transpose2d_per_axis(self, i, k, s, p, a, d):
        expected = theirs(
            lambda: F.conv_transpose2d(zeros(*i), zeros(*k), None, s, p, a, 1, d)
        )
        got = ours(
            lambda: conv_transpose_output_size(
                i, k, stride=s, padding=p, output_padding=a, dilation=d
            )
        )
        assert got == expected

    @wide
    @given(st.integers(1, 60), *3 * [st.integers(1, 6)], st.integers(0, 5))
    def test_undoes_the_convolution(self, i, k, s, d, p):
        """What the floor dropped is the output padding that restores the input."""
        window = d * (k - 1) + 1
        if window <= i + 2 * p:
            o = conv_output_size(i, k, stride=s, padding=p, dilation=d)
            a = (i + 2 * p - window) % s
            back = conv_transpose_output_size(
                o, k, stride=s, padding=p, output_padding=a, dilation=d
            )
            assert back == i

    @pytest.mark.refusal
    def test_says_what_it_received(self):
        with pytest.raises(
            ValueError, match=r"got output_padding=2, stride=2, dilation=1"
        ):
            conv_transpose_output_size(3, 3, stride=2, output_padding=2)
        with pytest.raises(
            ValueError, match=r"leave a pixel, got padding=2: -1 pixels"
        ):
            conv_transpose_output_size(1, 3, padding=2)
        with pytest.raises(TypeError, match="expected output_padding to be an int"):
            conv_transpose_output_size(3, 3, output_padding=True)


class TestPoolOutputSize:
    @wide
    @given(size, positive, st.none() | positive, natural, positive, st.booleans())
    def test_equals_max_pool1d(self, i, k, s, p, d, ceil):
        expected = theirs(lambda: F.max_pool1d(zeros(i), k, s, p, d, ceil))
        got = ours(
            lambda: pool_output_size(
                i, k, stride=s, padding=p, dilation=d, ceil_mode=ceil
            )
        )
        assert got == expected

    @wide
    @given(
        sizes, pair, st.none() | pair, st.tuples(natural, natural), pair, st.booleans()
    )
    def test_equals_max_pool2d_per_axis(self, i, k, s, p, d, ceil):
        expected = theirs(lambda: F.max_pool2d(zeros(*i), k, s, p, d, ceil))
        got = ours(
            lambda: pool_output_size(
                i, k, stride=s, padding=p, dilation=d, ceil_mode=ceil
            )
        )
        assert got == expected

    @wide
    @given(size, positive, st.none() | positive, natural, st.booleans())
    def test_equals_avg_pool(self, i, k, s, p, ceil):
        got = ours(lambda: pool_output_size(i, k, stride=s, padding=p, ceil_mode=ceil))
        assert got == theirs(lambda: F.avg_pool1d(zeros(i), k, s, p, ceil))
        twice = None if got is None else got * 2
        assert twice == theirs(lambda: F.avg_pool2d(zeros(i, i), k, s, p, ceil))

    @wide
    @given(size, positive, st.none() | positive, natural, positive, st.booleans())
    def test_equals_pooling_in_3d(self, i, k, s, p, d, ceil):
        x = zeros(*3 * [max(i, 0)])
        got = ours(
            lambda: pool_output_size(
                (i, i, i), k, stride=s, padding=p, dilation=d, ceil_mode=ceil
            )
        )
        assert got == theirs(lambda: F.max_pool3d(x, k, s, p, d, ceil))
        if d == 1:
            shorter = i < k  # avg_pool3d's own rule
            expected = theirs(lambda: F.avg_pool3d(x, k, s, p, ceil))
            assert expected == (None if shorter else got)

    def test_ceil_mode_may_overhang_but_not_start_outside(self):
        assert pool_output_size(2, 3, stride=2, ceil_mode=True) == 1  # overhangs
        assert pool_output_size(5, 2, stride=3, padding=1, ceil_mode=True) == 2
        assert (
            pool_output_size(3, 1, stride=4, ceil_mode=True) == 1
        )  # second one dropped

    def test_stride_is_the_kernel_unless_given(self):
        assert pool_output_size(28, 2) == 14  # C131

    @pytest.mark.refusal
    def test_says_what_it_received(self):
        with pytest.raises(
            ValueError, match=r"kernel_size / 2, got padding=2, kernel_s.*3"
        ):
            pool_output_size(8, 3, padding=2)
        with pytest.raises(
            ValueError, match=r"kernel_size=3, dilation=1 on 2 . 0 pixels"
        ):
            pool_output_size(2, 3)
        with pytest.raises(TypeError, match=r"expected stride to be an int, got 2.0"):
            pool_output_size(8, 2, stride=2.0)


class TestSamePadding:
    @wide
    @given(st.integers(1, 9), st.integers(1, 4))
    @pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
    def test_equals_torchs_same(self, k, d):
        x = torch.arange(1.0, 8.0).view(1, 1, -1)
        weight = torch.arange(1.0, k + 1).view(1, 1, -1)
        expected = F.conv1d(x, weight, padding="same", dilation=d)
        padded = F.pad(x, same_padding(k, dilation=d))
        assert torch.equal(F.conv1d(padded, weight, dilation=d), expected)

    @pytest.mark.refusal
    def test_refuses(self):
        with pytest.raises(ValueError, match="kernel_size >= 1, got kernel_size=0"):
            same_padding(0)
        with pytest.raises(TypeError, match="expected dilation to be an int"):
            same_padding(3, dilation=1.5)


layer = st.tuples(
    st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3)
)


def stack(layers: list[tuple[int, int, int, int]]) -> nn.Sequential:
    """Build 1-D convolutions whose weights are all positive."""
    net = nn.Sequential(
        *(nn.Conv1d(1, 1, k, s, p, d, bias=False).double() for k, s, p, d in layers)
    )
    for parameter in net.parameters():
        nn.init.constant_(parameter, 0.5)
    return net


def support(net: nn.Module, x: Tensor, *index: int) -> list[tuple[int, int]]:
    """Return, per spatial axis, the edges of the input pixels that one output sees."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(net(x)[0, 0][index], x)
    seen = gradient[0, 0].nonzero()
    return [(int(a.min()), int(a.max()) + 1) for a in seen.T]


class TestReceptiveField:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(layer, max_size=4))
    def test_equals_the_support_of_the_gradient(self, layers):
        field = receptive_field(layers)
        net = stack(layers)
        x = torch.ones(1, 1, field.size + 3 * field.jump, dtype=torch.float64)
        lows = {
            n: field.start + n * field.jump - field.size / 2
            for n in range(net(x).shape[-1])
        }
        inside = [n for n in lows if 0 <= lows[n] <= x.shape[-1] - field.size]
        for n in inside[0], inside[-1]:  # no padding in sight
            assert support(net, x, n) == [(lows[n], lows[n] + field.size)]
        assert receptive_field(net) == field

    @wide
    @given(st.lists(layer))
    def test_equals_the_recurrence_from_the_top(self, layers):
        """C199: F_i = (F_(i+1) - 1) s + k, with k dilated, beginning with 1."""
        size = 1
        for k, s, _, d in reversed(layers):
            size = (size - 1) * s + d * (k - 1) + 1
        field = receptive_field(layers)
        assert field.size == size
        assert field.jump == math.prod(s for _, s, _, _ in layers)

    def test_hand_worked(self):
        assert receptive_field([]) == ReceptiveField(1, 1, 0.5)
        assert receptive_field(2 * [(3, 1)]).size == 5  # C200
        assert receptive_field(3 * [(3, 1)]).size == 7
        assert receptive_field([(3, 2, 1), (3, 1, 1), (2, 2)]) == (9, 4, 1.5)
        assert receptive_field(iter([(3, 1, 0, 2)])) == (5, 1, 2.5)
        assert (
            receptive_field([torch.Size([3, 1]), np.array([5, 1]).tolist()]).size == 7
        )

    def test_vgg16(self):
        from torchvision.models import vgg16

        with torch.device("meta"):
            features = vgg16(weights=None).features
        assert receptive_field(features) == ReceptiveField(212, 32, 16.0)
        pool4 = receptive_field(features[:24])
        assert (pool4.size, pool4.jump) == (100, 16)

    def test_counts_in_the_order_of_execution(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.second = nn.Conv2d(1, 1, 5)
                self.first = nn.MaxPool2d(2)
                self.unused = nn.Conv2d(1, 1, 99)

            def forward(self, x):
                x = F.relu(self.first(x))
                return torch.sigmoid(self.second(self.second(x)).relu())

        assert receptive_field(Net()) == receptive_field([(2, 2), (5, 1), (5, 1)])

    def test_knows_these_layers(self):
        net = nn.Sequential(
            nn.ZeroPad2d((1, 0, 1, 0)),
            nn.Conv2d(3, 8, 4, padding="same", dilation=1, bias=False),
            nn.BatchNorm2d(8),
            nn.Sequential(nn.LeakyReLU(), nn.Dropout2d()),
            nn.Conv2d(8, 8, 3, stride=2, padding="valid", groups=8),
            nn.AvgPool2d((3,), padding=1),
            nn.MaxPool2d(3, stride=2, padding=1, dilation=2, ceil_mode=True),
            nn.LazyConv2d(4, 3),
        )
        spec = [(1, 1, 1), (4, 1, 1), (3, 2), (3, 3, 1), (3, 2, 1, 2), (3, 1)]
        assert receptive_field(net) == receptive_field(spec)
        assert receptive_field(nn.Conv1d(1, 1, 7)).size == 7
        assert receptive_field(nn.Conv3d(1, 1, 7, 2)) == (7, 2, 3.5)
        assert receptive_field(nn.ReLU()) == (1, 1, 0.5)

    @pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
    def test_even_same_and_zero_padding_shift_the_start(self):
        net = nn.Sequential(
            nn.ZeroPad2d((0, 1, 1, 0)),
            nn.Conv2d(1, 1, (4, 2), padding="same", bias=False),
            nn.AvgPool2d(2),
        ).double()
        nn.init.constant_(net[1].weight, 1)
        x = torch.ones(1, 1, 16, 16, dtype=torch.float64)
        for axis, (low, high) in enumerate(support(net, x, 3, 3)):
            field = receptive_field(net, axis=axis)
            centre = field.start + 3 * field.jump
            assert (low, high) == (centre - field.size / 2, centre + field.size / 2)

    def test_an_axis_chooses_where_the_axes_differ(self):
        net = nn.Sequential(nn.Conv2d(1, 1, (1, 7), padding=(0, 3)), nn.MaxPool2d(2))
        assert receptive_field(net, axis=0) == (2, 2, 1.0)
        assert receptive_field(net, axis=1) == (8, 2, 1.0)
        assert receptive_field(nn.Conv2d(1, 1, 3), axis=1) == (3, 1, 1.5)

    def test_leaves_the_module_as_it_is(self):
        net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU()).train()
        before = {name: id(m) for name, m in net.named_modules()}
        receptive_field(net)
        assert {name: id(m) for name, m in net.named_modules()} == before
        assert net.training

    @pytest.mark.refusal
    def test_refuses_a_branch(self):
        class Residual(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(1, 1, 3, padding=1)

            def forward(self, x):
                return x + self.conv(x)

        class Scaled(nn.Module):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.ones(8, 8))

            def forward(self, x):
                return x * self.scale

        class Ignored(nn.Module):
            def forward(self, x):
                F.relu(x)
                return x

        for net in (Residual(), Scaled(), Ignored()):
            with pytest.raises(ValueError, match="follow one another, got a branch: "):
                receptive_field(net)

    @pytest.mark.refusal
    @pytest.mark.parametrize(
        "module",
        [nn.Linear(4, 4), nn.Flatten(), nn.AdaptiveAvgPool2d(1),
         nn.ConvTranspose2d(1, 1, 2), nn.Upsample(scale_factor=2), nn.GroupNorm(1, 1),
         nn.InstanceNorm2d(1), nn.LayerNorm(4), nn.Softmax(1), nn.ReflectionPad2d(1),
         nn.FractionalMaxPool2d(2, 2), nn.LPPool2d(2, 2), nn.Unfold(2)],
        ids=lambda module: type(module).__name__,
    )  # fmt: skip
    def test_refuses_layers_without_a_fixed_window(self, module):
        name = type(module).__name__
        with pytest.raises(ValueError, match=rf"got {name} \(1\), which has no fixed"):
            receptive_field(nn.Sequential(nn.Conv2d(1, 1, 3), module))

    @pytest.mark.refusal
    def test_refuses_functions_and_control_flow(self):
        class Functional(nn.Module):
            def forward(self, x):
                return F.interpolate(x, scale_factor=2)

        class Method(nn.Module):
            def forward(self, x):
                return x.flatten(1)

        class Decides(nn.Module):
            def forward(self, x):
                return x if x.sum() > 0 else F.relu(x)

        class TwoInputs(nn.Module):
            def forward(self, x, y):
                return x

        with pytest.raises(ValueError, match=r"got interpolate\(\)"):
            receptive_field(Functional())
        with pytest.raises(ValueError, match=r"got flatten\(\)"):
            receptive_field(Method())
        with pytest.raises(
            ValueError, match=r"torch.fx can trace, got TraceError in Dec"
        ):
            receptive_field(Decides())
        with pytest.raises(
            ValueError, match=r"torch.fx can trace, got TypeError in Two"
        ):
            receptive_field(TwoInputs())
        with pytest.raises(ValueError, match=r"one number of spatial axes, got .*1, 2"):
            receptive_field(nn.Sequential(nn.Conv1d(1, 1, 3), nn.Conv2d(1, 1, 3)))

    @pytest.mark.refusal
    def test_says_what_it_received(self):
        with pytest.raises(ValueError, match=r"got \(3,\) for layer 1"):
            receptive_field([(3, 1), (3,)])
        with pytest.raises(ValueError, match=r"got 3 for layer 0"):
            receptive_field((3, 1))
        with pytest.raises(ValueError, match=r"got '31' for layer 0"):
            receptive_field(["31"])
        with pytest.raises(ValueError, match="expected stride >= 1, got stride=0"):
            receptive_field([(3, 0)])
        with pytest.raises(ValueError, match="expected padding >= 0, got padding=-1"):
            receptive_field([(3, 1, -1)])
        with pytest.raises(TypeError, match="expected kernel to be an int, got True"):
            receptive_field([(True, 1)])
        with pytest.raises(TypeError, match=r"expected layers or an nn.Module, got 3"):
            receptive_field(3)
        with pytest.raises(ValueError, match=r"expected axis=None with tuples"):
            receptive_field([(3, 1)], axis=0)
        net = nn.Conv2d(1, 1, (3, 5))
        with pytest.raises(
            ValueError, match=r"axis=0: \(3, 1, 1.5\), axis=1: \(5, 1, 2.5"
        ):
            receptive_field(net)
        with pytest.raises(ValueError, match=r"expected axis < 2, got axis=2"):
            receptive_field(net, axis=2)
        with pytest.raises(TypeError, match=r"expected an nn.Module, got Impostor"):
            receptive_field(Impostor())


class Impostor:
    """Has an nn.Module's children, and is none."""

    def named_children(self):
        return iter(())


channels = st.integers(1, 4)


class TestCounts:
    @wide
    @given(channels, channels, channels, st.booleans(), st.data())
    def test_conv_num_params_equals_torch(self, c, k, g, bias, data):
        axes = data.draw(st.integers(1, 3))
        kernel = data.draw(st.tuples(*axes * [st.integers(1, 4)]))
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[axes - 1]
        module = conv(c * g, k * g, kernel, groups=g, bias=bias, device="meta")
        expected = sum(p.numel() for p in module.parameters())
        assert conv_num_params(c * g, k * g, kernel, groups=g, bias=bias) == expected

    def test_an_int_is_a_square_kernel(self):
        assert conv_num_params(3, 6, 5) == conv_num_params(3, 6, (5, 5)) == 456  # C134
        assert conv_num_params(3, 6, (5,)) == 96
        assert conv_num_params(1, 6, 5) == 156  # LeNet C1
        assert conv_num_params(3, 4, 3) == 112  # C135

    @wide
    @given(st.integers(1, 9), st.integers(1, 9), st.booleans())
    def test_linear_num_params_equals_torch(self, n_in, n_out, bias):
        module = nn.Linear(n_in, n_out, bias=bias, device="meta")
        expected = sum(p.numel() for p in module.parameters())
        assert linear_num_params(n_in, n_out, bias=bias) == expected

    def test_claims_of_the_ledger(self):
        assert linear_num_params(32 * 32 * 3, 100) == 307_300  # C186, C203
        assert linear_num_params(224 * 224 * 3, 100) == 15_052_900
        assert conv_num_params(3, 100, 3) == 2_800
        block = [(192, 64, 1), (192, 96, 1), (96, 128, 3), (192, 16, 1), (16, 32, 5),
                 (192, 32, 1)]  # GoogLeNet 3a, C209  # fmt: skip
        weights = sum(conv_num_params(*conv, bias=False) for conv in block)
        macs = sum(conv_macs(*conv, 28) for conv in block)
        assert (weights, round(macs / 1e6)) == (163_328, 128)
        assert conv_num_params(192, 256, 3, bias=False) == 442_368
        assert round(conv_macs(192, 256, 5, 28) / 1e6) == 963

    def test_vgg16(self):
        widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
        convs = sum(conv_num_params(a, b, 3) for a, b in pairwise(widths))
        linear = [(512 * 49, 4096), (4096, 4096), (4096, 1000)]
        assert convs + sum(linear_num_params(*n) for n in linear) == 138_357_544

    @wide
    @given(channels, channels, channels, st.data())
    def test_conv_macs_equals_torchs_flop_counter(self, c, k, g, data):
        axes = data.draw(st.integers(1, 3))
        taps = st.tuples(*axes * [st.integers(1, 3)])
        kernel, output = data.draw(taps), data.draw(taps)
        shape = [n + o - 1 for n, o in zip(kernel, output, strict=True)]
        conv = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
        x = torch.zeros(1, c * g, *shape, device="meta")
        weight = torch.zeros(k * g, c, *kernel, device="meta")
        with FlopCounterMode(display=False) as counter:
            conv(x, weight, groups=g)
        macs = conv_macs(c * g, k * g, kernel, output, groups=g)
        assert 2 * macs == counter.get_total_flops()

    def test_conv_macs_spreads_ints(self):
        assert conv_macs(3, 64, 7, 112) == conv_macs(3, 64, (7, 7), (112, 112))
        assert conv_macs(3, 64, (7,), 112) == 3 * 64 * 7 * 112
        assert conv_macs(3, 64, 7, [112]) == 3 * 64 * 7 * 112

    @pytest.mark.refusal
    def test_says_what_it_received(self):
        with pytest.raises(
            ValueError, match=r"got groups=2, in_channels=3, out_channels=4"
        ):
            conv_num_params(3, 4, 3, groups=2)
        with pytest.raises(
            ValueError, match="expected in_channels >= 1, got in_channels=0"
        ):
            conv_macs(0, 4, 3, 8)
        with pytest.raises(
            ValueError, match=r"each axis of output_size.*\(3,\).*\(8, 8\)"
        ):
            conv_macs(1, 4, (3,), (8, 8))
        with pytest.raises(ValueError, match="expected kernel_size >= 1"):
            conv_num_params(1, 1, (3, 0))
        with pytest.raises(ValueError, match="each axis of kernel_size"):
            conv_num_params(1, 1, ())
        with pytest.raises(
            TypeError, match=r"expected out_features to be an int, got 1.0"
        ):
            linear_num_params(1, 1.0)
        with pytest.raises(TypeError, match="expected output_size to be an int"):
            conv_macs(1, 1, 1, 1.0)

"""dlref.init, against torch.nn.init."""

import math
import os
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dlref import init as ours

few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=20 if few_examples else 80, deadline=None)
theirs = nn.init
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
SHAPES = [(3, 5), (5, 3), (4, 4), (1, 1), (16, 3, 7, 7), (6, 2, 3), (40, 100)]
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("xavier_uniform_", {}),
    ("xavier_uniform_", {"gain": 5 / 3}),
    ("xavier_normal_", {}),
    ("xavier_normal_", {"gain": 0}),
    ("kaiming_uniform_", {}),
    ("kaiming_uniform_", {"a": math.sqrt(5)}),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
    ("kaiming_normal_", {}),
    ("kaiming_normal_", {"a": 0.2, "mode": "FAN_OUT"}),
    ("kaiming_normal_", {"nonlinearity": "conv2d"}),
    ("orthogonal_", {}),
    ("orthogonal_", {"gain": -2.5}),
]
calls = pytest.mark.parametrize(("name", "options"), CALLS, ids=str)
FUNCTIONS = sorted({name for name, _ in CALLS})
functions = pytest.mark.parametrize("name", FUNCTIONS)


def both(name: str, options: dict[str, Any], empty: Tensor) -> tuple[Tensor, Tensor]:
    """Fill two copies from the same seed."""
    filled = []
    for module in (ours, theirs):
        torch.manual_seed(3)
        tensor = empty.clone()
        assert getattr(module, name)(tensor, **options) is tensor
        filled.append(tensor)
    return filled[0], filled[1]


class TestDraws:
    @calls
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_are_torchs_bit_by_bit(self, device, name, options, dtype):
        half = dtype in (torch.float16, torch.bfloat16)
        for shape in SHAPES:
            empty = torch.empty(shape, device=device, dtype=dtype)
            if half and name == "orthogonal_":  # torch has none; the rounded float32
                torch.manual_seed(3)
                mine = ours.orthogonal_(empty, **options)
                _, full = both(name, options, empty.float())
                assert mine.equal(full.to(dtype))
                continue
            mine, expected = both(name, options, empty)
            assert mine.equal(expected)
            assert mine.dtype == dtype

    @calls
    def test_follow_a_generator(self, device, name, options):
        filled = []
        for module in (ours, theirs):
            generator = torch.Generator(device).manual_seed(7)
            tensor = torch.empty(6, 4, device=device)
            getattr(module, name)(tensor, **options, generator=generator)
            filled += [tensor, torch.rand(3, generator=generator, device=device)]
        assert filled[0].equal(filled[2])
        assert filled[1].equal(filled[3])  # and leave it where torch leaves it

    @functions
    def test_arguments_in_torchs_order(self, device, name):
        given = (0.3, "fan_out", "tanh") if "kaiming" in name else (0.3,)
        generators = [torch.Generator(device).manual_seed(7) for _ in range(2)]
        mine, expected = (
            getattr(module, name)(torch.empty(6, 4, device=device), *given, generator)
            for module, generator in zip((ours, theirs), generators, strict=True)
        )
        assert mine.equal(expected)

    @pytest.mark.parametrize("name", ["xavier_normal_", "kaiming_normal_"])
    def test_complex(self, device, name):
        empty = torch.empty(6, 4, device=device, dtype=torch.complex64)
        mine, expected = both(name, {}, empty)
        assert mine.equal(expected)

    @functions
    def test_layouts(self, device, name):
        """A transposed weight is filled as torch fills it, one of channels_last too."""
        mine, expected = both(name, {}, torch.empty(5, 4, device=device).T)
        assert mine.equal(expected)
        images = torch.empty(4, 3, 2, 2, device=device)
        images = images.to(memory_format=torch.channels_last)
        tensor = getattr(ours, name)(images)
        assert tensor.is_contiguous(memory_format=torch.channels_last)
        assert tensor.isfinite().all()

    @functions
    def test_parameters_stay_leaves(self, device, name):
        parameter = nn.Parameter(torch.empty(6, 4, device=device))
        before = parameter._version
        assert getattr(ours, name)(parameter) is parameter
        assert parameter.is_leaf
        assert parameter.requires_grad
        assert parameter._version > before

    @functions
    def test_meta(self, name):
        empty = torch.empty(10**6, 10**6, device="meta")
        assert getattr(ours, name)(empty) is empty

    @functions
    @pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (3, 0, 2)])
    def test_nothing_to_fill(self, name, shape):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert getattr(ours, name)(torch.empty(shape)).shape == shape
        assert len(caught) == ("kaiming" in name)
        assert all("zero-element tensors is a no-op" in str(w.message) for w in caught)


class TestVariance:
    @pytest.mark.parametrize("shape", [(400, 100), (100, 400), (40, 20, 5, 5)])
    @pytest.mark.parametrize("kind", ["uniform_", "normal_"])
    def test_is_the_formulas(self, shape, kind):
        """The sample variance of so many draws is within 3 % of the true one."""
        taps = math.prod(shape[2:])
        n_out, n_in = shape[0] * taps, shape[1] * taps
        xavier, kaiming = (getattr(ours, f"{k}_{kind}") for k in ("xavier", "kaiming"))
        w = torch.empty(shape, dtype=torch.float64)
        torch.manual_seed(0)
        for fill, expected in [
            (lambda: xavier(w, 3), 9 * 2 / (n_in + n_out)),
            (lambda: kaiming(w), 2 / n_in),
            (lambda: kaiming(w, 1), 1 / n_in),
            (lambda: kaiming(w, mode="fan_out"), 2 / n_out),
            (lambda: kaiming(w, nonlinearity="tanh"), 25 / 9 / n_in),
        ]:
            fill()
            assert abs(w.var().item() / expected - 1) < 0.03
            assert abs(w.mean().item()) < 0.02 * math.sqrt(expected)

    def test_kaiming_keeps_a_signal_through_thirty_layers_of_relu(self):
        torch.manual_seed(0)
        x = torch.randn(64, 400, dtype=torch.float64)
        h = x
        for _ in range(30):
            w = ours.kaiming_normal_(torch.empty(400, 400, dtype=torch.float64))
            h = (h @ w.T).relu()
        assert 0.5 < (h.square().mean() / x.square().mean()).item() < 2


class TestOrthogonal:
    @many
    @given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.floats(-3, 3))
    def test_rows_or_columns_are_orthonormal(self, device, shape, gain):
        w = ours.orthogonal_(torch.empty(shape, device=device).double(), gain)
        w = w.flatten(1)
        gram = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
        expected = gain**2 * torch.eye(len(gram), device=device, dtype=torch.float64)
        torch.testing.assert_close(gram, expected, rtol=1e-12, atol=1e-12)

    def test_keeps_lengths_through_a_hundred_layers(self):
        x = torch.randn(5, 30, dtype=torch.float64)
        h = x
        for _ in range(100):
            h = h @ ours.orthogonal_(torch.empty(30, 30, dtype=torch.float64))
        torch.testing.assert_close(h.norm(dim=1), x.norm(dim=1), rtol=1e-12, atol=0)

    def test_no_direction_is_preferred(self):
        """Without the correction of signs the first entry would always be negative."""
        torch.manual_seed(0)
        empty = torch.empty(2, 2, dtype=torch.float64)
        first = torch.stack([ours.orthogonal_(empty)[0, 0].clone() for _ in range(400)])
        assert 160 < (first > 0).sum().item() < 240  # 4 standard deviations
        assert abs(first.mean().item()) < 4 * math.sqrt(0.5 / 400)


class TestGain:
    @pytest.mark.parametrize(
        "name",
        ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
        + [f"{kind}{d}d" for kind in ("conv", "conv_transpose") for d in (1, 2, 3)],
    )
    def test_is_torchs(self, name):
        assert ours.calculate_gain(name) == theirs.calculate_gain(name)
        assert ours.calculate_gain(name, 0.5) == theirs.calculate_gain(name, 0.5)

    @pytest.mark.parametrize("slope", [None, 0, 0.2, 1, -1.0, 10])
    def test_of_slopes(self, slope):
        expected = theirs.calculate_gain("leaky_relu", slope)
        assert ours.calculate_gain("leaky_relu", slope) == expected

    @pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
    def test_makes_up_for_what_the_rectifier_takes(self, slope):
        x = torch.randn(100_000, dtype=torch.float64)
        h = nn.functional.leaky_relu(x, slope)
        gain = ours.calculate_gain("leaky_relu", slope)
        assert abs(gain**2 * (h.square().mean() / x.square().mean()) - 1) < 0.02


class TestForgetGate:
    @pytest.mark.parametrize("value", [1.0, 2, -0.5])
    @pytest.mark.parametrize(
        "options",
        [{}, {"num_layers": 2}, {"bidirectional": True}, {"proj_size": 2}],
        ids=str,
    )
    def test_sets_the_sum_and_nothing_else(self, value, options):
        lstm = nn.LSTM(3, 4, **options)
        before = {name: p.detach().clone() for name, p in lstm.named_parameters()}
        assert ours.init_forget_gate_bias_(lstm, value) is lstm
        for name, p in lstm.named_parameters():
            if name.startswith("weight"):
                assert p.equal(before[name])
                continue
            i, f, g, o = p.chunk(4)
            assert (f == (value if "_ih" in name else 0)).all()
            kept = torch.cat([i, g, o])
            assert kept.equal(torch.cat([before[name][:4], before[name][8:]]))
            assert p.requires_grad

    @pytest.mark.parametrize("value", [0.0, 1.0, 2.0])
    def test_memory_fades_by_sigmoid_of_it(self, device, value):
        cell = nn.LSTMCell(3, 4, device=device, dtype=torch.float64)
        for p in cell.parameters():
            nn.init.zeros_(p)
        ours.init_forget_gate_bias_(cell, value)
        h = torch.zeros(1, 4, device=device, dtype=torch.float64)
        c = torch.ones_like(h)
        for _ in range(20):
            h, c = cell(torch.zeros(1, 3, device=device, dtype=torch.float64), (h, c))
        expected = 1 / (1 + math.exp(-value))
        torch.testing.assert_close(
            c, torch.full_like(c, expected**20), rtol=1e-9, atol=0
        )

    def test_default_is_one(self):
        cell = ours.init_forget_gate_bias_(nn.LSTMCell(3, 4))
        assert (cell.bias_ih + cell.bias_hh)[4:8].tolist() == [1.0] * 4


@pytest.mark.refusal
class TestRefusals:
    @functions
    @pytest.mark.parametrize("shape", [(), (3,)])
    def test_fewer_than_two_axes(self, name, shape):
        with pytest.raises(ValueError, match=r"weight of two axes .* got the shape \("):
            getattr(ours, name)(torch.empty(shape))

    @functions
    def test_types(self, name):
        fill = getattr(ours, name)
        with pytest.raises(TypeError, match="expected a Tensor, got list"):
            fill([[1.0, 2.0]])
        with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
            fill(torch.ones(2, 2, dtype=torch.long))
        if "normal" not in name:
            with pytest.raises(
                TypeError, match=r"floating point, got torch\.complex64"
            ):
                fill(torch.ones(2, 2, dtype=torch.complex64))

    @pytest.mark.parametrize("gain", [-1, math.inf, math.nan])
    @pytest.mark.parametrize("name", ["xavier_uniform_", "xavier_normal_"])
    def test_gains(self, name, gain):
        with pytest.raises(ValueError, match="a finite gain of 0 or more, got"):
            getattr(ours, name)(torch.empty(2, 2), gain)

    @pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_"])
    def test_modes_and_functions(self, name):
        w = torch.zeros(2, 2)
        with pytest.raises(ValueError, match=r"fan_in or fan_out, got 'fan_avg'"):
            getattr(ours, name)(w, mode="fan_avg")
        with pytest.raises(ValueError, match=r"expected one of .*tanh.*, got 'gelu'"):
            getattr(ours, name)(w, nonlinearity="gelu")
        assert not w.any()

    @pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_"])
    def test_the_warning_points_at_the_caller(self, name):
        with pytest.warns(UserWarning, match="Initializing zero-element") as caught:
            getattr(ours, name)(torch.empty(0, 3))
        assert [w.filename for w in caught] == [__file__]

    @pytest.mark.parametrize("slope", [True, [1], "0.1", {}])
    def test_slopes(self, slope):
        with pytest.raises(ValueError, match="a number as the negative slope, got"):
            ours.calculate_gain("leaky_relu", slope)

    def test_lstms(self):
        with pytest.raises(TypeError, match="expected an LSTM, got int"):
            ours.init_forget_gate_bias_(3)
        with pytest.raises(ValueError, match=r"with biases .* got LSTM with \['weight"):
            ours.init_forget_gate_bias_(nn.LSTM(3, 4, bias=False))
        with pytest.raises(ValueError, match=r"four gates of hidden_size=4 units, got"):
            ours.init_forget_gate_bias_(nn.GRU(3, 4))

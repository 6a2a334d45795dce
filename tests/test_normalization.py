"""dlref.normalization: the functions, against torch's."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlref import normalization as ours

# torch's own: forward-mode derivatives load modules that still use it
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=20 if few_examples else 80, deadline=None)

# --- what is drawn --------------------------------------------------------------------

spatial_sizes = st.lists(st.integers(1, 5), max_size=3)
layouts = st.sampled_from(["contiguous", "channels_last", "reversed", "strided"])


def random(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Draw on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, dtype=torch.float64, generator=generator, device="cpu")
    return (2 * x + 1).to(dtype)


def laid_out(x: Tensor, layout: str) -> Tensor:
    """Return equal values in another order of memory."""
    if layout == "channels_last" and x.ndim == 4:
        return x.contiguous(memory_format=torch.channels_last)
    if layout == "reversed":
        axes = tuple(reversed(range(x.ndim)))
        return x.permute(axes).contiguous().permute(axes)
    if layout == "strided":
        return torch.stack([x, -x], dim=-1)[..., 0]
    return x


@st.composite
def activations(draw: Callable[..., Any], least: int = 0) -> Tensor:
    """Draw (N, C, ...) of float64 with more than one value for each channel."""
    n, c = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    spatial = draw(st.lists(st.integers(1, 5), min_size=least, max_size=3))
    if n * int(np.prod(spatial)) == 1:
        n = 2
    x = random(n, c, *spatial, seed=draw(st.integers(0, 99)))
    return laid_out(x, draw(layouts))


def vectors(shape: tuple[int, ...], seed: int = 1) -> tuple[Tensor, Tensor]:
    """Return a weight and a bias."""
    return random(*shape, seed=seed), random(*shape, seed=seed + 1)


# --- how it is compared ---------------------------------------------------------------


def close(got: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    """Compare relative to the largest value, or to 1, the size of what went in."""
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    scale = max([1.0, *expected.double().abs().flatten().tolist()])
    torch.testing.assert_close(got, expected, rtol=tolerance, atol=tolerance * scale)


def compare(
    function: Callable[..., Tensor],
    oracle: Callable[..., Tensor],
    arguments: tuple[Tensor, ...],
    device: str,
    tolerance: float = 1e-12,
) -> None:
    """Compare values, and the gradients with respect to every argument.

    The oracle gets contiguous ones: torch 2.13's gradient of `batch_norm` in evaluation
    mixes up the channels of an image of strides (1, 1, 2, 2).
    """
    results = []
    for f in (function, oracle):
        leaves = [x.detach().to(device) for x in arguments]
        if f is oracle:
            leaves = [x.contiguous() for x in leaves]
        leaves = [x.requires_grad_() for x in leaves]
        y = f(*leaves)
        dy = random(*y.shape, dtype=y.dtype, seed=9).to(device)
        results.append((y, *torch.autograd.grad(y, leaves, dy)))
    for got, expected in zip(*results, strict=True):
        close(got, expected, tolerance)


# --- batch norm -----------------------------------------------------------------------


class TestBatchNorm:
    @many
    @given(activations(), st.floats(1e-4, 1))
    def test_training(self, device, x, eps):
        def call(batch_norm):
            return lambda x, w, b: batch_norm(x, None, None, w, b, True, eps=eps)

        arguments = (x, *vectors(x.shape[1:2]))
        compare(call(ours.batch_norm), call(F.batch_norm), arguments, device)

    @many
    @given(activations(), st.floats(1e-4, 1))
    def test_evaluation(self, device, x, eps):
        mean, var = (v.to(device) for v in vectors(x.shape[1:2], 3))

        def call(batch_norm):
            return lambda x, w, b: batch_norm(x, mean, var.abs(), w, b, eps=eps)

        arguments = (x, *vectors(x.shape[1:2]))
        compare(call(ours.batch_norm), call(F.batch_norm), arguments, device)

    @many
    @given(activations(), st.floats(-1, 3))
    def test_running_statistics_move_in_place(self, device, x, momentum):
        results = []
        for batch_norm in (ours.batch_norm, F.batch_norm):
            mean, var = (v.to(device) for v in vectors(x.shape[1:2]))
            for batch in (x, 3 - x):
                batch_norm(batch.to(device), mean, var, None, None, True, momentum)
            results.append((mean, var))
        for got, expected in zip(*results, strict=True):
            close(got, expected)

    def test_the_running_variance_is_unbiased(self):
        x = torch.tensor([[1.0], [3.0]])
        mean, var = torch.zeros(1), torch.ones(1)
        ours.batch_norm(x, mean, var, training=True, momentum=1.0)
        assert (mean.item(), var.item()) == (2, 2)  # the biased one, 1, is divided by

    @pytest.mark.parametrize("momentum", [1, 0, True, np.float32(0.5), 0.25])
    def test_momentum_is_any_number(self, momentum):
        x, results = random(4, 3), []
        for batch_norm in (ours.batch_norm, F.batch_norm):
            mean, var = vectors((3,))
            batch_norm(x, mean, var, training=True, momentum=momentum)
            results.append((mean, var))
        for got, expected in zip(*results, strict=True):
            close(got, expected)

    def test_in_evaluation_statistics_stay(self, device):
        mean, var = (v.abs().to(device) for v in vectors((3,)))
        before = mean.clone(), var.clone()
        ours.batch_norm(random(4, 3).to(device), mean, var)
        assert mean.equal(before[0])
        assert var.equal(before[1])

    @pytest.mark.parametrize("given", [(None, None), ("w", None), (None, "b")])
    @pytest.mark.parametrize("training", [True, False])
    def test_without_weight_or_bias(self, device, given, training):
        x = random(4, 3, 2).to(device)
        w, b = (v if v is None else random(3, seed=4).to(device) for v in given)
        mean, var = torch.zeros(3).to(x), torch.ones(3).to(x)
        got = ours.batch_norm(x, mean, var, w, b, training)
        mean, var = torch.zeros(3).to(x), torch.ones(3).to(x)
        close(got, F.batch_norm(x, mean, var, w, b, training))

    @pytest.mark.parametrize("training", [True, False])
    def test_no_channels(self, device, training):
        """Torch's fails here, with an IndexError."""
        x, v = torch.zeros(2, 0, 4).to(device), torch.zeros(0).to(device)
        w = v.clone().requires_grad_()
        y = ours.batch_norm(x, v, v, w, v, training)
        assert y.shape == x.shape
        assert torch.autograd.grad(y.sum(), w)[0].shape == (0,)

    @pytest.mark.parametrize("shape", [(0, 3), (0, 3, 2, 2), (2, 3, 0)])
    @pytest.mark.parametrize("training", [True, False])
    def test_empty(self, device, shape, training):
        results = []
        for batch_norm in (ours.batch_norm, F.batch_norm):
            x = torch.zeros(shape).to(device).requires_grad_()
            w, b, mean, var = (torch.ones(shape[1]).to(device) for _ in range(4))
            w.requires_grad_(), b.requires_grad_()
            y = batch_norm(x, mean, var, w, b, training)
            grads = torch.autograd.grad(y.sum(), (x, w, b))
            results.append((y, *grads, mean, var))
        for got, expected in zip(*results, strict=True):
            close(got, expected)
        assert results[0][-1].eq(1).all()

    def test_a_constant_channel_becomes_its_bias(self, device):
        x = torch.full((4, 2, 3, 3), 5.0).to(device).requires_grad_()
        y = ours.batch_norm(x, None, None, training=True)
        (dx,) = torch.autograd.grad((y * random(*y.shape).to(y)).sum(), x)
        assert not y.any()
        assert dx.isfinite().all()

    def test_nothing_is_modified_but_the_statistics(self):
        x, (w, b) = random(4, 3, 2), vectors((3,))
        before = [t.clone() for t in (x, w, b)]
        ours.batch_norm(x, *vectors((3,)), w, b, True)
        assert all(t.equal(s) for t, s in zip((x, w, b), before, strict=True))

    def test_the_result_may_be_overwritten_before_the_backward_pass(self):
        """What `nn.ReLU(inplace=True)` behind it does."""
        x = random(4, 3, 2).requires_grad_()
        expected = F.batch_norm(x, None, None, training=True).relu()
        got = ours.batch_norm(x, None, None, training=True).relu_()
        dy = random(4, 3, 2, seed=3)
        close(
            torch.autograd.grad(got, x, dy)[0], torch.autograd.grad(expected, x, dy)[0]
        )

    def test_channels_last_stays(self, device):
        x = laid_out(random(2, 3, 4, 5), "channels_last").to(device).requires_grad_()
        for training in (True, False):
            mean, var = torch.zeros(3).to(x), torch.ones(3).to(x)
            y = ours.batch_norm(x, mean, var, training=training)
            assert y.is_contiguous(memory_format=torch.channels_last)

    def test_a_mean_far_from_zero_costs_no_digits(self):
        """E[x^2] - E[x]^2 would be wrong by more than the variance itself."""
        x = random(8, 2, 16, 16, dtype=torch.float32) + 3000
        expected = F.batch_norm(x.double(), None, None, training=True)
        got = ours.batch_norm(x, None, None, training=True)
        torch.testing.assert_close(got.double(), expected, rtol=0, atol=3e-4)

    @pytest.mark.parametrize("shape", [(2, 3, 512, 512), (2, 2, 300_000), (60_000, 2)])
    def test_long_sums_of_float32(self, shape):
        x = 3 * random(*shape, dtype=torch.float32)
        expected = F.batch_norm(x.double(), None, None, training=True)
        got = ours.batch_norm(x, None, None, training=True)
        torch.testing.assert_close(got.double(), expected, rtol=0, atol=3e-6)


# --- layer, group and instance norm ---------------------------------------------------


class TestLayerNorm:
    @many
    @given(activations(), st.floats(1e-4, 1), st.data())
    def test_values_and_gradients(self, device, x, eps, data):
        shape = tuple(x.shape[-data.draw(st.integers(1, x.ndim)) :])
        kind = data.draw(st.sampled_from([tuple, list, torch.Size]))

        def call(layer_norm):
            return lambda x, w, b: layer_norm(x, kind(shape), w, b, eps)

        compare(call(ours.layer_norm), call(F.layer_norm), (x, *vectors(shape)), device)

    @pytest.mark.parametrize("given", [(None, None), ("w", None), (None, "b")])
    def test_without_weight_or_bias(self, device, given):
        x = random(4, 3, 2).to(device)
        w, b = (v if v is None else random(3, 2, seed=4).to(device) for v in given)
        close(ours.layer_norm(x, (3, 2), w, b), F.layer_norm(x, (3, 2), w, b))

    @pytest.mark.parametrize("shape", [(0, 3), (2, 0, 4), (3, 0)])
    def test_empty(self, device, shape):
        x = torch.zeros(shape).to(device)
        w = torch.ones(shape[-1:]).to(device)
        close(ours.layer_norm(x, shape[-1:], w), F.layer_norm(x, shape[-1:], w))

    def test_one_value_is_its_own_mean(self, device):
        x = random(3, 1).to(device)
        close(ours.layer_norm(x, (1,)), torch.zeros_like(x))

    def test_long_rows_of_float32(self):
        x = 3 * random(2, 200_000, dtype=torch.float32)
        expected = F.layer_norm(x.double(), x.shape[1:])
        got = ours.layer_norm(x, x.shape[1:]).double()
        torch.testing.assert_close(got, expected, rtol=0, atol=3e-6)


class TestRmsNorm:
    @many
    @given(activations(), st.none() | st.floats(1e-4, 1), st.data())
    def test_values_and_gradients(self, device, x, eps, data):
        shape = tuple(x.shape[-data.draw(st.integers(1, x.ndim)) :])

        def call(rms_norm):
            return lambda x, w: rms_norm(x, shape, w, eps)

        arguments = x, random(*shape, seed=1)
        compare(call(ours.rms_norm), call(F.rms_norm), arguments, device)

    @pytest.mark.parametrize(
        "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16]
    )
    def test_eps_is_the_machines(self, device, dtype):
        x = (1e-4 * random(5, 3)).to(dtype).to(device)
        tolerance = {torch.float64: 1e-12, torch.float32: 1e-6}.get(dtype, 1e-2)
        close(ours.rms_norm(x, (3,)), F.rms_norm(x, (3,)), tolerance)

    @pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
    def test_empty(self, device, shape):
        x = torch.zeros(shape).to(device)
        close(ours.rms_norm(x, shape[-1:]), F.rms_norm(x, shape[-1:]))


class TestGroupNorm:
    @many
    @given(activations(), st.floats(1e-4, 1), st.data())
    def test_values_and_gradients(self, device, x, eps, data):
        n, c, *spatial = x.shape
        groups = data.draw(st.sampled_from([g for g in range(1, c + 1) if c % g == 0]))
        if n * c // groups * int(np.prod(spatial)) == 1:
            groups = 1

        def call(group_norm):
            return lambda x, w, b: group_norm(x, groups, w, b, eps)

        if n * c // groups * int(np.prod(spatial)) > 1:
            arguments = (x, *vectors((c,)))
            compare(call(ours.group_norm), call(F.group_norm), arguments, device)

    def test_one_group_and_as_many_as_channels(self):
        x = random(2, 6, 4, 5)
        close(ours.group_norm(x, 1), ours.layer_norm(x, x.shape[1:]))
        close(ours.group_norm(x, 6), ours.instance_norm(x))

    @pytest.mark.parametrize("shape", [(0, 4, 3), (2, 4, 0), (2, 0, 3)])
    def test_empty(self, device, shape):
        x, w = torch.zeros(shape).to(device), torch.ones(shape[1]).to(device)
        groups = 2 if shape[1] else 1
        close(ours.group_norm(x, groups, w, w), F.group_norm(x, groups, w, w))

    def test_one_value_a_group_is_refused_only_of_one_sample(self):
        x = random(2, 4)
        close(ours.group_norm(x, 4), F.group_norm(x, 4))


class TestInstanceNorm:
    @many
    @given(activations(least=1), st.floats(1e-4, 1), st.floats(0, 1))
    def test_values_gradients_and_statistics(self, device, x, eps, momentum):
        if int(np.prod(x.shape[2:])) == 1:
            x = torch.cat([x, 2 * x], dim=2)
        moved = []

        def call(instance_norm):
            def f(x, w, b):
                mean, var = (v.to(device) for v in vectors(x.shape[1:2], 3))
                moved.append((mean, var))
                return instance_norm(x, mean, var, w, b, True, momentum, eps)

            return f

        arguments = (x, *vectors(x.shape[1:2]))
        compare(call(ours.instance_norm), call(F.instance_norm), arguments, device)
        for got, expected in zip(*moved, strict=True):
            close(got, expected)

    @many
    @given(activations(), st.floats(1e-4, 1))
    def test_by_running_statistics(self, device, x, eps):
        mean, var = (v.to(device) for v in vectors(x.shape[1:2], 3))

        def call(instance_norm):
            return lambda x, w, b: instance_norm(
                x, mean, var.abs(), w, b, use_input_stats=False, eps=eps
            )

        arguments = (x, *vectors(x.shape[1:2]))
        compare(call(ours.instance_norm), call(F.instance_norm), arguments, device)

    @pytest.mark.parametrize("given", [(None, None), ("w", None), (None, "b")])
    def test_without_weight_or_bias(self, device, given):
        x = random(4, 3, 2).to(device)
        w, b = (v if v is None else random(3, seed=4).to(device) for v in given)
        close(
            ours.instance_norm(x, None, None, w, b),
            F.instance_norm(x, None, None, w, b),
        )

    @pytest.mark.parametrize("shape", [(0, 4, 3), (2, 4, 0), (2, 0, 3)])
    def test_empty(self, device, shape):
        x, mean, var = torch.zeros(shape), torch.zeros(shape[1]), torch.ones(shape[1])
        x, mean, var = (t.to(device) for t in (x, mean, var))
        close(ours.instance_norm(x, mean, var), F.instance_norm(x))
        assert mean.eq(0).all()
        assert var.eq(1).all()

    def test_statistics_of_another_dtype(self, device):
        x, results = random(2, 3, 4).to(device), []
        for instance_norm in (ours.instance_norm, F.instance_norm):
            mean, var = (v.float().to(device) for v in vectors((3,)))
            results.append((instance_norm(x, mean, var), mean, var))
        for got, expected in zip(*results, strict=True):
            close(got, expected, 1e-6 if got.dtype == torch.float32 else 1e-12)


# --- local response norm --------------------------------------------------------------


class TestLocalResponseNorm:
    @many
    @given(activations(least=1), st.integers(1, 9), st.floats(0, 2), st.floats(0.1, 2))
    def test_values_and_gradients(self, device, x, size, alpha, beta):
        def call(local_response_norm):
            return lambda x: local_response_norm(x, size, alpha, beta, k=1.5)

        functions = ours.local_response_norm, F.local_response_norm
        compare(*map(call, functions), (x,), device)

    def test_the_papers_constants(self):
        """k = 2, n = 5, alpha = 1e-4 without 1 / n, beta = 0.75; equation of 3.3."""
        a = 10 * random(2, 8, 3, 3)
        b = torch.empty_like(a)
        for i in range(8):
            near = a[:, max(0, i - 2) : min(7, i + 2) + 1]
            b[:, i] = a[:, i] / (2 + 1e-4 * near.square().sum(1)) ** 0.75
        close(ours.local_response_norm(a, 5, alpha=5e-4, beta=0.75, k=2.0), b)

    def test_defaults_and_more_axes(self, device):
        x = random(2, 4, 3, 2, 2, 2).to(device)
        close(ours.local_response_norm(x, 3), F.local_response_norm(x, 3))

    @pytest.mark.parametrize("shape", [(0, 4, 3), (2, 0, 3, 3), (2, 4, 0, 3)])
    def test_empty(self, device, shape):
        x = torch.zeros(shape).to(device)
        close(ours.local_response_norm(x, 3), x)


# --- all of them ----------------------------------------------------------------------

Call = Callable[[Any, Tensor, Tensor, Tensor], Tensor]
CALLS: dict[str, Call] = {
    "batch": lambda f, x, w, b: f.batch_norm(x, None, None, w, b, True),
    "batch, eval": lambda f, x, w, b: f.batch_norm(x, 0.5 * w, w * w, w, b),
    "layer": lambda f, x, w, b: f.layer_norm(x.mT, (4,), w, b),
    "rms": lambda f, x, w, b: f.rms_norm(x.mT, (4,), w),
    "group": lambda f, x, w, b: f.group_norm(x, 2, w, b),
    "instance": lambda f, x, w, b: f.instance_norm(x, None, None, w, b),
    "response": lambda f, x, w, b: f.local_response_norm(x, 3),
}
names = pytest.mark.parametrize("name", CALLS)
# torch has no gradient for the statistics that evaluation is given
differentiable = pytest.mark.parametrize("name", [n for n in CALLS if n[-4:] != "eval"])


def arguments(dtype: torch.dtype, device: str) -> list[Tensor]:
    shapes = (3, 4, 6), (4,), (4,)
    return [random(*s, seed=i).to(dtype).to(device) for i, s in enumerate(shapes)]


class TestDtypes:
    @differentiable
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
    def test_values_and_gradients(self, device, name, dtype):
        tolerance = {torch.float32: 3e-6, torch.float16: 2e-3}.get(dtype, 1.6e-2)
        count = {"response": 1, "rms": 2}.get(name, 3)

        def mine(*given):
            return CALLS[name](ours, *(*given, None, None)[:3])

        def theirs(x, *given):
            if name == "response":  # torch has no half precision on the CPU
                return CALLS[name](F, x.float(), None, None).to(dtype)
            return CALLS[name](F, *(x, *given, None, None)[:3])

        used = tuple(arguments(dtype, device)[:count])
        compare(mine, theirs, used, device, tolerance)

    @pytest.mark.parametrize(
        "name", ["batch", "batch, eval", "layer", "group", "instance"]
    )
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_with_parameters_of_float32(self, device, name, dtype):
        x, w, b = arguments(torch.float32, device)
        got, expected = (CALLS[name](f, x.to(dtype), w, b) for f in (ours, F))
        close(got, expected, 2e-3 if dtype == torch.float16 else 1.6e-2)

    def test_running_statistics_of_half_precision(self, device):
        for dtype in (torch.float16, torch.bfloat16):
            x, results = random(8, 3, 2).to(dtype).to(device), []
            for batch_norm in (ours.batch_norm, F.batch_norm):
                mean, var = (v.to(dtype).to(device) for v in vectors((3,)))
                batch_norm(x, mean, var, training=True)
                results.append((mean, var))
            for got, expected in zip(*results, strict=True):
                close(got, expected, 2e-3 if dtype == torch.float16 else 1.6e-2)

    def test_rms_norm_takes_a_weight_of_any_dtype(self):
        x, w = random(2, 3), random(3)
        got = ours.rms_norm(x.half(), (3,), w)
        assert got.dtype == torch.float16
        close(
            ours.rms_norm(x, (3,), w.float()), F.rms_norm(x, (3,), w.float().double())
        )


class TestDerivatives:
    @names
    def test_first_second_and_forward(self, device, name):
        given = [x.requires_grad_() for x in arguments(torch.float64, device)]
        if name == "batch, eval":
            given[1].requires_grad_(requires_grad=False)

        def f(x, w, b):
            y = CALLS[name](ours, x, w, b)
            return y + 0 * (w.sum() + b.sum())  # so that each takes part

        assert torch.autograd.gradcheck(f, given, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, given)

    @pytest.mark.parametrize("shape", [(5, 3), (2, 3, 2, 2)])
    def test_batch_norm_of_other_shapes(self, device, shape):
        x = random(*shape).to(device).requires_grad_()
        w, b = (v.to(device).requires_grad_() for v in vectors((3,)))

        def f(x, w, b):
            return ours.batch_norm(x, None, None, w, b, True)

        assert torch.autograd.gradcheck(f, (x, w, b), check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, (x, w, b))

    @names
    def test_torch_func(self, device, name):
        """A gradient for each of a batch of inputs, vmap over grad."""
        xs = torch.stack([random(3, 4, 6, seed=s) for s in range(3)]).to(device)
        _, w, b = arguments(torch.float64, device)

        def loss(x):
            return CALLS[name](ours, x, w, b).pow(3).sum()

        got = torch.func.vmap(torch.func.grad(loss))(xs)
        for x, dx in zip(xs, got, strict=True):
            x.requires_grad_()
            (expected,) = torch.autograd.grad(CALLS[name](F, x, w, b).pow(3).sum(), x)
            close(dx, expected, 1e-11)


class TestProperties:
    @many
    @given(activations(), st.floats(0.1, 10), st.floats(-5, 5))
    def test_shift_and_size_of_a_channel_do_not_matter(self, x, a, b):
        def normalized(x):
            return ours.batch_norm(x, None, None, training=True, eps=1e-12)

        assume(x.transpose(0, 1).flatten(1).var(1, correction=0).min() > 1e-3)
        torch.testing.assert_close(
            normalized(a * x + b), normalized(x), atol=1e-6, rtol=0
        )

    @many
    @given(activations())
    def test_each_channel_gets_mean_0_and_variance_at_most_1(self, x):
        y = ours.batch_norm(x, None, None, training=True)
        y = y.transpose(0, 1).flatten(1)
        assert y.mean(1).abs().max() < 1e-12
        assert y.var(1, correction=0).max() <= 1

    @names
    @pytest.mark.parametrize("device_name", ["meta"])
    def test_shapes_on_meta(self, name, device_name):
        x, w, b = arguments(torch.float32, device_name)
        assert CALLS[name](ours, x, w, b).shape == CALLS[name](F, x, w, b).shape


# --- refusals -------------------------------------------------------------------------


@pytest.mark.refusal
class TestRefusals:
    @names
    @pytest.mark.parametrize(
        "x", [torch.ones(2, 3, 4, dtype=torch.int64), torch.ones(2, 3, 4) * 1j, [[1.0]]]
    )
    def test_what_is_no_tensor_of_floating_point(self, name, x):
        w = torch.ones(3)
        if name in ("layer", "rms"):
            function = ours.layer_norm if name == "layer" else ours.rms_norm
            with pytest.raises(TypeError, match="expected input"):
                function(x, (4,))
            return
        with pytest.raises(TypeError, match="expected input"):
            CALLS[name](ours, x, w, w)

    def test_axes(self):
        for function, least in ((ours.batch_norm, 2), (ours.instance_norm, 2)):
            with pytest.raises(
                ValueError, match=f"of {least} axes or more, got the sh"
            ):
                function(torch.ones(3), torch.ones(3), torch.ones(3))
        with pytest.raises(ValueError, match=r"2 axes or more, got the shape \(4,\)"):
            ours.group_norm(torch.ones(4), 2)
        with pytest.raises(ValueError, match="3 axes or more"):
            ours.local_response_norm(torch.ones(2, 3), 2)

    @pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1), (1, 3, 1, 1), (1, 1)])
    def test_one_value_a_channel_in_training(self, shape):
        """Torch refuses it too, with a ValueError of these words."""
        for batch_norm in (ours.batch_norm, F.batch_norm):
            with pytest.raises(
                ValueError, match="Expected more than 1 value per channel"
            ):
                batch_norm(torch.ones(shape), None, None, training=True)
        ours.batch_norm(torch.ones(shape), *torch.ones(2, shape[1]))

    def test_one_value_a_group_or_a_plane(self):
        for f in (ours, F):
            with pytest.raises(
                ValueError, match="Expected more than 1 value per channel"
            ):
                f.group_norm(torch.ones(1, 4), 4)
            for shape in ((2, 4), (2, 4, 1), (2, 4, 1, 1)):
                with pytest.raises(ValueError, match="more than 1 spatial element"):
                    f.instance_norm(torch.ones(shape))

    def test_statistics_come_in_pairs(self):
        x, v = torch.ones(4, 3, 2), torch.ones(3)
        for f in (ours, F):
            with pytest.raises(ValueError, match=r"running_mean and running_var"):
                f.batch_norm(x, v, None, training=True)
            with pytest.raises(ValueError, match=r"running_mean and running_var"):
                f.instance_norm(x, None, v)
        with pytest.raises(ValueError, match="input's own statistics are not used"):
            ours.batch_norm(x, None, None)
        with pytest.raises(ValueError, match="input's own statistics are not used"):
            ours.instance_norm(x, use_input_stats=False)

    @pytest.mark.parametrize("name", ["running_mean", "running_var", "weight", "bias"])
    @pytest.mark.parametrize("wrong", [torch.ones(4), torch.ones(1, 3), torch.ones(())])
    def test_vectors_of_another_shape(self, name, wrong):
        given = {
            "running_mean": torch.ones(3),
            "running_var": torch.ones(3),
            name: wrong,
        }
        for function in (ours.batch_norm, ours.instance_norm):
            with pytest.raises(
                ValueError, match=rf"expected {name} of the shape \(3,\)"
            ):
                function(torch.ones(2, 3, 2), **given)

    def test_parameters_of_another_shape(self):
        x, w = torch.ones(2, 4, 3), torch.ones(2)
        with pytest.raises(ValueError, match=r"expected weight of the shape \(4,\)"):
            ours.group_norm(x, 2, w)
        with pytest.raises(ValueError, match=r"expected bias of the shape \(4, 3\)"):
            ours.layer_norm(x, (4, 3), None, w)
        with pytest.raises(ValueError, match=r"expected weight of the shape \(3,\)"):
            ours.rms_norm(x, (3,), w)

    @pytest.mark.parametrize(
        ("x", "w"),
        [("float32", "float64"), ("float64", "float32"), ("float32", "float16"),
         ("float16", "bfloat16"), ("float16", "float64")],
    )  # fmt: skip
    def test_dtypes_that_torch_does_not_mix(self, x, w):
        x, w = (
            torch.ones(s, dtype=getattr(torch, d))
            for s, d in (((2, 4, 3), x), ((4,), w))
        )
        calls = [
            lambda f: f.batch_norm(x, None, None, w, training=True),
            lambda f: f.batch_norm(x, w, w),
            lambda f: f.group_norm(x, 2, w),
            lambda f: f.instance_norm(x, weight=w),
            lambda f: f.layer_norm(x.mT, (4,), w),
        ]
        for call in calls:
            with pytest.raises(TypeError, match="expected one dtype, got an input of"):
                call(ours)

    def test_mixed_parameters(self):
        x, w = torch.ones(2, 4, 3).half(), torch.ones(4)
        with pytest.raises(
            TypeError, match=r"weight of torch.float32, bias of torch.fl"
        ):
            ours.group_norm(x, 2, w, w.half())

    def test_eps(self):
        x, v = torch.ones(2, 3), torch.ones(3)
        for f, words in ((ours, "eps"), (F, "eps")):
            for eps in (0.0, -1.0):
                with pytest.raises(ValueError, match=words):
                    f.batch_norm(x, None, None, training=True, eps=eps)
            with pytest.raises(ValueError, match=words):
                f.batch_norm(x, v, v, eps=-1.0)
        ours.batch_norm(x, v, v, eps=0.0)

    @pytest.mark.parametrize("momentum", [None, "0.1", [0.1]])
    def test_momentum(self, momentum):
        v = torch.ones(3)
        with pytest.raises(TypeError, match="expected momentum to be a number, got"):
            ours.batch_norm(torch.ones(2, 3), v, v, training=True, momentum=momentum)

    def test_normalized_shape(self):
        for function in (ours.layer_norm, ours.rms_norm):
            for shape in (3, None, (3.0,), "3"):
                with pytest.raises(TypeError, match="to be a tuple of ints, got"):
                    function(torch.ones(2, 3), shape)
            for shape in ((), (2,), (3, 2), (1, 2, 3)):
                with pytest.raises(ValueError, match=r"the last axes, at least one"):
                    function(torch.ones(2, 3), shape)

    @pytest.mark.parametrize("groups", [0, -1, 3, 8])
    def test_groups(self, groups):
        with pytest.raises(ValueError, match=f"to divide 4 channels, got {groups}"):
            ours.group_norm(torch.ones(2, 4, 3), groups)

    @pytest.mark.parametrize("size", [0, -1])
    def test_size(self, size):
        with pytest.raises(ValueError, match=f"expected size >= 1, got {size}"):
            ours.local_response_norm(torch.ones(2, 4, 3), size)

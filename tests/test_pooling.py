"""dlref.pooling against torch on the CPU: values, places, gradients and refusals."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from dlref import pooling
from dlref.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
    avg_pool2d,
    avg_pool3d,
    global_avg_pool2d,
    lp_pool2d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)

few = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=40 if few else 300, deadline=None)
positive = st.integers(1, 4) | st.integers(1, 4) | st.integers(-1, 9)
natural = st.integers(0, 2) | st.integers(0, 2) | st.integers(-1, 4)
# torch's own, when forward mode is first used
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
SPECIAL = (float("nan"), float("-inf"), float("inf"), -0.0)


def image(seed: int, *shape: int, special: float = 0.0) -> Tensor:
    """Return float64 numbers with many ties; a share of them is NaN or infinite."""
    generator = np.random.default_rng(seed)
    x = generator.integers(-4, 5, shape) / 2
    spoilt = generator.random(shape) < special
    return torch.tensor(np.where(spoilt, generator.choice(SPECIAL, shape), x))


def smooth(seed: int, *shape: int) -> Tensor:
    """Return float64 numbers that all differ by more than a gradient check moves."""
    n = int(np.prod(shape))
    order = np.random.default_rng(seed).permutation(n)
    return torch.tensor((order / 8 - n / 16 + 0.03).reshape(shape))


@st.composite
def arguments(draw, dilated):
    """Draw a number of axes, a shape and the arguments of a pooling, in any form."""
    n = draw(st.integers(1, 3))
    sizes = draw(st.tuples(*n * [st.integers(1, 7)]))
    batch = draw(st.sampled_from([(), (2,), (0,)]))

    def form(counts):
        one = counts | counts.map(lambda c: (c,))
        return one | st.tuples(*n * [counts]) | st.lists(counts, min_size=n, max_size=n)

    stride = st.none() | st.just(()) | form(positive)
    drawn = [form(positive), stride, form(natural)]
    drawn += [form(positive)] if dilated else []
    return n, (*batch, 2, *sizes), draw(st.tuples(*drawn)), draw(st.booleans())


def theirs(call: Callable[[], Any]) -> Any:
    """Return what torch computes on the CPU, None where it refuses."""
    try:
        with torch.device("cpu"):
            return call()
    except (RuntimeError, TypeError, ValueError):
        return None


def ours(call: Callable[[], Any]) -> Any:
    """Return what we compute, None where we refuse; other errors are errors."""
    try:
        return call()
    except (TypeError, ValueError):
        return None


def same(got: Any, expected: Any, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Hold two results, or two refusals, to be equal."""
    assert (got is None) == (expected is None), (got, expected)
    if isinstance(expected, tuple):
        for one, other in zip(got, expected, strict=True):
            same(one, other, rtol, atol)
    elif expected is not None:
        torch.testing.assert_close(
            got.cpu(), expected, rtol=rtol, atol=atol, equal_nan=True
        )


def gradients(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the gradient of a weighted sum of f(x), the weights all different."""
    x = x.detach().requires_grad_()
    y = f(x)
    dy = torch.arange(1, 1 + y.numel(), dtype=y.dtype, device="cpu").view(y.shape)
    (dx,) = torch.autograd.grad(y, x, dy.to(y.device))
    return dx


class TestMax:
    @many
    @given(arguments(dilated=True), st.integers(0, 10**6))
    def test_equals_torch_or_refuses_what_torch_refuses(self, device, drawn, seed):
        n, shape, args, ceil = drawn
        x = image(seed, *shape, special=0.15)
        mine = getattr(pooling, f"max_pool{n}d")
        other = getattr(F, f"max_pool{n}d")
        expected = theirs(lambda: other(x, *args, ceil, return_indices=True))
        y = x.to(device)
        same(ours(lambda: mine(y, *args, ceil, return_indices=True)), expected)
        same(ours(lambda: mine(y, *args, ceil)), expected and expected[0])

    @many
    @given(arguments(dilated=True), st.integers(0, 10**6))
    def test_the_gradient_goes_to_the_first_of_equals(self, device, drawn, seed):
        n, shape, args, ceil = drawn
        x = image(seed, *shape)
        other = getattr(F, f"max_pool{n}d")
        expected = theirs(lambda: other(x, *args, ceil, return_indices=True))
        if expected is None or expected[0].isinf().any():
            return  # refused; or a window has no pixel, and torch picks a wrong one
        mine = getattr(pooling, f"max_pool{n}d")
        got = gradients(lambda x: mine(x, *args, ceil), x.to(device))
        with torch.device("cpu"):
            same(got, gradients(lambda x: other(x, *args, ceil), x), 1e-12)

    def test_a_window_between_pixels_gives_minus_infinity_and_no_gradient(self):
        x = torch.ones(1, 1, 1, 1, requires_grad=True)
        y = max_pool2d(x, 2, 1, 1, 2)
        assert y.item() == -float("inf")
        y.sum().backward()
        assert x.grad is not None
        assert x.grad.item() == 0

    @pytest.mark.parametrize("n", [1, 2, 3])
    @pytest.mark.parametrize(
        "name", ["uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16"]
    )
    def test_dtypes(self, device, n, name):
        dtype = getattr(torch, name)
        low = torch.finfo(dtype).min if "float" in name else torch.iinfo(dtype).min
        x = image(n, 2, *n * [6]).mul(4).to(dtype)
        x[0] = low  # equal to the padding, which must not win
        got = getattr(pooling, f"max_pool{n}d")(
            x.to(device), 3, 2, 1, return_indices=True
        )
        same(got, getattr(F, f"max_pool{n}d")(x, 3, 2, 1, return_indices=True))

    def test_many_taps(self):
        x = image(0, 1, 1, 300, 2)
        same(max_pool2d(x, (300, 1), return_indices=True), _reference(x))

    def test_derivatives(self, device):
        x = smooth(0, 2, 2, 5, 6).to(device).requires_grad_()
        for n, shape in (1, (4, 5, 6)), (2, (2, 2, 5, 6)), (3, (2, 2, 5, 6)):
            f = getattr(pooling, f"max_pool{n}d")

            def pool(x, f=f, shape=shape):
                return f(x.view(shape), 3 - (x.ndim == 2), 2, 1)

            assert gradcheck(pool, x, check_forward_ad=True)
            assert gradgradcheck(pool, x)

    def test_tangents_choose_as_gradients_do(self):
        x, t = torch.zeros(1, 2, 4, 4), torch.randn(1, 2, 4, 4)
        _, got = torch.func.jvp(lambda x: max_pool2d(x, 3, 1, 1), (x,), (t,))
        _, places = max_pool2d(x, 3, 1, 1, return_indices=True)
        expected = t.flatten(-2).gather(-1, places.flatten(-2)).view(got.shape)
        assert got.equal(expected)


def _reference(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the maximum of each column of a plane of width 2, and its place."""
    values, rows = x.cpu().max(-2, keepdim=True)
    return values, rows * 2 + torch.tensor([0, 1], device="cpu")


class TestAverage:
    @many
    @given(arguments(dilated=False), st.integers(0, 10**6), st.booleans(),
           st.none() | st.integers(-3, 3))  # fmt: skip
    def test_equals_torch_or_refuses_what_torch_refuses(
        self, device, drawn, seed, count, divisor
    ):
        n, shape, args, ceil = drawn
        x = image(seed, *shape, special=0.05)
        mine = getattr(pooling, f"avg_pool{n}d")
        other = getattr(F, f"avg_pool{n}d")
        args = (*args, ceil, count, divisor)[: 5 if n == 1 else 6]
        expected = theirs(lambda: other(x, *args))
        same(ours(lambda: mine(x.to(device), *args)), expected, 1e-12, 1e-12)
        if expected is not None:
            got = gradients(lambda x: mine(x, *args), x.to(device))
            with torch.device("cpu"):
                same(got, gradients(lambda x: other(x, *args), x), 1e-12)

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_int64_is_rounded_towards_zero(self, device, n):
        x = image(n, 2, *n * [7]).mul(8).long()
        for count in False, True:
            args = 3, 2, 1, True, count
            got = getattr(pooling, f"avg_pool{n}d")(x.to(device), *args)
            same(got, getattr(F, f"avg_pool{n}d")(x, *args))

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_summed_in_float32(self, device, dtype):
        x = smooth(0, 1, 1, 64, 64).add(300).to(dtype)
        got = avg_pool2d(x.to(device), 64)
        assert got.dtype == dtype
        expected = x.double().mean((2, 3), keepdim=True)
        same(got.double(), expected, torch.finfo(dtype).eps / 2)

    def test_derivatives(self, device):
        x = smooth(1, 2, 2, 5, 6).to(device).requires_grad_()
        for args in [(1,), (3, 2, 1, True), (3, 2, 1, True, False), (2, 1, 0)]:
            pool = lambda x, a=args: avg_pool2d(x, *a)  # noqa: E731 - named for short
            assert gradcheck(pool, x, check_forward_ad=True, check_batched_grad=True)
            assert gradgradcheck(pool, x)
        assert gradcheck(lambda x: avg_pool3d(x, 2, 1, 1), x, check_forward_ad=True)

    def test_of_the_whole_plane(self, device):
        x = image(0, 3, 4, 7, 5).to(device)
        y = global_avg_pool2d(x)
        same(y, adaptive_avg_pool2d(x, 1).cpu(), 1e-12, 1e-12)
        same(y, avg_pool2d(x, (7, 5)).cpu(), 1e-12, 1e-12)
        same(global_avg_pool2d(x[0]), y[0].cpu(), 1e-12, 1e-12)
        assert gradcheck(global_avg_pool2d, x.requires_grad_())


class TestAdaptive:
    output = st.none() | st.integers(0, 4) | st.integers(0, 9) | st.just(-1)

    @many
    @given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(0, 10**6),
           st.tuples(output, output) | output.filter(lambda o: o is not None),
           st.sampled_from([(), (2,), (0,)]))  # fmt: skip
    def test_equals_torch(self, device, sizes, seed, output, batch):
        x = image(seed, *batch, 3, *sizes, special=0.05)
        y = x.to(device)
        expected = theirs(lambda: F.adaptive_avg_pool2d(x, output))
        got = ours(lambda: adaptive_avg_pool2d(y, output))
        same(got, expected, 1e-12, 1e-12)
        expected = theirs(lambda: F.adaptive_max_pool2d(x, output, True))
        got = ours(lambda: adaptive_max_pool2d(y, output, True))
        same(got, expected)
        same(ours(lambda: adaptive_max_pool2d(y, output)), expected and expected[0])
        for mine, other in (
            (adaptive_avg_pool2d, F.adaptive_avg_pool2d),
            (adaptive_max_pool2d, F.adaptive_max_pool2d),
        ):
            if expected is not None and expected[0].numel():
                got = gradients(lambda x, f=mine: f(x, output), y)
                with torch.device("cpu"):
                    same(got, gradients(lambda x, f=other: f(x, output), x), 1e-12)

    @many
    @given(st.integers(1, 40), st.integers(0, 40), st.booleans())
    def test_one_axis_equals_torch(self, device, i, o, listed):
        x = image(i, 2, 3, i)
        expected = theirs(lambda: F.adaptive_avg_pool1d(x, o))
        got = adaptive_avg_pool1d(x.to(device), [o] if listed else o)
        same(got, expected, 1e-12, 1e-12)

    def test_equal_windows_are_those_of_the_plain_pooling(self):
        x = image(0, 2, 3, 12, 8)
        assert adaptive_avg_pool2d(x, 4).equal(avg_pool2d(x, (3, 2)))
        assert adaptive_max_pool2d(x, 4).equal(max_pool2d(x, (3, 2)))
        assert adaptive_avg_pool2d(x, (None, 8)).equal(x)

    def test_derivatives(self, device):
        x = smooth(2, 1, 2, 5, 6).to(device).requires_grad_()
        for f in adaptive_avg_pool2d, adaptive_max_pool2d:
            for output in (4, 3), (7, 1), (0, 2):
                pool = lambda x, f=f, o=output: f(x, o)  # noqa: E731 - named for short
                assert gradcheck(pool, x, check_forward_ad=True)
                assert gradgradcheck(pool, x)


class TestPower:
    @many
    @given(st.integers(0, 10**6), st.sampled_from([1, 2, 3, 4.0, 0.5, -1, -2.0]),
           st.tuples(positive, positive) | positive, st.none() | positive,
           st.booleans())  # fmt: skip
    def test_equals_torch(self, device, seed, p, kernel, stride, ceil):
        x = image(seed, 2, 2, 6, 5)
        x = x if p in (1, 2, 3, 4) else x.abs()  # so that nothing cancels but exactly
        args = p, kernel, stride, ceil
        expected = theirs(lambda: F.lp_pool2d(x, *args))
        same(ours(lambda: lp_pool2d(x.to(device), *args)), expected, 1e-12, 1e-12)
        if expected is not None and p > 0:
            got = gradients(lambda x: lp_pool2d(x, *args), x.to(device))
            with torch.device("cpu"):
                expected = gradients(lambda x: F.lp_pool2d(x, *args), x)
            same(got, expected, 1e-12, 1e-12)

    def test_is_a_norm(self, device):
        x = smooth(0, 2, 3, 6, 6).to(device)
        windows = x.unfold(2, 3, 3).unfold(3, 3, 3).flatten(-2)
        for p in 2, 4, float("inf"), -float("inf"):
            expected = torch.linalg.vector_norm(windows, p, dim=-1)
            same(lp_pool2d(x, p, 3), expected.cpu(), 1e-12)
        assert gradcheck(lambda x: lp_pool2d(x, 4, 3, 2), x.requires_grad_())

    def test_no_gradient_where_the_sum_is_zero(self):
        x = torch.zeros(1, 1, 2, 2, requires_grad=True)
        lp_pool2d(x, 2, 2).sum().backward()
        assert x.grad is not None
        assert x.grad.count_nonzero() == 0

    def test_int64_is_what_torch_makes_of_it(self, device):
        x = torch.arange(36, device="cpu").view(1, 1, 6, 6)
        same(lp_pool2d(x.to(device), 2, 2), F.lp_pool2d(x, 2, 2), 1e-6)


CALLS: dict[str, Callable[[Tensor], Tensor]] = {
    "max": lambda x: max_pool2d(x, 3, 2, 1),
    "max of one": lambda x: max_pool2d(x, 1),
    "places": lambda x: max_pool2d(x, 3, 2, 1, return_indices=True)[1],
    "avg": lambda x: avg_pool2d(x, 3, 2, 1),
    "avg of one": lambda x: avg_pool2d(x, 1),
    "adaptive avg": lambda x: adaptive_avg_pool2d(x, 4),
    "adaptive max": lambda x: adaptive_max_pool2d(x, 4),
    "global": global_avg_pool2d,
    "lp": lambda x: lp_pool2d(x, 2, 2),
}


@pytest.mark.parametrize("name", CALLS)
class TestMemory:
    def test_channels_last_is_kept_and_all_else_is_contiguous(self, name):
        pool, x = CALLS[name], image(0, 2, 3, 6, 6)
        expected = pool(x)
        assert expected.is_contiguous()
        for grad in False, True:
            last = x.contiguous(memory_format=torch.channels_last).requires_grad_(grad)
            got = pool(last)
            assert got.is_contiguous(memory_format=torch.channels_last)
            assert got.equal(expected)
        crossed = pool(x.mT.contiguous().mT)
        assert crossed.equal(expected)
        wide = torch.zeros(2, 3, 12, 6, dtype=x.dtype)
        wide[..., ::2, :] = x
        assert pool(wide[..., ::2, :]).equal(expected)
        if name != "global":
            assert crossed.is_contiguous()

    def test_the_input_is_neither_changed_nor_shared(self, name):
        x = image(0, 2, 3, 6, 6)
        before = x.clone()
        with torch.no_grad():
            CALLS[name](x).zero_()
        assert x.equal(before)

    def test_without_a_batch(self, name):
        x = image(0, 2, 3, 6, 6)
        assert CALLS[name](x[1]).equal(CALLS[name](x)[1])

    def test_mapped(self, name):
        x = image(0, 2, 3, 6, 6)
        assert torch.vmap(CALLS[name])(x).equal(CALLS[name](x))


def test_volumes_keep_channels_last():
    x = image(0, 2, 3, 4, 6, 6).contiguous(memory_format=torch.channels_last_3d)
    for pool in max_pool3d, avg_pool3d:
        got = pool(x, 3, 2, 1)
        assert got.is_contiguous(memory_format=torch.channels_last_3d)
        assert got.equal(pool(x.contiguous(), 3, 2, 1))


class TestHandWorked:
    def test_claims_of_the_ledger(self):
        x = torch.arange(36.0).view(1, 1, 6, 6)
        assert max_pool2d(x, (3, 3)).flatten().tolist() == [14, 17, 32, 35]  # C017
        assert max_pool2d(x, 3, stride=1).shape == (1, 1, 4, 4)  # C065
        assert max_pool2d(torch.zeros(1, 6, 28, 28), 2).shape == (1, 6, 14, 14)  # C136

    def test_overhanging_and_padded_windows(self):
        x = torch.ones(1, 1, 5)
        averages = {
            (True, True): [0.5, 1, 1],
            (False, False): [1, 1, 1],
            (True, False): [1 / 2, 1, 1],
        }
        for (count, ceil), expected in averages.items():
            got = pooling.avg_pool1d(x, 2, 2, 1, ceil, count)
            assert got.flatten().tolist() == expected
        got = pooling.avg_pool1d(x, 4, 3, 0, True)  # the last window has two pixels
        assert got.flatten().tolist() == [1, 1]


@pytest.mark.refusal
class TestRefusals:
    POOLS = (max_pool1d, max_pool2d, max_pool3d, pooling.avg_pool1d, avg_pool2d,
             avg_pool3d)  # fmt: skip
    x = staticmethod(lambda n: torch.zeros(2, 3, *n * [6]))

    @pytest.mark.parametrize("pool", POOLS)
    def test_counts(self, pool):
        n = int(pool.__name__[-2])
        x = self.x(n)
        for wrong in 2.0, True, "2", None, (2.0,) * n, {2}:
            with pytest.raises(TypeError, match="expected kernel_size to be an int"):
                pool(x, wrong)
        for wrong in (2,) * (n + 1), ():
            with pytest.raises(ValueError, match=f"an int or {n} of them, got"):
                pool(x, wrong)
        with pytest.raises(ValueError, match=r"expected kernel_size >= 1, got .*=0"):
            pool(x, 0)
        with pytest.raises(ValueError, match="expected stride >= 1, got stride=-1"):
            pool(x, 2, -1)
        with pytest.raises(ValueError, match=r"padding <= kernel_size / 2, got"):
            pool(x, 2, 2, 2)
        with pytest.raises(ValueError, match=r"6 \+ 0 pixels|at least \(7, 7, 7\)"):
            pool(x, 7)

    @pytest.mark.parametrize("pool", POOLS)
    def test_inputs(self, pool):
        n = int(pool.__name__[-2])
        for wrong in self.x(n).bool(), self.x(n) + 0j, self.x(n).to(torch.uint16):
            with pytest.raises(TypeError, match=r"expected input of one of .*, got"):
                pool(wrong, 2)
        for wrong in [[1.0, 2.0]], np.zeros((2, 3, 6)), None:
            with pytest.raises(TypeError, match="expected input to be a Tensor, got"):
                pool(wrong, 2)
        for shape in (
            n * [6],
            [2, *(self.x(n).shape)],
            [2, 0, *n * [6]],
            [2, 3, *n * [0]],
        ):
            with pytest.raises(ValueError, match=r"\(N, C, .*only N may be 0, got"):
                pool(torch.zeros(*shape), 1)

    def test_averages(self):
        with pytest.raises(TypeError, match=r"one of .* int64, got torch\.int32"):
            avg_pool2d(self.x(2).int(), 2)
        with pytest.raises(ValueError, match="divisor_override other than 0, got 0"):
            avg_pool2d(self.x(2), 2, divisor_override=0)
        with pytest.raises(TypeError, match=r"divisor_override to be an int, got 2\.5"):
            avg_pool3d(self.x(3), 2, divisor_override=2.5)
        with pytest.raises(ValueError, match=r"at least \(7, 2, 2\) steps, got \(6, 6"):
            avg_pool3d(self.x(3), (7, 2, 2), 1, (1, 0, 0))
        with pytest.raises(TypeError, match=r"got torch\.int64"):
            global_avg_pool2d(self.x(2).long())
        with pytest.raises(ValueError, match="only N may be 0"):
            global_avg_pool2d(self.x(2)[..., :0])
        with pytest.raises(ValueError, match="norm_type other than 0"):
            lp_pool2d(self.x(2), 0, 2)

    @pytest.mark.parametrize("pool", [adaptive_avg_pool2d, adaptive_max_pool2d])
    def test_adaptive(self, pool):
        for wrong in 3.0, None, True, (3.0, 3), "33":
            with pytest.raises(TypeError, match="expected output_size to be an int"):
                pool(self.x(2), wrong)
        for wrong in (3,), (3, 3, 3), ():
            with pytest.raises(ValueError, match="an int or 2 of them, got"):
                pool(self.x(2), wrong)
        with pytest.raises(ValueError, match=r"expected output_size >= 0, got"):
            pool(self.x(2), (3, -1))
        with pytest.raises(TypeError, match=r"got torch\.int64"):
            pool(self.x(2).long(), 2)
        with pytest.raises(ValueError, match="only N may be 0"):
            pool(self.x(2)[:, :, :0], 2)
        with pytest.raises(TypeError, match="expected output_size to be an int"):
            adaptive_avg_pool1d(self.x(1), (None,))

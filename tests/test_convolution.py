"""dlref.convolution against torch on the CPU: values, gradients, memory, refusals."""

import inspect
import os
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import scipy.signal
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlref import convolution
from dlref.convolution import (
    _onednn,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    corr2d,
    depthwise_separable_conv2d,
    fold,
    true_conv2d,
    unfold,
)
from tests.memory import peak_bytes

few = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=40 if few else 300, deadline=None)
some = settings(max_examples=20 if few else 100, deadline=None)
pytestmark = pytest.mark.filterwarnings(
    "ignore:Using padding='same' with even kernel",
    "ignore:ComplexHalf support is experimental",
    "ignore:`torch.jit.script` is deprecated",  # torch, as forward mode is first used
)
CONV = {1: (conv1d, F.conv1d), 2: (conv2d, F.conv2d), 3: (conv3d, F.conv3d)}
TRANSPOSED = {
    1: (conv_transpose1d, F.conv_transpose1d),
    2: (conv_transpose2d, F.conv_transpose2d),
    3: (conv_transpose3d, F.conv_transpose3d),
}
# every third draw or so may be out of range, so that refusals are compared as well
positive = st.integers(1, 3) | st.integers(1, 3) | st.integers(-1, 9)
natural = st.integers(0, 2) | st.integers(0, 2) | st.integers(-1, 5)
LAYOUTS = ["contiguous", "channels last", "transposed", "strided", "expanded"]


def numbers(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).to(dtype)


def laid_out(x: Tensor, layout: str) -> Tensor:
    """Return the same numbers (or, expanded, the first channel's) in another layout."""
    if layout == "channels last":
        return x.movedim(-x.dim() + 1, -1).contiguous().movedim(-1, -x.dim() + 1)
    if layout == "transposed":
        return x.transpose(0, -1).contiguous().transpose(0, -1)
    if layout == "strided":
        return torch.stack([x, x + 1], -1)[..., 0]
    if layout == "expanded":
        return x[..., :1].expand(x.shape)
    return x


@st.composite
def operands(draw, *, transposed=False):
    """Draw axes, input, weight, bias, as torch takes them; channels may not fit."""
    n = draw(st.integers(1, 3))
    g, c, k = draw(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)))
    if draw(st.booleans()):
        c = k = 1  # depthwise
    batch = draw(st.sampled_from([(), (1,), (2,), (3,), (0,)]))
    pixels = draw(st.tuples(*n * [st.integers(1, 6 if n == 3 else 9)]))
    taps = draw(st.tuples(*n * [st.integers(1, 4)]))
    extra = draw(st.sampled_from([0] * 9 + [1]))
    x = numbers(0, *batch, g * c + extra, *pixels)
    w = numbers(1, *((g * c, k) if transposed else (g * k, c)), *taps)
    b = numbers(2, g * k + draw(st.sampled_from([0] * 9 + [1])))
    x, w = (laid_out(t, draw(st.sampled_from(LAYOUTS))) for t in (x, w))
    return n, x, w, draw(st.sampled_from([b, None])), g


def counts(draw, n, values, *, alone=True):
    one = values | values.map(lambda v: (v,)) if alone else values
    return draw(
        one | st.tuples(*n * [values]) | st.lists(values, min_size=n, max_size=n)
    )


@st.composite
def convolutions(draw):
    n, x, w, b, g = draw(operands())
    named = st.sampled_from(["same", "valid"])
    padding = draw(named) if draw(st.integers(0, 3)) == 0 else counts(draw, n, natural)
    stride = 1 if padding == "same" else counts(draw, n, positive)
    return n, x, w, b, (stride, padding, counts(draw, n, positive), g)


@st.composite
def transpositions(draw):
    n, x, w, b, g = draw(operands(transposed=True))
    stride, dilation = (counts(draw, n, positive) for _ in range(2))
    padding, more = (counts(draw, n, natural) for _ in range(2))
    return n, x, w, b, (stride, padding, more, g, dilation)


def outcome(call: Callable[..., Tensor], tensors: list[Tensor | None], *rest: Any):
    """Return the value and the gradients by all tensors, or None if it is refused."""
    leaves = [None if t is None else t.detach().requires_grad_() for t in tensors]
    try:
        y = call(*leaves, *rest)
    except (RuntimeError, TypeError, ValueError):
        return None
    direction = numbers(3, *y.shape).to(y)
    wanted = [t for t in leaves if t is not None]
    return [y, *torch.autograd.grad(y, wanted, direction)]


def compare(ours, theirs, tensors, *rest, device):
    """Compare values and gradients, or refusals: float64 within 1e-12."""
    got = outcome(ours, [t if t is None else t.to(device) for t in tensors], *rest)
    expected = outcome(theirs, tensors, *rest)
    x, *others = tensors
    if len(x) == 0:  # torch does not look at all arguments then
        one = outcome(theirs, [x.new_ones(1, *x.shape[1:]), *others], *rest)
        expected = expected if one else None
    assert (got is None) == (expected is None), rest
    for a, e in zip(got or [], expected or [], strict=True):
        scale = e.abs().max().item() if e.numel() else 0
        torch.testing.assert_close(a.cpu(), e, rtol=1e-12, atol=1e-12 * scale)


class TestAgainstTorch:
    @many
    @given(convolutions())
    def test_conv(self, device, drawn):
        n, x, w, b, rest = drawn
        compare(*CONV[n], [x, w, b], *rest, device=device)

    @many
    @given(transpositions())
    def test_conv_transpose(self, device, drawn):
        n, x, w, b, rest = drawn
        compare(*TRANSPOSED[n], [x, w, b], *rest, device=device)

    @some
    @given(st.data())
    def test_unfold_and_fold(self, device, data):
        batch = data.draw(st.sampled_from([(), (2,), (0,)]))
        size = data.draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
        kernel, dilation, stride = (
            counts(data.draw, 2, positive, alone=False) for _ in range(3)
        )
        padding = counts(data.draw, 2, natural, alone=False)
        rest = kernel, dilation, padding, stride
        x = laid_out(numbers(0, *batch, 2, *size), data.draw(st.sampled_from(LAYOUTS)))
        compare(unfold, F.unfold, [x], *rest, device=device)
        try:
            columns = F.unfold(x, *rest)
        except RuntimeError:
            columns = numbers(0, 4, 4)
        y = numbers(1, *columns.shape)
        compare(fold, F.fold, [y], size, *rest, device=device)

    @pytest.mark.parametrize("groups", [1, 2, 4])
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_large_enough_to_be_cut_in_blocks(self, device, groups, dtype):
        x = numbers(0, 7, 16, 40, 40, dtype=dtype)
        w = numbers(1, 8, 16 // groups, 3, 3, dtype=dtype)
        got = outcome(conv2d, [x.to(device), w.to(device)], None, 1, 1, 1, groups)
        expected = outcome(F.conv2d, [x, w], None, 1, 1, 1, groups)
        tolerance = {torch.float32: 3e-6, torch.float64: 1e-14}[dtype]
        for a, e in zip(got, expected, strict=True):
            error = (a.cpu() - e).abs().max() / e.abs().max()
            assert error < tolerance

    @pytest.mark.parametrize(
        "dtype",
        [torch.float16, torch.bfloat16, torch.complex32, torch.complex64,
         torch.complex128, torch.int64, torch.int32, torch.uint8, torch.int8],
    )  # fmt: skip
    def test_dtypes(self, dtype):
        x, w = 3 * numbers(0, 2, 4, 5, 6), 3 * numbers(1, 6, 2, 3, 3)
        if dtype.is_complex:
            x, w = torch.complex(x, x.flip(0)), torch.complex(w, w.flip(0))
        x, w = x.to(dtype), w.to(dtype)
        got, expected = (f(x, w, None, 1, 1, 1, 2) for f in (conv2d, F.conv2d))
        assert got.dtype == dtype
        if dtype.itemsize == 1 or not (dtype.is_floating_point or dtype.is_complex):
            assert torch.equal(got, expected)
        else:
            wide = (t.to(torch.complex128) for t in (got, expected))
            eps = torch.finfo(dtype).eps
            torch.testing.assert_close(*wide, rtol=2 * eps, atol=500 * eps)

    def test_half_precision_is_rounded_once(self):
        x, w = numbers(0, 2, 64, 9, 9), numbers(1, 8, 64, 3, 3)
        for dtype in (torch.float16, torch.bfloat16):
            X, W = x.to(dtype), w.to(dtype)
            exact = F.conv2d(X.double(), W.double())
            error = (conv2d(X, W).double() - exact).abs() / exact.abs().clamp_min(1)
            assert error.max() <= 0.51 * torch.finfo(dtype).eps

    def test_output_is_channels_last_where_an_operand_is(self):
        x, w = numbers(0, 2, 4, 5, 6), numbers(1, 6, 4, 3, 3)
        for last_x, last_w in ((1, 0), (0, 1), (1, 1), (0, 0)):
            X = x.to(memory_format=torch.channels_last) if last_x else x
            W = w.to(memory_format=torch.channels_last) if last_w else w
            assert conv2d(X, W).stride() == F.conv2d(X, W).stride()
            up = F.conv_transpose2d(X, W.transpose(0, 1)[:4])
            assert conv_transpose2d(X, W.transpose(0, 1)[:4]).stride() == up.stride()
        X = numbers(0, 2, 4, 5, 6, 7).float().to(memory_format=torch.channels_last_3d)
        W = numbers(1, 3, 4, 2, 2, 2).float()
        assert conv3d(X, W).stride() == F.conv3d(X, W).stride()

    def test_autocast(self):
        x, w, b = numbers(0, 2, 3, 6, 6), numbers(1, 4, 3, 3, 3), numbers(2, 4)
        singles = [t.float().requires_grad_() for t in (x, w, b)]
        with torch.autocast("cpu", torch.bfloat16):
            y = conv2d(*singles)
            assert y.dtype == F.conv2d(*singles).dtype == torch.bfloat16
            up = conv_transpose2d(singles[0], singles[1][:3])
            assert up.dtype == torch.bfloat16
            assert conv2d(x, w, b).dtype == torch.float64
        y.sum().backward()
        assert all(t.grad.dtype == torch.float32 for t in singles)

    def test_on_meta(self):
        x, w = (
            torch.empty(2, 3, 9, 9, device="meta"),
            torch.empty(4, 3, 3, 3).to("meta"),
        )
        assert conv2d(x, w, stride=2).shape == (2, 4, 4, 4)
        assert conv2d(x, w).is_meta

    def test_operands_are_left_alone(self):
        x, w, b = numbers(0, 2, 3, 6, 6), numbers(1, 4, 3, 1, 1), numbers(2, 4)
        before = [t.clone() for t in (x, w, b)]
        y = conv2d(x, w, b)
        columns = unfold(x, 1)
        y.zero_(), columns.zero_()
        assert all(map(torch.equal, (x, w, b), before))


class TestDerivatives:
    """Of any order, in both directions, and batched."""

    @pytest.mark.parametrize(("g", "c", "k"), [(1, 2, 2), (2, 1, 2), (2, 1, 1)])
    @pytest.mark.parametrize(
        "geometry",
        [(1, 0, 1), (2, 1, 1), ((1, 3), (0, 2), (2, 1)), (1, "same", 1)],
        ids=str,
    )
    def test_conv(self, device, g, c, k, geometry):
        x, w = numbers(0, 1, g * c, 3, 5), numbers(1, g * k, c, 2, 3)
        x, w, b = (t.to(device).requires_grad_() for t in (x, w, numbers(2, g * k)))

        def f(x, w, b):
            return conv2d(x, w, b, *geometry, g)

        assert torch.autograd.gradcheck(f, (x, w, b), check_forward_ad=True)
        assert torch.autograd.gradgradcheck(
            f, (x, w, b), check_fwd_over_rev=True, fast_mode=True
        )

    @pytest.mark.parametrize("groups", [1, 2])
    @pytest.mark.parametrize("n", [1, 3])
    def test_other_axes_and_transposed(self, device, n, groups):
        x, w = numbers(0, 2, 2, *n * [3]), numbers(1, 2, 2 // groups, *n * [2])
        x, w = (t.to(device).requires_grad_() for t in (x, w))
        for f in (
            lambda x, w: CONV[n][0](x, w, None, 2, 1, 1, groups),
            lambda x, w: TRANSPOSED[n][0](x, w, None, 2, 1, 1, groups),
        ):
            checks = torch.autograd.gradcheck, torch.autograd.gradgradcheck
            for check in checks:
                assert check(f, (x, w), fast_mode=True)

    def test_complex(self):
        x, w = (
            torch.complex(numbers(seed, *shape), numbers(seed + 9, *shape))
            for seed, shape in ((0, (1, 2, 3, 4)), (1, (2, 2, 2, 2)))
        )
        tensors = x.requires_grad_(), w.requires_grad_()
        for f in (conv2d, conv_transpose2d):
            assert torch.autograd.gradcheck(f, tensors, check_forward_ad=True)
            assert torch.autograd.gradgradcheck(f, tensors, fast_mode=True)

    def test_unfold_and_fold(self, device):
        x = numbers(0, 2, 2, 4, 5).to(device).requires_grad_()
        y = numbers(1, 2, 12, 15).to(device).requires_grad_()
        for f, t in (
            (lambda x: unfold(x, (2, 3), 1, 1, (2, 1)), x),
            (lambda x: unfold(x, 1), x),
            (lambda y: fold(y, (4, 5), (2, 3), 1, 1, (2, 1)), y),
        ):
            assert torch.autograd.gradcheck(f, t, check_forward_ad=True)
            assert torch.autograd.gradgradcheck(f, t, check_fwd_over_rev=True)

    @pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0), (1, 2)])
    def test_vmap(self, device, in_dims):
        x, w = numbers(0, 4, 3, 2, 6, 6), numbers(1, 4, 2, 2, 3, 3)
        x, w = (
            t[0] if dim is None else t.movedim(0, dim)
            for t, dim in zip((x, w), in_dims, strict=True)
        )
        for ours, theirs in (
            (conv2d, F.conv2d),
            (conv_transpose2d, F.conv_transpose2d),
        ):
            got = torch.func.vmap(ours, in_dims)(x.to(device), w.to(device))
            torch.testing.assert_close(
                got.cpu(), torch.func.vmap(theirs, in_dims)(x, w)
            )

    def test_transforms_of_functions(self, device):
        x, w = numbers(0, 3, 2, 4, 4).to(device), numbers(1, 2, 2, 3, 3).to(device)

        def loss(f):
            return lambda w, x: f(x.unsqueeze(0), w, padding=1).pow(3).sum()

        func = torch.func
        for transform in (
            lambda f: func.vmap(func.grad(f), (None, 0))(w, x),  # one for each sample
            lambda f: func.jacfwd(f)(w, x[0]),
            lambda f: func.hessian(f)(w, x[0]),
        ):
            torch.testing.assert_close(
                transform(loss(conv2d)), transform(loss(F.conv2d))
            )
        columns = func.vmap(lambda x: unfold(x, 2))(x)
        torch.testing.assert_close(columns, func.vmap(lambda x: F.unfold(x, 2))(x))

    def test_only_what_is_asked_for(self):
        x, w = numbers(0, 1, 2, 4, 4), numbers(1, 2, 2, 3, 3).requires_grad_()
        y = conv2d(x, w)
        assert y.requires_grad
        y.sum().backward()
        assert x.grad is None
        assert not conv2d(x, w.detach()).requires_grad


class TestDefinition:
    @some
    @given(*2 * [st.tuples(st.integers(1, 6), st.integers(1, 6))])
    def test_loop_and_fast_form_and_scipy(self, device, image, kernel):
        assume(kernel[0] <= image[0] and kernel[1] <= image[1])
        X, K = numbers(0, *image), numbers(1, *kernel)
        Y = corr2d(X.to(device), K.to(device)).cpu()
        expected = torch.from_numpy(scipy.signal.correlate2d(X, K, "valid"))
        torch.testing.assert_close(Y, expected, rtol=1e-12, atol=1e-13)
        fast = conv2d(X[None].to(device), K[None, None].to(device))
        torch.testing.assert_close(fast[0].cpu(), Y, rtol=1e-12, atol=1e-13)
        Z = true_conv2d(X[None].to(device), K[None, None].to(device))[0]
        expected = torch.from_numpy(scipy.signal.convolve2d(X, K, "valid"))
        torch.testing.assert_close(Z.cpu(), expected, rtol=1e-12, atol=1e-13)

    def test_the_example_of_the_book(self, device):
        X, K = torch.arange(9.0).reshape(3, 3), torch.arange(4.0).reshape(2, 2)
        expected = torch.tensor([[19.0, 25.0], [37.0, 43.0]])
        assert torch.equal(corr2d(X.to(device), K.to(device)).cpu(), expected)

    def test_the_loop_differentiates(self):
        X = numbers(0, 4, 5).requires_grad_()
        K = numbers(1, 2, 3).requires_grad_()
        assert torch.autograd.gradcheck(corr2d, (X, K))

    def test_padded_true_convolution_is_scipys_full_and_same(self, device):
        X, K = numbers(0, 5, 6), numbers(1, 3, 3)
        for mode, padding in (("full", 2), ("same", 1), ("same", "same")):
            got = true_conv2d(
                X[None].to(device), K[None, None].to(device), None, 1, padding
            )
            expected = torch.from_numpy(scipy.signal.convolve2d(X, K, mode))
            torch.testing.assert_close(got[0].cpu(), expected, rtol=1e-12, atol=1e-13)

    @some
    @given(transpositions())
    def test_the_transposed_is_the_adjoint(self, device, drawn):
        """<conv(z), x> = <z, conv_transpose(x)>, whatever the geometry."""
        n, x, w, _, (stride, padding, more, groups, dilation) = drawn
        x, w = x.to(device), w.to(device)
        try:
            up = TRANSPOSED[n][0](x, w, None, stride, padding, more, groups, dilation)
        except (TypeError, ValueError):  # a TypeError under --typecheck
            assume(False)
        z = numbers(5, *up.shape).to(device)
        y = CONV[n][0](z, w, None, stride, padding, dilation, groups)
        assume(y.shape == x.shape)  # not where output_padding makes one more window
        left, right = (y * x).sum(), (z * up).sum()
        torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-10)

    @some
    @given(st.data())
    def test_fold_is_the_adjoint_of_unfold(self, device, data):
        size = data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
        rest = data.draw(st.tuples(*4 * [st.integers(1, 3)]))
        x = numbers(0, 2, 3, *size).to(device)
        try:
            columns = unfold(x, *rest)
        except (TypeError, ValueError):  # a TypeError under --typecheck
            assume(False)
        y = numbers(1, *columns.shape).to(device)
        left, right = (columns * y).sum(), (x * fold(y, size, *rest)).sum()
        torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-10)

    def test_a_matrix_product_on_columns_is_the_convolution(self, device):
        x, w = numbers(0, 2, 3, 7, 8).to(device), numbers(1, 4, 3, 3, 3).to(device)
        product = w.flatten(1) @ unfold(x, 3, padding=1)
        torch.testing.assert_close(product.view(2, 4, 7, 8), conv2d(x, w, padding=1))


class TestSeparable:
    @some
    @given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2))
    def test_two_steps_and_the_one_that_they_factor(self, device, C, K, m, s):
        x, b = numbers(0, 2, C, 7, 6), numbers(3, K)
        D, P = numbers(1, C * m, 1, 3, 2), numbers(2, K, C * m, 1, 1)
        got = depthwise_separable_conv2d(
            *(t.to(device) for t in (x, D, P, b)), stride=s, padding=1
        )
        two = F.conv2d(F.conv2d(x, D, None, s, 1, 1, C), P, b)
        torch.testing.assert_close(got.cpu(), two, rtol=1e-12, atol=1e-12)
        w = torch.einsum("kcm,cmuv->kcuv", P.view(K, C, m), D.view(C, m, 3, 2))
        one = F.conv2d(x, w, b, s, 1)
        torch.testing.assert_close(got.cpu(), one, rtol=1e-10, atol=1e-10)

    def test_unbatched_dilated_and_named_padding(self, device):
        x, D, P = numbers(0, 3, 9, 9), numbers(1, 3, 1, 3, 3), numbers(2, 5, 3, 1, 1)
        x, D, P = (t.to(device) for t in (x, D, P))
        got = depthwise_separable_conv2d(x, D, P, padding="same", dilation=2)
        batched = depthwise_separable_conv2d(x[None], D, P, None, 1, 2, 2)
        assert got.shape == (5, 9, 9)
        torch.testing.assert_close(got, batched[0])

    def test_differentiates(self):
        tensors = numbers(0, 1, 2, 4, 4), numbers(1, 4, 1, 2, 2), numbers(2, 3, 4, 1, 1)
        tensors = [t.requires_grad_() for t in (*tensors, numbers(3, 3))]
        assert torch.autograd.gradcheck(depthwise_separable_conv2d, tensors)
        assert torch.autograd.gradgradcheck(
            depthwise_separable_conv2d, tensors, fast_mode=True
        )


class TestOneDNN:
    """Large products of float32 on the CPU."""

    @some
    @given(convolutions(), st.sampled_from([1, 50, 2**21]))
    def test_any_geometry(self, drawn, together):
        n, *tensors, rest = drawn
        x, *_ = tensors = [t if t is None else t.float() for t in tensors]
        assume(len(x) > 0)
        with patch.multiple(_onednn, _LARGE=0, _FEW=0, _TOGETHER=together):
            got = outcome(CONV[n][0], tensors, *rest)
        exact = [t if t is None else t.double() for t in tensors]
        expected = outcome(CONV[n][1], exact, *rest)
        assert (got is None) == (expected is None), rest
        for a, e in zip(got or [], expected or [], strict=True):
            assert a.dtype == torch.float32
            torch.testing.assert_close(
                a.double(), e, rtol=0, atol=2e-6 * max(1, size(e))
            )

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize(
        ("shape", "kernels"),
        [((1, 64, 48, 48), (64, 64, 3, 3)), ((3, 64, 16, 16), (128, 64, 3, 3)),
         ((2, 64, 64, 32), (256, 64, 1, 1)), ((3, 256, 6, 6), (512, 256, 3, 3))],
    )  # fmt: skip
    def test_real_layers(self, shape, kernels, layout):
        x, w = numbers(0, *shape).float(), numbers(1, *kernels).float()
        x, w = laid_out(x, layout), laid_out(w, layout)
        matmul, used = _onednn._matmul, 0

        def seen(A, B):
            nonlocal used
            used += 1
            return matmul(A, B)

        with patch.object(_onednn, "_matmul", seen):
            got = outcome(conv2d, [x, w], None, 1, kernels[-1] // 2)
        assert used >= 3 or not torch.backends.mkldnn.is_available()
        expected = outcome(
            F.conv2d, [x.double(), w.double()], None, 1, kernels[-1] // 2
        )
        for a, e in zip(got, expected, strict=True):
            torch.testing.assert_close(a.double(), e, rtol=0, atol=3e-6 * size(e))

    @pytest.mark.filterwarnings("ignore:TF32 acceleration")  # as flags are set
    def test_not_where_it_is_unwanted(self):
        x, w = numbers(0, 1, 64, 32, 32).float(), numbers(1, 64, 64, 3, 3).float()
        with patch.object(_onednn, "_matmul", side_effect=AssertionError("called")):
            conv2d(x.double(), w.double())
            conv2d(x[..., :3, :3], w)
            with torch.backends.mkldnn.flags(enabled=False):
                conv2d(x, w)
            with torch.autocast("cpu"):
                conv2d(x, w)


def size(t: Tensor) -> float:
    return t.abs().max().item() if t.numel() else 0.0


class TestMemory:
    """Peak: im2col, input and output; the input is there before."""

    @staticmethod
    def bound(x, w, y):
        n, taps = len(x), w.shape[2:].numel()
        im2col = n * x.shape[1] * taps * y.shape[2:].numel()
        return (im2col + y.numel()) * x.element_size()

    @settings(max_examples=15 if few else 40, deadline=None)
    @given(convolutions())
    def test_never_more_than_im2col(self, drawn):
        n, x, w, b, rest = drawn
        x, w = x.contiguous(), w.contiguous()
        x = x if x.dim() == n + 2 else x.unsqueeze(0)
        try:
            y = CONV[n][0](x, w, b, *rest)
        except (TypeError, ValueError):  # a TypeError under --typecheck
            assume(False)
        peak = peak_bytes(lambda: CONV[n][0](x, w, b, *rest))
        assert peak <= self.bound(x, w, y)

    @pytest.mark.parametrize(
        ("shape", "kernels", "shares"),  # of float64, and of float32 by oneDNN
        [((1, 64, 56, 56), 64, (0.55, 1.0)), ((4, 64, 56, 56), 64, (0.3, 0.4)),
         ((1, 512, 7, 7), 512, (1.0, 1.0)), ((1, 3, 112, 112), 64, (0.9, 0.9))],
    )  # fmt: skip
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
    def test_of_real_layers(self, shape, kernels, shares, dtype):
        share = shares[dtype == torch.float32]
        x = torch.ones(shape, dtype=dtype)
        w = torch.ones(kernels, shape[1], 3, 3, dtype=dtype)
        peak = peak_bytes(lambda: conv2d(x, w, None, 1, 1))
        y = torch.ones(shape[0], kernels, *shape[2:], dtype=dtype)
        note = 4096 * (dtype == torch.float32)  # bytes, that oneDNN takes for itself
        assert peak <= share * self.bound(x, w, y) + note

    def test_the_measure_sees_what_im2col_holds(self):
        x, w = torch.ones(1, 8, 20, 20), torch.ones(4, 8, 3, 3)
        peak = peak_bytes(lambda: w.flatten(1) @ F.unfold(x, 3))
        assert peak >= self.bound(x, w, torch.ones(1, 4, 18, 18))


@pytest.mark.refusal
class TestRefusals:
    x, w, b = torch.zeros(1, 4, 5, 6), torch.zeros(6, 4, 3, 3), torch.zeros(6)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"input": torch.zeros(5, 6)}, r"input of 3 dimensions .* got shapes \(5"),
            ({"weight": torch.zeros(6, 4, 3)}, r"weight of 4, got shapes"),
            ({"input": torch.zeros(1, 3, 5, 6)}, r"expected 4 input channels.* got 3"),
            ({"groups": 4}, r"16 input channels .* divide 6, got 4 .*groups=4"),
            ({"groups": 0}, "expected groups >= 1, got groups=0"),
            ({"bias": torch.zeros(4)}, r"bias of shape \(6,\), got .* shape \(4,\)"),
            ({"stride": (1, 2, 3)}, r"stride to be an int or 2 ints, got \(1, 2, 3\)"),
            ({"stride": 0}, "expected stride >= 1, got stride=0"),
            ({"dilation": 0}, "expected dilation >= 1"),
            ({"padding": -1}, "expected padding >= 0, got padding=-1"),
            ({"padding": "same", "stride": 2}, r"expected stride=1 .* got stride=2"),
            ({"padding": "full"}, "padding"),
            ({"dilation": 3}, r"within the padded input, got kernel_size=\(3, 3"),
        ],
    )  # fmt: skip
    def test_values(self, change, message):
        given = {"input": self.x, "weight": self.w, "bias": self.b} | change
        with pytest.raises((ValueError, TypeError), match=message):
            conv2d(**given)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"input": [[1.0]]}, "expected input to be a Tensor, got list"),
            ({"weight": None}, "expected weight to be a Tensor, got NoneType"),
            ({"bias": 1.0}, "expected bias to be a Tensor, got float"),
            ({"weight": torch.zeros(6, 4, 3, 3).double()}, "weight of torch.float64"),
            ({"input": torch.zeros(1, 4, 5, 6).bool()}, "numbers of one dtype"),
            ({"stride": True}, "expected stride to be an int, got True"),
            ({"padding": 1.0}, "expected padding to be an int, got 1.0"),
            ({"groups": 2.0}, "expected groups to be an int, got 2.0"),
        ],
    )
    def test_types(self, change, message):
        given = {"input": self.x, "weight": self.w, "bias": self.b} | change
        with pytest.raises(TypeError, match=message):
            conv2d(**given)

    def test_devices(self):
        with pytest.raises(ValueError, match="expected weight where input is, on cpu"):
            conv2d(self.x, self.w.to("meta"))

    def test_transposed(self):
        with pytest.raises(ValueError, match="output_padding below stride or dilation"):
            conv_transpose2d(self.x, self.w[:4], output_padding=1)
        with pytest.raises(ValueError, match=r"padding to leave pixels, .*\(-1, 0\)"):
            conv_transpose2d(self.x, self.w[:4], padding=4)
        with pytest.raises(ValueError, match="expected 6 input channels"):
            conv_transpose2d(self.x, self.w)
        with pytest.raises(ValueError, match=r"bias of shape \(8,\)"):
            conv_transpose2d(self.x, self.w[:4], self.b, groups=2)

    def test_columns(self):
        with pytest.raises(TypeError, match="expected input to be a Tensor, got list"):
            unfold([1], 2)
        with pytest.raises(ValueError, match="input of 3 dimensions"):
            unfold(torch.zeros(5, 5), 2)
        with pytest.raises(ValueError, match="expected channels"):
            unfold(torch.zeros(1, 0, 5, 5), 2)
        with pytest.raises(ValueError, match="9 columns with a multiple of 4 rows"):
            fold(torch.zeros(4, 8), 4, 2)
        with pytest.raises(ValueError, match="9 columns with a multiple of 4 rows"):
            fold(torch.zeros(5, 9), 4, 2)

    def test_definition(self):
        with pytest.raises(TypeError, match="expected K to be a Tensor, got int"):
            corr2d(torch.zeros(3, 3), 1)
        with pytest.raises(ValueError, match="expected X to be a matrix"):
            corr2d(torch.zeros(3), torch.zeros(1, 1))
        with pytest.raises(
            ValueError, match=r"within the image, got \(4, 1\) on \(3, 3"
        ):
            corr2d(torch.zeros(3, 3), torch.zeros(4, 1))

    def test_separable(self):
        D = torch.zeros(4, 1, 3, 3)
        with pytest.raises(
            ValueError, match=r"pointwise_weight of shape \(K, C m, 1, 1"
        ):
            depthwise_separable_conv2d(self.x, D, torch.zeros(6, 4, 3, 3))
        with pytest.raises(ValueError, match="expected 8 input channels"):
            depthwise_separable_conv2d(self.x, D, torch.zeros(6, 8, 1, 1))


def test_signatures_are_torchs():
    """Names and order, as torch's documentation gives them."""
    parameters = {
        "conv": "input weight bias stride padding dilation groups",
        "conv_transpose": (
            "input weight bias stride padding output_padding groups dilation"
        ),
        "unfold": "input kernel_size dilation padding stride",
        "fold": "input output_size kernel_size dilation padding stride",
    }
    for name in convolution.__all__:
        expected = parameters.get(name.rstrip("123d"))
        if expected:
            found = inspect.signature(getattr(convolution, name)).parameters
            assert " ".join(found) == expected

"""dlref.losses of classes, against torch's."""

import os
from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlref import losses as ours
from dlref.activations import log_softmax, softmax

# torch's own: forward-mode derivatives load modules that still use it
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=10 if few_examples else 50, deadline=None)
SHAPES = [(4,), (5, 4), (0, 4), (1, 4), (5, 4, 3), (2, 4, 3, 2), (2, 4, 0)]
shapes = pytest.mark.parametrize("shape", SHAPES)
reductions = pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
functions = pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
HALF = {torch.float16: 5e-4, torch.bfloat16: 3.92e-3}  # one rounding


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Draw on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(shape, dtype=torch.float64, generator=generator)


def classes(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Draw a class for each row of scores."""
    wanted = shape[:1] + shape[2:] if len(shape) > 1 else ()
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(4, wanted, generator=generator)


WEIGHT = torch.tensor([0.5, 2.0, 0.25, 1.0], dtype=torch.float64)


def compare(
    name: str, given: tuple[Tensor, ...], *others: Tensor | None, **options: Any
) -> None:
    """Compare the value, and the gradients with respect to what is given."""
    results = []
    for f in (ours, F):
        leaves = [x.clone().requires_grad_() for x in given]
        y = getattr(f, name)(*leaves, *others, **options)
        dy = (torch.arange(y.numel()) % 4 + 1).to(y).reshape(y.shape)
        results.append([y, *torch.autograd.grad(y, leaves, dy)])
    for got, expected in zip(*results, strict=True):
        assert got.dtype == expected.dtype
        assert got.shape == expected.shape
        torch.testing.assert_close(
            got, expected, rtol=1e-12, atol=1e-12, equal_nan=True
        )


class TestAgainstTorch:
    @shapes
    @reductions
    def test_classes(self, device, shape, reduction):
        x, t = normal(*shape).to(device), classes(shape).to(device)
        for w, ignored in product((None, WEIGHT.to(device)), (-100, 1)):
            options: dict[str, Any] = {"ignore_index": ignored, "reduction": reduction}
            compare("nll_loss", (x,), t, w, **options)
            for smoothing in (0.0, 0.2, 1.0):
                compare(
                    "cross_entropy", (x,), t, w, label_smoothing=smoothing, **options
                )

    @shapes
    @reductions
    def test_probabilities(self, device, shape, reduction):
        x = normal(*shape).to(device)
        y = normal(*shape, seed=1).softmax(min(1, len(shape) - 1)).to(device)
        for w, smoothing in product((None, WEIGHT.to(device)), (0.0, 0.2)):
            options: dict[str, Any] = {"reduction": reduction}
            compare("cross_entropy", (x, y), w, label_smoothing=smoothing, **options)

    @functions
    @pytest.mark.parametrize("dtype", HALF)
    @reductions
    def test_half_precision_is_rounded_once(self, device, name, dtype, reduction):
        x = normal(6, 4).to(device, dtype).requires_grad_()
        t, w = classes((6, 4)).to(device), WEIGHT.to(device, dtype)
        got = getattr(ours, name)(x, t, w, reduction=reduction)
        wide = x.detach().double().requires_grad_()
        expected = getattr(F, name)(wide, t, w.double(), reduction=reduction)
        pairs = [(got, expected)]
        pairs += [tuple(torch.autograd.grad(y.sum(), z)[0]
                        for y, z in ((got, x), (expected, wide)))]  # fmt: skip
        for mine, theirs in pairs:
            assert mine.dtype == dtype
            torch.testing.assert_close(
                mine.double(), theirs, rtol=HALF[dtype], atol=1e-6
            )

    @functions
    def test_other_targets_that_torch_takes(self, name):
        x, t = normal(5, 4), classes((5, 4))
        f, expected = getattr(ours, name), getattr(F, name)(x, t)
        torch.testing.assert_close(f(x, t.byte()), expected)
        one = getattr(F, name)(x[0], t[0])
        torch.testing.assert_close(f(x[0], t[:1]), one)
        torch.testing.assert_close(f(x.T.contiguous().T, t), expected)

    @functions
    def test_nothing_left_is_nan(self, name):
        x, t = normal(3, 4), torch.ones(3).long()
        for options in ({"ignore_index": 1}, {"weight": torch.zeros(4).double()}):
            for f in (ours, F):
                assert getattr(f, name)(x, t, **options).isnan()
        assert getattr(ours, name)(x, t, ignore_index=1, reduction="sum").item() == 0

    @functions
    def test_what_is_ignored_may_be_infinite(self, name):
        x = torch.tensor([[0.0, -torch.inf], [0.0, 1.0]]).double()
        compare(name, (x,), torch.tensor([1, 0]), ignore_index=1, reduction="none")

    @functions
    def test_the_old_words_for_a_reduction(self, name):
        x, t = normal(5, 4), classes((5, 4))
        for old, new in (({"size_average": False}, "sum"), ({"reduce": False}, "none")):
            for f in (ours, F):
                with pytest.warns(UserWarning, match=f"use reduction='{new}'"):
                    got = getattr(f, name)(x, t, **old)
                expected = getattr(F, name)(x, t, reduction=new)
                torch.testing.assert_close(got, expected)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
    def test_large_scores_give_no_nan(self, device, dtype):
        x = torch.tensor([[-1e4, 1e4, 0.0, 1e4]] * 4, dtype=dtype).to(device)
        for t in (torch.arange(4), torch.eye(4, dtype=dtype)):
            for smoothing in (0.0, 0.1):
                leaf = x.clone().requires_grad_()
                y = ours.cross_entropy(leaf, t.to(device), label_smoothing=smoothing)
                assert y.isfinite()
                assert torch.autograd.grad(y, leaf)[0].isfinite().all()


class TestWhatTheyMean:
    def test_they_are_one(self, device):
        x, t = normal(5, 4).to(device), classes((5, 4)).to(device)
        loss = ours.cross_entropy(x, t)
        torch.testing.assert_close(ours.nll_loss(log_softmax(x, 1), t), loss)
        y = ours.one_hot(t, 4).double()
        torch.testing.assert_close(ours.cross_entropy(x, y), loss)

    @many
    @given(st.integers(2, 9), st.integers(0, 8), st.integers(0, 99))
    def test_the_gradient_is_p_minus_y(self, count, t, seed):
        x = normal(1, count, seed=seed).requires_grad_()
        target = torch.tensor([t % count])
        (dx,) = torch.autograd.grad(ours.cross_entropy(x, target), x)
        y = ours.one_hot(target, count)
        torch.testing.assert_close(dx, softmax(x.detach(), 1) - y)

    @many
    @given(st.floats(0, 1), st.integers(0, 99))
    def test_smoothing_is_a_mixture(self, e, seed):
        x, t = normal(3, 4, seed=seed), classes((3, 4), seed=seed)
        y = (1 - e) * ours.one_hot(t, 4).double() + e / 4
        got = ours.cross_entropy(x, t, label_smoothing=e)
        torch.testing.assert_close(got, ours.cross_entropy(x, y))


class TestDerivatives:
    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    @pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 4, 2)])
    def test_of_cross_entropy(self, shape, smoothing):
        x, t = normal(*shape).requires_grad_(), classes(shape)
        y = normal(*shape, seed=1).softmax(min(1, len(shape) - 1)).requires_grad_()

        def f(x: Tensor, target: Tensor = t) -> Tensor:
            return ours.cross_entropy(x, target, WEIGHT, label_smoothing=smoothing)

        for leaves in ((x,), (x, y)):
            assert torch.autograd.gradcheck(f, leaves, check_forward_ad=True)
            assert torch.autograd.gradgradcheck(f, leaves, fast_mode=True)

    def test_of_nll_loss(self):
        x, t = normal(3, 4).requires_grad_(), classes((3, 4))
        f = ours.nll_loss
        assert torch.autograd.gradcheck(lambda x: f(x, t), x, check_forward_ad=True)

    @functions
    @pytest.mark.parametrize("ignored", [-100, 1])
    @pytest.mark.filterwarnings("ignore:There is a performance drop")
    def test_torch_func(self, name, ignored):
        """A gradient for each sample, vmap over grad: classes that it cannot see."""
        x, t = normal(6, 4), classes((6, 4))
        t[0] = 2

        def f(x: Tensor, t: Tensor) -> Tensor:
            return getattr(ours, name)(x, t, ignore_index=ignored, reduction="sum")

        got = torch.func.vmap(torch.func.grad(f))(x, t)
        for row, right, dx in zip(x, t, got, strict=True):
            leaf = row.clone().requires_grad_()
            y = getattr(F, name)(leaf, right, ignore_index=ignored, reduction="sum")
            torch.testing.assert_close(dx, torch.autograd.grad(y, leaf)[0])

    @pytest.mark.filterwarnings("ignore:There is a performance drop")
    def test_torch_func_of_probabilities(self):
        x, y = normal(6, 4), normal(6, 4, seed=1).softmax(1)
        grads = torch.func.grad(ours.cross_entropy, argnums=(0, 1))
        dx, dy = torch.func.vmap(grads)(x, y)
        leaves = [z.clone().requires_grad_() for z in (x, y)]
        expected = torch.autograd.grad(
            F.cross_entropy(*leaves, reduction="sum"), leaves
        )
        torch.testing.assert_close((dx, dy), expected)
        only_y = torch.func.vmap(grads, in_dims=(None, 0))(x[0], y)
        expected = torch.func.vmap(grads)(x[:1].expand(6, 4), y)
        torch.testing.assert_close(only_y, expected)


class TestOneHot:
    @pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,), (2, 0)])
    @pytest.mark.parametrize("count", [4, 7])
    def test_against_torch(self, device, shape, count):
        generator = torch.Generator().manual_seed(0)
        t = torch.randint(4, shape, generator=generator).to(device)
        got, expected = ours.one_hot(t, count), F.one_hot(t, count)
        assert got.dtype == expected.dtype
        assert got.equal(expected)

    def test_the_number_left_out(self):
        t = torch.tensor([[0, 3], [1, 1]])
        assert ours.one_hot(t).equal(F.one_hot(t))
        assert ours.one_hot(t).argmax(-1).equal(t)

    def test_under_vmap(self):
        t = torch.tensor([[0, 3], [1, 1]])
        got = torch.func.vmap(lambda t: ours.one_hot(t, 4))(t)
        assert got.equal(F.one_hot(t, 4))


@pytest.mark.refusal
class TestRefusals:
    @functions
    def test_scores(self, name):
        f, t = getattr(ours, name), torch.tensor([0, 1])
        with pytest.raises(TypeError, match="expected input to be a Tensor, got list"):
            f([1.0], t)
        with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
            f(torch.ones(2, 3).long(), t)
        with pytest.raises(ValueError, match=r"expected input of shape \(C,\)"):
            f(torch.tensor(1.0), torch.tensor(0))

    @functions
    def test_targets(self, name):
        f, x = getattr(ours, name), torch.ones(2, 3)
        with pytest.raises(TypeError, match="expected target to be a Tensor, got list"):
            f(x, [0, 1])
        for dtype in (torch.int32, torch.bool, torch.float32):
            with pytest.raises(TypeError, match="classes of int64 or uint8, got torch"):
                f(x, torch.tensor([0, 1]).to(dtype))
        for t in (torch.tensor([0, 1, 2]), torch.tensor(0), torch.zeros(2, 1).long()):
            with pytest.raises(ValueError, match=r"expected target of shape \(2,\)"):
                f(x, t)
        for t, seen in (([0, 3], "0 to 3"), ([-1, 2], "-1 to 2")):
            with pytest.raises(IndexError, match=f"targets from 0 to 2, got {seen}"):
                f(x, torch.tensor(t))
            with pytest.raises(IndexError):
                getattr(F, name)(x, torch.tensor(t))
        with pytest.raises(IndexError, match="got 0 to 5"):
            f(x, torch.tensor([-1, 5]), ignore_index=-1)

    @functions
    def test_weights(self, name):
        f, x, t = getattr(ours, name), torch.ones(2, 3), torch.tensor([0, 1])
        for shape in ((2,), (3, 1), ()):
            with pytest.raises(ValueError, match=r"expected weight of shape \(3,\)"):
                f(x, t, torch.ones(shape))
        with pytest.raises(TypeError, match=r"weight of torch\.float32, got torch\.fl"):
            f(x, t, torch.ones(3).double())
        with pytest.raises(TypeError, match="expected weight to be a Tensor, got list"):
            f(x, t, [1.0, 1.0, 1.0])

    @functions
    def test_another_word(self, name):
        with pytest.raises(ValueError, match="none, mean or sum, got 'all'"):
            getattr(ours, name)(torch.ones(2, 3), torch.tensor([0, 1]), reduction="all")

    def test_cross_entropy(self):
        x, t = torch.ones(2, 3), torch.tensor([0, 1])
        for e in (-0.1, 1.1):
            with pytest.raises(
                ValueError, match="label_smoothing between 0 and 1, got"
            ):
                ours.cross_entropy(x, t, label_smoothing=e)
        with pytest.raises(ValueError, match="no ignore_index with probabilities"):
            ours.cross_entropy(x, x / 3, ignore_index=1)
        with pytest.raises(TypeError, match="to hold probabilities, of floating point"):
            ours.cross_entropy(x, torch.ones(2, 3).long())

    def test_one_hot(self):
        t = torch.tensor([0, 2])
        with pytest.raises(TypeError, match=r"input of torch\.int64, got torch\.int32"):
            ours.one_hot(t.int())
        with pytest.raises(TypeError, match="expected input to be a Tensor"):
            ours.one_hot([0, 2])
        for bad, count in ((t - 1, -1), (t, 2), (t, 0), (t, -2)):
            with pytest.raises(ValueError, match="expected classes from 0 to"):
                ours.one_hot(bad, count)
            with pytest.raises(RuntimeError):
                F.one_hot(bad, count)
        for count in (-1, 0):
            with pytest.raises(ValueError, match="expected num_classes above 0"):
                ours.one_hot(t[:0], count)

"""dlref.losses of numbers and probabilities, against torch's and torchvision's."""

import math
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sklearn.metrics
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlref import losses as ours

# of kl_div's mean, and of shapes that differ: torch warns too, and is asked to below
pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction"),
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
]
few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=10 if few_examples else 50, deadline=None)
REDUCTIONS = ["none", "mean", "sum"]
reductions = pytest.mark.parametrize("reduction", REDUCTIONS)
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
dtypes = pytest.mark.parametrize("dtype", DTYPES)
# of half precision half a unit in the last place: one rounding
TOLERANCES = dict(zip(DTYPES, (1e-12, 4e-6, 5e-4, 3.92e-3), strict=True))

Call = Callable[..., Tensor]


class Torch:
    """What each loss is compared with."""

    focal_loss = staticmethod(torchvision.ops.sigmoid_focal_loss)

    def __getattr__(self, name: str) -> Any:
        return getattr(F, name)


THEIRS = Torch()


def uniform(*shape: int, seed: int = 0) -> Tensor:
    """Draw between 0 and 1 on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(shape, dtype=torch.float64, generator=generator)


def normal(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(shape, dtype=torch.float64, generator=generator)


W = uniform(7, seed=5).bfloat16().double()  # weights that every dtype can hold
REAL = (normal(6, 7), normal(6, 7, seed=1))
LOGITS = (normal(6, 7), uniform(6, 7, seed=1))
CHANCES = (uniform(6, 7), uniform(6, 7, seed=1))
POINTS = tuple(normal(6, 7, seed=s) for s in range(3))

CALLS: dict[str, tuple[tuple[Tensor, ...], Call]] = {
    "mse": (REAL, lambda f, x, t, r: f.mse_loss(x, t, reduction=r)),
    "mse, weight": (
        REAL,
        lambda f, x, t, r: f.mse_loss(
            x, t, reduction=r, weight=W.to(x).expand(x.shape)
        ),
    ),
    "l1": (REAL, lambda f, x, t, r: f.l1_loss(x, t, reduction=r)),
    "l1, weight": (
        REAL,
        lambda f, x, t, r: f.l1_loss(x, t, reduction=r, weight=W.to(x).expand(x.shape)),
    ),
    "huber": (REAL, lambda f, x, t, r: f.huber_loss(x, t, r)),
    "huber, 2.5": (REAL, lambda f, x, t, r: f.huber_loss(x, t, r, 2.5)),
    "huber, weight": (
        REAL,
        lambda f, x, t, r: f.huber_loss(x, t, r, weight=W.to(x).expand(x.shape)),
    ),
    "smooth_l1": (REAL, lambda f, x, t, r: f.smooth_l1_loss(x, t, reduction=r)),
    "smooth_l1, 0": (
        REAL,
        lambda f, x, t, r: f.smooth_l1_loss(x, t, reduction=r, beta=0),
    ),
    "smooth_l1, 0.3": (
        REAL,
        lambda f, x, t, r: f.smooth_l1_loss(x, t, reduction=r, beta=0.3),
    ),
    "bce": (CHANCES, lambda f, x, t, r: f.binary_cross_entropy(x, t, reduction=r)),
    "bce, weight": (
        CHANCES,
        lambda f, x, t, r: f.binary_cross_entropy(x, t, W.to(x), reduction=r),
    ),
    "bce with logits": (
        LOGITS,
        lambda f, x, t, r: f.binary_cross_entropy_with_logits(x, t, reduction=r),
    ),
    "bce with logits, weight": (
        LOGITS,
        lambda f, x, t, r: f.binary_cross_entropy_with_logits(
            x, t, W.to(x), reduction=r
        ),
    ),
    "bce with logits, pos_weight": (
        LOGITS,
        lambda f, x, t, r: f.binary_cross_entropy_with_logits(
            x, t, reduction=r, pos_weight=4 * W.to(x)
        ),
    ),
    "focal": (LOGITS, lambda f, x, t, r: f.focal_loss(x, t, reduction=r)),
    "focal, -1, 0.5": (LOGITS, lambda f, x, t, r: f.focal_loss(x, t, -1, 0.5, r)),
    "focal, 1, 0": (LOGITS, lambda f, x, t, r: f.focal_loss(x, t, 1, 0, r)),
    "kl_div": (LOGITS, lambda f, x, t, r: f.kl_div(x, t, reduction=r)),
    "kl_div, log_target": (
        REAL,
        lambda f, x, t, r: f.kl_div(x, t, reduction=r, log_target=True),
    ),
    "kl_div, batchmean": (
        LOGITS,
        lambda f, x, t, r: f.kl_div(x, t, reduction="batchmean"),
    ),
    "triplet": (
        POINTS,
        lambda f, a, p, n, r: f.triplet_margin_loss(a, p, n, reduction=r),
    ),
    "triplet, 1, swap": (
        POINTS,
        lambda f, a, p, n, r: f.triplet_margin_loss(
            a, p, n, 2, p=1, swap=True, reduction=r
        ),
    ),
    "triplet, inf": (
        POINTS,
        lambda f, a, p, n, r: f.triplet_margin_loss(
            a, p, n, margin=0.5, p=math.inf, reduction=r
        ),
    ),
}
names = pytest.mark.parametrize("name", CALLS)
REGRESSION = ["mse", "l1", "huber", "smooth_l1"]
BINARY = ["bce", "bce with logits", "focal"]


def with_gradients(f: Call, *arguments: Tensor) -> list[Tensor]:
    """Return the value and the gradients, of a sum with weights 1, 2, 3, 4, 1, ..."""
    leaves = [x.detach().clone().requires_grad_() for x in arguments]
    y = f(*leaves)
    dy = (torch.arange(y.numel()) % 4 + 1).to(y).reshape(y.shape)
    return [y.detach(), *torch.autograd.grad(y, leaves, dy)]


def compare(call: Call, given: tuple[Tensor, ...], reduction: str) -> None:
    """Compare values and gradients: of half precision with torch's in float64."""
    dtype = given[0].dtype
    half = dtype in (torch.float16, torch.bfloat16)
    wide = tuple(x.double() for x in given) if half else given
    got = with_gradients(lambda *x: call(ours, *x, reduction), *given)
    expected = with_gradients(lambda *x: call(THEIRS, *x, reduction), *wide)
    rtol = TOLERANCES[dtype]
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.dtype == dtype
        assert mine.shape == theirs.shape
        torch.testing.assert_close(
            mine.double(), theirs.double(), rtol=rtol, atol=1e-6 if half else rtol
        )


class TestAgainstTorch:
    @names
    @reductions
    @dtypes
    def test_values_and_gradients(self, device, name, reduction, dtype):
        given, call = CALLS[name]
        compare(call, tuple(x.to(device, dtype) for x in given), reduction)

    @pytest.mark.parametrize("name", REGRESSION)
    @reductions
    def test_on_the_kinks(self, device, name, reduction):
        x = torch.tensor([-1.0, -0.0, 0.0, 1.0, 2.5, -2.5], dtype=torch.float64)
        compare(CALLS[name][1], (x.to(device), 0 * x.to(device)), reduction)

    @pytest.mark.parametrize("name", REGRESSION + BINARY)
    @pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3, 4)])
    def test_shapes(self, device, name, shape):
        x, t = uniform(*shape).to(device), uniform(*shape, seed=1).to(device)
        for reduction in REDUCTIONS:
            got, expected = (CALLS[name][1](f, x, t, reduction) for f in (ours, THEIRS))
            assert got.shape == expected.shape
            torch.testing.assert_close(got, expected, equal_nan=True)

    @pytest.mark.parametrize("name", REGRESSION)
    def test_mixed_dtypes(self, name):
        x, t = normal(5), normal(5, seed=1)
        call = CALLS[name][1]
        for pair in ((x.float(), t), (x, t.float()), (x, t.long()), (x.half(), t)):
            got, expected = (call(f, *pair, "mean") for f in (ours, F))
            torch.testing.assert_close(
                got.double(), expected.double(), rtol=2e-3, atol=0
            )
        assert call(ours, x.float(), t, "mean").dtype == torch.float64

    @pytest.mark.parametrize("name", REGRESSION)
    @reductions
    def test_broadcasting_warns(self, name, reduction):
        x, t = normal(4, 3), normal(3, seed=1)
        for f in (ours, F):
            with pytest.warns(UserWarning, match="will likely"):
                CALLS[name][1](f, x, t, reduction)
        with pytest.warns(UserWarning, match="are broadcast"):
            got = CALLS[name][1](ours, x, t, reduction)
        expected = CALLS[name][1](F, x, t.expand(4, 3), reduction)
        torch.testing.assert_close(got, expected)

    def test_l1_of_integers_and_complex_numbers(self):
        i, j = torch.tensor([3, -4]), torch.tensor([1, 1])
        for reduction in ("none", "sum"):
            got = ours.l1_loss(i, j, reduction=reduction)
            assert got.equal(F.l1_loss(i, j, reduction=reduction))
        z = torch.complex(normal(4), normal(4, seed=1))
        torch.testing.assert_close(ours.l1_loss(z, 2 * z), F.l1_loss(z, 2 * z))

    @pytest.mark.parametrize("name", [n for n in CALLS if "," not in n])
    def test_the_old_words_for_a_reduction(self, name):
        given, _ = CALLS[name]
        f = name.split(",")[0].replace("bce", "binary_cross_entropy").replace(" ", "_")
        f = f if hasattr(ours, f) else f + {"triplet": "_margin_loss"}.get(f, "_loss")
        if f in ("huber_loss", "focal_loss"):  # they never had them
            return
        for old, new in (
            ({"size_average": True}, "mean"),
            ({"size_average": False}, "sum"),
            ({"reduce": False}, "none"),
            ({"reduce": True}, "mean"),
            ({"reduce": False, "size_average": False}, "none"),
        ):
            for module in (ours, F):
                with pytest.warns(UserWarning, match=f"use reduction='{new}'"):
                    got = getattr(module, f)(*given, **old)
                expected = getattr(F, f)(*given, reduction=new)
                torch.testing.assert_close(got, expected)

    @names
    def test_nothing_is_modified(self, name):
        given, call = CALLS[name]
        before = [x.clone() for x in given]
        call(ours, *given, "mean")
        assert all(x.equal(y) for x, y in zip(given, before, strict=True))


class TestEnds:
    @pytest.mark.parametrize("name", [*REGRESSION, "bce with logits", "focal"])
    @pytest.mark.parametrize("more", ["", ", weight", ", pos_weight", ", -1, 0.5"])
    @dtypes
    def test_large_numbers_give_no_nan(self, device, name, more, dtype):
        if name + more not in CALLS:
            return
        x = torch.tensor([-1e4, -100.0, 100.0, 1e4, 0.0, 1e4, -1e4], dtype=dtype)
        t = torch.tensor([0, 1, 0, 1, 1, 0, 1], dtype=dtype).to(device)
        for reduction in REDUCTIONS:
            values = with_gradients(
                lambda x, r=reduction: CALLS[name + more][1](ours, x, t, r),
                x.to(device),
            )
            assert not any(y.isnan().any() for y in values)

    @dtypes
    def test_a_confident_mistake(self, device, dtype):
        x = torch.tensor([200.0], dtype=dtype).to(device).requires_grad_()
        zero = torch.zeros_like(x)
        loss = ours.binary_cross_entropy_with_logits(x, zero)
        assert loss.item() == 200
        assert torch.autograd.grad(loss, x)[0].item() == 1
        assert ours.binary_cross_entropy(x.sigmoid(), zero).item() == 100

    def test_bce_at_0_and_1_is_torchs(self, device):
        """Also in the gradient, which is cut off within 1e-12 of both ends."""
        p = [0.0, 1e-13, 1e-6, 0.3, 1 - 1e-6, 1.0]
        for t in (0.0, 0.4, 1.0):
            results = []
            for f in (ours, F):
                x = torch.tensor(p, dtype=torch.float64).to(device).requires_grad_()
                y = f.binary_cross_entropy(x, torch.full_like(x, t), reduction="none")
                results += [(y, *torch.autograd.grad(y.sum(), x))]
            for got, expected in zip(*results, strict=True):
                # torch holds 1e-12 in float32
                torch.testing.assert_close(got, expected, rtol=1e-8, atol=0)

    @names
    def test_nan_stays(self, name):
        given, call = CALLS[name]
        if name.startswith("bce") and "logits" not in name:
            return
        given = (given[0].clone(), *given[1:])
        given[0][0] = math.nan
        assert call(ours, *given, "sum").isnan()


class TestDerivatives:
    @names
    @pytest.mark.parametrize("reduction", ["none", "mean"])
    def test_first_second_and_forward(self, name, reduction):
        given, call = CALLS[name]
        leaves = [x[:1].clone().requires_grad_() for x in given]

        def f(*x: Tensor) -> Tensor:
            return call(ours, *x, reduction)

        assert torch.autograd.gradcheck(f, leaves, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, leaves, fast_mode=True)

    @names
    @pytest.mark.filterwarnings("ignore:There is a performance drop")
    def test_torch_func(self, name):
        """A gradient for each of a batch of inputs, vmap over grad."""
        given, call = CALLS[name]
        got = torch.func.vmap(torch.func.grad(lambda *x: call(ours, *x, "mean")))(
            *given
        )
        for row, dx in zip(zip(*given, strict=True), got, strict=True):
            leaf = row[0].clone().requires_grad_()
            y = call(THEIRS, leaf, *row[1:], "mean")
            torch.testing.assert_close(dx, torch.autograd.grad(y, leaf)[0])


class TestWhatTheyMean:
    @many
    @given(st.lists(st.floats(-50, 50), min_size=1, max_size=9))
    def test_mean_and_median(self, numbers):
        """No constant does better than the mean, nor, for L1, than the median."""
        t = torch.tensor(numbers, dtype=torch.float64)
        others = torch.linspace(-50, 50, 41, dtype=torch.float64)
        for f, best in ((ours.mse_loss, t.mean()), (ours.l1_loss, t.median())):
            least = f(best.expand(t.shape), t)
            assert all(f(c.expand(t.shape), t) >= least - 1e-9 for c in others)

    @many
    @given(st.floats(-30, 30), st.floats(0, 1))
    def test_bce_is_a_likelihood(self, x, t):
        given = torch.tensor([x]).double(), torch.tensor([t]).double()
        expected = -torch.distributions.Bernoulli(logits=given[0]).log_prob(
            given[1].round()
        )
        got = ours.binary_cross_entropy_with_logits(given[0], given[1].round())
        torch.testing.assert_close(got, expected[0], rtol=1e-9, atol=1e-12)

    @many
    @given(st.floats(-20, 20), st.floats(0.05, 5))
    def test_huber_lies_between(self, e, delta):
        x, zero = torch.tensor([e]).double(), torch.zeros(1).double()
        huber = ours.huber_loss(x, zero, delta=delta)
        assert huber <= ours.mse_loss(x, zero) / 2 + 1e-12
        assert huber <= delta * ours.l1_loss(x, zero) + 1e-12
        smooth = ours.smooth_l1_loss(x, zero, beta=delta)
        torch.testing.assert_close(huber, delta * smooth)

    def test_focus(self):
        x, t = normal(40), (uniform(40) > 0.5).double()
        plain = ours.binary_cross_entropy_with_logits(x, t, reduction="none")
        torch.testing.assert_close(ours.focal_loss(x, t, -1, 0), plain)
        ratio = ours.focal_loss(x, t, -1, 2) / plain
        assert ratio[plain.argsort()].diff().min() >= 0

    def test_kl_of_distributions(self):
        p, q = uniform(5, 4).softmax(1), uniform(5, 4, seed=1).softmax(1)
        expected = torch.distributions.kl_divergence(
            *(torch.distributions.Categorical(x) for x in (p, q))
        ).mean()
        got = ours.kl_div(q.log(), p, reduction="batchmean")
        torch.testing.assert_close(got, expected)
        got = ours.kl_div(q.log(), p.log(), reduction="batchmean", log_target=True)
        torch.testing.assert_close(got, expected)
        zero = ours.kl_div(torch.tensor([-1.0]), torch.zeros(1), reduction="none")
        assert zero.item() == 0

    def test_the_mean_of_kl_warns(self):
        for f in (ours, F):
            with pytest.warns(UserWarning, match="'batchmean'"):
                f.kl_div(torch.zeros(2), torch.ones(2))


class TestTriplet:
    def test_a_worked_number(self):
        a, p, n = (
            torch.zeros(1, 2),
            torch.tensor([[3.0, 4.0]]),
            torch.tensor([[0, 4.5]]),
        )
        got = ours.triplet_margin_loss(a, p, n, eps=0)
        assert got.item() == 1.5
        near = ours.triplet_margin_loss(a, p, p - 0.5, swap=True, eps=0)
        assert math.isclose(near.item(), 6 - 0.5**0.5, rel_tol=1e-6)

    @pytest.mark.parametrize("shapes", [((7,),) * 3, ((1, 7), (6, 7), (6, 7)),
                                        ((2, 3, 7),) * 3])  # fmt: skip
    def test_shapes(self, shapes):
        given = [normal(*s, seed=i) for i, s in enumerate(shapes)]
        for reduction in REDUCTIONS:
            got, expected = (
                f.triplet_margin_loss(*given, reduction=reduction) for f in (ours, F)
            )
            torch.testing.assert_close(got, expected)


class TestHinge:
    @reductions
    def test_two_classes(self, reduction, device):
        x = normal(40).to(device)
        t = torch.where(uniform(40) > 0.5, 1.0, -1.0).double().to(device)
        each = (1 - t * x).clamp(min=0)
        expected = {"none": each, "mean": each.mean(), "sum": each.sum()}[reduction]
        for target in (t, t.long(), t.float()):
            got = ours.hinge_loss(x, target, reduction=reduction)
            torch.testing.assert_close(got, expected)
        mean = sklearn.metrics.hinge_loss(t.cpu().numpy(), x.cpu().numpy())
        assert math.isclose(ours.hinge_loss(x, t).item(), mean, rel_tol=1e-12)

    def test_several_classes(self, device):
        x, t = normal(40, 5).to(device), torch.arange(40).to(device) % 5
        mean = sklearn.metrics.hinge_loss(t.cpu().numpy(), x.cpu().numpy())
        assert math.isclose(ours.hinge_loss(x, t).item(), mean, rel_tol=1e-12)
        each = ours.hinge_loss(x, t, reduction="none")
        assert each.shape == (40,)
        wrong = x.argmax(1) != t
        assert (each >= wrong.double()).all()  # it bounds the number of mistakes

    def test_two_scores_are_one(self):
        x, t = normal(9, 2), torch.arange(9) % 2
        sign = 2 * t - 1
        one = ours.hinge_loss(x[:, 1] - x[:, 0], sign)
        torch.testing.assert_close(ours.hinge_loss(x, t), one)

    def test_derivatives(self):
        x = normal(6, 4).requires_grad_()
        t = torch.arange(6) % 4
        for scores, target in ((x, t), (x[:, 0], 2 * (t % 2) - 1)):
            f = partial(ours.hinge_loss, target=target)
            assert torch.autograd.gradcheck(f, scores, check_forward_ad=True)
        kink = torch.ones(1, requires_grad=True)
        loss = ours.hinge_loss(kink, torch.ones(1))
        assert torch.autograd.grad(loss, kink)[0].item() == 0
        assert ours.hinge_loss(x.half(), t).dtype == torch.float16


@pytest.mark.refusal
class TestRefusals:
    @pytest.mark.parametrize("name", [n for n in CALLS if "batchmean" not in n])
    def test_another_word(self, name):
        given, call = CALLS[name]
        for word in ("average", "batchmean"):
            if "kl_div" not in name or word == "average":
                with pytest.raises(ValueError, match=f"sum, got '{word}'"):
                    call(ours, *given, word)

    @names
    def test_what_is_no_tensor(self, name):
        given, _ = CALLS[name]
        f = name.split(",")[0].replace("bce", "binary_cross_entropy").replace(" ", "_")
        f = f if hasattr(ours, f) else f + {"triplet": "_margin_loss"}.get(f, "_loss")
        for i in range(len(given)):
            wrong = [[1.0] if j == i else x for j, x in enumerate(given)]
            with pytest.raises(TypeError, match="to be a Tensor, got list"):
                getattr(ours, f)(*wrong)

    @pytest.mark.parametrize("name", [*REGRESSION, *BINARY, "kl_div"])
    def test_integers(self, name):
        i = torch.ones(2).long()
        with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
            CALLS[name][1](ours, i, i, "mean")
        if name != "focal":
            with pytest.raises(RuntimeError):
                CALLS[name][1](F, i, i, "mean")

    @pytest.mark.parametrize("name", [*REGRESSION, *BINARY, "kl_div"])
    def test_shapes_that_do_not_fit(self, name):
        with pytest.raises(ValueError, match=r"expected .*\(2,\)"):
            CALLS[name][1](ours, torch.zeros(3), torch.zeros(2), "mean")

    def test_weights(self):
        x = torch.full((3, 2), 0.5)
        for f in (ours.mse_loss, ours.l1_loss, ours.huber_loss):
            with pytest.raises(
                ValueError, match=r"weight of the input's shape \(3, 2\)"
            ):
                f(x, x, weight=torch.ones(2))
        for f in (ours.binary_cross_entropy, ours.binary_cross_entropy_with_logits):
            with pytest.raises(
                ValueError, match=r"broadcast to \(3, 2\), got shape \(4"
            ):
                f(x, x, torch.ones(4, 3, 2))
            with pytest.raises(
                ValueError, match=r"shapes that fit, got input \(3, 2\)"
            ):
                f(x, x, torch.ones(5))
        with pytest.raises(TypeError, match="expected pos_weight to be a Tensor"):
            ours.binary_cross_entropy_with_logits(x, x, pos_weight=2.0)

    def test_ranges(self):
        x = torch.full((2,), 0.5)
        with pytest.raises(ValueError, match="expected delta above 0, got 0"):
            ours.huber_loss(x, x, delta=0)
        with pytest.raises(ValueError, match="expected beta of at least 0, got -1"):
            ours.smooth_l1_loss(x, x, beta=-1)
        with pytest.raises(ValueError, match="alpha between 0 and 1, or -1, got 2"):
            ours.focal_loss(x, x, alpha=2)
        with pytest.raises(ValueError, match="gamma of at least 0, got -1"):
            ours.focal_loss(x, x, gamma=-1)
        with pytest.raises(ValueError, match="expected margin above 0, got 0"):
            ours.triplet_margin_loss(x, x, x, margin=0)

    @pytest.mark.parametrize("bad", [-0.1, 1.5, math.nan])
    def test_what_is_no_probability(self, bad):
        x, p = torch.tensor([0.5, bad]), torch.tensor([0.5, 0.5])
        with pytest.raises(ValueError, match="expected input between 0 and 1, got"):
            ours.binary_cross_entropy(x, p)
        with pytest.raises(ValueError, match="expected target between 0 and 1, got"):
            ours.binary_cross_entropy(p, x)

    def test_dtypes_of_bce(self):
        x = torch.full((2,), 0.5)
        with pytest.raises(
            TypeError, match=r"target of torch.float32, got torch.float6"
        ):
            ours.binary_cross_entropy(x, x.double())

    def test_triplets(self):
        x = torch.ones(2, 3)
        with pytest.raises(ValueError, match=r"as many axes .* got 2, 1 and 2"):
            ours.triplet_margin_loss(x, x[0], x)
        with pytest.raises(ValueError, match="expected shapes that fit, got anchor"):
            ours.triplet_margin_loss(x, x[:, :2], x)

    def test_hinges(self):
        x = torch.ones(3)
        with pytest.raises(ValueError, match="expected targets of -1 and 1"):
            ours.hinge_loss(x, torch.tensor([0, 1, 1]))
        with pytest.raises(ValueError, match=r"expected target of the input's shape"):
            ours.hinge_loss(x, torch.ones(2))
        with pytest.raises(
            IndexError, match="expected targets from 0 to 1, got 0 to 2"
        ):
            ours.hinge_loss(torch.ones(3, 2), torch.tensor([0, 1, 2]))
        with pytest.raises(TypeError, match=r"to be integers, got torch\.float32"):
            ours.hinge_loss(torch.ones(3, 2), x)
        for shape in ((3, 1), (4, 2)):
            with pytest.raises(ValueError, match="C at least 2"):
                ours.hinge_loss(torch.ones(shape), torch.tensor([0, 0, 0]))

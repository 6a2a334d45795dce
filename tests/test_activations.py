"""dlref.activations, against torch's."""

import math
import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlref import activations as ours

# torch's own: forward-mode derivatives load modules that still use it
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=20 if few_examples else 80, deadline=None)

Call = Callable[[Any, Tensor], Tensor]
CALLS: dict[str, Call] = {
    "sigmoid": lambda f, x: f.sigmoid(x),
    "logsigmoid": lambda f, x: f.logsigmoid(x),
    "hardsigmoid": lambda f, x: (ours if f is ours else PRECISE).hardsigmoid(x),
    "tanh": lambda f, x: f.tanh(x),
    "relu": lambda f, x: f.relu(x),
    "relu6": lambda f, x: f.relu6(x),
    "leaky_relu": lambda f, x: f.leaky_relu(x),
    "leaky_relu, 0.3": lambda f, x: f.leaky_relu(x, 0.3),
    "leaky_relu, 2": lambda f, x: f.leaky_relu(x, 2),
    "leaky_relu, -1": lambda f, x: f.leaky_relu(x, negative_slope=-1.0),
    "prelu": lambda f, x: f.prelu(x, torch.full((1,), 0.25).to(x)),
    "elu": lambda f, x: f.elu(x),
    "elu, 0.3": lambda f, x: f.elu(x, alpha=0.3),
    "selu": lambda f, x: f.selu(x),
    "celu": lambda f, x: f.celu(x),
    "celu, 2": lambda f, x: f.celu(x, 2),
    "gelu": lambda f, x: f.gelu(x),
    "gelu, tanh": lambda f, x: f.gelu(x, approximate="tanh"),
    "silu": lambda f, x: f.silu(x),
    "mish": lambda f, x: f.mish(x),
    "softplus": lambda f, x: f.softplus(x),
    "softplus, 2, 3": lambda f, x: f.softplus(x, beta=2, threshold=3),
    "softsign": lambda f, x: f.softsign(x),
    "hardswish": lambda f, x: f.hardswish(x),
    "glu": lambda f, x: f.glu(torch.stack((x, x.flip(0)), -1)).squeeze(-1),
    "softmax": lambda f, x: f.softmax(x, -1),
    "log_softmax": lambda f, x: f.log_softmax(x, -1),
}


class PRECISE:
    """Torch's, but for a gradient that in float64 is off by 3e-8."""

    @staticmethod
    def hardsigmoid(x: Tensor) -> Tensor:
        """Return it as torch's hardtanh, whose gradient on the kinks is the same."""
        return (F.hardtanh(x, -3, 3) + 3) / 6


ROWS = {"glu", "softmax", "log_softmax"}  # not element by element
INPLACE = [
    *("relu", "relu6", "hardsigmoid", "leaky_relu", "elu", "selu", "celu", "silu"),
    *("mish", "hardswish"),
]
names = pytest.mark.parametrize("name", CALLS)
elementwise = pytest.mark.parametrize("name", [n for n in CALLS if n not in ROWS])
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
dtypes = pytest.mark.parametrize("dtype", DTYPES)
# of half precision half a unit in the last place: one rounding
TOLERANCES = dict(zip(DTYPES, (1e-12, 2e-6, 4.9e-4, 3.92e-3), strict=True))
TINY = {torch.float16: 3e-7}  # the smallest numbers, and float32's errors
KINKS = [-6.0, -3.0, -1.0, -0.0, 0.0, 1.0, 1.5, 3.0, 6.0, 20.0]


def random(*shape: int, seed: int = 0) -> Tensor:
    """Draw on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(shape, dtype=torch.float64, generator=generator)


def with_gradient(
    f: Callable[[Tensor], Tensor], x: Tensor, dtype: torch.dtype | None = None
) -> tuple[Tensor, Tensor]:
    """Return the value, and the gradient of a sum weighted in the dtype given."""
    x = x.detach().clone().requires_grad_()
    y = f(x)
    dy = random(*y.shape, seed=9).to(dtype or y.dtype).to(y)
    return y.detach(), torch.autograd.grad(y, x, dy)[0]


def compare(call: Call, x: Tensor, tolerance: float) -> None:
    """Compare values and gradients: of half precision with torch's in float64.

    But for `glu` as called here: the test itself then adds gradients in half precision.
    """
    half = x.dtype in (torch.float16, torch.bfloat16)
    if half and call is CALLS["glu"]:
        return
    got = with_gradient(lambda x: call(ours, x), x)
    expected = with_gradient(
        lambda x: call(F, x), x.double() if half else x, dtype=x.dtype
    )
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.dtype == x.dtype
        assert mine.shape == theirs.shape
        atol = TINY.get(x.dtype, 1e-6) if half else tolerance
        torch.testing.assert_close(
            mine.double(), theirs.double(), rtol=tolerance, atol=atol
        )


class TestAgainstTorch:
    @names
    @dtypes
    def test_values_and_gradients(self, device, name, dtype):
        x = random(7, 40).to(device, dtype)
        compare(CALLS[name], x, TOLERANCES[dtype])

    @names
    @dtypes
    def test_on_the_kinks(self, device, name, dtype):
        x = torch.tensor(KINKS, dtype=dtype).to(device)
        compare(CALLS[name], x, TOLERANCES[dtype])

    @names
    @many
    @given(st.lists(st.floats(-50, 50), min_size=1, max_size=9))
    def test_any_numbers(self, device, name, numbers):
        x = torch.tensor(numbers, dtype=torch.float64).to(device)
        compare(CALLS[name], x, 1e-11)

    @names
    @pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3), (2, 3, 4), (1,)])
    def test_shapes(self, device, name, shape):
        x = torch.zeros(shape).to(device)
        if name == "glu" and shape == ():
            return
        got, expected = (CALLS[name](f, x) for f in (ours, F))
        assert got.shape == expected.shape
        torch.testing.assert_close(got, expected)

    @elementwise
    def test_other_layouts(self, device, name):
        x = random(4, 6).to(device)
        for view in (x.T, x[:, ::2], x[:1].expand(4, 6)):
            compare(CALLS[name], view, 1e-12)

    @pytest.mark.parametrize("name", ["sigmoid", "tanh", "softsign", "relu", "relu6"])
    def test_integers_where_torch_takes_them(self, device, name):
        x = torch.arange(-3, 9).to(device)
        got, expected = CALLS[name](ours, x), CALLS[name](F, x)
        torch.testing.assert_close(got, expected)

    @pytest.mark.parametrize("name", ["sigmoid", "tanh"])
    def test_booleans_where_torch_takes_them(self, device, name):
        x = torch.tensor([True, False]).to(device)
        torch.testing.assert_close(CALLS[name](ours, x), CALLS[name](F, x))

    @names
    def test_nothing_is_modified(self, name):
        x = random(5, 6)
        before = x.clone()
        CALLS[name](ours, x)
        assert x.equal(before)


class TestEnds:
    @names
    @dtypes
    def test_large_numbers(self, device, name, dtype):
        """No NaN, and the same as torch."""
        x = torch.tensor([-1e4, -1e3, -90.0, 90.0, 1e3, 1e4], dtype=dtype).to(device)
        for value in with_gradient(lambda x: CALLS[name](ours, x), x):
            assert not value.isnan().any()
        compare(CALLS[name], x, TOLERANCES[dtype])

    @names
    def test_numbers_whose_squares_overflow(self, device, name):
        x = torch.tensor([-1e30, -1e20, 1e20, 1e30]).to(device)
        for value in with_gradient(lambda x: CALLS[name](ours, x), x):
            assert not value.isnan().any()
        x64 = torch.tensor([-1e300, 1e300], dtype=torch.float64).to(device)
        for value in with_gradient(lambda x: CALLS[name](ours, x), x64):
            assert not value.isnan().any()

    @names
    def test_nan_stays(self, device, name):
        x = torch.tensor([1.0, math.nan]).to(device)
        got, expected = CALLS[name](ours, x), CALLS[name](F, x)
        assert got.isnan().equal(expected.isnan())
        assert got.isnan().any()

    @pytest.mark.parametrize(
        "name",
        ["sigmoid", "logsigmoid", "hardsigmoid", "tanh", "relu", "relu6", "leaky_relu",
         "prelu", "elu", "selu", "celu", "softplus"],
    )  # fmt: skip
    def test_infinities(self, device, name):
        x = torch.tensor([-math.inf, math.inf]).to(device)
        torch.testing.assert_close(CALLS[name](ours, x), CALLS[name](F, x))

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    def test_infinite_scores(self, device, name):
        x = torch.tensor([[-math.inf, 0.0, 1.0], [-math.inf, -math.inf, 3.0]])
        compare(CALLS[name], x.to(device), 1e-6)
        none = torch.full((1, 3), -math.inf).to(device)
        assert CALLS[name](ours, none).isnan().all()

    @pytest.mark.parametrize("name", ["sigmoid", "silu", "mish", "softplus"])
    def test_relative_precision_on_the_left(self, device, name):
        """At -30 float32 keeps six digits."""
        x = torch.tensor([-30.0]).to(device)
        expected = CALLS[name](F, x.double())
        got = CALLS[name](ours, x).double()
        torch.testing.assert_close(got, expected, rtol=2e-6, atol=0)


class TestDerivatives:
    @names
    def test_first_second_and_forward(self, device, name):
        """Away from the kinks, where there is no second derivative."""
        x = torch.tensor([-4.1, -2.3, -0.7, 0.4, 1.2, 2.9, 7.0], dtype=torch.float64)
        x = x.to(device).requires_grad_()

        def f(x):
            return CALLS[name](ours, x)

        assert torch.autograd.gradcheck(f, x, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, x)

    @names
    def test_second_derivative_is_torchs(self, device, name):
        """At 0 too, where all but the kinked have one."""
        results = []
        for f in (ours, F):
            x = torch.tensor([-2.0, 0.0, 0.5, 2.0], dtype=torch.float64).to(device)
            x.requires_grad_()
            y = CALLS[name](f, x)
            (dx,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
            results.append(torch.autograd.grad(dx.square().sum(), x)[0])
        torch.testing.assert_close(*results, rtol=1e-10, atol=1e-10)

    @names
    @pytest.mark.filterwarnings("ignore:There is a performance drop")
    def test_torch_func(self, device, name):
        """A gradient for each of a batch of inputs, vmap over grad."""
        xs = random(3, 8).to(device)
        got = torch.func.vmap(
            torch.func.grad(lambda x: CALLS[name](ours, x).pow(3).sum())
        )(xs)
        for x, dx in zip(xs, got, strict=True):
            x.requires_grad_()
            y = CALLS[name](F, x).pow(3).sum()
            torch.testing.assert_close(dx, torch.autograd.grad(y, x)[0])


class TestInplace:
    @pytest.mark.parametrize("name", INPLACE)
    @dtypes
    def test_overwrites_as_torch_does(self, device, name, dtype):
        results = []
        for f in (ours, F):
            x = random(5, 6).to(device, dtype).requires_grad_()
            hidden = x * 1
            y = getattr(f, name)(hidden, inplace=True)
            assert y.data_ptr() == hidden.data_ptr()
            dy = random(5, 6, seed=9).to(y)
            results.append((y, *torch.autograd.grad(y, x, dy)))
        tolerance = max(4 * TOLERANCES[dtype], 4e-8)  # of torch's hardsigmoid
        for got, expected in zip(*results, strict=True):
            torch.testing.assert_close(
                got.double(), expected.double(), rtol=tolerance, atol=tolerance
            )

    @pytest.mark.parametrize("name", INPLACE)
    def test_returns_the_very_tensor(self, name):
        x = random(5)
        assert getattr(ours, name)(x, inplace=True) is x

    @pytest.mark.parametrize("name", INPLACE)
    def test_a_leaf_is_refused_by_torch(self, name):
        x = torch.ones(2, requires_grad=True)
        for f in (ours, F):
            with pytest.raises(RuntimeError, match="a leaf Variable that requires"):
                getattr(f, name)(x, inplace=True)


class TestPrelu:
    @pytest.mark.parametrize(
        ("shape", "count"),
        [((5,), 1), ((), 1), ((4, 3), 3), ((4, 3), 1), ((2, 3, 4, 5), 3), ((0, 3), 3)],
    )
    @dtypes
    def test_gradients_of_both(self, device, shape, count, dtype):
        results = []
        for f in (ours, F):
            x = random(*shape).to(device, dtype).requires_grad_()
            w = random(count, seed=1).to(device, dtype).requires_grad_()
            y = f.prelu(x, w)
            dy = random(*shape, seed=2).to(y)
            results.append((y, *torch.autograd.grad(y, (x, w), dy)))
        tolerance = 4 * TOLERANCES[dtype]
        for got, expected in zip(*results, strict=True):
            assert got.shape == expected.shape
            torch.testing.assert_close(
                got.double(), expected.double(), rtol=tolerance, atol=tolerance
            )

    def test_gradcheck(self, device):
        x = random(2, 3, 2).to(device).requires_grad_()
        w = random(3, seed=1).to(device).requires_grad_()
        assert torch.autograd.gradcheck(ours.prelu, (x, w), check_forward_ad=True)
        assert torch.autograd.gradgradcheck(ours.prelu, (x, w))

    def test_a_scalar_slope(self):
        x = random(2, 3)
        w = torch.tensor(0.3, dtype=torch.float64)
        torch.testing.assert_close(ours.prelu(x, w), F.prelu(x, w))


class TestAlongAnAxis:
    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    @pytest.mark.parametrize("dim", [0, 1, 2, -1, -3])
    def test_each_axis(self, device, name, dim):
        x = random(3, 4, 5).to(device)
        compare(lambda f, x: getattr(f, name)(x, dim=dim), x, 1e-12)

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    @pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
    def test_dtype(self, device, name, dtype):
        for x in (random(3, 4).to(device).float(), torch.arange(4).to(device)):
            got = getattr(ours, name)(x, -1, dtype=dtype)
            assert got.dtype == dtype
            assert getattr(F, name)(x, -1, dtype=dtype).dtype == dtype
            expected = getattr(F, name)(x.to(dtype).double(), -1).to(dtype)
            torch.testing.assert_close(got, expected)

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    @pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
    def test_the_axis_left_out(self, name, shape):
        x = random(*shape)
        for f in (ours, F):
            with pytest.warns(UserWarning, match=f"dimension choice for {name}"):
                y = getattr(f, name)(x)
        torch.testing.assert_close(getattr(ours, name)(x, [0, 0, 1, 0, 1][x.ndim]), y)

    @many
    @given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), st.floats(-99, 99))
    def test_a_constant_changes_nothing(self, scores, shift):
        x = torch.tensor(scores, dtype=torch.float64)
        p = ours.softmax(x, 0)
        torch.testing.assert_close(ours.softmax(x + shift, 0), p, rtol=1e-10, atol=0)
        assert math.isclose(p.sum().item(), 1)

    @pytest.mark.parametrize("dim", [0, 1, -1])
    def test_glu(self, device, dim):
        x = random(4, 6).to(device)
        compare(lambda f, x: f.glu(x, dim), x, 1e-12)
        compare(lambda f, x: f.glu(x, dim=dim), x.half(), 4.9e-4)


class TestMaxout:
    def test_is_the_largest_of_the_maps(self, device):
        layer = ours.Maxout(3, 4, 5, device=device)
        x = random(2, 6, 3).float().to(device)
        maps = torch.einsum("...i,oki->...ok", x, layer.weight) + layer.bias
        torch.testing.assert_close(layer(x), maps.amax(-1))

    def test_contains_relu_and_leaky_relu(self):
        x = random(5, 1)
        for f, slope in ((F.relu, 0.0), (F.leaky_relu, 0.01)):
            layer = ours.Maxout(1, 1, bias=False, dtype=torch.float64)
            layer.load_state_dict({"weight": torch.tensor([[[1.0], [slope]]])})
            torch.testing.assert_close(layer(x), f(x))

    def test_draws_as_a_linear_layer(self):
        torch.manual_seed(0)
        layer = ours.Maxout(100, 50, 3)
        assert layer.weight.shape == (50, 3, 100)
        assert layer.weight.abs().max() <= 0.1
        assert abs(layer.weight.std().item() - 0.1 / math.sqrt(3)) < 1e-3
        assert layer.bias.abs().max() <= 0.1
        assert "num_pieces=3, bias=True" in repr(layer)

    @many
    @given(st.integers(1, 4), st.floats(0, 1))
    def test_is_convex(self, pieces, t):
        layer = ours.Maxout(3, 2, pieces, dtype=torch.float64)
        x, y = random(3), random(3, seed=1)
        between = layer(t * x + (1 - t) * y)
        assert (between <= t * layer(x) + (1 - t) * layer(y) + 1e-12).all()

    def test_gradcheck(self):
        layer = ours.Maxout(3, 2, 3, dtype=torch.float64)
        assert torch.autograd.gradcheck(layer, random(4, 3).requires_grad_())


@pytest.mark.refusal
class TestRefusals:
    @names
    def test_what_is_no_tensor(self, name):
        calls = [name.split(",")[0]]
        extra = {"prelu": (torch.ones(1),), "softmax": (0,), "log_softmax": (0,)}
        for f in calls:
            with pytest.raises(TypeError, match="expected input to be a Tensor, got l"):
                getattr(ours, f)([1.0], *extra.get(f, ()))

    @names
    def test_complex_numbers(self, name):
        if name != "glu":
            with pytest.raises(TypeError, match="expected input of real"):
                CALLS[name](ours, torch.ones(2) * 1j)

    @pytest.mark.parametrize(
        "name",
        ["logsigmoid", "hardsigmoid", "leaky_relu", "elu", "selu", "celu", "gelu",
         "silu", "mish", "softplus", "hardswish", "prelu", "softmax", "log_softmax"],
    )  # fmt: skip
    def test_integers_where_torch_refuses_them(self, name):
        x = torch.arange(3)
        more = {"prelu": (torch.ones(1),), "softmax": (0,), "log_softmax": (0,)}
        with pytest.raises(RuntimeError):
            getattr(F, name)(x, *more.get(name, ()))
        with pytest.raises(TypeError, match=r"floating point, got torch.int64"):
            CALLS[name](ours, x)

    def test_celu(self):
        with pytest.raises(ValueError, match="expected alpha other than 0"):
            ours.celu(torch.ones(2), 0.0)

    def test_gelu(self):
        with pytest.raises(ValueError, match="'none' or 'tanh', got"):
            ours.gelu(torch.ones(2), approximate="fast")

    @pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
    def test_glu(self, shape):
        with pytest.raises(ValueError, match="expected an even length along dim -1"):
            ours.glu(torch.ones(shape))

    def test_axes(self):
        for f in (ours.softmax, ours.log_softmax, ours.glu):
            with pytest.raises(IndexError):
                f(torch.ones(2, 2), 5)

    def test_prelu(self):
        with pytest.raises(ValueError, match=r"weight of shape \(1,\) or \(2,\)"):
            ours.prelu(torch.ones(3, 2), torch.ones(3))
        with pytest.raises(ValueError, match=r"weight of shape \(1,\) or \(1,\)"):
            ours.prelu(torch.ones(3), torch.ones(3))
        with pytest.raises(ValueError, match="expected weight of shape"):
            ours.prelu(torch.ones(2, 3), torch.ones(3, 1))
        with pytest.raises(TypeError, match=r"expected weight of torch.float16"):
            ours.prelu(torch.ones(2, 3).half(), torch.ones(3))
        with pytest.raises(TypeError, match="expected weight to be a Tensor, got fl"):
            ours.prelu(torch.ones(2, 3), 0.25)

    def test_maxout(self):
        for sizes in ((0, 1), (1, 0), (1, 1, 0)):
            with pytest.raises(ValueError, match="expected positive numbers, got"):
                ours.Maxout(*sizes)
        with pytest.raises(ValueError, match="expected a last axis of 3"):
            ours.Maxout(3, 1)(torch.ones(2, 4))

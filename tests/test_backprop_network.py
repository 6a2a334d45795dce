"""dlref.backprop by matrices, and by differences, against torch.autograd."""

import os
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd.gradcheck import GradcheckError

from dlref import backprop
from dlref.backprop import backward_mlp, forward_mlp, gradcheck, numerical_gradient

few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=15 if few_examples else 60, deadline=None)
TORCH = {"relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
TORCH["identity"] = lambda z: z
NORMAL = torch.distributions.Normal(0.0, 1.0, validate_args=False)
GELU = F.gelu, lambda z: NORMAL.cdf(z) + z * NORMAL.log_prob(z).exp()


def random(*shape: int, seed: int = 0) -> Tensor:
    """Draw on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator("cpu").manual_seed(seed)
    x = torch.randn(shape, dtype=torch.float64, generator=generator, device="cpu")
    return x.to(torch.get_default_device())


def network(sizes):
    weights = [random(m, n, seed=m) for n, m in pairwise(sizes)]
    return weights, [random(m, seed=m + 50) for m in sizes[1:]]


def by_torch(x, weights, biases, f, f_out, grad_output):
    """Return the output, and the gradients of weights, biases, input and each z."""
    x, *rest = (t.clone().requires_grad_() for t in (x, *weights, *biases))
    weights, biases = rest[: len(weights)], rest[len(weights) :]
    a, z = x, []
    for number, (W, b) in enumerate(zip(weights, biases, strict=True), start=1):
        z.append(F.linear(a, W, b))
        a = (f_out if number == len(weights) else f)(z[-1])
    return a, torch.autograd.grad(a, (*weights, *biases, x, *z), grad_output)


class TestNetwork:
    @many
    @given(
        st.integers(0, 4),
        st.lists(st.integers(1, 5), min_size=2, max_size=5),
        st.sampled_from(sorted(TORCH)),
        st.sampled_from(sorted(TORCH)),
    )
    def test_every_gradient(self, n, sizes, f, f_out):
        x, dy = random(n, sizes[0]), random(n, sizes[-1], seed=1)
        weights, biases = network(sizes)
        got = forward_mlp(x, weights, biases, activation=f, output_activation=f_out)
        y, expected = by_torch(x, weights, biases, TORCH[f], TORCH[f_out], dy)
        torch.testing.assert_close(got.output, y, rtol=1e-12, atol=1e-12)
        grads = backward_mlp(got, weights, dy)
        flat = (*grads.weights, *grads.biases, grads.input, *grads.deltas)
        torch.testing.assert_close(flat, expected, rtol=1e-11, atol=1e-11)

    @pytest.mark.parametrize(
        ("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.bfloat16, 0.02)]
    )
    def test_dtypes(self, dtype, tolerance):
        weights, biases = network((4, 6, 3))
        given = [random(5, 4).to(dtype)]
        given += [[t.to(dtype) for t in tensors] for tensors in (weights, biases)]
        dy = random(5, 3).to(dtype)
        grads = backward_mlp(forward_mlp(*given, activation="tanh"), given[1], dy)
        _, expected = by_torch(*given, torch.tanh, lambda z: z, dy)
        flat = (*grads.weights, *grads.biases, grads.input, *grads.deltas)
        torch.testing.assert_close(flat, expected, rtol=tolerance, atol=tolerance)

    def test_an_activation_of_ones_own(self):
        x, (weights, biases), dy = random(5, 4), network((4, 6, 3)), random(5, 3)
        forward = forward_mlp(x, weights, biases, activation=GELU)
        grads = backward_mlp(forward, weights, dy)
        _, expected = by_torch(x, weights, biases, F.gelu, lambda z: z, dy)
        torch.testing.assert_close(grads.weights[0], expected[0])

    def test_is_what_the_linear_layers_record(self):
        """torch's layers, their own loss, and what they keep in `grad`."""
        layers = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3)).double()
        x, t = random(8, 4), torch.arange(8) % 3
        y = layers(x)
        F.cross_entropy(y, t).backward()
        W1, b1, W2, b2 = (p.detach() for p in layers.parameters())
        error = (y.detach().softmax(1) - F.one_hot(t, 3)) / 8
        grads = backward_mlp(forward_mlp(x, [W1, W2], [b1, b2]), [W1, W2], error)
        got = [grads.weights[0], grads.biases[0], grads.weights[1], grads.biases[1]]
        torch.testing.assert_close(got, [p.grad for p in layers.parameters()])

    def test_can_be_differentiated_itself(self):
        x, (weights, biases) = random(3, 2), network((2, 4, 2))
        leaf = weights[0].clone().requires_grad_()

        def slope(W):
            forward = forward_mlp(x, [W, weights[1]], biases, activation="tanh")
            return backward_mlp(forward, [W, weights[1]], forward.output).weights[0]

        assert torch.autograd.gradcheck(slope, (leaf,))

    def test_changes_nothing(self):
        x, (weights, biases), dy = random(3, 2), network((2, 4, 2)), random(3, 2)
        tensors = [x, *weights, *biases, dy]
        copies = [t.clone() for t in tensors]
        backward_mlp(forward_mlp(x, weights, biases), weights, dy)
        assert all(t.equal(c) for t, c in zip(tensors, copies, strict=True))


class TestDifferences:
    @many
    @given(st.lists(st.integers(0, 4), max_size=3))
    def test_shapes(self, shape):
        x = random(*shape)
        copy = x.clone()
        got = numerical_gradient(lambda x: (x.sin() * x).sum(), x)
        torch.testing.assert_close(got, x.cos() * x + x.sin(), rtol=1e-8, atol=1e-8)
        assert x.equal(copy)

    def test_several_tensors_and_layouts(self):
        x, y = random(4, 6)[:, ::2].T, random(2)
        got = numerical_gradient(lambda x, y: (x**2).sum() * y.sum(), [x, y])
        expected = (2 * x * y.sum(), (x**2).sum().expand(2))
        torch.testing.assert_close(got, expected, rtol=1e-7, atol=1e-7)

    def test_a_module_reads_its_own_weights(self):
        layer, x = nn.Linear(3, 2).double(), random(4, 3)
        loss = layer(x).square().sum()
        loss.backward()
        got = numerical_gradient(lambda _: layer(x).square().sum(), layer.weight)
        torch.testing.assert_close(got, layer.weight.grad, rtol=1e-7, atol=1e-7)

    def test_a_number_of_python(self):
        got = numerical_gradient(lambda x: x.sum().item() ** 2, random(3))
        torch.testing.assert_close(
            got, 2 * random(3).sum().expand(3), rtol=1e-7, atol=0
        )

    def test_the_error_is_that_of_the_formula(self):
        """Of a cubic, exactly eps ** 2; of a parabola none but rounding."""
        x = torch.tensor([2.0], dtype=torch.float64)
        for eps in (0.5, 0.1, 0.01):
            cubic = numerical_gradient(lambda x: (x**3).sum(), x, eps=eps).item()
            assert cubic - 12 == pytest.approx(eps**2, rel=1e-6)
            parabola = numerical_gradient(lambda x: (x**2).sum(), x, eps=eps).item()
            assert parabola == pytest.approx(4, abs=1e-11)

    def test_put_back_when_the_function_fails(self):
        x, calls = random(3), []
        copy = x.clone()

        def fails(x):
            calls.append(x)
            if len(calls) == 3:
                raise RuntimeError("stop")
            return x.sum()

        with pytest.raises(RuntimeError, match="stop"):
            numerical_gradient(fails, x)
        assert x.equal(copy)


class Wrong(torch.autograd.Function):
    """x ** 2 times a constant, with a mistake in the derivative at one entry."""

    @staticmethod
    def forward(ctx, x, place, mistake):
        ctx.save_for_backward(x)
        ctx.place, ctx.mistake = place, mistake
        return x**2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        slope = 2 * x
        slope[ctx.place] += ctx.mistake
        return grad * slope, None, None


FUNCTIONS = {
    "right": lambda x: (x.sin() * x).sum(),
    "vector": lambda x: x @ x.T,
    "two outputs": lambda x: (x.exp(), x.sum(1)),
    "constant": lambda x: torch.ones(2, dtype=x.dtype),
    "itself": lambda x: x,
    "detached": lambda x: x * x.detach(),
    "one of two": lambda x: (x.sum(), x.detach().exp() * x),
    "jump": lambda x: Wrong.apply(x, (0, 1), 1e-4).sum(),
    "within tolerance": lambda x: Wrong.apply(x, (0, 1), 1e-7).sum(),
    "nan": lambda x: Wrong.apply(x, (0, 1), float("nan")).sum(),
    "no entries": lambda x: x[:, :0],
}


class TestGradcheck:
    @many
    @given(
        st.integers(0, 2),
        st.integers(0, 5),
        st.floats(0.1, 3),
        st.sampled_from([-1, 1]),
    )
    def test_names_tensor_and_entry(self, tensor, entry, size, sign):
        shapes = {"W": (2, 3), "b": (6,), "scale": (3, 2, 1)}
        tensors = [random(*shape, seed=n) for n, shape in enumerate(shapes.values())]
        place = tuple(i.item() for i in torch.unravel_index(
            torch.tensor(entry), tensors[tensor].shape))  # fmt: skip
        for x in tensors:
            x.requires_grad_()

        def func(W, b, scale):
            parts = [W, b, scale]
            parts[tensor] = Wrong.apply(parts[tensor], place, sign * size)
            return sum(part.sum() for part in parts)

        report = gradcheck(func, tensors, raise_exception=False)
        assert not report
        (row,) = (row for row in report.rows if row.num_wrong)
        assert (row.tensor, row.entry) == (list(shapes)[tensor], place)
        assert row.max_difference == pytest.approx(size, abs=1e-6)
        assert row.exact - row.approximate == pytest.approx(sign * size, abs=1e-6)
        assert (row.num_wrong, row.num_checked) == (1, 6)
        assert f"{row.tensor}{list(place)}" in str(report)

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_verdict_is_torchs(self, name):
        func, x = FUNCTIONS[name], random(2, 3).requires_grad_()
        copy = x.detach().clone()
        options = {"raise_exception": False, "atol": 1e-6, "rtol": 1e-5}
        got = gradcheck(func, x, **options)
        assert bool(got) == torch.autograd.gradcheck(func, x, **options)
        assert x.equal(copy)
        if not got:
            with pytest.raises(GradcheckError, match="Jacobian mismatch for output"):
                gradcheck(func, x, atol=1e-6, rtol=1e-5)

    def test_usable_in_place_of_torchs(self):
        """An assertion on the result; other inputs are passed on."""
        x, w = random(4, 3), random(2, 3, seed=1)
        x.requires_grad_(), w.requires_grad_()
        for check in (gradcheck, torch.autograd.gradcheck):
            assert check(F.linear, (x, w))
            assert check(F.softmax, (x, 1), eps=1e-6, atol=1e-4)
            assert check(lambda *xs: xs[0] * xs[1].sum(), [x, w.detach()])
        assert gradcheck(nn.Linear(3, 2).double(), x).rows[0].tensor == "input 0"

    def test_entries_of_a_vector(self):
        x = random(3).requires_grad_()
        report = gradcheck(lambda x: (x.sum(), x[:2] * x[1:].detach()), x, atol=1e-3,
                           raise_exception=False)  # fmt: skip
        first, second = report.rows
        assert (first.num_wrong, first.num_checked, first.output) == (0, 3, 0)
        assert (second.num_wrong, second.num_checked, second.output) == (2, 6, 1)
        assert second.exact == 0
        assert second.entry == (second.output_entry[0] + 1,)
        assert f"x[{second.entry[0]}] of output 1[" in str(report)
        assert report.max_difference == second.max_difference

    def test_gradients_written_by_hand(self):
        x, (weights, biases), t = random(5, 4), network((4, 6, 3)), random(5, 3)
        forward = forward_mlp(x, weights, biases, activation="tanh")
        grads = backward_mlp(forward, weights, forward.output - t)

        def loss(W1, W2, b1, b2, x):
            y = forward_mlp(x, [W1, W2], [b1, b2], activation="tanh").output
            return (y - t).square().sum() / 2

        inputs = [*weights, *biases, x]
        gradients = [*grads.weights, *grads.biases, grads.input]
        report = gradcheck(loss, inputs, gradients=gradients)
        assert [row.tensor for row in report.rows] == ["W1", "W2", "b1", "b2", "x"]
        assert report.max_difference < 1e-7
        gradients[1:3] = -gradients[1], None
        report = gradcheck(loss, inputs, gradients=gradients, raise_exception=False)
        wrong = {row.tensor: row.num_wrong for row in report.rows}
        assert wrong == {"W1": 0, "W2": 18, "b2": 0, "x": 0}

    def test_names(self):
        x = random(2).requires_grad_()
        assert gradcheck(torch.sin, x).rows[0].tensor in ("input 0", "input")
        assert gradcheck(torch.sin, x, names=["angle"]).rows[0].tensor == "angle"
        report = gradcheck(
            lambda *xs: xs[0] + xs[1].sum(), (x, random(3).requires_grad_())
        )
        assert [row.tensor for row in report.rows] == ["input 0", "input 1"]

    def test_a_kink(self):
        """At 0 the differences see both sides of ReLU."""
        x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        (row,) = gradcheck(torch.relu, x, raise_exception=False).rows
        assert (row.exact, row.approximate) == (0, pytest.approx(0.5))

    def test_single_precision_warns(self):
        with pytest.warns(UserWarning, match="only in float64 can differences be told"):
            gradcheck(lambda x: x.sum(), torch.ones(2, requires_grad=True), atol=1.0)

    def test_infinite_derivatives(self):
        x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        (row,) = gradcheck(torch.sqrt, x, raise_exception=False).rows
        assert row.exact == row.max_difference == torch.inf


@pytest.mark.refusal
class TestRefusals:
    def test_forward(self):
        (W,), (b,) = network((4, 3))
        with pytest.raises(ValueError, match=r"x of shape \(N, n_0\), got \(4,\)"):
            forward_mlp(random(4), [W], [b])
        with pytest.raises(ValueError, match="got 0 weights and 0 biases"):
            forward_mlp(random(5, 4), [], [])
        with pytest.raises(ValueError, match="got 1 weights and 2 biases"):
            forward_mlp(random(5, 4), [W], [b, b])
        with pytest.raises(ValueError, match=r"got \(3, 4\) and \(\) in layer 1"):
            forward_mlp(random(5, 4), [W], [b[0]])
        with pytest.raises(ValueError, match=r"got \(5, 3\) and \(3, 4\)"):
            forward_mlp(random(5, 3), [W], [b])
        with pytest.raises(ValueError, match=r"one of identity, relu, .* got 'gelu'"):
            forward_mlp(random(5, 4), [W], [b], output_activation="gelu")
        with pytest.raises(TypeError, match="expected one dtype"):
            forward_mlp(random(5, 4), [W.float()], [b.float()])

    def test_backward(self):
        weights, biases = network((4, 6, 3))
        forward = forward_mlp(random(5, 4), weights, biases)
        with pytest.raises(ValueError, match=r"weights of shapes .* got \[\(6, 4\)\]"):
            backward_mlp(forward, weights[:1], random(5, 3))
        with pytest.raises(ValueError, match=r"of shape \(5, 3\), got \(3,\)"):
            backward_mlp(forward, weights, random(3))

    def test_differences(self):
        with pytest.raises(ValueError, match=r"expected one number, got shape \(3,\)"):
            numerical_gradient(lambda x: x, random(3))
        with pytest.raises(ValueError, match="expected a positive eps, got 0"):
            numerical_gradient(lambda x: x.sum(), random(3), eps=0)
        with pytest.raises(TypeError, match=r"input 0 .* got torch.int64"):
            numerical_gradient(lambda x: x.sum(), torch.ones(3, dtype=torch.int64))
        with pytest.raises(TypeError, match=r"input 1 .* got float"):
            numerical_gradient(lambda x, y: x.sum(), (random(3), 1.0))
        with pytest.raises(ValueError, match=r"input 0 to have memory for each entry"):
            numerical_gradient(lambda x: x.sum(), random(1).expand(3))

    def test_gradcheck(self):
        x = random(3)
        with pytest.raises(ValueError, match="with requires_grad=True, got none"):
            gradcheck(lambda x: x.sum(), x)
        with pytest.raises(ValueError, match="with a gradient, got none"):
            gradcheck(lambda x: x.sum(), x, gradients=[None])
        with pytest.raises(ValueError, match="for each input, got 2 for 1 inputs"):
            gradcheck(lambda x: x.sum(), x, gradients=[x, x])
        with pytest.raises(ValueError, match=r"of shape \(3,\), got \(2,\)"):
            gradcheck(lambda x: x.sum(), x, gradients=[x[:2]])
        with pytest.raises(ValueError, match="expected one number to have gradients"):
            gradcheck(lambda x: x, x, gradients=[x])
        x.requires_grad_()
        with pytest.raises(ValueError, match="expected 1 different names, got"):
            gradcheck(lambda x: x.sum(), x, names=["a", "b"])
        with pytest.raises(TypeError, match="expected outputs of floating point, got"):
            gradcheck(lambda x: x > 0, x)
        complex_x = torch.ones(2, dtype=torch.complex128, requires_grad=True)
        with pytest.raises(TypeError, match=r"input 0 .* got torch.complex128"):
            gradcheck(lambda x: x.abs(), complex_x)


def test_exports():
    assert all(hasattr(backprop, name) for name in backprop.__all__)

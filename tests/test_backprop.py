"""dlref.backprop, one number at a time: Value, against torch.autograd."""

import inspect
import math
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlref.backprop import Value

few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=40 if few_examples else 200, deadline=None)

# each is bounded enough for graphs of twenty nodes to stay within the range of floats
OPERATIONS = {
    "+": lambda u, v: u + v,
    "-": lambda u, v: u - v,
    "*": lambda u, v: u * v,
    "/": lambda u, v: u / (v.tanh() + 2),
    "3 - u": lambda u, v: 3 - u,
    "1 / u": lambda u, v: 1 / (u**2 + 1),
    "-u": lambda u, v: -u,
    "2 u + 1": lambda u, v: 1 + 2 * u,
    "**": lambda u, v: (u**2 + 0.5) ** 0.5 - v / 4,
    "exp": lambda u, v: u.tanh().exp(),
    "log": lambda u, v: (u**2 + 1).log(),
    "relu": lambda u, v: u.relu() - 0.3 * v.relu(),
    "sigmoid": lambda u, v: u.sigmoid(),
    "tanh": lambda u, v: (u * v).tanh(),
}
leaves = st.lists(st.floats(-3, 3), min_size=1, max_size=4)
steps = st.lists(
    st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0), st.integers(0)),
    min_size=1,
    max_size=15,
)


def scalar(number, **options):
    """A number of torch, on the CPU."""
    return torch.tensor(
        float(number), dtype=torch.float64, device="cpu", requires_grad=True, **options
    )


def run(numbers, program):
    """Compute a graph; each step may use whatever was computed before."""
    nodes = list(numbers)
    for name, i, j in program:
        nodes.append(OPERATIONS[name](nodes[i % len(nodes)], nodes[j % len(nodes)]))
    return nodes


class TestGraphs:
    @many
    @given(leaves, steps)
    def test_random_graphs(self, numbers, program):
        """Every node's number and gradient, whatever the graph."""
        ours = run([Value(x) for x in numbers], program)
        theirs = run([scalar(x) for x in numbers], program)
        for node in theirs:
            node.retain_grad()
        ours[-1].backward()
        theirs[-1].backward()
        gradients = [0.0 if y.grad is None else y.grad.item() for y in theirs]
        for x, y in zip(ours, theirs, strict=True):
            assert x.data == pytest.approx(y.item(), rel=1e-9, abs=1e-12)
        scale = max(1, *map(abs, gradients))
        assume(math.isfinite(scale))
        got = [x.grad for x in ours]
        assert got == pytest.approx(gradients, rel=1e-8, abs=1e-11 * scale)

    @many
    @given(leaves, steps)
    def test_order(self, numbers, program):
        """Each node once, behind its parents, and no other."""
        nodes = run([Value(x) for x in numbers], program)
        order = nodes[-1].graph()
        assert order[-1] is nodes[-1]
        places = {node: place for place, node in enumerate(order)}
        assert len(places) == len(order)
        for node in order:
            assert all(places[parent] < places[node] for parent in node.parents)
        used = {parent for node in order for parent in node.parents}
        assert used | {nodes[-1]} == set(order)

    def test_a_chain_longer_than_the_stack(self):
        x = Value(1.0)
        y = x
        for _ in range(10_000):
            y = y + 0.001
        y.backward()
        assert x.grad == 1
        assert len(y.graph()) == 1 + 2 * 10_000

    def test_many_paths_cost_no_more_than_edges(self):
        """Of 2 ** 500 paths none is walked twice."""
        x = y = Value(1.0)
        for _ in range(500):
            y = y + y
        y.backward()
        assert y.data == x.grad == 2.0**500

    def test_gradients_add_up_as_in_torch(self):
        for x in (Value(3.0), scalar(3.0)):
            square = x * x
            for y in (square + x, 2 * square, x):  # parts are shared
                if isinstance(y, Value):
                    y.backward()
                else:
                    y.backward(retain_graph=True)
            assert float(x.grad) == 7 + 12 + 1

    def test_initial_gradient(self):
        x = Value(3.0)
        (x * x).backward(-2)
        assert x.grad == -12

    def test_numbers_are_kept(self):
        x = Value(3.0)
        y = x * 2 + 1
        y.backward()
        assert (x.data, y.data) == (3.0, 7.0)
        assert repr(x) == "Value(data=3.0, grad=2.0)"


POINTS = [-1e4, -50.0, -1.0, -1e-9, 0.0, 1e-9, 0.7, 30.0, 1e4]

POWERS = [(-2.0, n) for n in (0, 1, 2, 3, -1, 2.0)]
POWERS += [(0.0, n) for n in (0, 1, 2, 3, 0.5, 1.5)]
POWERS += [(x, n) for x in (0.7, 3.0) for n in (0, 1, 3, -1, -0.5, 1.5)]


class TestOperations:
    @pytest.mark.parametrize("x", POINTS)
    @pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
    def test_the_whole_line(self, name, x):
        u, t = Value(x), scalar(x)
        for node in (u, t):
            getattr(node, name)().backward()
        assert getattr(u, name)().data == pytest.approx(getattr(t, name)().item())
        assert u.grad == pytest.approx(t.grad.item(), rel=1e-12, abs=1e-15)

    @pytest.mark.parametrize(("x", "n"), POWERS)
    def test_powers(self, x, n):
        u, t = Value(x), scalar(x)
        for node in (u, t):
            (node**n).backward()
        assert (u**n).data == pytest.approx((t**n).item())
        assert u.grad == pytest.approx(t.grad.item())

    @pytest.mark.parametrize("kind", [int, float, Fraction, np.float64, np.int64])
    def test_kinds_of_numbers(self, kind):
        u, c = Value(kind(5)), kind(2)
        results = [u + c, c + u, u - c, c - u, u * c, c * u, u / c, c / u, u**c]
        assert all(isinstance(y, Value) for y in results)
        numbers = [7, 7, 3, -3, 10, 10, 2.5, 0.4, 25]
        assert [y.data for y in results] == pytest.approx(numbers)
        for y in results:
            y.backward()
        slopes = [1, 1, 1, -1, 2, 2, 0.5, -2 / 25, 10]
        assert u.grad == pytest.approx(sum(slopes))
        assert all(type(y.data) is type(y.grad) is float for y in results)

    def test_arrays_of_values(self):
        """A layer in NumPy, and its gradients by torch."""
        numbers = np.random.default_rng(0).normal(size=(3, 5))
        W, x = numbers[:, :4], numbers[0, 1:]
        ours = [np.vectorize(Value, otypes=[object])(a) for a in (W, x)]
        theirs = [torch.tensor(a, device="cpu", requires_grad=True) for a in (W, x)]
        np.tanh(ours[0] @ ours[1] + 0.5).sum().backward()
        (theirs[0] @ theirs[1] + 0.5).tanh().sum().backward()
        for mine, other in zip(ours, theirs, strict=True):
            got = np.vectorize(lambda node: node.grad)(mine)
            np.testing.assert_allclose(got, other.grad, rtol=1e-12, atol=1e-14)

    def test_an_operation_of_ones_own(self):
        x, t = Value(0.7), scalar(0.7)
        y = Value(math.sin(x.data), (x,), (math.cos(x.data),), "sin")
        (y * x).backward()
        (t.sin() * t).backward()
        assert x.grad == pytest.approx(t.grad.item(), rel=1e-14)
        assert y.op == "sin"

    def test_nan_is_not_hidden(self):
        x = Value(math.nan)
        y = x.relu() + x.tanh() + x.exp() + x.log() + x.sigmoid()
        y.backward()
        assert math.isnan(y.data)
        assert math.isnan(x.grad)


@pytest.mark.refusal
class TestRefusals:
    @pytest.mark.parametrize("data", ["1", None, 1j, [1.0], torch.ones(()), Value(1)])
    def test_no_real_number(self, data):
        with pytest.raises(TypeError, match="expected a real number, got"):
            Value(data)

    @pytest.mark.parametrize("other", ["1", None, 1j, [1.0]])
    @pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow"])
    def test_operands(self, name, other):
        assert getattr(Value(1.0), f"__{name}__")(other) is NotImplemented
        with pytest.raises(TypeError, match="unsupported operand"):
            _ = Value(1.0) - other
        with pytest.raises(TypeError, match="unsupported operand"):
            _ = other / Value(1.0)

    def test_exponents(self):
        with pytest.raises(TypeError, match="unsupported operand"):
            _ = Value(2.0) ** Value(3.0)
        with pytest.raises(ValueError, match=r"that has a power of 0\.5, got -2\.0"):
            _ = Value(-2.0) ** 0.5

    def test_outside_the_domain(self):
        for x in (0.0, -1.0):
            with pytest.raises(ValueError, match=r"to take the log of, got -?[01]\.0"):
                Value(x).log()
        with pytest.raises(ZeroDivisionError):
            _ = 1 / Value(0.0)
        with pytest.raises(OverflowError):
            Value(1000.0).exp()

    def test_slopes(self):
        with pytest.raises(ValueError, match="expected a slope each, got"):
            Value(1.0, (Value(1.0),), ())


def test_under_150_lines():
    path = Path(inspect.getsourcefile(Value) or "")
    assert len(path.read_text("utf-8").splitlines()) < 150
    assert "import torch" not in path.read_text("utf-8")

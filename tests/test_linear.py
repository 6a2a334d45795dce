"""dlref.linear, against torch's."""

import math
import os
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dlref import linear as ours

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=20 if few_examples else 80, deadline=None)
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
TOLERANCES = dict(zip(DTYPES, (1e-12, 2e-6, 2e-3, 1.6e-2), strict=True))


def random(*shape: int, seed: int = 0) -> Tensor:
    """Draw on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def compare(arguments: list[Tensor], tolerance: float) -> None:
    """Compare values, and the gradients with respect to every argument."""
    results = []
    for f in (ours.linear, F.linear):
        leaves = [x.detach().clone().requires_grad_() for x in arguments]
        y = f(*leaves)
        dy = random(*y.shape, seed=9).to(y)
        results.append((y, *torch.autograd.grad(y, leaves, dy)))
    for got, expected in zip(*results, strict=True):
        assert got.dtype == expected.dtype
        assert got.shape == expected.shape
        scale = max([1.0, *expected.double().abs().flatten().tolist()])
        torch.testing.assert_close(got, expected, rtol=0, atol=tolerance * scale)


class TestLinear:
    @many
    @given(
        st.lists(st.integers(0, 4), max_size=3), st.integers(1, 6), st.integers(1, 6)
    )
    def test_values_and_gradients(self, device, batch, n_in, n_out):
        x, w, b = random(*batch, n_in), random(n_out, n_in, seed=1), random(n_out)
        arguments = [t.to(device) for t in (x, w, b)]
        compare(arguments, 1e-12)
        compare(arguments[:2], 1e-12)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_dtypes(self, device, dtype):
        shapes = (5, 7), (3, 7), (3,)
        arguments = [random(*s, seed=i).to(device, dtype) for i, s in enumerate(shapes)]
        compare(arguments, TOLERANCES[dtype])

    @pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 5, 4)])
    def test_a_single_output_without_an_axis(self, device, shape):
        x, w, b = random(*shape), random(4, seed=1), random(seed=2)
        x, w, b = (t.to(device) for t in (x, w, b))
        compare([x, w], 1e-12)
        torch.testing.assert_close(ours.linear(x, w, b), x @ w + b)  # torch fails

    def test_a_bias_of_one_number(self, device):
        compare([t.to(device) for t in (random(5, 4), random(3, 4), random())], 1e-12)

    def test_other_layouts(self, device):
        x, w = random(4, 6, 5).to(device), random(4, 3, seed=1).to(device)
        compare([x.transpose(0, 2), w.T], 1e-12)

    def test_gradcheck(self, device):
        shapes = (2, 3), (4, 3), (4,)
        arguments = [random(*s).to(device).requires_grad_() for s in shapes]
        assert torch.autograd.gradcheck(ours.linear, arguments, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(ours.linear, arguments)

    def test_effects_of_the_features_add_up(self):
        """Affine: the map of a sum is the sum of the maps, less the bias."""
        x, y, w, b = random(3), random(3, seed=1), random(2, 3), random(2)
        got = ours.linear(x + y, w, b)
        torch.testing.assert_close(got, ours.linear(x, w, b) + ours.linear(y, w, b) - b)


class TestLayer:
    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize("sizes", [(1, 1), (3, 5), (100, 7), (13, 1000), (784, 64)])
    def test_draws_and_computes_as_torchs(self, device, sizes, bias):
        layers = []
        for kind in (ours.Linear, nn.Linear):
            torch.manual_seed(0)
            layers.append(kind(*sizes, bias))
        got, expected = (dict(layer.state_dict()) for layer in layers)
        assert list(got) == list(expected)
        assert all(got[key].equal(expected[key]) for key in got)
        x = random(2, 3, sizes[0]).float().to(device)
        mine, theirs = (layer.to(device)(x) for layer in layers)
        torch.testing.assert_close(mine, theirs, rtol=2e-6, atol=2e-6)

    def test_state_dicts_in_both_directions(self):
        mine, theirs = ours.Linear(3, 5), nn.Linear(3, 5)
        theirs.load_state_dict(mine.state_dict())
        assert theirs.weight.equal(mine.weight)
        mine.load_state_dict(nn.Linear(3, 5).state_dict())

    def test_parameters(self):
        layer = ours.Linear(12, 7)
        assert layer.bias.shape == (7,)
        assert sum(p.numel() for p in layer.parameters()) == (12 + 1) * 7
        assert repr(layer) == repr(nn.Linear(12, 7))
        assert ours.Linear(3, 2, bias=False).bias is None

    def test_device_and_dtype(self):
        layer = ours.Linear(10**6, 10**6, device="meta", dtype=torch.float16)
        assert layer.weight.dtype == torch.float16
        assert layer(torch.ones(2, 10**6, device="meta").half()).shape == (2, 10**6)

    @pytest.mark.parametrize("sizes", [(3, 0), (0, 3)])
    def test_no_features(self, sizes):
        x = torch.ones(2, sizes[0])
        layer = ours.Linear(*sizes)
        torch.testing.assert_close(layer(x), F.linear(x, layer.weight, layer.bias))


class TestNetwork:
    @pytest.mark.parametrize("sizes", [(3, 2), (3, 8, 2), (3, 8, 4, 2)])
    @pytest.mark.parametrize("bias", [True, False])
    def test_is_a_chain_of_layers(self, device, sizes, bias):
        torch.manual_seed(0)
        network = ours.MLP(sizes, bias=bias).to(device)
        torch.manual_seed(0)
        pairs = list(pairwise(sizes))
        layers = [nn.Linear(*pair, bias).to(device) for pair in pairs]
        x = random(5, 3).float().to(device)
        h = x
        for layer in layers[:-1]:
            h = layer(h).relu()
        torch.testing.assert_close(network(x), layers[-1](h))
        count = sum((n + bias) * m for n, m in pairs)
        assert sum(p.numel() for p in network.parameters()) == count

    def test_activation(self):
        network = ours.MLP([2, 3, 1], activation=nn.PReLU())
        assert "activation.weight" in network.state_dict()
        assert "layers.1.bias" in network.state_dict()
        x = random(4, 2).float()
        h = network.activation(network.layers[0](x))
        torch.testing.assert_close(network(x), network.layers[1](h))

    def test_without_activation_the_layers_fold_into_one(self):
        network = ours.MLP([5, 2, 6], activation=lambda x: x, dtype=torch.float64)
        (w1, b1), (w2, b2) = (layer.parameters() for layer in network.layers)
        x = random(7, 5)
        folded = ours.linear(x, w2 @ w1, w2 @ b1 + b2)
        torch.testing.assert_close(network(x), folded)
        assert torch.linalg.matrix_rank(w2 @ w1) == 2

    def test_learns_xor(self):
        x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        network = ours.MLP([2, 2, 1])
        network.load_state_dict(
            {
                "layers.0.weight": torch.ones(2, 2),
                "layers.0.bias": torch.tensor([0.0, -1.0]),
                "layers.1.weight": torch.tensor([[1.0, -2.0]]),
                "layers.1.bias": torch.zeros(1),
            }
        )
        assert network(x).flatten().tolist() == [0, 1, 1, 0]


@pytest.mark.refusal
class TestRefusals:
    def test_shapes(self):
        for x, w in (((3,), (2, 4)), ((), (2, 4)), ((4,), (1, 2, 4)), ((4,), ())):
            with pytest.raises(ValueError, match=r"a weight of shape \(n_out, n_in\)"):
                ours.linear(torch.ones(x), torch.ones(w))
        for b in ((3,), (1, 2), (4,)):
            with pytest.raises(
                ValueError, match=r"expected a bias of the shape \(2,\)"
            ):
                ours.linear(torch.ones(4), torch.ones(2, 4), torch.ones(b))

    def test_types(self):
        x, w, b = torch.ones(4), torch.ones(2, 4), torch.ones(2)
        with pytest.raises(TypeError, match="expected input to be a Tensor of fl"):
            ours.linear([1.0], w, b)
        with pytest.raises(TypeError, match=r"expected weight .* got torch.int64"):
            ours.linear(x, w.long())
        with pytest.raises(
            TypeError, match=r"input of torch.float64, weight of torch.f"
        ):
            ours.linear(x.double(), w, b)

    def test_numbers_of_features(self):
        with pytest.raises(ValueError, match="expected numbers of features, got"):
            ours.Linear(-1, 3)

    @pytest.mark.parametrize("sizes", [[], [3], [3, 0], [3, -1, 2]])
    def test_widths(self, sizes):
        with pytest.raises(ValueError, match="expected two or more positive widths"):
            ours.MLP(sizes)

    def test_an_input_of_another_width(self):
        with pytest.raises(ValueError, match="got"):
            ours.MLP([3, 2])(torch.ones(5, 4))

    def test_bound(self):
        assert ours.Linear(4, 3).weight.abs().max() <= 1 / math.sqrt(4)

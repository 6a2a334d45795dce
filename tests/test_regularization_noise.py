"""The noise of dlref.regularization, against torch's and torchvision's."""

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
from torchvision.ops import stochastic_depth

from dlref import regularization as ours

few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=15 if few_examples else 60, deadline=None)
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
dtypes = pytest.mark.parametrize("dtype", DTYPES)
RATES = [0.0, 0.1, 0.3, 0.5, 0.9, 1.0]
rates = pytest.mark.parametrize("p", RATES)

Call = Callable[..., Tensor]
PAIRS: dict[str, tuple[Call, Call]] = {
    "dropout": (ours.dropout, F.dropout),
    "dropout2d": (ours.dropout2d, F.dropout2d),
    "alpha_dropout": (ours.alpha_dropout, F.alpha_dropout),
    "stochastic_depth, batch": (
        lambda x, *a, **k: ours.stochastic_depth(x, a[0], "batch", *a[1:], **k),
        lambda x, *a, **k: stochastic_depth(x, a[0], "batch", *a[1:], **k),
    ),
    "stochastic_depth, row": (
        lambda x, *a, **k: ours.stochastic_depth(x, a[0], "row", *a[1:], **k),
        lambda x, *a, **k: stochastic_depth(x, a[0], "row", *a[1:], **k),
    ),
}
names = pytest.mark.parametrize("name", PAIRS)
in_place = pytest.mark.parametrize("name", [n for n in PAIRS if "depth" not in n])


def random(*shape: int, seed: int = 0) -> Tensor:
    """Draw on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def drawn(seed: int, call: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """Return a result from a seed, and the next draw after it."""
    torch.manual_seed(seed)
    return call(), torch.rand(1, device="cpu").item()


def assert_same_bits(got: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(got, expected, rtol=0, atol=0, equal_nan=True)
    assert torch.equal(got.signbit(), expected.signbit())
    assert got.stride() == expected.stride()


class TestAgainstTorch:
    @names
    @dtypes
    @rates
    def test_bits_on_the_cpu(self, name, dtype, p):
        """Values, gradients, and what is left of the generator."""
        results = []
        for f in PAIRS[name]:
            x = random(5, 7, 3, 2).to("cpu", dtype).requires_grad_()
            y, then = drawn(3, lambda f=f, x=x: f(x, p, training=True))
            (dx,) = torch.autograd.grad(y, x, random(*y.shape, seed=1).to(y))
            results.append((y.detach(), dx, then))
        for got, expected in zip(*(r[:2] for r in results), strict=True):
            assert_same_bits(got, expected)
        assert results[0][2] == results[1][2]

    @names
    def test_memory_formats_and_views(self, name):
        for x in (
            random(2, 6, 4, 4).to("cpu", memory_format=torch.channels_last),
            random(4, 6, 5, 2).to("cpu")[::2, :, 1:].transpose(2, 3),
            torch.zeros(0, 3, 2, 2, dtype=torch.float64, device="cpu"),
        ):
            got, expected = (
                drawn(0, lambda f=f, x=x: f(x, 0.5, training=True)) for f in PAIRS[name]
            )
            assert_same_bits(got[0], expected[0])
            assert got[1] == expected[1]

    @in_place
    @rates
    def test_in_place(self, name, p):
        results = []
        for f in PAIRS[name]:
            x = random(4, 3, 2, 2).to("cpu")
            y, _ = drawn(5, lambda f=f, x=x: f(x, p, True, True))
            assert y is x
            results.append(y)
        assert_same_bits(*results)

    @in_place
    def test_in_place_has_the_same_gradient(self, device, name):
        results = []
        for inplace in (False, True):
            x = random(4, 3, 2, 2).to(device).requires_grad_()
            torch.manual_seed(0)
            y = PAIRS[name][0](2 * x, 0.4, True, inplace)
            (dx,) = torch.autograd.grad(y.square().sum(), x)
            results.append(dx)
        torch.testing.assert_close(*results)

    @names
    def test_nothing_happens_outside_of_training(self, device, name):
        x = random(4, 3, 2, 2).to(device)
        assert PAIRS[name][0](x, 0.7, training=False) is x
        assert PAIRS[name][0](x, 0.0, training=True) is x

    def test_the_defaults_are_torchs(self):
        x = torch.ones(100, 10, device="cpu")
        for name in ("dropout", "alpha_dropout"):
            got, expected = (drawn(0, lambda f=f: f(x)) for f in PAIRS[name])
            assert_same_bits(got[0], expected[0])
        assert ours.alpha_dropout(x) is x

    @names
    def test_not_a_number_stays(self, device, name):
        x = torch.full((2, 2, 2, 2), math.nan, device=device)
        for p in (0.5, 1.0):
            assert PAIRS[name][0](x, p, training=True).isnan().all()


class TestDistribution:
    """What holds on every device."""

    @pytest.mark.parametrize("name", [n for n in PAIRS if "alpha" not in n])
    @pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
    def test_mean_and_variance(self, device, name, p):
        """0 and 1 / (1 - p), as often as the mean of 1 demands."""
        torch.manual_seed(0)
        one = torch.ones((200, 200, 1, 1), dtype=torch.float64, device=device)
        one = one[:, :1] if "depth" in name else one
        call, calls = PAIRS[name][0], 2000 if "batch" in name else 100
        y = torch.cat([call(one, p, training=True) for _ in range(calls)])
        expected = torch.tensor([0, 1 / (1 - p)], dtype=torch.float64, device=device)
        torch.testing.assert_close(y.unique(), expected)
        draws = calls if "batch" in name else y.numel()
        spread = math.sqrt(p / (1 - p))
        assert abs(y.mean().item() - 1) < 5 * spread / math.sqrt(draws)

    @pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
    def test_alpha_dropout_keeps_mean_and_variance(self, device, p):
        torch.manual_seed(1)  # not the seed of x: the mask must not depend on it
        x = random(100_000).to(device)
        y = ours.alpha_dropout(x, p, training=True)
        assert abs(y.mean().item()) < 5 / math.sqrt(len(x))
        assert abs(y.var().item() - 1) < 0.05

    def test_masks_are_independent(self, device):
        torch.manual_seed(0)
        kept = ours.dropout(torch.ones(400, 8, device=device)) > 0
        agree = (kept[:, :1] == kept[:, 1:]).double().mean(0)
        assert (agree - 0.5).abs().max().item() < 6 * 0.5 / math.sqrt(400)
        again = ours.dropout(torch.ones(400, 8, device=device)) > 0
        assert not torch.equal(kept, again)

    def test_what_is_kept_whole(self, device):
        torch.manual_seed(0)
        x = torch.ones(16, 8, 3, 5, device=device)
        channels = ours.dropout2d(x, 0.3).flatten(2)
        assert (channels == channels[..., :1]).all()
        assert len(channels[..., 0].unique()) == 2
        assert (channels[0, :, 0] != channels[1, :, 0]).any()
        rows = ours.stochastic_depth(x, 0.5, "row").flatten(1)
        assert (rows == rows[:, :1]).all()
        assert len(rows[:, 0].unique()) == 2
        for _ in range(5):
            assert len(ours.stochastic_depth(x, 0.5, "batch").unique()) == 1

    @many
    @given(st.floats(0.01, 0.99), st.integers(1, 9), st.integers(1, 9))
    def test_each_number_is_dropped_or_scaled(self, device, p, n, c):
        x = random(n, c).to(device)
        y = ours.dropout(x, p)
        torch.testing.assert_close(y, torch.where(y == 0, 0.0, x / (1 - p)))

    @many
    @given(st.floats(0.01, 0.99))
    def test_what_alpha_dropout_drops_to(self, device, p):
        y = ours.alpha_dropout(random(300).to(device), p, training=True)
        x = random(300).to(device)
        end = -1.0507009873554805 * 1.6732632423543772  # -lambda alpha of SELU
        a = ((1 - p) * (1 + p * end**2)) ** -0.5
        dropped = torch.isclose(y, torch.full_like(y, a * end * (1 - p)))
        expected = a * torch.where(dropped, end, x) - a * p * end
        torch.testing.assert_close(y, expected)

    @pytest.mark.parametrize("name", [n for n in PAIRS if "alpha" not in n])
    def test_gradcheck(self, device, name):
        x = random(3, 4, 2, 2).to(device).requires_grad_()

        def same_mask(x: Tensor) -> Tensor:
            torch.manual_seed(0)
            return PAIRS[name][0](x, 0.4, training=True)

        assert torch.autograd.gradcheck(same_mask, x)


class TestShapes:
    @pytest.mark.parametrize("shape", [(6, 5), (4, 5, 7), (2, 3, 4, 5, 6)])
    def test_other_axes_are_read_as_torch_reads_them(self, shape):
        x = random(*shape).to("cpu")
        with pytest.warns(UserWarning, match="dropout2d"):
            results = [drawn(0, lambda f=f: f(x)) for f in PAIRS["dropout2d"]]
        assert_same_bits(results[0][0], results[1][0])

    def test_a_number_is_one_branch(self, device):
        x = torch.tensor(3.0, device=device)
        values = {ours.stochastic_depth(x, 0.5, "batch").item() for _ in range(50)}
        assert values == {0.0, 6.0}


@pytest.mark.refusal
class TestRefusals:
    @names
    @pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
    def test_what_is_no_probability(self, name, p):
        with pytest.raises(ValueError, match=f"p between 0 and 1, got {p}"):
            PAIRS[name][0](torch.ones(1, 1, 1, 1), p)

    @names
    def test_other_numbers(self, name):
        call: Any = PAIRS[name][0]
        with pytest.raises(TypeError, match=r"floating point, got torch\.int64"):
            call(torch.ones(1, 1, 1, 1, dtype=torch.int64), 0.5)
        with pytest.raises(TypeError, match="Tensor, got list"):
            call([1.0], 0.5)

    def test_shapes_and_modes(self):
        with pytest.raises(ValueError, match=r"\(N, C, H, W\), got \(3,\)"):
            ours.dropout2d(torch.ones(3))
        with pytest.raises(ValueError, match="'batch' or 'row', got 'rows'"):
            ours.stochastic_depth(torch.ones(3), 0.5, "rows")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"\(N, \.\.\.\) for mode 'row', got \(\)"):
            ours.stochastic_depth(torch.tensor(1.0), 0.5, "row")

    def test_a_warning_names_the_callers_line(self):
        with pytest.warns(UserWarning, match=r"got \(2, 3, 4\)") as record:
            ours.dropout2d(torch.ones(2, 3, 4))
        assert record[0].filename == __file__

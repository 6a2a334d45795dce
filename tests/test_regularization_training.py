"""Clipping, mixing, smoothing and early stopping of dlref.regularization."""

import copy
import math
import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import utils
from torchvision.transforms import v2

from dlref import regularization as ours

few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=20 if few_examples else 80, deadline=None)
FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
floats = pytest.mark.parametrize("dtype", FLOATS)
SHAPES = [(3, 4), (7,), (), (2, 0), (2, 3, 5)]
foreach = pytest.mark.parametrize("foreach", [None, True, False])


def random(*shape: int, seed: int = 0) -> Tensor:
    """Draw on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def parameters(
    dtypes: list[torch.dtype], device: str = "cpu", scale: float = 1.0
) -> list[nn.Parameter]:
    """Make parameters with gradients, and one without."""
    result = []
    for i, shape in enumerate(SHAPES):
        dtype = dtypes[i % len(dtypes)]
        p = nn.Parameter(torch.zeros(shape, dtype=dtype, device=device))
        p.grad = (scale * random(*shape, seed=i)).to(p)
        result.append(p)
    return [*result, nn.Parameter(torch.zeros(3, device=device))]


def gradients(parameters: list[nn.Parameter]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]


class TestClipping:
    @floats
    @foreach
    @pytest.mark.parametrize("norm_type", [0.5, 1, 1.5, 2.0, 4, math.inf, "inf"])
    def test_norm_has_the_same_bits(self, device, dtype, foreach, norm_type):
        for scale, max_norm in ((1.0, 0.7), (1e-3, 0.7), (1.0, 0)):
            results = []
            for f in (ours, utils):
                ps = parameters([dtype], device, scale)
                if norm_type in (math.inf, "inf"):  # torch refuses empty ones then
                    ps = [p for p in ps if p.numel()]
                if dtype is torch.float64:
                    norm = f.clip_grad_norm_(ps, max_norm, norm_type, foreach=foreach)
                else:
                    norm = f.clip_grad_norm_(
                        (p for p in ps), max_norm, norm_type, False, foreach
                    )
                results.append([norm, *gradients(ps)])
            for got, expected in zip(*results, strict=True):
                assert got.dtype == expected.dtype
                assert torch.equal(got, expected)

    @foreach
    def test_several_dtypes(self, device, foreach):
        results = []
        for f in (ours, utils):
            ps = parameters([torch.float32, torch.float64], device, 3.0)
            norm = f.clip_grad_norm_(ps, 0.5, foreach=foreach)
            results.append([norm, *gradients(ps)])
        for got, expected in zip(*results, strict=True):
            torch.testing.assert_close(got, expected, rtol=3e-7, atol=0)

    @many
    @given(st.floats(0, 100), st.floats(0.3, 20))
    def test_norm_afterwards(self, device, max_norm, norm_type):
        ps = parameters([torch.float64], device)
        before = torch.cat([g.flatten() for g in gradients(ps)])
        norm = ours.clip_grad_norm_(ps, max_norm, norm_type)
        after = torch.cat([g.flatten() for g in gradients(ps)])
        expected = torch.linalg.vector_norm(before, norm_type)
        torch.testing.assert_close(norm, expected)
        assert torch.linalg.vector_norm(after, norm_type) <= max_norm * (1 + 1e-9)
        shrink = min(1, max_norm / (expected.item() + 1e-6))
        torch.testing.assert_close(after, shrink * before, rtol=1e-12, atol=0)

    @foreach
    @floats
    def test_value_has_the_same_bits(self, device, dtype, foreach):
        for clip_value in (0.5, 0, 100, math.inf):
            results = []
            for f in (ours, utils):
                ps = parameters([dtype], device)
                gradients(ps)[0][0, 0] = math.nan
                assert f.clip_grad_value_(ps, clip_value, foreach) is None
                results.append(gradients(ps))
            for got, expected in zip(*results, strict=True):
                torch.testing.assert_close(
                    got, expected, rtol=0, atol=0, equal_nan=True
                )

    @foreach
    def test_an_empty_tensor(self, device, foreach):
        ps = parameters([torch.float64], device)
        largest = max(g.abs().max() for g in gradients(ps) if g.numel())
        assert ours.clip_grad_norm_(ps, 1.0, "inf", foreach=foreach) == largest
        assert ours.clip_grad_norm_(ps[3:4], 1.0, "inf", foreach=foreach) == 0
        ours.clip_grad_value_(ps, 0.5, foreach)

    @foreach
    def test_one_tensor_and_none(self, device, foreach):
        w = nn.Parameter(torch.zeros(2, device=device))
        assert ours.clip_grad_norm_(w, 1.0, foreach=foreach).item() == 0
        ours.clip_grad_value_([], 1.0, foreach)
        w.grad = torch.tensor([3.0, -4.0], device=device)
        assert ours.clip_grad_norm_(w, 1.0, foreach=foreach).item() == 5
        ours.clip_grad_value_(w, 0.5, foreach)
        torch.testing.assert_close(w.grad, torch.tensor([0.5, -0.5]).to(w))

    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    def test_numbers_that_are_not_finite(self, device, bad):
        results = []
        for f in (ours, utils):
            ps = parameters([torch.float32], device)
            gradients(ps)[0][0, 0] = bad
            before = [g.clone() for g in gradients(ps)]
            with pytest.raises(RuntimeError, match="finite"):
                f.clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)
            for g, kept in zip(gradients(ps), before, strict=True):
                torch.testing.assert_close(g, kept, rtol=0, atol=0, equal_nan=True)
            f.clip_grad_norm_(ps, 1.0)
            results.append(gradients(ps))
        for got, expected in zip(*results, strict=True):
            torch.testing.assert_close(got, expected, rtol=0, atol=0, equal_nan=True)

    def test_an_empty_generator(self):
        with pytest.warns(UserWarning, match="empty generator"):
            assert ours.clip_grad_norm_((p for p in ()), 1.0).item() == 0


def both(
    kind: str, x: Tensor, y: Tensor, seed: int, **options: Any
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield our result and torchvision's, of one seed."""
    torch.manual_seed(seed)
    mine = getattr(ours, kind.lower())(x, y, **options)
    torch.manual_seed(seed)
    theirs = getattr(v2, kind)(**options)(x, y)
    yield from zip(mine, theirs, strict=True)


kinds = pytest.mark.parametrize("kind", ["MixUp", "CutMix"])


class TestMixing:
    @kinds
    @floats
    @pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
    def test_bits(self, device, kind, dtype, alpha):
        x = random(5, 3, 9, 14).to(device, dtype)
        indices = torch.tensor([2, 0, 1, 1, 3], device=device)
        one_hot = F.one_hot(indices, 4)
        for seed in range(8):
            for y, classes in (
                (indices, 4),
                (one_hot, None),
                (one_hot.to(dtype), 4),
            ):
                options = {"alpha": alpha, "num_classes": classes}
                for got, expected in both(kind, x, y, seed, **options):
                    assert got.dtype == expected.dtype
                    assert torch.equal(got, expected)

    @kinds
    def test_inputs_stay(self, device, kind):
        x, y = random(4, 2, 6, 6).to(device), torch.eye(4, device=device)
        kept = x.clone(), y.clone()
        for seed in range(4):
            list(both(kind, x, y, seed))
        assert torch.equal(x, kept[0])
        assert torch.equal(y, kept[1])

    def test_other_shapes_and_dtypes(self, device):
        y = torch.tensor([0, 1, 1], device=device)
        rows, share = ours.mixup(random(3, 7).to(device), y, num_classes=2)
        assert (rows.shape, share.shape) == ((3, 7), (3, 2))
        images = torch.arange(3, dtype=torch.uint8, device=device)
        images = images[:, None, None].expand(3, 8, 8)
        mixed, _ = ours.cutmix(images, y, num_classes=2)
        assert mixed.dtype == torch.uint8
        assert set(mixed[1].unique().tolist()) <= {0, 1}

    @many
    @given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12))
    def test_labels_tell_the_share_of_pixels(self, device, seed, height, width):
        torch.manual_seed(seed)
        x = torch.tensor([0.0, 1.0], dtype=torch.float64, device=device)
        x = x[:, None, None].expand(2, height, width)
        y = torch.eye(2, dtype=torch.float64, device=device)
        for mix in (ours.cutmix, ours.mixup):
            mixed, labels = mix(x, y)
            torch.testing.assert_close(mixed.mean((1, 2)), labels[:, 1])
            torch.testing.assert_close(labels.sum(1), torch.ones(2).to(labels))

    def test_shares_are_uniform_at_alpha_1(self, device):
        torch.manual_seed(0)
        y = torch.eye(2, dtype=torch.float64, device=device)
        shares = torch.stack([ours.mixup(y, y)[1][0, 0] for _ in range(1000)])
        largest = (shares.sort().values.cpu() - torch.linspace(0, 1, 1000)).abs().max()
        assert largest < 0.06  # Kolmogorov-Smirnov: exceeded once in 700 times

    @pytest.mark.refusal
    @kinds
    def test_refusals(self, kind):
        mix = getattr(ours, kind.lower())
        x, y = torch.zeros(2, 1, 4, 4), torch.tensor([0, 1])
        with pytest.raises(TypeError, match="inputs to be a Tensor, got list"):
            mix([1.0], y, num_classes=2)
        with pytest.raises(TypeError, match="labels to be a Tensor, got list"):
            mix(x, [0, 1], num_classes=2)
        with pytest.raises(TypeError, match=r"got torch\.bool"):
            mix(x, y.bool(), num_classes=2)
        for alpha in (0.0, -1.0, math.nan, math.inf):
            with pytest.raises(ValueError, match=f"alpha above 0, got {alpha}"):
                mix(x, y, alpha=alpha, num_classes=2)
        for labels in (y[:1], y.double(), y[:, None, None], torch.eye(3)):
            with pytest.raises(ValueError, match=r"\(N,\) or .* got \([\d, ]+\)"):
                mix(x, labels, num_classes=2)
        with pytest.raises(ValueError, match="num_classes beside class indices"):
            mix(x, y)
        with pytest.raises(ValueError, match="from 0 to 0, got 0 to 1"):
            mix(x, y, num_classes=1)
        with pytest.raises(ValueError, match="3 classes, got 2"):
            mix(x, torch.eye(2), num_classes=3)

    @pytest.mark.refusal
    def test_refused_images(self):
        y = torch.tensor([0, 1])
        with pytest.raises(TypeError, match=r"floating point, got torch\.uint8"):
            ours.mixup(torch.zeros(2, 3, dtype=torch.uint8), y, num_classes=2)
        for shape in ((2, 3), (2, 3, 0)):
            with pytest.raises(ValueError, match=r"\(N, \.\.\., H, W\), got \(2, 3"):
                ours.cutmix(torch.zeros(shape), y, num_classes=2)


class TestLabelSmoothing:
    @pytest.mark.parametrize("smoothing", [0, 0.1, 0.5, 1])
    def test_cross_entropy_agrees(self, device, smoothing):
        scores = random(6, 5).to(device)
        target = torch.tensor([0, 4, 2, 2, 1, 3], device=device)
        expected = F.cross_entropy(scores, target, label_smoothing=smoothing)
        smooth = ours.label_smoothing(target, smoothing, 5)
        got = F.cross_entropy(scores, smooth.to(scores))
        torch.testing.assert_close(got, expected, rtol=1e-6, atol=0)
        one_hot = F.one_hot(target, 5).double()
        got = F.cross_entropy(scores, ours.label_smoothing(one_hot, smoothing))
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=0)

    def test_images(self, device):
        scores = random(2, 3, 4, 5).to(device)
        target = (random(2, 4, 5, seed=1).to(device) > 0).long()
        expected = F.cross_entropy(scores, target, label_smoothing=0.2)
        smooth = ours.label_smoothing(target, 0.2, 3, dim=1)
        assert smooth.shape == scores.shape
        got = F.cross_entropy(scores, smooth.to(scores))
        torch.testing.assert_close(got, expected, rtol=1e-6, atol=0)
        probabilities = smooth.double().softmax(1)
        again = ours.label_smoothing(probabilities, 0.3, dim=1)
        torch.testing.assert_close(again, 0.7 * probabilities + 0.1)

    @many
    @given(st.integers(1, 9), st.floats(0, 1))
    def test_a_distribution_remains(self, device, k, smoothing):
        q = random(4, k).to(device).softmax(-1)
        kept = q.clone()
        smooth = ours.label_smoothing(q, smoothing)
        torch.testing.assert_close(smooth.sum(-1), torch.ones(4).to(q))
        assert smooth.min().item() >= smoothing / k
        assert torch.equal(q, kept)

    @floats
    def test_dtypes(self, device, dtype):
        q = torch.eye(3, dtype=dtype, device=device)
        assert ours.label_smoothing(q).dtype == dtype
        indices = torch.arange(3, dtype=torch.uint8, device=device)
        assert ours.label_smoothing(indices, num_classes=3).dtype == torch.float32
        assert ours.label_smoothing(indices[:0], num_classes=3).shape == (0, 3)
        assert ours.label_smoothing(indices[1], num_classes=3).shape == (3,)

    @pytest.mark.refusal
    def test_refusals(self):
        y = torch.tensor([0, 3])
        for smoothing in (-0.1, 1.1, math.nan):
            with pytest.raises(ValueError, match=f"between 0 and 1, got {smoothing}"):
                ours.label_smoothing(y, smoothing, 4)
        with pytest.raises(ValueError, match="num_classes beside class indices"):
            ours.label_smoothing(y)
        with pytest.raises(ValueError, match="from 0 to 2, got 0 to 3"):
            ours.label_smoothing(y, num_classes=3)
        with pytest.raises(ValueError, match="from 0 to 2, got -1 to 2"):
            ours.label_smoothing(y - 1, num_classes=3)
        with pytest.raises(ValueError, match="4 classes, got 3 on axis -1"):
            ours.label_smoothing(torch.eye(3), num_classes=4)
        with pytest.raises(TypeError, match=r"got torch\.complex64"):
            ours.label_smoothing(torch.eye(3, dtype=torch.complex64))
        with pytest.raises(IndexError):
            ours.label_smoothing(torch.eye(3), dim=2)


class Keras:
    """The rule as the documentation of Keras states it, written once more."""

    def __init__(self, patience: int, min_delta: float, mode: str) -> None:
        self.patience, self.min_delta, self.mode = patience, min_delta, mode

    def stop(self, values: list[float]) -> tuple[int | None, int | None]:
        """Return at which value it stops, and which one is the best till then."""
        best: int | None = None
        for t, v in enumerate(values):
            if best is None:
                better = v < math.inf if self.mode == "min" else v > -math.inf
            elif self.mode == "min":
                better = values[best] - v > self.min_delta
            else:
                better = v - values[best] > self.min_delta
            best = t if better else best
            if t - (-1 if best is None else best) >= self.patience:
                return t, best
        return None, best


class TestEarlyStopping:
    @many
    @given(
        st.lists(st.sampled_from([math.nan, *range(-8, 9)]), max_size=15),
        st.integers(1, 4),
        st.sampled_from([0.0, 1.0, 2.5]),
        st.sampled_from(["min", "max"]),
    )
    def test_rule(self, values, patience, min_delta, mode):
        stopping = ours.EarlyStopping(patience, min_delta, mode)
        model, stopped = nn.Linear(1, 1), None
        for t, value in enumerate(values):
            nn.init.constant_(model.weight, t)
            if stopping.step(value, model):
                stopped = t
                break
        expected, best = Keras(patience, min_delta, mode).stop(values)
        assert (stopped, stopping.best_step) == (expected, best)
        if best is not None:
            stopping.restore(model)
            assert stopping.best == values[best]
            assert model.weight.item() == best

    def test_weights_and_buffers_come_back(self, device):
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).to(device)
        x = random(8, 3).to(device, torch.float32)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        stopping, expected = ours.EarlyStopping(patience=3), None
        for step, value in enumerate([3.0, 1.0, 2.0, 2.0, 2.0]):
            optimizer.zero_grad()
            model(x).square().sum().backward()
            optimizer.step()
            if step == 1:
                expected = copy.deepcopy(model.state_dict())
            assert stopping.step(torch.tensor(value), model) == (step == 4)
        for name, value in model.state_dict().items():
            assert torch.equal(value, expected[name]), name
        assert all(p.requires_grad for p in model.parameters())
        assert (stopping.best, stopping.best_step, stopping.num_steps) == (1.0, 1, 5)

    def test_goes_on_from_a_checkpoint(self, tmp_path):
        model = nn.Linear(1, 1)
        values = [3.0, 2.0, 4.0, 5.0]
        first = ours.EarlyStopping(patience=2)
        for t, value in enumerate(values[:2]):
            nn.init.constant_(model.weight, t)
            first.step(value, model)
        torch.save(first.state_dict(), tmp_path / "stopping.pt")
        second = ours.EarlyStopping()
        second.load_state_dict(torch.load(tmp_path / "stopping.pt"))
        nn.init.constant_(model.weight, 9)
        assert [second.step(value, model) for value in values[2:]] == [False, True]
        assert model.weight.item() == 1

    def test_without_any_good_value(self):
        model, stopping = nn.Linear(1, 1), ours.EarlyStopping(patience=2)
        nn.init.constant_(model.weight, 7)
        assert [stopping.step(math.nan, model) for _ in range(2)] == [False, True]
        assert model.weight.item() == 7
        with pytest.raises(ValueError, match="got 2 values and none better"):
            stopping.restore(model)

    @pytest.mark.refusal
    def test_refusals(self):
        with pytest.raises(ValueError, match="got patience=0"):
            ours.EarlyStopping(0)
        for min_delta in (-1.0, math.nan):
            with pytest.raises(ValueError, match=f"min_delta={min_delta}"):
                ours.EarlyStopping(min_delta=min_delta)
        with pytest.raises(ValueError, match="'min' or 'max', got 'auto'"):
            ours.EarlyStopping(mode="auto")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"expected the names \['_weights', .*\]"):
            ours.EarlyStopping().load_state_dict({})


@pytest.mark.refusal
class TestClippingRefusals:
    def test_bounds(self):
        w = nn.Parameter(torch.zeros(2))
        for bound in (-1.0, math.nan):
            with pytest.raises(ValueError, match=f"max_norm of 0 or more, got {bound}"):
                ours.clip_grad_norm_(w, bound)
            with pytest.raises(ValueError, match=f"clip_value of 0 or .* got {bound}"):
                ours.clip_grad_value_(w, bound)
        for norm_type in (0, -math.inf, math.nan):
            with pytest.raises(ValueError, match=f"above 0, got {norm_type}"):
                ours.clip_grad_norm_(w, 1.0, norm_type)
        with pytest.raises(TypeError, match="each parameter to be a Tensor, got str"):
            ours.clip_grad_norm_(["w"], 1.0)  # type: ignore[list-item]

    def test_a_warning_names_the_callers_line(self):
        with pytest.warns(UserWarning, match="used up") as record:
            ours.clip_grad_norm_((p for p in ()), 1.0)
        assert record[0].filename == __file__

"""Penalties, soft thresholding, ridge, lasso: torch, scikit-learn, optimality."""

import math
import os
import warnings

import numpy as np
import pytest
import sklearn.linear_model
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from torch import Tensor, nn

from dlref import regularization as ours
from dlref.optim import SGD

few_examples = os.environ.get("DLREF_EXAMPLES") == "few"
many = settings(max_examples=20 if few_examples else 60, deadline=None)
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
HALF = DTYPES[2:]
TOLERANCES = dict(zip(DTYPES, (1e-12, 1e-5, 2e-3, 1.6e-2), strict=True))


def random(*shape: int, seed: int = 0) -> Tensor:
    """Draw on the CPU, so that a GPU sees the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def problem(device: torch.device, n: int, p: int, *, seed: int = 0) -> list[Tensor]:
    """Return features with means and scales of their own, and noisy targets."""
    X = random(n, p, seed=seed) * torch.linspace(0.5, 2, p) + torch.arange(p) / p
    w = random(p, seed=seed + 1) * (torch.arange(p) % 2)
    y = 3 + X @ w + 0.3 * random(n, seed=seed + 2)
    return [X.to(device), y.to(device)]


# --- penalties ------------------------------------------------------------------------

# by NumPy, in float64
FORMULAS = {
    "l1_penalty": lambda w: np.linalg.norm(w, 1),
    "l2_penalty": lambda w: np.dot(w, w) / 2,
    "elastic_net_penalty": lambda w: 0.5 * np.linalg.norm(w, 1) + np.dot(w, w) / 4,
}


@pytest.mark.parametrize("name", FORMULAS)
class TestPenalties:
    @many
    @given(st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=1, max_size=4))
    def test_values(self, device, name, shapes):
        weights = [random(*s, seed=i).to(device) for i, s in enumerate(shapes)]
        together = torch.cat([w.flatten() for w in weights])
        expected = 0.3 * FORMULAS[name](together.cpu().numpy())
        penalty = getattr(ours, name)
        for given_as in (weights, iter(weights), together):
            got = penalty(given_as, 0.3)
            assert got.shape == ()
            assert got.item() == pytest.approx(expected, rel=1e-12, abs=1e-12)

    def test_gradients(self, device, name):
        weights = [random(3, 4).to(device), random(2, seed=1).to(device)]
        leaves = [w.requires_grad_() for w in weights]
        penalty = getattr(ours, name)
        assert torch.autograd.gradcheck(lambda *w: penalty(w, 0.7), leaves)
        assert torch.autograd.gradgradcheck(lambda *w: penalty(w, 0.7), leaves)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_dtypes(self, device, name, dtype):
        w = random(100).to(device, dtype)
        got = getattr(ours, name)(w)
        assert got.dtype == dtype
        expected = FORMULAS[name](w.double().cpu().numpy())
        assert got.item() == pytest.approx(expected, rel=TOLERANCES[dtype])

    @pytest.mark.parametrize("dtype", HALF)
    def test_half_precision_does_not_overflow_on_the_way(self, device, name, dtype):
        """300 squared is more than float16 holds; its hundredth part is not."""
        w = torch.full((1000,), 300.0, device=device).to(dtype).requires_grad_()
        got = getattr(ours, name)(w, 1e-4)
        (g,) = torch.autograd.grad(got, w)
        expected = 1e-4 * FORMULAS[name](w.detach().double().cpu().numpy())
        assert got.item() == pytest.approx(expected, rel=TOLERANCES[dtype])
        assert bool(g.isfinite().all())

    def test_parameters_of_a_model(self, device, name):
        model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).to(device)
        got = getattr(ours, name)(model.parameters(), 0.1)
        got.backward()
        assert all(p.grad is not None for p in model.parameters())

    def test_the_widest_dtype(self, device, name):
        weights = [random(2).to(device, d) for d in (torch.bfloat16, torch.float32)]
        assert getattr(ours, name)(weights).dtype == torch.float32

    def test_nothing_is_modified(self, device, name):
        w = random(5).to(device)
        before = w.clone()
        getattr(ours, name)(w, 2.0)
        assert w.equal(before)


def test_the_convention_of_the_half(device):
    """SGD on a loss with the penalty steps as SGD with weight_decay does."""
    ends = []
    for decay, alpha in ((0.1, 0.0), (0.0, 0.1)):
        w = nn.Parameter(random(6).to(device))
        optimizer = SGD([w], lr=0.05, momentum=0.9, weight_decay=decay)
        for _ in range(10):
            optimizer.zero_grad()
            ((w - 1).pow(4).sum() + ours.l2_penalty(w, alpha)).backward()
            optimizer.step()
        ends.append(w.detach())
    torch.testing.assert_close(*ends, rtol=1e-13, atol=0)


@pytest.mark.parametrize("l1_ratio", [0, 0.0, 1, 1.0])
def test_the_ends_of_the_mixture(device, l1_ratio):
    w = random(7).to(device)
    alone = ours.l1_penalty(w, 0.3) if l1_ratio else ours.l2_penalty(w, 0.3)
    torch.testing.assert_close(ours.elastic_net_penalty(w, 0.3, l1_ratio), alone)


# --- soft thresholding ----------------------------------------------------------------


class TestSoftThreshold:
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("lambd", [0, 0.25, 0.3, 2.0])
    def test_values_and_gradients(self, device, dtype, lambd):
        special = torch.tensor([0.0, -0.0, 0.25, -0.25, 2.0, -2.0, 1e4, -1e4])
        x = torch.cat([special.double(), random(50)]).to(device, dtype)
        dy = random(58, seed=1).to(device, dtype)
        results = []
        for f in (ours.soft_threshold, F.softshrink):
            leaf = x.clone().requires_grad_()
            y = f(leaf, lambd)
            results.append((y, *torch.autograd.grad(y, leaf, dy)))
        for got, expected in zip(*results, strict=True):
            assert got.dtype == expected.dtype
            # a 0.3 that is rounded first is 0.3 no longer
            atol = 0 if dtype not in HALF else TOLERANCES[dtype]
            torch.testing.assert_close(got, expected, rtol=0, atol=atol)

    def test_ends_of_the_range(self, device):
        x = torch.tensor([-math.inf, math.inf, math.nan, 3e38], device=device)
        got = ours.soft_threshold(x, 1.0)
        torch.testing.assert_close(got, x, equal_nan=True)
        assert ours.soft_threshold(torch.zeros(0, 3, device=device)).shape == (0, 3)

    def test_a_threshold_for_each(self, device):
        x = torch.tensor([[1.0, -2.0, 3.0], [-1.0, 0.1, 0.0]], device=device)
        lambd = torch.tensor([0.0, 0.5, 4.0], device=device)
        expected = [[1.0, -1.5, 0.0], [-1.0, 0.0, 0.0]]
        assert ours.soft_threshold(x, lambd).tolist() == expected
        x = x.double().requires_grad_()
        lambd = lambd.double().add(0.2).requires_grad_()
        assert torch.autograd.gradcheck(ours.soft_threshold, (x[:1], lambd))

    @many
    @given(st.floats(-5, 5), st.floats(0, 5), st.floats(-6, 6))
    def test_is_the_proximal_operator_of_l1(self, x, lambd, other):
        """No other number does better than the result."""

        def objective(w: float) -> float:
            return (w - x) ** 2 / 2 + lambd * abs(w)

        w = ours.soft_threshold(torch.tensor(x, dtype=torch.float64), lambd).item()
        assert objective(w) <= objective(other) + 1e-12


# --- ridge ----------------------------------------------------------------------------

SIZES = [(20, 5), (5, 5), (6, 5), (5, 20), (1, 3), (3, 1)]


class TestRidge:
    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("alpha", [1e-3, 1, 100.0])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    def test_scikit_learn(self, device, size, alpha, fit_intercept):
        X, y = problem(device, *size)
        oracle = sklearn.linear_model.Ridge(alpha, fit_intercept=fit_intercept)
        oracle.fit(X.cpu(), y.cpu())
        w, b = ours.ridge(X, y, alpha, fit_intercept=fit_intercept)
        expected = [*oracle.coef_, oracle.intercept_]
        assert [*w.tolist(), b.item()] == pytest.approx(expected, rel=1e-9, abs=1e-9)

    def test_several_targets(self, device):
        X, y = problem(device, 12, 4)
        Y = torch.stack([y, 2 - y, random(12).to(device)], 1)  # (12, 3)
        oracle = sklearn.linear_model.Ridge(2.0).fit(X.cpu(), Y.cpu())
        w, b = ours.ridge(X, Y, 2.0)
        torch.testing.assert_close(w.cpu(), torch.tensor(oracle.coef_))
        torch.testing.assert_close(b.cpu(), torch.tensor(oracle.intercept_))
        alone = ours.ridge(X, Y[:, 1], 2.0)
        torch.testing.assert_close((w[1], b[1]), tuple(alone))

    @pytest.mark.parametrize("size", [(20, 5), (5, 20)])
    def test_without_penalty_it_is_least_squares(self, device, size):
        """Of many solutions the shortest, which is what NumPy gives."""
        X, y = problem(device, *size)
        X = torch.cat([X, X[:, :1]], 1)  # a copy: even the tall one is singular
        w, b = ours.ridge(X, y, 0, fit_intercept=False)
        expected = np.linalg.lstsq(X.cpu().numpy(), y.cpu().numpy(), rcond=None)[0]
        assert w.tolist() == pytest.approx(expected.tolist(), rel=1e-9, abs=1e-9)
        assert b.item() == 0

    @pytest.mark.parametrize("size", [(9, 4), (4, 9)])
    def test_derivatives(self, device, size):
        given = [t.requires_grad_() for t in problem(device, *size)]
        assert torch.autograd.gradcheck(lambda X, y: ours.ridge(X, y, 0.5), given)
        assert torch.autograd.gradgradcheck(
            lambda X, y: ours.ridge(X, y, 0.5)[0], given
        )

    def test_directions_shrink_by_their_variance(self, device):
        """By s² / (s² + alpha), s the singular value."""
        s = torch.tensor([10.0, 1.0, 0.1], dtype=torch.float64, device=device)
        U = torch.linalg.qr(random(8, 3))[0].to(device)
        X, y = U * s, random(8, seed=1).to(device)
        w = ours.ridge(X, y, 1.0, fit_intercept=False).coef
        expected = s**2 / (s**2 + 1) * (U.T @ y) / s
        torch.testing.assert_close(w, expected)

    def test_float32_keeps_its_digits_where_the_system_is_ill_conditioned(self, device):
        """The condition number is 1e5; of its square float32 could make nothing."""
        U, V = (torch.linalg.qr(random(n, 4, seed=n))[0].to(device) for n in (30, 4))
        s = torch.logspace(0, -5, 4, dtype=torch.float64, device=device)
        X = U * s @ V.T
        y = X @ random(4).to(device)
        w = ours.ridge(X.float(), y.float(), 1e-6, fit_intercept=False).coef
        expected = ours.ridge(X, y, 1e-6, fit_intercept=False).coef
        torch.testing.assert_close(w.double(), expected, rtol=2e-3, atol=2e-3)

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_dtypes(self, device, dtype):
        X, y = (t.to(dtype) for t in problem(device, 20, 3))
        fit = ours.ridge(X, y)
        expected = ours.ridge(X.double(), y.double())
        for got, exact in zip(fit, expected, strict=True):
            assert got.dtype == dtype
            tolerance = TOLERANCES[dtype]
            torch.testing.assert_close(
                got.double(), exact, rtol=tolerance, atol=tolerance
            )


# --- lasso ----------------------------------------------------------------------------


def lasso(X: Tensor, y: Tensor, alpha: float, **options: object) -> ours.LassoFit:
    return ours.lasso_ista(X, y, alpha, **options)


@pytest.mark.parametrize("accelerate", [False, True])
class TestLasso:
    @pytest.mark.parametrize("size", [(30, 6), (8, 20)])
    @pytest.mark.parametrize("alpha", [0.05, 0.5])
    @pytest.mark.parametrize("fit_intercept", [True, False])
    def test_scikit_learn(self, device, accelerate, size, alpha, fit_intercept):
        X, y = problem(device, *size)
        oracle = sklearn.linear_model.Lasso(
            alpha, fit_intercept=fit_intercept, tol=1e-10, max_iter=10**6
        ).fit(X.cpu(), y.cpu())
        fit = lasso(
            X, y, alpha, fit_intercept=fit_intercept, tol=1e-12,
            max_iter=10**5, accelerate=accelerate,
        )  # fmt: skip
        expected = [*oracle.coef_, oracle.intercept_]
        got = [*fit.coef.tolist(), fit.intercept.item()]
        assert got == pytest.approx(expected, rel=1e-4, abs=1e-4)
        assert [v == 0 for v in got] == [v == 0 for v in expected]

    @pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-8])
    def test_the_tolerance_is_kept(self, device, accelerate, tol):
        """The objective is no further above scikit-learn's than it says."""
        X, y = (torch.tensor(t).to(device) for t in load_diabetes(return_X_y=True))
        y = y - y.mean()

        def objective(w: Tensor) -> float:
            squares = (y - X @ w).square().sum() / (2 * len(y))
            return (squares + 0.1 * w.abs().sum()).item()

        fit = lasso(X, y, 0.1, tol=tol, accelerate=accelerate, fit_intercept=False)
        oracle = sklearn.linear_model.Lasso(0.1, fit_intercept=False, tol=1e-12)
        w = torch.tensor(oracle.fit(X.cpu(), y.cpu()).coef_).to(device)
        error = objective(fit.coef) - objective(w)
        assert -1e-9 <= error <= fit.dual_gap + 1e-9
        assert fit.dual_gap <= tol * y.square().mean().item()

    def test_conditions_of_optimality(self, device, accelerate):
        """|g| <= alpha, and g = -alpha sign(w) where w is not 0."""
        X, y = problem(device, 40, 12)
        fit = lasso(X, y, 0.2, tol=1e-13, max_iter=10**5, accelerate=accelerate)
        r = X @ fit.coef + fit.intercept - y
        g = X.T @ r / len(y)
        assert r.mean().item() == pytest.approx(0, abs=1e-12)
        assert g.abs().max().item() <= 0.2 + 1e-5
        active = fit.coef != 0
        assert 0 < active.sum() < 12
        torch.testing.assert_close(
            g[active], -0.2 * fit.coef[active].sign(), rtol=1e-4, atol=0
        )

    def test_the_strength_from_which_all_is_zero(self, device, accelerate):
        X, y = problem(device, 30, 5)
        strongest = (X.T @ (y - y.mean()) / 30).abs().max().item()
        fit = lasso(X, y, 1.0001 * strongest, tol=0, accelerate=accelerate)
        assert fit.n_iter == 0
        assert not fit.coef.any()
        assert fit.intercept.item() == pytest.approx(y.mean().item())
        assert lasso(X, y, 0.99 * strongest, accelerate=accelerate, tol=1e-9).coef.any()

    @pytest.mark.parametrize("dtype", [torch.float32, *HALF])
    def test_dtypes(self, device, accelerate, dtype):
        X, y = (t.to(dtype) for t in problem(device, 30, 4))
        options = {"accelerate": accelerate, "tol": 1e-6}
        fit = lasso(X, y, 0.1, **options)
        expected = lasso(X.double(), y.double(), 0.1, **options)
        assert {fit.coef.dtype, fit.intercept.dtype} == {dtype}
        tolerance = max(1e-3, TOLERANCES[dtype])
        torch.testing.assert_close(
            fit.coef.double(), expected.coef, rtol=tolerance, atol=tolerance
        )

    def test_derivatives(self, device, accelerate):
        """Through the steps: at the end those of the solution."""
        X, y = problem(device, 20, 4)
        options = {"accelerate": accelerate, "tol": 1e-15, "max_iter": 150}

        def f(X: Tensor, y: Tensor) -> Tensor:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                return lasso(X, y, 0.1, **options).coef

        leaves = X.requires_grad_(), y.requires_grad_()
        assert torch.autograd.gradcheck(f, leaves, atol=1e-5, fast_mode=True)

    @pytest.mark.parametrize("constant", ["X", "y"])
    def test_nothing_to_explain(self, device, accelerate, constant):
        X, y = problem(device, 10, 3)
        if constant == "X":
            X = torch.zeros_like(X)
        else:
            y = torch.full_like(y, 2.5)
        fit = lasso(X, y, 0.1, accelerate=accelerate)
        assert not fit.coef.any()
        assert fit.n_iter == 0


def test_ista_descends_and_fista_arrives_sooner(device):
    X, y = (torch.tensor(t).to(device) for t in load_diabetes(return_X_y=True))
    slow, fast = (lasso(X, y, 0.01, accelerate=a) for a in (False, True))
    assert fast.n_iter * 10 < slow.n_iter
    gaps = []
    for steps in range(1, 20):
        with pytest.warns(RuntimeWarning, match="no convergence in"):
            fit = lasso(X, y, 0.01, max_iter=steps)
        r = y - X @ fit.coef - fit.intercept
        gaps.append(r.square().mean().item() / 2 + 0.01 * fit.coef.abs().sum().item())
    assert gaps == sorted(gaps, reverse=True)


def test_no_convergence_is_said(device):
    X, y = problem(device, 30, 6)
    with pytest.warns(RuntimeWarning, match="no convergence in 2 steps: the duality"):
        fit = lasso(X, y, 0.1, max_iter=2)
    assert fit.n_iter == 2
    assert fit.dual_gap > 1e-4 * (y - y.mean()).square().mean().item()


@pytest.mark.refusal
class TestRefusals:
    @pytest.mark.parametrize("name", FORMULAS)
    def test_penalties(self, name):
        f = getattr(ours, name)
        w = torch.ones(2)
        with pytest.raises(TypeError, match=r"expected weights .* got Linear"):
            f(nn.Linear(2, 2))
        with pytest.raises(TypeError, match=r"it holds Linear\(in_features"):
            f(nn.Sequential(nn.Linear(2, 2)))
        with pytest.raises(TypeError, match=r"expected weights of floating .*int64"):
            f([w, torch.ones(2).long()])
        parameters = iter([w])
        f(parameters)
        with pytest.raises(ValueError, match="read only once"):
            f(parameters)
        for alpha in (-1.0, math.nan, math.inf):
            with pytest.raises(ValueError, match="expected a finite alpha >= 0, got"):
                f(w, alpha)
        for alpha in ("1", True, None):
            with pytest.raises(TypeError, match="expected alpha to be a number, got"):
                f(w, alpha)

    @pytest.mark.parametrize("l1_ratio", [-0.1, 1.1, math.nan])
    def test_mixture(self, l1_ratio):
        with pytest.raises(ValueError, match=r"expected l1_ratio within \[0, 1\], got"):
            ours.elastic_net_penalty(torch.ones(2), 1.0, l1_ratio)

    def test_soft_threshold(self):
        x = torch.ones(2, 3)
        with pytest.raises(TypeError, match="expected input to be a Tensor, got list"):
            ours.soft_threshold([1.0])
        with pytest.raises(TypeError, match="expected input of floating point, got"):
            ours.soft_threshold(x.long())
        for lambd in (-0.1, math.nan, torch.tensor(-1.0), torch.tensor([0, -1.0, 0])):
            with pytest.raises(ValueError, match="expected lambd >= 0, got"):
                ours.soft_threshold(x, lambd)
        for shape in ((2,), (1, 2, 3), (3, 3)):
            with pytest.raises(ValueError, match=r"broadcasts to \(2, 3\), got"):
                ours.soft_threshold(x, torch.ones(shape))

    @pytest.mark.parametrize("f", [ours.ridge, ours.lasso_ista])
    def test_data(self, f):
        X, y = torch.ones(4, 2), torch.ones(4)
        for bad in ((X, y[:3]), (X[0], y), (X, y[:, None, None]), (X[:, :0], y)):
            with pytest.raises(ValueError, match=r"expected X of shape \(n, p\) and y"):
                f(*bad)
        with pytest.raises(TypeError, match=r"expected one dtype, got X of torch.fl"):
            f(X, y.double())
        with pytest.raises(TypeError, match="expected X to be a Tensor, got ndarray"):
            f(X.numpy(), y)
        with pytest.raises(TypeError, match="expected y of floating point, got"):
            f(X, y.long())
        with pytest.raises(ValueError, match="expected finite numbers, got inf or nan"):
            f(X, y.log().log())
        with pytest.raises(ValueError, match="expected a finite alpha"):
            f(X, y, -1.0)

    def test_lasso(self):
        X, y = torch.ones(4, 2), torch.ones(4)
        with pytest.raises(ValueError, match="expected a finite alpha > 0, got 0"):
            ours.lasso_ista(X, y, 0)
        with pytest.raises(ValueError, match=r"y of shape \(n,\)"):
            ours.lasso_ista(X, y[:, None])
        with pytest.raises(ValueError, match="expected max_iter >= 0, got -1"):
            ours.lasso_ista(X, y, max_iter=-1)
        with pytest.raises(ValueError, match="expected a finite tol >= 0, got -1"):
            ours.lasso_ista(X, y, tol=-1)

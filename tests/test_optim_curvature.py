"""Descent with a line search, Newton's method and L-BFGS."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import rosen, rosen_der, rosen_hess
from torch import Tensor, nn

from dlref import optim
from dlref.optim import backtrack, newton_direction, two_loop_direction

Loss = Callable[[Tensor], Tensor]


def valley(p: Tensor) -> Tensor:
    """Rosenbrock's function."""
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


def bowl(p: Tensor) -> Tensor:
    """Ten axes, the steepest ten times as steep as the flattest."""
    return (torch.arange(1.0, 11.0).to(p) * p.square()).sum() / 2 - p.sum()


def saddle(p: Tensor) -> Tensor:
    """A saddle at the origin, minima of -1/4 at (0, ±√½)."""
    return p[0] ** 2 - p[1] ** 2 + p[1] ** 4


def parameter(*values: float, dtype: torch.dtype = torch.float64) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values, dtype=dtype))


def closure(
    optimizer: torch.optim.Optimizer, f: Loss, p: Tensor
) -> Callable[[], Tensor]:
    def evaluate() -> Tensor:
        optimizer.zero_grad()
        loss = f(p)
        loss.backward()
        return loss

    return evaluate


# --- L-BFGS ---------------------------------------------------------------------------


def run_lbfgs(module: Any, f: Loss, start: Tensor, calls: int, **options: Any) -> Any:
    p = nn.Parameter(start.clone())
    optimizer = module.LBFGS([p], **options)
    evaluate = closure(optimizer, f, p)
    losses = [optimizer.step(evaluate).item() for _ in range(calls)]
    return p.detach(), losses, optimizer.state_dict()["state"][0]


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
@pytest.mark.parametrize("lr", [1, 0.5, 0.01])
@pytest.mark.parametrize(
    ("f", "start"), [(valley, [-1.2, 1.0]), (bowl, [1.0] * 10), (saddle, [1.0, 0.1])]
)
def test_lbfgs_goes_torchs_way(
    f: Loss, start: list[float], lr: float, line_search_fn: str | None
) -> None:
    options = {"lr": lr, "max_iter": 7, "history_size": 5, "tolerance_change": 1e-12}
    options["line_search_fn"] = line_search_fn
    x = torch.tensor(start, dtype=torch.float64)
    ours, losses, state = run_lbfgs(optim, f, x, 4, **options)
    theirs, expected, reference = run_lbfgs(torch.optim, f, x, 4, **options)
    for name in ("n_iter", "func_evals"):
        assert state[name] == reference[name]
    assert losses == pytest.approx(expected, rel=1e-6, abs=1e-12)
    # rounding grows along a chaotic path without a search: 1e-9 after 28 steps
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("ours_first", [True, False])
def test_lbfgs_changes_hands(ours_first: bool) -> None:
    modules: list[Any] = [optim, torch.optim][:: 1 if ours_first else -1]
    options = {"max_iter": 4, "history_size": 3, "line_search_fn": "strong_wolfe"}
    p, q = parameter(-1.2, 1.0), parameter(-1.2, 1.0)
    a, b = modules[0].LBFGS([p], **options), modules[1].LBFGS([q], lr=3)
    a.step(closure(a, valley, p))
    q.data.copy_(p.data)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    for optimizer, x in ((a, p), (b, q)):
        for _ in range(3):
            optimizer.step(closure(optimizer, valley, x))
    torch.testing.assert_close(p.data, q.data, rtol=1e-10, atol=1e-10)
    assert valley(p) < 2 < 24 < valley(parameter(-1.2, 1.0))


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_lbfgs_on_a_network(line_search_fn: str | None) -> None:
    """Several tensors, a frozen one among them."""
    results = []
    for module in (optim, torch.optim):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
        x = torch.randn(9, 3).double()
        model[0].bias.requires_grad_(False)
        kind: Any = module.LBFGS
        optimizer = kind(model.parameters(), lr=0.5, line_search_fn=line_search_fn)

        def loss(model: nn.Module = model, x: Tensor = x) -> Tensor:
            return (model(x) - x.prod(1, keepdim=True)).square().mean()

        evaluate = closure(optimizer, lambda _, loss=loss: loss(), x)
        losses = [optimizer.step(evaluate).item() for _ in range(2)]
        results.append([*losses, loss().item()])
    assert results[0] == pytest.approx(results[1], rel=1e-6)
    assert results[0][2] < 0.2 * results[0][0]


def test_two_loops_are_the_matrices_of_bfgs() -> None:
    """The inverse Hessian of BFGS, updated as a matrix, gives the same direction."""
    torch.manual_seed(0)
    g, *rest = torch.randn(9, 6, dtype=torch.float64)
    s, y = rest[:4], [r + 3 * t for r, t in zip(rest[4:], rest[:4], strict=True)]
    gamma, eye = 0.7, torch.eye(6, dtype=torch.float64)
    H = gamma * eye
    for s_i, y_i in zip(s, y, strict=True):
        rho = 1 / (y_i @ s_i)
        V = eye - rho * y_i.outer(s_i)
        H = V.T @ H @ V + rho * s_i.outer(s_i)
    torch.testing.assert_close(two_loop_direction(g, s, y, gamma), -H @ g)
    assert torch.equal(two_loop_direction(g, [], []), -g)


# --- Newton ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_newton_ends_a_parabola_in_one_step(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    root, c = torch.randn(5, 5, dtype=dtype), torch.randn(5, dtype=dtype)
    A = root @ root.T + torch.eye(5, dtype=dtype)
    p = nn.Parameter(torch.randn(5, dtype=dtype))
    optim.Newton([p]).step(lambda: p @ A @ p / 2 - c @ p)
    torch.testing.assert_close(p.data, torch.linalg.solve(A, c), rtol=1e-3, atol=1e-4)


def test_newtons_steps_are_scipys_derivatives() -> None:
    p = parameter(-1.2, 1.0, 0.5)
    optimizer = optim.Newton([p], saddle_free=False)
    for _ in range(3):
        x = p.detach().numpy().copy()
        step = np.linalg.solve(rosen_hess(x), rosen_der(x))
        loss = optimizer.step(
            lambda: (100 * (p[1:] - p[:-1] ** 2) ** 2 + (1 - p[:-1]) ** 2).sum()
        )
        assert loss.item() == pytest.approx(rosen(x), rel=1e-12)
        np.testing.assert_allclose(p.detach().numpy(), x - step, rtol=1e-9, atol=1e-9)


def test_plain_newton_is_drawn_to_a_saddle_and_saddle_free_leaves_it() -> None:
    p, q = parameter(0.5, 0.1), parameter(0.5, 0.1)
    plain, free = optim.Newton([p], saddle_free=False), optim.Newton([q])
    for _ in range(20):
        plain.step(lambda: saddle(p))
        free.step(lambda: saddle(q))
    assert saddle(p).item() == pytest.approx(0, abs=1e-12)
    assert saddle(q).item() == pytest.approx(-0.25, abs=1e-12)


def test_a_step_off_the_very_saddle() -> None:
    p = parameter(0.0, 0.0)
    optimizer = optim.Newton([p], lr=0.1)
    for _ in range(60):
        optimizer.step(lambda: saddle(p))
    assert saddle(p).item() == pytest.approx(-0.25, abs=1e-4)


def test_a_line_search_brings_newton_through_the_valley() -> None:
    p = parameter(-1.2, 1.0)
    optimizer = optim.Newton([p], line_search="armijo")
    losses = [optimizer.step(lambda: valley(p)).item() for _ in range(25)]
    assert losses == sorted(losses, reverse=True)
    torch.testing.assert_close(p.data, torch.ones(2, dtype=torch.float64))


def test_newton_with_several_tensors_flat_axes_and_a_linear_loss() -> None:
    p, q = parameter(3.0), parameter(1.0, 2.0)
    optim.Newton([p, q]).step(lambda: (p**2).sum() + q[0] ** 2 + 0 * q[1])
    assert (p.item(), *q.tolist()) == (0, 0, 2)
    optim.Newton([q], damping=0.5).step(lambda: q.sum())
    assert q.tolist() == [-2, 0]


@pytest.mark.parametrize("damping", [0.0, 0.5])
def test_the_direction_descends(damping: float) -> None:
    torch.manual_seed(0)
    for _ in range(20):
        g, root = torch.randn(4).double(), torch.randn(4, 4).double()
        H = root + root.T
        d = newton_direction(g, H, damping=damping)
        assert g @ d < 0
        plain = newton_direction(g, H, damping=damping, saddle_free=False)
        expected = -torch.linalg.solve(H + damping * torch.eye(4).to(H), g)
        torch.testing.assert_close(plain, expected)


# --- descent --------------------------------------------------------------------------


def test_descent_is_sgd_without_a_search() -> None:
    p, q = parameter(-1.2, 1.0), parameter(-1.2, 1.0)
    a, b = optim.GradientDescent([p], lr=1e-3), torch.optim.SGD([q], lr=1e-3)
    for _ in range(50):
        a.step(closure(a, valley, p))
        b.step(closure(b, valley, q))
    assert torch.equal(p, q)
    a.zero_grad()
    assert a.step() is None


@pytest.mark.parametrize("lr", [1e-3, 1.0, 1e3])
def test_descent_with_a_search_never_climbs(lr: float) -> None:
    p = parameter(-1.2, 1.0)
    optimizer = optim.GradientDescent([p], lr=lr, line_search="armijo")
    losses = [optimizer.step(closure(optimizer, valley, p)).item() for _ in range(60)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 5 < 20 < losses[0]


def test_groups_have_rates_of_their_own() -> None:
    p, q = parameter(1.0), parameter(1.0)
    groups = [{"params": [p], "lr": 0.25}, {"params": [q], "lr": 0.125}]
    optimizer = optim.GradientDescent(groups, line_search="armijo")
    optimizer.step(closure(optimizer, lambda _: (p**2 + q**2).sum(), p))
    assert (p.item(), q.item()) == (0.5, 0.75)


def test_backtracking_gives_up() -> None:
    assert backtrack(lambda _: 2.0, 1.0, -1.0, halvings=3) == 0
    tried: list[float] = []
    backtrack(lambda step: tried.append(step) or 2.0, 1.0, -1.0, lr=8, halvings=3)
    assert tried == [8, 4, 2, 1]


# --- refusals -------------------------------------------------------------------------


@pytest.mark.refusal
@pytest.mark.parametrize("kind", [optim.GradientDescent, optim.Newton, optim.LBFGS])
def test_options(kind: Any) -> None:
    name = "line_search_fn" if kind is optim.LBFGS else "line_search"
    with pytest.raises(ValueError, match=f"expected {name} '.*' or None, got golden"):
        kind([parameter(1.0)], **{name: "golden"})
    with pytest.raises(ValueError, match=r"expected lr .* got -1"):
        kind([parameter(1.0)], lr=-1)
    if kind is not optim.GradientDescent:
        with pytest.raises(ValueError, match="expected one group, got 2"):
            kind([{"params": [parameter(1.0)]}, {"params": [parameter(1.0)]}])


def test_lbfgs_without_tolerances() -> None:
    """Below zero they never end it, as in torch."""
    options = {"tolerance_grad": -1, "tolerance_change": -1, "max_iter": 5}
    x = torch.tensor([3.0, -2.0], dtype=torch.float64)
    ours, *_ = run_lbfgs(optim, lambda p: p.square().sum(), x, 1, **options)
    theirs, *_ = run_lbfgs(torch.optim, lambda p: p.square().sum(), x, 1, **options)
    assert torch.allclose(ours, theirs)


@pytest.mark.refusal
def test_what_newton_cannot_differentiate() -> None:
    p = parameter(1.0, 2.0)
    step = optim.Newton([p]).step
    with pytest.raises(TypeError, match="expected a tensor as loss, got float"):
        step(lambda: 3.0)
    with pytest.raises(ValueError, match=r"expected one number as loss, got \(2,\)"):
        step(lambda: p)

    def closure() -> Tensor:
        loss = p.square().sum()
        loss.backward()
        return loss

    for function in (closure, lambda: torch.tensor(3.0)):
        with pytest.raises(ValueError, match="does not call backward, got a loss with"):
            step(function)
    assert p.tolist() == [1, 2]


@pytest.mark.refusal
@pytest.mark.parametrize("option", ["max_iter", "max_eval", "history_size"])
def test_whole_numbers(option: str) -> None:
    for value in (2.5, "3"):
        with pytest.raises(TypeError, match=f"a whole number for {option}, got"):
            optim.LBFGS([parameter(1.0)], **{option: value})


@pytest.mark.refusal
def test_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="saddle_free=True with a line search"):
        optim.Newton([parameter(1.0)], saddle_free=False, line_search="armijo")
    with pytest.raises(ValueError, match=r"damping .* got -1"):
        newton_direction(torch.ones(2), torch.eye(2), damping=-1)
    with pytest.raises(ValueError, match=r"got \(2,\) and \(3, 3\)"):
        newton_direction(torch.ones(2), torch.eye(3))
    with pytest.raises(ValueError, match="as many s as y, got 1 and 0"):
        two_loop_direction(torch.ones(2), [torch.ones(2)], [])
    with pytest.raises(ValueError, match="descends, got a slope of 0"):
        backtrack(lambda _: 0.0, 1.0, 0.0)
    p = parameter(1.0)
    p.grad = torch.ones_like(p)
    with pytest.raises(TypeError, match="a closure that computes the loss, got None"):
        optim.GradientDescent([p], line_search="armijo").step()

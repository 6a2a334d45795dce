"""Schedules, step by step against torch.optim.lr_scheduler."""

import copy
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dlref import schedules

theirs = torch.optim.lr_scheduler
CASES: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 3}),
    ("StepLR", {"step_size": 4, "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.5, "total_iters": 7}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.02}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 20}),
    ("OneCycleLR", {"max_lr": [1.0, 2.0], "epochs": 4, "steps_per_epoch": 5}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 25, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 25, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 20, "pct_start": 0.0}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 20, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 20, "max_momentum": [0.9, 0.8]}),
]


def optimizer(kind: str = "SGD", lr: Any = 0.1) -> torch.optim.Optimizer:
    groups = [
        {"params": [nn.Parameter(torch.ones(1))], "lr": rate} for rate in (lr, 0.4)
    ]
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(torch.optim, kind)(groups, **options)


def rates(o: torch.optim.Optimizer) -> list[Any]:
    names = ("lr", "momentum", "betas")
    return [
        pytest.approx(float(g[n]) if n == "lr" else g[n], rel=1e-12, abs=1e-15)
        for g in o.param_groups
        for n in names
        if n in g
    ]


def numbers(o: torch.optim.Optimizer) -> list[Any]:
    names = ("lr", "momentum", "betas")
    groups = o.param_groups
    return [float(g[n]) if n == "lr" else g[n] for g in groups for n in names if n in g]


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_rate_is_torchs_at_each_step(
    name: str, options: dict[str, Any], kind: str
) -> None:
    a, b = optimizer(kind), optimizer(kind)
    ours = getattr(schedules, name)(a, **options)
    reference = getattr(theirs, name)(b, **options)
    for _ in range(19):
        assert numbers(a) == rates(b)
        assert ours.get_last_lr() == pytest.approx(reference.get_last_lr(), rel=1e-12)
        a.step()
        b.step()
        ours.step()
        reference.step()
    assert numbers(a) == rates(b)
    assert ours.last_epoch == reference.last_epoch == 19


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_schedule_goes_on_from_its_state(name: str, options: dict[str, Any]) -> None:
    a, b = optimizer(), optimizer()
    first = getattr(schedules, name)(a, **options)
    for _ in range(5):
        a.step()
        first.step()
    second = getattr(schedules, name)(b, **options)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for _ in range(8):
        assert numbers(a) == numbers(b)
        for o, schedule in ((a, first), (b, second)):
            o.step()
            schedule.step()


@pytest.mark.parametrize("T_mult", [1, 2, 3])
def test_restarts_between_two_batches(T_mult: int) -> None:
    a, b = optimizer(), optimizer()
    ours = schedules.CosineAnnealingWarmRestarts(a, 3, T_mult)
    reference = theirs.CosineAnnealingWarmRestarts(b, 3, T_mult)
    a.step()
    b.step()
    for epoch in (0.25, 1.5, 2.75, 3.0, 3.5, None, None, 8.99, 9.0, 26, None, 2.0):
        ours.step(epoch)
        reference.step(epoch)
        assert numbers(a) == rates(b), epoch
        if epoch is not None:
            assert (ours.T_cur, ours.T_i) == (reference.T_cur, reference.T_i)


def test_a_rate_that_is_a_tensor_stays_one() -> None:
    rate = torch.tensor(0.1, dtype=torch.float64)
    a = optimizer(lr=rate)
    schedule = schedules.CosineAnnealingWarmRestarts(a, 4)
    a.step()
    schedule.step()
    assert a.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.1 * (1 + 0.5**0.5) / 2)
    a = optimizer(lr=torch.tensor(0.1, dtype=torch.float64))
    schedules.LinearLR(a)
    assert a.param_groups[0]["lr"].item() == pytest.approx(0.1 / 3)


@given(st.integers(0, 10**6), st.integers(1, 50), st.integers(1, 4))
def test_a_time_lies_in_its_cycle(t: int, T_0: int, T_mult: int) -> None:
    T_cur, T_i = schedules.locate_restart(t, T_0, T_mult)
    assert 0 <= T_cur < T_i
    start, length = 0, T_0
    if T_mult == 1:
        assert (T_i, (t - T_cur) % T_0) == (T_0, 0)
        return
    while start + length <= t:
        start, length = start + length, length * T_mult
    assert (T_cur, T_i) == (t - start, length)


@given(st.floats(0, 30), st.sampled_from(["cos", "linear"]))
def test_a_curve_stays_between_its_points(t: float, shape: str) -> None:
    value = schedules.interpolate(t, [0, 10, 30], [1, 3, 2], shape=shape)
    assert (1 if t <= 10 else 2) - 1e-12 <= value <= 3 + 1e-12


def test_the_curves_by_hand() -> None:
    assert [schedules.step_decay(t, 2, 0.5) for t in range(5)] == [1, 1, 0.5, 0.5, 0.25]
    assert schedules.exponential_decay(3, 0.5) == 0.125
    assert schedules.cosine_decay(5, 10) == pytest.approx(0.5)
    assert schedules.linear_warmup(3, 4, 0.2, 1.0) == pytest.approx(0.8)
    assert schedules.interpolate(5, [0, 10], [0, 1], shape="linear") == 0.5


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("StepLR", {"step_size": 0}, "positive whole step_size, got 0"),
        ("StepLR", {"step_size": 2.5}, "positive whole step_size, got 2.5"),
        ("LinearLR", {"total_iters": 0}, "positive total_iters, got 0"),
        ("LinearLR", {"start_factor": 0.0}, r"start_factor in \(0, 1\] .*=0.0"),
        ("LinearLR", {"end_factor": 1.5}, r"end_factor in \[0, 1\], .*=1.5"),
        ("CosineAnnealingLR", {"T_max": 0}, "positive T, got 0"),
        ("CosineAnnealingWarmRestarts", {"T_0": 0}, "T_0=0"),
        ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 0}, "T_mult=0"),
        ("OneCycleLR", {"max_lr": 1.0}, "total_steps=None epochs=None"),
        ("CosineAnnealingWarmRestarts", {"T_0": 2.5}, "whole T_0 .* T_0=2.5"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 0}, "total_steps=0"),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 2.5}, "total_steps=2.5"),
        (
            "OneCycleLR",
            {"max_lr": 1.0, "total_steps": 9, "div_factor": 0},
            "div_factor=0",
        ),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 2}, r"\[0, 1\]"),
        ("OneCycleLR", {"max_lr": [1.0], "total_steps": 9}, "max_lr for each of 2 gro"),
        (
            "OneCycleLR",
            {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "cubic"},
            "shape 'cos' or 'linear', got cubic",
        ),
    ],
)
def test_options_out_of_range(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(schedules, name)(optimizer(), **options)


@pytest.mark.refusal
@pytest.mark.parametrize(("name", "options"), CASES)
def test_what_is_no_optimizer(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="expected an Optimizer, got list"):
        getattr(schedules, name)([torch.ones(1)], **options)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "options", "what"),
    [
        ("StepLR", {"step_size": 2, "gamma": "0.1"}, "gamma, got str"),
        ("ExponentialLR", {"gamma": None}, "gamma, got NoneType"),
        ("LinearLR", {"start_factor": "1"}, "start_factor, got str"),
        ("CosineAnnealingLR", {"T_max": "9"}, "T, got str"),
        ("CosineAnnealingLR", {"T_max": 9, "eta_min": None}, "eta_min, got NoneType"),
        ("CosineAnnealingWarmRestarts", {"T_0": "9"}, "T_0, got str"),
        ("OneCycleLR", {"max_lr": "1", "total_steps": 9}, "max_lr, got str"),
        (
            "OneCycleLR",
            {"max_lr": 1, "total_steps": 9, "pct_start": "1"},
            "pct_start, got str",
        ),
    ],
)
def test_options_that_are_no_numbers(
    name: str, options: dict[str, Any], what: str
) -> None:
    with pytest.raises(TypeError, match=f"expected a number for {what}"):
        getattr(schedules, name)(optimizer(), **options)


@pytest.mark.refusal
def test_what_a_cycle_needs() -> None:
    plain = torch.optim.Adagrad([nn.Parameter(torch.ones(1))])
    with pytest.raises(ValueError, match=r"momentum or betas, .* got Adagrad"):
        schedules.OneCycleLR(plain, 0.1, total_steps=3)
    a = optimizer()
    schedule = schedules.OneCycleLR(a, 0.1, total_steps=2)
    a.step()
    for _ in range(2):
        schedule.step()
    with pytest.raises(ValueError, match="2 steps at most, got 3"):
        schedule.step()
    with pytest.raises(ValueError, match="got 1 and 2"):
        schedules.interpolate(0, [0], [0, 1])
    with pytest.raises(ValueError, match="t=-1"):
        schedules.locate_restart(-1, 3)

"""The first-order optimizers, bit for bit against torch.optim with `foreach=False`."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from dlref import optim

CONFIGURATIONS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.01}),
    ("SGD", {"lr": 0.01, "momentum": 0.9}),
    ("SGD", {"lr": 0.01, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.2}),
    ("Adagrad", {"weight_decay": 0.1, "eps": 1e-7}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"centered": True, "alpha": 0.9}),
    ("RMSprop", {"momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adam", {}),
    ("Adam", {"betas": (0.8, 0.9), "eps": 1e-4, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}),
    ("AdamW", {"amsgrad": True, "weight_decay": 0.5, "lr": 0.01}),
    ("Adamax", {}),
    ("Adamax", {"betas": (0.8, 0.9), "weight_decay": 0.1}),
    ("NAdam", {}),
    ("NAdam", {"momentum_decay": 0.1, "weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
]
NAMES = sorted({name for name, _ in CONFIGURATIONS})
Make = Callable[..., torch.optim.Optimizer]


def network(dtype: torch.dtype = torch.float32) -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 3), nn.Linear(3, 1)
    return nn.Sequential(*layers).to(dtype)


NOISE = torch.randn(100, 40, generator=torch.Generator("cpu").manual_seed(0))


def train(
    model: nn.Module, optimizer: torch.optim.Optimizer, steps: int, first: int = 0
) -> None:
    """Descend into a bowl that is shaken, so that no gradient dies out."""
    parameters = list(model.parameters())
    for noise in NOISE[first : first + steps]:
        optimizer.zero_grad()
        for p in parameters:
            shake = noise[: p.numel()].view(p.shape).to(p)
            p.grad = shake.add(p.detach(), alpha=0.5)
        optimizer.step()


def equal(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return all(torch.equal(p, q) and bool(p.isfinite().all()) for p, q in pairs)


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("name", "options"), CONFIGURATIONS)
def test_a_hundred_steps_have_torchs_bits(
    name: str,
    options: dict[str, Any],
    dtype: torch.dtype,
    maximize: bool,
    foreach: bool,
) -> None:
    ours, theirs = network(dtype), network(dtype)
    options = {**options, "maximize": maximize}
    if maximize:
        options["lr"] = 1e-4  # climbing a square goes far
    a = getattr(optim, name)(ours.parameters(), foreach=foreach, **options)
    b = getattr(torch.optim, name)(theirs.parameters(), foreach=False, **options)
    train(ours, a, 100)
    train(theirs, b, 100)
    assert equal(ours, theirs)
    assert not equal(ours, network(dtype))


@pytest.mark.parametrize("name", NAMES)
def test_signature_and_defaults_are_torchs(name: str) -> None:
    p = [nn.Parameter(torch.zeros(2))]
    ours, theirs = getattr(optim, name)(p), getattr(torch.optim, name)(p)
    assert ours.defaults == theirs.defaults


def states_equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(states_equal(a[k], b[k]) for k in a)
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    return a == b


@pytest.mark.parametrize("ours_first", [True, False])
@pytest.mark.parametrize(("name", "options"), CONFIGURATIONS)
def test_a_training_changes_hands(
    name: str, options: dict[str, Any], ours_first: bool
) -> None:
    options = {**options, "foreach": False}
    before, after = network(), network()
    modules: list[Any] = [optim, torch.optim][:: 1 if ours_first else -1]
    a = getattr(modules[0], name)(before.parameters(), **options)
    train(before, a, 7)
    after.load_state_dict(before.state_dict())
    b = getattr(modules[1], name)(after.parameters(), lr=99.0)
    b.load_state_dict(copy.deepcopy(a.state_dict()))
    assert states_equal(a.state_dict(), b.state_dict())
    train(before, a, 7, first=7)
    train(after, b, 7, first=7)
    assert equal(before, after)
    assert states_equal(a.state_dict(), b.state_dict())


@pytest.mark.parametrize("name", NAMES)
def test_groups_and_schedulers_work(name: str) -> None:
    ours, theirs = network(), network()
    runs: list[tuple[Any, Any]] = [(ours, optim), (theirs, torch.optim)]
    for model, module in runs:
        groups = [
            {"params": model[0].parameters(), "lr": 0.02},
            {"params": model[2].parameters(), "weight_decay": 0.1},
            {"params": model[3].parameters()},
        ]
        optimizer = getattr(module, name)(groups, lr=0.01, foreach=False)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
        for i in range(20):
            train(model, optimizer, 1, first=i)
            schedule.step()
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0)
    assert equal(ours, theirs)


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_parameters_of_different_age_and_kind(name: str, foreach: bool) -> None:
    """One joins later, one is of float64, one complex, one never has a gradient."""
    results = []
    for module in (optim, torch.optim):
        torch.manual_seed(0)
        late, wide = torch.zeros(3), torch.randn(2, 2, dtype=torch.float64)
        ps = [torch.randn(3), late, wide, torch.randn(2, dtype=torch.complex64)]
        ps = [nn.Parameter(p) for p in [*ps, torch.ones(2)]]
        kind: Any = getattr(module, name)
        optimizer = kind(ps, lr=0.01, foreach=foreach and module is optim)
        for i in range(12):
            for j, p in enumerate(ps[:-1]):
                p.grad = torch.randn_like(p) if j != 1 or i > 4 else None
            optimizer.step()
        results.append(ps)
    assert all(torch.equal(p, q) for p, q in zip(*results, strict=True))
    assert results[0][-1].tolist() == [1, 1]


@pytest.mark.parametrize("name", NAMES)
def test_a_rate_as_a_tensor_a_closure_and_a_copy(name: str) -> None:
    p = nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = getattr(optim, name)([p], lr=torch.tensor(0.01))

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = p.square().sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(20)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] == 5
    twin = pickle.loads(pickle.dumps(optimizer))
    assert states_equal(twin.state_dict(), optimizer.state_dict())


@pytest.mark.parametrize("name", NAMES)
def test_autograd_notices_a_step(name: str) -> None:
    """A step without a record is still a change, and leaves ordinary tensors."""
    p = nn.Parameter(torch.ones(2))
    optimizer = getattr(optim, name)([p], lr=0.1)
    p.square().sum().backward()
    loss = p.square().sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    values = [v for v in optimizer.state[p].values() if isinstance(v, torch.Tensor)]
    assert not any(v.is_inference() or v.requires_grad for v in [p.data, *values])
    assert p.requires_grad
    p.square().sum().backward()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", NAMES)
def test_half_types(name: str, dtype: torch.dtype) -> None:
    """Together they are rounded otherwise than in a loop, as in torch."""
    results = []
    for module, foreach in ((optim, False), (torch.optim, False), (optim, True)):
        torch.manual_seed(0)
        ps = [nn.Parameter(torch.randn(shape).to(dtype)) for shape in ((3, 40), ())]
        optimizer = getattr(module, name)(ps, lr=0.01, foreach=foreach)
        for _ in range(10):
            for p in ps:
                p.grad = torch.randn_like(p)
            optimizer.step()
        results.append(ps)
    for alone, theirs, together in zip(*results, strict=True):
        assert torch.equal(alone, theirs)
        torch.testing.assert_close(together, theirs, rtol=0.01, atol=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_no_step_without_gradients(name: str) -> None:
    p = nn.Parameter(torch.ones(2))
    optimizer = getattr(optim, name)([p])
    assert optimizer.step() is None
    assert p.tolist() == [1, 1]


def test_a_rule_is_a_function_of_what_it_is_given() -> None:
    torch.manual_seed(0)
    theta, g, m = torch.randn(3, 5).double()
    v = torch.rand(5).double()
    results = []
    for _ in range(2):
        copies = [x.clone() for x in (theta, g, m, v)]
        optim.adam_(*copies, 3, lr=0.1, betas=(0.9, 0.99), eps=1e-8)
        results.append(copies)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    m_hat = (0.9 * m + 0.1 * g) / (1 - 0.9**3)
    v_hat = (0.99 * v + 0.01 * g**2) / (1 - 0.99**3)
    expected = theta - 0.1 * m_hat / (v_hat.sqrt() + 1e-8)
    assert torch.allclose(results[0][0], expected, rtol=1e-14)
    assert torch.equal(results[0][1], g)


# --- one vector -----------------------------------------------------------------------


@pytest.mark.parametrize("module", [optim, torch.optim])
@pytest.mark.parametrize("name", NAMES)
def test_a_flat_model_takes_the_same_steps(name: str, module: Any) -> None:
    plain, flat = network(), network()
    a = getattr(module, name)(plain.parameters(), foreach=False)
    b = getattr(module, name)([optim.flatten_parameters(flat)], foreach=False)
    train(plain, a, 20)
    train(flat, b, 20)
    assert equal(plain, flat)


def test_a_flat_model_works_as_before() -> None:
    model, twin = network(), network()
    x = torch.randn(4, 7)
    model(x).sum().backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    flat = optim.flatten_parameters(model)
    assert flat.numel() == sum(p.numel() for p in model.parameters())
    assert torch.equal(flat.grad, torch.cat([g.flatten() for g in gradients]))
    assert equal(model, twin)
    assert model.state_dict().keys() == twin.state_dict().keys()
    assert torch.equal(model(x), twin(x))
    with torch.no_grad():
        twin[0].weight.mul_(2)
    model.load_state_dict(twin.state_dict())
    assert equal(model, twin)
    assert torch.equal(flat[:35].view(5, 7), twin[0].weight)
    assert equal(copy.deepcopy(model), twin)


@pytest.mark.parametrize("forget", ["model", "optimizer", "to zero"])
def test_gradients_are_gathered_however_they_were_forgotten(forget: str) -> None:
    model = network()
    flat = optim.flatten_parameters(model)
    optimizer = optim.SGD([flat], lr=0.1)
    model(torch.ones(2, 7)).sum().backward()
    if forget == "model":
        model.zero_grad()
    else:
        optimizer.zero_grad(set_to_none=forget == "optimizer")
    assert not flat.grad.any()
    model[0](torch.ones(2, 7)).sum().backward()  # the other layers get none
    assert flat.grad.any()
    assert torch.equal(flat.grad[:35].view(5, 7), model[0].weight.grad)
    assert not flat.grad[40:].any()


def test_frozen_parameters_stay_out() -> None:
    model = network()
    model[0].requires_grad_(False)
    flat = optim.flatten_parameters(model)
    assert flat.numel() == sum(p.numel() for p in model.parameters()) - 40
    tied = nn.Sequential(layer := nn.Linear(2, 2), layer)
    assert optim.flatten_parameters(tied).numel() == 6


# --- refusals -------------------------------------------------------------------------


@pytest.mark.refusal
def test_flatten_refuses() -> None:
    with pytest.raises(TypeError, match=r"expected an nn.Module, got list"):
        optim.flatten_parameters([torch.zeros(2)])
    with pytest.raises(ValueError, match="one dtype on one device, got none"):
        optim.flatten_parameters(nn.ReLU())
    mixed = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double())
    with pytest.raises(ValueError, match=r"float32 on .*float64 on"):
        optim.flatten_parameters(mixed)
    model = network()
    flat = optim.flatten_parameters(model)
    model.double()
    with pytest.raises(ValueError, match="call flatten_parameters again"):
        optim.SGD([flat]).step()
    with pytest.raises(TypeError, match="flat parameter"):
        copy.deepcopy(flat)


@pytest.mark.refusal
@pytest.mark.parametrize("name", NAMES)
def test_options_out_of_range(name: str) -> None:
    kind: Make = getattr(optim, name)
    p = [nn.Parameter(torch.zeros(2))]
    for option in ("lr", "weight_decay", "eps", "momentum", "lr_decay", "rho", "alpha"):
        if option in kind(p).defaults:
            with pytest.raises(ValueError, match=f"expected {option} .* got -0.1"):
                kind(p, **{option: -0.1})
            with pytest.raises(TypeError, match=f"a number for {option}, got str"):
                kind(p, **{option: "1"})
    for option in ("capturable", "differentiable", "fused"):
        if option in kind(p).defaults:
            with pytest.raises(ValueError, match=f"expected {option}=False, got True"):
                kind(p, **{option: True})
    with pytest.raises(ValueError, match=r"one number for lr, got \(2,\)"):
        kind(p, lr=torch.ones(2))


@pytest.mark.refusal
def test_options_that_do_not_go_together() -> None:
    p = [nn.Parameter(torch.zeros(2))]
    with pytest.raises(ValueError, match="a momentum and no dampening"):
        optim.SGD(p, nesterov=True)
    with pytest.raises(ValueError, match="a momentum and no dampening"):
        optim.SGD(p, momentum=0.9, dampening=0.1, nesterov=True)
    with pytest.raises(ValueError, match=r"expected rho in \[0, 1\], got 2"):
        optim.Adadelta(p, rho=2)
    for kind in (optim.Adam, optim.AdamW, optim.Adamax, optim.NAdam):
        with pytest.raises(ValueError, match=r"expected betas .* below 1, got 1.0"):
            kind(p, betas=(0.9, 1.0))
        for betas in (0.9, (0.9,), (0.9, 0.9, 0.9)):
            with pytest.raises(ValueError, match="expected a pair of numbers for beta"):
                kind(p, betas=betas)
    for option in ("momentum", "dampening"):
        with pytest.raises(TypeError, match=f"a number for {option}, got str"):
            optim.SGD(p, **{"momentum": 0.9, option: "0.1"}, nesterov=True)
    with pytest.raises(ValueError, match=r"momentum_decay .* got -1"):
        optim.NAdam(p, momentum_decay=-1)
    with pytest.raises(ValueError, match=r"initial_accumulator_value .* got -1"):
        optim.Adagrad(p, initial_accumulator_value=-1)


@pytest.mark.refusal
@pytest.mark.parametrize("name", NAMES)
def test_sparse_gradients(name: str) -> None:
    p = nn.Parameter(torch.zeros(3, 2))
    p.grad = torch.ones(3, 2).to_sparse()
    with pytest.raises(ValueError, match=r"dense gradients, got a sparse .*\(3, 2\)"):
        getattr(optim, name)([p]).step()

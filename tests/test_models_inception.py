"""NiN, GoogLeNet and Inception v3 against torchvision's, and their papers by hand."""

import importlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dlref import models
from dlref._network import load_weights
from dlref.models import (
    GoogLeNet,
    Inception,
    Inception3,
    googlenet,
    googlenet_2014,
    inception_v3,
    nin,
    nin_block,
    nin_cifar10,
)
from dlref.summary import summary
from tests.inception_oracle import TABLE_1, caffe_nin, images, paper_googlenet, twins

few = settings(
    max_examples=10 if os.environ.get("DLREF_EXAMPLES") == "few" else 40, deadline=None
)
SMALLEST = {"googlenet": 15, "inception_v3": 75}
IN_TORCHVISION = list(SMALLEST)
HEADS = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}
PARAMETERS = {
    "nin": 7_595_176,
    "nin_cifar10": 966_986,
    "googlenet": 13_004_888,
    "googlenet_2014": 13_378_280,
    "inception_v3": 27_161_264,
}


def same(ours: Tensor, theirs: Tensor) -> None:
    """Every bit on the CPU; on a GPU sums may be taken in another order."""
    exact = theirs.device.type == "cpu"
    rtol, atol = (0.0, 0.0) if exact else (1e-4, 1e-5)
    torch.testing.assert_close(ours, theirs, rtol=rtol, atol=atol)


def close(ours: Tensor, theirs: Tensor) -> None:
    """Float64, sums in another order."""
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def on_meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return getattr(models, name)(**options)


@pytest.fixture(scope="module")
def pairs() -> dict[str, tuple[nn.Module, nn.Module]]:
    """Built once; no test leaves other weights or another mode behind."""
    torch.manual_seed(0)
    return {name: twins(name, num_classes=6) for name in IN_TORCHVISION}


def gradients(network: nn.Module) -> Iterator[Tensor]:
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        yield weight.grad


# --- torchvision ----------------------------------------------------------------------


@pytest.mark.parametrize("heads", [True, False])
@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_names_shapes_and_layers_are_torchvisions(name: str, heads: bool) -> None:
    options = {"aux_logits": heads, "num_classes": 7, "dropout": 0.25}
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name)(init_weights=False, **options)
    ours = on_meta(name, **options)
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    for key, value in other.items():
        assert mine[key].shape == value.shape, key
        assert mine[key].dtype == value.dtype, key
    layers = [repr(layer) for layer in ours.modules() if not list(layer.children())]
    assert layers == [repr(m) for m in theirs.modules() if not list(m.children())]


@pytest.mark.parametrize("draw", [True, False])
@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_the_same_seed_draws_torchvisions_weights(name: str, draw: bool) -> None:
    torch.manual_seed(3)
    ours = getattr(models, name)(init_weights=draw)
    after = torch.rand(1)
    torch.manual_seed(3)
    theirs = getattr(torchvision.models, name)(init_weights=draw)
    assert torch.equal(after, torch.rand(1))
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_weights_are_drawn_without_being_asked_for(name: str) -> None:
    """torchvision does so with a FutureWarning, which is an error here."""
    torch.manual_seed(3)
    ours = getattr(models, name)()
    torch.manual_seed(3)
    asked = getattr(models, name)(init_weights=True)
    last, same_last = list(ours.parameters())[-2], list(asked.parameters())[-2]
    assert torch.equal(last, same_last)
    expected = {"googlenet": 0.01, "inception_v3": 0.1}[name]
    assert last.std().item() == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("transform", [False, True])
@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_predictions_are_torchvisions(pairs: dict, name: str, transform: bool) -> None:
    ours, theirs = pairs[name]
    ours.eval().transform_input = theirs.eval().transform_input = transform
    smallest = SMALLEST[name]
    for size in ((smallest, smallest), (smallest + 20, smallest + 51)):
        x = images(2, 3, *size)
        kept = x.clone()
        with torch.no_grad():
            y = theirs(x)
            same(ours(x), y)
        assert y.shape == (2, 6)
        assert y.std() > 1e-2
        assert torch.equal(x, kept)
    ours.transform_input = theirs.transform_input = False


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_predictions_are_torchvisions_in_other_precisions(
    pairs: dict, dtype: torch.dtype
) -> None:
    ours, theirs = (network.eval().to(dtype) for network in pairs["googlenet"])
    ours.transform_input = theirs.transform_input = True
    x = images(2, 3, 33, 40, dtype=dtype)
    with torch.no_grad():
        y = ours(x)
        same(y, theirs(x))
    assert y.dtype == dtype
    for network in (ours, theirs):
        network.float().transform_input = False


@pytest.mark.parametrize(("name", "size"), [("googlenet", 64), ("inception_v3", 299)])
def test_training_steps_are_torchvisions(pairs: dict, name: str, size: int) -> None:
    """Same seed, same dropout: outputs, statistics, and gradients of every weight."""
    results = []
    for network in pairs[name]:
        state = {key: value.clone() for key, value in network.state_dict().items()}
        network.train().zero_grad()
        x = images(2, 3, size, size).requires_grad_()
        torch.manual_seed(1)
        out = network(x)
        target = torch.tensor([0, 3])
        losses = [F.cross_entropy(logits, target) for logits in out]
        (losses[0] + 0.3 * sum(losses[1:])).backward()
        moved = {key: value.clone() for key, value in network.state_dict().items()}
        results.append((out, x.grad, list(gradients(network)), moved))
        network.load_state_dict(state)
    (out, dx, grads, moved), (out_theirs, dx_theirs, grads_theirs, moved_theirs) = (
        results
    )
    assert out._fields == out_theirs._fields
    for mine, other in zip(out, out_theirs, strict=True):
        same(mine, other)
    same(dx, dx_theirs)
    assert dx.abs().sum() > 0
    for mine, other in zip(grads, grads_theirs, strict=True):
        same(mine, other)
    for key, value in moved_theirs.items():
        same(moved[key], value)


@pytest.mark.parametrize("name", [*IN_TORCHVISION, "googlenet_2014"])
def test_heads_speak_in_training_only(name: str) -> None:
    size = 224 if name == "googlenet_2014" else 299 if name == "inception_v3" else 64
    with_heads, without = on_meta(name), on_meta(name, aux_logits=False)
    x = torch.rand(2, 3, size, size, device="meta")
    assert [logits.shape for logits in with_heads(x)] == [(2, 1000)] * len(
        with_heads(x)
    )
    assert with_heads(x).logits.shape == (2, 1000)
    for network in (with_heads.eval(), without.train(), without.eval()):
        assert network(x).shape == (2, 1000)


def test_blocks_are_taken_from_the_caller() -> None:
    of_googlenet = importlib.import_module("torchvision.models.googlenet")
    of_inception = importlib.import_module("torchvision.models.inception")
    names = ["BasicConv2d", *(f"Inception{c}" for c in "ABCDE"), "InceptionAux"]
    conv, blocks = of_googlenet.BasicConv2d, [getattr(of_inception, n) for n in names]
    with torch.device("meta"):
        first = GoogLeNet(blocks=[conv, Inception, models.InceptionAux])
        third = Inception3(inception_blocks=blocks)
    assert isinstance(first.conv1, conv)
    assert isinstance(third.Mixed_5b, blocks[1])


# --- weights --------------------------------------------------------------------------


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_weights_of_torchvision_load_from_a_file(
    pairs: dict, name: str, tmp_path: Path
) -> None:
    """Its files hold the heads, whether they are wanted or not."""
    _, theirs = pairs[name]
    theirs.eval()
    path = tmp_path / f"{name}.pth"
    torch.save(theirs.state_dict(), path)
    x = images(1, 3, 80, 80)
    build = getattr(models, name)
    for options in ({}, {"aux_logits": True}, {"aux_logits": False}):
        ours = build(weights=path, num_classes=6, **options).eval()
        heads = options.get("aux_logits", name == "inception_v3")  # as there
        held = [key for key in ours.state_dict() if key.startswith(HEADS[name])]
        assert bool(held) is heads
        with torch.no_grad():
            same(ours(x), theirs(x))
        assert ours.transform_input is False


@pytest.mark.parametrize("name", [*IN_TORCHVISION, "googlenet_2014"])
def test_weights_without_heads_load_where_none_are_wanted(name: str) -> None:
    state = getattr(models, name)(num_classes=2, aux_logits=False).state_dict()
    ours = getattr(models, name)(weights=state, num_classes=2, aux_logits=False)
    assert all(torch.equal(ours.state_dict()[key], state[key]) for key in state)


@pytest.mark.refusal
@pytest.mark.parametrize("name", [*IN_TORCHVISION, "googlenet_2014"])
def test_heads_that_are_wanted_must_be_there(name: str) -> None:
    state = on_meta(name, aux_logits=False).state_dict()
    with pytest.raises(ValueError, match=r"missing: (aux1|AuxLogits)"):
        getattr(models, name)(weights=state, aux_logits=True)


@pytest.mark.parametrize("name", ["nin", "nin_cifar10", "googlenet_2014"])
def test_own_weights_load(name: str) -> None:
    build = getattr(models, name)
    state = build(num_classes=3, in_channels=1).state_dict()
    ours = build(weights=state, num_classes=3, in_channels=1)
    loaded = ours.state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in loaded)


def test_only_what_is_named_is_left_out() -> None:
    state = {"weight": torch.ones(1, 2), "bias": torch.ones(1)}
    layer = nn.Linear(2, 1)
    load_weights(layer, {**state, "aux.x": torch.ones(1)}, ignore=("aux.",))
    assert torch.equal(layer.weight, state["weight"])
    with pytest.raises(ValueError, match="1 unexpected: auxiliary"):
        load_weights(layer, {**state, "auxiliary": torch.ones(1)}, ignore=("aux.",))
    with pytest.raises(ValueError, match="1 missing: weight"):
        load_weights(layer, {"bias": torch.ones(1)}, ignore=("weight",))


# --- counts ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_number_of_parameters(name: str, parameters: int) -> None:
    network = on_meta(name)
    assert count(network) == parameters
    assert f"{parameters:,}" in (type(network).__doc__ or "")


@pytest.mark.parametrize(
    ("name", "published", "size"),
    [("googlenet", "GoogLeNet_Weights", 224),
     ("inception_v3", "Inception_V3_Weights", 299)],
)  # fmt: skip
def test_parameters_and_macs_are_those_that_torchvision_publishes(
    name: str, published: str, size: int
) -> None:
    meta = getattr(torchvision.models, published).DEFAULT.meta
    network = on_meta(name, aux_logits=name == "inception_v3")
    table = summary(network, (3, size, size))
    assert table.num_params == meta["num_params"]
    assert table.macs / 1e9 == pytest.approx(meta["_ops"], abs=5e-4)
    assert (SMALLEST[name],) * 2 == meta["min_size"]


@pytest.mark.parametrize(("block", "columns"), TABLE_1.items())
def test_blocks_have_the_papers_channels(block: str, columns: tuple) -> None:
    C, c1, r3, c3, r5, c5, proj = columns
    network = on_meta("googlenet_2014")
    convolutions = {
        path: layer
        for path, layer in getattr(network, f"inception{block}").named_modules()
        if isinstance(layer, nn.Conv2d)
    }
    found = {
        path: (layer.in_channels, layer.out_channels, *layer.kernel_size)
        for path, layer in convolutions.items()
    }
    assert found == {
        "branch1.0": (C, c1, 1, 1),
        "branch2.0.0": (C, r3, 1, 1),
        "branch2.1.0": (r3, c3, 3, 3),
        "branch3.0.0": (C, r5, 1, 1),
        "branch3.1.0": (r5, c5, 5, 5),
        "branch4.1.0": (C, proj, 1, 1),
    }
    weights = C * (c1 + r3 + r5 + proj) + 9 * r3 * c3 + 25 * r5 * c5
    assert sum(layer.weight.numel() for layer in convolutions.values()) == weights


def test_inception_3a_costs_what_the_paper_says() -> None:
    table = summary(on_meta("googlenet_2014"), (3, 224, 224), depth=1)
    row = next(row for row in table.rows if row.name == "inception3a")
    assert row.output_shape == (256, 28, 28)
    assert row.macs == 163_328 * 28 * 28 == 128_049_152
    assert row.num_params == 163_328 + 368  # and biases


# --- the papers' networks, written a second time --------------------------------------


def test_the_papers_googlenet_step_by_step() -> None:
    torch.manual_seed(0)
    options = {"num_classes": 4, "dropout": 0.0, "dropout_aux": 0.0}
    network = googlenet_2014(**options).double()
    with torch.no_grad():  # a bias of 0.2 throughout would hide a swap
        for name, value in network.named_parameters():
            if name.endswith("bias"):
                value.uniform_(-0.1, 0.3)
    x = images(1, 3, 224, 224, dtype=torch.float64)
    out = network(x)
    expected = paper_googlenet(network.state_dict(), x)
    assert out._fields == ("logits", "aux_logits2", "aux_logits1")
    for ours, theirs in zip(out, expected, strict=True):
        assert theirs.std() > 1e-3
        close(ours, theirs)
    total = out.logits.sum() + 0.3 * (out.aux_logits1 + out.aux_logits2).sum()
    total.backward()
    assert all(grad.abs().sum() > 0 for grad in gradients(network))
    close(network.eval()(x), expected[0])


@pytest.mark.parametrize(
    ("build", "geometry", "size"), [(nin, (4, 0), 100), (nin_cifar10, (1, 2), 32)]
)
def test_nin_step_by_step(build, geometry: tuple[int, int], size: int) -> None:
    torch.manual_seed(0)
    network = build(num_classes=5).double().eval()
    with torch.no_grad():
        for value in network.parameters():
            value.normal_(0.05 if value.ndim == 1 else 0, 0.05)
    x = images(2, 3, size, size + 9, dtype=torch.float64).requires_grad_()
    y, expected = network(x), caffe_nin(network, x, *geometry)
    assert expected.std() > 1e-4
    close(y, expected)
    (ours,) = torch.autograd.grad(y.sum(), x, retain_graph=True)
    (theirs,) = torch.autograd.grad(expected.sum(), x)
    close(ours, theirs)


@pytest.mark.parametrize(
    ("name", "size", "sizes"),
    [("nin", 224, [54, 27, 27, 13, 13, 6, 6]),
     ("nin_cifar10", 32, [32, 16, 16, 8, 8])],
)  # fmt: skip
def test_sizes_are_those_of_the_authors_definitions(
    name: str, size: int, sizes: list[int]
) -> None:
    """The last window of their average pooling is the last size: 6 and 8."""
    table = summary(on_meta(name), (3, size, size), depth=1)
    rows = [row for row in table.rows if row.name.startswith(("mlpconv", "pool"))]
    assert [row.output_shape[-1] for row in rows] == sizes


def test_dive_into_deep_learnings_network_differs_as_documented() -> None:
    """One width in the last block, poolings that round down: 5x5 maps."""
    ours = nin(num_classes=10, in_channels=1)
    ours.mlpconv4 = nin_block(384, 10, 3, padding=1)
    assert count(ours) == 1_992_166
    for pool in (ours.pool1, ours.pool2, ours.pool3):
        pool.ceil_mode = False
    shapes = []
    ours.mlpconv4.register_forward_hook(lambda *a: shapes.append(a[2].shape))
    ours(images(1, 1, 224, 224))
    assert shapes == [(1, 10, 5, 5)]


# --- first weights --------------------------------------------------------------------


def test_the_papers_googlenet_begins_as_caffes() -> None:
    torch.manual_seed(0)
    network = googlenet_2014()
    for name, value in network.named_parameters():
        if name.endswith("bias"):
            logits = name in ("fc.bias", "aux1.fc2.bias", "aux2.fc2.bias")
            assert (value == (0 if logits else 0.2)).all(), name
        else:
            bound = (3 / value[0].numel()) ** 0.5
            assert 0.9 * bound < value.abs().max() <= bound, name
            assert value.mean().abs() < 0.1 * bound, name


@pytest.mark.parametrize(
    ("build", "narrow"),
    [(nin, {"mlpconv1.0", "mlpconv3.0", "mlpconv4.4"}), (nin_cifar10, set())],
)
def test_nin_begins_as_its_authors(build, narrow: set[str]) -> None:
    torch.manual_seed(0)
    for name, value in build().named_parameters():
        layer, kind = name.rsplit(".", 1)
        if kind == "bias":
            assert not value.any()
        else:
            std = 0.01 if layer in narrow else 0.05
            assert value.std().item() == pytest.approx(std, rel=0.05), name


# --- any size, any width --------------------------------------------------------------


@few
@given(st.integers(39, 130), st.integers(39, 130), st.integers(0, 2))
def test_nin_takes_images_of_many_sizes(h: int, w: int, n: int) -> None:
    network, small = on_meta("nin", num_classes=4), on_meta("nin_cifar10")
    assert network(torch.rand(n, 3, h, w, device="meta")).shape == (n, 4)
    x = torch.rand(n, 3, h - 35, w - 35, device="meta")
    assert small(x).shape == (n, 10)


@few
@given(st.lists(st.integers(1, 9), min_size=7, max_size=7), st.integers(1, 12))
def test_an_inception_block_keeps_the_size_and_stacks(widths: list, size: int) -> None:
    with torch.device("meta"):
        block = Inception(*widths)
        x = torch.rand(2, widths[0], size, size + 1)
    _, c1, _, c3, _, c5, proj = widths
    assert block(x).shape == (2, c1 + c3 + c5 + proj, size, size + 1)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "size"),
    [("nin", 39), ("nin_cifar10", 4), ("googlenet_2014", 31), *SMALLEST.items()],
)
def test_the_smallest_images_are_the_smallest(
    monkeypatch: pytest.MonkeyPatch, name: str, size: int
) -> None:
    """One pixel less and a pooling somewhere inside fails, with a riddle."""
    network = on_meta(name).eval()
    assert network(torch.rand(1, 3, size, size, device="meta")).shape[0] == 1
    with pytest.raises(ValueError, match=f"H >= {size} and W >= {size}"):
        network(torch.rand(1, 3, size, size - 1, device="meta"))
    module = importlib.import_module(type(network).__module__)
    monkeypatch.setattr(module, "check_images", lambda *_: None)
    with pytest.raises(RuntimeError):
        network(torch.rand(1, 3, size - 1, size - 1, device="meta"))


def test_blocks_have_right_gradients() -> None:
    torch.manual_seed(0)
    mlp = nin_block(2, (3, 2, 2), 3, padding=1).double()
    block = Inception(2, 1, 2, 1, 1, 2, 1).double().eval()
    head = models.InceptionAux(2, 2, dropout=0.0).double().eval()
    x = images(1, 2, 4, 5, dtype=torch.float64).requires_grad_()
    for module in (mlp, block, head):
        assert torch.autograd.gradcheck(module, x)


# --- refusals -------------------------------------------------------------------------


@pytest.mark.refusal
@pytest.mark.parametrize("name", PARAMETERS)
def test_wrong_images(name: str) -> None:
    network = on_meta(name).eval()
    good = torch.rand(1, 3, 300, 300, device="meta")
    for wrong in (good[:, :1], good[0], good[..., :3]):
        with pytest.raises(
            ValueError, match=r"expected images of shape \(N, 3, H, W\)"
        ):
            network(wrong)
    with pytest.raises(TypeError, match="floating point, got"):
        network(good.to(torch.uint8))
    with pytest.raises(TypeError, match="expected a Tensor of images, got list"):
        network([good])


@pytest.mark.refusal
def test_images_too_small_for_the_heads() -> None:
    network = on_meta("inception_v3")
    with pytest.raises(ValueError, match="H >= 299"):
        network(torch.rand(2, 3, 298, 298, device="meta"))
    paper = on_meta("googlenet_2014")
    for size in (222, 271):
        with pytest.raises(ValueError, match="images of 223 to 270 pixels"):
            paper(torch.rand(2, 3, size, size, device="meta"))
    for size in (223, 270):
        assert paper(torch.rand(2, 3, size, size, device="meta")).logits.shape[0] == 2


@pytest.mark.refusal
def test_options_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="one width or three, got"):
        nin_block(3, (4, 5), 3)
    with pytest.raises(ValueError, match="3 channels, got 1"):
        googlenet(in_channels=1, transform_input=True)
    with pytest.raises(ValueError, match="3 channels, got 4"):
        inception_v3(in_channels=4, transform_input=True)
    with pytest.raises(ValueError, match="3 blocks, got 1"):
        GoogLeNet(blocks=[nn.Conv2d])
    with pytest.raises(ValueError, match="7 inception_blocks, got 2"):
        Inception3(inception_blocks=[nn.Conv2d, nn.Conv2d])
    with pytest.raises(ValueError, match="of another shape: fc"):
        googlenet_2014(weights=on_meta("googlenet_2014").state_dict(), num_classes=9)

"""LeNet, AlexNet and VGG against torchvision's, and against their papers by hand."""

import copy
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from dlref import models
from dlref.models import VGG, alexnet, alexnet_2012, lenet5, lenet5_1998, vgg11, vgg16
from tests import classic_oracle
from tests.classic_oracle import IN_TORCHVISION, TABLE_I, VGGS, images, pair, twins

PAPERS = {"lenet5": (1, 32), "lenet5_1998": (1, 32), "alexnet_2012": (3, 224)}
NAMES = [*PAPERS, *IN_TORCHVISION]


def same(ours: Tensor, theirs: Tensor) -> None:
    """Every bit on the CPU; on a GPU sums may be taken in another order."""
    exact = theirs.device.type == "cpu"
    rtol, atol = (0.0, 0.0) if exact else (1e-4, 1e-6)
    torch.testing.assert_close(ours, theirs, rtol=rtol, atol=atol)


@pytest.fixture(autouse=True)
def _whole_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU, convolve float32 as float32, and not with the 10 bits of TF32."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def on_meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return getattr(models, name)(**options)


# --- torchvision ----------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"num_classes": 7, "dropout": 0.25}], ids=str)
@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_names_shapes_and_layers_are_torchvisions(name: str, options: dict) -> None:
    ours, theirs = pair(name, **options)
    mine, other = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(other)
    for key, value in other.items():
        assert mine[key].shape == value.shape, key
        assert mine[key].dtype == value.dtype, key
    layers = [type(layer) for layer in ours.modules() if not list(layer.children())]
    assert layers == [type(m) for m in theirs.modules() if not list(m.children())]
    rates = [m.p for m in ours.modules() if isinstance(m, nn.Dropout)]
    assert rates == [options.get("dropout", 0.5)] * 2


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_predictions_are_torchvisions(name: str) -> None:
    ours, theirs = twins(name)
    smallest = 63 if name == "alexnet" else 32
    for size in ((smallest, smallest), (smallest + 6, smallest + 33)):
        x = images(2, 3, *size)
        kept = x.clone()
        with torch.no_grad():
            y = theirs(x)
            same(ours(x), y)
        assert y.abs().max() > 1e-3
        assert torch.equal(x, kept)


@pytest.mark.parametrize("name", ["alexnet", "vgg11", "vgg13_bn"])
def test_training_steps_are_torchvisions(name: str) -> None:
    """Same seed, same dropout; same loss, statistics, and gradients of every weight."""
    ours, theirs = twins(name, num_classes=5)
    results = []
    for network in (ours, theirs):
        network.train().requires_grad_()
        x = images(3, 3, 64, 64).requires_grad_()
        torch.manual_seed(1)
        y = network(x)
        F.cross_entropy(y, torch.tensor([0, 3, 4])).backward()
        results.append((y, x.grad, network))
    (y, grad, _), (y_theirs, grad_theirs, _) = results
    same(y, y_theirs)
    same(grad, grad_theirs)
    assert grad.abs().sum() > 0
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        same(mine.grad, other.grad)
    for mine, other in zip(ours.buffers(), theirs.buffers(), strict=True):
        same(mine, other)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_predictions_are_torchvisions_in_other_precisions(dtype: torch.dtype) -> None:
    ours, theirs = twins("vgg11_bn", dtype, num_classes=3)
    x = images(2, 3, 32, 40, dtype=dtype)
    with torch.no_grad():
        y = ours(x)
        same(y, theirs(x))
    assert y.dtype == dtype
    classic_oracle.draw.cache_clear()  # a gigabyte


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn"])
def test_the_same_seed_draws_torchvisions_weights(name: str) -> None:
    torch.manual_seed(3)
    ours = getattr(models, name)(num_classes=4)
    after = torch.rand(1)
    torch.manual_seed(3)
    theirs = getattr(torchvision.models, name)(num_classes=4)
    assert torch.equal(after, torch.rand(1))
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_vgg_without_its_own_draws_is_torchvisions() -> None:
    features = nn.Sequential(nn.Conv2d(2, 512, 3), nn.MaxPool2d(2))
    networks = []
    for kind in (VGG, torchvision.models.VGG):
        torch.manual_seed(0)
        networks.append(kind(copy.deepcopy(features), 2, False, 0.1))
    ours, theirs = networks
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)
    x = images(1, 2, 6, 5)
    same(ours.eval()(x), theirs.eval()(x))


def test_weights_of_torchvision_load_from_a_file(tmp_path: Path) -> None:
    theirs = torchvision.models.alexnet(num_classes=2)
    torch.save(theirs.state_dict(), tmp_path / "alexnet.pth")
    ours = alexnet(weights=tmp_path / "alexnet.pth", num_classes=2)
    x = images(1, 3, 63, 63)
    with torch.no_grad():
        same(ours.eval()(x), theirs.eval()(x))


# --- the papers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("lenet5", 61_706), ("lenet5_1998", 60_000), ("alexnet", 61_100_840),
     ("alexnet_2012", 60_965_224), ("vgg11", 132_863_336), ("vgg11_bn", 132_868_840),
     ("vgg13", 133_047_848), ("vgg13_bn", 133_053_736), ("vgg16", 138_357_544),
     ("vgg16_bn", 138_365_992), ("vgg19", 143_667_240), ("vgg19_bn", 143_678_248)],
)  # fmt: skip
def test_number_of_parameters(name: str, parameters: int) -> None:
    assert count(on_meta(name)) == parameters
    assert f"{parameters:,}" in (getattr(models, name).__doc__ or "")


def test_lenet_has_the_parameters_and_connections_of_section_ii_b() -> None:
    network = lenet5_1998()
    layers = dict(network.named_children())
    assert list(layers) == ["c1", "s2", "c3", "s4", "c5", "f6", "output"]
    counts = {name: count(layer) for name, layer in layers.items()}
    assert list(counts.values()) == [156, 12, 1516, 32, 48120, 10164, 0]
    sizes = {}
    for name, layer in layers.items():
        layer.register_forward_hook(
            lambda _, __, y, name=name: sizes.update({name: tuple(y.shape[1:])})
        )
    network(torch.zeros(1, 1, 32, 32))
    assert [*sizes.values()] == [
        (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120, 1, 1), (84,), (10,)
    ]  # fmt: skip
    # a unit has a connection to each input, and one to its bias; an RBF has no bias
    area = {name: math.prod(shape[1:]) for name, shape in sizes.items()}
    connections = {name: counts[name] * area[name] for name in ("c1", "c3", "c5", "f6")}
    connections |= {name: math.prod(sizes[name]) * (4 + 1) for name in ("s2", "s4")}
    connections["output"] = network.output.weight.numel()
    assert [connections[name] for name in layers] == [
        122_304, 5_880, 151_600, 2_000, 48_120, 10_164, 840
    ]  # fmt: skip
    assert sum(connections.values()) == 340_908


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_lenet_of_1998_is_the_papers(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network = lenet5_1998().to(dtype)
    with torch.no_grad():
        for weight in network.parameters():  # biases and coefficients that matter
            weight += 0.3 * torch.randn(weight.shape, dtype=dtype)
    x = images(3, 1, 32, 32, dtype=dtype)
    expected = -classic_oracle.lenet_1998(network.state_dict(), x)
    tolerance = 1e-4 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(network(x), expected, rtol=tolerance, atol=tolerance)


def test_lenet_of_1998_has_the_papers_gradients() -> None:
    torch.manual_seed(0)
    network = lenet5_1998().double()
    x = images(2, 1, 32, 32, dtype=torch.float64)
    weights = dict(network.named_parameters())
    state = {**network.state_dict(keep_vars=True)}
    labels = torch.tensor([3, 8])
    outputs = network(x), -classic_oracle.lenet_1998(state, x)
    losses = [F.cross_entropy(z, labels) for z in outputs]
    mine, other = (torch.autograd.grad(loss, [*weights.values()]) for loss in losses)
    for name, a, b in zip(weights, mine, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12, msg=name)
        assert a.any(), name


@pytest.mark.parametrize("make", [lenet5, lenet5_1998])
def test_gradients_are_those_of_differences(make) -> None:
    torch.manual_seed(0)
    network = make(num_classes=3).double()
    x = images(1, 1, 32, 32, dtype=torch.float64).requires_grad_()
    torch.autograd.gradcheck(network, x, fast_mode=True)


def test_lenet_is_a_chain_of_torchs_layers() -> None:
    network = lenet5().double()
    chain = classic_oracle.lenet_chain(network)
    x = images(4, 1, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(network(x), chain(x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("h", [2, 5, 6])
def test_layers_of_1998_begin_as_a_mean_and_take_any_size(h: int) -> None:
    x = images(2, 3, h, 4, dtype=torch.float64)
    mean = models.Subsampling(3).double()(x)
    torch.testing.assert_close(mean, F.avg_pool2d(x, 2), rtol=1e-14, atol=1e-14)
    table = [(0, 2), (1,), (0, 1, 2)]
    partial = models.PartialConv2d(table, kernel_size=2).double()
    dense = x.new_zeros(3, 3, 2, 2)
    for unit, (maps, conv) in enumerate(zip(table, partial, strict=True)):
        dense[unit, list(maps)] = conv.weight.detach()[0]
    bias = torch.cat([conv.bias for conv in partial])
    expected = F.conv2d(x, dense, bias)
    torch.testing.assert_close(partial(x), expected, rtol=1e-12, atol=1e-12)
    codes = images(5, 7, dtype=torch.float64)
    states = codes[:2] + 1
    distances = models.EuclideanRBF(codes)(states)
    expected = torch.cdist(states, codes).square()
    torch.testing.assert_close(distances, expected, rtol=1e-12, atol=1e-12)


def test_squashing_keeps_one_and_minus_one() -> None:
    """Appendix A: f(1) = 1 and f(-1) = -1."""
    one = torch.tensor([1.0, -1.0], dtype=torch.float64)
    squash = models.lenet._squash
    torch.testing.assert_close(squash(one), one, rtol=1e-4, atol=0)


def test_a_map_of_c3_reads_what_table_i_says() -> None:
    network = lenet5_1998()
    network.c3.requires_grad_(False)
    for unit in range(16):
        x = torch.zeros(1, 6, 5, 5, requires_grad=True)
        network.c3(x)[0, unit].sum().backward()
        read = x.grad.abs().sum(dim=(0, 2, 3)) > 0
        assert read.tolist() == [row[unit] == "X" for row in TABLE_I.split()]


def test_weights_of_lenet_begin_within_the_bounds_of_appendix_a() -> None:
    network = lenet5_1998()
    fan_in = {"c1": 25, "s2": 4, "s4": 4, "c5": 400, "f6": 120}
    fan_in |= {f"c3.{i}": 25 * len(conv.weight[0]) for i, conv in enumerate(network.c3)}
    for name, weight in network.named_parameters():
        layer, _, kind = name.rpartition(".")
        bound = 2.4 / fan_in[layer] if kind == "weight" else 0
        assert weight.abs().max() <= bound
        if weight.numel() > 100 and bound:
            assert weight.abs().max() > 0.9 * bound


@pytest.mark.parametrize("classes", [1, 4, 10, 26])
def test_codes_are_distinct_and_kept_with_the_weights(classes: int) -> None:
    network = lenet5_1998(num_classes=classes)
    codes = network.output.weight
    assert codes.shape == (classes, 84)
    assert codes.abs().eq(1).all()
    assert len(codes.unique(dim=0)) == classes
    copy = lenet5_1998(num_classes=classes, weights=network.state_dict())
    assert torch.equal(copy.output.weight, codes)
    assert not list(network.output.parameters())


def test_the_code_of_a_class_is_its_best_state() -> None:
    network = lenet5_1998()
    distances = network.output(network.output.weight)  # each code as a state of F6
    assert (distances.diagonal() == 0).all()
    assert (distances.argmin(dim=1) == torch.arange(10)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_alexnet_of_2012_is_the_papers(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network = alexnet_2012(num_classes=6).to(dtype).eval()
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.startswith("conv") and name.endswith("weight"):
                weight *= 20  # activities that the normalization changes
        x = 3 * images(1, 3, 224, 224, dtype=dtype)
        expected = classic_oracle.alexnet_2012(network, x)
        got = network(x)
    tolerance = 2e-4 if dtype == torch.float32 else 1e-11
    scale = expected.abs().max().item()
    torch.testing.assert_close(got, expected, rtol=0, atol=tolerance * scale)


def test_alexnet_of_2012_normalizes_as_section_3_3_says() -> None:
    x = 100 * images(2, 9, 3, 4, dtype=torch.float64).relu()
    for norm in (on_meta("alexnet_2012").norm1, on_meta("alexnet_2012").norm2):
        expected = classic_oracle.normalize(x)
        torch.testing.assert_close(norm(x), expected, rtol=1e-12, atol=0)
    assert (expected / x).nan_to_num(1).amin() < 0.3  # it does something


def test_alexnet_of_2012_has_the_kernels_of_section_3_5() -> None:
    network = on_meta("alexnet_2012")
    kernels = {
        name: tuple(layer.weight.shape)
        for name, layer in network.named_children()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    }
    assert kernels == {
        "conv1": (96, 3, 11, 11), "conv2": (256, 48, 5, 5), "conv3": (384, 256, 3, 3),
        "conv4": (384, 192, 3, 3), "conv5": (256, 192, 3, 3), "fc6": (4096, 9216),
        "fc7": (4096, 4096), "fc8": (1000, 4096),
    }  # fmt: skip
    pools = [m for m in network.modules() if isinstance(m, nn.MaxPool2d)]
    assert [(pool.kernel_size, pool.stride) for pool in pools] == [(3, 2)] * 3


def test_alexnet_of_2012_begins_as_section_5_says() -> None:
    network = alexnet_2012()
    ones = {"conv2", "conv4", "conv5", "fc6", "fc7"}
    for name, weight in network.named_parameters():
        layer, _, kind = name.rpartition(".")
        if kind == "bias":
            assert (weight == (layer in ones)).all(), name
        else:
            assert weight.std().item() == pytest.approx(0.01, rel=0.02)
            assert weight.mean().abs() < 3e-4


def test_dropout_follows_both_hidden_layers_of_the_papers_alexnet() -> None:
    """In torchvision's, it stands before them: the last hidden units are all kept."""
    torch.manual_seed(0)
    paper, theirs = alexnet_2012(num_classes=2, dropout=0.5), alexnet(num_classes=2)
    seen: dict[str, Tensor] = {}
    heads = {"fc7": paper.fc7, "fc8": paper.fc8, "6": theirs.classifier[6]}
    for name, layer in heads.items():
        layer.register_forward_pre_hook(
            lambda _, x, name=name: seen.update({name: x[0]})
        )
    for layer in (paper.fc6, paper.fc7, theirs.classifier[1], theirs.classifier[4]):
        nn.init.zeros_(layer.weight)
        nn.init.ones_(layer.bias)  # no unit is zero but by dropout
    x = images(1, 3, 224, 224)
    with torch.no_grad():
        paper(x)
        theirs(x)
    for name in ("fc7", "fc8"):
        assert (seen[name] == 0).double().mean().item() == pytest.approx(0.5, abs=0.05)
    assert seen["6"].all()


@pytest.mark.parametrize(
    ("name", "convolutions", "millions"),
    [("vgg11", 8, 133), ("vgg13", 10, 133), ("vgg16", 13, 138), ("vgg19", 16, 144)],
)
def test_vgg_is_tables_1_and_2(name: str, convolutions: int, millions: int) -> None:
    network = on_meta(name)
    modules = list(network.modules())
    kernels = [m.kernel_size for m in modules if isinstance(m, nn.Conv2d)]
    assert kernels == [(3, 3)] * convolutions
    assert sum(isinstance(m, nn.Linear) for m in modules) == 3
    assert sum(isinstance(m, nn.MaxPool2d) for m in modules) == 5
    assert round(count(network) / 1e6) == millions
    with torch.device("meta"):
        assert network.features(torch.zeros(1, 3, 224, 224)).shape == (1, 512, 7, 7)


# --- what every network takes and refuses ---------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_classes_and_channels(name: str) -> None:
    _, side = PAPERS.get(name, (3, 63))
    with torch.device("meta"):
        network = getattr(models, name)(num_classes=7, in_channels=5)
        assert network(torch.zeros(2, 5, side, side)).shape == (2, 7)
        assert network.eval()(torch.zeros(0, 5, side, side)).shape == (0, 7)


@pytest.mark.refusal
@pytest.mark.parametrize("name", NAMES)
def test_refusals(name: str) -> None:
    channels, side = PAPERS.get(name, (3, 63 if name == "alexnet" else 32))
    network = on_meta(name)
    expected = rf"expected images of shape \(N, {channels}, H, W\) with H >= {side} "
    wrong = [(channels, side, side), (1,), (1, channels + 1, side, side)]
    wrong += [(1, channels, side - 1, side), (1, channels, side, side - 1)]
    with torch.device("meta"):
        for shape in wrong:
            with pytest.raises(ValueError, match=expected):
                network(torch.zeros(shape))
        with pytest.raises(TypeError, match=r"got torch\.uint8"):
            network(torch.zeros(1, channels, side, side, dtype=torch.uint8))
        with pytest.raises(TypeError, match="got ndarray"):
            network(torch.zeros(1, device="cpu").numpy())


@pytest.mark.refusal
@pytest.mark.parametrize("name", PAPERS)
def test_sizes_that_leave_no_single_place_for_the_classifier(name: str) -> None:
    channels, side = PAPERS[name]
    network = on_meta(name)
    with torch.device("meta"):
        for h, w in ((side + 1, side), (side, 2 * side)):
            with pytest.raises(
                ValueError, match=rf"of {side} x {side} pixels, got \(1"
            ):
                network(torch.zeros(1, channels, h, w))


@pytest.mark.refusal
@pytest.mark.parametrize("name", NAMES)
def test_weights_of_another_network(name: str) -> None:
    other = lenet5(num_classes=3).state_dict()
    with (
        torch.device("meta"),
        pytest.raises(ValueError, match=r"expected the weights of a (\w+), got"),
    ):
        getattr(models, name)(weights=other)


@pytest.mark.refusal
def test_vgg_without_a_convolution() -> None:
    with pytest.raises(ValueError, match="features with a convolution, got Identity"):
        VGG(nn.Identity())


@pytest.mark.parametrize("make", [lenet5, lenet5_1998])
def test_weights_come_back(make, tmp_path: Path) -> None:
    network = make(in_channels=2)
    torch.save(network.state_dict(), tmp_path / "lenet.pth")
    for weights in (network.state_dict(), tmp_path / "lenet.pth"):
        copy = make(weights=weights, in_channels=2)
        x = images(2, 2, 32, 32)
        assert torch.equal(copy(x), network(x))


@pytest.mark.parametrize("name", ["alexnet_2012", "vgg16"])
def test_weights_are_loaded_by_every_constructor(name: str) -> None:
    with torch.device("meta"):
        network = {"vgg16": vgg16, "alexnet_2012": alexnet_2012}[name](num_classes=2)
        again = type(network).__name__
        copy = getattr(models, name)(num_classes=2, weights=network.state_dict())
    assert type(copy).__name__ == again


def test_layouts_of_memory_agree() -> None:
    torch.manual_seed(0)
    network = lenet5(in_channels=3).double()
    x = images(2, 3, 32, 32, dtype=torch.float64)
    y = network(x)
    wide = images(2, 3, 32, 64, dtype=torch.float64)
    wide[..., ::2] = x
    for given in (x.to(memory_format=torch.channels_last), wide[..., ::2]):
        assert not given.is_contiguous()
        torch.testing.assert_close(network(given), y, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("make", [lenet5, lenet5_1998])
def test_twenty_images_are_learnt(make) -> None:
    torch.manual_seed(0)
    network, x = make(), images(20, 1, 32, 32)
    labels = torch.arange(20) % 10
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        loss = F.cross_entropy(network(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (network(x).argmax(dim=1) == labels).all()


def test_all_names_are_offered() -> None:
    assert {*NAMES, "AlexNet", "AlexNet2012", "LeNet5", "LeNet1998", "VGG"} <= {
        *models.__all__
    }
    assert vgg11 is models.vgg11
    assert set(VGGS) < set(torchvision.models.list_models())

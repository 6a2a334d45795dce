"""The residual networks: torchvision's and timm's outputs, the papers' counts."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.testing import assert_close

from dlref import models
from dlref.models import resnest, resnet, resnet_v1, resnet_v2
from dlref.models.xception import Block
from tests import residual_oracle as oracle
from tests.residual_oracle import ALL, TIMM, TORCHVISION, V1, on_meta, translate

pytest.importorskip("timm")
timm_layers = pytest.importorskip("timm.layers")

SMALL = ["resnet18", "resnet50", "resnext50_32x4d"]


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def images(*shape: int) -> Tensor:
    return oracle.images(*shape, dtype=torch.float64)


def run(network: nn.Module, x: Tensor, *, training: bool) -> dict[str, Tensor]:
    """Return the output, all gradients and all buffers after one pass."""
    network.double().train(training).zero_grad()
    x = x.clone().requires_grad_()
    y = network(x)
    (y * images(*y.shape)).sum().backward()
    found = {f"gradient {name}": p.grad for name, p in network.named_parameters()}
    return {"output": y, "gradient": x.grad, **found, **dict(network.named_buffers())}


def assert_same(
    ours: nn.Module,
    theirs: nn.Module,
    x: Tensor,
    rename: Callable[[str], str] = str,
) -> None:
    """Same outputs, gradients and statistics, in training and then in evaluation."""
    for training in True, False:
        expected = {rename(k): v for k, v in run(theirs, x, training=training).items()}
        found = run(ours, x, training=training)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            value = value.view_as(found[name])  # a linear layer written as a 1x1
            scale = value.abs().max().item()
            assert_close(found[name], value, rtol=1e-9, atol=1e-9 * scale, msg=name)


# --- torchvision ----------------------------------------------------------------------


@pytest.mark.parametrize("name", TORCHVISION)
def test_names_and_shapes_are_torchvisions(name: str) -> None:
    ours = on_meta(getattr(models, name), num_classes=7)
    theirs = on_meta(partial(oracle.theirs, name), num_classes=7)
    assert list(shapes(ours).items()) == list(shapes(theirs).items())


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_draws_torchvisions_weights(name: str) -> None:
    torch.manual_seed(0)
    ours = getattr(models, name)(num_classes=3).state_dict()
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)(num_classes=3).state_dict()
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


@pytest.mark.parametrize("name", SMALL)
def test_outputs_gradients_and_statistics_are_torchvisions(name: str) -> None:
    theirs = getattr(torchvision.models, name)(num_classes=5)
    ours = getattr(models, name)(num_classes=5, weights=theirs.state_dict())
    assert_same(ours, theirs, images(2, 3, 33, 40))


def test_wide_bottlenecks_agree_with_torchvisions() -> None:
    package = torchvision.models.resnet
    layers = [1, 2, 1, 1]
    for k in 1, 2:
        theirs = package.ResNet(package.Bottleneck, layers, 3, width_per_group=64 * k)
        ours = models.WideResNet(layers, k, 3)
        ours.load_state_dict(theirs.state_dict())
        assert_same(ours, theirs, images(2, 3, 33, 40))


OPTIONS: list[dict[str, Any]] = [
    {"replace_stride_with_dilation": [False, True, True]},
    {"replace_stride_with_dilation": [True, False, True]},
    {"groups": 4, "width_per_group": 24},
    {"zero_init_residual": True},
    {"norm_layer": partial(nn.GroupNorm, 4)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: next(iter(options)))
def test_options_are_torchvisions(options: dict[str, Any]) -> None:
    layers = [1, 2, 1, 2]
    torch.manual_seed(0)
    package = torchvision.models.resnet
    theirs = package.ResNet(package.Bottleneck, layers, 3, **options)
    torch.manual_seed(0)
    ours = models.ResNet(resnet.Bottleneck, layers, 3, **options)
    assert all(
        torch.equal(value, theirs.state_dict()[name])
        for name, value in ours.state_dict().items()
    )
    assert_same(ours, theirs, images(2, 3, 40, 40))


@pytest.mark.parametrize("name", ["conv3x3", "basic"])
def test_normalizations_without_parameters_can_be_left_out_of_zeroing(
    name: str,
) -> None:
    block = resnet.BasicBlock if name == "basic" else resnet.Bottleneck
    norm = partial(nn.BatchNorm2d, affine=False)
    network = models.ResNet(
        block, [1, 1, 1, 1], 3, zero_init_residual=True, norm_layer=norm
    )
    assert network(torch.rand(2, 3, 32, 32)).shape == (2, 3)


def test_zero_init_residual_makes_each_block_the_identity() -> None:
    options = {"num_classes": 3, "zero_init_residual": True}
    for build in models.resnet18, models.resnet50:
        block = build(**options).layer1[1]
        x = torch.rand(2, block.conv1.in_channels, 5, 5)
        assert torch.equal(block(x), x)


@settings(max_examples=25, deadline=None)
@given(
    side=st.tuples(st.integers(1, 48), st.integers(1, 48)),
    batch=st.integers(1, 3),
    channels=st.integers(1, 4),
    basic=st.booleans(),
)
def test_every_size_of_image(
    side: tuple[int, int], batch: int, channels: int, basic: bool
) -> None:
    package = torchvision.models.resnet
    theirs = package.ResNet(
        package.BasicBlock if basic else package.Bottleneck, [1] * 4
    )
    theirs.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    block = resnet.BasicBlock if basic else resnet.Bottleneck
    ours = models.ResNet(block, [1] * 4, in_channels=channels)
    ours.load_state_dict(theirs.state_dict())
    x = images(batch, channels, *side)
    ours, theirs = ours.double().eval(), theirs.double().eval()
    assert_close(ours(x), theirs(x), rtol=1e-9, atol=1e-9)
    channels_last = x.to(memory_format=torch.channels_last)
    assert_close(ours(channels_last), ours(x), rtol=1e-9, atol=1e-9)


def test_no_images_give_no_outputs() -> None:
    network = models.resnet18(num_classes=4).eval()
    assert network(torch.rand(0, 3, 32, 32)).shape == (0, 4)


def test_a_file_of_torchvisions_is_read(tmp_path: Path) -> None:
    theirs = torchvision.models.resnet18(num_classes=4).eval()
    torch.save(theirs.state_dict(), tmp_path / "resnet18.pth")
    ours = models.resnet18(weights=tmp_path / "resnet18.pth", num_classes=4).eval()
    x = torch.rand(1, 3, 32, 32)
    assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_torchvisions(dtype: torch.dtype) -> None:
    theirs = torchvision.models.resnet18(num_classes=4).to(dtype).eval()
    ours = models.resnet18(weights=theirs.state_dict(), num_classes=4).to(dtype).eval()
    x = torch.rand(1, 3, 32, 32).to(dtype)
    assert torch.equal(ours(x), theirs(x))


# --- version 1: torchvision's, with the strides exchanged -----------------------------


def test_version_1_strides_in_the_first_1x1() -> None:
    package = torchvision.models.resnet
    theirs = package.ResNet(package.Bottleneck, [1, 2, 1, 2], 3)
    oracle.exchange_strides(theirs)
    ours = models.ResNetV1([1, 2, 1, 2], 3)
    ours.load_state_dict(theirs.state_dict())
    assert_same(ours, theirs, images(2, 3, 40, 37))


@pytest.mark.parametrize("name", V1)
def test_either_version_takes_the_weights_of_the_other(name: str) -> None:
    v15 = on_meta(getattr(models, name.removesuffix("_v1")))
    assert shapes(on_meta(getattr(models, name))) == shapes(v15)


def test_version_1_ignores_three_positions_in_four() -> None:
    """Of a block that halves: v1 reads every other row and column, v1.5 all of them.

    The shortcut has the same stride in both versions.
    """
    read = {}
    for module in resnet_v1, resnet:
        shortcut = () if module is resnet_v1 else (nn.Conv2d(16, 16, 1, 2),)
        block = module.Bottleneck(16, 4, 2, *shortcut).double().eval()
        for p in block.parameters():  # so that no ReLU hides what is read
            p.data.abs_()
        x = images(1, 16, 8, 8).requires_grad_()
        block(x).sum().backward()
        read[module] = (x.grad != 0).any(1)[0]
    every_other = torch.zeros(8, 8, dtype=torch.bool)
    every_other[::2, ::2] = True
    assert torch.equal(read[resnet_v1], every_other)
    assert read[resnet].all()


# --- timm -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", TIMM)
def test_shapes_are_timms(name: str) -> None:
    rename = oracle.rename(name)
    theirs = shapes(on_meta(partial(oracle.theirs, name)))
    theirs = {rename(key): shape for key, shape in theirs.items()}
    theirs["fc.weight"] = theirs["fc.weight"][:2]  # version 2 has a 1x1 convolution
    assert shapes(on_meta(getattr(models, name))) == theirs


@pytest.mark.parametrize("name", ["resnet18_v2", "resnet50_v2"])
def test_version_2_agrees_with_timm(name: str) -> None:
    theirs = oracle.theirs(name, num_classes=3)
    state = {translate(key): value for key, value in theirs.state_dict().items()}
    state["fc.weight"] = state["fc.weight"].flatten(1)
    ours = getattr(models, name)(num_classes=3, weights=state)
    assert_same(ours, theirs, images(2, 3, 40, 33), translate)


@pytest.mark.parametrize("name", ["xception", "resnest50"])
def test_a_state_of_timms_is_read_and_agrees(name: str) -> None:
    theirs = oracle.theirs(name, num_classes=3)
    for module in theirs.modules():  # timm starts with zeros in some, which hide much
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight)
    ours = getattr(models, name)(num_classes=3, weights=theirs.state_dict())
    assert_same(ours, theirs, images(2, 3, 40, 45))


@pytest.mark.parametrize("radix", [1, 2, 3])
@pytest.mark.parametrize("cardinality", [1, 2])
def test_split_attention_agrees_with_timm(radix: int, cardinality: int) -> None:
    theirs = timm_layers.SplitAttn(
        12, radix=radix, groups=cardinality, norm_layer=nn.BatchNorm2d, rd_channels=None
    )
    ours = models.SplitAttention(12, radix, cardinality)
    ours.load_state_dict(theirs.state_dict())
    assert_same(ours, theirs, images(3, 12, 5, 6))


def test_the_splits_weights_add_up_to_one() -> None:
    """With equal splits the choice between them makes no difference."""
    layer = models.SplitAttention(4).double().eval()
    with torch.no_grad():
        layer.conv.weight[4:] = layer.conv.weight[:4]
        layer.conv.weight[:, 1:] = 0  # of the two groups' inputs, one channel each
    x = images(2, 4, 5, 5)
    x[:, 2] = x[:, 0]
    U = layer.act0(layer.bn0(layer.conv(x)))
    assert_close(U[:, :4], U[:, 4:])
    assert_close(layer(x), U[:, :4])


# --- the papers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet50_v1", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet101_v1", 44_549_160),
        ("resnet152", 60_192_808),
        ("resnet152_v1", 60_192_808),
        ("resnet18_v2", 11_687_720),
        ("resnet34_v2", 21_795_880),
        ("resnet50_v2", 25_549_352),
        ("resnet101_v2", 44_541_480),
        ("resnet152_v2", 60_185_128),
        ("resnext50_32x4d", 25_028_904),
        ("wide_resnet50_2", 68_883_240),
        ("xception", 22_855_952),  # the paper's table 3
        ("resnest50", 27_483_240),
    ],
)
def test_docstrings_tell_the_number_of_parameters(name: str, expected: int) -> None:
    build = getattr(models, name)
    assert count(on_meta(build)) == expected
    assert f"{expected:,} parameters" in build.__doc__


def test_one_path_of_64_channels_is_resnet() -> None:
    plain = models.ResNet(resnet.Bottleneck, [1, 2, 1, 1], 3)
    network = models.ResNeXt([1, 2, 1, 1], 1, 64, 3)
    network.load_state_dict(plain.state_dict())
    assert_same(network, plain, images(2, 3, 33, 40))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnext50_32x4d", {"groups": 32, "width_per_group": 4}),
        ("wide_resnet50_2", {"width_per_group": 128}),
    ],
)
def test_torchvisions_class_makes_them_too(name: str, options: dict[str, int]) -> None:
    network = on_meta(partial(models.resnet50, **options))
    assert shapes(network) == shapes(on_meta(getattr(models, name)))


def test_a_grouped_convolution_is_the_sum_of_the_paths() -> None:
    """Forms (a) and (c) of ResNeXt's figure 3, without normalization."""
    C, d = 4, 2
    x = images(1, 6, 5, 5)
    first = nn.Conv2d(6, C * d, 1, bias=False).double()
    second = nn.Conv2d(C * d, C * d, 3, groups=C, bias=False).double()
    third = nn.Conv2d(C * d, 6, 1, bias=False).double()
    paths = torch.zeros(1, 6, 3, 3, dtype=torch.float64)
    for i in range(C):
        own = slice(i * d, (i + 1) * d)
        h = nn.functional.conv2d(x, first.weight[own]).relu()
        h = nn.functional.conv2d(h, second.weight[own]).relu()
        paths = paths + nn.functional.conv2d(h, third.weight[:, own])
    assert_close(third(second(first(x).relu()).relu()), paths)


def test_version_2_adds_and_does_nothing_else() -> None:
    """Equation 4: a stage's output is its input and the sum of what its blocks add."""
    network = models.resnet18_v2(num_classes=2).double().eval()
    x = images(1, 64, 6, 6) - 0.5
    total, h = x.clone(), x
    for block in network.layer1:
        added = block(h) - h
        total, h = total + added, block(h)
    assert_close(network.layer1(x), total)
    assert network.layer1(x).min() < 0  # no ReLU after the addition


# --- all of them ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_classes_and_channels_can_be_chosen(name: str) -> None:
    network = on_meta(getattr(models, name), num_classes=11, in_channels=4)
    x = torch.zeros(2, 4, 64, 64, device="meta")
    assert network(x).shape == (2, 11)


@pytest.mark.parametrize(
    "block",
    [
        partial(resnet.BasicBlock, 4, 4),
        partial(resnet.Bottleneck, 4, 1),
        partial(resnet_v1.Bottleneck, 4, 2, 2),
        partial(resnet_v2.PreActBasicBlock, 4, 2, 2),
        partial(resnet_v2.PreActBottleneck, 4, 1),
        partial(Block, (4, 3, 2), 2),
        partial(resnest.Bottleneck, 4, 2),
    ],
    ids=lambda block: f"{block.func.__module__}.{block.func.__name__}",
)
@pytest.mark.parametrize("training", [True, False])
def test_gradients_are_those_of_differences(
    block: Callable[[], nn.Module], training: bool
) -> None:
    torch.manual_seed(0)
    network = block().double().train(training)
    x = images(2, 4, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(network, x, eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "resnet18_v2", "xception"])
def test_images_are_not_changed(name: str) -> None:
    network = getattr(models, name)(num_classes=2)
    x = torch.rand(2, 3, 32, 32) - 0.5
    before = x.clone()
    network(x)
    assert torch.equal(x, before)


@pytest.mark.refusal
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 64, 64), r"\(N, 3, H, W\).*got \(3, 64, 64\)"),
        ((2, 1, 64, 64), r"\(N, 3, H, W\).*got \(2, 1, 64, 64\)"),
    ],
)
def test_other_images_are_refused(
    name: str, shape: tuple[int, ...], message: str
) -> None:
    network = on_meta(getattr(models, name))
    with pytest.raises(ValueError, match=message):
        network(torch.zeros(shape, device="meta"))


@pytest.mark.refusal
def test_integers_are_refused() -> None:
    with pytest.raises(TypeError, match=r"floating point, got torch.uint8"):
        models.resnet18()(torch.zeros(1, 3, 32, 32, dtype=torch.uint8))


@pytest.mark.refusal
def test_xception_needs_seven_pixels() -> None:
    network = models.xception(num_classes=2).eval()
    assert network(torch.zeros(1, 3, 7, 7)).shape == (1, 2)
    with pytest.raises(ValueError, match="H >= 7 and W >= 7"):
        network(torch.zeros(1, 3, 7, 6))


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["resnet18", "resnet50_v1", "xception"])
def test_weights_of_other_classes_are_refused(name: str) -> None:
    build = getattr(models, name)
    state = {
        key: torch.zeros(shape) if len(shape) < 2 else torch.empty(shape)
        for key, shape in shapes(on_meta(build, num_classes=3)).items()
    }
    with pytest.raises(ValueError, match=r"of another shape: fc.bias \(3,\) for"):
        build(weights=state)


@pytest.mark.refusal
@pytest.mark.parametrize(
    "options",
    [
        {"groups": 2},
        {"width_per_group": 128},
        {"replace_stride_with_dilation": [True, False, False]},
    ],
    ids=lambda options: next(iter(options)),
)
def test_basic_blocks_have_no_such_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="groups=1, base_width=64 and dilation=1 in"):
        models.resnet18(**options)


@pytest.mark.refusal
def test_stages_and_flags_are_counted() -> None:
    with pytest.raises(ValueError, match=r"4 stages.*got \[1, 1, 1\]"):
        models.ResNet(resnet.BasicBlock, [1, 1, 1])
    with pytest.raises(ValueError, match=r"3 flags.*\(True, False\)"):
        models.resnet50(replace_stride_with_dilation=[True, False])

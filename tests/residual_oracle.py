"""The residual networks of torchvision and timm, with the weights of ours."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dlref import models
from docs.tools.oracle import prepare_torchvision

TORCHVISION = [
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "resnext50_32x4d",
    "wide_resnet50_2",
]
TIMM = {
    "resnet18_v2": "resnetv2_18",
    "resnet34_v2": "resnetv2_34",
    "resnet50_v2": "resnetv2_50",
    "resnet101_v2": "resnetv2_101",
    "resnet152_v2": "resnetv2_152",
    "xception": "legacy_xception",
    "resnest50": "resnest50d",
}
V1 = ["resnet50_v1", "resnet101_v1", "resnet152_v1"]
ALL = [*TORCHVISION, *TIMM, *V1]


def theirs(name: str, **options: Any) -> nn.Module:
    """Build the network of another package that does what ours of this name does."""
    prepare_torchvision()
    import torchvision

    if name in TIMM:
        import timm

        return timm.create_model(TIMM[name], pretrained=False, **options)
    network = getattr(torchvision.models, name.removesuffix("_v1"))(**options)
    return exchange_strides(network) if name in V1 else network


def exchange_strides(network: nn.Module) -> nn.Module:
    """Make version 1 of a network of torchvision's: the first 1x1 strides."""
    for module in network.modules():
        if type(module).__name__ == "Bottleneck":
            strides = module.conv2.stride, module.conv1.stride
            module.conv1.stride, module.conv2.stride = strides
    return network


def translate(name: str) -> str:
    """Turn a name inside timm's resnetv2 into ours."""
    for pattern, replacement in [
        (r"\bstages\.(\d)\.blocks", lambda m: f"layer{int(m[1]) + 1}"),
        (r"\bstem\.conv\b", "conv1"),
        (r"\bdownsample\.conv\b", "downsample"),
        (r"\bnorm\b", "bn"),
        (r"\bnorm(\d)", r"bn\1"),
        (r"\bhead\.fc\b", "fc"),
    ]:
        name = re.sub(pattern, replacement, name)
    return name


def rename(name: str) -> Callable[[str], str]:
    """Return what turns the other package's names in this network into ours."""
    return translate if name.endswith("_v2") else str


def on_meta(build: Callable[..., nn.Module], **options: Any) -> nn.Module:
    """Build a network that has shapes and no values."""
    with torch.device("meta"):
        return build(**options)


def twins(name: str, **options: Any) -> tuple[nn.Module, nn.Module]:
    """Return our network and theirs, in evaluation, on the same cheap random weights.

    Drawing each layer's own initial weights would take seconds in the large ones.
    """
    mine = on_meta(getattr(models, name), **options)
    other = on_meta(partial(theirs, name), **options)
    generator = torch.Generator().manual_seed(0)
    state = {
        key: draw(key, tuple(value.shape), generator).to(
            torch.get_default_device(), value.dtype
        )
        for key, value in other.state_dict().items()
    }
    other.load_state_dict(state, assign=True)
    own = mine.state_dict()
    translated = {rename(name)(key): value for key, value in state.items()}
    mine.load_state_dict(
        {key: value.view(own[key].shape) for key, value in translated.items()},
        assign=True,
    )
    return mine.eval(), other.eval()


def draw(key: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw one tensor so that the signal keeps its size through 152 layers."""
    drawn = torch.rand(shape, generator=generator, device="cpu")
    if drawn.ndim > 1:  # of variance 1 / inputs
        return (drawn - 0.5) * (12 / drawn[0].numel()) ** 0.5
    if key.endswith("running_var"):
        return drawn + 0.5
    return drawn * 0.5


def images(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random images, the same on every device."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(shape, generator=generator, dtype=dtype, device="cpu")
    return x.to(torch.get_default_device())

"""The light and the dense networks of torchvision and timm, with our weights."""

from typing import Any

import torch
from torch import Tensor, nn

from dlref import models
from docs.tools.oracle import prepare_torchvision

TORCHVISION = ["densenet121", "mobilenet_v2", "squeezenet1_0", "squeezenet1_1"]
ALL = [*TORCHVISION, "mobilenet_v1"]


def theirs(name: str, **options: Any) -> nn.Module:
    """Build the network of another package that does what ours of this name does."""
    prepare_torchvision()
    import torchvision

    if name != "mobilenet_v1":
        return getattr(torchvision.models, name)(**options)
    import timm

    return timm.create_model("mobilenetv1_100", act_layer=nn.ReLU, **options)


def twins(name: str, **options: Any) -> tuple[nn.Module, nn.Module]:
    """Return our network and theirs, with the same weights."""
    oracle = theirs(name, **options)
    state = oracle.state_dict()
    if name == "mobilenet_v1":  # timm's names in the same order
        mine = models.mobilenet_v1(**options).state_dict()
        state = dict(zip(mine, state.values(), strict=True))
    return getattr(models, name)(weights=state, **options), oracle


def images(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw on the CPU; the same numbers everywhere."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu")
    return drawn.to(torch.get_default_device(), dtype)

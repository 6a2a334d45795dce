"""The layers of a network as papers count them, and its auxiliary heads."""

from collections.abc import Iterator
from typing import cast

from torch import nn

__all__ = ["check_module", "is_auxiliary", "named_modules", "weight_layers"]


def check_module(module: object) -> None:
    """Refuse what is no module.

    Args:
        module: What was given as one.

    Raises:
        TypeError: If it is none.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"expected an nn.Module, got {type(module).__name__}")


def named_modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules of a network with their names.

    Args:
        model: The network.

    Yields:
        Name and module, in the order in which they were registered.
    """
    yield from cast("Iterator[tuple[str, nn.Module]]", model.named_modules())


def is_auxiliary(name: str) -> bool:
    """Tell whether a module is in a head that works in training only.

    Args:
        name: Its path, such as `aux1.fc2` in GoogLeNet, `AuxLogits.fc` in Inception v3.

    Returns:
        True if a part of the path begins so.
    """
    return any(part.lower().startswith("aux") for part in name.split("."))


def weight_layers(model: nn.Module) -> list[str]:
    """Return the names of the layers that hold a matrix or a kernel of weights.

    These are what the 16 of VGG16 counts: convolutions and linear layers; normalisation
    layers, which scale and shift, belong to the layer before them.

    Args:
        model: The network.

    Returns:
        Names in the order of registration, those of auxiliary heads left out.
    """
    return [
        name
        for name, module in named_modules(model)
        if any(p.ndim > 1 for p in module.parameters(recurse=False))
        and not is_auxiliary(name)
    ]

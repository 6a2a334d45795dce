"""The head: the last layer, which has one output for each class."""

from typing import Any, SupportsIndex, TypeAlias

from torch import nn

from dlref.shapes._arguments import as_int
from dlref.transfer._layers import check_module, is_auxiliary, named_modules

__all__ = ["find_heads", "replace_head"]

_Head: TypeAlias = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d


def replace_head(
    model: nn.Module, num_classes: SupportsIndex, *, name: str | None = None
) -> nn.Module:
    """Give a network a new last layer, in place: new classes, weights drawn afresh.

    The head is the last layer that holds any numbers: `fc` in ResNet, `classifier[-1]`
    in VGG and MobileNet, the 1x1 convolution `classifier[1]` in SqueezeNet. Auxiliary
    heads (`aux…`, as in GoogLeNet) get new last layers too. The new layer has the old
    one's kind, inputs, bias, device, dtype and mode, torch's default initialisation,
    and learns, also in a frozen network.

    Args:
        model: The network, changed in place.
        num_classes: Outputs of the new head.
        name: Path of the head, such as `"classifier.6"`, where it is not the last one.

    Returns:
        The new layer: its parameters are those to train first.

    Raises:
        TypeError: If `model` is no `nn.Module`, or `num_classes` no integer.
        ValueError: If `num_classes` is below 1, there is no module of that name, or
            the last layer is no head: neither linear nor a 1x1 convolution, as in a
            network that ends in normalisation or has lost its head.

    Examples:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Linear(32, 1000))
        >>> replace_head(net, 5)
        Linear(in_features=32, out_features=5, bias=True)
        >>> net[2].out_features
        5
    """
    heads = find_heads(model, name)
    classes = as_int("num_classes", num_classes, 1)
    fresh = {head: _like(_head(model, head), classes) for head in heads}
    for head, layer in fresh.items():
        parent, _, attribute = head.rpartition(".")
        setattr(model.get_submodule(parent), attribute, layer)
    if "num_classes" in vars(model):
        vars(model)["num_classes"] = classes
    return fresh[heads[-1]]


def find_heads(model: nn.Module, name: str | None = None) -> list[str]:
    """Return the names of a network's heads.

    Args:
        model: The network.
        name: Name of the head, if it is known.

    Returns:
        Names, the auxiliary ones first, the head last.

    Raises:
        TypeError: If `model` is no `nn.Module`.
        ValueError: If there is no head.
    """
    check_module(model)
    last: dict[str, str] = {}  # by auxiliary head; "" for the network itself
    for path, module in named_modules(model):
        tensors = *module.parameters(recurse=False), *module.buffers(recurse=False)
        if path and tensors:
            last[_auxiliary_part(path)] = path
    main = name or last.pop("", "")
    auxiliary = [path for part, path in last.items() if part]
    return [path for path in (*auxiliary, main) if _head(model, path)]


def _auxiliary_part(path: str) -> str:
    parts = path.split(".")
    names = (".".join(parts[: n + 1]) for n in range(len(parts)))
    return next((part for part in names if is_auxiliary(part)), "")


def _head(model: nn.Module, path: str) -> _Head:
    """Return a head; refuse what is not linear, nor a convolution of one pixel."""
    if not path:
        raise ValueError(
            f"expected a network with a head in it, got {type(model).__name__}"
        )
    try:
        layer = model.get_submodule(path)
    except AttributeError:
        raise ValueError(f"expected the name of a module, got name={path!r}") from None
    if isinstance(layer, nn.Linear):
        return layer
    if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d) and _is_pointwise(layer):
        return layer
    raise ValueError(
        "expected the last layer, the head, to be linear or a 1x1 convolution, got "
        f"{type(layer).__name__} ({path}); pass name= if the head is elsewhere"
    )


def _is_pointwise(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> bool:
    return {*layer.kernel_size, layer.groups} == {1}


def _like(layer: _Head, num_classes: int) -> nn.Module:
    """Return a fresh layer like the old one, but for the number of outputs."""
    options: dict[str, Any] = {
        "bias": layer.bias is not None,
        "device": layer.weight.device,
        "dtype": layer.weight.dtype,
    }
    if isinstance(layer, nn.Linear):
        fresh = nn.Linear(layer.in_features, num_classes, **options)
    else:
        flat = nn.Conv1d if isinstance(layer, nn.Conv1d) else nn.Conv2d
        kind = nn.Conv3d if isinstance(layer, nn.Conv3d) else flat
        options |= {"stride": layer.stride, "padding": layer.padding}
        fresh = kind(layer.in_channels, num_classes, 1, **options)
    return fresh.train(layer.training)

"""Freezing: parameters that get no gradient, statistics that do not move."""

from functools import partial
from typing import SupportsIndex, TypeVar

from torch import nn

from dlref.shapes._arguments import as_int
from dlref.transfer._layers import (
    check_module,
    is_auxiliary,
    named_modules,
    weight_layers,
)

__all__ = ["freeze", "unfreeze", "unfreeze_last"]

_Module = TypeVar("_Module", bound=nn.Module)


def freeze(module: _Module, *, batch_norm: bool = True) -> _Module:
    """Freeze a module in place: no parameter learns, no running statistic moves.

    Without gradients an optimizer leaves the parameters alone. That is not enough for
    batch normalisation: in training mode it normalises by the batch, and moves its
    `running_mean` and `running_var` at every forward pass, gradient or none. So these
    layers are put into evaluation mode, and stay in it when `train()` is called later,
    on them or on the network around them.

    Dropout is not touched: in a network in training mode it drops frozen features too.

    Args:
        module: A network, or a part of it such as `model.features`. Changed in place,
            as by `requires_grad_(False)`.
        batch_norm: Keep the running statistics as well. False freezes the parameters
            alone, and lets the statistics follow the new data.

    Returns:
        The same module.

    Raises:
        TypeError: If it is no `nn.Module`.

    Examples:
        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        >>> freeze(net).train()[1].training
        False
        >>> any(p.requires_grad for p in net.parameters())
        False

    References:
        [Keras, transfer learning and fine-tuning](https://keras.io/guides/transfer_learning/):
        a frozen batch normalisation runs in inference mode.
    """
    check_module(module)
    module.requires_grad_(requires_grad=False)
    for layer in module.modules() if batch_norm else ():
        if _has_statistics(layer):
            layer.eval()
            # An attribute of the object hides the method of its class. A partial of a
            # function that can be imported survives deepcopy and torch.save.
            vars(layer)["train"] = partial(_stay, layer)
    return module


def unfreeze(module: _Module, *, batch_norm: bool = True) -> _Module:
    """Undo [`freeze`][dlref.transfer.freeze] in place: parameters learn again.

    Args:
        module: A network, or a part of it. Changed in place.
        batch_norm: Let batch normalisation follow `train()` and `eval()` again, and be
            in the mode that `module` itself is in. False leaves its statistics as they
            are, which is the usual advice for fine-tuning: moving statistics would
            undo what the layers after them have learned.

    Returns:
        The same module.

    Raises:
        TypeError: If it is no `nn.Module`.

    Examples:
        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        >>> unfreeze(freeze(net)).train()[1].training
        True
    """
    check_module(module)
    module.requires_grad_(requires_grad=True)
    if batch_norm:
        _release(module, mode=module.training)
    return module


def unfreeze_last(
    module: _Module, n: SupportsIndex, *, batch_norm: bool = True
) -> _Module:
    """Unfreeze the last n layers of a module in place; the others stay as they are.

    Layers are counted as in "VGG16": those with a matrix or a kernel of weights.
    Whatever is registered after the first of the n, such as its normalisation, is
    unfrozen with it. The order is that of registration, which is the order of execution
    in almost all networks. Auxiliary heads (`aux…`, as in GoogLeNet) do not count and
    are unfrozen.

    Args:
        module: A network, or a part of it. Changed in place.
        n: Number of layers, the head included: 1 is the head alone.
        batch_norm: As for [`unfreeze`][dlref.transfer.unfreeze].

    Returns:
        The same module.

    Raises:
        TypeError: If it is no `nn.Module`, or n is no integer.
        ValueError: If n is below 1, or there are fewer layers.

    Examples:
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> unfreeze_last(freeze(net), 1)[2].weight.requires_grad
        True
        >>> net[0].weight.requires_grad
        False
    """
    check_module(module)
    layers = weight_layers(module)
    count = as_int("n", n, 1)
    if count > len(layers):
        raise ValueError(f"expected n <= {len(layers)}, its layers, got n={count}")
    begun = False
    for name, part in named_modules(module):
        begun = begun or name == layers[-count]
        if not (begun or is_auxiliary(name)):
            continue
        for parameter in part.parameters(recurse=False):
            parameter.requires_grad_()
        if batch_norm and _has_statistics(part):
            _release(part, mode=module.training)
    return module


def _stay(layer: nn.Module, mode: bool = True) -> nn.Module:
    """Stand in for `layer.train`: it stays in evaluation mode whatever the mode."""
    del mode
    return layer


def _release(module: nn.Module, *, mode: bool) -> None:
    """Give back to all layers in a module the `train` of their class."""
    for layer in module.modules():
        if vars(layer).pop("train", None) is not None:
            layer.train(mode)


def _has_statistics(layer: nn.Module) -> bool:
    """Tell batch normalisation (and instance normalisation) with running statistics."""
    return getattr(layer, "running_mean", None) is not None

"""What can be read off a layer: its window, and what one call of it costs."""

from collections.abc import Iterable
from typing import Any, NamedTuple, cast

from torch import Tensor, nn

from dlref.shapes import conv_macs

__all__ = [
    "Window",
    "count_macs",
    "first_tensor",
    "is_convolution",
    "is_layer",
    "read_window",
]

# parameters that scale, or are looked up: no multiply-accumulate, whatever their shape
_FREE = nn.LayerNorm, nn.RMSNorm, nn.Embedding, nn.EmbeddingBag
_CONVOLUTION = "in_channels", "out_channels", "kernel_size", "groups", "weight"


class Window(NamedTuple):
    """Kernel, stride, padding and dilation of a layer along each axis, or None."""

    kernel_size: tuple[int, ...] | None = None
    stride: tuple[int, ...] | None = None
    padding: tuple[int, ...] | str | None = None
    dilation: tuple[int, ...] | None = None


def is_layer(module: nn.Module) -> bool:
    """Tell whether a module is one row: nothing in it is looked at by itself.

    Args:
        module: Part of a network.

    Returns:
        True if it has no children, or is one of torch's layers that keep parts of
        theirs in children (attention, a convolution with a parametrized weight).
    """
    of_torch = isinstance(module, nn.Linear | nn.MultiheadAttention | nn.RNNBase)
    childless = next(module.children(), None) is None
    return childless or of_torch or _has_kernels(module)


def is_convolution(module: nn.Module) -> bool:
    """Tell whether a module is a convolution, torch's or one built like it.

    Args:
        module: Part of a network.

    Returns:
        True unless it is a transposed one or something else.
    """
    return _has_kernels(module) and not getattr(module, "transposed", False)


def _has_kernels(module: nn.Module) -> bool:
    return all(hasattr(module, name) for name in _CONVOLUTION)


def read_window(module: nn.Module, y: Tensor | None) -> Window:
    """Return the window of a layer.

    Args:
        module: The layer.
        y: What it returned, which tells the number of axes where the layer has one
            number for all of them.

    Returns:
        One number per axis for what the layer has.
    """
    kernel: object = getattr(module, "kernel_size", None)
    if y is None or kernel is None:
        return Window()
    axes = y.ndim - 2
    padding: object = getattr(module, "padding", None)
    return Window(
        _per_axis(kernel, axes),
        _per_axis(getattr(module, "stride", None) or kernel, axes),
        padding if isinstance(padding, str) else _per_axis(padding, axes),
        _per_axis(getattr(module, "dilation", None), axes),
    )


def count_macs(module: nn.Module, x: Tensor | None, y: Tensor | None) -> int | None:
    """Return the multiply-accumulate operations of one call of a layer.

    Args:
        module: The layer.
        x: What it was given, batch included.
        y: What it returned, batch included.

    Returns:
        Their number for the whole batch; 0 for layers that have none by convention;
        None for a layer that is not known here and has matrices of parameters.
    """
    layer: Any = module
    matrices = [p.numel() for p in module.parameters() if p.ndim > 1]
    if not matrices or isinstance(module, _FREE):
        return 0
    if x is None or y is None:
        return None
    if isinstance(module, nn.Linear):
        return y.numel() * module.in_features
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):  # every matrix at every step
        return x.shape[:-1].numel() * sum(matrices)
    if not _has_kernels(module):
        return None
    # A transposed convolution is a convolution read backwards: each pixel of its input
    # is spread over a window.
    sides = (layer.in_channels, x), (layer.out_channels, y)
    (c, _), (k, image) = sides if is_convolution(module) else sides[::-1]
    window = tuple(layer.weight.shape[2:])
    positions = tuple(image.shape[-len(window) :])
    batch = image.shape[: -len(window)].numel() // k
    return batch * conv_macs(c, k, window, positions, groups=layer.groups)


def first_tensor(value: object) -> Tensor | None:
    """Return the first tensor in nested tuples, lists and dictionaries.

    Args:
        value: What a module took or gave.

    Returns:
        The tensor, or None if there is none.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, dict):
        value = list(cast("dict[object, object]", value).values())
    if isinstance(value, list | tuple):
        found = map(first_tensor, cast("Iterable[object]", value))
        return next((tensor for tensor in found if tensor is not None), None)
    return None


def _per_axis(value: object, axes: int) -> tuple[int, ...] | None:
    if isinstance(value, int):
        return (value,) * axes
    return tuple(cast("Iterable[int]", value)) if isinstance(value, tuple) else None

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

_FREE = (  # parameters that scale, shift or are looked up; no multiply-accumulate
    nn.modules.batchnorm._NormBase,  # pyright: ignore[reportPrivateUsage]
    nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, nn.PReLU, nn.Embedding, nn.EmbeddingBag,
)  # fmt: skip
_WHOLE = (nn.MultiheadAttention, nn.RNNBase, nn.RNNCellBase)


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
        theirs in children (a parametrized convolution, attention).
    """
    whole = isinstance(module, _WHOLE) or _is_conv(module)
    return whole or isinstance(module, nn.Linear) or not any(module.children())


def _is_conv(module: nn.Module) -> bool:
    """Tell a convolution, torch's or one that is built like it."""
    names = ("in_channels", "out_channels", "kernel_size", "groups", "weight")
    return all(hasattr(module, name) for name in names) and module.weight is not None


def is_convolution(module: nn.Module) -> bool:
    """Tell whether a module is a convolution, and not a transposed one."""
    return _is_conv(module) and not getattr(module, "transposed", False)


def read_window(module: nn.Module, y: Tensor | None) -> Window:
    """Return the window of a layer.

    Args:
        module: The layer.
        y: What it returned, which tells the number of axes where the layer has one
            number for all of them.

    Returns:
        One number per axis for what the layer has.
    """
    if y is None or not hasattr(module, "kernel_size"):
        return Window()
    axes = y.ndim - 2
    kernel = getattr(module, "kernel_size", None)
    padding = getattr(module, "padding", None)
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
    if x is None or y is None:
        return None
    layer: Any = module
    if _is_conv(module):
        # a transposed convolution spreads each pixel of its *input* over a window
        transposed = not is_convolution(module)
        C, K, image = layer.in_channels, layer.out_channels, y
        if transposed:
            C, K, image = K, C, x
        axes = len(layer.weight.shape) - 2
        kernel, size = tuple(layer.weight.shape[2:]), tuple(image.shape[-axes:])
        batch = image.shape[:-axes].numel() // K
        return batch * conv_macs(C, K, kernel, size, groups=layer.groups)
    if isinstance(module, nn.Linear):
        return y.numel() * module.in_features
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):  # every matrix at every step
        steps = x.shape[:-1].numel()
        return steps * sum(p.numel() for p in module.parameters() if p.ndim > 1)
    known = isinstance(module, _FREE) or all(p.ndim < 2 for p in module.parameters())
    return 0 if known else None


def first_tensor(value: object) -> Tensor | None:
    """Return the first tensor in nested tuples, lists and dictionaries, if any."""
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

"""The windows of an `nn.Module`, read from a trace of its `forward`.

The one file of `dlref.shapes` that imports torch; `receptive_field` imports it when it
is given a module.
"""

from typing import Any, TypeAlias

from torch import fx, nn

from dlref.shapes.convolution import same_padding

__all__ = ["windows_of_axes"]

_Window: TypeAlias = tuple[int, int, int, int]  # kernel, stride, near padding, dilation

_WINDOWS: dict[type[nn.Module], int] = {  # and their numbers of spatial axes
    nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3,
    nn.MaxPool1d: 1, nn.MaxPool2d: 2, nn.MaxPool3d: 3,
    nn.AvgPool1d: 1, nn.AvgPool2d: 2, nn.AvgPool3d: 3,
    nn.ConstantPad1d: 1, nn.ConstantPad2d: 2, nn.ConstantPad3d: 3,  # ZeroPad's parents
}  # fmt: skip

_ELEMENTWISE: tuple[type[nn.Module], ...] = (
    nn.Identity, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.CELU,
    nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid, nn.LogSigmoid, nn.Tanh, nn.Softplus,
    nn.Softsign, nn.Softshrink, nn.Tanhshrink, nn.Hardshrink, nn.Hardtanh, nn.Hardswish,
    nn.Hardsigmoid, nn.Threshold, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d,
    nn.AlphaDropout, nn.FeatureAlphaDropout,
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d,  # with its running statistics
    nn.LocalResponseNorm,  # across channels
)  # fmt: skip

_ELEMENTWISE_FUNCTIONS = {
    "relu", "relu_", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish",
    "sigmoid", "tanh", "softplus", "hardtanh", "hardswish", "hardsigmoid", "dropout",
    "contiguous",
}  # fmt: skip


class _Tracer(fx.Tracer):
    """A tracer that does not look into a subclass of a layer known here."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        known = (*_WINDOWS, *_ELEMENTWISE)
        return isinstance(m, known) or super().is_leaf_module(m, module_qualified_name)


def windows_of_axes(module: Any) -> list[list[_Window]]:  # noqa: ANN401
    """Return, for each spatial axis, the windows of a module in the order of execution.

    Args:
        module: An `nn.Module` whose layers follow one another.

    Returns:
        One list per axis (one empty list if nothing in the module has a window) of
        (kernel, stride, padding at the near end, dilation), in pixels.

    Raises:
        TypeError: If it is not an `nn.Module`.
        ValueError: If it branches or calls something that has no fixed window.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"expected an nn.Module, got {type(module).__name__}")
    root = nn.Sequential(module)  # so that a single layer is traced like any other
    try:
        graph = _Tracer().trace(root)
    except Exception as error:  # forward may fail in any way when it meets a stand-in
        raise ValueError(
            f"expected a forward that torch.fx can trace, got {type(error).__name__} "
            f"in {type(module).__name__}: {error}"
        ) from error
    layers = _chain(graph, root)
    axes = {_WINDOWS[_known(layer)] for layer in layers}
    if len(axes) > 1:
        raise ValueError(f"expected one number of spatial axes, got layers of {axes}")
    return [
        [_window(layer, axis) for layer in layers]
        for axis in range(max(axes, default=1))
    ]


def _chain(graph: fx.Graph, root: nn.Module) -> list[nn.Module]:
    """Return the layers with a window, having checked that one follows the other."""
    layers: list[nn.Module] = []
    previous: fx.Node | None = None
    for node in graph.nodes:
        if previous is not None and node.all_input_nodes != [previous]:
            raise ValueError(
                f"expected layers that follow one another, got a branch: {node.name} "
                f"takes {', '.join(map(str, node.all_input_nodes)) or 'no layer'}, "
                f"not {previous.name} alone"
            )
        previous = node
        if node.op == "call_module":
            layer = root.get_submodule(str(node.target))
            if isinstance(layer, tuple(_WINDOWS)):
                layers.append(layer)
            elif not isinstance(layer, _ELEMENTWISE):
                raise _refusal(node, type(layer).__name__)
        elif node.op in ("call_function", "call_method"):
            name = getattr(node.target, "__name__", str(node.target))
            if name not in _ELEMENTWISE_FUNCTIONS:
                raise _refusal(node, f"{name}()")
    return layers


def _refusal(node: fx.Node, what: str) -> ValueError:
    where = (
        str(node.target).removeprefix("0.") if node.op == "call_module" else node.name
    )
    return ValueError(
        "expected convolution, pooling, zero padding and element-wise layers, "
        f"got {what} ({where}), which has no fixed window; pass the part before it, "
        "such as model.features, or (kernel, stride, padding, dilation) tuples"
    )


def _known(layer: nn.Module) -> type[nn.Module]:
    return next(kind for kind in _WINDOWS if isinstance(layer, kind))


def _window(layer: Any, axis: int) -> _Window:  # noqa: ANN401
    """Return one axis of a layer; what is given as one number holds for every axis."""

    def at(value: int | tuple[int, ...]) -> int:
        if isinstance(value, int):
            return value
        return value[axis if len(value) > 1 else 0]

    if isinstance(layer, nn.ConstantPad1d | nn.ConstantPad2d | nn.ConstantPad3d):
        # (left, right, top, bottom, front, back): the last axis comes first.
        return 1, 1, layer.padding[len(layer.padding) - 2 * (axis + 1)], 1
    k, s, d = at(layer.kernel_size), at(layer.stride), at(getattr(layer, "dilation", 1))
    if layer.padding == "same":
        return k, s, same_padding(k, dilation=d)[0], d
    return k, s, 0 if layer.padding == "valid" else at(layer.padding), d

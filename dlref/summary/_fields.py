"""The receptive field of every tensor in a forward pass, layers and functions alike.

While `FieldMode` is active it sees each function of torch that is called, inside layers
and between them, and notes what an element of the result can see of the input.
"""

from collections.abc import Callable, Iterable, Iterator
from math import prod
from typing import Any, Literal, TypeAlias, cast

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakIdKeyDictionary

from dlref.shapes import receptive_field

__all__ = ["FieldMode", "Sight"]

_Windows: TypeAlias = tuple[tuple[int, int], ...]  # size and jump along each axis
Sight: TypeAlias = _Windows | Literal["all", "flat"] | None
"""What an element sees: a window, the whole input, or something unknown (None).

In a tensor that is "flat" each element has a window of its own, because the positions
were laid out in one axis: the next linear layer sees all of them.
"""

_ELEMENTWISE = {
    "add", "radd", "iadd", "sub", "rsub", "isub", "mul", "rmul", "imul", "div", "rdiv",
    "truediv", "rtruediv", "itruediv", "neg", "pow", "square", "sqrt", "rsqrt", "exp",
    "log", "abs", "clamp", "clip", "maximum", "minimum", "where", "lerp", "addcmul",
    "relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "celu", "selu", "gelu",
    "silu", "mish", "sigmoid", "logsigmoid", "tanh", "softplus", "softsign",
    "softshrink", "tanhshrink", "hardshrink", "hardtanh", "hardswish", "hardsigmoid",
    "threshold", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout",
    "feature_alpha_dropout", "contiguous", "clone", "detach", "to", "float", "double",
    "half", "bfloat16", "type_as",
    "batch_norm",  # with its running statistics
    "local_response_norm", "cat", "concat", "concatenate",  # along the channels
}  # fmt: skip
_VIEWS = {
    "view", "reshape", "flatten", "unflatten", "transpose", "permute", "movedim",
    "squeeze", "unsqueeze", "chunk", "split", "tensor_split", "unbind", "getitem",
    "narrow", "select", "expand", "expand_as", "view_as", "reshape_as", "swapaxes",
}  # fmt: skip
_REDUCTIONS = {"mean", "sum", "amax", "amin", "std", "var"}
_WINDOWED = {
    name: axes
    for axes in (1, 2, 3)
    for name in (f"conv{axes}d", f"max_pool{axes}d", f"avg_pool{axes}d",
                 f"lp_pool{axes}d")
}  # fmt: skip
_OVER_THE_IMAGE = {"group_norm", "instance_norm"}


class FieldMode(TorchFunctionMode):
    """Follows what each tensor sees, from an input with `axes` spatial axes."""

    def __init__(self, axes: int) -> None:
        """Know nothing yet.

        Args:
            axes: Number of spatial axes, the last ones of the input.
        """
        super().__init__()
        self._axes = axes
        self._sights: Any = WeakIdKeyDictionary()

    def begin(self, x: Tensor) -> None:
        """Say that `x` is the input, whose elements see themselves."""
        self._sights[x] = ((1, 1),) * self._axes or "flat"

    def sight(self, x: object) -> Sight:
        """Return what an element of `x` sees, None if that is unknown."""
        return self._sights.get(x) if isinstance(x, Tensor) else None

    def pass_window(self, x: Tensor | None, y: Tensor | None, *window: object) -> None:
        """Say that `y` came from `x` by a window.

        Args:
            x: Tensor that the window slid over.
            y: Result.
            *window: Kernel, stride and dilation, one number or one for each axis.
        """
        if y is not None:
            self._sights[y] = self._slide(self.sight(x), *window)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        """Call the function, then note what its results see."""
        given = kwargs or {}
        y = func(*args, **given)
        inputs = [x for x in _tensors((args, given)) if x in self._sights]
        if inputs:
            name = func.__name__.strip("_").removesuffix("_with_indices")
            for out in _tensors(y):
                self._sights[out] = self._result(name, inputs, out, args, given)
        return y

    def _result(
        self,
        name: str,
        inputs: list[Tensor],
        y: Tensor,
        args: tuple[Any, ...],
        given: dict[str, Any],
    ) -> Sight:
        """Return what the elements of one result of a function see."""
        x, before = inputs[0], [self._sights[x] for x in inputs]
        seen = _largest(before)
        if name in _WINDOWED:
            return self._slide(seen, *_window(name, args, given))
        if name == "linear":
            return "all" if seen == "flat" and y.ndim <= 2 else _keep_all(seen)
        if seen is None or isinstance(seen, str):
            safe = name in _ELEMENTWISE or (name in _VIEWS and seen == "flat")
            return seen if safe else _keep_all(seen)
        image = self._image(x)
        if name == "pad":
            return seen
        if name in _OVER_THE_IMAGE:
            return "all"
        if name.startswith("adaptive_"):
            return self._divide(seen, image, self._image(y))
        if name in _ELEMENTWISE:
            shapes = {self._image(x) for x in inputs}
            kept = self._image(y) in shapes and y.ndim == max(x.ndim for x in inputs)
            return seen if kept else None
        return self._rearrange(name, seen, x, y)

    def _rearrange(self, name: str, seen: _Windows, x: Tensor, y: Tensor) -> Sight:
        """Return what is seen after a view, or after a reduction over some axes."""
        kept = self._image(y) == self._image(x)
        if name in _REDUCTIONS:
            pooled = y.numel() * prod(self._image(x)) == x.numel()
            return seen if kept else "all" if pooled else None
        if name not in _VIEWS:
            return None
        steps = slice(-self._axes, None)
        if kept and y.stride()[steps] == x.stride()[steps]:
            return seen
        return "flat" if y.numel() == x.numel() else None

    def _image(self, x: Tensor) -> tuple[int, ...]:
        return tuple(x.shape[max(x.ndim - self._axes, 0) :])

    def _slide(
        self, seen: Sight, kernel: object, stride: object, dilation: object
    ) -> Sight:
        columns = [_spread(v, self._axes) for v in (kernel, stride, dilation)]
        if seen is None or isinstance(seen, str):
            pointwise = {1} == {*columns[0], *columns[1]}  # mixes no positions
            return seen if pointwise else _keep_all(seen)
        layers = [
            receptive_field([(k, s, 0, d)]) for k, s, d in zip(*columns, strict=True)
        ]
        return tuple(
            (size + (layer.size - 1) * jump, layer.jump * jump)
            for (size, jump), layer in zip(seen, layers, strict=True)
        )

    def _divide(
        self, seen: _Windows, image: tuple[int, ...], cells: tuple[int, ...]
    ) -> Sight:
        """Return what is seen after adaptive pooling of an image into cells."""
        if any(o == 1 < i for i, o in zip(image, cells, strict=True)):
            return "all" if all(o == 1 for o in cells) else "flat"
        if any(i % o for i, o in zip(image, cells, strict=True)):
            return "flat"  # cells of different sizes
        windows = tuple(i // o for i, o in zip(image, cells, strict=True))
        return self._slide(seen, windows, windows, 1)


def _keep_all(seen: Sight) -> Sight:
    """Return what is seen after a function that may mix anything."""
    return "all" if seen == "all" else None


def _largest(before: list[Sight]) -> Sight:
    """Return what is seen where several branches meet."""
    if len(set(before)) == 1:
        return before[0]
    if None in before or "all" in before:
        return None if None in before else "all"
    windows = [seen for seen in before if isinstance(seen, tuple)]
    axes = list(zip(*windows, strict=True))
    jumps_agree = all(len({jump for _, jump in axis}) == 1 for axis in axes)
    if "flat" in before or not jumps_agree:
        return None
    return tuple(max(axis) for axis in axes)


def _window(name: str, args: tuple[Any, ...], given: dict[str, Any]) -> list[object]:
    """Return kernel, stride and dilation of a call of a function with a window."""
    if name.startswith("conv"):
        names = ("input", "weight", "bias", "stride", "padding", "dilation")
        call = dict(zip(names, args, strict=False)) | given
        kernel = tuple(call["weight"].shape[2:])
        return [kernel, call.get("stride", 1), call.get("dilation", 1)]
    names = ("input", "kernel_size", "stride", "padding", "dilation")
    if name.startswith("lp"):
        names = ("input", "norm_type", "kernel_size", "stride")
    call = dict(zip(names, args, strict=False)) | given
    dilation = call.get("dilation", 1) if name.startswith("max") else 1
    return [call["kernel_size"], call.get("stride") or call["kernel_size"], dilation]


def _spread(value: object, axes: int) -> tuple[int, ...]:
    """Return one number for each axis."""
    if isinstance(value, int):
        return (value,) * axes
    numbers = tuple(cast("Iterable[int]", value))
    return numbers * axes if len(numbers) == 1 else numbers


def _tensors(value: object) -> Iterator[Tensor]:
    """Yield the tensors in nested lists, tuples and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in cast("dict[object, object]", value).values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in cast("Iterable[object]", value):
            yield from _tensors(item)

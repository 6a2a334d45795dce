"""One forward pass, watched: `summary` and what it notes on the way."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, SupportsIndex

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.parameter import is_lazy

from dlref.shapes._arguments import as_int, is_per_axis
from dlref.summary._fields import FieldMode, Sight
from dlref.summary._layers import (
    count_macs,
    first_tensor,
    is_convolution,
    is_layer,
    read_window,
)
from dlref.summary.table import Call, Row, Summary

__all__ = ["summary"]


def summary(
    model: nn.Module,
    input_size: Sequence[SupportsIndex],
    *,
    depth: int | None = None,
    training: bool = False,
    dtype: torch.dtype | None = None,
) -> Summary:
    """Run a model once and say what each of its layers gave and cost.

    The model runs on tensors of device `meta`, which have a shape and no values: VGG16
    takes milliseconds, and a model built under `torch.device("meta")` will do. Where
    that fails (a `forward` that looks at values) it runs once more on zeros, where its
    parameters are. Either way parameters, buffers, training flags and random generators
    are afterwards what they were; batch normalisation's statistics do not move.

    What is counted, for **one** input, without its batch:

    - *Parameters*: each is counted where it is first used; a module that is called
      twice has two rows, the second with none.
    - *MACs*, multiply-accumulate operations, of convolutions (with the taps that fall
      on padding), linear and recurrent layers. Everything else counts none, biases
      included; None marks a layer that is not known here and has matrices of
      parameters, such as attention. FLOPs are about twice as many.
    - *Receptive field*: input pixels along one axis, padding included, that one element
      of the output can see; where branches meet, the largest. It is `"all"` after
      global pooling, a linear layer over all positions and a normalisation over the
      image (not batch normalisation: its statistics count as fixed). It is None where
      the positions have just been laid out in one axis, and after what has no fixed
      window: transposed convolution, interpolation, attention.

    Operations that `forward` calls as functions (`torch.relu`, `F.max_pool2d`, `x + y`)
    have no row, and their parameters and MACs, if any, are not seen; the receptive
    field does follow them.

    Args:
        model: The network; it is left as it was.
        input_size: Shape of one input, without the batch: `(3, 224, 224)`.
        depth: Merge rows to modules at this depth: 1 gives the model's own children
            (stages), 2 their children (blocks). None gives every layer.
        training: Run as in training, which auxiliary heads may need. Without it the
            model runs as after `eval()`, whatever its flag.
        dtype: Type of the input; that of the model's parameters if None.

    Returns:
        Rows and totals; `str()` makes a table of them.

    Raises:
        TypeError: If the model is no `nn.Module`, or a size is no integer.
        ValueError: If a size is out of range, the model has parameters without a shape
            (lazy modules), or it does not accept the input.

    Examples:
        >>> net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.AvgPool2d(2))
        >>> print(summary(net, (1, 28, 28)))
        layer  kind       output   k  s  p  parameters     MACs  field
        --------------------------------------------------------------
        0      Conv2d     6x28x28  5  1  2         156  117,600      5
        1      AvgPool2d  6x14x14  2  2  0           0        0      6
        --------------------------------------------------------------
        input       1x28x28, one without its batch
        parameters  156
        MACs        117,600

    References:
        Araujo, Norris and Sim (2019), Computing receptive fields of convolutional
        neural networks, Distill,
        [doi:10.23915/distill.00021](https://doi.org/10.23915/distill.00021).
    """
    size = _check(model, input_size, depth)
    batch = 2 if training else 1  # batch normalisation in training needs two values
    first = next((p for p in model.parameters() if p.is_floating_point()), None)
    given = dtype or (torch.get_default_dtype() if first is None else first.dtype)
    watch = _Watch(model, len(size) - 1, batch)
    try:
        with _left_alone(model, training=training):
            watch.run((batch, *size), given)
    except Exception as error:  # forward may fail in any way
        raise ValueError(
            f"expected the shape of one input that {type(model).__name__} accepts, "
            f"without the batch, such as (3, 224, 224); with {size} it stops at: "
            f"{type(error).__name__}: {error}"
        ) from error
    return Summary(
        watch.calls,
        input_size=size,
        num_params=sum(p.numel() for p in model.parameters()),
        num_trainable_params=sum(
            p.numel() for p in model.parameters() if p.requires_grad
        ),
        not_called=watch.not_called(),
        depth=depth,
    )


class _Watch:
    """Hooks on every module of a model, and what they have seen."""

    def __init__(self, model: nn.Module, axes: int, batch: int) -> None:
        self.calls: list[Call] = []
        self._model = model
        self._axes = axes
        self._batch = batch
        self._names = {module: name for name, module in model.named_modules()}
        self._sizes = {  # those of the model itself; while it runs there are others
            module: {id(p): p.numel() for p in _own_parameters(module)}
            for module in self._names
        }
        self._begin()

    def _begin(self) -> None:
        self._field = FieldMode(self._axes)
        self._counted: set[int] = set()  # ids of parameters
        self._open: list[int] = []  # places in `calls` of the calls that run now
        self._inside: nn.Module | None = None  # the layer that runs now
        self.calls.clear()

    def run(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        """Run the model on `meta`, or on its own device if it must see values."""
        tensors = dict(self._model.named_parameters())
        tensors |= dict(self._model.named_buffers())
        meta = {name: value.detach().to("meta") for name, value in tensors.items()}
        devices = {value.device for value in tensors.values()}
        try:
            with torch.device("meta"):
                self._run(meta, torch.empty(shape, dtype=dtype))
        except Exception:
            if any(device.type == "meta" for device in devices):
                raise
            self._begin()
            copies = {name: b.clone() for name, b in self._model.named_buffers()}
            device = next(iter(devices), torch.get_default_device())
            self._run(copies, torch.zeros(shape, dtype=dtype, device=device))

    def _run(self, tensors: dict[str, Tensor], x: Tensor) -> None:
        hooks: list[Any] = []
        for module in self._names:
            hooks.append(module.register_forward_pre_hook(self._enter))
            hook = module.register_forward_hook(self._leave, with_kwargs=True)
            hooks.append(hook)
        try:
            self._field.begin(x)
            with torch.no_grad(), self._field:
                functional_call(self._model, tensors, (x,))
        finally:
            for hook in hooks:
                hook.remove()

    def _enter(self, module: nn.Module, _: object) -> None:
        if self._inside is not None:
            return
        self._open.append(len(self.calls))
        layer = is_layer(module)
        row = Row(
            self._names[module], type(module).__name__, (), *[None] * 4, 0, 0, None
        )
        self.calls.append(Call(len(self._open) - 1, layer, row))
        self._inside = module if layer else None

    def _leave(
        self, module: nn.Module, args: object, kwargs: object, output: object
    ) -> None:
        if self._inside not in (None, module):
            return
        self._inside = None
        place, y = self._open.pop(), first_tensor(output)
        call, x = self.calls[place], first_tensor((args, kwargs))
        finish = self._finish_layer if call.is_layer else self._finish_block
        row = call.row._replace(output_shape=self._shape(y))
        self.calls[place] = call._replace(row=finish(module, place, row, x, y))

    def _finish_layer(
        self, module: nn.Module, _: int, row: Row, x: Tensor | None, y: Tensor | None
    ) -> Row:
        window = read_window(module, y)
        if self._field.sight(y) is None and is_convolution(module):
            # one that is not made of torch's own
            k, s, _, d = window
            self._field.pass_window(x, y, k, s, d or 1)
        macs = count_macs(module, x, y)
        return row._replace(
            **window._asdict(),
            num_params=self._count(module),
            macs=None if macs is None else macs // self._batch,
            receptive_field=self._seen(y),
        )

    def _finish_block(
        self, module: nn.Module, place: int, row: Row, _: object, y: Tensor | None
    ) -> Row:
        """Sum up what ran inside; parameters of the module's own get a row as well."""
        row = row._replace(receptive_field=self._seen(y))
        if number := self._count(module):
            free = all(p.ndim < 2 for p in module.parameters(recurse=False))
            own = row._replace(num_params=number, macs=0 if free else None)
            self.calls.append(Call(len(self._open) + 1, is_layer=True, row=own))
        inner = [call.row for call in self.calls[place + 1 :] if call.is_layer]
        costs = [row.macs for row in inner]
        return row._replace(
            num_params=sum(row.num_params for row in inner),
            macs=None if None in costs else sum(cost or 0 for cost in costs),
        )

    def _count(self, module: nn.Module) -> int:
        """Return the number of those of a module's parameters not counted before."""
        sizes = self._sizes[module]
        number = sum(sizes[i] for i in sizes.keys() - self._counted)
        self._counted |= sizes.keys()
        return number

    def _shape(self, y: Tensor | None) -> tuple[int, ...]:
        shape = () if y is None else tuple(y.shape)
        return shape[1:] if shape[:1] == (self._batch,) else shape

    def _seen(self, y: Tensor | None) -> int | tuple[int, ...] | Literal["all"] | None:
        seen: Sight = self._field.sight(y)
        if seen is None or seen == "flat":
            return None
        if seen == "all":
            return "all"
        sizes = tuple(size for size, _ in seen)
        return sizes[0] if len(set(sizes)) == 1 else sizes

    def not_called(self) -> list[str]:
        """Return the outermost modules none of whose parameters was counted."""
        idle = [
            name
            for name, module in self._model.named_modules()
            if (ids := {id(p) for p in module.parameters()}) and not ids & self._counted
        ]
        return [name for name in idle if name.rpartition(".")[0] not in idle]


def _own_parameters(module: nn.Module) -> Iterator[nn.Parameter]:
    """Yield the parameters that the row of a module counts, if it gets one."""
    return module.parameters(recurse=is_layer(module))


@contextmanager
def _left_alone(model: nn.Module, *, training: bool) -> Iterator[None]:
    """Set the training flags for a while, and keep the random generators."""
    flags = {module: module.training for module in model.modules()}
    cuda = {p.device.index for p in model.parameters() if p.is_cuda}
    try:
        with torch.random.fork_rng(sorted(cuda)):
            for module in flags:  # not by eval(), which a module may have replaced
                module.training = training
            yield
    finally:
        for module, flag in flags.items():
            module.training = flag


def _check(model: object, input_size: object, depth: int | None) -> tuple[int, ...]:
    """Return the input size, or refuse it, the model or the depth."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"expected an nn.Module, got {type(model).__name__}")
    if not is_per_axis(input_size) or not input_size:
        raise TypeError(
            f"expected input_size to be a tuple of ints such as (3, 224, 224), "
            f"got {input_size!r}"
        )
    if depth is not None:
        as_int("depth", depth, 1)
    if lazy := [name for name, p in model.named_parameters() if is_lazy(p)]:
        raise ValueError(
            f"expected parameters with shapes, got lazy ones ({', '.join(lazy[:3])}): "
            "run the model once on real data first"
        )
    return tuple(as_int("input_size", length, 1) for length in input_size)

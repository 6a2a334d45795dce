"""The hooks of `summary`, and what they write down while a model runs."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from dlref.summary._fields import FieldMode
from dlref.summary._layers import (
    count_macs,
    first_tensor,
    is_convolution,
    is_layer,
    read_window,
)
from dlref.summary.table import Call, Row

__all__ = ["Watch"]


class Watch:
    """Hooks on every module of a model, and what they have seen.

    Attributes:
        calls: Every call of a module in the order in which it began.
    """

    def __init__(self, model: nn.Module, *, axes: int, batch: int) -> None:
        """Read the sizes of the parameters; nothing runs yet.

        Args:
            model: The network.
            axes: Number of spatial axes of its input.
            batch: Inputs that run at once.
        """
        self.calls: list[Call] = []
        self._model = model
        self._axes = axes
        self._batch = batch
        names = cast("Iterator[tuple[str, nn.Module]]", model.named_modules())
        self._names = {module: name for name, module in names}
        self._layers = {module for module in self._names if is_layer(module)}
        self._sizes = {  # of the model itself: while it runs, others are in their place
            module: {
                id(p): p.numel() for p in module.parameters(module in self._layers)
            }
            for module in self._names
        }
        self._begin()

    def _begin(self) -> None:
        self.calls.clear()
        self._fields = FieldMode(self._axes)
        self._counted: set[int] = set()  # ids of parameters
        self._open: list[int] = []  # places in `calls` of the blocks that run now
        self._layer: nn.Module | None = None  # the layer that runs now

    def run(self, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        """Run the model on `meta`, or on its own device if it must see values.

        Args:
            shape: Shape of the input, batch included.
            dtype: Its type.
        """
        tensors: dict[str, Tensor] = dict(self._model.named_parameters())
        tensors |= dict(self._model.named_buffers())
        meta = {name: value.detach().to("meta") for name, value in tensors.items()}
        devices = {value.device for value in tensors.values()}
        try:
            with torch.device("meta"):
                self._run(meta, torch.empty(shape, dtype=dtype))
        except Exception:
            if torch.device("meta") in devices:
                raise
            self._begin()
            copies = {name: b.clone() for name, b in self._model.named_buffers()}
            device = next(iter(devices), torch.get_default_device())
            self._run(copies, torch.zeros(shape, dtype=dtype, device=device))

    def _run(self, tensors: dict[str, Tensor], x: Tensor) -> None:
        with ExitStack() as hooks:
            for module in self._names:
                before = module.register_forward_pre_hook(self._enter)
                after = module.register_forward_hook(self._leave, with_kwargs=True)
                hooks.callback(before.remove)
                hooks.callback(after.remove)
            self._fields.begin(x)
            with torch.no_grad(), self._fields:
                functional_call(self._model, tensors, (x,))

    def _enter(self, module: nn.Module, _: object) -> None:
        if self._layer is not None:
            return
        layer = module in self._layers
        row = Row(self._names[module], type(module).__name__)
        self._open.append(len(self.calls))
        self.calls.append(Call(len(self._open) - 1, layer, row))
        self._layer = module if layer else None

    def _leave(
        self, module: nn.Module, args: object, kwargs: object, output: object
    ) -> None:
        if self._layer not in (None, module):
            return
        place, y = self._open.pop(), first_tensor(output)
        call, x = self.calls[place], first_tensor((args, kwargs))
        row = call.row._replace(output_shape=self._shape(y))
        if call.is_layer:
            row = self._finish_layer(module, row, x, y)
        else:
            row = self._finish_block(module, row, place)
        row = row._replace(receptive_field=self._see(y))
        self.calls[place] = call._replace(row=row)
        self._layer = None

    def _finish_layer(
        self, module: nn.Module, row: Row, x: Tensor | None, y: Tensor | None
    ) -> Row:
        """Count a layer; its field is known unless it is not made of torch's own."""
        k, s, p, d = read_window(module, y)
        if self._fields.sight(y) is None and is_convolution(module):
            self._fields.pass_window(x, y, k, s, d or 1)
        macs = count_macs(module, x, y)
        return row._replace(
            kernel_size=k,
            stride=s,
            padding=p,
            dilation=d,
            num_params=self._count(module),
            macs=None if macs is None else macs // self._batch,
        )

    def _finish_block(self, module: nn.Module, row: Row, place: int) -> Row:
        """Sum up what ran inside; parameters of the block's own get a row as well."""
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

    def _see(self, y: Tensor | None) -> int | tuple[int, ...] | Literal["all"] | None:
        seen = self._fields.sight(y)
        if seen is None or isinstance(seen, str):
            return "all" if seen == "all" else None
        sizes = tuple(size for size, _ in seen)
        return sizes[0] if len(set(sizes)) == 1 else sizes

    def not_called(self) -> list[str]:
        """Return the outermost modules none of whose parameters was counted.

        Returns:
            Their names, in the model's order.
        """
        idle = [
            name
            for module, name in self._names.items()
            if (ids := {id(p) for p in module.parameters()}) and not ids & self._counted
        ]
        return [name for name in idle if name.rpartition(".")[0] not in idle]

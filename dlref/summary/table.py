"""The result of `summary`: rows, totals and a table in plain text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["Call", "Row", "Summary"]

_WIDTH = 100  # columns


class Row(NamedTuple):
    """One layer in the order of execution, or several layers merged.

    Attributes:
        name: Path of the module, such as `layer1.0.conv1`; empty for the model itself.
        kind: Class of the module, such as `Conv2d`.
        output_shape: Shape of what it returned, for one input, without the batch; the
            first tensor of several.
        kernel_size: Taps along each axis; None where there is no kernel.
        stride: Pixels from one window to the next along each axis, or None.
        padding: Pixels added at each end along each axis, or torch's `"same"` or
            `"valid"`; None where there is no padding to speak of.
        dilation: Pixels from one tap to the next along each axis, or None.
        num_params: Parameters that it owns and that no row above has counted.
        macs: Multiply-accumulate operations for one input; None where a module that is
            not known here uses parameters of its own.
        receptive_field: Input pixels that one element of the output sees, along one
            axis if all axes agree, else along each; `"all"` after global pooling or a
            linear layer over all positions; None where there is no single window: see
            [`summary`][dlref.summary.summary].
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] = ()
    kernel_size: tuple[int, ...] | None = None
    stride: tuple[int, ...] | None = None
    padding: tuple[int, ...] | str | None = None
    dilation: tuple[int, ...] | None = None
    num_params: int = 0
    macs: int | None = 0
    receptive_field: int | tuple[int, ...] | Literal["all"] | None = None


class Call(NamedTuple):
    """One call of a module, together with the calls inside it.

    Attributes:
        depth: Calls around it; 0 is the model itself.
        is_layer: Whether it is a row of its own at every depth.
        row: What is said of it, inner calls included.
    """

    depth: int
    is_layer: bool
    row: Row


@dataclass(frozen=True, repr=False)
class Summary:
    """The layers of a model that ran once, and their totals; `str()` gives a table.

    Attributes:
        calls: Every call of a module in the order in which it began, outer before inner
            calls: what rows and drawings are made from.
        input_size: Shape of the input, without the batch.
        num_params: Parameters of the model, shared ones once, those that did not run
            included.
        num_trainable_params: Those of them that require a gradient.
        not_called: Modules with parameters that no row counts.
        depth: Depth at which rows are merged; None for layers.
    """

    calls: tuple[Call, ...]
    input_size: tuple[int, ...]
    num_params: int
    num_trainable_params: int
    not_called: tuple[str, ...] = ()
    depth: int | None = None

    @property
    def rows(self) -> list[Row]:
        """One row for each layer that ran, or for each block at `depth`.

        Returns:
            The rows, in the order of execution.
        """
        if self.depth is None:
            return [call.row for call in self.calls if call.is_layer]
        return [call.row for call in self.calls if _stands_at(call, self.depth)]

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations for one input.

        Returns:
            The sum over all layers, save those whose MACs are not known.
        """
        return sum(call.row.macs or 0 for call in self.calls if call.is_layer)

    def __str__(self) -> str:
        """Return the table, the totals beneath it."""
        dilated = any(d != 1 for row in self.rows for d in row.dilation or ())
        lines = [_cells(row, dilated=dilated) for row in self.rows]
        table = _align([_header(dilated=dilated), *lines])
        rule = "-" * max(map(len, table))
        return "\n".join([table[0], rule, *table[1:], rule, *self._totals()])

    def __repr__(self) -> str:
        """Return one line."""
        return (
            f"<Summary of {len(self.rows)} rows, {self.num_params:,} parameters, "
            f"{self.macs:,} MACs>"
        )

    def _totals(self) -> list[str]:
        unknown = any(call.is_layer and call.row.macs is None for call in self.calls)
        frozen = self.num_params - self.num_trainable_params
        lines = [
            f"input       {_times(self.input_size)}, one without its batch",
            f"parameters  {self.num_params:,}"
            + (f", {frozen:,} frozen" * bool(frozen)),
            f"MACs        {self.macs:,}" + ", without the rows marked ?" * unknown,
        ]
        if self.not_called:
            lines.append(f"not called  {', '.join(self.not_called)}")
        return lines


def _stands_at(call: Call, depth: int) -> bool:
    return call.depth == depth or (call.is_layer and call.depth < depth)


def _header(*, dilated: bool) -> list[str]:
    geometry = ["k", "s", "p", *["d"] * dilated]
    return ["layer", "kind", "output", *geometry, "parameters", "MACs", "field"]


def _cells(row: Row, *, dilated: bool) -> list[str]:
    field = row.receptive_field
    windows = [row.kernel_size, row.stride, row.padding, *[row.dilation] * dilated]
    return [
        row.name,
        row.kind,
        _times(row.output_shape),
        *map(_per_axis, windows),
        f"{row.num_params:,}",
        "?" if row.macs is None else f"{row.macs:,}",
        "–" if field is None else _per_axis(field),
    ]


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _per_axis(value: int | tuple[int, ...] | str | None) -> str:
    """Return one number where all axes have the same."""
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else _times(value)
    return "" if value is None else str(value)


def _align(table: list[list[str]]) -> list[str]:
    """Return the lines of a table: the first three columns to the left."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    over = sum(widths) + 2 * (len(widths) - 1) - _WIDTH
    room = max(widths[0] - max(over, 0), 12)
    widths[0] = min(widths[0], room)
    for line in table:
        if len(line[0]) > room:  # the end of a path says more than its beginning
            line[0] = "…" + line[0][1 - room :]
    return [
        "  ".join(
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    ]

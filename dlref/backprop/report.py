"""What `gradcheck` finds: one row for each tensor, and for each output if several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["GradcheckReport", "GradcheckRow", "compare"]


class GradcheckRow(NamedTuple):
    """How the derivatives with respect to one tensor compare.

    Attributes:
        tensor: Name of the tensor.
        entry: The entry of it that agrees least, measured in tolerances.
        exact: Its derivative by the chain rule.
        approximate: Its derivative by central differences.
        max_difference: Largest difference of the two among all entries; inf if NaN.
        num_wrong: Derivatives that differ by more than the tolerance.
        num_checked: Derivatives that were compared.
        output: Which output, if the function returns several; the first is 0.
        output_entry: The entry of the output; empty for a number.
    """

    tensor: str
    entry: tuple[int, ...]
    exact: float
    approximate: float
    max_difference: float
    num_wrong: int
    num_checked: int
    output: int = 0
    output_entry: tuple[int, ...] = ()


@dataclass(frozen=True)
class GradcheckReport:
    """The result of [`gradcheck`][dlref.backprop.gradcheck]; true if all agree.

    `str` makes a table of it.

    Attributes:
        rows: One for each tensor that was checked (and each output).
    """

    rows: tuple[GradcheckRow, ...]

    def __bool__(self) -> bool:
        """Return whether no derivative is wrong."""
        return not any(row.num_wrong for row in self.rows)

    @property
    def max_difference(self) -> float:
        """The largest difference.

        Returns:
            That of all rows; 0 where there was nothing to compare.
        """
        return max((row.max_difference for row in self.rows), default=0.0)

    def __str__(self) -> str:
        """Return a table with the entry of each tensor that agrees least."""
        lines = [("derivative", "exact", "approximate", "max difference", "wrong")]
        for row in self.rows:
            numbers = f"{row.exact:.6g}", f"{row.approximate:.6g}"
            wrong = f"{row.num_wrong} of {row.num_checked}"
            lines.append((_name(row), *numbers, f"{row.max_difference:.1e}", wrong))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
            for line in lines
        )


def compare(
    tensor: str,
    exact: Tensor,
    approximate: Tensor,
    shapes: tuple[Sequence[int], Sequence[int]],
    *,
    atol: float,
    rtol: float,
    output: int = 0,
) -> GradcheckRow:
    """Compare two Jacobians of an output, (entries of output, entries of tensor).

    Args:
        tensor: Name of the tensor.
        exact: By the chain rule.
        approximate: By differences.
        shapes: Of the output and of the tensor.
        atol: Difference allowed beside an `approximate` of 0.
        rtol: Difference allowed for each unit of `approximate`.
        output: Number of the output.
    """
    close = torch.isclose(exact, approximate, rtol=rtol, atol=atol)
    difference = _without_nan((exact - approximate).abs(), close)
    size = _without_nan(difference / (atol + rtol * approximate.abs()), close)
    row, column = divmod(int(size.argmax()), exact.shape[1])
    return GradcheckRow(
        tensor,
        _unravel(column, shapes[1]),
        exact[row, column].item(),
        approximate[row, column].item(),
        difference.max().item(),
        int((~close).sum()),
        close.numel(),
        output,
        _unravel(row, shapes[0]),
    )


def _without_nan(x: Tensor, close: Tensor) -> Tensor:
    """Make of inf - inf and 0 / 0 a 0 where all is well, of any other NaN the worst."""
    zero = torch.zeros_like(x)
    return torch.where(x.isnan(), torch.where(close, zero, zero + torch.inf), x)


def _name(row: GradcheckRow) -> str:
    """Return `W[0, 1]`, or `d output 1[2] / d W[0, 1]` where outputs differ."""
    tensor = f"{row.tensor}{list(row.entry) or ''}"
    if not row.output and not row.output_entry:
        return tensor
    return f"{tensor} of output {row.output}{list(row.output_entry) or ''}"


def _unravel(position: int, shape: Sequence[int]) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        position, i = divmod(position, size)
        index.insert(0, i)
    return tuple(index)

"""Pooling, one axis after the other: taps are views, and views are combined.

The first pixels of all windows are one strided view of the input, their second pixels
another, and so on. So the maximum (the sum) over every window is the maximum (the sum)
of k views: no loop over windows, no copy of them. And the maximum of a box is the
maximum, over its rows, of their maxima; so for sums. k taps an axis thus stand for k²
taps in the plane and k³ in space.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dlref.pooling._geometry import Axis, Phase

__all__ = ["empty", "formatted", "interleaved", "padded", "taps"]


def taps(x: Tensor, dim: int, phase: Phase) -> tuple[Tensor, ...]:
    """Return k views of `x`: the first pixels of all windows, the second, and so on.

    Args:
        x: Tensor, padded.
        dim: Its axis, counted from the end.
        phase: The windows.

    Returns:
        Views of one shape, with one entry per window along `dim`.
    """
    start, k, s, d = phase
    if start:
        x = x.narrow(dim, start, x.shape[dim] - start)
    return x.unfold(dim, d * (k - 1) + 1, s).unbind(-1)[::d]


def interleaved(phases: list[Tensor], dim: int) -> Tensor:
    """Put the windows of all phases in order: the first of each, then the second.

    Args:
        phases: What each phase's windows gave, along `dim`.
        dim: The axis, counted from the end.

    Returns:
        A tensor with all windows along `dim`.
    """
    if len(phases) == 1:
        return phases[0]
    return torch.stack(phases, dim).flatten(dim - 1, dim)


def padded(x: Tensor, axes: list[Axis], value: float | int) -> Tensor:
    """Return `x` with as much padding as windows reach.

    Args:
        x: Tensor whose last axes are described by `axes`.
        axes: Their windows.
        value: What to pad with.

    Returns:
        A larger tensor, or `x` itself where there is no padding.
    """
    border = [n for axis in reversed(axes) for n in (axis.before, axis.after)]
    return F.pad(x, border, value=value) if any(border) else x


def formatted(y: Tensor, x: Tensor) -> Tensor:
    """Return `y` dense in memory: channels last if `x` is, else contiguous.

    Args:
        y: The result of a pooling.
        x: Its input.

    Returns:
        The same values.
    """
    memory_format = torch.contiguous_format
    last = {4: torch.channels_last, 5: torch.channels_last_3d}.get(x.ndim)
    if last and not x.is_contiguous() and x.is_contiguous(memory_format=last):
        memory_format = last
    return y.contiguous(memory_format=memory_format)


def empty(x: Tensor, axes: list[Axis]) -> Tensor | None:
    """Return the result where an axis has no windows, else None.

    Args:
        x: The input of an adaptive pooling.
        axes: The windows of its last axes.

    Returns:
        A tensor without entries through which a gradient (of zeros) flows.
    """
    sizes = [len(axis.pixels) for axis in axes]
    if 0 not in sizes:
        return None
    single = x[(..., *[slice(1)] * len(axes))]  # (*batch, c, 1, 1)
    return single.expand(*x.shape[: -len(axes)], *sizes).contiguous()

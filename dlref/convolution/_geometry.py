"""A convolution without its numbers, and the images that it returns."""

from typing import NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._axis import Axis

__all__ = ["Geometry", "are_last", "empty_images"]


_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


class Geometry(NamedTuple):
    """All of a convolution but its numbers.

    Attributes:
        axes: The spatial axes.
        groups: Groups of channels, each a convolution of its own.
    """

    axes: tuple[Axis, ...]
    groups: int


def empty_images(
    size: tuple[int, ...],
    w: Shaped[Tensor, "k c *taps"],
    given: Shaped[Tensor, "n channels *pixels"],
) -> Shaped[Tensor, "n other_channels *other_pixels"]:
    """Return room for a result, its channels last where those of an operand are.

    Args:
        size: Its shape.
        w: The weights.
        given: The images from which it is made.

    Returns:
        Images of any value.
    """
    last = _CHANNELS_LAST.get(len(size))
    if last is None or not are_last(w, given):
        last = torch.contiguous_format
    return torch.empty(size, dtype=given.dtype, device=given.device, memory_format=last)


def are_last(*operands: Shaped[Tensor, "..."]) -> bool:
    """Tell whether one of these has its channels last."""
    return any(_is_channels_last(t) for t in operands)


def _is_channels_last(t: Tensor) -> bool:
    return t.stride(1) == 1 and t.shape[1] > 1 and not t.is_contiguous()

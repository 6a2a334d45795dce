"""Random colours.

Draws are torchvision's, seed by seed: see `dlref.transforms.augment`.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

import torch
from jaxtyping import Int
from torch import Tensor, nn

from dlref.transforms._arguments import Number, as_finite, as_numbers, is_sequence
from dlref.transforms._image import Pixels
from dlref.transforms.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)

__all__ = ["Bounds", "ColorJitter"]

Bounds: TypeAlias = tuple[float, float]
"""Smallest and largest factor."""


class ColorJitter(nn.Module):
    r"""Change brightness, contrast, saturation and hue, in random order.

    A number $v$ stands for factors uniform in $[\max(0, 1 - v), 1 + v]$; for hue, in
    $[-v, v]$ turns of the colour wheel. A pair is the range itself. A property whose
    range cannot change anything is left alone: its attribute is None, and nothing is
    drawn for it.

    Args:
        brightness: Range of the factor of `adjust_brightness`.
        contrast: Range of the factor of `adjust_contrast`.
        saturation: Range of the factor of `adjust_saturation`.
        hue: Range of the factor of `adjust_hue`, within -0.5 to 0.5.

    Raises:
        TypeError: If a range is neither a number nor a pair.
        ValueError: If a number is negative, or a range is out of order or bounds.

    Examples:
        >>> ColorJitter(hue=0.1)
        ColorJitter(brightness=None, contrast=None, saturation=None, hue=(-0.1, 0.1))
    """

    def __init__(
        self,
        brightness: Number | Sequence[Number] = 0,
        contrast: Number | Sequence[Number] = 0,
        saturation: Number | Sequence[Number] = 0,
        hue: Number | Sequence[Number] = 0,
    ) -> None:
        """Read and check the options; nothing is drawn yet."""
        super().__init__()
        self.brightness = _bounds("brightness", brightness, 1, (0.0, math.inf))
        self.contrast = _bounds("contrast", contrast, 1, (0.0, math.inf))
        self.saturation = _bounds("saturation", saturation, 1, (0.0, math.inf))
        self.hue = _bounds("hue", hue, 0, (-0.5, 0.5))

    @staticmethod
    def get_params(
        brightness: Sequence[Number] | None,
        contrast: Sequence[Number] | None,
        saturation: Sequence[Number] | None,
        hue: Sequence[Number] | None,
    ) -> tuple[
        Int[Tensor, " 4"], float | None, float | None, float | None, float | None
    ]:
        """Draw the order and the factors.

        Args:
            brightness: Smallest and largest factor; None draws none.
            contrast: The same.
            saturation: The same.
            hue: The same.

        Returns:
            A permutation of 0 to 3 (brightness, contrast, saturation, hue), and the
            four factors.
        """
        order = torch.randperm(4)
        b, c, s, h = (
            None if bounds is None else torch.empty(1).uniform_(*bounds).item()
            for bounds in (brightness, contrast, saturation, hue)
        )
        return order, b, c, s, h

    def forward(self, img: Pixels) -> Pixels:
        """Return the image in its new colours."""
        adjust = (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)
        order, *factors = self.get_params(
            self.brightness, self.contrast, self.saturation, self.hue
        )
        for i in map(int, order):
            factor = factors[i]
            if factor is not None:
                img = adjust[i](img, factor)
        return img

    def __repr__(self) -> str:
        """Return the call that makes this transform, as torchvision prints it."""
        return (
            f"{type(self).__name__}(brightness={self.brightness}"
            f", contrast={self.contrast}, saturation={self.saturation}, hue={self.hue})"
        )


def _bounds(
    name: str, value: object, center: int, limits: tuple[float, float]
) -> Bounds | None:
    """Read v or (low, high) as a range of factors; None where it is just `center`."""
    if is_sequence(value):
        if len(value) != 2:  # no ValueError: torchvision calls this a wrong type
            raise TypeError(f"{name} expected a number or (low, high), got {value!r}")
        low, high = map(float, as_numbers(name, value, (2,)))
    else:
        v = float(as_finite(name, value))
        if v < 0:
            raise ValueError(f"{name} as one number expected 0 or more, got {value}")
        low, high = center - v, center + v
        low = max(low, 0.0) if center == 1 else low  # no factor is negative
    if not limits[0] <= low <= high <= limits[1]:
        raise ValueError(f"{name} expected low <= high within {limits}, got {value!r}")
    return None if low == high == center else (low, high)

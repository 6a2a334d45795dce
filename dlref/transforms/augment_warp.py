"""Random rotations and affine maps.

Draws are torchvision's, seed by seed: see `dlref.transforms.augment`.
"""

from collections.abc import Sequence

import torch
from torch import nn

from dlref.transforms._arguments import (
    Number,
    as_finite,
    as_number,
    as_numbers,
    is_sequence,
)
from dlref.transforms._image import Canvas, Fill, Pixels, get_dimensions
from dlref.transforms.interpolation import (
    Interpolation,
    InterpolationMode,
    as_interpolation,
)
from dlref.transforms.warp import affine, rotate

__all__ = ["RandomAffine", "RandomRotation"]


class RandomRotation(nn.Module):
    """Rotate an image by an angle drawn uniformly.

    Args:
        degrees: Smallest and largest angle, in degrees, counter-clockwise; a number d
            stands for (-d, d).
        interpolation: Method of `rotate`.
        expand: Whether the result grows to hold the whole rotated image.
        center: Centre (x, y), in pixels; None is the middle.
        fill: Value of pixels from outside; None stands for 0 here.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If `degrees` is negative, or a sequence has another length or order.

    Examples:
        >>> RandomRotation(5)
        RandomRotation(degrees=[-5.0, 5.0], interpolation=nearest, expand=False, fill=0)
    """

    def __init__(
        self,
        degrees: Number | Sequence[Number],
        interpolation: Interpolation = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[Number] | None = None,
        fill: Fill = 0,
    ) -> None:
        """Read and check the options; nothing is drawn yet."""
        super().__init__()
        _check_options(None, None, center)
        self.degrees = _angles("degrees", degrees, (2,))
        self.interpolation = as_interpolation(interpolation)
        self.expand = expand
        self.center = center
        self.fill = _fill(fill)

    @staticmethod
    def get_params(degrees: Sequence[Number]) -> float:
        """Draw an angle.

        Args:
            degrees: Smallest and largest angle, in degrees.

        Returns:
            The angle, in degrees.
        """
        return _uniform(degrees[0], degrees[1])

    def forward(self, img: Canvas) -> Canvas:
        """Return the rotated image."""
        angle = self.get_params(self.degrees)
        return rotate(
            img, angle, self.interpolation, self.expand, self.center, self.fill
        )

    def __repr__(self) -> str:
        """Return the call that makes this transform, as torchvision prints it."""
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"{type(self).__name__}(degrees={self.degrees}"
            f", interpolation={self.interpolation.value}"
            f", expand={self.expand}{center}, fill={self.fill})"
        )


class RandomAffine(nn.Module):
    """Rotate, translate, scale and shear an image, each by a random amount.

    Args:
        degrees: Smallest and largest angle, in degrees, clockwise; a number d stands
            for (-d, d), and 0 for none.
        translate: Largest shifts along x and y, as shares of width and height, 0 to 1.
        scale: Smallest and largest factor.
        shear: Angles in degrees: a number d for (-d, d) along x, two numbers for the
            range along x, four for x and y.
        interpolation: Method of `affine`.
        fill: Value of pixels from outside; None stands for 0 here.
        center: Centre (x, y), in pixels; None is the middle.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a sequence has another length or order, or a number is out of
            range.

    Examples:
        >>> RandomAffine(10, translate=(0.1, 0.1))
        RandomAffine(degrees=[-10.0, 10.0], translate=(0.1, 0.1))
    """

    def __init__(
        self,
        degrees: Number | Sequence[Number],
        translate: Sequence[Number] | None = None,
        scale: Sequence[Number] | None = None,
        shear: Number | Sequence[Number] | None = None,
        interpolation: Interpolation = InterpolationMode.NEAREST,
        fill: Fill = 0,
        center: Sequence[Number] | None = None,
    ) -> None:
        """Read and check the options; nothing is drawn yet."""
        super().__init__()
        _check_options(translate, scale, center)
        self.degrees = _angles("degrees", degrees, (2,))
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else _angles("shear", shear, (2, 4))
        self.interpolation = as_interpolation(interpolation)
        self.fill = _fill(fill)
        self.center = center

    @staticmethod
    def get_params(
        degrees: Sequence[Number],
        translate: Sequence[Number] | None,
        scale_ranges: Sequence[Number] | None,
        shears: Sequence[Number] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Draw the parameters of `affine`.

        Args:
            degrees: Smallest and largest angle.
            translate: Largest shifts as shares of the size, or None.
            scale_ranges: Smallest and largest factor, or None.
            shears: Range of the shear along x, or of both, or None.
            img_size: *Width and height* of the image, in pixels.

        Returns:
            Angle, whole-pixel shifts (x, y), factor and shears (x, y).
        """
        angle = _uniform(degrees[0], degrees[1])
        tx = ty = 0
        if translate is not None:
            dx, dy = (
                share * side for share, side in zip(translate, img_size, strict=True)
            )
            tx = round(_uniform(-dx, dx))
            ty = round(_uniform(-dy, dy))
        scale = 1.0 if scale_ranges is None else _uniform(*scale_ranges)
        shear_x = shear_y = 0.0
        if shears is not None:
            shear_x = _uniform(shears[0], shears[1])
            if len(shears) == 4:
                shear_y = _uniform(shears[2], shears[3])
        return angle, (tx, ty), scale, (shear_x, shear_y)

    def forward(self, img: Pixels) -> Pixels:
        """Return the transformed image."""
        _, H, W = get_dimensions(img)
        drawn = self.get_params(
            self.degrees, self.translate, self.scale, self.shear, (W, H)
        )
        return affine(
            img,
            *drawn,
            interpolation=self.interpolation,
            fill=self.fill,
            center=self.center,
        )

    def __repr__(self) -> str:
        """Return the call that makes this transform, as torchvision prints it."""
        shown = f"degrees={self.degrees}"
        for name in ("translate", "scale", "shear"):
            value = getattr(self, name)
            shown += "" if value is None else f", {name}={value}"
        if self.interpolation is not InterpolationMode.NEAREST:
            shown += f", interpolation={self.interpolation.value}"
        shown += f", fill={self.fill}" if self.fill != 0 else ""
        shown += f", center={self.center}" if self.center is not None else ""
        return f"{type(self).__name__}({shown})"


def _uniform(low: Number, high: Number) -> float:
    """Draw a number between two bounds, all equally likely."""
    return float(torch.empty(1).uniform_(low, high).item())


def _angles(name: str, angles: object, lengths: tuple[int, ...]) -> list[float]:
    """Read (low, high), or d as (-d, d), or the two ranges of a shear."""
    if isinstance(angles, int | float):
        if as_finite(name, angles) < 0:
            raise ValueError(f"{name} as one number expected 0 or more, got {angles}")
        return [float(-angles), float(angles)]
    bounds = [float(angle) for angle in as_numbers(name, angles, lengths)]
    if bounds[0] > bounds[1] or bounds[-2] > bounds[-1]:
        raise ValueError(f"{name} expected (low, high), got {angles!r}")
    return bounds


def _check_options(translate: object, scale: object, center: object) -> None:
    """Refuse shares outside 0 to 1, factors out of order, and what is no point."""
    if translate is not None:
        shares = as_numbers("translate", translate, (2,))
        if not 0 <= min(shares) <= max(shares) <= 1:
            raise ValueError(f"translate expected shares of 0 to 1, got {translate!r}")
    if scale is not None:
        low, high = as_numbers("scale", scale, (2,))
        if not 0 < low <= high:
            raise ValueError(f"scale expected positive (low, high), got {scale!r}")
    if center is not None:
        as_numbers("center", center, (2,))


def _fill(fill: Fill) -> Number | Sequence[Number]:
    """Read None as 0, and refuse what is no number or sequence of numbers."""
    if fill is None:
        return 0
    given: object = fill
    for value in given if is_sequence(given) else [given]:
        as_number("fill", value)
    return fill

"""Names of the interpolation methods, as torchvision, torch and Pillow write them.

One method has three spellings: torchvision's enum member, whose value is the word that
`torch.nn.functional.interpolate` takes, and Pillow's integer. `as_interpolation` reads
all of them, so that nothing which worked with torchvision has to be rewritten.
"""

from enum import Enum
from typing import TypeAlias

from PIL import Image

__all__ = ["Interpolation", "InterpolationMode", "as_interpolation", "pil_resampling"]

Interpolation: TypeAlias = Enum | int
"""An `InterpolationMode`, a member of equal value (torchvision's), or Pillow's int."""


class InterpolationMode(Enum):
    """How a value between pixels is made from the pixels around it.

    Examples:
        >>> InterpolationMode("bilinear")
        <InterpolationMode.BILINEAR: 'bilinear'>
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_PIL = {
    InterpolationMode.NEAREST: Image.Resampling.NEAREST,
    InterpolationMode.LANCZOS: Image.Resampling.LANCZOS,
    InterpolationMode.BILINEAR: Image.Resampling.BILINEAR,
    InterpolationMode.BICUBIC: Image.Resampling.BICUBIC,
    InterpolationMode.BOX: Image.Resampling.BOX,
    InterpolationMode.HAMMING: Image.Resampling.HAMMING,
}
_FROM_VALUE = {mode.value: mode for mode in InterpolationMode}
_FROM_PIL = {int(resampling): mode for mode, resampling in _PIL.items()}


def as_interpolation(interpolation: Interpolation) -> InterpolationMode:
    """Return the `InterpolationMode` that a caller's spelling stands for.

    Args:
        interpolation: A member of `InterpolationMode`, a member of another enum with
            the same value (torchvision's own), or one of Pillow's integers, 0 to 5.

    Returns:
        The member of `InterpolationMode`.

    Raises:
        TypeError: If it is neither an enum member nor an integer (a plain string, too).
        ValueError: If it is one, but of no known method.

    Examples:
        >>> as_interpolation(3)  # PIL.Image.BICUBIC
        <InterpolationMode.BICUBIC: 'bicubic'>
    """
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int):  # Pillow's IntEnum members are ints as well
        if interpolation not in _FROM_PIL:
            raise ValueError(
                "interpolation expected one of Pillow's constants "
                f"{sorted(_FROM_PIL)}, got {interpolation!r}"
            )
        return _FROM_PIL[interpolation]
    value = _enum_value(interpolation)
    if value not in _FROM_VALUE:
        raise ValueError(
            "interpolation expected a member whose value is one of "
            f"{list(_FROM_VALUE)}, got {interpolation!r}"
        )
    return _FROM_VALUE[value]


def _enum_value(member: object) -> str:
    """Return the value of an enum member, and refuse what is none."""
    if not isinstance(member, Enum):
        raise TypeError(
            "interpolation expected an InterpolationMode or one of Pillow's integer "
            f"constants, got {member!r}"
        )
    return str(member.value)


def pil_resampling(mode: InterpolationMode) -> Image.Resampling:
    """Return Pillow's constant for a method (its NEAREST is the exact one already).

    Examples:
        >>> pil_resampling(InterpolationMode.BILINEAR)
        <Resampling.BILINEAR: 2>
    """
    exact = InterpolationMode.NEAREST_EXACT
    return _PIL[InterpolationMode.NEAREST if mode is exact else mode]

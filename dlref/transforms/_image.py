"""What every transform asks of its image: is it one, how large is it, what may it hold.

Two kinds of image go through the transforms: a `PIL.Image.Image`, and a tensor whose
last two axes are height and width, with a channel axis before them and any number of
batch axes in front. The kind that goes in comes out.
"""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import torch
from jaxtyping import Float, Shaped
from PIL import Image
from torch import Tensor

from dlref.transforms._arguments import Number, as_finite, as_number, is_sequence

__all__ = [
    "Canvas",
    "Fill",
    "Picture",
    "Pixels",
    "as_batch",
    "check_fill_range",
    "check_image",
    "fill_values",
    "from_batch",
    "get_dimensions",
    "largest_value",
    "pil_fill",
]

Picture: TypeAlias = Shaped[Tensor, "*batch h w"] | Image.Image
"""An image of either kind."""

Pixels = TypeVar("Pixels", Shaped[Tensor, "*batch h w"], Image.Image)
"""An image of either kind that keeps kind *and* size."""

Canvas = TypeVar("Canvas", Shaped[Tensor, "*batch _ _"], Image.Image)
"""An image of either kind that keeps its kind, while its size may change."""

Fill: TypeAlias = Number | Sequence[Number] | None
"""One value for all channels, or one a channel."""


def check_image(img: object) -> None:
    """Refuse what is neither a PIL image nor a tensor with height and width.

    Raises:
        TypeError: If so.
    """
    if isinstance(img, Tensor):
        if img.ndim < 2:
            raise TypeError(f"img expected (..., H, W), got shape {tuple(img.shape)}")
    elif not isinstance(img, Image.Image):
        received = type(img).__name__
        raise TypeError(f"img expected a PIL image or a tensor, got {received}")


def get_dimensions(img: Picture) -> tuple[int, int, int]:
    """Return channels, height and width of an image.

    Args:
        img: A PIL image, or a tensor (..., C, H, W); (H, W) counts as one channel.

    Returns:
        C, H and W, in bands and pixels.

    Raises:
        TypeError: If `img` is neither.

    Examples:
        >>> get_dimensions(torch.zeros(8, 3, 32, 48))
        (3, 32, 48)
        >>> get_dimensions(Image.new("RGBA", (48, 32)))
        (4, 32, 48)
    """
    check_image(img)
    if isinstance(img, Tensor):
        *_, height, width = shape = img.shape
        return (shape[-3] if len(shape) > 2 else 1), height, width
    return len(img.getbands()), img.height, img.width


def as_batch(
    img: Shaped[Tensor, "*batch h w"],
) -> Float[Tensor, "n c h w"]:
    """View a tensor image as a batch (N, C, H, W) of floating-point numbers.

    torch interpolates only four-dimensional float32 and float64 tensors, so every other
    type is computed in float32 and comes back through `from_batch`.
    """
    if img.dtype not in (torch.float32, torch.float64):
        img = img.to(torch.float32)
    if img.ndim == 3:
        return img.unsqueeze(0)  # (C, H, W) -> (1, C, H, W)
    if img.ndim == 2:
        return img[None, None]  # (H, W) -> (1, 1, H, W)
    return img.flatten(0, -4) if img.ndim > 4 else img  # (..., C, H, W) -> (N, C, H, W)


def from_batch(
    out: Float[Tensor, "n c h w"],
    img: Shaped[Tensor, "*batch _ _"],
    *,
    whole: bool = False,
) -> Shaped[Tensor, "*batch h w"]:
    """Give a computed batch the leading axes and the dtype of the image it came from.

    Integers are rounded to the nearest, ties to even (a plain cast would cut them off),
    except where `whole` says that the values are whole numbers already.
    """
    if img.ndim == 3:
        out = out.squeeze(0)  # (1, C, h, w) -> (C, h, w)
    elif img.ndim != 4:
        out = out.reshape(*img.shape[:-2], *out.shape[-2:])  # -> (..., h, w)
    if out.dtype == img.dtype:
        return out
    if not (whole or img.is_floating_point() or img.dtype == torch.bool):
        out = out.round()
    return out.to(img.dtype)


def largest_value(dtype: torch.dtype) -> int:
    """Return the value that stands for full intensity: 1 for floats, 255 for uint8."""
    if dtype.is_floating_point or dtype == torch.bool:
        return 1
    return torch.iinfo(dtype).max


def fill_values(fill: object, channels: int) -> list[Number] | None:
    """Return one fill value a channel, or None where no fill was asked for.

    Args:
        fill: None, a number, or a sequence of one number or of one number a channel.
        channels: Number of channels C.

    Returns:
        None, or C values.

    Raises:
        TypeError: If `fill` is something else.
        ValueError: If a sequence has neither one value nor C.

    Examples:
        >>> fill_values(7, 3), fill_values([1, 2, 3], 3)
        ([7, 7, 7], [1, 2, 3])
    """
    if fill is None:
        return None
    values = [as_number("fill", v) for v in (fill if is_sequence(fill) else [fill])]
    if len(values) not in (1, channels):
        raise ValueError(
            f"fill expected 1 or {channels} values, one a channel, got {fill!r}"
        )
    return values * channels if len(values) == 1 else values


def check_fill_range(values: Sequence[Number], dtype: torch.dtype) -> None:
    """Refuse a fill that an integer image cannot hold: it would wrap around.

    Raises:
        ValueError: If a value lies outside the range of `dtype`.
    """
    if dtype.is_floating_point or dtype == torch.bool:
        return
    low, high = torch.iinfo(dtype).min, torch.iinfo(dtype).max
    if not all(low <= value <= high for value in values):
        raise ValueError(
            f"fill expected values from {low} to {high} for {dtype}, got {list(values)}"
        )


def pil_fill(fill: Fill, img: Image.Image) -> Number | tuple[Number, ...]:
    """Return a fill in the form in which Pillow takes colours for this mode.

    Examples:
        >>> pil_fill(0.9, Image.new("RGB", (1, 1))), pil_fill(7, Image.new("L", (1, 1)))
        ((0, 0, 0), 7)
    """
    values = fill_values(0 if fill is None else fill, len(img.getbands())) or []
    if img.mode != "F":
        values = [int(as_finite("fill", value)) for value in values]
    return values[0] if len(values) == 1 else tuple(values)

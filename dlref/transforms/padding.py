"""Borders around an image: constant, or made of the image's own pixels."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int, Shaped
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dlref.transforms._arguments import Integer, as_integers, is_sequence
from dlref.transforms._image import (
    Canvas,
    Fill,
    as_batch,
    check_fill_range,
    check_image,
    fill_values,
    from_batch,
    get_dimensions,
    pil_fill,
)
from dlref.transforms.geometry import crop

__all__ = ["MODES", "Borders", "Mode", "pad", "source_index"]

Mode: TypeAlias = Literal["constant", "edge", "reflect", "symmetric"]
Borders: TypeAlias = tuple[int, int, int, int]
"""Widths left, top, right, bottom, in pixels."""

MODES: tuple[Mode, ...] = ("constant", "edge", "reflect", "symmetric")


def pad(
    img: Canvas,
    padding: Integer | Sequence[Integer],
    fill: Fill = 0,
    padding_mode: str = "constant",
) -> Canvas:
    r"""Add a border on all four sides, or cut one off where the width is negative.

    Along an axis of $n$ pixels, position $i$ of the result, counted from the image's
    first pixel (so that $-1$ is the place before it), shows pixel $s(i)$:

    | mode | around 1 2 3 | source $s(i)$ |
    |---|---|---|
    | `edge` | 1 1 **1 2 3** 3 3 | $\min(\max(i, 0), n - 1)$ |
    | `reflect` | 3 2 **1 2 3** 2 1 | $\min(j, p - j)$, $j = i \bmod p$, $p = 2n - 2$ |
    | `symmetric` | 2 1 **1 2 3** 3 2 | $\min(j, p - 1 - j)$, the same, $p = 2n$ |

    Negative widths are cut off before anything is mirrored.

    Args:
        img: A PIL image, or a tensor (..., H, W).
        padding: Width of the border, in pixels: one integer (or a sequence of one) for
            all sides, two for left/right and top/bottom, four for left, top, right,
            bottom.
        fill: Value of a constant border: a number, or for PIL images also one number a
            band. None stands for 0. Other modes ignore it.
        padding_mode: `"constant"`, `"edge"`, `"reflect"` (does not repeat the outermost
            pixel) or `"symmetric"` (repeats it).

    Returns:
        An image of H + top + bottom by W + left + right pixels.

    Raises:
        TypeError: If `img` is no image, or an argument is of another type.
        ValueError: If the number of widths is not 1, 2 or 4, a side would fall below
            0 pixels (or below 1 before a border is mirrored), the mode is unknown, or
            `fill` does not fit the bands or the dtype.

    Notes:
        Around tensors with more than one batch axis torchvision makes constant borders
        only, and none that mirror more than the image; here both follow the table, as
        they do for PIL images. It takes CMYK, YCbCr, HSV and LAB images to RGBA and RGB
        when the border is not constant; here an image keeps its mode.

    Examples:
        >>> pad(torch.tensor([[1, 2, 3]]), [2, 0], padding_mode="reflect")
        tensor([[3, 2, 1, 2, 3, 2, 1]])
    """
    check_image(img)
    _check_fill(img, fill)
    mode = _mode(padding_mode)
    borders = _borders(padding)
    if mode == "constant" and isinstance(img, Image.Image):
        return _pad_constant_pil(img, borders, fill)
    if min(borders) < 0:
        img, borders = _cut(img, borders, least=0 if mode == "constant" else 1)
    if isinstance(img, Image.Image):
        return _pad_pil(img, borders, mode)
    if mode == "constant":
        return _pad_constant_tensor(img, borders, fill)
    return _pad_tensor(img, borders, mode)


def _check_fill(img: Shaped[Tensor, "..."] | Image.Image, fill: object) -> None:
    """Refuse what is no number, and for tensors also what is more than one."""
    if fill is None or isinstance(fill, (int, float)):
        return
    if isinstance(img, Tensor):
        raise TypeError(f"fill of a tensor expected one number, got {fill!r}")
    if not is_sequence(fill):
        raise TypeError(f"fill expected a number or a sequence, got {fill!r}")


def _cut(img: Canvas, borders: Borders, least: int) -> tuple[Canvas, Borders]:
    """Cut the negative borders off; return what is left, and the other borders."""
    _, H, W = get_dimensions(img)
    left, top, right, bottom = borders
    h, w = H + min(top, 0) + min(bottom, 0), W + min(left, 0) + min(right, 0)
    if min(h, w) < least:
        raise ValueError(
            f"padding expected to leave {least} or more pixels a side of {H} x {W}, "
            f"got (left, top, right, bottom) = {borders}"
        )
    img = crop(img, max(-top, 0), max(-left, 0), h, w)
    return img, (max(left, 0), max(top, 0), max(right, 0), max(bottom, 0))


def _borders(padding: object) -> Borders:
    """Read 1, 2 or 4 widths as left, top, right, bottom."""
    widths = as_integers("padding", padding, (1, 2, 4))
    left, top, right, bottom = widths * (4 // len(widths))
    return left, top, right, bottom


def _mode(value: object) -> Mode:
    """Refuse what is no padding mode."""
    if not isinstance(value, str):
        raise TypeError(f"padding_mode expected a string, got {value!r}")
    for mode in MODES:
        if mode == value:
            return mode
    raise ValueError(f"padding_mode expected one of {MODES}, got {value!r}")


def _pad_constant_tensor(
    img: Shaped[Tensor, "*batch _ _"], borders: Borders, fill: Fill
) -> Shaped[Tensor, "*batch _ _"]:
    """Surround a tensor with one value."""
    (value,) = fill_values(fill, 1) or [0]
    check_fill_range([value], img.dtype)
    left, top, right, bottom = borders
    return F.pad(img, (left, right, top, bottom), value=value)


def _pad_constant_pil(img: Image.Image, borders: Borders, fill: Fill) -> Image.Image:
    """Put a PIL image on a larger (or smaller) one of one colour."""
    left, top, right, bottom = borders
    size = (img.width + left + right, img.height + top + bottom)
    if min(size) < 0:
        raise ValueError(
            f"padding expected to leave 0 or more pixels a side, got {size}"
        )
    out = Image.new(img.mode, size, pil_fill(fill, img))
    _copy_palette(img, out)
    out.paste(img, (left, top))
    return out


def _pad_pil(img: Image.Image, borders: Borders, mode: Mode) -> Image.Image:
    """Surround a PIL image with its own pixels (NumPy's names for it are the same)."""
    left, top, right, bottom = borders
    pixels: NDArray[np.generic] = np.asarray(img)  # (H, W) or (H, W, C)
    channels = [(0, 0)] * (pixels.ndim - 2)
    pixels = np.pad(pixels, [(top, bottom), (left, right), *channels], mode=mode)
    out = Image.fromarray(pixels)
    if out.mode != img.mode:  # an array cannot tell CMYK from RGBA
        out = Image.frombytes(img.mode, out.size, out.tobytes())
    _copy_palette(img, out)
    return out


def _copy_palette(img: Image.Image, out: Image.Image) -> None:
    """Give a new image of indexed colours the colours of the old one."""
    if img.palette is not None:
        mode = img.palette.mode
        out.putpalette(img.getpalette(mode) or [], mode)
    if "transparency" in img.info:
        out.info["transparency"] = img.info["transparency"]


def _pad_tensor(
    img: Shaped[Tensor, "*batch _ _"], borders: Borders, mode: Mode
) -> Shaped[Tensor, "*batch _ _"]:
    """Surround a tensor with its own pixels."""
    left, top, right, bottom = borders
    # torch's own padding is one pass, in floating point: exact for at most 16 bits.
    exact = img.is_floating_point() or img.dtype.itemsize <= 2
    if exact and mode == "edge":
        out = F.pad(as_batch(img), (left, right, top, bottom), mode="replicate")
        return from_batch(out, img, whole=True)
    H, W = img.shape[-2:]
    short = max(top, bottom) < H and max(left, right) < W
    if exact and mode == "reflect" and short:
        out = F.pad(as_batch(img), (left, right, top, bottom), mode="reflect")
        return from_batch(out, img, whole=True)
    return _extend(_extend(img, -1, left, right, mode), -2, top, bottom, mode)


def _extend(
    x: Shaped[Tensor, "*shape"], dim: int, before: int, after: int, mode: Mode
) -> Shaped[Tensor, "*longer"]:
    """Lengthen one axis at both ends."""
    s = torch.tensor(source_index(x.shape[dim], before, after, mode), device=x.device)
    head, tail = s[:before], s[len(s) - after :]
    return torch.cat((x.index_select(dim, head), x, x.index_select(dim, tail)), dim)


def source_index(n: int, before: int, after: int, mode: Mode) -> Int[np.ndarray, " m"]:
    r"""Return $s(i)$, see `pad`, along a padded axis, from its first pixel to its last.

    Args:
        n: Pixels along the axis, at least 1.
        before: Pixels added in front.
        after: Pixels added behind.
        mode: `"edge"`, `"reflect"` or `"symmetric"`.

    Returns:
        Indices from 0 to n - 1, one for each of the before + n + after positions.

    Examples:
        >>> source_index(3, 4, 4, "reflect")
        array([0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2])
    """
    i = np.arange(-before, n + after)
    if mode == "edge":
        return i.clip(0, n - 1)
    if mode == "symmetric":
        j = i % (2 * n)
        return np.minimum(j, 2 * n - 1 - j)
    p = max(2 * n - 2, 1)  # a single pixel has no neighbour to mirror
    return np.minimum(i % p, (-i) % p)

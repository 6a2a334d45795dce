r"""Flips and crops: pixels move or stay out, and none changes its value.

Everything here is indexing. A pixel of the result at row $y$ and column $x$ is a pixel
of the image $I$ (H rows, W columns), or 0 where there is none:

| transform | result at (y, x) |
|---|---|
| horizontal flip | $I[y,\; W - 1 - x]$ |
| vertical flip | $I[H - 1 - y,\; x]$ |
| crop | $I[\text{top} + y,\; \text{left} + x]$ |

References:
    [torchvision.transforms](https://docs.pytorch.org/vision/stable/transforms.html),
    whose results these are.
"""

from collections.abc import Sequence
from operator import index

import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from dlref.transforms._arguments import Integer, as_size
from dlref.transforms._image import Canvas, Pixels, check_image, get_dimensions

__all__ = ["center_crop", "crop", "hflip", "vflip"]


def hflip(img: Pixels) -> Pixels:
    r"""Mirror an image left to right.

    $$O[y, x] = I[y,\; W - 1 - x]$$

    Args:
        img: A PIL image, or a tensor (..., H, W) of any dtype.

    Returns:
        A new image of the same kind, size and dtype.

    Raises:
        TypeError: If `img` is no image.

    Examples:
        >>> import torch
        >>> hflip(torch.tensor([[1, 2, 3]]))
        tensor([[3, 2, 1]])
    """
    check_image(img)
    if isinstance(img, Tensor):
        return img.flip(-1)
    return img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Pixels) -> Pixels:
    r"""Mirror an image top to bottom.

    $$O[y, x] = I[H - 1 - y,\; x]$$

    Args:
        img: A PIL image, or a tensor (..., H, W) of any dtype.

    Returns:
        A new image of the same kind, size and dtype.

    Raises:
        TypeError: If `img` is no image.

    Examples:
        >>> import torch
        >>> vflip(torch.tensor([[1], [2]])).flatten()
        tensor([2, 1])
    """
    check_image(img)
    if isinstance(img, Tensor):
        return img.flip(-2)
    return img.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def crop(
    img: Canvas, top: Integer, left: Integer, height: Integer, width: Integer
) -> Canvas:
    r"""Cut out a rectangle; where it leaves the image, the result is 0.

    $$O[y, x] = I[\text{top} + y,\; \text{left} + x]$$

    Args:
        img: A PIL image, or a tensor (..., H, W).
        top: Row of the rectangle's first row, in pixels; may be negative.
        left: Column of its first column, in pixels; may be negative.
        height: Rows of the result, in pixels.
        width: Columns of the result, in pixels.

    Returns:
        An image of `height` by `width` pixels. Of a tensor that holds the whole
        rectangle it is a *view*, which shares memory with `img`.

    Raises:
        TypeError: If `img` is no image, or a number is no integer.
        ValueError: If `height` or `width` is negative.

    Notes:
        torchvision returns a wrong size for a tensor when the rectangle lies wholly
        above or to the left of it (its slice then counts from the far end). Here the
        result is the all-zero rectangle that Pillow gives, too.

    Examples:
        >>> import torch
        >>> crop(torch.arange(1, 10).view(3, 3), top=1, left=-1, height=1, width=3)
        tensor([[0, 4, 5]])
    """
    check_image(img)
    try:
        top, left, height, width = map(index, (top, left, height, width))
    except TypeError:
        raise TypeError(
            f"crop expected integers, got {top=}, {left=}, {height=}, {width=}"
        ) from None
    if min(height, width) < 0:
        raise ValueError(f"crop expected sides of 0 or more, got {height=}, {width=}")
    bottom, right = top + height, left + width
    if isinstance(img, Image.Image):
        return img.crop((left, top, right, bottom))
    inside = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if inside.shape[-2:] == (height, width):
        return inside
    above, before = min(max(-top, 0), height), min(max(-left, 0), width)
    below, behind = height - above - inside.shape[-2], width - before - inside.shape[-1]
    return F.pad(inside, (before, behind, above, below))


def center_crop(img: Canvas, output_size: Integer | Sequence[Integer]) -> Canvas:
    r"""Cut out the middle; an image that is too small gets a border of 0.

    With $d = H - h$ rows to lose the crop starts at row $\operatorname{round}(d / 2)$,
    where an odd $d$ rounds to the *even* neighbour (Python's `round`): of 5 rows a crop
    of 4 starts at row 0, and of 7 rows at row 2. With $d < 0$, $\lfloor -d / 2 \rfloor$
    rows are added above and the rest below. Columns likewise.

    Args:
        img: A PIL image, or a tensor (..., H, W).
        output_size: Height and width $(h, w)$ of the result, in pixels, or one integer
            for both.

    Returns:
        An image of that size; for tensors a view where no border is needed.

    Raises:
        TypeError: If `img` is no image, or `output_size` no integer or pair of them.
        ValueError: If `output_size` has not one or two entries, or one is below 1.

    Examples:
        >>> import torch
        >>> center_crop(torch.arange(16).view(4, 4), 2)
        tensor([[ 5,  6],
                [ 9, 10]])
    """
    _, H, W = get_dimensions(img)
    h, w = as_size("output_size", output_size)
    return crop(img, _first_pixel(H, h), _first_pixel(W, w), h, w)


def _first_pixel(size: int, window: int) -> int:
    """Return where a centred window starts, negative where it is the larger one."""
    return round((size - window) / 2) if window < size else -((window - size) // 2)

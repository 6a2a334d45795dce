"""Change the number of pixels of an image."""

import warnings
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor

from dlref.transforms._arguments import Integer, as_integers
from dlref.transforms._image import (
    Canvas,
    as_batch,
    from_batch,
    get_dimensions,
)
from dlref.transforms.interpolation import (
    Interpolation,
    InterpolationMode,
    as_interpolation,
    pil_resampling,
)

__all__ = ["resize", "resized_size"]


def resize(
    img: Canvas,
    size: Integer | Sequence[Integer],
    interpolation: Interpolation = InterpolationMode.BILINEAR,
    max_size: Integer | None = None,
    antialias: bool | None = True,
) -> Canvas:
    r"""Resize an image.

    Pixels are squares: the centre of pixel $i$ of a new axis of $n$ pixels lies, on the
    old axis of $N$ pixels, at

    $$x = \frac{N}{n} \left(i + \tfrac{1}{2}\right) - \tfrac{1}{2}$$

    Its value is a mean of the old pixels $j$ with the weights $k(x - j)$, made to sum
    to 1:

    | method | kernel $k(t)$ |
    |---|---|
    | NEAREST_EXACT | 1 for the pixel nearest to $x$ |
    | NEAREST | 1 for pixel $\lfloor i N / n \rfloor$, which is half a pixel early |
    | BILINEAR | $\max(0, 1 - \lvert t \rvert)$ |
    | BICUBIC | Keys' cubic; $a = -0.5$ with antialiasing, $-0.75$ without |

    With antialiasing, an axis that shrinks ($N > n$) takes $k(t\, n / N)$ instead: the
    kernel grows with the step, so that every old pixel counts. Without it, those
    between two steps are skipped, and fine patterns turn into coarse ones that are not
    in the image.

    Args:
        img: A PIL image, or a tensor (..., H, W). Tensors other than float32 and
            float64 are computed in float32; integers are rounded at the end.
        size: Height and width in pixels; or one integer (or a sequence of one) for the
            shorter side, the longer one following as
            $\lfloor \text{size} \cdot \text{long} / \text{short} \rfloor$.
        interpolation: The method. Tensors: NEAREST, NEAREST_EXACT, BILINEAR, BICUBIC;
            PIL images: all. Pillow's integers are understood.
        max_size: Upper bound for the longer side, in pixels, where `size` is one
            integer; the shorter side then shrinks along.
        antialias: Whether tensors are antialiased in BILINEAR and BICUBIC. Pillow
            always does it; False then raises a warning. None leaves it to each: no
            for tensors, yes for Pillow.

    Returns:
        The resized image, or `img` itself if it has that size.

    Raises:
        TypeError: If `img` is no image, or an argument is of another type.
        ValueError: If a size is out of range, `max_size` stands beside two sizes or is
            not above `size`, or the method is not available for tensors.

    Examples:
        >>> resize(torch.tensor([[0.0, 8.0]]), [1, 4]).tolist()
        [[0.0, 2.0, 6.0, 8.0]]
        >>> resize(torch.zeros(3, 480, 640), 224).shape
        torch.Size([3, 224, 298])

    References:
        Keys (1981), Cubic convolution interpolation for digital image processing,
        [doi:10.1109/TASSP.1981.1163711](https://doi.org/10.1109/TASSP.1981.1163711).
    """
    mode = as_interpolation(interpolation)
    _, H, W = get_dimensions(img)
    h, w = resized_size((H, W), size, max_size)
    if (h, w) == (H, W):
        return img
    if isinstance(img, Tensor):
        return _resize_tensor(img, h, w, mode, antialias=bool(antialias))
    if antialias is False:
        warnings.warn(
            "Pillow always antialiases: antialias=False ignored", stacklevel=2
        )
    return img.resize((w, h), pil_resampling(mode))


def resized_size(
    image_size: tuple[int, int],
    size: Integer | Sequence[Integer],
    max_size: Integer | None = None,
) -> tuple[int, int]:
    """Return the height and width that `resize` gives an image.

    Args:
        image_size: Height and width of the image, in pixels.
        size: As in `resize`.
        max_size: As in `resize`.

    Returns:
        Height and width, in pixels.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If a size is out of range or `max_size` contradicts `size`.

    Examples:
        >>> resized_size((480, 640), 224), resized_size((480, 640), 224, max_size=256)
        ((224, 298), (192, 256))
    """
    entries = as_integers("size", size, (1, 2))
    if len(entries) == 2:
        if max_size is not None:
            raise ValueError(f"size expected one integer for {max_size=}, got {size!r}")
        h, w = entries
    else:
        h, w = _scaled_size(image_size, entries[0], max_size)
    if min(h, w, *image_size) < 1:
        raise ValueError(
            f"size expected to leave a pixel a side, got {h} x {w} from {image_size}"
        )
    return h, w


def _scaled_size(
    image_size: tuple[int, int], size: int, max_size: Integer | None
) -> tuple[int, int]:
    """Scale both sides so that the shorter one is `size`."""
    short, long = sorted(image_size)
    new_short, new_long = size, int(size * long / max(short, 1))
    if max_size is not None:
        (bound,) = as_integers("max_size", max_size, (1,))
        if bound <= size:
            raise ValueError(f"max_size expected more than {size=}, got {max_size}")
        if new_long > bound:
            new_short, new_long = int(bound * new_short / new_long), bound
    height, width = image_size
    return (new_long, new_short) if width <= height else (new_short, new_long)


def _resize_tensor(
    img: Shaped[Tensor, "*batch _ _"],
    h: int,
    w: int,
    mode: InterpolationMode,
    *,
    antialias: bool,
) -> Shaped[Tensor, "*batch {h} {w}"]:
    """Resize a tensor by torch's interpolation, one batch of (C, H, W)."""
    M = InterpolationMode
    if mode in (M.BILINEAR, M.BICUBIC):
        out = F.interpolate(
            as_batch(img),
            (h, w),
            mode=mode.value,
            align_corners=False,
            antialias=antialias,
        )
    elif mode in (M.NEAREST, M.NEAREST_EXACT):
        out = F.interpolate(as_batch(img), (h, w), mode=mode.value)
    else:
        raise ValueError(
            "interpolation of a tensor expected NEAREST, NEAREST_EXACT, BILINEAR or "
            f"BICUBIC, got {mode}"
        )
    if mode is M.BICUBIC and img.dtype == torch.uint8:
        out = out.clamp(0, 255)  # the cubic overshoots, and a cast would wrap around
    return from_batch(out, img, whole=mode in (M.NEAREST, M.NEAREST_EXACT))

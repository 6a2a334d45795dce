r"""Brightness, contrast, saturation and hue.

The first three are one idea: mix the image $I$ with an image $D$ that lacks the
property, and clip at the ends of the range,

$$O = \operatorname{clip}(f I + (1 - f) D)$$

so that $f = 0$ gives $D$, $f = 1$ gives $I$, and $f > 1$ leads away from $D$. Full
intensity is 1 for floating-point tensors and the largest value of the dtype for
integers, which are cut off, not rounded. PIL images go to `PIL.ImageEnhance`.

References:
    Haeberli and Voorhies (1994), Image processing by interpolation and extrapolation,
    [graficaobscura.com/interp](http://www.graficaobscura.com/interp/index.html), for
    the mixture; Smith (1978), Color gamut transform pairs, hexcone model,
    [doi:10.1145/965139.807361](https://doi.org/10.1145/965139.807361), for hue.
"""

import math
from typing import SupportsFloat

import torch
from jaxtyping import Float, Shaped
from PIL import Image, ImageChops, ImageEnhance
from torch import Tensor

from dlref.transforms._arguments import Real
from dlref.transforms._image import Pixels, get_dimensions, largest_value
from dlref.transforms.hsv import hsv_to_rgb, rgb_to_hsv

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_hue",
    "adjust_saturation",
    "rgb_to_gray",
]


def adjust_brightness(img: Pixels, brightness_factor: Real) -> Pixels:
    r"""Scale the intensities, or mix the image $I$ with black.

    $$O = \operatorname{clip}(f I)$$

    The ends of the range are 0 and full intensity: 1 for floating-point tensors, the
    largest value of the dtype for integers, which are cut off, not rounded.

    Args:
        img: A PIL image, or a tensor (..., 1 or 3, H, W).
        brightness_factor: $f \ge 0$: 0 is black, 1 the image, 2 twice as bright.

    Returns:
        A new image of the same kind, size and dtype.

    Raises:
        TypeError: If `img` is no image or has another number of channels, or the factor
            is no number.
        ValueError: If the factor is negative or not finite, or Pillow does not know how
            to do it in the image's mode.

    Examples:
        >>> adjust_brightness(torch.tensor([[100, 200]], dtype=torch.uint8), 1.5)
        tensor([[150, 255]], dtype=torch.uint8)

    References:
        Haeberli and Voorhies (1994), Image processing by interpolation and
        extrapolation,
        [graficaobscura.com/interp](http://www.graficaobscura.com/interp/index.html).
    """
    f = _factor("brightness_factor", brightness_factor)
    if isinstance(img, Image.Image):
        return ImageEnhance.Brightness(img).enhance(f)
    _channels(img)
    return _clip(f * img, img.dtype)


def adjust_contrast(img: Pixels, contrast_factor: Real) -> Pixels:
    r"""Spread the intensities around their mean $\mu$.

    $$O = \operatorname{clip}(f I + (1 - f) \mu)$$

    $\mu$ is the mean of the image in grey, $0.2989 R + 0.587 G + 0.114 B$ (ITU-R
    BT.601), of each image of a batch by itself. For tensors it is a fraction; Pillow
    rounds it to an integer. Range and rounding are those of `adjust_brightness`.

    Args:
        img: A PIL image, or a tensor (..., 1 or 3, H, W).
        contrast_factor: $f \ge 0$: 0 is flat grey, 1 the image.

    Returns:
        A new image of the same kind, size and dtype.

    Raises:
        TypeError: If `img` is no image or has another number of channels, or the factor
            is no number.
        ValueError: If the factor is negative or not finite, or Pillow does not know how
            to do it in the image's mode.

    Examples:
        >>> adjust_contrast(torch.tensor([[0.25, 0.75]]), 2.0)
        tensor([[0., 1.]])

    References:
        Haeberli and Voorhies (1994), Image processing by interpolation and
        extrapolation,
        [graficaobscura.com/interp](http://www.graficaobscura.com/interp/index.html).
    """
    f = _factor("contrast_factor", contrast_factor)
    if isinstance(img, Image.Image):
        return ImageEnhance.Contrast(img).enhance(f)
    gray = rgb_to_gray(img) if _channels(img) == 3 else img
    dtype = img.dtype if img.is_floating_point() else torch.float32
    axes = (-3, -2, -1)[-img.ndim :]
    mean = gray.to(dtype).mean(dim=axes, keepdim=True)  # (..., 1, 1, 1)
    return _blend(img, mean, f)


def adjust_saturation(img: Pixels, saturation_factor: Real) -> Pixels:
    r"""Move the colours away from the image $D$ in grey, or towards it.

    $$O = \operatorname{clip}(f I + (1 - f) D), \qquad
    D = 0.2989 R + 0.587 G + 0.114 B$$

    Range and rounding are those of `adjust_brightness`.

    Args:
        img: A PIL image, or a tensor (..., 1 or 3, H, W).
        saturation_factor: $f \ge 0$: 0 is grey, 1 the image.

    Returns:
        An image of the same kind, size and dtype; a tensor of one channel has no
        colour and is returned as it is.

    Raises:
        TypeError: If `img` is no image or has another number of channels, or the factor
            is no number.
        ValueError: If the factor is negative or not finite, or Pillow does not know how
            to do it in the image's mode.

    Examples:
        >>> red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(3, 1, 1)
        >>> adjust_saturation(red, 0.0).flatten()
        tensor([76, 76, 76], dtype=torch.uint8)

    References:
        Haeberli and Voorhies (1994), Image processing by interpolation and
        extrapolation,
        [graficaobscura.com/interp](http://www.graficaobscura.com/interp/index.html).
    """
    f = _factor("saturation_factor", saturation_factor)
    if isinstance(img, Image.Image):
        return ImageEnhance.Color(img).enhance(f)
    return img if _channels(img) == 1 else _blend(img, rgb_to_gray(img), f)


def adjust_hue(img: Pixels, hue_factor: Real) -> Pixels:
    r"""Turn the colour wheel: $h \leftarrow (h + f) \bmod 1$ in HSV.

    Args:
        img: A PIL image, or a tensor (..., 1 or 3, H, W) with values from 0 to full
            intensity, of floating point or of integers of at most 16 bits. It is
            computed in float32, whatever the dtype.
        hue_factor: $f$ from -0.5 to 0.5, in turns of the wheel; both ends give the
            complementary colours.

    Returns:
        An image of the same kind, size and dtype; an image without colour (a tensor
        of one channel, the modes 1, L, I, F) is returned as it is.

    Raises:
        TypeError: If `img` is no image or has another number of channels or a dtype too
            wide for float32, or the factor is no number.
        ValueError: If the factor is outside -0.5 to 0.5, or Pillow cannot convert the
            image's mode to HSV and back.

    Examples:
        >>> red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(3, 1, 1)
        >>> adjust_hue(red, 1 / 3).flatten()
        tensor([  0, 255,   0], dtype=torch.uint8)

    References:
        Smith (1978), Color gamut transform pairs, hexcone model,
        [doi:10.1145/965139.807361](https://doi.org/10.1145/965139.807361).
    """
    f = _number("hue_factor", hue_factor)
    if not -0.5 <= f <= 0.5:
        raise ValueError(f"hue_factor expected -0.5 to 0.5, got {hue_factor}")
    if isinstance(img, Image.Image):
        return _adjust_hue_pil(img, f)
    if _channels(img) == 1:
        return img
    if not img.is_floating_point() and img.dtype.itemsize > 2:
        raise TypeError(f"hue expected at most 16-bit integers, got {img.dtype}")
    full = largest_value(img.dtype)
    unit = img.to(torch.float32)
    h, s, v = rgb_to_hsv(unit if full == 1 else unit / full)
    out = hsv_to_rgb((h + f) % 1.0, s, v)
    if img.is_floating_point():
        return out.to(img.dtype)
    levels = full + 1 - 1e-3  # just below: an equal part of [0, 1] for each level
    return (out * levels).to(img.dtype)


def _adjust_hue_pil(img: Image.Image, f: float) -> Image.Image:
    """Turn the hue of a PIL image, which counts 256 steps a turn, by 255 f of them."""
    if img.mode in ("1", "L", "I", "F"):
        return img
    h, s, v = img.convert("HSV").split()
    step = Image.new("L", img.size, int(f * 255) % 256)
    h = ImageChops.add_modulo(h, step)
    return Image.merge("HSV", (h, s, v)).convert(img.mode)


def rgb_to_gray(img: Shaped[Tensor, "*batch 3 h w"]) -> Shaped[Tensor, "*batch 1 h w"]:
    """Return $0.2989 R + 0.587 G + 0.114 B$, cut off to the image's dtype."""
    R, G, B = img.unbind(dim=-3)
    return (0.2989 * R + 0.587 * G + 0.114 * B).to(img.dtype).unsqueeze(-3)


def _blend(
    img: Shaped[Tensor, "*batch h w"], D: Shaped[Tensor, "*other"], f: float
) -> Shaped[Tensor, "*batch h w"]:
    """Return clip(f I + (1 - f) D) in the image's dtype."""
    return _clip(f * img + (1.0 - f) * D, img.dtype)


def _clip(x: Float[Tensor, "*shape"], dtype: torch.dtype) -> Shaped[Tensor, "*shape"]:
    """Clip to the range of intensities, then cast (integers lose their fraction)."""
    return x.clamp(0, largest_value(dtype)).to(dtype)


def _channels(img: Shaped[Tensor, "*batch h w"]) -> int:
    """Return 1 or 3, and refuse other numbers of channels."""
    channels, _, _ = get_dimensions(img)
    if channels not in (1, 3):
        raise TypeError(f"img expected 1 or 3 channels, got shape {tuple(img.shape)}")
    return channels


def _number(name: str, value: object) -> float:
    """Refuse what is no number."""
    if not isinstance(value, (int, float, SupportsFloat)):
        raise TypeError(f"{name} expected a number, got {value!r}")
    return float(value)


def _factor(name: str, value: object) -> float:
    """Refuse what is no finite number of 0 or more."""
    factor = _number(name, value)
    if not 0 <= factor < math.inf:
        raise ValueError(f"{name} expected a finite number of 0 or more, got {value}")
    return factor

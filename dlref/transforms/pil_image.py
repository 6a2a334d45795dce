r"""Tensors and arrays to PIL images: the way back, with truncation.

`to_pil_image` undoes [`to_tensor`][dlref.transforms.to_tensor] for every 8-bit level,
as 255 times the quotient, rounded, is never below the level it came from. The results
are torchvision's to the bit, where floating values lie out of range too.
"""

import sys

import numpy as np
from jaxtyping import Shaped
from PIL import Image
from torch import Tensor

from dlref.transforms.conversion import Array, check_kind

__all__ = ["ToPILImage", "to_pil_image"]

# Of each row, the first is the default.
_MODES_OF_CHANNELS = {
    2: ("LA",),
    3: ("RGB", "YCbCr", "HSV"),
    4: ("RGBA", "CMYK", "RGBX"),
}
_MODES_OF_ONE_CHANNEL = {
    np.dtype(np.uint8): "L",
    np.dtype(np.int16): "I;16" if sys.byteorder == "little" else "I;16B",
    np.dtype(np.int32): "I",
    np.dtype(np.float32): "F",
}

# Up to so many values, starting Pillow's loops costs more than they save.
_FEW = 1 << 14


def to_pil_image(
    pic: Shaped[Tensor, "c h w"] | Shaped[Tensor, "h w"] | Array,
    mode: str | None = None,
) -> Image.Image:
    r"""Return a tensor or an array as a PIL image.

    Floating values are taken to lie in [0, 1] and are scaled and **truncated**:

    $$x_{h,w,c} = \lfloor 255\,y_{c,h,w} \rfloor$$

    so 0.999 becomes 254, and, out of range, levels wrap around (1.5 becomes 126 on
    x86). Rounding and clamping are the caller's:
    `(y.clamp(0, 1) * 255).round().to(torch.uint8)`. Values of other dtypes are taken as
    they are, and so are float32 values under `mode="F"`.

    | channels | mode by default | other modes |
    |---|---|---|
    | 1 | by dtype: uint8 `L`, int16 `I;16`, int32 `I`, floating `L` | float32 `F` |
    | 2 | `LA` | |
    | 3 | `RGB` | `YCbCr`, `HSV` |
    | 4 | `RGBA` | `CMYK`, `RGBX` |

    A mode names what the numbers mean; nothing is converted. Two to four channels are
    to be uint8 or floating; under an explicit mode torchvision reads the first bytes of
    any other dtype as if they were uint8, and so does this function.

    Args:
        pic: Tensor of shape (C, H, W) or (H, W), or array of shape (H, W, C) or (H, W).
        mode: One of Pillow's modes.

    Returns:
        Image of size (W, H). Of modes `L`, `I;16`, `RGBA`, `CMYK` and `RGBX` it shares
        memory with `pic` where that already stores the pixels in Pillow's order.

    Raises:
        TypeError: If `pic` is neither, or if its dtype fits no mode.
        ValueError: If `pic` is not 2- or 3-dimensional, has no or more than 4 channels,
            or if `mode` does not suit channels and dtype.

    Examples:
        >>> pic = to_pil_image(Tensor([[[0.2]], [[0.999]], [[1.0]]]))
        >>> pic.mode, pic.size, pic.getpixel((0, 0))
        ('RGB', (1, 1), (51, 254, 255))

    References:
        [torchvision.transforms.ToPILImage](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ToPILImage.html);
        [Pillow's modes](https://pillow.readthedocs.io/en/stable/handbook/concepts.html#concept-modes)
    """
    pixels = _pixels(pic)  # (H, W, C)
    if pixels.dtype.kind == "f" and mode != "F":
        pixels = (pixels * 255).astype(np.uint8)  # keeps the order in memory
    c = pixels.shape[2]
    mode = _choose_mode(c, pixels.dtype, mode)
    if c == 1:
        return _wrap(pixels[:, :, 0], mode)
    planar = pixels.strides[1] == 1  # whole rows of one channel lie together
    if planar and pixels.dtype == np.uint8 and pixels.size > _FEW:
        planes = pixels.transpose(2, 0, 1)  # (C, H, W)
        return Image.merge(mode, [_wrap(plane, "L") for plane in planes])
    return _wrap(pixels, mode)


def _pixels(
    pic: Shaped[Tensor, "c h w"] | Shaped[Tensor, "h w"] | Array,
) -> Shaped[np.ndarray, "h w c"]:
    """Return `pic` as an array of axes (H, W, C), without moving anything."""
    check_kind(pic, (Tensor, np.ndarray), "a tensor or a NumPy array")
    if isinstance(pic, Tensor):
        try:
            planes = pic.numpy(force=True)  # detached, from whatever device
        except TypeError:
            raise TypeError(
                f"pic must be of a dtype that NumPy has, got {pic.dtype}"
            ) from None
        pic = planes.transpose(1, 2, 0) if planes.ndim == 3 else planes
    return pic if pic.ndim == 3 else pic[:, :, None]


def _choose_mode(channels: int, dtype: np.dtype, mode: str | None) -> str:
    if not 1 <= channels <= 4:
        raise ValueError(f"pic must have 1 to 4 channels, got {channels}")
    if channels == 1:
        default = _MODES_OF_ONE_CHANNEL.get(dtype)
        modes = () if default is None else (default,)
    else:
        modes = _MODES_OF_CHANNELS[channels]
        default = modes[0] if dtype == np.uint8 else None
    if mode is None:
        if default is None:
            raise TypeError(f"no mode holds {channels} channel(s) of dtype {dtype}")
        return default
    if mode not in modes:
        raise ValueError(
            f"mode for {channels} channel(s) of {dtype} must be one of {modes}, "
            f"got {mode!r}"
        )
    return mode


def _wrap(
    pixels: Shaped[np.ndarray, "h w"] | Shaped[np.ndarray, "h w c"], mode: str
) -> Image.Image:
    """Return the values as an image, sharing their memory where Pillow can."""
    h, w = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    return Image.frombuffer(mode, (w, h), data, "raw", mode, 0, 1)


class ToPILImage:
    """Convert to an image: [`to_pil_image`][dlref.transforms.to_pil_image].

    Args:
        mode: One of Pillow's modes, or None to choose by channels and dtype.

    Examples:
        >>> ToPILImage()(np.ones((2, 5, 3))).size
        (5, 2)
    """

    def __init__(self, mode: str | None = None) -> None:
        """Keep the mode for later calls."""
        self.mode = mode

    def __call__(
        self, pic: Shaped[Tensor, "c h w"] | Shaped[Tensor, "h w"] | Array
    ) -> Image.Image:
        """Return `to_pil_image(pic, self.mode)`."""
        return to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        """Return the call that makes this object."""
        mode = "" if self.mode is None else f"mode={self.mode}"
        return f"{type(self).__name__}({mode})"

r"""Images to tensors.

Pillow and NumPy keep the channels of a pixel together: axes (H, W, C), 8-bit levels
0 ... 255. A network wants one plane after another, (C, H, W), in floating point.
`to_tensor` is that transposition and that change of scale, to the bit as torchvision
does them. It divides by 255: multiplication by 1/255 rounds differently for 126 of the
256 levels.

Two constants decide the route and not the result: `_FEW` and `_PLANAR_MODES`.
"""

import sys
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Shaped, UInt8
from PIL import Image
from torch import Tensor

__all__ = ["Array", "ToTensor", "check_kind", "to_tensor"]

Array: TypeAlias = Shaped[np.ndarray, "h w c"] | Shaped[np.ndarray, "h w"]
"""An image as NumPy holds it."""

_I16 = "I;16" if sys.byteorder == "little" else "I;16B"
_UNSCALED_MODES = {"I": np.int32, _I16: np.int16, "F": np.float32}

# Up to so many values, starting a loop costs more than running it: take the route with
# the fewest calls. Beyond, take the one with the fewest passes over memory.
_FEW = 1 << 14

# Of these modes Pillow hands out single bands, faster than anyone can pick them out of
# its pixels. (Of "LAB", too, but with the sign bit of A and B flipped.)
_PLANAR_MODES = frozenset({"RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV"})

_KINDS_AND_SIZES = {
    "b": (1,),
    "u": (1, 2, 4, 8),
    "i": (1, 2, 4, 8),
    "f": (2, 4, 8),
    "c": (8, 16),
}
_TORCH_DTYPES = frozenset(
    np.dtype(f"{kind}{size}")
    for kind, sizes in _KINDS_AND_SIZES.items()
    for size in sizes
)


def to_tensor(pic: Image.Image | Array) -> Shaped[Tensor, "c h w"]:
    r"""Return an image as a tensor of shape (C, H, W), 8-bit levels scaled to [0, 1].

    $$y_{c,h,w} = x_{h,w,c} / 255$$

    Only 8-bit levels are scaled, and only they become the default floating dtype. Every
    other input keeps its values **and** its dtype:

    | input | result |
    |---|---|
    | PIL `L`, `LA`, `P`, `RGB`, `RGBA`, `CMYK`, `YCbCr`, `HSV`, … | levels / 255 |
    | PIL `1` | 0.0 and 1.0 |
    | PIL `I`, `F` | unscaled, int32 and float32 |
    | PIL `I;16` | unscaled, **int16**: from 32768 on, levels turn negative |
    | PIL `I;16B`, `I;16L`, `I;16N` | low byte / 255, which is of no use |
    | array of uint8 | levels / 255 |
    | array of another dtype | unscaled, same dtype |

    `P` gives palette *indices* / 255, not colours: `pic.convert("RGB")` first.

    Args:
        pic: PIL image, or array of shape (H, W, C) or (H, W).

    Returns:
        Tensor of shape (C, H, W), contiguous, on the CPU. It shares memory with `pic`
        if, and only if, that is a writable array with nothing to scale and nothing to
        move: not uint8, and of one channel (or already stored plane by plane).

    Raises:
        TypeError: If `pic` is neither, or is an array of a dtype that torch lacks.
        ValueError: If an array is not 2- or 3-dimensional, is not in the machine's
            byte order, or has strides that torch cannot express (negative, say).

    Examples:
        >>> pic = Image.new("RGB", (2, 1), (0, 51, 255))  # Pillow's size is (W, H)
        >>> to_tensor(pic)[:, 0, 0]
        tensor([0.0000, 0.2000, 1.0000])
        >>> to_tensor(pic).shape
        torch.Size([3, 1, 2])
        >>> to_tensor(np.full((1, 1), 51.0))  # not 8-bit, so not scaled
        tensor([[[51.]]], dtype=torch.float64)

    References:
        [torchvision.transforms.ToTensor](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html)
    """
    if isinstance(pic, Image.Image):
        pic.load()  # of a file merely opened, mode and size may still change
        if pic.mode in _UNSCALED_MODES:
            values = np.array(pic, _UNSCALED_MODES[pic.mode])  # (H, W)
            return _share(values[None])
        return _scale(_levels(pic))
    _check_array(pic)
    pic = np.asarray(pic)  # of a subclass (matrix, masked array), the plain values
    planes = pic.transpose(2, 0, 1) if pic.ndim == 3 else pic[None]  # (C, H, W)
    if pic.dtype == np.uint8:
        return _scale(planes)
    return _share(planes).contiguous()


def _levels(pic: Image.Image) -> UInt8[np.ndarray, "c h w"]:
    """Return the 8-bit levels of an image, not necessarily stored in that order."""
    bands = pic.getbands()
    h, w, c = pic.height, pic.width, len(bands)
    if pic.mode == "1":
        data = bytearray(pic.tobytes("raw", "L"))  # 0 and 255
    elif pic.mode.startswith("I;16"):
        return np.array(pic, np.uint8)[None]  # the low byte: torchvision's, no use
    elif pic.mode in _PLANAR_MODES and h * w * c > _FEW:
        data = bytearray().join([pic.tobytes("raw", band) for band in bands])
        return np.frombuffer(data, np.uint8).reshape(c, h, w)
    else:
        data = bytearray(pic.tobytes())
    return np.frombuffer(data, np.uint8).reshape(h, w, c).transpose(2, 0, 1)


def _scale(levels: UInt8[np.ndarray, "c h w"]) -> Float[Tensor, "c h w"]:
    """Return levels / 255 in the default dtype, stored plane by plane."""
    dtype = torch.get_default_dtype()
    if levels.size <= _FEW and dtype == torch.float32:
        return _share(np.divide(levels, np.float32(255), dtype=np.float32, order="C"))
    x = _share(levels).to(dtype, memory_format=torch.contiguous_format)
    return x.div_(255)


def _share(values: Shaped[np.ndarray, "*axes"]) -> Shaped[Tensor, "*axes"]:
    """Return a tensor over the array's memory or, if that is read-only, over a copy."""
    if not values.flags.writeable:
        values = values.copy("K")
    # torch's stub leaves the argument without a type
    return torch.from_numpy(values)  # pyright: ignore[reportUnknownMemberType]


def _check_array(pic: Array) -> None:
    check_kind(pic, (np.ndarray,), "a PIL image or a NumPy array")
    if pic.dtype not in _TORCH_DTYPES:
        if pic.dtype.newbyteorder("=") in _TORCH_DTYPES:
            raise ValueError(
                f"pic must be in native byte order, got dtype {pic.dtype.str!r}; "
                "pic.astype(pic.dtype.newbyteorder('=')) is"
            )
        raise TypeError(f"pic must be of a numeric dtype, got {pic.dtype}")
    if any(stride < 0 or stride % pic.itemsize for stride in pic.strides):
        raise ValueError(
            f"strides of pic must be non-negative multiples of its {pic.itemsize}-byte "
            f"items, got {pic.strides}; pic.copy() has such"
        )


def check_kind(
    pic: Tensor | np.ndarray, kinds: tuple[type, ...], expected: str
) -> None:
    """Refuse what has not the type or the number of axes of an image.

    Args:
        pic: What was given.
        kinds: Types that it may have.
        expected: These types, for the error message.

    Raises:
        TypeError: If `pic` is of another type.
        ValueError: If it has not two or three dimensions.

    Examples:
        >>> check_kind(np.zeros((2, 2)), (np.ndarray,), "an array")
    """
    if not isinstance(pic, kinds):
        raise TypeError(f"pic must be {expected}, got {type(pic).__name__}")
    if pic.ndim not in (2, 3):
        raise ValueError(
            f"pic must have 2 or 3 dimensions, got shape {tuple(pic.shape)}"
        )


class ToTensor:
    """Convert an image to a tensor: [`to_tensor`][dlref.transforms.to_tensor].

    Examples:
        >>> ToTensor()(Image.new("L", (1, 1), 255))
        tensor([[[1.]]])
    """

    def __call__(self, pic: Image.Image | Array) -> Shaped[Tensor, "c h w"]:
        """Return `to_tensor(pic)`."""
        return to_tensor(pic)

    def __repr__(self) -> str:
        """Return the call that makes this object."""
        return f"{type(self).__name__}()"

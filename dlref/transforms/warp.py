"""Rotate, shear, scale and shift; the mathematics is in `dlref.transforms.sampling`."""

from collections.abc import Sequence

from PIL import Image

from dlref.transforms._arguments import Number, as_finite, as_numbers
from dlref.transforms._image import Canvas, Fill, Pixels, get_dimensions, pil_fill
from dlref.transforms.interpolation import (
    Interpolation,
    InterpolationMode,
    as_interpolation,
    pil_resampling,
)
from dlref.transforms.sampling import expanded_size, inverse_affine_matrix, warp

__all__ = ["affine", "rotate"]


def rotate(
    img: Canvas,
    angle: Number,
    interpolation: Interpolation = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[Number] | None = None,
    fill: Fill = None,
) -> Canvas:
    r"""Rotate an image counter-clockwise.

    Every pixel of the result is read off at the point that it came from. Measured from
    the centre of rotation, with y pointing down, that is for $(x', y')$

    $$\begin{pmatrix} x \\ y \end{pmatrix} = \begin{pmatrix} \cos\alpha & -\sin\alpha \\
    \sin\alpha & \cos\alpha \end{pmatrix} \begin{pmatrix} x' \\ y' \end{pmatrix}$$

    Args:
        img: A PIL image, or a tensor (..., C, H, W) or (H, W). Tensors other than
            float32 and float64 are computed in float32; integers are rounded.
        angle: $\alpha$, in degrees, counter-clockwise (`affine` turns the other way).
        interpolation: NEAREST or BILINEAR; for PIL images BICUBIC, too.
        expand: Whether the result grows so as to hold the whole rotated image (which
            supposes rotation about the middle). Otherwise the size stays.
        center: Centre of rotation (x, y), in pixels from the upper left corner; None is
            the middle.
        fill: Value of pixels that come from outside the image: a number, or one a
            channel. None is 0.

    Returns:
        The rotated image.

    Raises:
        TypeError: If `img` is no image, or an argument is of another type.
        ValueError: If the method is not available, `center` has not two entries, or
            `fill` does not fit the channels or the dtype.

    Notes:
        At the border of a BILINEAR tensor `fill=0` is darker than `fill=None`:
        `dlref.transforms.sampling.warp` says why. With `expand`, Pillow and tensors may
        disagree by one pixel in size.

    Examples:
        >>> import torch
        >>> rotate(torch.tensor([[1, 2], [3, 4]]), 90)
        tensor([[2, 4],
                [1, 3]])

    References:
        Jaderberg et al. (2015), Spatial transformer networks, section 3.2,
        [arXiv:1506.02025](https://arxiv.org/abs/1506.02025), for the sampling grid.
    """
    mode = as_interpolation(interpolation)
    as_finite("angle", angle)
    _, H, W = get_dimensions(img)
    middle = (W / 2, H / 2)
    pivot = middle if center is None else _pair("center", center)
    if isinstance(img, Image.Image):
        resample = pil_resampling(mode)
        where = None if center is None else pivot
        color = pil_fill(fill, img)
        return img.rotate(angle, resample, expand, where, fillcolor=color)
    offset = (pivot[0] - middle[0], pivot[1] - middle[1])
    matrix = inverse_affine_matrix(offset, -angle, (0, 0), 1, (0, 0))
    out_size = expanded_size(matrix, (H, W)) if expand else (H, W)
    return warp(img, matrix, out_size, mode, fill)


def affine(
    img: Pixels,
    angle: Number,
    translate: Sequence[Number],
    scale: Number,
    shear: Number | Sequence[Number],
    interpolation: Interpolation = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[Number] | None = None,
) -> Pixels:
    r"""Shear, scale, rotate clockwise, then translate an image; its size stays.

    The point $(x, y)$, with y pointing down, goes to $M (x, y, 1)^\top$, where

    $$M = T\, C\, R(\alpha)\, S\, C^{-1}, \qquad
    R(\alpha) = \begin{pmatrix} \cos\alpha & -\sin\alpha \\
    \sin\alpha & \cos\alpha \end{pmatrix}, \qquad
    S = s \begin{pmatrix} 1 & 0 \\ -\tan\varphi_y & 1 \end{pmatrix}
    \begin{pmatrix} 1 & -\tan\varphi_x \\ 0 & 1 \end{pmatrix}$$

    $C$ takes the origin to the centre, and $T$ is the final shift. Every pixel of the
    result is read off at the point that it came from, by $M^{-1}$.

    Args:
        img: A PIL image, or a tensor (..., C, H, W) or (H, W). Tensors other than
            float32 and float64 are computed in float32; integers are rounded.
        angle: $\alpha$, in degrees, clockwise (`rotate` turns the other way).
        translate: Shift $T$ to the right and down, in pixels.
        scale: Factor $s$, above 0.
        shear: Angles $\varphi_x, \varphi_y$ of the shears along x and along y, in
            degrees. A number shears along x only, but a sequence of *one* shears by it
            along both.
        interpolation: NEAREST or BILINEAR; for PIL images BICUBIC, too.
        fill: Value of pixels that come from outside the image: a number, or one a
            channel. None is 0.
        center: The point (x, y) that rotation, scale and shear leave in place, in
            pixels from the upper left corner; None is the middle.

    Returns:
        The transformed image.

    Raises:
        TypeError: If `img` is no image, or an argument is of another type.
        ValueError: If `scale` is not positive, a sequence has another length, the
            method is not available, or `fill` does not fit the channels or the dtype.

    Examples:
        >>> import torch
        >>> affine(torch.tensor([[1, 2, 3]]), 0, [1, 0], 1.0, 0.0)
        tensor([[0, 1, 2]])

    References:
        Jaderberg et al. (2015), Spatial transformer networks, section 3.2,
        [arXiv:1506.02025](https://arxiv.org/abs/1506.02025), for the sampling grid.
    """
    mode = as_interpolation(interpolation)
    as_finite("angle", angle)
    if as_finite("scale", scale) <= 0:
        raise ValueError(f"scale expected a number above 0, got {scale}")
    shift, slant = _pair("translate", translate), _shear(shear)
    _, H, W = get_dimensions(img)
    middle = (W / 2, H / 2)
    pivot = middle if center is None else _pair("center", center)
    if isinstance(img, Image.Image):  # Pillow measures from the corner
        matrix = inverse_affine_matrix(pivot, angle, shift, scale, slant)
        resample = pil_resampling(mode)
        how, color = Image.Transform.AFFINE, pil_fill(fill, img)
        return img.transform(img.size, how, matrix, resample, fillcolor=color)
    offset = (pivot[0] - middle[0], pivot[1] - middle[1])
    matrix = inverse_affine_matrix(offset, angle, shift, scale, slant)
    return warp(img, matrix, (H, W), mode, fill)


def _pair(name: str, values: object) -> tuple[Number, Number]:
    """Read two numbers (x, y)."""
    x, y = as_numbers(name, values, (2,))
    return x, y


def _shear(shear: object) -> tuple[Number, Number]:
    """Read the shear angles along x and y, in degrees."""
    if isinstance(shear, int | float):
        return as_finite("shear", shear), 0.0
    angles = as_numbers("shear", shear, (1, 2))
    return angles[0], angles[-1]

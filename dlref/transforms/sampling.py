r"""Reading an image off at other points: the mathematics of rotation and affine maps.

An affine map sends the point $(x, y)$ of the image to $M (x, y, 1)^\top$. Computing
that for the image's pixels would leave holes, so the *inverse* is applied to the
pixels of the result: each finds its source point $M^{-1} (x, y, 1)^\top$ (the sampling
grid), and its value is read off there, between pixels if need be.

References:
    Jaderberg et al. (2015), Spatial transformer networks, section 3.2,
    [arXiv:1506.02025](https://arxiv.org/abs/1506.02025), for the sampling grid.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

from dlref.transforms._arguments import Number
from dlref.transforms._image import (
    Fill,
    as_batch,
    check_fill_range,
    fill_values,
    from_batch,
    get_dimensions,
)
from dlref.transforms.interpolation import InterpolationMode

__all__ = ["expanded_size", "inverse_affine_matrix", "sampling_grid", "warp"]


def inverse_affine_matrix(
    center: Sequence[Number],
    angle: Number,
    translate: Sequence[Number],
    scale: Number,
    shear: Sequence[Number],
) -> list[float]:
    r"""Return the first two rows of $M^{-1}$, six numbers.

    With $T$ the translation by $(t_x, t_y)$ and $C$ the one that takes the origin to
    the centre $(c_x, c_y)$,

    $$M = T\, C\, R(\alpha)\, S\, C^{-1}, \qquad
    M^{-1} = C\, (R(\alpha)\, S)^{-1}\, C^{-1}\, T^{-1}$$

    where $S$ shears by $\varphi_x$ along x, by $\varphi_y$ along y, and scales by $s$:

    $$R(\alpha)\, S = s \begin{pmatrix} \cos\alpha & -\sin\alpha \\
    \sin\alpha & \cos\alpha \end{pmatrix}
    \begin{pmatrix} 1 & 0 \\ -\tan\varphi_y & 1 \end{pmatrix}
    \begin{pmatrix} 1 & -\tan\varphi_x \\ 0 & 1 \end{pmatrix}
    = s \begin{pmatrix} a & b \\ c & d \end{pmatrix}$$

    A rotation and two shears keep areas, so $ad - bc = 1$, and the inverse is at hand:

    $$(R(\alpha)\, S)^{-1}
    = \frac{1}{s} \begin{pmatrix} d & -b \\ -c & a \end{pmatrix}$$

    Args:
        center: $(c_x, c_y)$, in pixels.
        angle: $\alpha$, in degrees; clockwise on the screen, where y points down.
        translate: $(t_x, t_y)$, in pixels.
        scale: $s > 0$.
        shear: $(\varphi_x, \varphi_y)$, in degrees.

    Returns:
        $(m_{11}, m_{12}, m_{13}, m_{21}, m_{22}, m_{23})$ of $M^{-1}$.

    Examples:
        >>> inverse_affine_matrix((0, 0), 0, (3, 0), 2, (0, 0))  # x -> (x - 3) / 2
        [0.5, 0.0, -1.5, -0.0, 0.5, 0.0]
    """
    alpha, phi_x, phi_y = (math.radians(v) for v in (angle, *shear))
    a = math.cos(alpha - phi_y) / math.cos(phi_y)
    b = -math.cos(alpha - phi_y) * math.tan(phi_x) / math.cos(phi_y) - math.sin(alpha)
    c = math.sin(alpha - phi_y) / math.cos(phi_y)
    d = -math.sin(alpha - phi_y) * math.tan(phi_x) / math.cos(phi_y) + math.cos(alpha)
    (cx, cy), (tx, ty) = center, translate
    x, y = -cx - tx, -cy - ty  # C^-1 T^-1 moves the origin here
    m11, m12, m21, m22 = d / scale, -b / scale, -c / scale, a / scale
    return [m11, m12, m11 * x + m12 * y + cx, m21, m22, m21 * x + m22 * y + cy]


def sampling_grid(
    matrix: Sequence[Number],
    in_size: tuple[int, int],
    out_size: tuple[int, int],
    like: Float[Tensor, "*shape"],
) -> Float[Tensor, "1 h w 2"]:
    r"""Return the source point $M^{-1} (x, y, 1)^\top$ of every pixel of the result.

    Points are measured from the middle of the images, so the centre of the pixel in
    column $j$ of $w$ stands at $x = j + 1/2 - w/2$. Source points are handed to
    `torch.nn.functional.grid_sample` in its units: half-widths $W/2$ and half-heights
    $H/2$ of the source, so that its edges lie at -1 and 1.

    Args:
        matrix: Six numbers of $M^{-1}$, from `inverse_affine_matrix`.
        in_size: Height H and width W of the source, in pixels.
        out_size: Height h and width w of the result, in pixels.
        like: A tensor that tells dtype and device.

    Returns:
        Points (x, y), one a pixel.

    Examples:
        >>> sampling_grid([1, 0, 0, 0, 1, 0], (1, 4), (1, 4), torch.zeros(1))[..., 0]
        tensor([[[-0.7500, -0.2500,  0.2500,  0.7500]]])
    """
    (H, W), (h, w) = in_size, out_size
    points = like.new_ones(1, h, w, 3)  # (x, y, 1)
    x = torch.arange((1 - w) / 2, w / 2, dtype=like.dtype, device=like.device)
    y = torch.arange((1 - h) / 2, h / 2, dtype=like.dtype, device=like.device)
    points[..., 0], points[..., 1] = x, y[:, None]
    theta = like.new_tensor(matrix).view(1, 2, 3)
    theta = theta.mT / like.new_tensor([W / 2, H / 2])  # (1, 3, 2)
    return (points.view(1, h * w, 3) @ theta).view(1, h, w, 2)


def expanded_size(matrix: Sequence[Number], size: tuple[int, int]) -> tuple[int, int]:
    """Return the size of the smallest whole-pixel box around the rotated image.

    Args:
        matrix: Six numbers of the inverse map, measured from the middle, in pixels.
        size: Height and width of the image, in pixels.

    Returns:
        Height and width of the box, in pixels.

    Notes:
        Corners are rounded outwards, each by itself, on the pixels of the *old* image.
        A quarter turn of a side that is even into one that is odd puts them half-way
        between those, and both sides of the box come out 1 pixel too long, as they do
        in torchvision; Pillow has an exact path for quarter turns.

    Examples:
        >>> expanded_size([0, 1, 0, -1, 0, 0], (2, 4))  # a quarter turn
        (4, 2)
        >>> expanded_size([0, 1, 0, -1, 0, 0], (2, 5))
        (6, 3)
    """
    # float32 on the CPU and a step of 1e-4 pixel, as torchvision: sizes must be equal.
    H, W = size
    x, y = W / 2, H / 2
    corners = torch.tensor(
        [[-x, -y, 1], [-x, y, 1], [x, y, 1], [x, -y, 1]],
        dtype=torch.float32,
        device="cpu",
    )
    rows = corners.new_tensor(matrix).view(2, 3)
    moved = corners @ rows.mT  # (4, 2)
    half = corners.new_tensor([x, y])
    step = 1e-4  # so that 5 + 1e-7 counts as 5
    low = ((moved.amin(0) + half) / step).trunc() * step
    high = ((moved.amax(0) + half) / step).trunc() * step
    w, h = high.ceil() - low.floor()
    return int(h), int(w)


def warp(
    img: Shaped[Tensor, "*batch _ _"],
    matrix: Sequence[Number],
    out_size: tuple[int, int],
    mode: InterpolationMode,
    fill: Fill,
) -> Shaped[Tensor, "*batch _ _"]:
    r"""Read a tensor off at the sampling grid of $M^{-1}$.

    Beyond the edge `grid_sample` reads 0, so with BILINEAR a value at the border is
    $v = \sum_{j\ \text{inside}} w_j I_j$, the part that the image contributes, with
    the share $m = \sum_{j\ \text{inside}} w_j$. torchvision, and we with it, then
    returns $m v + (1 - m) \cdot \text{fill}$. An even mixture would be
    $v + (1 - m) \cdot \text{fill}$: hence the dark seam of `fill=0`, which
    `fill=None` (just $v$) does not have.

    Args:
        img: A tensor (..., C, H, W) or (H, W).
        matrix: Six numbers of $M^{-1}$, measured from the middle, in pixels.
        out_size: Height and width of the result, in pixels.
        mode: NEAREST or BILINEAR.
        fill: Value outside the image, or None.

    Returns:
        A tensor of the same dtype and leading axes.

    Raises:
        TypeError: If `fill` is neither None nor numbers.
        ValueError: If `mode` is another one, or `fill` does not fit channels or dtype.
    """
    if mode not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR):
        raise ValueError(f"a tensor expected NEAREST or BILINEAR, got {mode}")
    channels, H, W = get_dimensions(img)
    values = fill_values(fill, channels)
    batch = as_batch(img)  # (N, C, H, W)
    grid = sampling_grid(matrix, (H, W), out_size, batch)  # (1, h, w, 2)
    out = _sample(batch, grid, mode)  # (N, C, h, w)
    if values is not None:
        check_fill_range(values, img.dtype)
        color = batch.new_tensor(values)[:, None, None]  # (C, 1, 1)
        m = _sample(batch.new_ones(1, 1, H, W), grid, mode)  # (1, 1, h, w)
        if mode is InterpolationMode.NEAREST:
            out = torch.where(m < 0.5, color, out)
        else:
            out = out.mul_(m).add_((1 - m) * color)
    return from_batch(out, img)


def _sample(
    batch: Float[Tensor, "n c _ _"],
    grid: Float[Tensor, "1 h w 2"],
    mode: InterpolationMode,
) -> Float[Tensor, "n c h w"]:
    """Read a batch off at the same points for each of its images."""
    points = grid.expand(len(batch), -1, -1, -1)
    return F.grid_sample(
        batch, points, mode=mode.value, padding_mode="zeros", align_corners=False
    )

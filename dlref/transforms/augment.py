"""Random flips and crops.

Numbers are drawn from torch's global generator by the same calls, in the same order, as
torchvision's: after `torch.manual_seed(s)` both choose the same flips and boxes, and
leave the generator in the same state. Each class draws in its static `get_params` (the
flips, which need one number, in `forward`): one draw can serve an image and its mask.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import nn

from dlref.transforms._arguments import (
    Integer,
    Number,
    as_number,
    as_numbers,
    as_size,
)
from dlref.transforms._image import Canvas, Fill, Picture, Pixels, get_dimensions
from dlref.transforms.geometry import crop, hflip, vflip
from dlref.transforms.interpolation import (
    Interpolation,
    InterpolationMode,
    as_interpolation,
)
from dlref.transforms.padding import pad
from dlref.transforms.resample import resize

__all__ = [
    "Box",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomVerticalFlip",
]

Box: TypeAlias = tuple[int, int, int, int]
"""Top, left, height and width, in pixels."""


class RandomHorizontalFlip(nn.Module):
    """Mirror an image left to right with probability p.

    Args:
        p: Probability, from 0 to 1.

    Raises:
        TypeError: If `p` is no number.
        ValueError: If `p` is outside 0 to 1.

    Examples:
        >>> RandomHorizontalFlip(p=1.0)(torch.tensor([[1, 2]]))
        tensor([[2, 1]])
    """

    def __init__(self, p: Number = 0.5) -> None:
        """Read and check the options; nothing is drawn yet."""
        super().__init__()
        self.p = _probability(p)

    def forward(self, img: Pixels) -> Pixels:
        """Return the flipped image, or `img` itself."""
        return hflip(img) if torch.rand(1) < self.p else img

    def __repr__(self) -> str:
        """Return the call that makes this transform, as torchvision prints it."""
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(nn.Module):
    """Mirror an image top to bottom with probability p.

    Args:
        p: Probability, from 0 to 1.

    Raises:
        TypeError: If `p` is no number.
        ValueError: If `p` is outside 0 to 1.

    Examples:
        >>> RandomVerticalFlip(p=0.0)(torch.tensor([[1], [2]])).flatten()
        tensor([1, 2])
    """

    def __init__(self, p: Number = 0.5) -> None:
        """Read and check the options; nothing is drawn yet."""
        super().__init__()
        self.p = _probability(p)

    def forward(self, img: Pixels) -> Pixels:
        """Return the flipped image, or `img` itself."""
        return vflip(img) if torch.rand(1) < self.p else img

    def __repr__(self) -> str:
        """Return the call that makes this transform, as torchvision prints it."""
        return f"{type(self).__name__}(p={self.p})"


class RandomCrop(nn.Module):
    """Cut out a rectangle of a fixed size at a random place, after padding if asked.

    Every place that keeps the rectangle inside the padded image is equally likely.

    Args:
        size: Height and width of the crop, in pixels, or one integer for both.
        padding: Border to add before, as in `pad`; None adds none.
        pad_if_needed: Whether an image that is smaller than the crop is padded; by the
            *whole* difference on each side, so the crop's place stays random.
        fill: Value of a constant border, as in `pad`.
        padding_mode: Kind of border, as in `pad`.

    Raises:
        TypeError: If `size` is no integer or pair of integers.
        ValueError: If `size` has not one or two entries, or one is below 1; when
            called, if the image is smaller than the crop.

    Examples:
        >>> RandomCrop(32, padding=4)  # the usual one for CIFAR-10
        RandomCrop(size=(32, 32), padding=4)
        >>> RandomCrop(32, padding=4)(torch.zeros(3, 32, 32)).shape
        torch.Size([3, 32, 32])
    """

    def __init__(
        self,
        size: Integer | Sequence[Integer],
        padding: Integer | Sequence[Integer] | None = None,
        pad_if_needed: bool = False,
        fill: Fill = 0,
        padding_mode: str = "constant",
    ) -> None:
        """Read and check the options; nothing is drawn yet."""
        super().__init__()
        self.size = as_size("size", size)
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Picture, output_size: Sequence[int]) -> Box:
        """Draw the place of a crop.

        Args:
            img: The image, of which only the size is looked at.
            output_size: Height and width of the crop, in pixels.

        Returns:
            Top, left, height and width for `crop`. Nothing is drawn if the crop is the
            whole image.

        Raises:
            ValueError: If the image is smaller than the crop.
        """
        _, height, width = get_dimensions(img)
        h, w = output_size
        if h > height or w > width:
            raise ValueError(
                f"a crop of {h} x {w} pixels expected a larger image, "
                f"got {height} x {width}"
            )
        if (h, w) == (height, width):
            return 0, 0, h, w
        top = _randint(height - h + 1)
        return top, _randint(width - w + 1), h, w

    def forward(self, img: Canvas) -> Canvas:
        """Return a random crop of the (padded) image."""
        if self.padding is not None:
            img = pad(img, self.padding, self.fill, self.padding_mode)
        if self.pad_if_needed:
            _, H, W = get_dimensions(img)
            h, w = self.size
            border = (max(w - W, 0), max(h - H, 0))
            if any(border):
                img = pad(img, border, self.fill, self.padding_mode)
        return crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        """Return the call that makes this transform, as torchvision prints it."""
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


class RandomResizedCrop(nn.Module):
    r"""Cut out a rectangle of random area and shape, and resize it.

    The area is $A = u H W$ with $u$ uniform in `scale`, the aspect ratio $r = w / h$ is
    log-uniform in `ratio` (so that 3/4 is as likely as 4/3), whence
    $w = \sqrt{A r}$ and $h = \sqrt{A / r}$, rounded. Ten rectangles are tried for one
    that fits; then the largest central one of an allowed shape is taken.

    Args:
        size: Height and width of the result, in pixels, or one integer for both.
        scale: Smallest and largest share of the image's area.
        ratio: Smallest and largest aspect ratio, width to height.
        interpolation: Method of `resize`.
        antialias: As in `resize`.

    Raises:
        TypeError: If `scale` or `ratio` is no sequence, `size` no integer or pair of
            integers, or `interpolation` no method.
        ValueError: If `size` is below 1, or a range out of order or not positive.

    Examples:
        >>> RandomResizedCrop(224)(torch.zeros(3, 300, 400)).shape
        torch.Size([3, 224, 224])

    References:
        Szegedy et al. (2015), Going deeper with convolutions, section 6,
        [arXiv:1409.4842](https://arxiv.org/abs/1409.4842).
    """

    def __init__(
        self,
        size: Integer | Sequence[Integer],
        scale: Sequence[Number] = (0.08, 1.0),
        ratio: Sequence[Number] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Interpolation = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        """Read and check the options; nothing is drawn yet."""
        super().__init__()
        height, width = as_size("size", size)
        # two entries stay as they came: torchvision prints a list as a list
        pair = isinstance(size, Sequence) and len(size) == 2
        self.size = size if pair else (height, width)
        low, high = as_numbers("scale", scale, (2,))
        if not 0 <= low <= high:
            raise ValueError(f"scale expected 0 <= low <= high, got {scale!r}")
        low, high = as_numbers("ratio", ratio, (2,))
        if not 0 < low <= high:
            raise ValueError(f"ratio expected 0 < low <= high, got {ratio!r}")
        self.interpolation = as_interpolation(interpolation)
        self.antialias = antialias
        self.scale = scale
        self.ratio = ratio

    @staticmethod
    def get_params(
        img: Picture, scale: Sequence[Number], ratio: Sequence[Number]
    ) -> Box:
        """Draw a rectangle.

        Args:
            img: The image, of which only the size is looked at.
            scale: Smallest and largest share of its area.
            ratio: Smallest and largest aspect ratio, width to height.

        Returns:
            Top, left, height and width for `crop`.
        """
        _, height, width = get_dimensions(img)
        narrow, wide = min(ratio), max(ratio)
        low, high = (float(bound) for bound in torch.log(torch.tensor(ratio)))
        for _ in range(10):
            A = height * width * torch.empty(1).uniform_(scale[0], scale[1]).item()
            r = torch.empty(1).uniform_(low, high).exp().item()
            w, h = round(math.sqrt(A * r)), round(math.sqrt(A / r))
            if 0 < w <= width and 0 < h <= height:
                top = _randint(height - h + 1)
                return top, _randint(width - w + 1), h, w
        h, w = height, width
        if width / height < narrow:
            h = round(width / narrow)
        elif width / height > wide:
            w = round(height * wide)
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img: Canvas) -> Canvas:
        """Return a random rectangle of the image in the size asked for."""
        box = self.get_params(img, self.scale, self.ratio)
        part = crop(img, *box)
        return resize(part, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self) -> str:
        """Return the call that makes this transform, as torchvision prints it."""
        return (
            f"{type(self).__name__}(size={self.size}"
            f", scale={tuple(round(s, 4) for s in self.scale)}"
            f", ratio={tuple(round(r, 4) for r in self.ratio)}"
            f", interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


def _probability(p: object) -> Number:
    """Refuse what is no probability."""
    probability = as_number("p", p)
    if not 0 <= probability <= 1:
        raise ValueError(f"p expected a number from 0 to 1, got {p}")
    return probability


def _randint(n: int) -> int:
    """Draw an integer from 0 to n - 1, all equally likely."""
    return int(torch.randint(0, n, size=(1,)).item())

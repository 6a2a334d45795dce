r"""Shift and scale the channels of an image by fixed statistics, and back.

$$y_c = \frac{x_c - \mu_c}{\sigma_c} \qquad\qquad x_c = \sigma_c\,y_c + \mu_c$$

The statistics belong to a data set and are given in the units of $x$: for images that
`to_tensor` has scaled to [0, 1], ImageNet's are $\mu = (0.485, 0.456, 0.406)$ and
$\sigma = (0.229, 0.224, 0.225)$. Nothing is estimated here, and only pixels with these
statistics come out with mean 0 and standard deviation 1.

References:
    [torchvision.transforms.Normalize](https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html)
"""

from collections.abc import Sequence
from typing import Any, SupportsFloat, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Shaped
from PIL import Image
from torch import Tensor

from dlref.transforms.conversion import Array, to_tensor

__all__ = [
    "Denormalize",
    "Normalize",
    "Statistic",
    "denormalize",
    "normalize",
    "to_normalized_tensor",
]

Statistic: TypeAlias = (
    SupportsFloat
    | Sequence[SupportsFloat | Sequence[Any]]
    | Shaped[Tensor, "..."]
    | Shaped[np.ndarray, "..."]
)
"""One number a channel, or one for all; or a tensor that broadcasts to the image."""

_Pair: TypeAlias = tuple[Float[Tensor, "..."], Float[Tensor, "..."]]
"""Mean and standard deviation, as tensors that broadcast to an image."""


def normalize(
    tensor: Float[Tensor, "*batch c h w"],
    mean: Statistic,
    std: Statistic,
    inplace: bool = False,
) -> Float[Tensor, "*batch c h w"]:
    r"""Subtract the mean and divide by the standard deviation, channel by channel.

    $$y_c = \frac{x_c - \mu_c}{\sigma_c}$$

    With $\mu = \sigma = 0.5$, [0, 1] becomes [-1, 1]. That is a change of range: the
    result has mean 0 and standard deviation 1 only if the input had 0.5 and 0.5.

    Args:
        tensor: Image $x$ of shape (C, H, W), or a batch (..., C, H, W); floating point.
        mean: Mean $\mu$ of each channel, in units of $x$.
        std: Standard deviation $\sigma$ of each channel, in units of $x$: not the
            variance.
        inplace: Whether to overwrite `tensor`.

    Returns:
        Tensor $y$ of the shape, dtype and device of `tensor`.

    Raises:
        TypeError: If `tensor` is no tensor, or not of floating point.
        ValueError: If `tensor` has fewer than three dimensions, if the statistics do
            not fit its channels, or if a `std` is zero in its dtype.

    Examples:
        >>> x = torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 3)
        >>> normalize(x, mean=[0.5], std=[0.5])
        tensor([[[-1.,  0.,  1.]]])
    """
    mu, sigma = _statistics(tensor, mean, std)
    return (tensor.sub_(mu) if inplace else tensor.sub(mu)).div_(sigma)


def denormalize(
    tensor: Float[Tensor, "*batch c h w"],
    mean: Statistic,
    std: Statistic,
    inplace: bool = False,
) -> Float[Tensor, "*batch c h w"]:
    r"""Undo [`normalize`][dlref.transforms.normalize] with the same statistics.

    $$x_c = \sigma_c\,y_c + \mu_c$$

    Args:
        tensor: Normalised image $y$ of shape (C, H, W), or a batch (..., C, H, W).
        mean: Mean $\mu$ of each channel, in units of $x$.
        std: Standard deviation $\sigma$ of each channel, in units of $x$.
        inplace: Whether to overwrite `tensor`.

    Returns:
        Tensor $x$ of the shape, dtype and device of `tensor`; equal to what was
        normalised but for rounding. Before truncation to 8 bits, round:
        `(x * 255).round()`.

    Raises:
        TypeError: If `tensor` is no tensor, or not of floating point.
        ValueError: If `tensor` has fewer than three dimensions, if the statistics do
            not fit its channels, or if a `std` is zero in its dtype.

    Examples:
        >>> y = torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 3)
        >>> denormalize(y, mean=[0.5], std=[0.5])
        tensor([[[0.0000, 0.5000, 1.0000]]])
    """
    mu, sigma = _statistics(tensor, mean, std)
    return (tensor.mul_(sigma) if inplace else tensor.mul(sigma)).add_(mu)


def to_normalized_tensor(
    pic: Image.Image | Array, mean: Statistic, std: Statistic
) -> Float[Tensor, "c h w"]:
    r"""Return `normalize(to_tensor(pic), mean, std)`, in fewer passes over memory.

    $$y_{c,h,w} = \frac{x_{h,w,c} / 255 - \mu_c}{\sigma_c}$$

    For many small images, `Compose([ToTensor(), Normalize(mean, std)])` is faster: it
    prepares the statistics once.

    Args:
        pic: PIL image, or array of shape (H, W, C) or (H, W), of 8-bit levels or of
            floating point.
        mean: Mean $\mu$ of each channel, after division by 255.
        std: Standard deviation $\sigma$ of each channel, after division by 255.

    Returns:
        Tensor of shape (C, H, W).

    Raises:
        TypeError: If `pic` is neither, or holds other integers than 8-bit levels.
        ValueError: If `to_tensor` or `normalize` refuses a value.

    Examples:
        >>> pic = Image.new("RGB", (2, 1), (0, 0, 255))
        >>> to_normalized_tensor(pic, mean=[0.5], std=[0.25])[:, 0, 0]
        tensor([-2., -2.,  2.])
    """
    x = to_tensor(pic)
    # Of a floating array, x may be that array's own memory.
    fresh = isinstance(pic, Image.Image) or pic.dtype == np.uint8
    return normalize(x, mean, std, inplace=fresh)


def _statistics(
    tensor: Float[Tensor, "*batch c h w"], mean: Statistic, std: Statistic
) -> _Pair:
    """Return mean and std as tensors that broadcast to `tensor`: (C, 1, 1) mostly."""
    _check_image(tensor)
    try:
        mu = torch.as_tensor(mean, dtype=tensor.dtype, device=tensor.device)
        sigma = torch.as_tensor(std, dtype=tensor.dtype, device=tensor.device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(
            f"mean and std must be numbers, got {mean!r} and {std!r}"
        ) from error
    if _has_zero(sigma):
        raise ValueError(f"std must not be zero in {tensor.dtype}, got {std}")
    return _per_channel("mean", mu, tensor), _per_channel("std", sigma, tensor)


def _has_zero(sigma: Float[Tensor, "..."]) -> bool:
    if sigma.ndim == 1:  # short: Python finds out sooner
        return 0 in sigma.tolist()  # pyright: ignore[reportUnknownMemberType]
    return bool((sigma == 0).any())


def _per_channel(
    name: str, values: Float[Tensor, "..."], tensor: Float[Tensor, "*batch c h w"]
) -> Float[Tensor, "..."]:
    if values.ndim < 2:
        values = values.view(-1, 1, 1)  # (C, 1, 1)
    c = tensor.shape[-3]
    if values.shape not in ((c, 1, 1), (1, 1, 1)):
        try:
            values.expand(tensor.shape)
        except RuntimeError:
            raise ValueError(
                f"{name} must be one number, or one for each of {c} channels, "
                f"got shape {tuple(values.shape)}"
            ) from None
    return values


def _check_image(tensor: object) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"tensor must be a Tensor, got {type(tensor).__name__}")
    if not tensor.is_floating_point():
        raise TypeError(f"tensor must be of floating point, got {tensor.dtype}")
    if tensor.ndim < 3:
        raise ValueError(
            f"tensor must have shape (..., C, H, W), got {tuple(tensor.shape)}"
        )


# An image of a new kind (KeyError) or on another device (RuntimeError); or no image.
_OTHER = (AttributeError, IndexError, KeyError, RuntimeError)


class _Transform(torch.nn.Module):
    """Statistics that become tensors once for each dtype and channel count.

    They stay on the device where they were used last; images from another device move
    them there.

    Args:
        mean: Mean of each channel.
        std: Standard deviation of each channel.
        inplace: Whether calls overwrite their argument.
    """

    _prepared: dict[tuple[torch.dtype, int], _Pair]

    def __init__(self, mean: Statistic, std: Statistic, inplace: bool = False) -> None:
        """Keep the statistics for later calls."""
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def _prepare(self, tensor: Float[Tensor, "*batch c h w"]) -> _Pair:
        """Check `tensor`; return the pair for it, and for others of its kind."""
        with torch.inference_mode(False):  # so that autograd, too, can use them
            mu, sigma = _statistics(tensor, self.mean, self.std)
        mutable = isinstance(self.mean, Tensor) or isinstance(self.std, Tensor)
        if not mutable and mu.shape[1:] == sigma.shape[1:] == (1, 1):
            self._prepared[tensor.dtype, tensor.shape[-3]] = mu, sigma
        return mu, sigma

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - any
        """Set an attribute, and forget what was prepared with the old one."""
        super().__setattr__(name, value)
        self.__dict__["_prepared"] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without prepared tensors, which may live on a device."""
        state = self.__dict__.copy()
        state["_prepared"] = {}
        return state

    def __repr__(self) -> str:
        """Return the call that makes this object."""
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class Normalize(_Transform):
    """[`normalize`][dlref.transforms.normalize] with fixed statistics.

    Args:
        mean: Mean of each channel.
        std: Standard deviation of each channel.
        inplace: Whether calls overwrite their argument.

    Examples:
        >>> Normalize(mean=[0.5], std=[0.5])(torch.ones(1, 1, 1))
        tensor([[[1.]]])
    """

    def forward(
        self, tensor: Float[Tensor, "*batch c h w"]
    ) -> Float[Tensor, "*batch c h w"]:
        """Return `normalize(tensor, self.mean, self.std, self.inplace)`."""
        try:
            mu, sigma = self._prepared[tensor.dtype, tensor.shape[-3]]
            shifted = tensor.sub_(mu) if self.inplace else tensor.sub(mu)
        except _OTHER:
            mu, sigma = self._prepare(tensor)
            shifted = tensor.sub_(mu) if self.inplace else tensor.sub(mu)
        return shifted.div_(sigma)

    __call__ = forward  # runs no hooks; nn.Module's would take a quarter more at 32²


class Denormalize(_Transform):
    """[`denormalize`][dlref.transforms.denormalize] with fixed statistics.

    Args:
        mean: Mean of each channel.
        std: Standard deviation of each channel.
        inplace: Whether calls overwrite their argument.

    Examples:
        >>> Denormalize(mean=[0.5], std=[0.5])(-torch.ones(1, 1, 1))
        tensor([[[0.]]])
    """

    def forward(
        self, tensor: Float[Tensor, "*batch c h w"]
    ) -> Float[Tensor, "*batch c h w"]:
        """Return `denormalize(tensor, self.mean, self.std, self.inplace)`."""
        try:
            mu, sigma = self._prepared[tensor.dtype, tensor.shape[-3]]
            scaled = tensor.mul_(sigma) if self.inplace else tensor.mul(sigma)
        except _OTHER:
            mu, sigma = self._prepare(tensor)
            scaled = tensor.mul_(sigma) if self.inplace else tensor.mul(sigma)
        return scaled.add_(mu)

    __call__ = forward  # runs no hooks; nn.Module's would take a quarter more at 32²

"""The three sums of a convolution that leaves channels apart: no matrices are left."""

from collections.abc import Iterator

from jaxtyping import Shaped
from torch import Tensor

from dlref.convolution._axis import overlaps
from dlref.convolution._geometry import Geometry, empty_images

__all__ = ["by_input", "by_output", "by_weight"]


def by_output(
    w: Shaped[Tensor, "c 1 *taps"], x: Shaped[Tensor, "n c *pixels"], geometry: Geometry
) -> Shaped[Tensor, "n c *windows"]:
    """Return the derivative by y: the convolution.

    Args:
        w: Weights.
        x: Input.
        geometry: The rest.

    Returns:
        Output.
    """
    y = empty_images((*x.shape[:2], *(axis.o for axis in geometry.axes)), w, x).zero_()
    for tap, xs, ys in _taps(w, x, y, geometry):
        ys.addcmul_(tap, xs)
    return y


def by_input(
    w: Shaped[Tensor, "c 1 *taps"],
    y: Shaped[Tensor, "n c *windows"],
    geometry: Geometry,
) -> Shaped[Tensor, "n c *pixels"]:
    """Return the derivative by x: the transposed convolution.

    Args:
        w: Weights.
        y: Output of the convolution, which is the input of the transposed one.
        geometry: The rest.

    Returns:
        Input of the convolution.
    """
    x = empty_images((*y.shape[:2], *(axis.i for axis in geometry.axes)), w, y).zero_()
    for tap, xs, ys in _taps(w, x, y, geometry):
        xs.addcmul_(tap, ys)
    return x


def by_weight(
    x: Shaped[Tensor, "n c *pixels"],
    y: Shaped[Tensor, "n c *windows"],
    geometry: Geometry,
) -> Shaped[Tensor, "c 1 *taps"]:
    """Return the derivative by w: the gradient of the weights.

    Args:
        x: Input.
        y: Gradient of the output.
        geometry: The rest.

    Returns:
        Gradient of the weights.
    """
    w = x.new_empty(x.shape[1], 1, *(axis.k for axis in geometry.axes))
    for tap, xs, ys in _taps(w, x, y, geometry):
        products = (xs * ys).transpose(0, 1).flatten(1)  # (c, n * windows)
        tap.copy_(products.sum(1, dtype=x.dtype).view_as(tap))
    return w


def _taps(
    w: Tensor, x: Tensor, y: Tensor, geometry: Geometry
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield the weights of a tap, and the pixels and windows that it joins."""
    for taps, windows, pixels in overlaps(geometry.axes):
        tap = w[:, 0, *taps].view(-1, *(1 for _ in taps))  # (c, 1, …)
        yield tap, x[:, :, *pixels], y[:, :, *windows]

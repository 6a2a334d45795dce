"""The largest value of each window, and its place."""

import math
from functools import reduce

import torch
from torch import Tensor
from torch.autograd import forward_ad

from dlref.pooling._geometry import Axis
from dlref.pooling._windows import (
    formatted,
    interleaved,
    padded,
    taps,
)

__all__ = ["argmaxima", "flat_index", "maxima", "pool_maxima"]


def pool_maxima(
    x: Tensor, axes: list[Axis], *, places: bool
) -> tuple[Tensor, Tensor | None]:
    """Return the largest value of each window, and its place if asked for.

    Args:
        x: Tensor whose last axes are pooled.
        axes: Their windows.
        places: Whether to return places.

    Returns:
        One value per window, through which the gradient flows to its place, and the
        places, counted through the pooled axes in reading order, or None.
    """
    lowest = -math.inf if x.is_floating_point() else torch.iinfo(x.dtype).min
    X = padded(x, axes, lowest)
    if not (places or _is_differentiated(x)):
        y = maxima(X, axes)
        if max(axis.phases[0].taps for axis in axes) == 1:
            y = y.clone()  # of single pixels the maximum is a view
        return formatted(y, x), None
    n = len(axes)
    with torch.no_grad():
        coordinates = argmaxima(X.detach(), axes)
        index = flat_index(coordinates, X.shape[-n:])
        near = [axis.before for axis in axes]
        inner = [c - p if p else c for c, p in zip(coordinates, near, strict=True)]
        place = flat_index(inner, x.shape[-n:]) if places else None
    y = X.flatten(-n).gather(-1, index.flatten(-n)).view(index.shape)
    return formatted(y, x), None if place is None else formatted(place, x)


def _is_differentiated(x: Tensor) -> bool:
    """Tell whether a derivative, in reverse or forward mode, may be asked for."""
    if x.requires_grad and torch.is_grad_enabled():
        return True
    tangent = forward_ad.unpack_dual(x).tangent  # pyright: ignore[reportUnknownMemberType]
    return tangent is not None


def flat_index(coordinates: list[Tensor], sizes: tuple[int, ...]) -> Tensor:
    """Number pixels in reading order.

    Args:
        coordinates: One tensor per axis.
        sizes: Length of each axis.

    Returns:
        The number of each pixel, in a plane h W + w.
    """
    index = coordinates[0]
    for coordinate, size in zip(coordinates[1:], sizes[1:], strict=True):
        index = index * size + coordinate
    return index


def maxima(x: Tensor, axes: list[Axis]) -> Tensor:
    """Return the largest value of each window.

    Args:
        x: Tensor, padded with its dtype's lowest value.
        axes: The windows of its last axes.

    Returns:
        One value per window; NaN where there is one. A view of `x` if windows are
        single pixels.
    """
    for dim, axis in enumerate(axes, -len(axes)):
        phases = [reduce(torch.maximum, taps(x, dim, phase)) for phase in axis.phases]
        x = interleaved(phases, dim)
    return x


def argmaxima(x: Tensor, axes: list[Axis]) -> list[Tensor]:
    """Return the place of each window's largest value.

    Of equals, that is the first in reading order, and of NaNs the last, as in torch.

    Args:
        x: Tensor, padded with its dtype's lowest value.
        axes: The windows of its last axes.

    Returns:
        For each axis the coordinate, in pixels of the padded axis, for each window.
    """
    places: list[Tensor] = []
    # The last axis first: so the first row with the maximum wins, its first entry.
    for dim in range(-1, -len(axes) - 1, -1):
        best, place = _argmaxima(x, dim, axes[dim])
        places = [place, *(known.gather(dim, place) for known in places)]
        x = best
    return places


def _argmaxima(x: Tensor, dim: int, axis: Axis) -> tuple[Tensor, Tensor]:
    """Return the largest value of each window of one axis, and its coordinate."""
    best: list[Tensor] = []
    place: list[Tensor] = []
    along = (-1,) + (1,) * (-dim - 1)  # the shape of one number per window
    for phase in axis.phases:
        values, winner = _argmaximum(taps(x, dim, phase))
        if axis.first:  # padding, whose value a pixel may have, does not win
            first = torch.tensor(axis.first, device=x.device)
            winner = winner.maximum(first.view(along))
        starts = torch.arange(values.shape[dim], device=x.device) * phase.stride
        best.append(values)
        place.append((starts + phase.start).view(along) + winner * phase.dilation)
    return interleaved(best, dim), interleaved(place, dim)


def _argmaximum(views: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Return the elementwise maximum, and the number of the view that has it."""
    best, *others = views
    winner = torch.zeros_like(best, dtype=torch.int64)
    for u, view in enumerate(others, 1):
        wins = (view > best) | (view != view)
        winner = winner.maximum(wins * u)
        best = best.maximum(view)
    return best, winner

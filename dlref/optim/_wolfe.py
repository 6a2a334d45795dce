r"""A line search for the strong Wolfe conditions, with cubic interpolation.

Along a direction, with $\varphi(t) = f(\theta + t d)$, it looks for a step with

$$\varphi(t) \le \varphi(0) + c_1 t\,\varphi'(0) \qquad
  |\varphi'(t)| \le c_2\,|\varphi'(0)|$$

First it goes ahead until two points bracket such a step, then it narrows the bracket.

References:
    Nocedal and Wright (2006), Numerical optimization, second edition, algorithms 3.5,
    3.6 and equation 3.59; the bounds on interpolated steps are those of
    `torch.optim.LBFGS`, which has them from Schmidt's minFunc.
"""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

__all__ = ["Point", "search_strong_wolfe"]

_C1, _C2 = 1e-4, 0.9


class Point(NamedTuple):
    """What is known of a step.

    Attributes:
        t: Its length.
        f: Loss there.
        g: Gradient there.
        slope: Slope of the loss along the direction.
    """

    t: int | float
    f: int | float
    g: Float[Tensor, " n"]
    slope: int | float


def search_strong_wolfe(
    evaluate: Callable[[int | float], Point],
    origin: Point,
    t: int | float,
    *,
    tolerance: int | float,
    searches: int,
) -> Point:
    """Return a step that meets both conditions, or the best of those tried.

    Args:
        evaluate: Looks at a step.
        origin: Where the search starts.
        t: Step that is tried first.
        tolerance: Brackets shorter than this are not narrowed.
        searches: Steps that are tried at most after the first.

    Returns:
        The step.
    """

    def too_high(point: Point) -> bool:
        return point.f > origin.f + _C1 * point.t * origin.slope

    def flat_enough(point: Point) -> bool:
        return abs(point.slope) <= -_C2 * origin.slope

    previous, point = origin, evaluate(t)
    for tried in range(searches):
        if too_high(point) or (tried > 1 and point.f >= previous.f):
            break
        if flat_enough(point):
            return point
        if point.slope >= 0:
            break
        ahead = point.t + 0.01 * (point.t - previous.t), 10 * point.t
        t = _interpolate(previous, point, *ahead)
        previous, point = point, evaluate(t)
    else:
        return min(origin, point, key=lambda p: p.f)
    low, high = sorted((previous, point), key=lambda p: p.f)
    stuck = False
    for _ in range(searches - tried):
        left, right = sorted((low.t, high.t))
        if right - left < tolerance:
            break
        t, stuck = _inside(_interpolate(low, high, left, right), left, right, stuck)
        point = evaluate(t)
        if too_high(point) or point.f >= low.f:
            low, high = sorted((low, point), key=lambda p: p.f)
        elif flat_enough(point):
            return point
        else:
            high = low if point.slope * (high.t - low.t) >= 0 else high
            low = point
    return low


def _inside(
    t: int | float, left: int | float, right: int | float, stuck: bool
) -> tuple[int | float, bool]:
    """Keep a step from the ends of a bracket, the second time it comes near them."""
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if not stuck and left < t < right:
        return t, True
    return (right - margin if right - t < t - left else left + margin), False


def _interpolate(
    a: Point, b: Point, lower: int | float, upper: int | float
) -> int | float:
    """Return the minimum, within bounds, of the cubic through two points."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if square < 0:
        return (lower + upper) / 2
    d2 = square**0.5
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, lower), upper)

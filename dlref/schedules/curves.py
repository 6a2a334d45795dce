r"""Learning rates as functions of time: what a schedule is, without its bookkeeping.

Time $t$ counts steps or epochs, whichever the schedule is asked to follow. The decays
return the factor of the first rate; `interpolate` returns rates.
"""

from collections.abc import Sequence
from math import cos, log, pi
from numbers import Integral

from dlref.schedules._checks import check_numbers

__all__ = [
    "cosine_decay",
    "exponential_decay",
    "interpolate",
    "linear_warmup",
    "locate_restart",
    "step_decay",
]


def step_decay(t: int | float, step_size: int, gamma: int | float = 0.1) -> float:
    r"""Return $\gamma^{\lfloor t / s \rfloor}$: a factor $\gamma$ every $s$ steps.

    Args:
        t: Time.
        step_size: Length $s$ of a stair.
        gamma: Factor $\gamma$ from stair to stair.

    Returns:
        Factor of the first rate.

    Raises:
        TypeError: If an argument is no number.
        ValueError: If `step_size` is not positive.

    Examples:
        >>> [step_decay(t, 2) for t in range(5)]
        [1.0, 1.0, 0.1, 0.1, 0.010000000000000002]
    """
    check_numbers(t=t, gamma=gamma)
    if not isinstance(step_size, Integral) or step_size < 1:
        raise ValueError(f"expected a positive whole step_size, got {step_size!r}")
    return float(gamma ** (t // step_size))


def exponential_decay(t: int | float, gamma: int | float) -> float:
    r"""Return $\gamma^t$.

    Args:
        t: Time.
        gamma: Factor $\gamma$ from step to step.

    Returns:
        Factor of the first rate.

    Raises:
        TypeError: If an argument is no number.
    """
    check_numbers(t=t, gamma=gamma)
    return float(gamma**t)


def cosine_decay(t: int | float, T: int | float) -> float:
    r"""Return $\tfrac12 (1 + \cos \pi t / T)$: from 1 to 0 at $T$, flat at both ends.

    Args:
        t: Time; after $T$ the rate climbs again.
        T: When the factor is 0.

    Returns:
        Factor between the least rate and the first.

    Raises:
        TypeError: If an argument is no number.
        ValueError: If `T` is not positive.

    Examples:
        >>> [round(cosine_decay(t, 4), 4) for t in range(5)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0]

    References:
        Loshchilov and Hutter (2016), SGDR: stochastic gradient descent with warm
        restarts, equation 5, [arXiv:1608.03983](https://arxiv.org/abs/1608.03983).
    """
    check_numbers(t=t, T=T)
    if T <= 0:
        raise ValueError(f"expected a positive T, got {T}")
    return (1 + cos(pi * t / T)) / 2


def locate_restart(
    t: int | float, T_0: int, T_mult: int = 1
) -> tuple[int | float, int]:
    r"""Return the time since the last restart, and the length of the cycle it is in.

    Cycle $i$ is $T_i = T_0\,T_{mult}^i$ long.

    Args:
        t: Time since the first step.
        T_0: Length of the first cycle.
        T_mult: How many times as long each next one is.

    Returns:
        $T_{cur}$, from 0 to below $T_i$; and $T_i$.

    Raises:
        TypeError: If an argument is no number.
        ValueError: If a length or a factor is below 1, or the time below 0.

    Examples:
        >>> locate_restart(7, 2, 2)  # cycles begin at 0, 2, 6, 14, …
        (1, 8)
    """
    check_numbers(t=t, T_0=T_0, T_mult=T_mult)
    whole = isinstance(T_0, Integral) and isinstance(T_mult, Integral)
    if not whole or T_0 < 1 or T_mult < 1 or t < 0:
        raise ValueError(
            f"expected whole T_0 and T_mult of at least 1 and t of at least 0, "
            f"got {T_0=} {T_mult=} {t=}"
        )
    if T_mult == 1:
        return t % T_0, T_0
    cycle = int(log(t / T_0 * (T_mult - 1) + 1, T_mult))
    for i in (
        cycle + 1,
        cycle,
        cycle - 1,
    ):  # the logarithm may be rounded across a start
        start = T_0 * (T_mult**i - 1) // (T_mult - 1)
        if i >= 0 and t >= start:
            return t - start, T_0 * T_mult**i
    raise AssertionError("unreachable: the first cycle starts at 0")


def linear_warmup(
    t: int | float,
    total_iters: int = 5,
    start_factor: int | float = 1 / 3,
    end_factor: int | float = 1.0,
) -> float:
    r"""Return a factor that goes straight from one value to another, and stays.

    $$a + (b - a)\,\frac{\min(t, T)}{T}$$

    Args:
        t: Time.
        total_iters: When, $T$, the end is reached.
        start_factor: Factor $a$ at 0.
        end_factor: Factor $b$ from $T$ on.

    Returns:
        Factor of the first rate.

    Raises:
        TypeError: If an argument is no number.
        ValueError: If `total_iters` is not positive, or a factor not within [0, 1], the
            first not above 0.

    References:
        Goyal et al. (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour,
        section 2.2, [arXiv:1706.02677](https://arxiv.org/abs/1706.02677).
    """
    check_numbers(
        t=t,
        total_iters=total_iters,
        start_factor=start_factor,
        end_factor=end_factor,
    )
    if total_iters < 1:
        raise ValueError(f"expected a positive total_iters, got {total_iters}")
    if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
        raise ValueError(
            "expected start_factor in (0, 1] and end_factor in [0, 1], "
            f"got {start_factor=} {end_factor=}"
        )
    return (
        start_factor + (end_factor - start_factor) * min(t, total_iters) / total_iters
    )


def interpolate(
    t: int | float,
    times: Sequence[int | float],
    values: Sequence[int | float],
    *,
    shape: str = "cos",
) -> float:
    r"""Return the value at $t$ on a curve through given points.

    From point to point it follows half a cosine wave,
    $b + \tfrac12 (a - b)(1 + \cos \pi u)$ with $u$ from 0 to 1, or a straight line.

    Args:
        t: Time.
        times: When each value is reached, rising.
        values: The values.
        shape: `"cos"` or `"linear"`.

    Returns:
        The value; beyond the last time the last piece goes on.

    Raises:
        TypeError: If an argument is no number.
        ValueError: If there are not as many times as values, fewer than two, or the
            shape has no such name.

    Examples:
        >>> [round(interpolate(t, [0, 2, 6], [1, 5, 1]), 4) for t in range(7)]
        [1.0, 3.0, 5.0, 4.4142, 3.0, 1.5858, 1.0]
    """
    if len(times) != len(values) or len(times) < 2:
        raise ValueError(
            f"expected two times or more with a value each, "
            f"got {len(times)} and {len(values)}"
        )
    if shape not in ("cos", "linear"):
        raise ValueError(f"expected shape 'cos' or 'linear', got {shape}")
    piece = next((i for i, end in enumerate(times[1:]) if t <= end), len(times) - 2)
    u = (t - times[piece]) / (times[piece + 1] - times[piece])
    a, b = values[piece], values[piece + 1]
    if shape == "linear":
        return a + (b - a) * u
    return b + (a - b) * cosine_decay(u, 1)

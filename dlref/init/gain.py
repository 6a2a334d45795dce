"""The gain of an activation: how much larger the weights before it must be."""

import math

__all__ = ["calculate_gain"]

_GAINS = {
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0),
    **{f"conv_transpose{d}d": 1.0 for d in (1, 2, 3)},
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def calculate_gain(nonlinearity: str, param: float | int | None = None) -> float:
    r"""Return the factor by which an activation asks for larger weights.

    The leaky ReLU of slope $a$ keeps the fraction $\frac{1 + a^2}{2}$ of the mean
    square of a symmetric input, so the weights make up for it by

    $$g = \sqrt{\frac{2}{1 + a^2}}$$

    | nonlinearity | gain |
    |---|---|
    | `"linear"`, `"conv2d"` and the like, `"sigmoid"` | 1 |
    | `"tanh"` | 5/3 |
    | `"relu"` | $\sqrt{2}$, that is $a = 0$ |
    | `"leaky_relu"` | as above |
    | `"selu"` | 3/4 |

    Only those of the rectifiers follow from a formula. That of tanh is a rule of thumb:
    weights a little larger than the identity at 0 asks for, as tanh flattens out. With
    that of sigmoid signals do fade: its slope at 0 is 1/4. That of SELU was found by
    experiment; the paper's self-normalizing networks take `"linear"`.

    Args:
        nonlinearity: Name of the function, as in `torch.nn.functional`.
        param: $a$ of the leaky ReLU, 0.01 if None; others ignore it.

    Returns:
        The gain $g$.

    Raises:
        ValueError: If the function is not in the table, or $a$ is no number.

    Examples:
        >>> calculate_gain("leaky_relu", 1)  # the identity
        1.0
        >>> round(calculate_gain("relu"), 4)
        1.4142

    References:
        He et al. (2015), [arXiv:1502.01852](https://arxiv.org/abs/1502.01852),
        equations 10 and 15.
    """
    if nonlinearity in _GAINS:
        return _GAINS[nonlinearity]
    if nonlinearity != "leaky_relu":
        known = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"expected one of {known}, got {nonlinearity!r}")
    a = 0.01 if param is None else param
    if not _is_number(a):
        raise ValueError(f"expected a number as the negative slope, got {param!r}")
    return math.sqrt(2 / (1 + a**2))


def _is_number(x: object) -> bool:
    """Say whether it is an int or a float; a bool is an int, but no slope."""
    return isinstance(x, int | float) and not isinstance(x, bool)

"""Independent weights of a chosen variance: Xavier (Glorot) and Kaiming (He)."""

import math
import warnings

import torch
from jaxtyping import Float, Inexact
from torch import Tensor

from dlref.init._arguments import check_gain, check_tensor, fans
from dlref.init.gain import calculate_gain

__all__ = ["kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"]


def xavier_uniform_(
    tensor: Float[Tensor, "..."],
    gain: float | int = 1.0,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "..."]:
    r"""Fill a weight with uniform numbers of the variance of Glorot and Bengio.

    $$w \sim \mathcal{U}(-b, b) \qquad
    b = g \sqrt{\frac{6}{n_{in} + n_{out}}} \qquad
    s^2 = \frac{b^2}{3} = \frac{2 g^2}{n_{in} + n_{out}}$$

    A compromise: $n_{in}\,s^2 = 1$ would keep the signals' size, $n_{out}\,s^2 = 1$
    that of the gradients.

    Args:
        tensor: The weight to overwrite, of shape (n_out, n_in) or
            (channels_out, channels_in, *kernel), where $n_{in}$ and $n_{out}$ are the
            channels times the taps of the kernel.
        gain: $g$; see [`calculate_gain`][dlref.init.calculate_gain].
        generator: Source of the random numbers; torch's own if None.

    Returns:
        The same tensor.

    Raises:
        TypeError: If it is no tensor of floating point.
        ValueError: If it has fewer than two axes, or the gain is negative or not
            finite.

    Examples:
        >>> w = xavier_uniform_(torch.empty(200, 100))
        >>> bool(w.abs().max() <= (6 / 300) ** 0.5)
        True

    References:
        Glorot and Bengio (2010),
        <https://proceedings.mlr.press/v9/glorot10a.html>, equation 16.
    """
    check_tensor(tensor)
    s = _xavier_std(tensor, gain)
    b = math.sqrt(3) * s
    with torch.no_grad():
        return tensor.uniform_(-b, b, generator=generator)


def xavier_normal_(
    tensor: Inexact[Tensor, "..."],
    gain: float | int = 1.0,
    generator: torch.Generator | None = None,
) -> Inexact[Tensor, "..."]:
    r"""Fill a weight with normal numbers of the variance of Glorot and Bengio.

    $$w \sim \mathcal{N}(0, s^2) \qquad s^2 = \frac{2 g^2}{n_{in} + n_{out}}$$

    Args:
        tensor: The weight to overwrite, of shape (n_out, n_in) or
            (channels_out, channels_in, *kernel), where $n_{in}$ and $n_{out}$ are the
            channels times the taps of the kernel.
        gain: $g$; see [`calculate_gain`][dlref.init.calculate_gain].
        generator: Source of the random numbers; torch's own if None.

    Returns:
        The same tensor.

    Raises:
        TypeError: If it is no tensor of floating point or complex numbers.
        ValueError: If it has fewer than two axes, or the gain is negative or not
            finite.

    Examples:
        >>> w = xavier_normal_(torch.empty(200, 100))
        >>> bool((w.std() / (2 / 300) ** 0.5 - 1).abs() < 0.05)
        True

    References:
        Glorot and Bengio (2010),
        <https://proceedings.mlr.press/v9/glorot10a.html>, equation 12.
    """
    check_tensor(tensor, or_complex=True)
    s = _xavier_std(tensor, gain)
    with torch.no_grad():
        return tensor.normal_(0, s, generator=generator)


def kaiming_uniform_(
    tensor: Float[Tensor, "..."],
    a: float | int = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: torch.Generator | None = None,
) -> Float[Tensor, "..."]:
    r"""Fill a weight with uniform numbers of the variance of He et al.

    $$w \sim \mathcal{U}(-b, b) \qquad b = g \sqrt{\frac{3}{n}} \qquad
    s^2 = \frac{b^2}{3} = \frac{g^2}{n}$$

    Args:
        tensor: The weight to overwrite, of shape (n_out, n_in) or
            (channels_out, channels_in, *kernel), where $n_{in}$ and $n_{out}$ are the
            channels times the taps of the kernel.
        a: Slope of the leaky ReLU below 0; other functions ignore it.
        mode: Which $n$: `"fan_in"` for $n_{in}$, which keeps the size of the signals,
            `"fan_out"` for $n_{out}$, which keeps that of the gradients.
        nonlinearity: The function that follows, which gives $g$; see
            [`calculate_gain`][dlref.init.calculate_gain].
        generator: Source of the random numbers; torch's own if None.

    Returns:
        The same tensor; one without elements as it is, with a warning.

    Raises:
        TypeError: If it is no tensor of floating point.
        ValueError: If it has fewer than two axes, or the mode or the function is
            unknown.

    Examples:
        >>> w = kaiming_uniform_(torch.empty(50, 100), nonlinearity="relu")
        >>> bool(w.abs().max() <= (6 / 100) ** 0.5)
        True

    References:
        He et al. (2015), [arXiv:1502.01852](https://arxiv.org/abs/1502.01852),
        equations 10, 14 and 15.
    """
    check_tensor(tensor)
    s = _kaiming_std(tensor, a, mode, nonlinearity)
    if s is None:
        return tensor
    b = math.sqrt(3) * s
    with torch.no_grad():
        return tensor.uniform_(-b, b, generator=generator)


def kaiming_normal_(
    tensor: Inexact[Tensor, "..."],
    a: float | int = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: torch.Generator | None = None,
) -> Inexact[Tensor, "..."]:
    r"""Fill a weight with normal numbers of the variance of He et al.

    $$w \sim \mathcal{N}(0, s^2) \qquad s^2 = \frac{g^2}{n}$$

    Args:
        tensor: The weight to overwrite, of shape (n_out, n_in) or
            (channels_out, channels_in, *kernel), where $n_{in}$ and $n_{out}$ are the
            channels times the taps of the kernel.
        a: Slope of the leaky ReLU below 0; other functions ignore it.
        mode: Which $n$: `"fan_in"` for $n_{in}$, which keeps the size of the signals,
            `"fan_out"` for $n_{out}$, which keeps that of the gradients.
        nonlinearity: The function that follows, which gives $g$; see
            [`calculate_gain`][dlref.init.calculate_gain].
        generator: Source of the random numbers; torch's own if None.

    Returns:
        The same tensor; one without elements as it is, with a warning.

    Raises:
        TypeError: If it is no tensor of floating point or complex numbers.
        ValueError: If it has fewer than two axes, or the mode or the function is
            unknown.

    Examples:
        >>> w = kaiming_normal_(torch.empty(64, 3, 7, 7), mode="fan_out")
        >>> bool((w.std() / (2 / (64 * 49)) ** 0.5 - 1).abs() < 0.05)
        True

    References:
        He et al. (2015), [arXiv:1502.01852](https://arxiv.org/abs/1502.01852),
        equations 10, 14 and 15.
    """
    check_tensor(tensor, or_complex=True)
    s = _kaiming_std(tensor, a, mode, nonlinearity)
    if s is None:
        return tensor
    with torch.no_grad():
        return tensor.normal_(0, s, generator=generator)


def _xavier_std(tensor: Tensor, gain: float | int) -> float:
    """Return s; without inputs and outputs there is nothing to draw."""
    check_gain(gain)
    n_in, n_out = fans(tensor)
    return gain * math.sqrt(2 / (n_in + n_out)) if n_in + n_out else 0.0


def _kaiming_std(
    tensor: Tensor, a: float | int, mode: str, function: str
) -> float | None:
    """Return s, or None where there is nothing to fill."""
    if not tensor.numel():
        # the caller of the function that called this
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return None
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"expected the mode fan_in or fan_out, got {mode!r}")
    n_in, n_out = fans(tensor)
    n = n_in if mode.lower() == "fan_in" else n_out
    return calculate_gain(function, a) / math.sqrt(n)

"""Normalization of each sample over groups of its channels, or each channel alone."""

import math
from typing import SupportsFloat, SupportsIndex

from jaxtyping import Float
from torch import Tensor

from dlref.normalization._arguments import (
    check_input,
    check_momentum,
    check_parameters,
    check_shapes,
    check_statistics,
    wide_dtype,
)
from dlref.normalization._channels import (
    Vector,
    apply_statistics,
    scale_and_shift,
    track,
)
from dlref.normalization._rows import standardize_rows

__all__ = ["group_norm", "instance_norm"]


def group_norm(
    input: Float[Tensor, "n c *spatial"],
    num_groups: SupportsIndex,
    weight: Vector | None = None,
    bias: Vector | None = None,
    eps: SupportsFloat = 1e-5,
) -> Float[Tensor, "n c *spatial"]:
    r"""Normalize groups of channels of each sample.

    $$y_{nchw} = \gamma_c\,\frac{x_{nchw} - \mu_{ng}}{\sqrt{\sigma^2_{ng} + \epsilon}}
    + \beta_c \qquad g = \lfloor c\,G / C \rfloor$$

    The C channels are cut into G groups of neighbours; $\mu_{ng}$ and $\sigma^2_{ng}$
    are mean and biased variance of the $\frac{C}{G}\,HW$ values of a group. One group
    takes a whole sample (layer norm's statistics), C groups a channel
    ([`instance_norm`][dlref.normalization.instance_norm]). The batch plays no part, so
    that small ones do no harm.

    Args:
        input: Activations $x$ of shape (N, C) or (N, C, ...).
        num_groups: Number of groups G, a divisor of C.
        weight: Scale $\gamma$ of each *channel*; 1 if None.
        bias: Shift $\beta$ of each channel; 0 if None.
        eps: $\epsilon$, in units of the variance.

    Returns:
        $y$, of the shape and dtype of `input`.

    Raises:
        TypeError: If `input` is no tensor of floating point, or a parameter is of
            another dtype (of half precision: than float32 or the input's).
        ValueError: If shapes do not fit, the groups do not divide the channels, or a
            batch of one sample has a single value in each group.

    Examples:
        >>> import torch
        >>> x = torch.tensor([[1.0, 3.0, 10.0, 30.0]])
        >>> group_norm(x, 2)
        tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])

    References:
        Wu and He (2018), Group normalization,
        [arXiv:1803.08494](https://arxiv.org/abs/1803.08494), section 3.
    """
    check_input(input, 2)
    check_parameters(input, input.shape[1:2], {"weight": weight, "bias": bias})
    (n, c), g = input.shape[:2], num_groups.__index__()
    if g < 1 or c % g:
        raise ValueError(f"expected num_groups to divide {c} channels, got {g}")
    values = c // g * math.prod(input.shape[2:])
    if n * values == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{tuple(input.shape)} in {g} groups"
        )
    rows = input.to(wide_dtype(input)).reshape(n, g, values)  # (N, G, C / G * H * W)
    x_hat, _, _ = standardize_rows(rows, float(eps))
    return scale_and_shift(x_hat.view(input.shape), weight, bias).to(input.dtype)


def instance_norm(
    input: Float[Tensor, "n c *spatial"],
    running_mean: Vector | None = None,
    running_var: Vector | None = None,
    weight: Vector | None = None,
    bias: Vector | None = None,
    use_input_stats: bool = True,
    momentum: SupportsFloat = 0.1,
    eps: SupportsFloat = 1e-5,
) -> Float[Tensor, "n c *spatial"]:
    r"""Normalize each channel of each sample.

    $$y_{nchw} = \gamma_c\,\frac{x_{nchw} - \mu_{nc}}{\sqrt{\sigma^2_{nc} + \epsilon}}
    + \beta_c$$

    $\mu_{nc}$ and $\sigma^2_{nc}$ are mean and biased variance of the $HW$ values of a
    plane: brightness and contrast of one feature in one image, which is what it takes
    away. Running statistics, if there are some, move towards the batch's average of
    $\mu_{nc}$ and of the unbiased variance, as in
    [`batch_norm`][dlref.normalization.batch_norm].

    Args:
        input: Activations $x$ of shape (N, C, ...).
        running_mean: Running mean of each channel, overwritten where the input's own
            statistics are used; or None.
        running_var: Running variance of each channel, as `running_mean`.
        weight: Scale $\gamma$ of each channel; 1 if None.
        bias: Shift $\beta$ of each channel; 0 if None.
        use_input_stats: Whether to use the input's statistics, not the running ones.
        momentum: Weight of the batch in the running statistics.
        eps: $\epsilon$, in units of the variance.

    Returns:
        $y$, of the shape and dtype of `input`. An empty batch moves no statistics
        (torch's makes them NaN).

    Raises:
        TypeError: If `input` is no tensor of floating point, a weight or bias is of
            another dtype (of half precision: than float32 or the input's), or
            `momentum` is no number.
        ValueError: If shapes do not fit, one running statistic is given without the
            other or none where they are needed, or a plane of which statistics are
            taken has a single value.

    Examples:
        >>> import torch
        >>> x = torch.tensor([[[1.0, 3.0]], [[10.0, 30.0]]])  # two samples, one channel
        >>> instance_norm(x)
        tensor([[[-1.0000,  1.0000]],
        <BLANKLINE>
                [[-1.0000,  1.0000]]])

    References:
        Ulyanov, Vedaldi and Lempitsky (2016), Instance normalization: the missing
        ingredient for fast stylization,
        [arXiv:1607.08022](https://arxiv.org/abs/1607.08022), equation 3.
    """
    momentum, eps = check_momentum(momentum), float(eps)
    check_input(input, 2)
    check_statistics(running_mean, running_var, needed=not use_input_stats)
    (n, c), m = input.shape[:2], math.prod(input.shape[2:])
    check_parameters(input, (c,), {"weight": weight, "bias": bias})
    check_shapes(
        input, (c,), {"running_mean": running_mean, "running_var": running_var}
    )
    if use_input_stats and m == 1:
        raise ValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{tuple(input.shape)}"
        )
    x = input.to(wide_dtype(input))
    if running_mean is not None and running_var is not None and not use_input_stats:
        y = apply_statistics(x, running_mean, running_var, weight, bias, eps)
        return y.to(input.dtype)
    x_hat, mean, var = standardize_rows(x.reshape(n, c, m), eps)  # (N, C, H * W)
    if n * m > 0:
        track(running_mean, mean.mean(0).view(c), momentum)
        track(running_var, var.mean(0).view(c) * (m / (m - 1)), momentum)
    return scale_and_shift(x_hat.view(input.shape), weight, bias).to(input.dtype)

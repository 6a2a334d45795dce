"""What the functions of `dlref.normalization` accept, and in which dtype they work."""

from collections.abc import Mapping
from typing import SupportsFloat

import torch
from torch import Tensor

__all__ = [
    "check_input",
    "check_momentum",
    "check_parameters",
    "check_shapes",
    "check_statistics",
    "wide_dtype",
]


def check_input(input: object, least: int) -> None:
    """Refuse what is no tensor of floating point with at least `least` axes."""
    if not isinstance(input, Tensor):
        raise TypeError(f"expected input to be a Tensor, got {type(input).__name__}")
    if not input.is_floating_point():
        raise TypeError(f"expected input of floating point, got {input.dtype}")
    if input.ndim < least:
        raise ValueError(
            f"expected input of {least} axes or more, got the shape "
            f"{tuple(input.shape)}"
        )


def check_shapes(
    input: Tensor, shape: tuple[int, ...], parameters: Mapping[str, Tensor | None]
) -> None:
    """Refuse parameters of another shape; None passes."""
    for name, value in parameters.items():
        if value is not None and value.shape != shape:
            raise ValueError(
                f"expected {name} of the shape {tuple(shape)} for an input of the "
                f"shape {tuple(input.shape)}, got {tuple(value.shape)}"
            )


def check_parameters(
    input: Tensor, shape: tuple[int, ...], parameters: Mapping[str, Tensor | None]
) -> None:
    """Refuse parameters of another shape, or of a dtype that torch does not mix.

    That is any but the input's; for an input of half precision float32 serves as well,
    for all of its parameters together.
    """
    check_shapes(input, shape, parameters)
    given = {name: value for name, value in parameters.items() if value is not None}
    dtypes = {value.dtype for value in given.values()}
    if dtypes not in (set(), {input.dtype}, {wide_dtype(input)}):
        got = ", ".join(f"{name} of {value.dtype}" for name, value in given.items())
        raise TypeError(f"expected one dtype, got an input of {input.dtype}, {got}")


def check_statistics(mean: object, var: object, *, needed: bool) -> None:
    """Refuse one running statistic without the other, or none where some are needed."""
    if (mean is None) != (var is None):
        raise ValueError(
            "expected running_mean and running_var, or neither of them, got only "
            + ("running_mean" if var is None else "running_var")
        )
    if needed and mean is None:
        raise ValueError(
            "expected running_mean and running_var where the input's own statistics "
            "are not used, got None"
        )


def check_momentum(momentum: object) -> float:
    """Return a momentum as a float."""
    if not isinstance(momentum, SupportsFloat):  # None is known to the modules only
        kind = type(momentum).__name__
        raise TypeError(f"expected momentum to be a number, got {kind}")
    return float(momentum)


def wide_dtype(x: Tensor) -> torch.dtype:
    """Return the dtype to compute in: float32 for half precision."""
    return torch.promote_types(x.dtype, torch.float32)

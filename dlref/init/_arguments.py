"""What the initial weights are for: numbers of inputs and outputs, and refusals."""

import math

from torch import Tensor

__all__ = ["check_gain", "check_tensor", "fans"]


def check_tensor(tensor: object, *, or_complex: bool = False) -> None:
    """Refuse what cannot be filled with random numbers."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"expected a Tensor, got {type(tensor).__name__}")
    if not (tensor.is_floating_point() or (or_complex and tensor.is_complex())):
        raise TypeError(f"expected a Tensor of floating point, got {tensor.dtype}")


def check_gain(gain: float | int) -> None:
    """Refuse what no standard deviation can be made from."""
    if not 0 <= gain < math.inf:
        raise ValueError(f"expected a finite gain of 0 or more, got {gain}")


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return n_in and n_out of a weight (out, in, *kernel): each times the taps."""
    if tensor.dim() < 2:
        raise ValueError(
            "expected a weight of two axes or more, (out, in, *kernel), got the shape "
            f"{tuple(tensor.shape)}"
        )
    n_out, n_in, *kernel = tensor.shape
    taps = math.prod(kernel)
    return n_in * taps, n_out * taps

"""What the functions of `dlref.regularization` accept."""

from torch import Tensor

__all__ = ["check_floating", "check_probability", "check_tensor"]


def check_tensor(name: str, value: object) -> None:
    """Refuse what is no tensor."""
    if not isinstance(value, Tensor):
        kind = type(value).__name__
        raise TypeError(f"expected {name} to be a Tensor, got {kind}")


def check_floating(name: str, value: object) -> None:
    """Refuse what is no tensor of floating point."""
    check_tensor(name, value)
    if isinstance(value, Tensor) and not value.is_floating_point():
        raise TypeError(f"expected {name} of floating point, got {value.dtype}")


def check_probability(name: str, value: int | float) -> None:
    """Refuse a number outside of 0 to 1, and NaN."""
    if not 0 <= value <= 1:
        raise ValueError(f"expected {name} between 0 and 1, got {value}")

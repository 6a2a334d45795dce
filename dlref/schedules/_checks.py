"""What all schedules ask of their options."""

from numbers import Real

__all__ = ["check_numbers"]


def check_numbers(**given: object) -> None:
    """Refuse what is no number.

    Args:
        **given: What was given, by name.

    Raises:
        TypeError: If something is no number.
    """
    for name, value in given.items():
        if not isinstance(value, Real):
            raise TypeError(f"expected a number for {name}, got {type(value).__name__}")

"""Make calls of an autograd function cheaper."""

import inspect
from typing import Any, NamedTuple, TypeVar

import torch

__all__ = ["keep_signature"]

_Function = TypeVar("_Function", bound=type[torch.autograd.Function])


def keep_signature(function: _Function) -> _Function:
    """Keep the signature of `forward`, a decorator of the class.

    torch reads the signature at each call, and puts the arguments in order by it, which
    takes longer than a small operation.

    Args:
        function: The class, whose `forward` takes no context.

    Returns:
        The same class.
    """
    forward: Any = function.forward
    parameters = inspect.signature(forward).parameters.values()
    forward.__signature__ = _Signature(list(parameters))
    return function


class _Signature(inspect.Signature):
    """A signature that leaves arguments alone that are in order."""

    __slots__ = ()

    def bind(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - of any function
        """Return the arguments by their parameters."""
        if kwargs or len(args) != len(self.parameters):
            return super().bind(*args, **kwargs)
        return _InOrder(args, {})


class _InOrder(NamedTuple):
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def apply_defaults(self) -> None:
        """Do nothing: all arguments are given."""

"""Make calls of an autograd function cheaper."""

import inspect
from typing import Any, TypeVar

import torch

__all__ = ["keep_signature"]

_Function = TypeVar("_Function", bound=type[torch.autograd.Function])


def keep_signature(function: _Function) -> _Function:
    """Keep the signature of `forward`, a decorator of the class.

    torch reads the signature at each call, which takes longer than a small operation.

    Args:
        function: The class, whose `forward` takes no context.

    Returns:
        The same class.
    """
    forward: Any = function.forward
    forward.__signature__ = inspect.signature(forward)
    return function

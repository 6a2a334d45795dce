"""All parameters of a model as one long vector, so that a step is one of few calls."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["flatten_parameters"]


class _Flat(nn.Parameter):
    """One vector whose parts are the parameters of a model.

    What an optimizer does to it, it does to the model: parameters and gradients are
    views of it. Its gradient is never None; setting it to None fills it with zeros.
    """

    _parts: list[tuple[Tensor, Tensor, int]]  # parameter, its gradient, its address
    _gradient: Tensor

    def adopt(self, parameters: Sequence[Float[Tensor, "..."]]) -> None:
        """Make the parameters, whose values this vector holds, views of it.

        Args:
            parameters: Parameters in their order, changed.
        """
        self._gradient, self._parts = torch.zeros_like(self.data), []
        start = 0
        for p in parameters:
            end = start + p.numel()
            view = self._gradient[start:end].view(p.shape)
            if p.grad is not None:
                view.copy_(p.grad)
            p.data, p.grad = self.data[start:end].view(p.shape), view
            self._parts.append((p, view, p.data_ptr()))
            start = end

    @property
    def grad(self) -> Tensor:
        """The gradients of all parameters, in a row."""
        for p, view, address in self._parts:
            if p.data_ptr() != address:
                raise ValueError(
                    "expected the model's parameters in this vector, got one that has "
                    "left it; after model.to(…), call flatten_parameters again"
                )
            if p.grad is not view:  # something set it anew; None among others
                view.zero_() if p.grad is None else view.copy_(p.grad)
                p.grad = view
        return self._gradient

    @grad.setter
    def grad(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, value: Tensor | None
    ) -> None:
        if value is None:
            self._gradient.zero_()
        else:
            self._gradient.copy_(value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """Refuse: the copy would have no model."""
        raise TypeError("expected a model to be copied, got its flat parameter")


def flatten_parameters(model: nn.Module) -> nn.Parameter:
    """Move the parameters of a model into one vector, and return it for an optimizer.

    The model works as before: its parameters are views of the vector now, its state
    dict has the same names and shapes, and can be loaded. Parameters that need no
    gradient stay where they are.

    Args:
        model: Model, changed in place; all its trainable parameters on one device and
            of one dtype.

    Returns:
        The vector: `Adam([flatten_parameters(model)])` moves the whole model.

    Raises:
        TypeError: If `model` is no module.
        ValueError: If nothing is trainable, or dtypes or devices differ.

    Examples:
        >>> model = nn.Linear(3, 2)
        >>> flat = flatten_parameters(model)
        >>> flat.shape
        torch.Size([8])
        >>> with torch.no_grad():
        ...     _ = flat.zero_()
        >>> model.bias.tolist()
        [0.0, 0.0]
    """
    if not isinstance(model, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected an nn.Module, got {type(model).__name__}")
    trained = [p for p in model.parameters() if p.requires_grad]
    kinds = {(p.dtype, p.device) for p in trained}
    if len(kinds) != 1:
        found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
        raise ValueError(
            f"expected parameters of one dtype on one device, got {found or 'none'}"
        )
    flat = _Flat(torch.cat([p.detach().flatten() for p in trained]))
    flat.adopt(trained)
    return flat

"""The bias of an LSTM's forget gate."""

from typing import TypeVar

import torch
from torch import Tensor, nn

__all__ = ["init_forget_gate_bias_"]

_Module = TypeVar("_Module", bound=nn.Module)


def init_forget_gate_bias_(lstm: _Module, value: float | int = 1.0) -> _Module:
    r"""Set the bias of the forget gates, so that an LSTM begins by remembering.

    $$f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f) \qquad
    c_t = f_t \odot c_{t-1} + i_t \odot g_t$$

    With small weights a memory fades by $\sigma(b_f)$ at each step: after 20 steps
    $10^{-6}$ of it is left if $b_f = 0$, 0.2 % if $b_f = 1$, 8 % if $b_f = 2$. PyTorch
    *adds* two biases, `bias_ih` and `bias_hh`; this puts `value` into the first and 0
    into the second, in every layer and direction. Other gates are left as they are.

    Args:
        lstm: A `torch.nn.LSTM` or `LSTMCell`, or a module with its parameters' names
            and order of gates (input, forget, cell, output). It is modified.
        value: The bias $b_f$, the sum of the two.

    Returns:
        The same module.

    Raises:
        TypeError: If it is no module.
        ValueError: If it has no biases, or not four gates of `hidden_size` units.

    Examples:
        >>> cell = init_forget_gate_bias_(nn.LSTMCell(3, 2))
        >>> (cell.bias_ih + cell.bias_hh)[2:4].tolist()
        [1.0, 1.0]

    References:
        Jozefowicz, Zaremba and Sutskever (2015),
        <https://proceedings.mlr.press/v37/jozefowicz15.html>.
    """
    biases, n = _biases(lstm)
    with torch.no_grad():
        for name, bias in biases.items():  # i, f, g, o
            bias[n : 2 * n] = value if name.startswith("bias_ih") else 0.0
    return lstm


def _biases(lstm: nn.Module) -> tuple[dict[str, Tensor], int]:
    """Return the module's biases of gates by name, and the units of a gate."""
    if not isinstance(lstm, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected an LSTM, got {type(lstm).__name__}")
    named = lstm.named_parameters(recurse=False)
    biases: dict[str, Tensor] = {
        name: p for name, p in named if name.startswith(("bias_ih", "bias_hh"))
    }
    if not biases:
        raise ValueError(
            "expected an LSTM with biases bias_ih and bias_hh, got "
            f"{type(lstm).__name__} with {[n for n, _ in lstm.named_parameters()]}"
        )
    n = getattr(lstm, "hidden_size", None)
    shapes = {name: tuple(bias.shape) for name, bias in biases.items()}
    if not isinstance(n, int) or {*shapes.values()} != {(4 * n,)}:
        raise ValueError(f"expected four gates of hidden_size={n} units, got {shapes}")
    return biases, n

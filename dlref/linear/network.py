"""The multilayer perceptron: linear layers with an activation between them."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlref.activations import relu
from dlref.linear.layer import Linear

__all__ = ["MLP"]


class MLP(nn.Module):
    r"""Linear layers of given widths, with an activation between any two.

    $$h_0 = x \qquad h_l = f(W_l h_{l-1} + b_l) \qquad y = W_L h_{L-1} + b_L$$

    The last layer has no activation: its outputs are scores, for a loss to interpret.
    The layers are `layers[0]`, `layers[1]` and so on, so that a state dict has the keys
    `layers.0.weight`, `layers.0.bias`.

    Args:
        sizes: Widths $n_0, n_1, \dots, n_L$: of the input, of each hidden layer, of the
            output.
        activation: $f$, any function or module from tensor to tensor.
        bias: Whether the layers have biases.
        device: Where to make the parameters.
        dtype: Their dtype.

    Raises:
        ValueError: If `sizes` has fewer than two widths, or one that is not positive.

    Examples:
        >>> network = MLP([784, 100, 10])
        >>> network(torch.zeros(32, 784)).shape
        torch.Size([32, 10])
        >>> sum(p.numel() for p in network.parameters())  # 785 * 100 + 101 * 10
        79510
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: Callable[[Tensor], Tensor] = relu,
        *,
        bias: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Make the layers, from the first to the last."""
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"expected two or more positive widths, got {list(sizes)}")
        self.activation = activation
        self.layers = nn.ModuleList(
            Linear(n_in, n_out, bias, device, dtype) for n_in, n_out in pairwise(sizes)
        )

    def forward(self, input: Float[Tensor, "*batch n_0"]) -> Float[Tensor, "..."]:
        """Return the scores, of shape (*batch, n_L)."""
        h = input
        *hidden, last = self.layers
        for layer in hidden:
            h = self.activation(layer(h))
        return cast("Tensor", last(h))

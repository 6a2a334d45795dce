"""An activation with weights of its own: the largest of several affine maps."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Maxout"]


class Maxout(nn.Module):
    r"""Return the largest of k affine maps, for each output unit.

    $$h_i(x) = \max_{j \le k}\; w_{ij} \cdot x + b_{ij}$$

    A convex function of straight pieces, whose bends are learned: with $k = 2$ and one
    map equal to 0 it is `relu` of the other; with maps $z$ and $az$ it is `leaky_relu`.
    It takes $k$ times the parameters of a linear layer, $k\,(n_{in} + 1)\,n_{out}$.

    `weight` has the shape (out_features, num_pieces, in_features), `bias`
    (out_features, num_pieces); both are drawn as those of `torch.nn.Linear`. Where
    pieces tie, one of them receives the gradient.

    Args:
        in_features: Length $n_{in}$ of the input's last axis.
        out_features: Length $n_{out}$ of the output's.
        num_pieces: Affine maps $k$ for each output unit.
        bias: Whether the maps have biases.
        device: Where to make the parameters.
        dtype: Their dtype.

    Raises:
        ValueError: If a number is not positive, or an input has another last axis.

    Examples:
        >>> layer = Maxout(1, 1)
        >>> layer.load_state_dict(
        ...     {"weight": torch.tensor([[[1.0], [-1.0]]]), "bias": torch.zeros(1, 2)}
        ... )
        <All keys matched successfully>
        >>> layer(torch.tensor([[-2.0], [3.0]])).flatten().tolist()  # |x|
        [2.0, 3.0]

    References:
        Goodfellow et al. (2013), Maxout networks,
        [arXiv:1302.4389](https://arxiv.org/abs/1302.4389), section 2.
    """

    bias: Tensor | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        num_pieces: int = 2,
        *,
        bias: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Make the layer, with initial weights drawn."""
        super().__init__()
        if min(in_features, out_features, num_pieces) < 1:
            raise ValueError(
                f"expected positive numbers, got {in_features=} {out_features=} "
                f"{num_pieces=}"
            )
        self.in_features = in_features
        self.out_features = out_features
        self.num_pieces = num_pieces
        shape = out_features, num_pieces, in_features
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        b = nn.Parameter(torch.empty(shape[:2], device=device, dtype=dtype))
        self.register_parameter("bias", b if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights and biases anew, within 1 / sqrt(in_features) of 0."""
        bound = 1 / math.sqrt(self.in_features)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, input: Float[Tensor, "*batch n_in"]) -> Float[Tensor, "..."]:
        """Return the largest map of each output unit, of shape (*batch, n_out)."""
        if input.ndim == 0 or input.shape[-1] != self.in_features:
            raise ValueError(
                f"expected a last axis of {self.in_features}, got an input of the "
                f"shape {tuple(input.shape)}"
            )
        b = None if self.bias is None else self.bias.flatten()
        z = F.linear(input, self.weight.flatten(0, 1), b)
        z = z.reshape(*input.shape[:-1], *self.weight.shape[:2])  # (*batch, n_out, k)
        return z.max(-1).values

    def extra_repr(self) -> str:
        """Return the settings.

        Returns:
            A line as torch's layers show theirs.
        """
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"num_pieces={self.num_pieces}, bias={self.bias is not None}"
        )

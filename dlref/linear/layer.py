"""The linear layer: a matrix product and a bias."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Linear", "linear"]


def linear(
    input: Float[Tensor, "..."],
    weight: Float[Tensor, "..."],
    bias: Float[Tensor, "..."] | None = None,
) -> Float[Tensor, "..."]:
    r"""Map the last axis of the input by a matrix, and add a bias.

    $$y = x W^\top + b \qquad y_o = \sum_i W_{oi}\,x_i + b_o$$

    Args:
        input: $x$, of shape (..., n_in).
        weight: $W$, of shape (n_out, n_in): one row for each output. Or (n_in,), for a
            single output without an axis.
        bias: $b$, of shape (n_out,), or () for one number; none if None.

    Returns:
        $y$, of shape (..., n_out), or (...) with a `weight` of one axis.

    Raises:
        TypeError: If an argument is no tensor of floating point, or their dtypes
            differ.
        ValueError: If the shapes do not fit.

    Examples:
        >>> x, w = torch.tensor([1.0, 2.0]), torch.tensor([[3.0, 4.0], [5.0, 6.0]])
        >>> linear(x, w, torch.tensor([0.5, -0.5]))
        tensor([11.5000, 16.5000])
    """
    _check(input, weight, bias)
    n_in = weight.shape[-1]
    rows = input.reshape(math.prod(input.shape[:-1]), n_in)
    columns = weight.reshape(math.prod(weight.shape[:-1]), n_in).T  # (n_in, n_out)
    y = rows @ columns if bias is None else torch.addmm(bias, rows, columns)
    return y.reshape(input.shape[:-1] + weight.shape[:-1])


class Linear(nn.Module):
    r"""A layer $y = x W^\top + b$ with $(n_{in} + 1)\,n_{out}$ parameters.

    `weight` has the shape (n_out, n_in), `bias` (n_out,): one number for each *output
    unit*. Both are drawn uniformly from $\pm 1 / \sqrt{n_{in}}$, in the order in which
    `torch.nn.Linear` draws, so that a seed gives the same layer; state dicts are
    torch's.

    Args:
        in_features: Length $n_{in}$ of the input's last axis.
        out_features: Length $n_{out}$ of the output's.
        bias: Whether there is a bias.
        device: Where to make the parameters.
        dtype: Their dtype.

    Raises:
        ValueError: If a number of features is negative.

    Examples:
        >>> layer = Linear(3, 5)
        >>> layer(torch.ones(2, 3)).shape
        torch.Size([2, 5])
        >>> sum(p.numel() for p in layer.parameters())
        20
    """

    bias: Tensor | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Make the layer, with initial weights drawn."""
        super().__init__()
        if min(in_features, out_features) < 0:
            raise ValueError(
                f"expected numbers of features, got {in_features=} {out_features=}"
            )
        self.in_features = in_features
        self.out_features = out_features

        def empty(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype))

        self.weight = empty(out_features, in_features)
        self.register_parameter("bias", empty(out_features) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weight, then the bias, within 1 / sqrt(in_features) of 0."""
        if self.weight.numel():  # this a makes the bound 1 / sqrt(n_in)
            nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Float[Tensor, "*batch n_in"]) -> Float[Tensor, "..."]:
        """Return [`linear`][dlref.linear.linear] of the input, (*batch, n_out)."""
        return linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the settings.

        Returns:
            The line that torch's layer shows.
        """
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


def _check(input: object, weight: object, bias: object) -> None:
    """Refuse what cannot be multiplied and added, by name."""
    given = {"input": input, "weight": weight, "bias": bias}
    if bias is None:
        del given["bias"]
    for name, value in given.items():
        if not isinstance(value, Tensor) or not value.is_floating_point():
            got = value.dtype if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(
                f"expected {name} to be a Tensor of floating point, got {got}"
            )
    tensors = {name: x for name, x in given.items() if isinstance(x, Tensor)}
    if len({x.dtype for x in tensors.values()}) > 1:
        got = ", ".join(f"{name} of {x.dtype}" for name, x in tensors.items())
        raise TypeError(f"expected one dtype, got {got}")
    _check_shapes(*(tuple(x.shape) for x in tensors.values()))


def _check_shapes(
    x: tuple[int, ...], w: tuple[int, ...], b: tuple[int, ...] = ()
) -> None:
    if len(w) not in (1, 2) or not x or x[-1] != w[-1]:
        raise ValueError(
            "expected an input of shape (..., n_in) and a weight of shape "
            f"(n_out, n_in) or (n_in,), got {x} and {w}"
        )
    if b not in ((), w[:-1]):
        raise ValueError(f"expected a bias of the shape {w[:-1]}, got {b}")

"""Stochastic depth: in training, whole residual branches are dropped."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from dlref.regularization._arguments import check_floating, check_probability

__all__ = ["stochastic_depth"]


def stochastic_depth(
    input: Float[Tensor, "..."],
    p: int | float,
    mode: Literal["batch", "row"],
    training: bool = True,
) -> Float[Tensor, "..."]:
    r"""Drop a residual branch with probability $p$, and scale it up where it stays.

    $$h_{l+1} = h_l + \frac{m}{1 - p}\,f(h_l), \qquad m \sim \text{Bernoulli}(1 - p)$$

    The input is $f(h_l)$, the branch's output, and the result is what is added to the
    shortcut $h_l$: where $m = 0$, the network is one block shallower.

    Args:
        input: The branch's output $f(h_l)$, of shape (N, ...).
        p: Probability $p$ that the branch is dropped.
        mode: `"batch"`: one draw for all samples; `"row"`: one for each.
        training: Whether to drop at all.

    Returns:
        The branch's output after the draw, of the shape of the input.

    Raises:
        TypeError: If the input is no tensor of floating point.
        ValueError: If `p` is no probability, `mode` is neither, or rows are asked of an
            input without axes.

    Examples:
        >>> import torch
        >>> h = stochastic_depth(torch.ones(100, 3), p=0.5, mode="row")
        >>> h.unique(dim=0)  # a row is there or not
        tensor([[0., 0., 0.],
                [2., 2., 2.]])

    References:
        Huang et al. (2016), [arXiv:1603.09382](https://arxiv.org/abs/1603.09382),
        section 3. A departure, torchvision's: the paper scales $f$ by $1 - p$ after the
        training, not by $1 / (1 - p)$ in training.
    """
    check_floating("input", input)
    check_probability("p", p)
    if mode not in ("batch", "row"):
        raise ValueError(f"expected mode to be 'batch' or 'row', got {mode!r}")
    if mode == "row" and not input.ndim:
        raise ValueError("expected an input of shape (N, ...) for mode 'row', got ()")
    if not training or p == 0:
        return input
    rows = input.shape[0] if mode == "row" else 1
    m = input.new_empty((rows,) + (1,) * (input.ndim - 1) if input.ndim else ())
    m.bernoulli_(1 - p)
    return input * (m.div_(1 - p) if p < 1 else m)

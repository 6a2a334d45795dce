"""Backpropagation through a multilayer perceptron, by matrices."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.activations import relu, sigmoid, tanh
from dlref.linear import linear

__all__ = ["Forward", "Gradients", "backward_mlp", "forward_mlp"]

_Function: TypeAlias = Callable[[Tensor], Tensor]
_Activation: TypeAlias = str | tuple[_Function, _Function]

_ACTIVATIONS: dict[str, tuple[_Function, _Function]] = {  # f, f'
    "identity": (lambda z: z, torch.ones_like),
    "relu": (relu, lambda z: (z > 0).to(z.dtype)),
    "sigmoid": (sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z))),
    "tanh": (tanh, lambda z: 1 - tanh(z) ** 2),
}


class Forward(NamedTuple):
    r"""What the forward pass leaves for the backward pass.

    Attributes:
        a: Activations, the input first: $a^0 = x, a^1, \dots, a^L$; (N, n_l) each.
        z: Pre-activations $z^1, \dots, z^L$; (N, n_l) each.
        slopes: The derivative $f'$ of each layer's activation, as a function of $z^l$.
    """

    a: tuple[Tensor, ...]
    z: tuple[Tensor, ...]
    slopes: tuple[_Function, ...]

    @property
    def output(self) -> Tensor:
        """The network's output.

        Returns:
            $a^L$, (N, n_L).
        """
        return self.a[-1]


class Gradients(NamedTuple):
    r"""The derivatives of the loss $E$.

    Attributes:
        weights: With respect to $W^1, \dots, W^L$; (n_l, n_{l-1}) each.
        biases: With respect to $b^1, \dots, b^L$; (n_l,) each.
        input: With respect to $x$; (N, n_0).
        deltas: Error terms $\delta^1, \dots, \delta^L$, with respect to the $z^l$;
            (N, n_l) each.
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]
    input: Tensor
    deltas: tuple[Tensor, ...]


def forward_mlp(
    x: Float[Tensor, "..."],
    weights: Sequence[Float[Tensor, "..."]],
    biases: Sequence[Float[Tensor, "..."]],
    *,
    activation: _Activation = "relu",
    output_activation: _Activation = "identity",
) -> Forward:
    r"""Compute a multilayer perceptron, and keep what its derivatives need.

    $$a^0 = x \qquad z^l = a^{l-1} (W^l)^\top + b^l \qquad a^l = f_l(z^l)$$

    Args:
        x: One sample a row, (N, n_0).
        weights: $W^1, \dots, W^L$; (n_l, n_{l-1}) each, as in `torch.nn.Linear`.
        biases: $b^1, \dots, b^L$; (n_l,) each.
        activation: $f$ of the hidden layers: `"relu"`, `"tanh"`, `"sigmoid"`,
            `"identity"`, or a pair of functions $(f, f')$ that work by element.
        output_activation: $f_L$, likewise.

    Returns:
        The activations, of which the last is the output, and the pre-activations.

    Raises:
        TypeError: If a tensor is not of floating point, or dtypes differ.
        ValueError: If shapes or lengths do not fit, or an activation is unknown.

    Examples:
        >>> W, b = [torch.tensor([[1.0], [-1.0]]), torch.ones(1, 2)], [torch.ones(2)]
        >>> forward_mlp(torch.tensor([[2.0]]), W, [*b, torch.zeros(1)]).output
        tensor([[3.]])
    """
    if x.ndim != 2:
        raise ValueError(f"expected x of shape (N, n_0), got {tuple(x.shape)}")
    if not len(weights) == len(biases) > 0:
        raise ValueError(
            "expected a weight and a bias for each of one or more layers, "
            f"got {len(weights)} weights and {len(biases)} biases"
        )
    functions = [_functions(activation)] * (len(weights) - 1)
    functions.append(_functions(output_activation))
    a, z = [x], list[Tensor]()
    for W, b, (f, _) in zip(weights, biases, functions, strict=True):
        _check_layer(len(z) + 1, W, b)
        z.append(linear(a[-1], W, b))  # (N, n_l)
        a.append(f(z[-1]))
    return Forward(tuple(a), tuple(z), tuple(slope for _, slope in functions))


def backward_mlp(
    forward: Forward,
    weights: Sequence[Float[Tensor, "..."]],
    grad_output: Float[Tensor, "..."],
) -> Gradients:
    r"""Take the derivative of a loss back through a multilayer perceptron.

    $$\delta^L = \frac{\partial E}{\partial a^L} \odot f_L'(z^L) \qquad
    \delta^l = (\delta^{l+1}\,W^{l+1}) \odot f_l'(z^l)$$

    $$\frac{\partial E}{\partial W^l} = (\delta^l)^\top a^{l-1} \qquad
    \frac{\partial E}{\partial b^l} = \sum_{n=1}^N \delta^l_n \qquad
    \frac{\partial E}{\partial x} = \delta^1\,W^1$$

    Args:
        forward: What [`forward_mlp`][dlref.backprop.forward_mlp] returned.
        weights: $W^1, \dots, W^L$, as given to it.
        grad_output: $\partial E / \partial a^L$, (N, n_L).

    Returns:
        The gradients of weights, biases and input, and the error terms $\delta^l$.

    Raises:
        ValueError: If shapes or lengths do not fit.

    Examples:
        >>> x, W = torch.tensor([[2.0]]), [torch.tensor([[3.0]])]
        >>> forward = forward_mlp(x, W, [torch.zeros(1)])
        >>> error = forward.output - 5  # of E = (y - 5)² / 2
        >>> backward_mlp(forward, W, error).weights
        (tensor([[2.]]),)
    """
    _check_backward(forward, weights, grad_output)
    grads, error = list[tuple[Tensor, Tensor, Tensor]](), grad_output
    for layer in reversed(range(len(weights))):
        delta = error * forward.slopes[layer](forward.z[layer])  # (N, n_l)
        grad_w = delta.T @ forward.a[layer]  # (n_l, N) x (N, n_in) -> (n_l, n_in)
        grads.append((grad_w, delta.sum(dim=0), delta))
        error = delta @ weights[layer]  # (N, n_l) x (n_l, n_in) -> (N, n_in)
    by_weight, by_bias, deltas = zip(*reversed(grads), strict=True)
    return Gradients(by_weight, by_bias, error, deltas)


def _functions(activation: _Activation) -> tuple[_Function, _Function]:
    if not isinstance(activation, str):
        return activation
    if activation not in _ACTIVATIONS:
        known = ", ".join(_ACTIVATIONS)
        raise ValueError(
            f"expected a pair of functions or one of {known}, got {activation!r}"
        )
    return _ACTIVATIONS[activation]


def _check_layer(layer: int, W: Tensor, b: Tensor) -> None:
    """Refuse what `linear` would broadcast."""
    if W.ndim != 2 or b.shape != W.shape[:1]:
        got = f"{tuple(W.shape)} and {tuple(b.shape)}"
        raise ValueError(
            "expected a weight of shape (n_out, n_in) and a bias of shape (n_out,), "
            f"got {got} in layer {layer}"
        )


def _check_backward(
    forward: Forward, weights: Sequence[Tensor], grad_output: Tensor
) -> None:
    widths = [a.shape[1] for a in forward.a]
    expected = list(zip(widths[1:], widths, strict=False))
    if (got := [tuple(W.shape) for W in weights]) != expected:
        raise ValueError(f"expected weights of shapes {expected}, got {got}")
    if grad_output.shape != forward.output.shape:
        raise ValueError(
            f"expected grad_output of shape {tuple(forward.output.shape)}, "
            f"got {tuple(grad_output.shape)}"
        )

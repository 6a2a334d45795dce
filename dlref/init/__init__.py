r"""Initial weights: how large they must be for signals to pass through many layers.

A layer of $n_{in}$ inputs with independent weights of variance $s^2$ multiplies the
mean square of its signal by $n_{in}\,s^2$ on the way forward, and that of its gradient
by $n_{out}\,s^2$ on the way back. After $L$ layers these are powers of $L$, so they
have to stand near 1.

| functions | weights | made for |
|---|---|---|
| `xavier_uniform_`, `xavier_normal_` | $s^2 = 2 g^2 / (n_{in} + n_{out})$ | tanh |
| `kaiming_uniform_`, `kaiming_normal_` | $s^2 = g^2 / n_{in}$, or $n_{out}$ | ReLU |
| `orthogonal_` | orthonormal rows or columns, times $g$ | deep chains |

$g$ is the gain of the activation, `calculate_gain`. `init_forget_gate_bias_` opens the
forget gates of an LSTM. Signatures and random draws are those of `torch.nn.init`: a
seed gives the same weights, bit by bit. The underscore says that the tensor given is
overwritten.

References:
    Glorot and Bengio (2010), *Understanding the difficulty of training deep feedforward
    neural networks*, <https://proceedings.mlr.press/v9/glorot10a.html>, section 4.2.

    He et al. (2015), *Delving Deep into Rectifiers*,
    [arXiv:1502.01852](https://arxiv.org/abs/1502.01852), section 2.2.
"""

from dlref.init.gain import calculate_gain
from dlref.init.gates import init_forget_gate_bias_
from dlref.init.orthogonal import orthogonal_
from dlref.init.variance import (
    kaiming_normal_,
    kaiming_uniform_,
    xavier_normal_,
    xavier_uniform_,
)

__all__ = [
    "calculate_gain",
    "init_forget_gate_bias_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "orthogonal_",
    "xavier_normal_",
    "xavier_uniform_",
]

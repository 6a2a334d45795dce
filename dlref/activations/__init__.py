r"""Activations: the nonlinear functions between the layers of a network.

| kind | functions |
|---|---|
| bounded, S-shaped | `sigmoid`, `hardsigmoid`, `tanh`, `softsign` |
| the identity above 0, straight below | `relu`, `relu6`, `leaky_relu`, `prelu` |
| the identity above 0, an exponential below | `elu`, `selu`, `celu` |
| smooth everywhere, unbounded | `softplus`, `logsigmoid` |
| $x$ times a gate | `silu`, `gelu`, `mish`, `hardswish`, `glu` |
| along an axis, not by element | `softmax`, `log_softmax` |
| with weights of its own | `Maxout` |

Signatures, defaults and results are those of `torch.nn.functional`; so are the
gradients, also at the kinks. Half precision is computed in float32 and rounded once.
Numbers of any size give a finite gradient.

References:
    Goodfellow, Bengio and Courville (2016),
    [Deep Learning](https://www.deeplearningbook.org/), sections 6.2 and 6.3.
"""

from dlref.activations.exponential import celu, elu, selu
from dlref.activations.gates import gelu, glu, hardswish, mish, silu
from dlref.activations.maxout import Maxout
from dlref.activations.rectifiers import leaky_relu, prelu, relu, relu6
from dlref.activations.sigmoids import hardsigmoid, sigmoid, softsign, tanh
from dlref.activations.softmax import log_softmax, softmax
from dlref.activations.softplus import logsigmoid, softplus

__all__ = [
    "Maxout",
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardsigmoid",
    "hardswish",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]

r"""Linear layers, $y = x W^\top + b$, and the networks that consist of them.

`linear` is the formula, `Linear` the layer that holds $W$ and $b$, and `MLP` stacks
such layers with an activation between them. Names, signatures, results, initial draws
and state dicts are torch's.

References:
    Goodfellow, Bengio and Courville (2016),
    [Deep Learning](https://www.deeplearningbook.org/), chapter 6.
"""

from dlref.linear.layer import Linear, linear
from dlref.linear.network import MLP

__all__ = ["MLP", "Linear", "linear"]

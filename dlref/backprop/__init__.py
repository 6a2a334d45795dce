r"""Backpropagation: the gradients of a loss, from the output back to each parameter.

| step | names |
|---|---|
| one number at a time, the graph recorded | `Value` |
| one layer at a time, the matrix rules written out | `forward_mlp`, `backward_mlp` |
| without the chain rule, to check the above | `numerical_gradient`, `gradcheck` |

Nothing here changes a parameter: what uses the gradients is an optimizer.

References:
    Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating
    errors, Nature 323, [doi:10.1038/323533a0](https://doi.org/10.1038/323533a0).
    Goodfellow, Bengio and Courville (2016),
    [Deep Learning](https://www.deeplearningbook.org/), section 6.5.
"""

from dlref.backprop.checking import gradcheck
from dlref.backprop.network import Forward, Gradients, backward_mlp, forward_mlp
from dlref.backprop.numerical import numerical_gradient
from dlref.backprop.report import GradcheckReport, GradcheckRow
from dlref.backprop.scalar import Value

__all__ = [
    "Forward",
    "GradcheckReport",
    "GradcheckRow",
    "Gradients",
    "Value",
    "backward_mlp",
    "forward_mlp",
    "gradcheck",
    "numerical_gradient",
]

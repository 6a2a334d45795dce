r"""Regularization: what keeps a network from learning its training set by heart.

| kind | names |
|---|---|
| noise in the network | `dropout`, `dropout2d`, `alpha_dropout`, `stochastic_depth` |
| noise in the data and targets | `label_smoothing`, `mixup`, `cutmix` |
| a bound on the gradients | `clip_grad_norm_`, `clip_grad_value_` |
| a bound on the training | `EarlyStopping` |

Signatures, defaults and results are those of torch and torchvision where they have the
function; with the same generator state on the CPU so are the random draws.

References:
    Goodfellow, Bengio and Courville (2016),
    [Deep Learning](https://www.deeplearningbook.org/), chapter 7.
"""

from dlref.regularization.clipping import clip_grad_norm_, clip_grad_value_
from dlref.regularization.depth import stochastic_depth
from dlref.regularization.dropout import alpha_dropout, dropout, dropout2d
from dlref.regularization.mixing import cutmix, mixup
from dlref.regularization.smoothing import label_smoothing
from dlref.regularization.stopping import EarlyStopping

__all__ = [
    "EarlyStopping",
    "alpha_dropout",
    "clip_grad_norm_",
    "clip_grad_value_",
    "cutmix",
    "dropout",
    "dropout2d",
    "label_smoothing",
    "mixup",
    "stochastic_depth",
]

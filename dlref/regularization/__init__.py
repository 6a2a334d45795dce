r"""Regularization: what keeps a network from learning its training set by heart.

| kind | names |
|---|---|
| a penalty on the weights | `l1_penalty`, `l2_penalty`, `elastic_net_penalty` |
| the same in linear regression | `ridge`, `soft_threshold`, `lasso_ista` |
| noise in the network | `dropout`, `dropout2d`, `alpha_dropout`, `stochastic_depth` |
| noise in the data and targets | `label_smoothing`, `mixup`, `cutmix` |
| a bound on the gradients | `clip_grad_norm_`, `clip_grad_value_` |
| a bound on the training | `EarlyStopping` |

Signatures, defaults and results are those of torch, torchvision and scikit-learn where
they have the function; with the same generator state on the CPU so are the random
draws.

References:
    Goodfellow, Bengio and Courville (2016),
    [Deep Learning](https://www.deeplearningbook.org/), chapter 7.
"""

from dlref.regularization.clipping import clip_grad_norm_, clip_grad_value_
from dlref.regularization.depth import stochastic_depth
from dlref.regularization.dropout import alpha_dropout, dropout, dropout2d
from dlref.regularization.lasso import LassoFit, lasso_ista
from dlref.regularization.mixing import cutmix, mixup
from dlref.regularization.penalties import elastic_net_penalty, l1_penalty, l2_penalty
from dlref.regularization.ridge import RidgeFit, ridge
from dlref.regularization.smoothing import label_smoothing
from dlref.regularization.stopping import EarlyStopping
from dlref.regularization.thresholding import soft_threshold

__all__ = [
    "EarlyStopping",
    "LassoFit",
    "RidgeFit",
    "alpha_dropout",
    "clip_grad_norm_",
    "clip_grad_value_",
    "cutmix",
    "dropout",
    "dropout2d",
    "elastic_net_penalty",
    "l1_penalty",
    "l2_penalty",
    "label_smoothing",
    "lasso_ista",
    "mixup",
    "ridge",
    "soft_threshold",
    "stochastic_depth",
]

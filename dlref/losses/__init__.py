r"""Losses: how wrong a network is, as one number to be made smaller.

| the network gives | the data say | loss |
|---|---|---|
| a number | a number | `mse_loss`, `l1_loss`, `huber_loss`, `smooth_l1_loss` |
| a logit for each label | 0 or 1 for each | `binary_cross_entropy_with_logits` |
| the same, few positives among many | the same | `focal_loss` |
| a probability | 0 or 1 | `binary_cross_entropy` |
| a logit for each class | a class, or probabilities | `cross_entropy` |
| log-probabilities of classes | a class | `nll_loss` |
| log-probabilities | a distribution | `kl_div` |
| a score, or one for each class | -1 or 1, or a class | `hinge_loss` |
| points | which are alike | `triplet_margin_loss` |

`one_hot` turns classes into vectors. Signatures, defaults and results are those of
`torch.nn.functional`; `focal_loss` follows torchvision and `hinge_loss` scikit-learn.
Half precision is computed in float32 and rounded once.

References:
    Goodfellow, Bengio and Courville (2016),
    [Deep Learning](https://www.deeplearningbook.org/), section 6.2.
"""

from dlref.losses.binary import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    focal_loss,
)
from dlref.losses.categorical import cross_entropy, nll_loss, one_hot
from dlref.losses.comparing import hinge_loss, kl_div, triplet_margin_loss
from dlref.losses.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "focal_loss",
    "hinge_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "smooth_l1_loss",
    "triplet_margin_loss",
]

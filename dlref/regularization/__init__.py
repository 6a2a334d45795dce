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

__all__: list[str] = []

r"""Convolution, with torch's names and results, from its definition to a layer.

[`corr2d`][dlref.convolution.corr2d] is the definition, and it is slow. The rest stands
on a single operation: weights $w$, input $x$ and output $y$ meet in one trilinear form

$$T(w, x, y) =
  \sum_{n, k, c, t, u} w_{k, c, u}\; x_{n, c,\, t s + u d - p}\; y_{n, k, t}$$

of which the convolution, the transposed convolution and the gradient of the weights are
the three derivatives (`_derivatives`), for any number of axes. Each is a sum of
products of matrices (`_products`, `_onednn`) with windows unfolded (`_columns`); of a
depthwise convolution, where no matrices are left, a sum of images moved (`_shifts`).

Inputs are (N, C, ...) or, without a batch, (C, ...). Gradients of any order, forward
mode, `torch.func.vmap` and `torch.autocast` work as with torch's functions.

References:
    Dumoulin and Visin (2016), A guide to convolution arithmetic for deep learning,
    [arXiv:1603.07285](https://arxiv.org/abs/1603.07285);
    Goodfellow, Bengio and Courville (2016), Deep Learning, chapter 9,
    [deeplearningbook.org](https://www.deeplearningbook.org/contents/convnets.html).
"""

from dlref.convolution.columns import fold, unfold
from dlref.convolution.correlation import conv1d, conv2d, conv3d, true_conv2d
from dlref.convolution.definition import corr2d
from dlref.convolution.layers import Conv2d, SeparableConv2d
from dlref.convolution.separable import depthwise_separable_conv2d
from dlref.convolution.transposed import (
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)

__all__ = [
    "Conv2d",
    "SeparableConv2d",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "corr2d",
    "depthwise_separable_conv2d",
    "fold",
    "true_conv2d",
    "unfold",
]

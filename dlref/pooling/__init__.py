r"""Max, average, adaptive and power-average pooling, with torch's names and results.

A pooling puts one number, the maximum or the average, for the pixels of a window,
within each channel. It has no parameters, and its stride defaults to the window's size.

The windows' first pixels are one strided view of the input, their second pixels another
and so on; views are combined, one axis at a time (`_windows`, `_maxima`, `_sums`).

Inputs are (N, C, ...) or, without a batch, (C, ...). float16 and bfloat16 are averaged
in float32.

References:
    Goodfellow, Bengio and Courville (2016), Deep Learning, section 9.3,
    [deeplearningbook.org](https://www.deeplearningbook.org/contents/convnets.html).
"""

from dlref.pooling.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool2d,
)
from dlref.pooling.average import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    global_avg_pool2d,
    lp_pool2d,
)
from dlref.pooling.maximum import max_pool1d, max_pool2d, max_pool3d

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "global_avg_pool2d",
    "lp_pool2d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
]

r"""Normalization: shift and scale activations by their own statistics.

$$y = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}\,\gamma + \beta$$

The functions differ in what $\mu$ and $\sigma^2$ are taken over. For images of shape
(N, C, H, W):

| function | one mean for each | over | batch matters |
|---|---|---|---|
| `batch_norm` | channel | N, H, W | in training |
| `instance_norm` | sample and channel | H, W | no |
| `group_norm` | sample and group of channels | C / G, H, W | no |
| `layer_norm` | sample | the last axes, as given | no |
| `rms_norm` | sample; no mean is subtracted | the last axes, as given | no |
| `local_response_norm` | pixel and channel; no mean | neighbouring channels | no |

$\sigma^2$ is the biased variance, whose divisor is the number of values. Signatures,
defaults and results are those of `torch.nn.functional`; half precision is computed in
float32.
"""

from dlref.normalization.batch import batch_norm
from dlref.normalization.fusion import fuse_conv_bn
from dlref.normalization.group import group_norm, instance_norm
from dlref.normalization.layer import layer_norm, rms_norm
from dlref.normalization.modules import BatchNorm1d, BatchNorm2d
from dlref.normalization.response import local_response_norm

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "batch_norm",
    "fuse_conv_bn",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]

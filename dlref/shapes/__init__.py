"""Output sizes, receptive fields, parameter and MAC counts: arithmetic without tensors.

Nothing here imports torch, save `receptive_field` when it is given an `nn.Module`.
Counts may be ints, NumPy integers or integer tensors; the results are plain ints.
"""

from dlref.shapes.convolution import (
    conv_output_size,
    conv_transpose_output_size,
    same_padding,
)
from dlref.shapes.counts import conv_macs, conv_num_params, linear_num_params
from dlref.shapes.fields import ReceptiveField, receptive_field
from dlref.shapes.pooling import pool_output_size

__all__ = [
    "ReceptiveField",
    "conv_macs",
    "conv_num_params",
    "conv_output_size",
    "conv_transpose_output_size",
    "linear_num_params",
    "pool_output_size",
    "receptive_field",
    "same_padding",
]

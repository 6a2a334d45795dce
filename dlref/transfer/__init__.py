"""Transfer learning: what of a trained network stays as it is, and what learns anew.

Three steps, each reversible until training has moved the numbers: freeze the network,
replace its head, later thaw its last layers and train them at a smaller rate.
"""

from dlref.transfer.freezing import freeze, unfreeze, unfreeze_last
from dlref.transfer.groups import ParameterGroup, parameter_groups
from dlref.transfer.heads import replace_head

__all__ = [
    "ParameterGroup",
    "freeze",
    "parameter_groups",
    "replace_head",
    "unfreeze",
    "unfreeze_last",
]

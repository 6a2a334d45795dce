"""Labels as probabilities: a row of one number for each class."""

from typing import Any, cast

import torch
from torch import Tensor

from dlref.regularization._arguments import check_tensor

__all__ = ["as_probabilities"]


def as_probabilities(labels: Tensor, num_classes: int | None) -> Tensor:
    """Return class indices as rows of zeros and a one, and probabilities as they are.

    Args:
        labels: Indices of shape (...), whole numbers; or probabilities of floating
            point.
        num_classes: Number K of classes, for indices.

    Returns:
        Probabilities: of indices (..., K), in the default dtype.
    """
    check_tensor("labels", labels)
    if labels.is_floating_point():
        return labels
    if labels.is_complex() or labels.dtype == torch.bool:
        raise TypeError(
            "expected class indices, or probabilities of floating point, "
            f"got {labels.dtype}"
        )
    if num_classes is None:
        raise ValueError("expected num_classes beside class indices, got None")
    if labels.numel():
        low, high = (bound.item() for bound in labels.aminmax())
        if low < 0 or high >= num_classes:
            raise ValueError(
                f"expected class indices from 0 to {num_classes - 1}, "
                f"got {low} to {high}"
            )
    one_hot = cast("Any", torch.nn.functional).one_hot(labels.long(), num_classes)
    return one_hot.to(torch.get_default_dtype())

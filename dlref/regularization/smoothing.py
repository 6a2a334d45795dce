"""Label smoothing: targets that are not quite certain."""

from jaxtyping import Float, Shaped
from torch import Tensor

from dlref.regularization._arguments import check_probability
from dlref.regularization._labels import as_probabilities

__all__ = ["label_smoothing"]


def label_smoothing(
    target: Shaped[Tensor, "..."],
    smoothing: int | float = 0.1,
    num_classes: int | None = None,
    *,
    dim: int = -1,
) -> Float[Tensor, "..."]:
    r"""Mix the targets with the uniform distribution.

    $$q'_k = (1 - \varepsilon)\,q_k + \frac{\varepsilon}{K}$$

    Cross-entropy against $q'$ is what `torch.nn.functional.cross_entropy` computes with
    `label_smoothing=`$\varepsilon$: the right class gets
    $1 - \varepsilon + \varepsilon / K$, not $1 - \varepsilon$.

    Args:
        target: Probabilities $q$ of floating point; or class indices of shape (...).
        smoothing: $\varepsilon$, from 0 (as given) to 1 (uniform).
        num_classes: Number $K$ of classes, for indices; probabilities know it.
        dim: Axis of the classes in the result: -1 as in `one_hot`, 1 for the images of
            `cross_entropy`.

    Returns:
        $q'$: of probabilities in their shape, of indices with an axis of $K$ more.

    Raises:
        TypeError: If the target is neither.
        ValueError: If `smoothing` is not between 0 and 1; if `num_classes` is missing
            beside indices, does not fit, or an index is out of range.
        IndexError: If there is no axis `dim`.

    Examples:
        >>> import torch
        >>> label_smoothing(torch.tensor([2, 0]), 0.1, num_classes=4)
        tensor([[0.0250, 0.0250, 0.9250, 0.0250],
                [0.9250, 0.0250, 0.0250, 0.0250]])

    References:
        Szegedy et al. (2016), [arXiv:1512.00567](https://arxiv.org/abs/1512.00567),
        section 7.
    """
    check_probability("smoothing", smoothing)
    q = as_probabilities(target, num_classes)
    q = q if q is target else q.movedim(-1, dim)
    k = q.shape[dim]
    if num_classes not in (None, k):
        raise ValueError(f"expected {num_classes} classes, got {k} on axis {dim}")
    return (1 - smoothing) * q + smoothing / k

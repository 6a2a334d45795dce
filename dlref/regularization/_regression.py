"""What ridge regression and the lasso do with their data."""

import torch
from torch import Tensor

from dlref.regularization._arguments import check_floating

__all__ = ["centre", "check_data"]


def centre(
    X: Tensor, y: Tensor, *, fit_intercept: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return features and targets less their means, then the means.

    A model of the centred data needs no intercept. Half precision becomes float32;
    without an intercept nothing is subtracted, and the means are zeros.
    """
    wide = torch.promote_types(X.dtype, torch.float32)
    x, t = X.to(wide), y.to(wide)
    if not fit_intercept:
        return x, t, x.new_zeros(x.shape[1:]), t.new_zeros(t.shape[1:])
    X_mean, y_mean = x.mean(0), t.mean(0)
    return x - X_mean, t - y_mean, X_mean, y_mean


def check_data(X: Tensor, y: Tensor, *, targets: tuple[int, ...]) -> None:
    """Refuse what is no table of finite numbers, and targets of other samples."""
    for name, value in {"X": X, "y": y}.items():
        check_floating(name, value)
    if X.dtype != y.dtype:
        raise TypeError(f"expected one dtype, got X of {X.dtype} and y of {y.dtype}")
    fits = X.ndim == 2 and y.ndim in targets and X.shape[0] == y.shape[0]
    if not fits or 0 in (*X.shape, *y.shape):
        shapes = "(n,)" if targets == (1,) else "(n,) or (n, t)"
        raise ValueError(
            f"expected X of shape (n, p) and y of shape {shapes}, none of them 0, "
            f"got {tuple(X.shape)} and {tuple(y.shape)}"
        )
    for name, value in {"X": X, "y": y}.items():
        if not bool(value.isfinite().all()):
            raise ValueError(f"expected finite numbers, got inf or nan in {name}")

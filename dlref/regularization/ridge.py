"""Ridge regression: least squares with an L2 penalty, in closed form."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.regularization._regression import centre, check_data
from dlref.regularization.penalties import check_strength

__all__ = ["RidgeFit", "ridge"]

_linalg: Any = torch.linalg  # without types
_pinv: Callable[[Tensor], Tensor] = _linalg.pinv


class RidgeFit(NamedTuple):
    """What `ridge` finds.

    Attributes:
        coef: Weights $w$ of the features, of shape (p,), or (t, p) for t targets.
        intercept: $b$, of shape () or (t,); 0 without an intercept.
    """

    coef: Tensor
    intercept: Tensor


def ridge(
    X: Float[Tensor, "n p"],
    y: Float[Tensor, "n *t"],
    alpha: int | float = 1.0,
    *,
    fit_intercept: bool = True,
) -> RidgeFit:
    r"""Fit a linear model with an L2 penalty on its weights, in closed form.

    $$\min_{w, b}\; \lVert y - Xw - b \rVert_2^2 + \alpha\,\lVert w \rVert_2^2
    \qquad w = (X^\top X + \alpha I)^{-1} X^\top y$$

    $X$ and $y$ are centred first if there is an intercept, which is not penalized. With
    the singular values $s_j$ of $X$, the fit along each principal direction shrinks by
    $s_j^2 / (s_j^2 + \alpha)$: those in which the data vary least shrink most.

    The system is not formed, since that would square its condition number: $w$ is the
    least-squares solution for $X$ with the rows of $\sqrt\alpha\,I$ below it, or, with
    more features than samples, the first part of the shortest solution for $X$ with
    the columns of $\sqrt\alpha\,I$ beside it.

    Args:
        X: Features, a sample a row.
        y: Targets, of shape (n,), or (n, t) for t targets with a model each.
        alpha: Strength $\alpha$, in squared units of the features, summed over samples:
            $n$ times the $\alpha$ of a mean. With 0 this is ordinary least squares; of
            many solutions it is the one with the shortest $w$.
        fit_intercept: Whether there is a $b$.

    Returns:
        $w$ and $b$, as `sklearn.linear_model.Ridge` has them. They can be
        differentiated.

    Raises:
        TypeError: If `X` or `y` is no tensor of floating point, their dtypes differ, or
            `alpha` is no number.
        ValueError: If shapes do not fit, a number is not finite, or `alpha` is
            negative.

    Examples:
        >>> X, y = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([1.0, 3.0, 5.0])
        >>> for alpha in (0, 2):
        ...     fit = ridge(X, y, alpha)
        ...     print(f"w = {fit.coef.item():.3f}, b = {fit.intercept.item():.3f}")
        w = 2.000, b = 1.000
        w = 1.000, b = 2.000

    References:
        Hoerl and Kennard (1970), Ridge regression: biased estimation for nonorthogonal
        problems, [doi:10.1080/00401706.1970.10488634](https://doi.org/10.1080/00401706.1970.10488634);
        Hastie, Tibshirani and Friedman (2009), The elements of statistical learning,
        section 3.4.1 and exercise 3.12.
    """
    check_strength("alpha", alpha)
    check_data(X, y, targets=(1, 2))
    X_c, y_c, X_mean, y_mean = centre(X, y, fit_intercept=fit_intercept)
    n, p = X_c.shape
    root = math.sqrt(alpha) * torch.eye(min(n, p), dtype=X_c.dtype, device=X_c.device)
    if n >= p:
        w = _pinv(torch.cat([X_c, root]))[:, :n] @ y_c  # (p, *t)
    else:
        w = _pinv(torch.cat([X_c, root], 1))[:p] @ y_c  # (p, *t)
    b = y_mean - X_mean @ w
    return RidgeFit(w.movedim(0, -1).to(X.dtype), b.to(X.dtype))

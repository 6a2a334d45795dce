"""The lasso: least squares with an L1 penalty, by iterated soft thresholding."""

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from dlref.regularization._regression import centre, check_data
from dlref.regularization.penalties import check_strength
from dlref.regularization.thresholding import soft_threshold

__all__ = ["LassoFit", "lasso_ista"]

_linalg: Any = torch.linalg  # without types
_norm: Callable[[Tensor, int], Tensor] = _linalg.matrix_norm


class LassoFit(NamedTuple):
    """What `lasso_ista` finds.

    Attributes:
        coef: Weights $w$ of the features, of shape (p,).
        intercept: $b$, of shape (); 0 without an intercept.
        n_iter: Steps taken.
        dual_gap: How much the objective may lie above its minimum at most.
    """

    coef: Tensor
    intercept: Tensor
    n_iter: int
    dual_gap: float


def lasso_ista(
    X: Float[Tensor, "n p"],
    y: Float[Tensor, " n"],
    alpha: int | float = 1.0,
    *,
    fit_intercept: bool = True,
    max_iter: int = 10_000,
    tol: int | float = 1e-4,
    accelerate: bool = False,
) -> LassoFit:
    r"""Fit a linear model with an L1 penalty on its weights, by ISTA.

    $$\min_{w, b}\; \frac{1}{2n}\,\lVert y - Xw - b \rVert_2^2
    + \alpha\,\lVert w \rVert_1$$

    A gradient step on the squares, then
    [`soft_threshold`][dlref.regularization.soft_threshold] for the penalty, with $X$
    and $y$ centred if there is an intercept:

    $$g = \tfrac1n X^\top (Xz - y) \qquad w_k = S_{\alpha / L}(z - g / L) \qquad
    L = \tfrac1n \lVert X \rVert_2^2$$

    ISTA takes $z = w_{k-1}$, and the objective falls at each step. With `accelerate`
    this is FISTA: $z = w_{k-1} + \beta_k (w_{k-1} - w_{k-2})$ runs ahead, and the error
    falls as $1 / k^2$ instead of $1 / k$.

    It ends where the duality gap shows that the objective is at most
    $\text{tol} \cdot \frac1n \lVert y \rVert_2^2$ above its minimum ($y$ centred), as
    in scikit-learn, or after `max_iter` steps with a warning.

    Args:
        X: Features, a sample a row.
        y: Targets.
        alpha: Strength $\alpha$, in units of $y$ times the features.
        fit_intercept: Whether there is a $b$.
        max_iter: Steps at most; scikit-learn's are passes over the features, which
            reach further.
        tol: Tolerance, relative to the mean square of the (centred) targets.
        accelerate: Whether to run ahead.

    Returns:
        $w$, $b$, the number of steps and the gap, as `sklearn.linear_model.Lasso` has
        them. They can be differentiated, through all steps.

    Raises:
        TypeError: If `X` or `y` is no tensor of floating point, their dtypes differ, or
            `alpha` or `tol` is no number.
        ValueError: If shapes do not fit, a number is not finite, `alpha` is not
            positive (0 is `ridge` with 0), or `max_iter` or `tol` is negative.

    Examples:
        >>> X, y = torch.eye(4), torch.tensor([8.0, -4.0, 2.0, 0.0])
        >>> lasso_ista(X, y, alpha=0.75, fit_intercept=False).coef
        tensor([ 5., -1.,  0.,  0.])

    References:
        Tibshirani (1996), Regression shrinkage and selection via the lasso;
        Beck and Teboulle (2009), A fast iterative shrinkage-thresholding algorithm for
        linear inverse problems, [doi:10.1137/080716542](https://doi.org/10.1137/080716542),
        sections 3 and 4; Kim et al. (2007), An interior-point method for large-scale
        l1-regularized least squares,
        [doi:10.1109/JSTSP.2007.910971](https://doi.org/10.1109/JSTSP.2007.910971)
        section III-B (the gap).
    """
    check_strength("alpha", alpha, zero=False)
    check_strength("tol", tol)
    if max_iter < 0:
        raise ValueError(f"expected max_iter >= 0, got {max_iter}")
    check_data(X, y, targets=(1,))
    X_c, y_c, X_mean, y_mean = centre(X, y, fit_intercept=fit_intercept)
    bound = tol * y_c.square().mean().item()
    w, n_iter, gap = _iterate(X_c, y_c, alpha, max_iter, bound, accelerate=accelerate)
    if gap > bound:
        warnings.warn(
            f"no convergence in {n_iter} steps: the duality gap is {gap:.3g}, not yet "
            f"{bound:.3g}; raise max_iter, tol or alpha, or scale the features",
            RuntimeWarning,
            stacklevel=2,
        )
    b = y_mean - X_mean @ w
    return LassoFit(w.to(X.dtype), b.to(X.dtype), n_iter, gap)


def _iterate(
    X: Tensor, y: Tensor, alpha: float, max_iter: int, bound: float, *, accelerate: bool
) -> tuple[Tensor, int, float]:
    """Step until the duality gap is within the bound; return w, steps and gap."""
    n = X.shape[0]
    L = _norm(X.detach(), 2).item() ** 2 / n
    w, t = X.new_zeros(X.shape[1]), 1.0
    r, g = y, -X.T @ y / n  # residual and gradient at w = 0
    w_old, g_old = w, g
    gap, k = _duality_gap(w, r, g, y, alpha), 0
    while gap > bound and k < max_iter:
        t_old, t = t, (1 + math.sqrt(1 + 4 * t**2)) / 2
        beta = (t_old - 1) / t if accelerate else 0.0
        z = w + beta * (w - w_old)
        g_z = g + beta * (g - g_old)  # the gradient is affine
        w_old, g_old = w, g
        w = soft_threshold(z - g_z / L, alpha / L)
        r = y - X @ w
        g = -X.T @ r / n
        gap, k = _duality_gap(w, r, g, y, alpha), k + 1
    return w, k, gap


def _duality_gap(w: Tensor, r: Tensor, g: Tensor, y: Tensor, alpha: float) -> float:
    r"""Return the objective less a bound from below.

    The dual is to maximize $y^\top\theta - \frac n2 \lVert \theta \rVert_2^2$ where
    $\lVert X^\top \theta \rVert_\infty \le \alpha$: the residual, shrunk by $s$ until
    it fits, $\theta = s\,r / n$, is such a point.
    """
    n, (w, r, g, y) = len(y), (v.detach() for v in (w, r, g, y))
    s = (alpha / g.abs().max()).clamp(max=1)
    primal = r.square().sum() / (2 * n) + alpha * w.abs().sum()
    dual = s * (y @ r) / n - s**2 * r.square().sum() / (2 * n)
    return (primal - dual).item()

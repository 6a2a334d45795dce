r"""Newton's method: the step that ends in the minimum of the parabola through here.

$$\theta_t = \theta_{t-1} - \eta\,H^{-1} g$$

Where the Hessian $H = Q \Lambda Q^\top$ has negative eigenvalues, that step climbs
along them: it is drawn to saddles. With $|\Lambda|$ for $\Lambda$ it leaves them.

References:
    Nocedal and Wright (2006), Numerical optimization, second edition, chapter 3;
    Dauphin et al. (2014), Identifying and attacking the saddle point problem in
    high-dimensional non-convex optimization,
    [arXiv:1406.2572](https://arxiv.org/abs/1406.2572).
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import Optimizer

from dlref.optim._base import Parameters, check_number, number
from dlref.optim.descent import backtrack

__all__ = ["Newton", "newton_direction"]


def newton_direction(
    g: Float[Tensor, " n"],
    H: Float[Tensor, "n n"],
    *,
    damping: int | float = 0.0,
    saddle_free: bool = True,
) -> Float[Tensor, " n"]:
    r"""Return the direction $-H^{-1} g$, or one like it that always descends.

    $$d = -Q\,(|\Lambda| + \lambda I)^{-1}\,Q^\top g \qquad H = Q \Lambda Q^\top$$

    Args:
        g: Gradient.
        H: Hessian, symmetric.
        damping: What $\lambda$ is added to each eigenvalue: the larger, the shorter the
            step, and the nearer to the gradient's direction.
        saddle_free: Whether negative eigenvalues count by their size. If not, $\Lambda$
            stands in place of $|\Lambda|$: plain Newton.

    Returns:
        Direction $d$. It has no part along eigenvectors whose eigenvalue is zero within
        rounding: the parabola is flat there. Where the gradient is zero and the least
        eigenvalue negative, a saddle or a top, $d$ is that eigenvalue's vector (with
        `saddle_free`), along which the loss falls.

    Raises:
        ValueError: If the shapes do not fit.

    Examples:
        >>> saddle = torch.diag(torch.tensor([2.0, -2.0]))
        >>> g = torch.tensor([2.0, -2.0])  # of x² - y² at (1, 1)
        >>> newton_direction(g, saddle, saddle_free=False)
        tensor([-1., -1.])
        >>> newton_direction(g, saddle)
        tensor([-1.,  1.])
    """
    n = g.numel()
    if g.shape != (n,) or H.shape != (n, n):
        raise ValueError(
            "expected a gradient of shape (n,) and a Hessian of shape (n, n), "
            f"got {tuple(g.shape)} and {tuple(H.shape)}"
        )
    check_number("damping", damping)
    eigenvalues, Q = _symmetric_eigen(H)
    if saddle_free and not g.any() and eigenvalues[0] < 0:
        return Q[:, 0]
    scale = eigenvalues.abs() if saddle_free else eigenvalues
    scale = scale + damping
    flat = scale.abs() <= n * torch.finfo(H.dtype).eps * eigenvalues.abs().max()
    along = torch.where(flat, 0, (Q.T @ g) / torch.where(flat, 1, scale))
    return -Q @ along


class Newton(Optimizer):
    r"""Newton's method on all parameters at once, with the full Hessian.

    $$\theta_t = \theta_{t-1} - \eta\,H^{-1} g$$

    The Hessian has a row for each parameter: for tens or hundreds of them, not for
    networks. Each step costs as many backward passes, done as one batch, and an
    eigendecomposition.

    Args:
        params: Parameters, in one group, of one dtype on one device.
        lr: Step $\eta$, of which 1 ends in the parabola's minimum; with a line search
            the one tried first.
        damping: What is added to each eigenvalue.
        saddle_free: Whether negative eigenvalues count by their size.
        line_search: `"armijo"` to halve the step until the loss falls enough; None to
            take it as it is. Plain Newton steps may climb and have no line search.

    Raises:
        ValueError: If a number is out of its range, there are several groups, or a line
            search is asked for plain Newton steps.

    Examples:
        >>> w = torch.nn.Parameter(torch.tensor([3.0, -4.0]))
        >>> optimizer = Newton([w])
        >>> loss = optimizer.step(lambda: w[0] ** 2 + 5 * w[1] ** 2)
        >>> w.tolist()
        [0.0, 0.0]
    """

    def __init__(
        self,
        params: Parameters,
        lr: int | float | Float[Tensor, "..."] = 1.0,
        *,
        damping: int | float = 0.0,
        saddle_free: bool = True,
        line_search: str | None = None,
    ) -> None:
        """Check the options."""
        check_number("lr", lr)
        check_number("damping", damping)
        if line_search not in (None, "armijo"):
            raise ValueError(
                f"expected line_search 'armijo' or None, got {line_search}"
            )
        if line_search and not saddle_free:
            raise ValueError("expected saddle_free=True with a line search, got False")
        defaults = {
            "lr": lr,
            "damping": damping,
            "saddle_free": saddle_free,
            "line_search": line_search,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(f"expected one group, got {len(self.param_groups)}")

    @torch.no_grad()
    def step(  # pyright: ignore[reportIncompatibleMethodOverride] - returns the loss
        self, closure: Callable[[], Float[Tensor, ""]]
    ) -> Float[Tensor, ""]:
        """Take one step.

        Args:
            closure: Returns the loss, and does not call `backward`: the Hessian needs
                the graph that `backward` would free.

        Returns:
            The loss before the step.

        Raises:
            TypeError: If the closure returns no tensor.
            ValueError: If what it returns is not one number, or has no graph.
        """
        (group,) = self.param_groups
        params: list[Tensor] = group["params"]
        with torch.enable_grad():
            loss = closure()
            g, H = _derivatives(loss, params)
        options = {k: group[k] for k in ("damping", "saddle_free")}
        d = newton_direction(g, H, **options)
        start, step = [p.clone() for p in params], number(group["lr"])

        def move(step: int | float) -> None:
            i = 0
            for p, theta in zip(params, start, strict=True):
                part = d[i : i + p.numel()].view_as(p)
                p.copy_(theta).add_(part, alpha=step)
                i += p.numel()

        def loss_at(step: int | float) -> float:
            move(step)
            return closure().item()

        slope = (g @ d).item()
        if group["line_search"] and slope < 0:
            step = backtrack(loss_at, loss.item(), slope, lr=step)
        move(step)
        return loss.detach()


def _symmetric_eigen(
    H: Float[Tensor, "n n"],
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n n"]]:
    """Return eigenvalues, rising, and eigenvectors as columns."""
    linalg: Any = torch.linalg
    return linalg.eigh(H)


def _derivatives(
    loss: Float[Tensor, ""], params: list[Tensor]
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n n"]]:
    """Return gradient and Hessian, with the parameters laid out in a row."""
    if not isinstance(loss, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected a tensor as loss, got {type(loss).__name__}")
    if loss.numel() != 1:
        raise ValueError(f"expected one number as loss, got {tuple(loss.shape)}")
    options: dict[str, Any] = {"materialize_grads": True}
    try:
        first = torch.autograd.grad(loss, params, create_graph=True, **options)
    except RuntimeError as error:
        raise ValueError(
            "expected a closure that computes the loss from the parameters and does "
            f"not call backward, got a loss without a graph: {error}"
        ) from error
    g = torch.cat([part.flatten() for part in first])  # (n,)
    n = g.numel()
    if not g.requires_grad:  # of a linear loss
        return g, g.new_zeros(n, n)
    rows = torch.autograd.grad(
        g, params, torch.eye(n).to(g), is_grads_batched=True, **options
    )
    H = torch.cat([part.flatten(1) for part in rows], dim=1)  # (n, n)
    return g.detach(), (H + H.T) / 2

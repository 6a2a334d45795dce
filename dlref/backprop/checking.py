"""Comparing derivatives by the chain rule with central differences."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from dlref.backprop.numerical import central_differences, check_input
from dlref.backprop.report import GradcheckReport, GradcheckRow, compare

__all__ = ["gradcheck"]


def gradcheck(
    func: Callable[..., Tensor | Sequence[Tensor]],
    inputs: Any,  # noqa: ANN401  a tensor, or several; others are passed on
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    gradients: Sequence[Tensor | None] | None = None,
    names: Sequence[str] | None = None,
) -> GradcheckReport:
    r"""Compare autograd's derivatives, or your own, with central differences.

    $$|\text{exact} - \text{approximate}|
    \le \text{atol} + \text{rtol} \cdot |\text{approximate}|$$

    Takes a function and its inputs as `torch.autograd.gradcheck` does. The report is
    true where torch's result is, and prints as a table: for each tensor the entry that
    agrees least. At a kink, as of ReLU at 0, the two differ though neither is wrong.

    Args:
        func: Takes the inputs, returns a tensor or several.
        inputs: A tensor or a sequence. Of these, tensors of floating point with
            `requires_grad=True` are checked; in float64, or rounding shows.
        eps: Step of the differences.
        atol: Difference allowed beside an approximate derivative of 0.
        rtol: Difference allowed for each unit of the approximate derivative.
        raise_exception: Whether to raise an error if a derivative is wrong.
        gradients: Your own, to be checked instead of autograd's: for each input the
            gradient of the only number that `func` returns, or None to leave it out.
        names: One for each input, for the report; those of `func`'s parameters if None.

    Returns:
        The report.

    Raises:
        torch.autograd.gradcheck.GradcheckError: If a derivative is wrong; with the
            report.
        TypeError: If a tensor to check, or an output, is not of floating point.
        ValueError: If there is nothing to check, or gradients or names do not fit.

    Examples:
        >>> w = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
        >>> print(gradcheck(lambda w: (w**2).sum(), w).rows[0].num_wrong)
        0
        >>> wrong = [torch.tensor([2.0, 2.0], dtype=torch.float64)]
        >>> report = gradcheck(
        ...     lambda w: (w**2).sum(), w, gradients=wrong, raise_exception=False
        ... )
        >>> bool(report), report.rows[0].entry
        (False, (1,))
    """
    given: list[Any] = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked = _checked(given, gradients)
    labels = _names(func, len(given), names)

    def outputs() -> list[Tensor]:
        y = func(*given)
        return [y] if isinstance(y, Tensor) else list(y)

    y = outputs()
    tensors: list[Tensor] = [given[n] for n in checked]
    if gradients is None:
        exact = [_jacobians(output, tensors) for output in y]
    else:
        exact = [_own(y, tensors, [gradients[n] for n in checked])]
    rows: list[GradcheckRow] = []
    for place, x in enumerate(tensors):
        label, approximate = (
            labels[checked[place]],
            central_differences(outputs, x, eps),
        )
        for output, jacobian in enumerate(approximate):
            if jacobian.numel():
                pair, shapes = (
                    (exact[output][place], jacobian),
                    (y[output].shape, x.shape),
                )
                row = compare(label, *pair, shapes, atol=atol, rtol=rtol, output=output)
                rows.append(row)
    report = GradcheckReport(tuple(rows))
    if raise_exception and not report:
        raise GradcheckError(f"Jacobian mismatch {_place(report, labels)}\n{report}")
    return report


def _jacobians(y: Tensor, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return autograd's derivatives of an output, (entries of y, entries of x) each."""
    if not y.is_floating_point():
        raise TypeError(f"expected outputs of floating point, got {y.dtype}")
    if not y.requires_grad or not y.numel():  # constant, as far as autograd knows
        return [x.new_zeros(y.numel(), x.numel()) for x in tensors]
    rows: list[tuple[Tensor, ...]] = []
    for unit in torch.eye(y.numel(), dtype=y.dtype, device=y.device):
        options: Any = {"retain_graph": True, "materialize_grads": True}
        rows.append(torch.autograd.grad(y, tensors, unit.reshape(y.shape), **options))
    return [torch.stack(column).flatten(1) for column in zip(*rows, strict=True)]


def _own(
    outputs: Sequence[Tensor], tensors: Sequence[Tensor], gradients: Sequence[Any]
) -> list[Tensor]:
    """Return the gradients given, as Jacobians of the only number."""
    if len(outputs) != 1 or outputs[0].numel() != 1:
        got = [tuple(y.shape) for y in outputs]
        raise ValueError(f"expected one number to have gradients, got shapes {got}")
    for x, g in zip(tensors, gradients, strict=True):
        if g.shape != x.shape:
            raise ValueError(
                f"expected a gradient of shape {tuple(x.shape)}, got {tuple(g.shape)}"
            )
    return [g.detach().reshape(1, -1) for g in gradients]


def _checked(given: list[Any], gradients: Sequence[Tensor | None] | None) -> list[int]:
    """Return the positions of the tensors to check."""
    if gradients is None:
        wanted = [isinstance(x, Tensor) and x.requires_grad for x in given]
        needed = "with requires_grad=True"
    else:
        wanted, needed = [g is not None for g in gradients], "with a gradient"
        if len(wanted) != len(given):
            got = f"{len(wanted)} for {len(given)} inputs"
            raise ValueError(f"expected a gradient or None for each input, got {got}")
    checked = [n for n, is_wanted in enumerate(wanted) if is_wanted]
    if not checked:
        raise ValueError(f"expected one or more inputs {needed}, got none")
    for n in checked:
        check_input(n, given[n])
        if given[n].dtype != torch.float64:
            message = f"input {n} is {given[n].dtype}: only in float64 can differences"
            warnings.warn(f"{message} be told from rounding", stacklevel=3)
    return checked


def _place(report: GradcheckReport, names: Sequence[str]) -> str:
    """Say where the first mistake is, as torch does."""
    row = next(row for row in report.rows if row.num_wrong)
    n = names.index(row.tensor)
    return f"for output {row.output} with respect to input {n}, {row.tensor}"


def _names(
    func: Callable[..., object], count: int, names: Sequence[str] | None
) -> list[str]:
    """Return the inputs' names: as given, of the parameters, or by position."""
    if names is not None:
        if len(set(names)) != count:
            raise ValueError(f"expected {count} different names, got {list(names)}")
        return list(names)
    try:
        parameters = list(inspect.signature(func).parameters.values())[:count]
    except (TypeError, ValueError):  # not written in Python
        parameters = []
    if len(parameters) < count or any(p.kind > 1 for p in parameters):
        return [f"input {n}" for n in range(count)]
    return [p.name for p in parameters]

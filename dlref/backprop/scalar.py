"""A scalar autograd: numbers that remember how they were computed."""

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, SupportsFloat, cast

__all__ = ["Value"]

_One = Callable[[float], tuple[float, float]]  # u -> value, slope
_Two = Callable[[float, float], tuple[float, float, float]]  # u, v -> value, two slopes


def _operation(op: str, rule: _One | _Two) -> Callable[..., "Value"]:
    """Return the method that applies a rule."""

    def method(*operands: "Value | SupportsFloat") -> "Value":
        try:
            parents = [x if isinstance(x, Value) else Value(x) for x in operands]
        except TypeError:  # of an operand that is no number
            return NotImplemented
        y, *slopes = cast("Any", rule)(*[u.data for u in parents])
        return Value(y, parents, slopes, op)

    return method


def _log(u: float) -> tuple[float, float]:
    if u <= 0:
        raise ValueError(f"expected a positive number to take the log of, got {u}")
    return math.log(u), 1 / u


def _sigmoid(u: float) -> tuple[float, float]:
    e = math.exp(-abs(u))  # at most 1: never overflows
    return (e if u < 0 else 1.0) / (1 + e), e / (1 + e) ** 2


def _power(u: float, n: float) -> tuple[float, float]:
    if u < 0 and not n.is_integer():
        raise ValueError(f"expected a number that has a power of {n}, got {u}")
    if u == 0 and 0 < n < 1:
        return 0.0, math.inf  # a root begins upright
    return u**n, n and n * u ** (n - 1)


class Value:
    r"""A number, the numbers it was computed from, and its slope towards each of them.

    $$\bar u = \sum_{v:\ u \to v} \bar v\,\frac{\partial v}{\partial u}
    \qquad \bar u = \frac{\partial E}{\partial u} \qquad \bar E = 1$$

    `+`, `-`, `*`, `/`, `**` with a number, `exp()`, `log()`, `tanh()`, `sigmoid()` and
    `relu()` note the slope $\partial v / \partial u$ of each edge $u \to v$ at once;
    `backward` only multiplies and adds, and leaves $\bar u$ in `grad`, the sum over all
    its calls. Python's errors stand for torch's inf, as in 1 / 0 and exp(1000). NumPy's
    arrays of values compute: `np.tanh(W @ x + b)`.

    Args:
        data: The number $u$. With what follows, the result of an operation of your own:
            `Value(math.sin(x.data), (x,), (math.cos(x.data),), "sin")`.
        parents: What it was computed from; nothing for a leaf.
        partials: Its slope towards each parent.
        op: Name of the operation.

    Raises:
        TypeError: If `data` is not a real number.
        ValueError: If there are not as many partials as parents.

    Examples:
        >>> w, x, b = Value(3), Value(2), Value(-5)
        >>> y = (w * x + b).tanh()
        >>> y.backward()
        >>> round(y.data, 4), round(w.grad, 4), round(x.grad, 4)
        (0.7616, 0.8399, 1.2599)
    """

    __slots__ = ("data", "grad", "op", "parents", "partials")

    def __init__(
        self,
        data: SupportsFloat,
        parents: Sequence["Value"] = (),
        partials: Sequence[int | float] = (),
        op: str = "",
    ) -> None:
        """Note a number and where it comes from."""
        if not isinstance(data, (float, Real)):
            raise TypeError(f"expected a real number, got {type(data).__name__}")
        if len(parents) != len(partials):
            raise ValueError(f"expected a slope each, got {parents=} {partials=}")
        self.data, self.grad, self.op = float(data), 0.0, op
        self.parents, self.partials = tuple(parents), tuple(partials)

    __add__ = __radd__ = _operation("+", lambda u, v: (u + v, 1.0, 1.0))
    __sub__ = _operation("-", lambda u, v: (u - v, 1.0, -1.0))
    __rsub__ = _operation("-", lambda u, v: (v - u, -1.0, 1.0))
    __mul__ = __rmul__ = _operation("*", lambda u, v: (u * v, v, u))
    __truediv__ = _operation("/", lambda u, v: (u / v, 1 / v, -u / v / v))
    __rtruediv__ = _operation("/", lambda u, v: (v / u, -v / u / u, 1 / u))
    __neg__ = _operation("-", lambda u: (-u, -1.0))
    exp = _operation("exp", lambda u: (y := math.exp(u), y))
    log = _operation("log", _log)
    tanh = _operation("tanh", lambda u: (y := math.tanh(u), 1 - y * y))
    sigmoid = _operation("sigmoid", _sigmoid)
    relu = _operation("relu", lambda u: (0.0, 0.0) if u <= 0 else (u, 1.0))

    def __pow__(self, exponent: SupportsFloat) -> "Value":
        """Return the power u ** n, where n is a number."""
        if not isinstance(exponent, Real):
            return NotImplemented
        y, slope = _power(self.data, float(exponent))
        return Value(y, (self,), (slope,), f"**{exponent}")

    def __repr__(self) -> str:
        """Return number and gradient."""
        return f"Value(data={self.data}, grad={self.grad})"

    def graph(self) -> list["Value"]:
        """List all that this number depends on, without recursion.

        Returns:
            Each number once, behind its parents; this one last.
        """
        order, seen = list[Value](), set[Value]()
        stack = [(self, False)]
        while stack:
            node, parents_are_done = stack.pop()
            if parents_are_done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack += [(node, True), *((parent, False) for parent in node.parents)]
        return order

    def backward(self, gradient: int | float = 1.0) -> None:
        """Add this number's derivatives to the `grad` of all that it depends on.

        Args:
            gradient: The derivative with respect to this number, to begin with.
        """
        order = self.graph()
        received = dict.fromkeys(order, 0.0)  # now; grad may hold what came before
        received[self] = gradient
        for node in reversed(order):
            node.grad += (g := received[node])
            for parent, slope in zip(node.parents, node.partials, strict=True):
                received[parent] += g * slope

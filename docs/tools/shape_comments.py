"""Check the shapes that a program's comments promise.

    h = conv(x)  # (8, 16, 14, 14)

A trailing comment that is nothing but a literal shape is an assertion about the value
of its statement: assigned, returned, or left as an expression. Several targets take
several shapes: `q, k = f(x)  # (2, 4), (2, 8)`.
"""

import ast
import io
import re
import tokenize
from typing import Any

_SHAPE = r"\(\s*(?:\d+\s*,\s*)*(?:\d+\s*,?)?\s*\)"
_COMMENT = re.compile(rf"#\s*({_SHAPE}(?:\s*,\s*{_SHAPE})*)\s*")
_ONE_ELEMENT = re.compile(r"\(\s*(\d+)\s*\)")

Shape = tuple[int, ...]


class ShapeError(AssertionError):
    """A value whose shape is not the one its comment promises."""


def find_shape_comments(code: str) -> dict[int, list[Shape]]:
    """Return the promised shapes by line (from 1) of a program."""
    found: dict[int, list[Shape]] = {}
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        comment = _COMMENT.fullmatch(token.string)
        trailing = token.line[: token.start[1]].strip()
        if token.type == tokenize.COMMENT and comment and trailing:
            literal = _ONE_ELEMENT.sub(r"(\1,)", comment[1])
            found[token.start[0]] = ast.literal_eval(f"[{literal}]")
    return found


def insert_shape_checks(tree: ast.Module, code: str) -> None:
    """Wrap the value of each statement that ends on a line with a shape comment.

    Raises:
        ShapeError: If a shape comment stands where no statement can keep it.
    """
    promised = find_shape_comments(code)
    statements = [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
    for line, shapes in promised.items():
        ending = [
            s
            for s in statements
            if s.end_lineno == line and getattr(s, "value", None) is not None
        ]
        if not ending:
            raise ShapeError(
                f"line {line} of the block: no value for the shape comment {shapes}"
            )
        innermost: Any = max(ending, key=lambda s: (s.lineno, s.col_offset))
        if isinstance(innermost, ast.AugAssign):
            raise ShapeError(
                f"line {line} of the block: += cannot carry a shape comment"
            )
        innermost.value = _wrap(innermost.value, shapes)


def check_shape(value: Any, shapes: list[Shape]) -> Any:
    """Return `value` if it has the promised shape, or shapes.

    Raises:
        ShapeError: If it has another, or none.
    """
    if len(shapes) > 1:
        values = tuple(value)
        got = [shape_of(v) for v in values]
        value = values
    else:
        got = [shape_of(value)]
    if got != shapes:
        text = ", ".join(map(str, shapes))
        raise ShapeError(f"the comment promises {text}, got {', '.join(map(str, got))}")
    return value


def shape_of(value: Any) -> Shape | None:
    """Shape of an array, or the value itself if it is a tuple of whole numbers."""
    if isinstance(value, tuple) and all(isinstance(n, int) for n in value):
        return tuple(value)
    shape = getattr(value, "shape", None)
    return None if shape is None else tuple(shape)


def _wrap(value: ast.expr, shapes: list[Shape]) -> ast.expr:
    call = ast.Call(
        func=ast.Name("__check_shape__", ast.Load()),
        args=[value, ast.Constant(shapes)],
        keywords=[],
    )
    argument = ast.parse(repr(shapes), mode="eval").body
    call.args[1] = argument
    for node in (call, call.func, *ast.walk(argument)):
        ast.copy_location(node, value)
    return call

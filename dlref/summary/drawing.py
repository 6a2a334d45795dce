"""A network as a row of blocks, drawn onto axes that the caller brings."""

from collections.abc import Sequence
from itertools import groupby, pairwise, takewhile
from math import log2, prod
from typing import Any, NamedTuple

from dlref.summary.table import Call, Row, Summary

__all__ = ["draw_architecture"]

_MOST = 16  # blocks; more are merged where the image keeps its size
_LONGEST = 20  # characters of a name
_GAP = 0.35
_SILENT = ("Dropout", "Flatten", "Identity")  # they change no number, or only its place


class _Block(NamedTuple):
    """One bar: a shape, and the names of the rows that have it."""

    shape: tuple[int, ...]
    names: tuple[str, ...]


def draw_architecture(summary: Summary, ax: Any) -> None:  # noqa: ANN401
    """Draw a network as a row of blocks, input on the left.

    A block's height follows the spatial size of what the layers gave, its width the
    number of channels (the root of the one, the logarithm of the other, so that large
    and small are legible together). Channels stand above it; below it stand the size
    (7² is 7 pixels by 7) and the names. Vectors are thin bars in another colour.

    Layers in a row that give the same shape are one block, and pooling is the beginning
    of the block that follows. Networks with branches are drawn by the modules that hold
    the branches: a module is opened only if the image changes its size twice in it.

    Args:
        summary: What [`summary`][dlref.summary.summary] gave, at any depth.
        ax: A matplotlib `Axes`, about 7 x 3 inches for a network such as VGG16. Its
            frame and ticks are switched off. dlref itself does not import matplotlib.

    Examples:
        >>> import matplotlib.figure
        >>> from torch import nn
        >>> from dlref.summary import summary
        >>> net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.AvgPool2d(2))
        >>> ax = matplotlib.figure.Figure(figsize=(7, 3)).add_subplot()
        >>> draw_architecture(summary(net, (1, 28, 28)), ax)
        >>> [text.get_text() for text in ax.texts if text.get_va() == "bottom"]
        ['1', '6', '6']
    """
    rows = _open(summary.calls[1:] or summary.calls)
    rows = [row for row in rows if row.output_shape]
    loud = [row for row in rows if not row.kind.startswith(_SILENT)]
    blocks = _merge(loud or rows)
    blocks = [_Block(summary.input_size, ("input",)), *blocks]
    tallest = max(_height(block.shape) for block in blocks)
    left = 0.0
    for block in blocks:
        width, height = _width(block.shape), _height(block.shape) / tallest
        middle = left + width / 2
        image = len(block.shape) > 1
        ax.bar(
            middle, height, width, bottom=-height / 2, alpha=0.75, linewidth=0,
            color="C7" if block.names == ("input",) else "C0" if image else "C1",
        )  # fmt: skip
        _label(ax, block, middle, height)
        left += width + _GAP
    ax.set(xlim=(-_GAP, left), ylim=(-1.2, 0.62))
    ax.axis("off")


def _label(ax: Any, block: _Block, middle: float, height: float) -> None:  # noqa: ANN401
    channels, *image = block.shape
    options = {"ha": "center", "fontsize": 7}
    ax.text(middle, height / 2 + 0.02, f"{channels}", va="bottom", **options)
    if image:
        ax.text(middle, -height / 2 - 0.02, _size(image), va="top", **options)
    name = _between(block.names[0], block.names[-1])
    ax.text(middle, -0.64, name, va="top", rotation=90, color="C7", **options)


def _size(image: list[int]) -> str:
    """Return the size of an image, 7² for a square of 7 pixels a side."""
    if len(image) in (2, 3) and len(set(image)) == 1:
        return f"{image[0]}{'²³'[len(image) - 2]}"
    return "×".join(map(str, image))


def _between(first: str, last: str) -> str:
    """Return one name for a range of modules: what they share is said once."""
    if first == last:
        return first if len(first) <= _LONGEST else f"…{first[1 - _LONGEST :]}"
    same = sum(
        1 for _ in takewhile(lambda ab: ab[0] == ab[1], zip(first, last, strict=False))
    )
    shared = first[:same].rstrip("0123456789")  # 9–12, not 9–2; 24–29, not 24–9
    name = f"{first}–{last[len(shared) :]}"
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"


def _open(calls: Sequence[Call]) -> list[Row]:
    """Return the rows to draw: calls in which the image changes its size once or less.

    Args:
        calls: Calls, outer before inner.

    Returns:
        Their rows; a call that holds more is replaced by the calls in it.
    """
    rows: list[Row] = []
    place = 0
    while place < len(calls):
        end = place + 1
        while end < len(calls) and calls[end].depth > calls[place].depth:
            end += 1
        inner = calls[place + 1 : end]
        if inner and _varies([call.row for call in inner if call.is_layer]):
            rows += _open(inner)
        else:
            rows.append(calls[place].row)
        place = end
    return rows


def _varies(rows: list[Row]) -> bool:
    """Tell whether layers give images of more than two sizes, or different vectors."""
    images = {row.output_shape[1:] for row in rows if prod(row.output_shape[1:]) > 1}
    vectors = {row.output_shape for row in rows if len(row.output_shape) == 1}
    return len(images) > 2 or len(vectors) > 1


def _merge(rows: list[Row]) -> list[_Block]:
    """Return one block for rows in succession that give the same shape."""
    kept = [
        row
        for row, after in pairwise([*rows, None])
        if row and not (after and _begins(row, after))
    ]
    blocks = [
        _Block(shape, tuple(row.name for row in group))
        for shape, group in groupby(kept, key=lambda row: row.output_shape)
    ]
    if len(blocks) <= _MOST:
        return blocks
    return [
        _Block(group[-1].shape, tuple(name for block in group for name in block.names))
        for _, stage in groupby(
            blocks, key=lambda block: block.shape[1:] or block.shape
        )
        for group in [list(stage)]
    ]


def _begins(row: Row, after: Row) -> bool:
    """Tell whether a row, pooling, only prepares the image for the row after it."""
    image = row.output_shape[1:]
    return "Pool" in row.kind and bool(image) and image == after.output_shape[1:]


def _height(shape: tuple[int, ...]) -> float:
    return max(shape[1:] or (shape[0] ** 0.5,)) ** 0.5


def _width(shape: tuple[int, ...]) -> float:
    return 0.3 + log2(shape[0]) / 10 if len(shape) > 1 else 0.25

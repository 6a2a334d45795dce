r"""The receptive field: which input pixels an output pixel can see."""

from collections.abc import Iterable, Iterator, Sequence
from typing import (
    Any,
    NamedTuple,
    Protocol,
    SupportsIndex,
    TypeAlias,
    cast,
    runtime_checkable,
)

from dlref.shapes._arguments import as_int, is_per_axis

__all__ = ["Layer", "ReceptiveField", "receptive_field"]

Layer: TypeAlias = Sequence[SupportsIndex]
"""`(kernel, stride[, padding[, dilation]])`, along one axis, in pixels."""


@runtime_checkable
class _Module(Protocol):
    """What tells a `torch.nn.Module`, so that tuples can be counted without torch."""

    def named_children(self) -> Iterator[tuple[str, Any]]: ...


class ReceptiveField(NamedTuple):
    r"""The receptive field of one output along one axis.

    The field of output number $n$ (from 0) is the interval of `size` pixels around
    `start + n * jump`; the centre of the first input pixel is at 0.5, its edges are at
    0 and 1.

    Attributes:
        size: Length $r$ in input pixels, padding and the gaps of dilation included.
        jump: Input pixels $j$ from the field of one output to that of the next: the
            product of the strides.
        start: Centre $c$ of the first output's field, in input pixels. Padding moves it
            to the left, possibly below 0.
    """

    size: int
    jump: int
    start: float


def receptive_field(
    layers: Iterable[Layer] | _Module, *, axis: SupportsIndex | None = None
) -> ReceptiveField:
    r"""Return the receptive field of a stack of convolution and pooling layers.

    From the first layer to the last, beginning with $r = 1,\ j = 1,\ c = 0.5$:

    $$r \leftarrow r + d\,(k - 1)\,j, \qquad
      c \leftarrow c + \left(\frac{d\,(k - 1)}{2} - p\right) j, \qquad
      j \leftarrow s\,j$$

    From the last to the first, $r \leftarrow (r - 1)\,s + d\,(k - 1) + 1$ gives the
    same size.

    Args:
        layers: One `(kernel, stride[, padding[, dilation]])` per layer, along one axis,
            in pixels; or an `nn.Module` whose layers follow one another without a
            branch. A module is traced, not run: its layers count in the order in which
            `forward` calls them. Element-wise layers (activations, dropout, batch
            normalisation) do not count; max and average pooling, convolutions and zero
            padding do.
        axis: The spatial axis of a module, 0 for the first (height, in 2-D). It may be
            left out where all axes agree.

    Returns:
        Size, jump and start in input pixels: see
        [`ReceptiveField`][dlref.shapes.ReceptiveField].

    Raises:
        TypeError: If `layers` is neither, or holds something that is not an integer.
        ValueError: If a count is out of range, a tuple has a wrong length, the axes of
            a module differ and `axis` does not choose one, or the module branches or
            calls something that has no fixed window (linear, adaptive pooling,
            transposed convolution, normalisation over the image, …).

    Examples:
        >>> receptive_field([(3, 1), (3, 1)])  # two 3x3 see what one 5x5 sees
        ReceptiveField(size=5, jump=1, start=2.5)
        >>> receptive_field([(7, 2, 3), (3, 2, 1)])  # ResNet stem
        ReceptiveField(size=11, jump=4, start=0.5)

    References:
        Araujo, Norris and Sim (2019), Computing receptive fields of convolutional
        neural networks, Distill,
        [doi:10.23915/distill.00021](https://doi.org/10.23915/distill.00021).
    """
    if not isinstance(layers, _Module):
        if axis is not None:
            raise ValueError(
                f"expected axis=None with tuples, which have one, got {axis=}"
            )
        return _compose(layers)
    from dlref.shapes._trace import windows_of_axes  # imports torch

    fields = [_compose(windows) for windows in windows_of_axes(layers)]
    if axis is not None:
        index = as_int("axis", axis, 0)
        if index >= len(fields):
            raise ValueError(f"expected axis < {len(fields)}, got axis={index}")
        return fields[index]
    if len(set(fields)) > 1:
        raise ValueError(
            f"expected axis to choose one of {len(fields)} different fields, got None; "
            + ", ".join(f"axis={index}: {tuple(f)}" for index, f in enumerate(fields))
        )
    return fields[0]


def _compose(layers: object) -> ReceptiveField:
    if not isinstance(layers, Iterable):
        raise TypeError(f"expected layers or an nn.Module, got {layers!r}")
    r, j, c = 1, 1, 0.5
    for number, layer in enumerate(cast("Iterable[object]", layers)):
        if not is_per_axis(layer) or not 2 <= len(layer) <= 4:
            raise ValueError(
                "expected (kernel, stride[, padding[, dilation]]) for each layer, "
                f"got {layer!r} for layer {number}"
            )
        k, s, p, d = *layer, *(0, 1)[len(layer) - 2 :]
        k, s = as_int("kernel", k, 1), as_int("stride", s, 1)
        p, d = as_int("padding", p, 0), as_int("dilation", d, 1)
        r += d * (k - 1) * j
        c += (d * (k - 1) / 2 - p) * j
        j *= s
    return ReceptiveField(r, j, c)

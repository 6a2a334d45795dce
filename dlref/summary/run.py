"""`summary`: one forward pass, watched, that leaves the model as it was."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, SupportsIndex

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from dlref.shapes._arguments import as_int, is_per_axis
from dlref.summary._watch import Watch
from dlref.summary.table import Summary

__all__ = ["summary"]


def summary(
    model: nn.Module,
    input_size: Sequence[SupportsIndex],
    *,
    depth: int | None = None,
    training: bool = False,
    dtype: torch.dtype | None = None,
) -> Summary:
    """Run a model once and say what each of its layers gave and cost.

    The model runs on tensors of device `meta`, which have a shape and no values: VGG16
    takes milliseconds, and a model built under `torch.device("meta")` will do. Where
    that fails (a `forward` that looks at values) it runs once more on zeros, where its
    parameters are. Either way parameters, buffers, training flags and random generators
    are afterwards what they were; batch normalisation's statistics do not move.

    What is counted, for **one** input, without its batch:

    - *Parameters*: each is counted where it is first used; a module that is called
      twice has two rows, the second with none.
    - *MACs*, multiply-accumulate operations, of convolutions (with the taps that fall
      on padding), linear and recurrent layers. Everything else counts none, biases
      included; None marks a layer that is not known here and has matrices of
      parameters, such as attention. FLOPs are about twice as many.
    - *Receptive field*: input pixels along one axis, padding included, that one element
      of the output can see; where branches meet, the largest. It is `"all"` after
      global pooling, a linear layer over all positions and a normalisation over the
      image (not batch normalisation: its statistics count as fixed). It is None where
      the positions have just been laid out in one axis, and after what has no fixed
      window: transposed convolution, interpolation, attention.

    Operations that `forward` calls as functions (`torch.relu`, `F.max_pool2d`, `x + y`)
    have no row, and their parameters and MACs, if any, are not seen; the receptive
    field does follow them.

    Args:
        model: The network; it is left as it was.
        input_size: Shape of one input, without the batch: `(3, 224, 224)`.
        depth: Merge rows to modules at this depth: 1 gives the model's own children
            (stages), 2 their children (blocks). None gives every layer.
        training: Run as in training, which auxiliary heads may need. Without it the
            model runs as after `eval()`, whatever its flag.
        dtype: Type of the input; that of the model's parameters if None.

    Returns:
        Rows and totals; `str()` makes a table of them.

    Raises:
        TypeError: If the model is no `nn.Module`, or a size is no integer.
        ValueError: If a size is out of range, the model has parameters without a shape
            (lazy modules), or it does not accept the input.

    Examples:
        >>> net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.AvgPool2d(2))
        >>> print(summary(net, (1, 28, 28)))
        layer  kind       output   k  s  p  parameters     MACs  field
        --------------------------------------------------------------
        0      Conv2d     6x28x28  5  1  2         156  117,600      5
        1      AvgPool2d  6x14x14  2  2  0           0        0      6
        --------------------------------------------------------------
        input       1x28x28, one without its batch
        parameters  156
        MACs        117,600

    References:
        Araujo, Norris and Sim (2019), Computing receptive fields of convolutional
        neural networks, Distill,
        [doi:10.23915/distill.00021](https://doi.org/10.23915/distill.00021).
    """
    size = _check(model, input_size, depth)
    batch = 2 if training else 1  # batch normalisation in training needs two values
    parameters = list(model.parameters())
    floats = [p.dtype for p in parameters if p.is_floating_point()]
    watch = Watch(model, axes=len(size) - 1, batch=batch)
    try:
        with _left_alone(model, training=training):
            watch.run((batch, *size), dtype or [*floats, torch.get_default_dtype()][0])
    except Exception as error:  # forward may fail in any way
        raise ValueError(
            f"expected the shape of one input, without the batch, that a "
            f"{type(model).__name__} takes; {size} gave "
            f"{type(error).__name__}: {error}"
        ) from error
    return Summary(
        tuple(watch.calls),
        input_size=size,
        num_params=sum(p.numel() for p in parameters),
        num_trainable_params=sum(p.numel() for p in parameters if p.requires_grad),
        not_called=tuple(watch.not_called()),
        depth=depth,
    )


@contextmanager
def _left_alone(model: nn.Module, *, training: bool) -> Generator[None]:
    """Set the training flags for a while; then put back all that a module holds."""
    held: dict[nn.Module, dict[str, Any]] = {m: {**vars(m)} for m in model.modules()}
    buffers = {module: {**own["_buffers"]} for module, own in held.items()}
    cuda = {p.device.index for p in model.parameters() if p.is_cuda}
    try:
        with torch.random.fork_rng(sorted(cuda)):  # pyright: ignore[reportUnknownMemberType]
            for module in held:  # not by eval(), which a module may have replaced
                module.training = training
            yield
    finally:
        for module, own in held.items():
            own["_buffers"].clear()
            own["_buffers"].update(buffers[module])
            vars(module).clear()  # attributes that forward has set hold strange tensors
            vars(module).update(own)


def _check(model: object, input_size: object, depth: int | None) -> tuple[int, ...]:
    """Return the input size, or refuse it, the model or the depth."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"expected an nn.Module, got {type(model).__name__}")
    if not is_per_axis(input_size) or not input_size:
        raise TypeError(
            f"expected input_size to be a tuple of ints such as (3, 224, 224), "
            f"got {input_size!r}"
        )
    if depth is not None:
        as_int("depth", depth, 1)
    tensors = [*model.named_parameters(), *model.named_buffers()]
    if lazy := [name for name, value in tensors if is_lazy(value)]:
        raise ValueError(
            f"expected parameters with shapes, got lazy ones ({', '.join(lazy[:3])}): "
            "run the model once on real data first"
        )
    return tuple(as_int("input_size", length, 1) for length in input_size)

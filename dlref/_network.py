"""What the networks of `dlref.models` share: weights come in, and input is checked.

A network's file holds the network; how a file of weights is read, and what is said of
an image of the wrong shape, would be the same lines in each.
"""

from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from typing import Any, TypeAlias, cast

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

__all__ = ["Weights", "check_images", "load_weights"]

Weights: TypeAlias = str | PathLike[str] | Mapping[str, Shaped[Tensor, "..."]]
"""A file that `torch.save` wrote of a state dict, or that state dict itself."""

_SHOWN = 4  # names in a message


def load_weights(
    network: nn.Module, weights: Weights, *, ignore: tuple[str, ...] = ()
) -> None:
    """Copy weights into a network: all of its parameters and buffers, and no others.

    A file is read with `weights_only=True`, so that it runs no code, and onto the CPU;
    the values are then copied to where the network is. Files from before PyTorch 0.4.1
    lack the `num_batches_tracked` of batch norm: the network keeps its own, as in
    torch.

    Args:
        network: The network, changed in place.
        weights: Path of a file that holds a state dict, such as those that torchvision
            downloads; or a state dict.
        ignore: How the names begin of what the weights may hold and the network lacks,
            such as `"aux1."`.

    Raises:
        TypeError: If the file holds, or `weights` is, anything but a state dict.
        ValueError: If names or shapes differ from the network's.
    """
    given: Any = weights
    if isinstance(weights, str | PathLike):
        given = torch.load(fspath(weights), map_location="cpu", weights_only=True)
    if not _is_state(given):
        raise TypeError(
            f"weights must be a path or a state dict of tensors, got {_describe(given)}"
        )
    own = network.state_dict()
    state: dict[str, Tensor] = {
        name: value
        for name, value in given.items()
        if name in own or not name.startswith(ignore)
    }
    for name in own.keys() - state.keys():
        if _had_no_count(name, given):
            state[name] = own[name]
    problems = [
        *_list("missing", own.keys() - state.keys()),
        *_list("unexpected", state.keys() - own.keys()),
        *_list("of another shape", _misshapen(own, state)),
    ]
    if problems:
        raise ValueError(
            f"expected the weights of a {type(network).__name__}, got some with "
            + "; ".join(problems)
        )
    network.load_state_dict(state)


def check_images(
    x: object, channels: int, height: int = 1, width: int | None = None
) -> None:
    """Refuse what is not a batch of images that a network can take.

    Args:
        x: What was given to the network.
        channels: Channels that its first layer has.
        height: Smallest height, in pixels.
        width: Smallest width, in pixels; the smallest height if None.

    Raises:
        TypeError: If `x` is no tensor, or not of floating point.
        ValueError: If its shape is not (N, channels, H, W) with H and W large enough.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"expected a Tensor of images, got {type(x).__name__}")
    if not x.is_floating_point():
        raise TypeError(f"expected images of floating point, got {x.dtype}")
    width = height if width is None else width
    shape = tuple(x.shape)
    fits = len(shape) == 4 and shape[1] == channels
    if not fits or shape[2] < height or shape[3] < width:
        raise ValueError(
            f"expected images of shape (N, {channels}, H, W) with H >= {height} and "
            f"W >= {width}, got {shape}"
        )


def _is_state(given: Any) -> bool:  # noqa: ANN401 - what a file held
    if not isinstance(given, Mapping):
        return False
    values: Iterable[object] = cast("Mapping[str, object]", given).values()
    return all(isinstance(value, Tensor) for value in values)


def _had_no_count(name: str, given: object) -> bool:
    """Say whether a name is a batch norm's count of batches, of before it had one."""
    layer, _, entry = name.rpartition(".")
    versions: dict[str, dict[str, int]] = getattr(given, "_metadata", {})
    version = versions.get(layer, {}).get("version") or 1
    return entry == "num_batches_tracked" and version < 2


def _misshapen(own: dict[str, Tensor], state: dict[str, Tensor]) -> set[str]:
    return {
        f"{name} {tuple(state[name].shape)} for {tuple(value.shape)}"
        for name, value in own.items()
        if name in state and state[name].shape != value.shape
    }


def _list(what: str, names: set[str]) -> list[str]:
    """Return one clause that names the first few, or none."""
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return [f"{len(names)} {what}: {', '.join(sorted(names)[:_SHOWN])}{more}"]


def _describe(given: Any) -> str:  # noqa: ANN401 - what a file held
    if not isinstance(given, Mapping):
        return type(given).__name__
    values: Iterable[object] = cast("Mapping[str, object]", given).values()
    return (
        f"a mapping to {', '.join(sorted({type(value).__name__ for value in values}))}"
    )

"""Groups of parameters, each with a learning rate of its own."""

from math import isfinite
from typing import TypedDict

from torch import nn

from dlref.transfer._layers import is_auxiliary, named_modules, weight_layers
from dlref.transfer.heads import find_heads

__all__ = ["ParameterGroup", "parameter_groups"]

_HEAD = ""  # no layer below the head has this name


class ParameterGroup(TypedDict):
    """What an optimizer of torch takes in place of a list of parameters.

    Attributes:
        params: The parameters.
        lr: Their learning rate.
        name: What they are: `"head"`, `"body"`, or the layer at which they begin.
    """

    params: list[nn.Parameter]
    lr: float
    name: str


def parameter_groups(
    model: nn.Module,
    lr: float,
    *,
    head_lr: float | None = None,
    decay: float = 1.0,
) -> list[ParameterGroup]:
    r"""Return the parameters that learn, in groups with discriminative learning rates.

    The head, drawn afresh, learns at $\eta_h$. Layer number $l$ below it (1 is the next
    one) learns at

    $$\eta_l = \eta\,\gamma^{\,l - 1}$$

    so that with $\gamma < 1$ the first layers, whose features suit many tasks, move
    least. Layers are those with a matrix or a kernel of weights, a normalisation
    belongs to the layer before it, and auxiliary heads (`aux…`) learn as the head does.

    Args:
        model: The network. Frozen parameters are left out, so freeze before.
        lr: Rate $\eta$ of the last layer below the head.
        head_lr: Rate $\eta_h$ of the head; $\eta$ if None.
        decay: $\gamma$, from one layer to the one before it; at 1, all layers below the
            head are one group, `"body"`.

    Returns:
        Groups for an optimizer of torch: the first layers first, the head last; each
        parameter is in exactly one.

    Raises:
        TypeError: If `model` is no `nn.Module`.
        ValueError: If a rate is negative, `decay` is outside (0, 1], the network has no
            head that [`replace_head`][dlref.transfer.replace_head] would find, or
            nothing learns.

    Examples:
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2))
        >>> groups = parameter_groups(net, 0.01, head_lr=0.1, decay=0.5)
        >>> [(group["name"], group["lr"]) for group in groups]
        [('0', 0.005), ('1', 0.01), ('head', 0.1)]

    References:
        Howard and Ruder (2018), Universal language model fine-tuning for text
        classification, [arXiv:1801.06146](https://arxiv.org/abs/1801.06146), section
        3.2 (discriminative fine-tuning; there $\gamma = 1 / 2.6$).
    """
    heads = find_heads(model)
    rates = {"lr": lr, "head_lr": lr if head_lr is None else head_lr}
    for name, rate in rates.items():
        if not (isfinite(rate) and rate >= 0):
            raise ValueError(f"expected {name} >= 0, got {name}={rate}")
    if not 0 < decay <= 1:
        raise ValueError(f"expected decay in (0, 1], got {decay=}")
    layers = [name for name in weight_layers(model) if name not in heads]
    members = _members(model, layers, heads)
    groups = [
        ParameterGroup(params=members[name], lr=lr * decay**steps, name=name)
        for steps, name in reversed([*enumerate(reversed(layers))])
    ]
    if decay == 1:
        body = [parameter for group in groups for parameter in group["params"]]
        groups = [ParameterGroup(params=body, lr=lr, name="body")]
    groups.append(
        ParameterGroup(params=members[_HEAD], lr=rates["head_lr"], name="head")
    )
    if not any(group["params"] for group in groups):
        raise ValueError("expected parameters that learn, got a network that is frozen")
    return [group for group in groups if group["params"]]


def _members(
    model: nn.Module, layers: list[str], heads: list[str]
) -> dict[str, list[nn.Parameter]]:
    """Return the parameters that learn, by the layer they belong to, or the head."""
    members: dict[str, list[nn.Parameter]] = {name: [] for name in (*layers, _HEAD)}
    seen: set[nn.Parameter] = set()
    layer = layers[0] if layers else _HEAD
    for name, module in named_modules(model):
        layer = name if name in layers else layer
        owner = _HEAD if name in heads or is_auxiliary(name) else layer
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad and parameter not in seen:
                members[owner].append(parameter)
                seen.add(parameter)
    return members

"""Fold batch norm into the convolution before it: of a pair, or of a whole network."""

import copy
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, fx, nn

from dlref.convolution import Conv2d
from dlref.normalization.modules import BatchNorm1d, BatchNorm2d

__all__ = ["fuse_conv_bn"]

_Module = TypeVar("_Module", bound=nn.Module)

_PAIRS: dict[type[nn.Module], tuple[type[nn.Module], ...]] = {
    nn.Conv1d: (nn.BatchNorm1d, BatchNorm1d),
    nn.Conv2d: (nn.BatchNorm2d, BatchNorm2d),
    nn.Conv3d: (nn.BatchNorm3d,),
    Conv2d: (nn.BatchNorm2d, BatchNorm2d),
}  # these types themselves: a subclass may compute something else


def fuse_conv_bn(module: _Module, bn: nn.Module | None = None) -> _Module:
    r"""Return a convolution that does the work of the batch norm behind it as well.

    In evaluation batch norm is one scale and one shift a channel, which the kernel and
    the bias of the convolution can take over:

    $$W'_c = \frac{\gamma_c}{\sqrt{\sigma^2_c + \epsilon}}\,W_c \qquad
    b'_c = \frac{\gamma_c}{\sqrt{\sigma^2_c + \epsilon}}\,(b_c - \mu_c) + \beta_c$$

    Given a convolution and a batch norm, the fused convolution is returned. Given a
    network alone, a copy of it, in which each such pair is a fused convolution and an
    `nn.Identity`; everything else is as it was. The pairs are found by a trace of
    `forward` (`torch.fx`), and fused is only what may be:

    - The batch norm alone takes the convolution's result, and takes it directly. A
      convolution with something else behind it (an activation, a sum, another branch)
      stays as it is, and so does a batch norm with no convolution before it, as behind
      DenseNet's concatenations.
    - Each of the two is called once, and its weights are read nowhere else.
    - Both are torch's or this package's layers, not subclasses, and the batch norm has
      running statistics.

    The copy is for evaluation only: `train()` would not bring batch norm back. The
    original is not modified, and shares no memory with it.

    Args:
        module: A network in evaluation mode; or, with `bn`, a convolution `nn.Conv1d`,
            `nn.Conv2d`, `nn.Conv3d` or this package's `Conv2d`.
        bn: The batch norm that follows the convolution, of the same number of axes.

    Returns:
        The fused convolution, or the network with all that can be fused. Outputs
        differ by rounding.

    Raises:
        TypeError: If `module` is no module, or with `bn` the two are no such pair.
        ValueError: If something is in training mode, the pair differs in channels, the
            batch norm has no running statistics, or the network's `forward` cannot be
            traced. (Fuse its pairs one by one then. A part of the network whose
            `forward` cannot be traced is left as it is.)

    Examples:
        >>> conv, bn = nn.Conv2d(3, 8, 3, bias=False).eval(), nn.BatchNorm2d(8).eval()
        >>> fuse_conv_bn(conv, bn)
        Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
        >>> fuse_conv_bn(nn.Sequential(conv, bn, nn.ReLU()).eval())
        Sequential(
          (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
          (1): Identity()
          (2): ReLU()
        )

    References:
        Jacob et al. (2017), Quantization and training of neural networks for efficient
        integer-arithmetic-only inference,
        [arXiv:1712.05877](https://arxiv.org/abs/1712.05877), section 3.2 (folding).
    """
    if not isinstance(module, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected an nn.Module, got {type(module).__name__}")
    if bn is not None:
        _check_pair(module, bn)
        return _fuse(module, bn)
    if module.training:
        raise ValueError("expected a network in evaluation mode: call .eval() first")
    network = copy.deepcopy(module)
    replaced: dict[nn.Module, nn.Module] = {}
    for conv, norm in _pairs(network):
        _check_pair(conv, norm)
        replaced |= {conv: _fuse(conv, norm), norm: nn.Identity().eval()}
    for name, part in _layers(network):
        if part in replaced:
            network.set_submodule(name, replaced[part])
    return network


def _fuse(conv: _Module, bn: Any) -> _Module:  # noqa: ANN401 - of several types
    fused: Any = copy.deepcopy(conv)
    weight, bias = fused.weight, fused.bias
    wide = torch.promote_types(weight.dtype, bn.running_var.dtype)
    r = (bn.running_var.to(wide) + bn.eps).rsqrt()
    scale = r if bn.weight is None else bn.weight * r
    shift = -scale * bn.running_mean
    if bias is not None:
        shift = shift + scale * bias
    if bn.bias is not None:
        shift = shift + bn.bias
    kernel = scale.view(-1, *(1,) * (weight.ndim - 1)) * weight  # (O, I, ...)
    fused.weight = _parameter(kernel, weight)
    fused.bias = _parameter(shift, weight)
    return fused


def _parameter(value: Tensor, like: Tensor) -> nn.Parameter:
    """Return the value in the dtype and the memory format of a kernel."""
    return nn.Parameter(value.detach().to(like.dtype), like.requires_grad)


def _fit(conv: Any, bn: Any) -> bool:  # noqa: ANN401 - of several types
    return type(bn) in _PAIRS.get(conv.__class__, ()) and bn.running_mean is not None


def _check_pair(conv: Any, bn: Any) -> None:  # noqa: ANN401 - of several types
    if type(bn) not in _PAIRS.get(conv.__class__, ()):
        raise TypeError(
            "expected a convolution and a batch norm of as many axes, got "
            f"{type(conv).__name__} and {type(bn).__name__}"
        )
    if conv.training or bn.training:
        raise ValueError("expected both layers in evaluation mode: call .eval() first")
    if bn.running_mean is None or bn.running_var is None:
        raise ValueError(
            "expected a batch norm with running statistics, got one without"
        )
    if conv.out_channels != bn.num_features:
        raise ValueError(
            f"expected a batch norm of {conv.out_channels} channels, got "
            f"{bn.num_features}"
        )


def _layers(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return all modules, under each of their names."""
    return list(cast("Any", network).named_modules(remove_duplicate=False))


def _pairs(network: nn.Module) -> Iterator[tuple[nn.Module, nn.Module]]:
    """Yield each convolution with the batch norm that alone takes its result."""
    nodes = _trace(network).nodes
    layers = {
        node: network.get_submodule(cast("str", node.target))
        for node in nodes
        if node.op == "call_module"
    }
    calls = Counter(layers.values())
    for layer in set(calls):  # what is called inside a module that stayed closed
        calls.update(part for part in layer.modules() if part is not layer)
    for node in nodes:  # a weight that is read by itself
        if node.op == "get_attr":
            owner = cast("str", node.target).rpartition(".")[0]
            calls[network.get_submodule(owner)] += 1
    for node, bn in layers.items():
        before = node.all_input_nodes
        if len(before) != 1 or len(before[0].users) != 1 or before[0] not in layers:
            continue
        conv = layers[before[0]]
        if calls[conv] == calls[bn] == 1 and _fit(conv, bn):
            yield conv, bn


def _trace(network: nn.Module) -> fx.Graph:
    """Return what forward does; a part that cannot be traced stays one step of it."""
    closed: set[type[nn.Module]] = set()
    while True:
        tracer = _Tracer(network, closed)
        try:
            return tracer.trace(network)
        except Exception as error:  # a forward may fail in any way on a stand-in
            if tracer.failed is None:
                raise ValueError(
                    "expected a forward that torch.fx can trace, got "
                    f"{type(error).__name__} in {type(network).__name__}: {error}"
                ) from error
            closed.add(type(tracer.failed))


def _globals(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what the file of a function knows by name, whatever decorates it."""
    return getattr(inspect.unwrap(function), "__globals__", {})


class _Tracer(fx.Tracer):
    """A tracer that looks for layers only, and into nothing that it need not open.

    The plain functions that a network's file calls are left closed: what checks its
    input would fail on a stand-in.

    Args:
        network: What will be traced.
        closed: Types of modules not to look into.
    """

    def __init__(self, network: nn.Module, closed: set[type[nn.Module]]) -> None:
        functions = {
            value
            for module in network.modules()
            for value in _globals(type(module).forward).values()
            if isinstance(value, FunctionType)
        }
        super().__init__(autowrap_functions=tuple(functions))
        self.closed = closed
        self.failed: nn.Module | None = None

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        known = super().is_leaf_module(m, module_qualified_name)
        return known or type(m) in self.closed or not any(True for _ in m.children())

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:  # noqa: ANN401 - a stand-in for whatever the module returns
        try:
            return super().call_module(m, forward, args, kwargs)
        except Exception:
            self.failed = self.failed or m  # the innermost is first
            raise

"""On a GPU, draw random numbers on the CPU and move them.

The generators of two devices give different numbers from the same seed, so a page's
golden output could not hold on both. Inside `CpuRandom`, torch's factories and in-place
draws use the CPU's generator and hand the numbers to the device that was asked for.
"""

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_FACTORIES = {
    torch.rand, torch.randn, torch.randint, torch.randperm, torch.normal,
}  # fmt: skip
_LIKE = {
    torch.rand_like: torch.rand,
    torch.randn_like: torch.randn,
}
_DRAWS = {torch.bernoulli, torch.multinomial, torch.poisson, torch.binomial}
_IN_PLACE = {
    "bernoulli_", "cauchy_", "exponential_", "geometric_", "log_normal_", "normal_",
    "random_", "uniform_",
}  # fmt: skip


class CpuRandom(TorchFunctionMode):
    """Redirect every draw to the CPU's generator."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: Any = (),
        kwargs: Any = None,
    ) -> Any:
        """Intercept draws; leave all else as it is."""
        kwargs = dict(kwargs or {})
        if func in _FACTORIES:
            return self._factory(func, args, kwargs)
        if func in _LIKE:
            return self._like(func, args[0], kwargs)
        if func is torch.randint_like:
            return _draw_in_place(
                torch.empty_like(args[0], **kwargs), "random_", args[1:]
            )
        if func in _DRAWS or func in {torch.Tensor.bernoulli, torch.Tensor.multinomial}:
            return func(*map(_to_cpu, args), **kwargs).to(args[0].device)
        name = getattr(func, "__name__", "")
        if getattr(func, "__module__", "") == "torch.nn.init":
            return _initialize(func, args, kwargs)
        if name in _IN_PLACE and args[0].device.type != "cpu":
            return _draw_in_place(args[0], name, args[1:], kwargs)
        if func is torch.nn.functional.dropout and args[0].device.type != "cpu":
            return _dropout(*args, **kwargs)
        return func(*args, **kwargs)

    @staticmethod
    def _factory(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = [v for v in (*args, *kwargs.values()) if isinstance(v, torch.Tensor)]
        if given:  # torch.normal(mean, std) of tensors takes no device
            cpu = {key: _to_cpu(value) for key, value in kwargs.items()}
            return func(*map(_to_cpu, args), **cpu).to(given[0].device)
        device = torch.device(kwargs.get("device") or torch.get_default_device())
        drawn = func(*args, **{**kwargs, "device": "cpu"}).detach().to(device)
        return drawn.requires_grad_(bool(kwargs.get("requires_grad")))

    @staticmethod
    def _like(func: Any, tensor: torch.Tensor, kwargs: dict[str, Any]) -> torch.Tensor:
        device = kwargs.pop("device", None) or tensor.device
        dtype = kwargs.pop("dtype", None) or tensor.dtype
        kwargs.pop("memory_format", None)
        drawn = _LIKE[func](tensor.shape, dtype=dtype, device="cpu", **kwargs)
        return drawn.to(device)


def _to_cpu(value: Any) -> Any:
    return value.cpu() if isinstance(value, torch.Tensor) else value


def _initialize(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run an initializer on a copy that lives on the CPU."""
    tensor = kwargs.pop("tensor", None)
    tensor, args = (args[0], args[1:]) if tensor is None else (tensor, args)
    cpu = func(tensor.detach().cpu().clone(), *args, **kwargs)
    with torch.no_grad():
        tensor.copy_(cpu)
    return tensor


def _draw_in_place(
    tensor: torch.Tensor,
    name: str,
    args: Any,
    kwargs: dict[str, Any] | None = None,
) -> torch.Tensor:
    cpu = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu")
    getattr(cpu, name)(*map(_to_cpu, args), **(kwargs or {}))
    return tensor.copy_(cpu)


def _dropout(
    input: torch.Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> torch.Tensor:
    if not training or p == 0.0:
        return input
    ones = torch.ones(input.shape, dtype=input.dtype, device="cpu")
    mask = torch.nn.functional.dropout(ones, p, training=True).to(input.device)
    return input.mul_(mask) if inplace else input * mask

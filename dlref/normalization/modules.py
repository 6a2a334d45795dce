"""Batch normalization as layers: parameters, running statistics, and two modes."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlref.normalization.batch import batch_norm

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class _BatchNorm(nn.Module):
    """What the layers share: everything but the number of axes that they accept."""

    _version = 2  # of the state dict, as torch counts: it has num_batches_tracked
    _axes: ClassVar[tuple[int, ...]]

    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: int | float = 1e-5,
        momentum: int | float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        bias: bool = True,
    ) -> None:
        """Make a layer with gamma = 1, beta = 0, running mean 0 and variance 1."""
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def ones() -> Tensor:
            return torch.ones(num_features, device=device, dtype=dtype)

        tracked, count = track_running_stats, torch.tensor(0, device=device)
        scale = nn.Parameter(ones()) if affine else None
        shift = nn.Parameter(ones().zero_()) if affine and bias else None
        self.register_parameter("weight", scale)
        self.register_parameter("bias", shift)
        self.register_buffer("running_mean", ones().zero_() if tracked else None)
        self.register_buffer("running_var", ones() if tracked else None)
        self.register_buffer("num_batches_tracked", count if tracked else None)

    def reset_running_stats(self) -> None:
        """Forget the batches: mean 0, variance 1, none counted."""
        if self.running_mean is not None:
            self.running_mean.zero_()
        if self.running_var is not None:
            self.running_var.fill_(1)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Return to gamma = 1 and beta = 0, and forget the batches."""
        self.reset_running_stats()
        if self.weight is not None:
            nn.init.ones_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Float[Tensor, "n c *spatial"]) -> Float[Tensor, "..."]:
        """Normalize by the batch in training, by the running statistics otherwise.

        Raises:
            TypeError: If `input` is no tensor, or of another dtype than the layer.
            ValueError: If it has another number of axes or of channels than the layer
                is for; or in training if a channel has a single value.
        """
        self._check_input_dim(input)
        mean, var, momentum = self.running_mean, self.running_var, self.momentum
        if self.training and not self.track_running_stats:
            mean = var = None  # leave them alone
        elif self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if momentum is None:  # the mean of all batches so far
                momentum = 1 / float(self.num_batches_tracked)
        return batch_norm(
            input,
            mean,
            var,
            self.weight,
            self.bias,
            training=self.training or (mean is None and var is None),
            momentum=0.0 if momentum is None else momentum,
            eps=self.eps,
        )

    def _check_input_dim(self, input: object) -> None:
        if not isinstance(input, Tensor):
            kind = type(input).__name__
            raise TypeError(f"expected input to be a Tensor, got {kind}")
        if input.ndim not in self._axes:
            expected = " or ".join(f"{n}D" for n in self._axes)
            raise ValueError(f"expected {expected} input (got {input.ndim}D input)")

    def extra_repr(self) -> str:
        """Return the settings, as torch's layer shows them."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self,
        state_dict: Mapping[str, Any],
        prefix: str,
        local_metadata: Mapping[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load, also what was saved before the batches were counted."""
        counted = (local_metadata.get("version") or 1) >= 2
        if self.num_batches_tracked is not None and not counted:
            name = f"{prefix}num_batches_tracked"
            state_dict = {name: self.num_batches_tracked, **state_dict}
        super()._load_from_state_dict(  # pyright: ignore[reportUnknownMemberType]
            state_dict,
            prefix,
            local_metadata,
            strict,
            missing_keys,
            unexpected_keys,
            error_msgs,
        )


class BatchNorm1d(_BatchNorm):
    """[`batch_norm`][dlref.normalization.batch_norm] of features or of sequences.

    As [`BatchNorm2d`][dlref.normalization.BatchNorm2d], for inputs of shape (N, C) or
    (N, C, L); of sequences, each channel is normalized over N and L.

    Args:
        num_features: Channels C.
        eps: Added to the variance.
        momentum: Weight of a batch in the running statistics; None gives all batches
            the same weight.
        affine: Whether there are parameters.
        track_running_stats: Whether to keep running statistics.
        device: Where to make parameters and statistics.
        dtype: Their dtype.
        bias: Whether there is a shift beside the scale.

    Examples:
        >>> layer = BatchNorm1d(2)
        >>> layer(torch.tensor([[1.0, 10.0], [3.0, 30.0]])).detach()
        tensor([[-1.0000, -1.0000],
                [ 1.0000,  1.0000]])
        >>> layer.eval()(torch.ones(1, 2)).shape  # alone: by the running statistics
        torch.Size([1, 2])

    References:
        Ioffe and Szegedy (2015), [arXiv:1502.03167](https://arxiv.org/abs/1502.03167),
        algorithm 1.
    """

    _axes = 2, 3


class BatchNorm2d(_BatchNorm):
    r"""[`batch_norm`][dlref.normalization.batch_norm] of images.

    A layer with a scale `weight` ($\gamma$, 1 at first) and a shift `bias` ($\beta$, 0
    at first) for each channel, 2C parameters, and with buffers that are no parameters:
    `running_mean`, `running_var`, and the number of batches that went into them,
    `num_batches_tracked`. In training (`.train()`) it normalizes by the batch and
    updates them, in evaluation (`.eval()`) by them. State dicts are torch's, in both
    directions.

    Args:
        num_features: Channels C.
        eps: $\epsilon$, added to the variance.
        momentum: Weight $\rho$ of a batch in the running statistics; None gives all
            batches the same weight, $\rho = 1 / t$ for batch number $t$.
        affine: Whether there are parameters.
        track_running_stats: Whether to keep running statistics; without, evaluation
            normalizes by the batch as well.
        device: Where to make parameters and statistics.
        dtype: Their dtype.
        bias: Whether there is a shift beside the scale.

    Examples:
        >>> layer = BatchNorm2d(3, momentum=None)
        >>> layer(torch.rand(8, 3, 4, 4)).shape
        torch.Size([8, 3, 4, 4])
        >>> layer.num_batches_tracked
        tensor(1)

    References:
        Ioffe and Szegedy (2015), [arXiv:1502.03167](https://arxiv.org/abs/1502.03167),
        section 3.2 (one mean a channel).
    """

    _axes = (4,)

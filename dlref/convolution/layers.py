"""Convolutions as layers: modules that hold their kernels."""

import math
from typing import Literal, SupportsIndex, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor, nn

from dlref.convolution._arguments import Count, Padding, per_axis
from dlref.convolution.correlation import conv2d
from dlref.shapes import same_padding
from dlref.shapes._arguments import as_int

__all__ = ["Conv2d", "SeparableConv2d"]

_PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
_Padding: TypeAlias = tuple[int, ...] | Literal["same", "valid"]
_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Conv2d(nn.Module):
    r"""A convolution whose kernels and biases are learned: `torch.nn.Conv2d`, readable.

    $$y_{n,o} = b_o + \sum_c w_{o,c} \star x_{n,c}$$

    It holds what is learned and calls [`conv2d`][dlref.convolution.conv2d]. Its
    parameters have the names and shapes of torch's, so that one's state dict loads into
    the other; and from the same seed the same first values: uniform between
    $\pm 1 / \sqrt{m}$, where $m = k_h k_w\,C / \text{groups}$ counts the products in
    one sum.

    Args:
        in_channels: Channels $C$ of the input.
        out_channels: Channels $K$ of the output: the number of kernels.
        kernel_size: Taps of a window. This, stride, padding and dilation: an int
            for both axes, or one for each.
        stride: Pixels from one window to the next.
        padding: Pixels at each end; "valid" for none, "same" to keep the size.
        dilation: Pixels from one tap to the next.
        groups: Groups of channels, each a convolution of its own.
        bias: Whether there is a bias.
        padding_mode: What stands in the padding: zeros, or pixels of the image.
        device: Where the parameters are.
        dtype: Of the parameters.

    Raises:
        TypeError: If a count is no integer.
        ValueError: If a count is out of range, groups do not divide the channels,
            `padding_mode` is unknown, or "same" comes with a stride.

    Attributes:
        weight: Kernels $w$ of shape (K, C / groups, $k_h$, $k_w$).
        bias: $b$ of shape (K,), or None.

    Examples:
        >>> Conv2d(3, 64, 7, stride=2, padding=3)(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 64, 16, 16])

    References:
        He et al. (2015), Delving deep into rectifiers,
        [arXiv:1502.01852](https://arxiv.org/abs/1502.01852), section 2.2 (the scale of
        the first values; torch takes the formula with the slope $a = \sqrt 5$).
    """

    weight: nn.Parameter
    bias: nn.Parameter | None

    def __init__(
        self,
        in_channels: SupportsIndex,
        out_channels: SupportsIndex,
        kernel_size: Count,
        stride: Count = 1,
        padding: Padding = 0,
        dilation: Count = 1,
        groups: SupportsIndex = 1,
        bias: bool = True,
        padding_mode: _PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Make the layer, and draw its first values."""
        super().__init__()
        self.in_channels = C = as_int("in_channels", in_channels, 1)
        self.out_channels = K = as_int("out_channels", out_channels, 1)
        self.kernel_size = per_axis("kernel_size", kernel_size, 2)
        self.stride = per_axis("stride", stride, 2)
        self.padding: _Padding = _read_padding(padding, self.stride)
        self.dilation = per_axis("dilation", dilation, 2)
        self.groups = g = as_int("groups", groups, 1)
        self.padding_mode = padding_mode
        if C % g or K % g:
            raise ValueError(
                f"expected groups that divide the channels, got groups={g}, "
                f"in_channels={C}, out_channels={K}"
            )
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"expected one of {_PADDING_MODES}, got {padding_mode=}")
        size = K, C // g, *self.kernel_size
        self.weight = nn.Parameter(torch.empty(size, device=device, dtype=dtype))
        b = nn.Parameter(torch.empty(K, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", b)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw kernels and biases anew."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # within 1 / sqrt(m)
        if self.bias is not None:
            bound = 1 / math.sqrt(self.weight[0].numel())
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Shaped[Tensor, "*batch c h w"]) -> Tensor:
        """Return the maps of images, batched or not."""
        padding: Padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._ends(), mode=self.padding_mode)
            padding = "valid"
        geometry = self.stride, padding, self.dilation, self.groups
        return conv2d(input, self.weight, self.bias, *geometry)

    def extra_repr(self) -> str:
        """Return what `print` shows in the brackets, in the words of torch.

        Returns:
            The arguments, those that have their default left out.
        """
        defaults = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}
        shown = ["kernel_size", "stride"]
        shown += [name for name in defaults if getattr(self, name) != defaults[name]]
        words = [f"{self.in_channels}", f"{self.out_channels}"]
        words += [f"{name}={getattr(self, name)}" for name in shown]
        words += [] if self.bias is not None else ["bias=False"]
        if self.padding_mode != "zeros":
            words.append(f"padding_mode={self.padding_mode}")
        return ", ".join(words)

    def _ends(self) -> list[int]:
        """Return the padding at each end, last axis first, as `pad` wants it."""
        near_far: list[tuple[int, int]] = []
        for axis, (k, d) in enumerate(
            zip(self.kernel_size, self.dilation, strict=True)
        ):
            p = self.padding
            if not isinstance(p, str):
                near_far.append((p[axis], p[axis]))
            else:
                near_far.append(same_padding(k, dilation=d) if p == "same" else (0, 0))
        return [end for ends in reversed(near_far) for end in ends]


class SeparableConv2d(nn.Module):
    r"""A depthwise convolution, then a pointwise one, as a layer.

    Two of [`Conv2d`][dlref.convolution.Conv2d]: `depthwise`, $m$ kernels for each
    channel and no bias, and `pointwise`, 1x1 kernels with the bias. There is nothing in
    between. See
    [`depthwise_separable_conv2d`][dlref.convolution.depthwise_separable_conv2d].

    Args:
        in_channels: Channels $C$ of the input.
        out_channels: Channels $K$ of the output.
        kernel_size: Taps of the first step's window. This, stride, padding and
            dilation: an int for both axes, or one for each.
        stride: Pixels from one window of the first step to the next.
        padding: Pixels at each end; "valid" for none, "same" to keep the size.
        dilation: Pixels from one tap to the next.
        bias: Whether the second step has a bias.
        padding_mode: What stands in the padding: zeros, or pixels of the image.
        device: Where the parameters are.
        dtype: Of the parameters.
        depth_multiplier: Kernels $m$ that the first step has for each channel.

    Raises:
        TypeError: If a count is no integer.
        ValueError: If a count is out of range, `padding_mode` is unknown, or "same"
            comes with a stride.

    Attributes:
        depthwise: Weights of shape (C m, 1, $k_h$, $k_w$).
        pointwise: Weights of shape (K, C m, 1, 1), and the bias.

    Examples:
        >>> layer = SeparableConv2d(64, 128, 3, bias=False)
        >>> sum(weight.numel() for weight in layer.parameters())  # Conv2d has 73,728
        8768

    References:
        Chollet (2016), Xception, [arXiv:1610.02357](https://arxiv.org/abs/1610.02357);
        Keras has it as
        [SeparableConv2D](https://keras.io/api/layers/convolution_layers/separable_convolution2d/).
    """

    def __init__(
        self,
        in_channels: SupportsIndex,
        out_channels: SupportsIndex,
        kernel_size: Count,
        stride: Count = 1,
        padding: Padding = 0,
        dilation: Count = 1,
        bias: bool = True,
        padding_mode: _PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        depth_multiplier: SupportsIndex = 1,
    ) -> None:
        """Make the two layers, and draw their first values."""
        super().__init__()
        C = as_int("in_channels", in_channels, 1)
        Cm = C * as_int("depth_multiplier", depth_multiplier, 1)
        first = kernel_size, stride, padding, dilation, C, False, padding_mode
        self.depthwise = Conv2d(C, Cm, *first, device, dtype)
        self.pointwise = Conv2d(
            Cm, out_channels, 1, bias=bias, device=device, dtype=dtype
        )

    def forward(self, input: Shaped[Tensor, "*batch c h w"]) -> Tensor:
        """Return the maps of images, batched or not."""
        return self.pointwise(self.depthwise(input))


def _read_padding(padding: Padding, stride: tuple[int, ...]) -> _Padding:
    if not isinstance(padding, str):
        return per_axis("padding", padding, 2, 0)
    if padding not in ("same", "valid") or (padding == "same" and stride != (1, 1)):
        raise ValueError(
            'expected padding to be an int, two ints, "valid" or, with stride 1, '
            f'"same", got {padding=}, {stride=}'
        )
    return padding

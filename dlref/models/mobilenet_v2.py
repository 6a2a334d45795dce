r"""MobileNetV2: shortcuts join what is narrow; the work is done where it is wide.

$$y = x + W_{1 \times 1}\,\mathrm{ReLU6}\bigl(D_{3 \times 3}\,\mathrm{ReLU6}
(W'_{1 \times 1}\,x)\bigr)$$

An *inverted residual* widens its input $t$ times by a 1x1 convolution $W'$, filters
each channel by itself ($D$, depthwise) and narrows the result by a 1x1 convolution
$W$, each with batch norm. The narrow end is *linear*: a ReLU there would lose what a
wide layer can afford to.

The network is torchvision's, with its names and its order of construction: its files
load, and the same seed draws the same weights. Widths are rounded to multiples of 8, as
in the authors' code.

References:
    Sandler, Howard, Zhu, Zhmoginov and Chen (2018), MobileNetV2: inverted residuals and
    linear bottlenecks, [arXiv:1801.04381](https://arxiv.org/abs/1801.04381), section 3
    and table 2.
"""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["InvertedResidual", "MobileNetV2", "mobilenet_v2"]

_Layer = Callable[..., nn.Module]
"""What makes a block, or a normalization from a number of channels."""

_SETTING = (  # of table 2: expansion t, channels c, repeats n, stride s
    (1, 16, 1, 1),  # (N, 16, 112, 112) of a 224 x 224 image
    (6, 24, 2, 2),  # (N, 24, 56, 56)
    (6, 32, 3, 2),  # (N, 32, 28, 28)
    (6, 64, 4, 2),  # (N, 64, 14, 14)
    (6, 96, 3, 1),  # (N, 96, 14, 14)
    (6, 160, 3, 2),  # (N, 160, 7, 7)
    (6, 320, 1, 1),  # (N, 320, 7, 7)
)


class InvertedResidual(nn.Module):
    """1x1 to widen, depthwise 3x3, linear 1x1 to narrow; the input added if it fits.

    Args:
        inp: Channels of the input.
        oup: Channels of the output.
        stride: Stride of the depthwise convolution, 1 or 2.
        expand_ratio: Expansion $t$; with 1 there is no convolution that widens.
        norm_layer: What makes a normalization from a number of channels; None for
            `torch.nn.BatchNorm2d`.

    Raises:
        ValueError: If the stride is neither 1 nor 2.
    """

    def __init__(
        self,
        inp: int,
        oup: int,
        stride: int,
        expand_ratio: int | float,
        norm_layer: _Layer | None = None,
    ) -> None:
        """Prepare the layers."""
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"expected a stride of 1 or 2, got {stride}")
        norm = norm_layer or nn.BatchNorm2d
        wide = round(inp * expand_ratio)
        layers = [] if expand_ratio == 1 else [_conv(inp, wide, 1, 1, 1, norm)]
        self.conv = nn.Sequential(
            *layers,  # (N, wide, H, W)
            _conv(wide, wide, 3, stride, wide, norm),  # (N, wide, H / s, W / s)
            nn.Conv2d(wide, oup, 1, bias=False),
            norm(oup),  # (N, oup, H / s, W / s)
        )
        self.stride = stride
        self.out_channels = oup
        self.use_res_connect = stride == 1 and inp == oup

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return F(x), or x + F(x) where both have the same shape."""
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    r"""A convolution, inverted residuals, a 1x1 convolution, pooling, one layer.

    Args:
        num_classes: Length of the output.
        width_mult: By what the channels of every layer are multiplied; the last
            convolution's only if it is greater than 1.
        inverted_residual_setting: Rows (t, c, n, s) of table 2; None for the paper's.
        round_nearest: Channels are rounded to a multiple of this.
        block: What to build blocks of; None for
            [`InvertedResidual`][dlref.models.InvertedResidual].
        norm_layer: What makes a normalization from a number of channels; None for
            `torch.nn.BatchNorm2d`.
        dropout: Share of the features that training drops before the last layer.
        in_channels: Channels of the images.

    Raises:
        ValueError: If the setting is empty, a row has not four numbers, or a stride is
            neither 1 nor 2. Forward: if the images have other channels.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: int | float = 1.0,
        inverted_residual_setting: Sequence[Sequence[int]] | None = None,
        round_nearest: int = 8,
        block: _Layer | None = None,
        norm_layer: _Layer | None = None,
        dropout: int | float = 0.2,
        *,
        in_channels: int = 3,
    ) -> None:
        """Make the layers, in the order of table 2, and draw their weights."""
        super().__init__()
        setting = (
            _SETTING if inverted_residual_setting is None else inverted_residual_setting
        )
        if not setting or any(len(row) != 4 for row in setting):
            raise ValueError(
                f"expected rows of four numbers, t, c, n, s, got {setting}"
            )
        make, norm = block or InvertedResidual, norm_layer or nn.BatchNorm2d
        self.in_channels = in_channels
        before = _make_divisible(32 * width_mult, round_nearest)
        self.last_channel = _make_divisible(1280 * max(1.0, width_mult), round_nearest)
        layers: list[nn.Module] = [_conv(in_channels, before, 3, 2, 1, norm)]
        for t, channels, n, s in setting:
            after = _make_divisible(channels * width_mult, round_nearest)
            for i in range(n):
                stride = s if i == 0 else 1
                layers.append(
                    make(before, after, stride, expand_ratio=t, norm_layer=norm)
                )
                before = after
        layers.append(_conv(before, self.last_channel, 1, 1, 1, norm))
        self.features = nn.Sequential(*layers)  # (N, 1280, 7, 7)
        last = nn.Linear(self.last_channel, num_classes)
        self.classifier = nn.Sequential(nn.Dropout(dropout), last)
        _initialise(self)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.in_channels)
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(x.flatten(1))


def mobilenet_v2(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    width_mult: int | float = 1.0,
    inverted_residual_setting: Sequence[Sequence[int]] | None = None,
    round_nearest: int = 8,
    block: _Layer | None = None,
    norm_layer: _Layer | None = None,
    dropout: int | float = 0.2,
) -> MobileNetV2:
    """Return MobileNetV2; 3,504,872 parameters at its full width.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.
        width_mult: As of [`MobileNetV2`][dlref.models.MobileNetV2], like all that
            follow.
        inverted_residual_setting: Rows (t, c, n, s) of table 2.
        round_nearest: What channels are rounded to.
        block: What to build blocks of.
        norm_layer: What makes a normalization.
        dropout: Share of the features that training drops.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> network = mobilenet_v2(num_classes=10, width_mult=0.5)
        >>> network(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """
    network = MobileNetV2(
        num_classes,
        width_mult,
        inverted_residual_setting,
        round_nearest,
        block,
        norm_layer,
        dropout,
        in_channels=in_channels,
    )
    if weights is not None:
        load_weights(network, weights)
    return network


def _conv(
    inp: int, oup: int, kernel_size: int, stride: int, groups: int, norm: _Layer
) -> nn.Sequential:
    """Return a convolution, a normalization and ReLU6."""
    padding = kernel_size // 2
    conv = nn.Conv2d(inp, oup, kernel_size, stride, padding, groups=groups, bias=False)
    return nn.Sequential(conv, norm(oup), nn.ReLU6(inplace=True))


def _make_divisible(channels: float, divisor: int) -> int:
    """Return the nearest multiple that takes away no more than a tenth."""
    nearest = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return nearest if nearest >= 0.9 * channels else nearest + divisor


def _initialise(network: MobileNetV2) -> None:
    """Draw convolutions and the linear layer; every bias starts at zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)

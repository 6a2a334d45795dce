r"""Inception v3 (2015): large kernels factored into small and one-sided ones.

Two 3x3 kernels replace one of 5x5; $1 \times n$ and $n \times 1$ replace $n \times n$.
Where the image is halved, a pooling and strided convolutions do it side by side. Blocks
A, C and E keep the size (figures 5 to 7 of the paper), B and D halve it (figure 10).

The network is torchvision's, which is TensorFlow's: the paper's table 1 has another
stem, and its figure 5 has no 5x5 kernel, of which block A keeps one.

References:
    Szegedy, Vanhoucke, Ioffe, Shlens and Wojna (2015), Rethinking the Inception
    architecture for computer vision, [arXiv:1512.00567](https://arxiv.org/abs/1512.00567),
    sections 3 to 6.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["Inception3", "InceptionOutputs", "inception_v3"]

_Block = Callable[..., nn.Module]
_Pair = int | tuple[int, int]
_Maps = Float[Tensor, "_ _ _ _"]


class InceptionOutputs(NamedTuple):
    """What training gives: logits, and those of the head behind the last block C."""

    logits: Float[Tensor, "n classes"]
    aux_logits: Float[Tensor, "n classes"] | None


class Inception3(nn.Module):
    """Five convolutions, eleven blocks of five kinds, the mean of each map, one layer.

    27,161,264 parameters, 3,326,696 of them in the auxiliary head. Shapes are those of
    299x299 pixels; others do as well, from 75x75, or from 299x299 with the head.

    Args:
        num_classes: Classes.
        aux_logits: Whether there is an auxiliary head; only training uses it.
        transform_input: Whether to turn ImageNet's normalization into that of
            torchvision's weights: mean 0.5, deviation 0.5.
        inception_blocks: What to build convolutions, blocks A to E and the head of.
        init_weights: Whether to draw the weights anew, as None does too.
        dropout: Share of features that training drops before the last layer.
        in_channels: Channels of an image.

    Raises:
        ValueError: If there are not 7 `inception_blocks`, or 3 channels to transform.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        inception_blocks: Sequence[_Block] | None = None,
        init_weights: bool | None = None,
        dropout: float = 0.5,
        *,
        in_channels: int = 3,
    ) -> None:
        """Build the layers in their order."""
        super().__init__()
        blocks = inception_blocks or (_Conv, _A, _B, _C, _D, _E, _Head)
        if len(blocks) != 7:
            raise ValueError(f"expected 7 inception_blocks, got {len(blocks)}")
        if transform_input and in_channels != 3:
            raise ValueError(f"transform_input expects 3 channels, got {in_channels}")
        conv, block_a, block_b, block_c, block_d, block_e, head = blocks
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.in_channels = C = in_channels
        self.Conv2d_1a_3x3 = conv(C, 32, kernel_size=3, stride=2)  # (N, 32, 149, 149)
        self.Conv2d_2a_3x3 = conv(32, 32, kernel_size=3)  # (N, 32, 147, 147)
        self.Conv2d_2b_3x3 = conv(32, 64, kernel_size=3, padding=1)  # (N, 64, 147, 147)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)  # (N, 64, 73, 73)
        self.Conv2d_3b_1x1 = conv(64, 80, kernel_size=1)  # (N, 80, 73, 73)
        self.Conv2d_4a_3x3 = conv(80, 192, kernel_size=3)  # (N, 192, 71, 71)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)  # (N, 192, 35, 35)
        self.Mixed_5b = block_a(192, pool_features=32)  # (N, 256, 35, 35)
        self.Mixed_5c = block_a(256, pool_features=64)  # (N, 288, 35, 35)
        self.Mixed_5d = block_a(288, pool_features=64)  # (N, 288, 35, 35)
        self.Mixed_6a = block_b(288)  # (N, 768, 17, 17)
        self.Mixed_6b = block_c(768, channels_7x7=128)  # (N, 768, 17, 17)
        self.Mixed_6c = block_c(768, channels_7x7=160)  # (N, 768, 17, 17)
        self.Mixed_6d = block_c(768, channels_7x7=160)  # (N, 768, 17, 17)
        self.Mixed_6e = block_c(768, channels_7x7=192)  # (N, 768, 17, 17)
        self.AuxLogits = head(768, num_classes) if aux_logits else None
        self.Mixed_7a = block_d(768)  # (N, 1280, 8, 8)
        self.Mixed_7b = block_e(1280)  # (N, 2048, 8, 8)
        self.Mixed_7c = block_e(2048)  # (N, 2048, 8, 8)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))  # (N, 2048, 1, 1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)  # (N, num_classes)
        if init_weights is None or init_weights:
            _init_normal(self)

    def forward(
        self, x: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n classes"] | InceptionOutputs:
        """Return the logits; in training together with those of the head."""
        head = self.AuxLogits if self.training else None
        check_images(x, self.in_channels, 75 if head is None else 299)
        x = _from_imagenet(x) if self.transform_input else x
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(self.maxpool1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(self.maxpool2(x))))
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        x = self.Mixed_6e(self.Mixed_6d(x))
        aux = None if head is None else head(x)
        x = self.avgpool(self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))))
        logits = self.fc(self.dropout(x).flatten(1))
        if self.training and self.aux_logits:
            return InceptionOutputs(logits, aux)
        return logits


class _Conv(nn.Module):
    """A convolution without bias, batch norm, ReLU."""

    def __init__(
        self, C: int, K: int, kernel_size: _Pair, stride: _Pair = 1, padding: _Pair = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, K, kernel_size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(K, eps=0.001)

    def forward(self, x: _Maps) -> _Maps:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class _A(nn.Module):
    """Figure 5: 1x1, 5x5, two of 3x3, and a mean; the size stays."""

    def __init__(self, C: int, pool_features: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(C, 64, 1)
        self.branch5x5_1 = _Conv(C, 48, 1)
        self.branch5x5_2 = _Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Conv(C, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, padding=1)
        self.branch_pool = _Conv(C, pool_features, 1)

    def forward(self, x: _Maps) -> _Maps:
        direct = self.branch1x1(x)
        single = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        pool = self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([direct, single, double, pool], 1)


class _B(nn.Module):
    """Figure 10: 3x3, two of 3x3, and a maximum; the size is halved."""

    def __init__(self, C: int) -> None:
        super().__init__()
        self.branch3x3 = _Conv(C, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Conv(C, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, stride=2)

    def forward(self, x: _Maps) -> _Maps:
        single = self.branch3x3(x)
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([single, double, F.max_pool2d(x, 3, stride=2)], 1)


class _C(nn.Module):
    """Figure 6: 1x1, 7x7 and two of 7x7 in one-sided pieces, and a mean."""

    def __init__(self, C: int, channels_7x7: int) -> None:
        super().__init__()
        c7, row, column = channels_7x7, ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
        self.branch1x1 = _Conv(C, 192, 1)
        self.branch7x7_1 = _Conv(C, c7, 1)
        self.branch7x7_2 = _Conv(c7, c7, *row)
        self.branch7x7_3 = _Conv(c7, 192, *column)
        self.branch7x7dbl_1 = _Conv(C, c7, 1)
        self.branch7x7dbl_2 = _Conv(c7, c7, *column)
        self.branch7x7dbl_3 = _Conv(c7, c7, *row)
        self.branch7x7dbl_4 = _Conv(c7, c7, *column)
        self.branch7x7dbl_5 = _Conv(c7, 192, *row)
        self.branch_pool = _Conv(C, 192, 1)

    def forward(self, x: _Maps) -> _Maps:
        direct = self.branch1x1(x)
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        pool = self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([direct, single, double, pool], 1)


class _D(nn.Module):
    """As block B, one branch with a 7x7 kernel before: the size is halved."""

    def __init__(self, C: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Conv(C, 192, 1)
        self.branch3x3_2 = _Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Conv(C, 192, 1)
        self.branch7x7x3_2 = _Conv(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = _Conv(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = _Conv(192, 192, 3, stride=2)

    def forward(self, x: _Maps) -> _Maps:
        single = self.branch3x3_2(self.branch3x3_1(x))
        large = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        large = self.branch7x7x3_4(large)
        return torch.cat([single, large, F.max_pool2d(x, 3, stride=2)], 1)


class _E(nn.Module):
    """Figure 7: rows and columns side by side, for many channels at the end."""

    def __init__(self, C: int) -> None:
        super().__init__()
        row, column = ((1, 3), 1, (0, 1)), ((3, 1), 1, (1, 0))
        self.branch1x1 = _Conv(C, 320, 1)
        self.branch3x3_1 = _Conv(C, 384, 1)
        self.branch3x3_2a = _Conv(384, 384, *row)
        self.branch3x3_2b = _Conv(384, 384, *column)
        self.branch3x3dbl_1 = _Conv(C, 448, 1)
        self.branch3x3dbl_2 = _Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _Conv(384, 384, *row)
        self.branch3x3dbl_3b = _Conv(384, 384, *column)
        self.branch_pool = _Conv(C, 192, 1)

    def forward(self, x: _Maps) -> _Maps:
        direct = self.branch1x1(x)
        single = self.branch3x3_1(x)
        single = [self.branch3x3_2a(single), self.branch3x3_2b(single)]
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        double = [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        pool = self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))
        return torch.cat([direct, *single, *double, pool], 1)


class _Head(nn.Module):
    """The auxiliary head: logits from the middle of the network."""

    def __init__(self, C: int, num_classes: int) -> None:
        super().__init__()
        self.conv0 = _Conv(C, 128, 1)  # (N, 128, 5, 5)
        self.conv1 = _Conv(128, 768, 5)  # (N, 768, 1, 1)
        self.fc = nn.Linear(768, num_classes)  # (N, num_classes)

    def forward(self, x: _Maps) -> Float[Tensor, "n classes"]:
        x = self.conv1(self.conv0(F.avg_pool2d(x, 5, stride=3)))
        return self.fc(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


def inception_v3(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    aux_logits: bool = True,
    transform_input: bool = False,
    init_weights: bool | None = None,
    dropout: float = 0.5,
) -> Inception3:
    """Return torchvision's Inception v3, whose files load; for 299x299 pixels.

    Args:
        weights: A file or a state dict to load; random weights if None. Those that
            torchvision downloads want `transform_input=True`, which it sets with them.
        num_classes: Classes.
        in_channels: Channels of an image.
        aux_logits: Whether there is a head. Without it, that of a file is left out.
        transform_input: As in [`Inception3`][dlref.models.Inception3], like the rest.
        init_weights: Whether to draw the weights anew.
        dropout: Share of features that training drops before the last layer.

    Returns:
        The network, in training mode.

    Raises:
        TypeError: If `weights` holds no state dict.
        ValueError: If names or shapes of the weights differ from the network's, or
            options do not fit.

    Examples:
        >>> network = inception_v3(num_classes=10, init_weights=False).eval()
        >>> network(torch.rand(1, 3, 75, 75)).shape
        torch.Size([1, 10])
    """
    draw = init_weights if weights is None else False
    options = num_classes, aux_logits, transform_input, None, draw, dropout
    network = Inception3(*options, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights, ignore=() if aux_logits else ("AuxLogits.",))
    return network


def _from_imagenet(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Undo ImageNet's normalization, and normalize with mean 0.5, deviation 0.5."""
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    rows = zip(x.unbind(1), mean, std, strict=True)
    return torch.stack([z * (s / 0.5) + (m - 0.5) / 0.5 for z, m, s in rows], 1)


def _init_normal(network: nn.Module) -> None:
    """Draw the weights of convolutions and layers; what has one axis stays."""
    for name, value in network.named_parameters():
        if value.ndim > 1:
            std = 0.001 if name == "AuxLogits.fc.weight" else 0.1
            nn.init.trunc_normal_(value, std=std, a=-2, b=2)

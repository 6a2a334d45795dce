r"""GoogLeNet as torchvision has it: Inception blocks with batch norm.

An *Inception* block sends its input through four branches and stacks what they give
along the channels:

$$
y = \bigl[\, f_{1 \times 1}(x),\; f_{3 \times 3}(f_{1 \times 1}(x)),\;
f_{3 \times 3}(f_{1 \times 1}(x)),\; f_{1 \times 1}(\mathrm{maxpool}(x)) \,\bigr]
$$

where $f$ is a convolution with batch norm and ReLU. The 1x1 convolutions in front of
the larger kernels reduce the channels, and with them the cost.

Departures from the paper, whose own network is `dlref.models.googlenet_2014`: the third
branch has 3x3 kernels in place of 5x5; batch norm (a year younger) in place of biases
and local response normalization; 2x2 in place of 3x3 in the last max pooling; heads on
adaptive pooling in place of 5x5 with stride 3; dropout 0.2 in place of 0.4.

References:
    - Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich
      (2014), Going deeper with convolutions,
      [arXiv:1409.4842](https://arxiv.org/abs/1409.4842), table 1.
    - On the third branch: [vision#906](https://github.com/pytorch/vision/issues/906).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = [
    "GoogLeNet",
    "GoogLeNetOutputs",
    "Inception",
    "InceptionAux",
    "googlenet",
]

_Block = Callable[..., nn.Module]


class GoogLeNetOutputs(NamedTuple):
    """What training gives: the logits, and those of the heads, the later one first.

    Attributes:
        logits: Of the network, (N, num_classes).
        aux_logits2: Of the head behind inception (4d), (N, num_classes).
        aux_logits1: Of the head behind inception (4a), (N, num_classes).
    """

    logits: Float[Tensor, "n classes"]
    aux_logits2: Float[Tensor, "n classes"] | None
    aux_logits1: Float[Tensor, "n classes"] | None


class GoogLeNet(nn.Module):
    """Three convolutions, nine Inception blocks, the mean of each map, one layer.

    13,004,888 parameters, 6,379,984 of them in the two auxiliary heads. Shapes are
    those of 224x224 pixels; other sizes do as well.

    Args:
        num_classes: Classes.
        aux_logits: Whether there are auxiliary heads; only training uses them.
        transform_input: Whether to bring images that were normalized with ImageNet's
            means and deviations to those that torchvision's weights expect: 0.5, 0.5.
        init_weights: Whether to draw the weights anew, with a deviation of 0.01; None
            means that too, and False leaves what torch's layers drew.
        blocks: What to build convolutions, Inception blocks and heads of.
        dropout: Share of features that training drops before the last layer.
        dropout_aux: The same in the heads.
        in_channels: Channels of an image.

    Raises:
        ValueError: If there are not three `blocks`, or `transform_input` is set though
            images have not three channels.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        transform_input: bool = False,
        init_weights: bool | None = None,
        blocks: Sequence[_Block] | None = None,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
        *,
        in_channels: int = 3,
    ) -> None:
        """Build the layers in the order of table 1."""
        super().__init__()
        if blocks is not None and len(blocks) != 3:
            raise ValueError(f"expected 3 blocks, got {len(blocks)}")
        if transform_input and in_channels != 3:
            raise ValueError(f"transform_input expects 3 channels, got {in_channels}")
        conv, block, head = blocks or (_BasicConv2d, Inception, InceptionAux)
        self.aux_logits = aux_logits
        self.transform_input = transform_input
        self.in_channels = in_channels
        self.conv1 = conv(
            in_channels, 64, kernel_size=7, stride=2, padding=3
        )  # (N, 64, 112, 112)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # (N, 64, 56, 56)
        self.conv2 = conv(64, 64, kernel_size=1)  # (N, 64, 56, 56)
        self.conv3 = conv(64, 192, kernel_size=3, padding=1)  # (N, 192, 56, 56)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # (N, 192, 28, 28)
        self.inception3a = block(192, 64, 96, 128, 16, 32, 32)  # (N, 256, 28, 28)
        self.inception3b = block(256, 128, 128, 192, 32, 96, 64)  # (N, 480, 28, 28)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # (N, 480, 14, 14)
        self.inception4a = block(480, 192, 96, 208, 16, 48, 64)  # (N, 512, 14, 14)
        self.inception4b = block(512, 160, 112, 224, 24, 64, 64)  # (N, 512, 14, 14)
        self.inception4c = block(512, 128, 128, 256, 24, 64, 64)  # (N, 512, 14, 14)
        self.inception4d = block(512, 112, 144, 288, 32, 64, 64)  # (N, 528, 14, 14)
        self.inception4e = block(528, 256, 160, 320, 32, 128, 128)  # (N, 832, 14, 14)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)  # (N, 832, 7, 7)
        self.inception5a = block(832, 256, 160, 320, 32, 128, 128)  # (N, 832, 7, 7)
        self.inception5b = block(832, 384, 192, 384, 48, 128, 128)  # (N, 1024, 7, 7)
        self.aux1 = head(512, num_classes, dropout=dropout_aux) if aux_logits else None
        self.aux2 = head(528, num_classes, dropout=dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))  # (N, 1024, 1, 1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)  # (N, num_classes)
        if init_weights is None or init_weights:
            _init_normal(self)

    def forward(
        self, x: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n classes"] | GoogLeNetOutputs:
        """Return the logits; in training together with those of the heads."""
        check_images(x, self.in_channels, 15)
        x = _from_imagenet(x) if self.transform_input else x
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        aux1 = self.aux1(x) if self.aux1 is not None and self.training else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x) if self.aux2 is not None and self.training else None
        x = self.maxpool4(self.inception4e(x))
        x = self.avgpool(self.inception5b(self.inception5a(x)))
        logits = self.fc(self.dropout(x.flatten(1)))
        if self.training and self.aux_logits:
            return GoogLeNetOutputs(logits, aux2, aux1)
        return logits


class _BasicConv2d(nn.Module):
    """A convolution without bias, batch norm, ReLU."""

    def __init__(
        self, C: int, K: int, kernel_size: int, stride: int = 1, padding: int = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, K, kernel_size, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(K, eps=0.001)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k h2 w2"]:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    """Four branches side by side, stacked along the channels.

    Args:
        in_channels: Channels of the input.
        ch1x1: Channels of branch 1, a 1x1 convolution.
        ch3x3red: Channels to which branch 2 reduces.
        ch3x3: Channels of branch 2, a 3x3 convolution.
        ch5x5red: Channels to which branch 3 reduces.
        ch5x5: Channels of branch 3, which has 3x3 kernels in spite of its name.
        pool_proj: Channels of branch 4, a 1x1 convolution after a max pooling.
        conv_block: What to build convolutions of.
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        conv_block: _Block | None = None,
    ) -> None:
        """Build the branches in the order of table 1's columns."""
        super().__init__()
        conv = _BasicConv2d if conv_block is None else conv_block
        self.branch1 = conv(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(
            conv(in_channels, ch3x3red, kernel_size=1),
            conv(ch3x3red, ch3x3, kernel_size=3, padding=1),
        )
        self.branch3 = nn.Sequential(
            conv(in_channels, ch5x5red, kernel_size=1),
            conv(ch5x5red, ch5x5, kernel_size=3, padding=1),
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),
            conv(in_channels, pool_proj, kernel_size=1),
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n out h w"]:
        """Return ch1x1 + ch3x3 + ch5x5 + pool_proj maps of the input's size."""
        branches = self.branch1, self.branch2, self.branch3, self.branch4
        return torch.cat([branch(x) for branch in branches], 1)


class InceptionAux(nn.Module):
    """An auxiliary head: logits from the middle of the network.

    Args:
        in_channels: Channels of the input.
        num_classes: Classes.
        conv_block: What to build the convolution of.
        dropout: Share of features that training drops before the last layer.
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        conv_block: _Block | None = None,
        dropout: float = 0.7,
    ) -> None:
        """Build a convolution and two layers."""
        super().__init__()
        conv = _BasicConv2d if conv_block is None else conv_block
        self.conv = conv(in_channels, 128, kernel_size=1)  # (N, 128, 4, 4)
        self.fc1 = nn.Linear(2048, 1024)  # (N, 1024)
        self.fc2 = nn.Linear(1024, num_classes)  # (N, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return logits."""
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4)))
        x = F.relu(self.fc1(x.flatten(1)), inplace=True)
        return self.fc2(self.dropout(x))


def googlenet(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    aux_logits: bool | None = None,
    transform_input: bool = False,
    init_weights: bool | None = None,
    dropout: float = 0.2,
    dropout_aux: float = 0.7,
) -> GoogLeNet:
    """Return torchvision's GoogLeNet, whose files load.

    As there, a network without weights has heads, and one with weights has them only if
    `aux_logits` asks for them (those in torchvision's file, it says, are not trained);
    else those of the file are left out.

    Args:
        weights: A file or a state dict to load; random weights if None. Those that
            torchvision downloads want `transform_input=True`, which it sets with them.
        num_classes: Classes.
        in_channels: Channels of an image.
        aux_logits: Whether there are auxiliary heads; if None, where `weights` is None.
        transform_input: As in [`GoogLeNet`][dlref.models.GoogLeNet], like the rest.
        init_weights: Whether to draw the weights anew.
        dropout: Share of features that training drops before the last layer.
        dropout_aux: The same in the heads.

    Returns:
        The network, in training mode.

    Raises:
        TypeError: If `weights` holds no state dict.
        ValueError: If names or shapes of the weights differ from the network's; or if
            `transform_input` is set and images have not three channels.

    Examples:
        >>> network = googlenet(num_classes=10)
        >>> out = network(torch.rand(2, 3, 64, 64))
        >>> loss = out.logits.sum() + 0.3 * (out.aux_logits1 + out.aux_logits2).sum()
    """
    has_heads = weights is None if aux_logits is None else aux_logits
    network = GoogLeNet(
        num_classes,
        has_heads,
        transform_input,
        False if weights is not None else init_weights,
        dropout=dropout,
        dropout_aux=dropout_aux,
        in_channels=in_channels,
    )
    if weights is not None:
        load_weights(network, weights, ignore=() if has_heads else ("aux1.", "aux2."))
    return network


def _from_imagenet(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Undo ImageNet's normalization, and normalize with mean 0.5, deviation 0.5."""
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    rows = zip(x.unbind(1), mean, std, strict=True)
    return torch.stack([z * (s / 0.5) + (m - 0.5) / 0.5 for z, m, s in rows], 1)


def _init_normal(network: nn.Module) -> None:
    """Draw the weights of convolutions and layers; what has one axis stays."""
    for value in network.parameters():
        if value.ndim > 1:
            nn.init.trunc_normal_(value, std=0.01, a=-2, b=2)

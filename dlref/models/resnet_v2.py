r"""ResNet version 2: batch norm and ReLU come *before* each convolution.

$$x_{l+1} = x_l + \mathcal F(x_l), \qquad x_L = x_l + \sum_{i=l}^{L-1} \mathcal F(x_i)$$

Nothing is applied after the addition, so that from any block to any later one there is
a path of additions only, and with it a gradient that no layer has multiplied. One
normalization stands at the end, before the pooling.

Departures from the paper:

- Where a bottleneck halves the image, its 3x3 has the stride; in the authors' code, as
  in version 1, its first 1x1 has it. timm's `resnetv2_50` and its kin do as we do.
- The paper activates the stem before the first block splits into its two paths
  (appendix). A projection sees its input activated, here as there; but the identity of
  the first block, in 18 and 34 layers, adds the pooled stem as it is.

References:
    He, Zhang, Ren and Sun (2016), Identity mappings in deep residual networks,
    [arXiv:1603.05027](https://arxiv.org/abs/1603.05027), equations 3 to 5, figure 4
    (e); [code](https://github.com/KaimingHe/resnet-1k-layers).
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = [
    "PreActBasicBlock",
    "PreActBottleneck",
    "ResNetV2",
    "resnet18_v2",
    "resnet34_v2",
    "resnet50_v2",
    "resnet101_v2",
    "resnet152_v2",
]


class PreActBasicBlock(nn.Module):
    """BN, ReLU, 3x3, twice; and the input added."""

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1) -> None:
        """Make the layers; the shortcut has one where the shape changes."""
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inplanes)
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)  # (N, planes, H / stride, W / stride)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Conv2d(inplanes, planes, 1, stride, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return F(x) + x; a projection sees x activated, the identity does not."""
        out = self.relu(self.bn1(x))
        identity = x if self.downsample is None else self.downsample(out)
        out = self.conv1(out)
        out = self.conv2(self.relu(self.bn2(out)))
        return out.add_(identity)


class PreActBottleneck(nn.Module):
    """BN, ReLU and a convolution, three times: 1x1, 3x3, 1x1; and the input added."""

    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1) -> None:
        """Make the layers; the shortcut has one where the shape changes."""
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inplanes)
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)  # (N, planes, H, W)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes)  # (N, planes, H / stride, W / stride)
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inplanes != 4 * planes:
            self.downsample = nn.Conv2d(inplanes, 4 * planes, 1, stride, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return F(x) + x; a projection sees x activated, the identity does not."""
        out = self.relu(self.bn1(x))
        identity = x if self.downsample is None else self.downsample(out)
        out = self.conv1(out)
        out = self.conv2(self.relu(self.bn2(out)))
        out = self.conv3(self.relu(self.bn3(out)))
        return out.add_(identity)


class ResNetV2(nn.Module):
    """ResNet of pre-activation blocks.

    Args:
        block: `PreActBasicBlock` or `PreActBottleneck` of `dlref.models.resnet_v2`.
        layers: Blocks in each of the four stages.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Raises:
        ValueError: Forward: if the images have other channels.
    """

    def __init__(
        self,
        block: type[PreActBasicBlock] | type[PreActBottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        """Make the layers in order, and draw their weights."""
        super().__init__()
        two, three, four, five = layers
        e = block.expansion
        # the shapes are those of a 224 x 224 image; e = 1 of basic blocks, else 4
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.maxpool = nn.MaxPool2d(3, 2, 1)  # (N, 64, 56, 56)
        self.layer1 = _stage(block, 64, 64, two, 1)  # (N, 64 e, 56, 56)
        self.layer2 = _stage(block, 64 * e, 128, three, 2)  # (N, 128 e, 28, 28)
        self.layer3 = _stage(block, 128 * e, 256, four, 2)  # (N, 256 e, 14, 14)
        self.layer4 = _stage(block, 256 * e, 512, five, 2)  # (N, 512 e, 7, 7)
        self.bn = nn.BatchNorm2d(512 * e)
        self.relu = nn.ReLU(inplace=True)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * e, num_classes)  # (N, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.conv1.in_channels)
        x = self.maxpool(self.conv1(x))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.relu(self.bn(x))
        x = self.avgpool(x).flatten(1)  # (N, 512 e)
        return self.fc(x)


def resnet18_v2(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNetV2:
    """Return ResNet-18, v2: 2, 2, 2, 2 basic blocks; 11,687,720 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.
    """
    network = ResNetV2(PreActBasicBlock, (2, 2, 2, 2), num_classes, in_channels)
    return _with(network, weights)


def resnet34_v2(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNetV2:
    """Return ResNet-34, v2: 3, 4, 6, 3 basic blocks; 21,795,880 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.
    """
    network = ResNetV2(PreActBasicBlock, (3, 4, 6, 3), num_classes, in_channels)
    return _with(network, weights)


def resnet50_v2(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNetV2:
    """Return ResNet-50, v2: 3, 4, 6, 3 bottlenecks; 25,549,352 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes, and no values
        ...     network = resnet50_v2()
        >>> [name for name, _ in network.layer1[1].named_children()]
        ['bn1', 'conv1', 'bn2', 'conv2', 'bn3', 'conv3', 'relu']
    """
    network = ResNetV2(PreActBottleneck, (3, 4, 6, 3), num_classes, in_channels)
    return _with(network, weights)


def resnet101_v2(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNetV2:
    """Return ResNet-101, v2: 3, 4, 23, 3 bottlenecks; 44,541,480 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.
    """
    network = ResNetV2(PreActBottleneck, (3, 4, 23, 3), num_classes, in_channels)
    return _with(network, weights)


def resnet152_v2(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNetV2:
    """Return ResNet-152, v2: 3, 8, 36, 3 bottlenecks; 60,185,128 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.
    """
    network = ResNetV2(PreActBottleneck, (3, 8, 36, 3), num_classes, in_channels)
    return _with(network, weights)


def _with(network: ResNetV2, weights: Weights | None) -> ResNetV2:
    if weights is not None:
        load_weights(network, weights)
    return network


def _stage(
    block: type[PreActBasicBlock] | type[PreActBottleneck],
    inplanes: int,
    planes: int,
    count: int,
    stride: int,
) -> nn.Sequential:
    first = block(inplanes, planes, stride)
    rest = (block(block.expansion * planes, planes) for _ in range(1, count))
    return nn.Sequential(first, *rest)

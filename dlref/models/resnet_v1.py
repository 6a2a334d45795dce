r"""ResNet as the paper has it: a halving bottleneck strides in its first 1x1.

$$y = \mathrm{ReLU}\bigl(\mathcal F(x) + x\bigr)$$

A 1x1 with stride 2 reads one position in four; the other three do not reach the 3x3.
torchvision's networks ("v1.5", `dlref.models.resnet`) stride in the 3x3 instead. Names
and shapes of all weights are the same in both, so that either takes the other's file,
and no message tells of the mistake. Of 18 and 34 layers there is one version only: they
have no bottlenecks.

References:
    He, Zhang, Ren and Sun (2015), Deep residual learning for image recognition,
    [arXiv:1512.03385](https://arxiv.org/abs/1512.03385), table 1; the stride is seen in
    the [authors' networks](https://github.com/KaimingHe/deep-residual-networks).
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["Bottleneck", "ResNetV1", "resnet50_v1", "resnet101_v1", "resnet152_v1"]


class Bottleneck(nn.Module):
    """1x1 to narrow, with the stride; 3x3; 1x1 to widen; and the input added."""

    def __init__(self, inplanes: int, planes: int, stride: int = 1) -> None:
        """Make the layers; the shortcut has some where the shape changes."""
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)  # (N, planes, H / stride, W / stride)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)  # (N, planes, H / stride, W / stride)
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)  # (N, 4 planes, H / stride, W / stride)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inplanes != 4 * planes:
            self.downsample = nn.Sequential(
                nn.Conv2d(inplanes, 4 * planes, 1, stride, bias=False),
                nn.BatchNorm2d(4 * planes),
            )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return ReLU(F(x) + x)."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += identity
        return self.relu(out)


class ResNetV1(nn.Module):
    """The bottleneck columns of the paper's table 1.

    Args:
        layers: Blocks in each of the four stages.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Raises:
        ValueError: Forward: if the images have other channels.
    """

    def __init__(
        self, layers: Sequence[int], num_classes: int = 1000, *, in_channels: int = 3
    ) -> None:
        """Make the layers, in the order of table 1, and draw their weights."""
        super().__init__()
        two, three, four, five = layers
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)  # (N, 64, 112, 112)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)  # (N, 64, 56, 56)
        self.layer1 = _stage(64, 64, two, 1)  # conv2_x: (N, 256, 56, 56)
        self.layer2 = _stage(256, 128, three, 2)  # conv3_x: (N, 512, 28, 28)
        self.layer3 = _stage(512, 256, four, 2)  # conv4_x: (N, 1024, 14, 14)
        self.layer4 = _stage(1024, 512, five, 2)  # conv5_x: (N, 2048, 7, 7)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(2048, num_classes)  # (N, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.conv1.in_channels)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.avgpool(x).flatten(1)  # (N, 2048)
        return self.fc(x)


def resnet50_v1(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNetV1:
    """Return ResNet-50, v1: 3, 4, 6, 3 bottlenecks; 25,557,032 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes, and no values
        ...     network = resnet50_v1()
        >>> block = network.layer2[0]
        >>> block.conv1.stride, block.conv2.stride
        ((2, 2), (1, 1))
    """
    return _resnet((3, 4, 6, 3), weights, num_classes, in_channels)


def resnet101_v1(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNetV1:
    """Return ResNet-101, v1: 3, 4, 23, 3 bottlenecks; 44,549,160 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.
    """
    return _resnet((3, 4, 23, 3), weights, num_classes, in_channels)


def resnet152_v1(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNetV1:
    """Return ResNet-152, v1: 3, 8, 36, 3 bottlenecks; 60,192,808 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.
    """
    return _resnet((3, 8, 36, 3), weights, num_classes, in_channels)


def _resnet(
    layers: Sequence[int], weights: Weights | None, num_classes: int, in_channels: int
) -> ResNetV1:
    network = ResNetV1(layers, num_classes, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def _stage(inplanes: int, planes: int, count: int, stride: int) -> nn.Sequential:
    first = Bottleneck(inplanes, planes, stride)
    rest = (Bottleneck(4 * planes, planes) for _ in range(1, count))
    return nn.Sequential(first, *rest)

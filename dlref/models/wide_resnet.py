r"""Wide ResNet: fewer layers, each with more channels.

$$y = \mathrm{ReLU}\bigl(\mathcal F_k(x) + x\bigr)$$

The paper widens every layer of a block by a factor $k$, in networks of basic blocks for
small images. For ImageNet it takes ResNet-50 and widens only the 3x3 inside the
bottlenecks, by $k = 2$ ("WRN-50-2-bottleneck"), and that network is torchvision's
`wide_resnet50_2` and this one. Between the blocks the channels stay those of ResNet-50.

torchvision makes it with its `ResNet`; so can ours be, [`ResNet`][dlref.models.ResNet]
with `width_per_group=128`, which has all of torchvision's options.

References:
    Zagoruyko and Komodakis (2016), Wide residual networks,
    [arXiv:1605.07146](https://arxiv.org/abs/1605.07146), section 3 (ImageNet).
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["Bottleneck", "WideResNet", "wide_resnet50_2"]


class Bottleneck(nn.Module):
    """1x1 to `k planes`, 3x3, 1x1 to `4 planes`, and the input added."""

    def __init__(self, inplanes: int, planes: int, k: int, stride: int = 1) -> None:
        """Make the layers; the shortcut has some where the shape changes."""
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, k * planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(k * planes)  # (N, k planes, H, W)
        self.conv2 = nn.Conv2d(k * planes, k * planes, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(k * planes)  # (N, k planes, H / stride, W / stride)
        self.conv3 = nn.Conv2d(k * planes, 4 * planes, 1, bias=False)
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


class WideResNet(nn.Module):
    """ResNet with bottlenecks that are `k` times as wide inside.

    Args:
        layers: Blocks in each of the four stages.
        k: Factor of the width of each 3x3; 1 gives ResNet (v1.5).
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Raises:
        ValueError: Forward: if the images have other channels.
    """

    def __init__(
        self,
        layers: Sequence[int],
        k: int,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        """Make the layers, in the order of ResNet's table 1, and draw their weights."""
        super().__init__()
        two, three, four, five = layers
        # the shapes are those of a 224 x 224 image
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)  # (N, 64, 112, 112)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)  # (N, 64, 56, 56)
        self.layer1 = _stage(64, 64, k, two, 1)  # (N, 256, 56, 56)
        self.layer2 = _stage(256, 128, k, three, 2)  # (N, 512, 28, 28)
        self.layer3 = _stage(512, 256, k, four, 2)  # (N, 1024, 14, 14)
        self.layer4 = _stage(1024, 512, k, five, 2)  # (N, 2048, 7, 7)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(2048, num_classes)  # (N, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.conv1.in_channels)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.avgpool(x).flatten(1)  # (N, 2048)
        return self.fc(x)


def wide_resnet50_2(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> WideResNet:
    """Return WRN-50-2-bottleneck; 68,883,240 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes, and no values
        ...     network = wide_resnet50_2()
        >>> block = network.layer1[0]
        >>> block.conv2.out_channels, block.conv3.out_channels
        (128, 256)
    """
    network = WideResNet((3, 4, 6, 3), 2, num_classes, in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def _stage(
    inplanes: int, planes: int, k: int, count: int, stride: int
) -> nn.Sequential:
    first = Bottleneck(inplanes, planes, k, stride)
    rest = (Bottleneck(4 * planes, planes, k) for _ in range(1, count))
    return nn.Sequential(first, *rest)

r"""ResNeXt: a bottleneck of many narrow paths; their number is the *cardinality*.

$$y = \mathrm{ReLU}\Bigl(x + \sum_{i=1}^{C} \mathcal T_i(x)\Bigr)$$

Each $\mathcal T_i$ is a 1x1 to $d$ channels, a 3x3, and a 1x1 back. The first 1x1 of
all paths are one 1x1 with $C d$ outputs, the 3x3 are one *grouped* convolution, and the
last 1x1 with their sum are one 1x1 with $C d$ inputs: form (c) of the paper's figure 3,
which is what is written here. With $C = 1$ and $d = 64$ it is ResNet-50.

The paper's blocks and torchvision's are the same (its 3x3 has the stride), and so are
the names. torchvision makes them with its `ResNet`; so can ours be,
[`ResNet`][dlref.models.ResNet] with `groups=32, width_per_group=4`, which has all of
torchvision's options.

References:
    Xie, Girshick, Dollár, Tu and He (2016), Aggregated residual transformations for
    deep neural networks, [arXiv:1611.05431](https://arxiv.org/abs/1611.05431), equation
    3, figure 3 and table 1.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["Bottleneck", "ResNeXt", "resnext50_32x4d"]


class Bottleneck(nn.Module):
    """1x1 to `width`, 3x3 in `cardinality` groups, 1x1 to widen; the input added."""

    def __init__(
        self,
        inplanes: int,
        outplanes: int,
        width: int,
        cardinality: int,
        stride: int = 1,
    ) -> None:
        """Make the layers; the shortcut has some where the shape changes."""
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)  # (N, width, H, W)
        self.conv2 = nn.Conv2d(
            width, width, 3, stride, padding=1, groups=cardinality, bias=False
        )
        self.bn2 = nn.BatchNorm2d(width)  # (N, width, H / stride, W / stride)
        self.conv3 = nn.Conv2d(width, outplanes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outplanes)  # (N, outplanes, H / stride, W / stride)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inplanes != outplanes:
            self.downsample = nn.Sequential(
                nn.Conv2d(inplanes, outplanes, 1, stride, bias=False),
                nn.BatchNorm2d(outplanes),
            )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return the input plus the sum of the paths, rectified."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += identity
        return self.relu(out)


class ResNeXt(nn.Module):
    """Table 1 of the paper: stages whose width doubles, at one cardinality.

    Args:
        layers: Blocks in each of the four stages.
        cardinality: Paths $C$ in each block.
        width: Channels $d$ of each path in the first stage.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Raises:
        ValueError: Forward: if the images have other channels.
    """

    def __init__(
        self,
        layers: Sequence[int],
        cardinality: int,
        width: int,
        num_classes: int = 1000,
        in_channels: int = 3,
    ) -> None:
        """Make the layers, in the order of table 1, and draw their weights."""
        super().__init__()
        C, D = cardinality, cardinality * width
        two, three, four, five = layers
        # the shapes are those of a 224 x 224 image; D = 128 in ResNeXt-50 (32x4d)
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)  # (N, 64, 112, 112)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)  # (N, 64, 56, 56)
        self.layer1 = _stage(64, 256, D, C, two, 1)  # conv2: (N, 256, 56, 56)
        self.layer2 = _stage(256, 512, 2 * D, C, three, 2)  # conv3: (N, 512, 28, 28)
        self.layer3 = _stage(512, 1024, 4 * D, C, four, 2)  # conv4: (N, 1024, 14, 14)
        self.layer4 = _stage(1024, 2048, 8 * D, C, five, 2)  # conv5: (N, 2048, 7, 7)
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


def resnext50_32x4d(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNeXt:
    """Return ResNeXt-50 with 32 paths of 4 channels; 25,028,904 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes, and no values
        ...     network = resnext50_32x4d()
        >>> conv = network.layer1[0].conv2
        >>> conv.out_channels, conv.groups
        (128, 32)
    """
    network = ResNeXt((3, 4, 6, 3), 32, 4, num_classes, in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def _stage(
    inplanes: int, outplanes: int, width: int, cardinality: int, count: int, stride: int
) -> nn.Sequential:
    first = Bottleneck(inplanes, outplanes, width, cardinality, stride)
    rest = (
        Bottleneck(outplanes, outplanes, width, cardinality) for _ in range(1, count)
    )
    return nn.Sequential(first, *rest)

r"""ResNeSt: ResNet whose 3x3 is a choice, channel by channel, between $R$ splits.

$$V_c = \sum_{i=1}^{R} a_i(c)\, U_{i,c}, \qquad
a_i(c) = \frac{\exp \mathcal G_i^c(s)}{\sum_{j=1}^{R} \exp \mathcal G_j^c(s)}, \qquad
s_c = \frac{1}{HW} \sum_{h, w} \sum_{i=1}^{R} U_{i,c}(h, w)$$

$U_i$ are the outputs of a grouped 3x3, one for each split; $s$ is their sum, averaged
over the image; $\mathcal G$ is two 1x1 convolutions on $s$ with BN and ReLU between
them; and the softmax runs over the splits.

The other changes to ResNet-50 are those of the paper's section 4.1: a stem of three
3x3, and average pooling instead of strides, both after the 3x3 and on the shortcut.
Names are those of timm's `resnest50d`, the same network, so that its file loads.

References:
    Zhang et al. (2020), ResNeSt: split-attention networks,
    [arXiv:2004.08955](https://arxiv.org/abs/2004.08955), section 3;
    [code](https://github.com/zhanghang1989/ResNeSt).
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["Bottleneck", "ResNeSt", "SplitAttention", "resnest50"]


class SplitAttention(nn.Module):
    """A 3x3 convolution to `radix` splits, and their weighted sum.

    Args:
        channels: Channels that come in, and that go out.
        radix: Splits $R$; 2 in ResNeSt-50. One split is squeeze-and-excitation: its
            weight is a sigmoid, since a softmax of one number is 1.
        cardinality: Groups $K$ that choose apart from one another; 1 in ResNeSt-50.

    Examples:
        >>> import torch
        >>> layer = SplitAttention(64).eval()
        >>> layer(torch.rand(1, 64, 14, 14)).shape
        torch.Size([1, 64, 14, 14])
    """

    def __init__(self, channels: int, radix: int = 2, cardinality: int = 1) -> None:
        """Make the grouped convolution and the two layers that weigh its splits."""
        super().__init__()
        R, K = radix, cardinality
        inner = max(channels * R // 4, 32)
        self.radix, self.cardinality = R, K
        self.conv = nn.Conv2d(
            channels, R * channels, 3, padding=1, groups=K * R, bias=False
        )
        self.bn0 = nn.BatchNorm2d(R * channels)
        self.act0 = nn.ReLU(inplace=True)
        self.fc1 = nn.Conv2d(channels, inner, 1, groups=K)
        self.bn1 = nn.BatchNorm2d(inner)
        self.act1 = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(inner, R * channels, 1, groups=K)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Return V, the weighted sum of the splits."""
        R, K = self.radix, self.cardinality
        splits = self.act0(self.bn0(self.conv(x)))  # (N, R C, H, W)
        U = splits.unflatten(1, (R, -1))  # (N, R, C, H, W)
        s = U.sum(1).mean((2, 3), keepdim=True)  # (N, C, 1, 1)
        scores = self.fc2(self.act1(self.bn1(self.fc1(s))))  # (N, K R C / K, 1, 1)
        G = scores.view(x.shape[0], K, R, -1).transpose(1, 2)  # (N, R, K, C / K)
        a = G.softmax(1) if R > 1 else G.sigmoid()
        return (a.reshape(x.shape[0], R, -1, 1, 1) * U).sum(1)  # (N, C, H, W)


class Bottleneck(nn.Module):
    """1x1, split attention, 1x1, and the input added; strides are average pooling."""

    def __init__(self, inplanes: int, planes: int, stride: int = 1) -> None:
        """Make the layers; the shortcut has some where the shape changes."""
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)  # (N, planes, H, W)
        self.act1 = nn.ReLU(inplace=True)
        self.conv2 = SplitAttention(planes)  # (N, planes, H, W)
        self.avd_last = nn.AvgPool2d(3, stride, 1) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)  # (N, 4 planes, H / stride, W / stride)
        self.act3 = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if stride != 1 or inplanes != 4 * planes:
            self.downsample = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True, count_include_pad=False),
                nn.Conv2d(inplanes, 4 * planes, 1, bias=False),
                nn.BatchNorm2d(4 * planes),
            )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return ReLU(F(x) + x)."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.act1(self.bn1(self.conv1(x)))
        out = self.avd_last(self.conv2(out))
        out = self.bn3(self.conv3(out))
        out += identity
        return self.act3(out)


class ResNeSt(nn.Module):
    """ResNet-50 with split attention, a deep stem and average downsampling.

    Args:
        layers: Blocks in each of the four stages.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Raises:
        ValueError: Forward: if the images have other channels.
    """

    def __init__(
        self, layers: Sequence[int], num_classes: int = 1000, in_channels: int = 3
    ) -> None:
        """Make the layers in order, and draw their weights."""
        super().__init__()
        two, three, four, five = layers
        # the shapes are those of a 224 x 224 image
        self.conv1 = nn.Sequential(
            nn.Conv2d(in_channels, 32, 3, 2, 1, bias=False),
            nn.BatchNorm2d(32),  # (N, 32, 112, 112)
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),  # (N, 32, 112, 112)
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
        )
        self.bn1 = nn.BatchNorm2d(64)  # (N, 64, 112, 112)
        self.act1 = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)  # (N, 64, 56, 56)
        self.layer1 = _stage(64, 64, two, 1)  # (N, 256, 56, 56)
        self.layer2 = _stage(256, 128, three, 2)  # (N, 512, 28, 28)
        self.layer3 = _stage(512, 256, four, 2)  # (N, 1024, 14, 14)
        self.layer4 = _stage(1024, 512, five, 2)  # (N, 2048, 7, 7)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(2048, num_classes)  # (N, num_classes)
        self.in_channels = in_channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.in_channels)
        x = self.maxpool(self.act1(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.avgpool(x).flatten(1)  # (N, 2048)
        return self.fc(x)


def resnest50(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> ResNeSt:
    """Return ResNeSt-50 (radix 2, cardinality 1); 27,483,240 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes, and no values
        ...     network = resnest50()
        >>> conv = network.layer1[0].conv2.conv
        >>> conv.in_channels, conv.out_channels, conv.groups
        (64, 128, 2)
    """
    network = ResNeSt((3, 4, 6, 3), num_classes, in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def _stage(inplanes: int, planes: int, count: int, stride: int) -> nn.Sequential:
    first = Bottleneck(inplanes, planes, stride)
    rest = (Bottleneck(4 * planes, planes) for _ in range(1, count))
    return nn.Sequential(first, *rest)

r"""MobileNet (2017): convolutions in two steps, first in the plane, then across it.

$$\frac{\text{cost of a separable convolution}}{\text{cost of a full one}}
= \frac{k^2\,C\,H W + C\,K\,H W}{k^2\,C\,K\,H W} = \frac{1}{K} + \frac{1}{k^2}$$

A *depthwise* convolution filters each channel by itself, with a $k \times k$ kernel; a
*pointwise*, 1x1 convolution then mixes the channels. With $k = 3$ that is eight to nine
times less work. A width multiplier $\alpha$ makes every layer thinner, and a smaller
image (the resolution multiplier $\rho$) every map.

The network is table 1, batch norm and ReLU behind each convolution (figure 3, right).
It departs in one place, as the authors' code does: the table prints "s2" for the last
two depthwise convolutions, and the sizes of maps that only the first of them halves.
What the paper leaves open is how weights are drawn; here it is done as torchvision does
it for MobileNetV2.

References:
    Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto and Adam (2017),
    MobileNets: efficient convolutional neural networks for mobile vision applications,
    [arXiv:1704.04861](https://arxiv.org/abs/1704.04861), section 3 and table 1.
"""

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["MobileNetV1", "mobilenet_v1"]

_NARROWEST = 8  # channels, as in the authors' code


class MobileNetV1(nn.Module):
    r"""A convolution, thirteen separable ones, global average pooling, one layer.

    Args:
        num_classes: Length of the output.
        width_mult: $\alpha$, by which the channels of every layer are multiplied; they
            are rounded down, to no less than 8.
        in_channels: Channels of the images.

    Raises:
        ValueError: If `width_mult` is not positive. Forward: if the images have other
            channels.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: int | float = 1.0,
        *,
        in_channels: int = 3,
    ) -> None:
        """Make the layers, in the order of table 1, and draw their weights."""
        super().__init__()
        if width_mult <= 0:
            raise ValueError(f"expected width_mult > 0, got {width_mult}")

        def c(channels: int) -> int:
            return max(_NARROWEST, int(width_mult * channels))

        self.in_channels = in_channels
        # the shapes are those of a 224 x 224 image and a width of 1
        self.conv1 = nn.Sequential(
            *_conv(in_channels, c(32), 3, 2)
        )  # (N, 32, 112, 112)
        self.sep2 = _separable(c(32), c(64), 1)  # (N, 64, 112, 112)
        self.sep3 = _separable(c(64), c(128), 2)  # (N, 128, 56, 56)
        self.sep4 = _separable(c(128), c(128), 1)  # (N, 128, 56, 56)
        self.sep5 = _separable(c(128), c(256), 2)  # (N, 256, 28, 28)
        self.sep6 = _separable(c(256), c(256), 1)  # (N, 256, 28, 28)
        self.sep7 = _separable(c(256), c(512), 2)  # (N, 512, 14, 14)
        self.sep8 = _separable(c(512), c(512), 1)  # (N, 512, 14, 14)
        self.sep9 = _separable(c(512), c(512), 1)  # (N, 512, 14, 14)
        self.sep10 = _separable(c(512), c(512), 1)  # (N, 512, 14, 14)
        self.sep11 = _separable(c(512), c(512), 1)  # (N, 512, 14, 14)
        self.sep12 = _separable(c(512), c(512), 1)  # (N, 512, 14, 14)
        self.sep13 = _separable(c(512), c(1024), 2)  # (N, 1024, 7, 7)
        self.sep14 = _separable(c(1024), c(1024), 1)  # (N, 1024, 7, 7)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))  # (N, 1024, 1, 1)
        self.fc = nn.Linear(c(1024), num_classes)  # (N, num_classes)
        _initialise(self)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.in_channels)
        x = self.sep4(self.sep3(self.sep2(self.conv1(x))))
        x = self.sep8(self.sep7(self.sep6(self.sep5(x))))
        x = self.sep12(self.sep11(self.sep10(self.sep9(x))))
        x = self.avgpool(self.sep14(self.sep13(x))).flatten(1)  # (N, 1024)
        return self.fc(x)


def mobilenet_v1(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    width_mult: int | float = 1.0,
) -> MobileNetV1:
    r"""Return MobileNet; 4,231,976 parameters at its full width.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.
        width_mult: $\alpha$, by which the channels of every layer are multiplied.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> network = mobilenet_v1(num_classes=10, width_mult=0.25)
        >>> network(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """
    network = MobileNetV1(num_classes, width_mult, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def _conv(
    in_channels: int, out_channels: int, kernel_size: int, stride: int, groups: int = 1
) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Return a convolution, batch norm and ReLU."""
    padding = kernel_size // 2
    conv = nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        groups=groups,
        bias=False,
    )
    return conv, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)


def _separable(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """Return a depthwise 3x3 and a pointwise 1x1, batch norm and ReLU behind each."""
    return nn.Sequential(
        *_conv(in_channels, in_channels, 3, stride, groups=in_channels),
        *_conv(in_channels, out_channels, 1, 1),
    )


def _initialise(network: MobileNetV1) -> None:
    """Draw the weights by torchvision's rule for MobileNetV2."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
    nn.init.normal_(network.fc.weight, 0, 0.01)
    nn.init.zeros_(network.fc.bias)

r"""Xception: depthwise separable convolutions, with a shortcut around each block.

$$y = \mathcal F(x) + x \qquad\text{or}\qquad y = \mathcal F(x) + \mathrm{BN}(W_s x)$$

A separable convolution filters each channel by itself, then mixes the channels with a
1x1; nothing stands between the two. Of the 14 modules of the paper's figure 5 twelve
have a shortcut: identities around the eight of the middle flow, strided 1x1
convolutions around the four that change the shape.

Names are those of timm's `legacy_xception`, so that its file loads. One departure from
the authors' Keras network: its max pooling pads an even image on the far side only,
where this one pads both sides, as timm's does.

References:
    Chollet (2016), Xception: deep learning with depthwise separable convolutions,
    [arXiv:1610.02357](https://arxiv.org/abs/1610.02357), figure 5 and table 3.
"""

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["Block", "SeparableConv2d", "Xception", "xception"]

_SMALLEST = 7  # pixels, for the two convolutions without padding


class SeparableConv2d(nn.Module):
    """3x3 in each channel, then 1x1 across the channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Make the two convolutions."""
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False
        )
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """Return the filtered and mixed channels."""
        return self.pointwise(self.conv1(x))


class Block(nn.Module):
    """ReLU, separable convolution and BN, twice or thrice; and the input added."""

    def __init__(
        self, channels: Sequence[int], stride: int = 1, *, relu_first: bool = True
    ) -> None:
        """Make the layers between successive numbers of channels, and the shortcut."""
        super().__init__()
        first, *_, last = channels
        self.skip: nn.Module | None = None
        if stride != 1 or first != last:
            self.skip = nn.Conv2d(first, last, 1, stride, bias=False)
            self.skipbn = nn.BatchNorm2d(last)
        layers: list[nn.Module] = []
        for c, d in pairwise(channels):
            # in place only where what it rectifies is not the shortcut's input
            layers += [nn.ReLU(inplace=bool(layers)), SeparableConv2d(c, d)]
            layers += [nn.BatchNorm2d(d)]
        if stride != 1:
            layers += [nn.MaxPool2d(3, stride, 1)]
        self.rep = nn.Sequential(*(layers if relu_first else layers[1:]))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return F(x) + x, x projected where the shape changes."""
        out = self.rep(x)
        out += x if self.skip is None else self.skipbn(self.skip(x))
        return out


class Xception(nn.Module):
    """Entry, middle and exit flow: 36 convolutional layers in 14 modules.

    Args:
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Raises:
        ValueError: Forward: if the images have other channels, or a side is shorter
            than 7 pixels.
    """

    def __init__(self, num_classes: int = 1000, in_channels: int = 3) -> None:
        """Make the layers, in the order of figure 5, and draw their weights."""
        super().__init__()
        # entry flow; the shapes are those of a 299 x 299 image
        self.conv1 = nn.Conv2d(in_channels, 32, 3, 2, bias=False)
        self.bn1 = nn.BatchNorm2d(32)  # (N, 32, 149, 149)
        self.act1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(32, 64, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(64)  # (N, 64, 147, 147)
        self.act2 = nn.ReLU(inplace=True)
        self.block1 = Block((64, 128, 128), 2, relu_first=False)  # (N, 128, 74, 74)
        self.block2 = Block((128, 256, 256), 2)  # (N, 256, 37, 37)
        self.block3 = Block((256, 728, 728), 2)  # (N, 728, 19, 19)
        # middle flow
        self.block4 = Block((728, 728, 728, 728))  # (N, 728, 19, 19)
        self.block5 = Block((728, 728, 728, 728))
        self.block6 = Block((728, 728, 728, 728))
        self.block7 = Block((728, 728, 728, 728))
        self.block8 = Block((728, 728, 728, 728))
        self.block9 = Block((728, 728, 728, 728))
        self.block10 = Block((728, 728, 728, 728))
        self.block11 = Block((728, 728, 728, 728))
        # exit flow
        self.block12 = Block((728, 728, 1024), 2)  # (N, 1024, 10, 10)
        self.conv3 = SeparableConv2d(1024, 1536)
        self.bn3 = nn.BatchNorm2d(1536)  # (N, 1536, 10, 10)
        self.act3 = nn.ReLU(inplace=True)
        self.conv4 = SeparableConv2d(1536, 2048)
        self.bn4 = nn.BatchNorm2d(2048)  # (N, 2048, 10, 10)
        self.act4 = nn.ReLU(inplace=True)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(2048, num_classes)  # (N, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.conv1.in_channels, _SMALLEST)
        x = self.act1(self.bn1(self.conv1(x)))
        x = self.act2(self.bn2(self.conv2(x)))
        x = self.block3(self.block2(self.block1(x)))
        x = self.block7(self.block6(self.block5(self.block4(x))))
        x = self.block11(self.block10(self.block9(self.block8(x))))
        x = self.block12(x)
        x = self.act3(self.bn3(self.conv3(x)))
        x = self.act4(self.bn4(self.conv4(x)))
        x = self.avgpool(x).flatten(1)  # (N, 2048)
        return self.fc(x)


def xception(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3
) -> Xception:
    """Return Xception; 22,855,952 parameters, as the paper's table 3 has them.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes, and no values
        ...     network = xception()
        >>> network(torch.zeros(1, 3, 299, 299, device="meta")).shape
        torch.Size([1, 1000])
    """
    network = Xception(num_classes, in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network

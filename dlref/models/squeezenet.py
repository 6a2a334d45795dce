r"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters.

A *Fire* module narrows its input by 1x1 convolutions before the expensive 3x3 ones:

$$y = \bigl[\, f_{1 \times 1}(s),\; f_{3 \times 3}(s) \,\bigr], \qquad
s = f_{1 \times 1}(x)$$

where $f$ is a convolution and a ReLU, and the brackets stack along the channels. There
is no normalization and no fully connected layer: a last 1x1 convolution gives a map for
each class, and the mean of a map is that class's logit.

Version 1.0 is the paper's. Version 1.1, which the authors published later, has fewer
and smaller kernels in its first layer and pools earlier, for less than half of the
multiplications. Both are torchvision's, with its names and its order of construction.
Where table 1 counts 111 and 55 pixels behind the first layers, version 1.0 has 109 and
54: without padding, a 7x7 of stride 2 leaves no more of 224.

References:
    - Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer (2016), SqueezeNet:
      AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size,
      [arXiv:1602.07360](https://arxiv.org/abs/1602.07360), sections 3 and 4, table 1.
    - Version 1.1:
      [SqueezeNet_v1.1](https://github.com/forresti/SqueezeNet/tree/master/SqueezeNet_v1.1).
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["Fire", "SqueezeNet", "squeezenet1_0", "squeezenet1_1"]


class Fire(nn.Module):
    """1x1 to squeeze, then 1x1 and 3x3 side by side to expand (figure 1).

    Args:
        inplanes: Channels of the input.
        squeeze_planes: Channels of the 1x1 that narrows: $s_{1x1}$.
        expand1x1_planes: Channels of the 1x1 that widens: $e_{1x1}$.
        expand3x3_planes: Channels of the 3x3 that widens: $e_{3x3}$.
    """

    def __init__(
        self,
        inplanes: int,
        squeeze_planes: int,
        expand1x1_planes: int,
        expand3x3_planes: int,
    ) -> None:
        """Prepare the layers."""
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """Return both expansions, stacked along the channels."""
        s = self.squeeze_activation(self.squeeze(x))
        e1 = self.expand1x1_activation(self.expand1x1(s))
        e3 = self.expand3x3_activation(self.expand3x3(s))
        return torch.cat([e1, e3], 1)


class SqueezeNet(nn.Module):
    """One convolution, eight Fire modules, one convolution, the mean of each map.

    Args:
        version: "1_0", the paper's, or "1_1".
        num_classes: Length of the output.
        dropout: Share of the last Fire module's values that training drops.
        in_channels: Channels of the images.

    Raises:
        ValueError: If there is no such version. Forward: if the images have other
            channels, or in height or width fewer than 21 pixels (17 in version 1.1).
    """

    def __init__(
        self,
        version: Literal["1_0", "1_1"] = "1_0",
        num_classes: int = 1000,
        dropout: int | float = 0.5,
        *,
        in_channels: int = 3,
    ) -> None:
        """Make the layers, in the order of table 1, and draw their weights."""
        super().__init__()
        if version not in _FEATURES:
            raise ValueError(f"expected version '1_0' or '1_1', got {version!r}")
        make, self.least = _FEATURES[version]
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.features = make(in_channels)  # (N, 512, 13, 13)
        last = nn.Conv2d(512, num_classes, 1)  # (N, num_classes, 13, 13)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            last,
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d((1, 1)),  # (N, num_classes, 1, 1)
        )
        _initialise(self, last)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images; they are not negative."""
        check_images(x, self.in_channels, self.least)
        return self.classifier(self.features(x)).flatten(1)


def squeezenet1_0(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: int | float = 0.5,
) -> SqueezeNet:
    """Return SqueezeNet 1.0, the paper's; 1,248,424 parameters.

    Args:
        weights: As of [`squeezenet1_1`][dlref.models.squeezenet1_1].
        num_classes: Length of the output.
        in_channels: Channels of the images.
        dropout: Share of the last Fire module's values that training drops.

    Returns:
        The network, in training mode.
    """
    network = SqueezeNet("1_0", num_classes, dropout, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def squeezenet1_1(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: int | float = 0.5,
) -> SqueezeNet:
    """Return SqueezeNet 1.1; 1,235,496 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        num_classes: Length of the output.
        in_channels: Channels of the images.
        dropout: Share of the last Fire module's values that training drops.

    Returns:
        The network, in training mode.

    Examples:
        >>> network = squeezenet1_1(num_classes=10)
        >>> network(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """
    network = SqueezeNet("1_1", num_classes, dropout, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def _version_1_0(in_channels: int) -> nn.Sequential:
    """Return the layers of table 1; the shapes are those of a 224 x 224 image."""
    return nn.Sequential(
        nn.Conv2d(in_channels, 96, 7, 2),  # (N, 96, 109, 109)
        nn.ReLU(inplace=True),
        _pool(),  # (N, 96, 54, 54)
        Fire(96, 16, 64, 64),
        Fire(128, 16, 64, 64),
        Fire(128, 32, 128, 128),  # (N, 256, 54, 54)
        _pool(),  # (N, 256, 27, 27)
        Fire(256, 32, 128, 128),
        Fire(256, 48, 192, 192),
        Fire(384, 48, 192, 192),
        Fire(384, 64, 256, 256),  # (N, 512, 27, 27)
        _pool(),  # (N, 512, 13, 13)
        Fire(512, 64, 256, 256),  # (N, 512, 13, 13)
    )


def _version_1_1(in_channels: int) -> nn.Sequential:
    """Return the same Fire modules with a lighter stem, on smaller maps."""
    return nn.Sequential(
        nn.Conv2d(in_channels, 64, 3, 2),  # (N, 64, 111, 111)
        nn.ReLU(inplace=True),
        _pool(),  # (N, 64, 55, 55)
        Fire(64, 16, 64, 64),
        Fire(128, 16, 64, 64),  # (N, 128, 55, 55)
        _pool(),  # (N, 128, 27, 27)
        Fire(128, 32, 128, 128),
        Fire(256, 32, 128, 128),  # (N, 256, 27, 27)
        _pool(),  # (N, 256, 13, 13)
        Fire(256, 48, 192, 192),
        Fire(384, 48, 192, 192),
        Fire(384, 64, 256, 256),
        Fire(512, 64, 256, 256),  # (N, 512, 13, 13)
    )


_FEATURES = {"1_0": (_version_1_0, 21), "1_1": (_version_1_1, 17)}  # and least pixels


def _initialise(network: SqueezeNet, last: nn.Conv2d) -> None:
    """Draw the convolutions, the last one with a deviation of 0.01."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            if module is last:
                nn.init.normal_(module.weight, mean=0.0, std=0.01)
            else:
                nn.init.kaiming_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)

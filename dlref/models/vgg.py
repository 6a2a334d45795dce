"""VGG: nothing but 3 x 3 convolutions, 2 x 2 poolings, and depth.

The paper's table 1, by columns: A has 11 layers with weights, B 13, D 16 and E 19. Not
here: A-LRN, no better than A, and C, whose third convolutions of a group are 1 x 1, and
which is worse than D. The `_bn` networks normalize each convolution before its ReLU,
which is younger than the paper. The names of the weights, and the draws that initialise
them, are torchvision's.

References:
    Simonyan and Zisserman (2014), "Very Deep Convolutional Networks for Large-Scale
    Image Recognition", [arXiv:1409.1556](https://arxiv.org/abs/1409.1556).
"""

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

# fmt: off
__all__ = [
    "VGG", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19",
    "vgg19_bn",
]
# fmt: on

# Channels of the convolutions between one pooling and the next: 224, 112, 56, 28 and 14
# pixels. Every group ends with a pooling that halves them.
_TABLE_1 = {
    "A": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "B": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "D": ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3),
    "E": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}


class VGG(nn.Module):
    """A stack of convolutions, and three fully connected layers that read it.

    The paper's classifier expects 7 x 7 pixels from an image of 224 x 224. Here, as in
    torchvision's, an adaptive pooling makes 7 x 7 of any size (and leaves 7 x 7 as it
    is); the paper turned the fully connected layers into convolutions instead, and
    averaged their outputs (section 3.2).

    The paper drew weights from a Gaussian with "10^-2 variance" (section 3.1) and
    began its deeper networks with the trained layers of A; here the convolutions are
    drawn as He et al. (2015) do, with the number of outputs, and the rest with a
    deviation of 0.01.

    Args:
        features: The stack; it must give 512 channels.
        num_classes: Number of outputs, one logit each.
        init_weights: Whether the weights are drawn as above; if not, they stay as the
            layers draw them, which takes less time where others will be loaded.
        dropout: Probability that a hidden unit is set to zero in training.

    Raises:
        ValueError: If the stack holds no convolution.

    References:
        Simonyan and Zisserman (2014), sections 2.1 and 3.1; He et al. (2015),
        [arXiv:1502.01852](https://arxiv.org/abs/1502.01852), equation 14.
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        """Put the classifier behind the stack, and draw the weights."""
        super().__init__()
        self.in_channels, self.smallest = _limits(features)
        self.features = features  # (N, 512, 7, 7) from 224 x 224 pixels
        self.avgpool = nn.AdaptiveAvgPool2d(7)  # (N, 512, 7, 7) from any size
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),  # (N, 4096)
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),  # (N, 4096)
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),  # (N, num_classes)
        )
        if init_weights:
            self.apply(_initialise)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.in_channels, self.smallest)
        x = self.avgpool(self.features(x))
        return self.classifier(x.flatten(1))  # (N, 512, 7, 7) -> (N, 25088)


def _limits(features: nn.Module) -> tuple[int, int]:
    """Return the channels that a stack takes, and the pixels that it can halve."""
    modules = list(features.modules())
    channels = [m.in_channels for m in modules if isinstance(m, nn.Conv2d)]
    if not channels:
        raise ValueError(f"expected features with a convolution, got {features}")
    return channels[0], 2 ** sum(isinstance(m, nn.MaxPool2d) for m in modules)


def _initialise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0, 0.01)
    if isinstance(layer, nn.Conv2d | nn.Linear) and layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _features(column: str, in_channels: int, *, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for group in _TABLE_1[column]:
        for channels in group:
            layers.append(nn.Conv2d(in_channels, channels, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU(inplace=True))
            in_channels = channels
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def _vgg(
    column: str,
    weights: Weights | None,
    num_classes: int,
    in_channels: int,
    init_weights: bool,
    dropout: float,
    *,
    batch_norm: bool = False,
) -> VGG:
    features = _features(column, in_channels, batch_norm=batch_norm)
    network = VGG(features, num_classes, init_weights and weights is None, dropout)
    if weights is not None:
        load_weights(network, weights)
    return network


def vgg11(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3,
    init_weights: bool = True, dropout: float = 0.5,
) -> VGG:  # fmt: skip
    """Return VGG11 (column A): 8 convolutions, 132,863,336 parameters.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs.
        in_channels: Channels of the images.
        init_weights: Whether weights are drawn as `VGG` says.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode.
    """
    return _vgg("A", weights, num_classes, in_channels, init_weights, dropout)


def vgg11_bn(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3,
    init_weights: bool = True, dropout: float = 0.5,
) -> VGG:  # fmt: skip
    """Return VGG11 with batch normalization, 132,868,840 parameters.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs.
        in_channels: Channels of the images.
        init_weights: Whether weights are drawn as `VGG` says.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode.
    """
    return _vgg(
        "A", weights, num_classes, in_channels, init_weights, dropout, batch_norm=True
    )


def vgg13(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3,
    init_weights: bool = True, dropout: float = 0.5,
) -> VGG:  # fmt: skip
    """Return VGG13 (column B): 10 convolutions, 133,047,848 parameters.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs.
        in_channels: Channels of the images.
        init_weights: Whether weights are drawn as `VGG` says.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode.
    """
    return _vgg("B", weights, num_classes, in_channels, init_weights, dropout)


def vgg13_bn(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3,
    init_weights: bool = True, dropout: float = 0.5,
) -> VGG:  # fmt: skip
    """Return VGG13 with batch normalization, 133,053,736 parameters.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs.
        in_channels: Channels of the images.
        init_weights: Whether weights are drawn as `VGG` says.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode.
    """
    return _vgg(
        "B", weights, num_classes, in_channels, init_weights, dropout, batch_norm=True
    )


def vgg16(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3,
    init_weights: bool = True, dropout: float = 0.5,
) -> VGG:  # fmt: skip
    """Return VGG16 (column D): 13 convolutions, 138,357,544 parameters.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs.
        in_channels: Channels of the images.
        init_weights: Whether weights are drawn as `VGG` says.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes and counts, no memory
        ...     net = vgg16()
        >>> sum(weight.numel() for weight in net.parameters())
        138357544
    """
    return _vgg("D", weights, num_classes, in_channels, init_weights, dropout)


def vgg16_bn(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3,
    init_weights: bool = True, dropout: float = 0.5,
) -> VGG:  # fmt: skip
    """Return VGG16 with batch normalization, 138,365,992 parameters.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs.
        in_channels: Channels of the images.
        init_weights: Whether weights are drawn as `VGG` says.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode.
    """
    return _vgg(
        "D", weights, num_classes, in_channels, init_weights, dropout, batch_norm=True
    )


def vgg19(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3,
    init_weights: bool = True, dropout: float = 0.5,
) -> VGG:  # fmt: skip
    """Return VGG19 (column E): 16 convolutions, 143,667,240 parameters.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs.
        in_channels: Channels of the images.
        init_weights: Whether weights are drawn as `VGG` says.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode.
    """
    return _vgg("E", weights, num_classes, in_channels, init_weights, dropout)


def vgg19_bn(
    *, weights: Weights | None = None, num_classes: int = 1000, in_channels: int = 3,
    init_weights: bool = True, dropout: float = 0.5,
) -> VGG:  # fmt: skip
    """Return VGG19 with batch normalization, 143,678,248 parameters.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs.
        in_channels: Channels of the images.
        init_weights: Whether weights are drawn as `VGG` says.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode.
    """
    return _vgg(
        "E", weights, num_classes, in_channels, init_weights, dropout, batch_norm=True
    )

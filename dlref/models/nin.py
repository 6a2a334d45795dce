r"""Network in Network (2013): a small multilayer perceptron slides over the image.

An *mlpconv* layer is a convolution followed by two 1x1 convolutions, that is, by a
perceptron that sees the channels of one position. The last one gives a map for each
class, and the mean of a map is that class's logit: there is no fully connected layer.

The paper describes the network for CIFAR-10 without its widths, and reports no network
for ImageNet; both are taken from the definitions that its first author published.

References:
    Lin, Chen and Yan (2013), Network in network,
    [arXiv:1312.4400](https://arxiv.org/abs/1312.4400), sections 3.1 to 3.3 and 4.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["NiN", "NiNCIFAR10", "nin", "nin_block", "nin_cifar10"]


def nin_block(
    in_channels: int,
    out_channels: int | Sequence[int],
    kernel_size: int,
    stride: int = 1,
    padding: int = 0,
) -> nn.Sequential:
    r"""Return an mlpconv layer: a convolution and two of 1x1, a ReLU behind each.

    $$
    f^1 = \max(w^1 * x + b^1, 0), \quad f^2 = \max(w^2 f^1 + b^2, 0), \quad
    f^3 = \max(w^3 f^2 + b^3, 0)
    $$

    where $*$ slides over the image and $w^2$, $w^3$ are matrices, the same at every
    position.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of each of the three convolutions, or one number for all.
        kernel_size: Taps of the first convolution.
        stride: Stride of the first convolution.
        padding: Padding of the first convolution, on each side.

    Returns:
        Six layers: (N, in_channels, H, W) becomes (N, the last of `out_channels`, H',
        W').

    Raises:
        ValueError: If `out_channels` is neither one number nor three.

    Examples:
        >>> block = nin_block(3, 96, 11, stride=4)
        >>> sum(weight.numel() for weight in block.parameters())
        53568

    References:
        Lin, Chen and Yan (2013), [arXiv:1312.4400](https://arxiv.org/abs/1312.4400),
        equation 2.
    """
    widths = [out_channels] * 3 if isinstance(out_channels, int) else [*out_channels]
    if len(widths) != 3:
        raise ValueError(f"expected one width or three, got {out_channels}")
    C1, C2, C3 = widths
    return nn.Sequential(
        nn.Conv2d(in_channels, C1, kernel_size, stride, padding),
        nn.ReLU(inplace=True),
        nn.Conv2d(C1, C2, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(C2, C3, 1),
        nn.ReLU(inplace=True),
    )


class NiN(nn.Module):
    """The network for ImageNet: AlexNet's kernels, each followed by two of 1x1.

    7,595,176 parameters at 1000 classes. Shapes are those of 224x224 pixels; smaller
    and larger images do as well, since the mean is taken over whatever is left.

    Args:
        num_classes: Classes, the maps of the last layer.
        dropout: Share of activations that training drops before the last layer.
        in_channels: Channels of an image.

    References:
        Definition `nin_imagenet` of M. Lin for Caffe,
        [gist d802a5849de39225bcc6](https://gist.github.com/mavenlin/d802a5849de39225bcc6).
    """

    def __init__(
        self, num_classes: int = 1000, dropout: float = 0.5, *, in_channels: int = 3
    ) -> None:
        """Build the layers in the order of the definition."""
        super().__init__()
        self.in_channels = in_channels
        self.mlpconv1 = nin_block(in_channels, 96, 11, stride=4)  # (N, 96, 54, 54)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 96, 27, 27)
        self.mlpconv2 = nin_block(96, 256, 5, padding=2)  # (N, 256, 27, 27)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 256, 13, 13)
        self.mlpconv3 = nin_block(256, 384, 3, padding=1)  # (N, 384, 13, 13)
        self.pool3 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 384, 6, 6)
        self.dropout = nn.Dropout(dropout)
        widths = (1024, 1024, num_classes)
        self.mlpconv4 = nin_block(384, widths, 3, padding=1)  # (N, num_classes, 6, 6)
        self.avgpool = nn.AdaptiveAvgPool2d(1)  # (N, num_classes, 1, 1)
        _init_gaussian(self, narrow=("mlpconv1.0", "mlpconv3.0", "mlpconv4.4"))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of images of at least 39x39 pixels."""
        check_images(x, self.in_channels, 39)
        x = self.pool1(self.mlpconv1(x))
        x = self.pool2(self.mlpconv2(x))
        x = self.pool3(self.mlpconv3(x))
        x = self.mlpconv4(self.dropout(x))
        return self.avgpool(x).flatten(1)  # (N, num_classes)


class NiNCIFAR10(nn.Module):
    """The network of the paper's experiments: three mlpconv layers for small images.

    966,986 parameters at 10 classes. Shapes are those of 32x32 pixels.

    Args:
        num_classes: Classes, the maps of the last layer.
        dropout: Share of activations that training drops after each of two poolings.
        in_channels: Channels of an image.

    References:
        Lin, Chen and Yan (2013), [arXiv:1312.4400](https://arxiv.org/abs/1312.4400),
        section 4.2; widths from the authors' definition for cuda-convnet,
        [NIN/cifar-10_def](https://github.com/mavenlin/cuda-convnet/blob/master/NIN/cifar-10_def).
    """

    def __init__(
        self, num_classes: int = 10, dropout: float = 0.5, *, in_channels: int = 3
    ) -> None:
        """Build the layers in the order of the definition."""
        super().__init__()
        self.in_channels = in_channels
        widths = (192, 160, 96)
        self.mlpconv1 = nin_block(in_channels, widths, 5, padding=2)  # (N, 96, 32, 32)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 96, 16, 16)
        self.dropout1 = nn.Dropout(dropout)
        self.mlpconv2 = nin_block(96, 192, 5, padding=2)  # (N, 192, 16, 16)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 192, 8, 8)
        self.dropout2 = nn.Dropout(dropout)
        widths = (192, 192, num_classes)
        self.mlpconv3 = nin_block(192, widths, 3, padding=1)  # (N, num_classes, 8, 8)
        self.avgpool = nn.AdaptiveAvgPool2d(1)  # (N, num_classes, 1, 1)
        _init_gaussian(self)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of images of at least 4x4 pixels."""
        check_images(x, self.in_channels, 4)
        x = self.dropout1(self.pool1(self.mlpconv1(x)))
        x = self.dropout2(self.pool2(self.mlpconv2(x)))
        return self.avgpool(self.mlpconv3(x)).flatten(1)  # (N, num_classes)


def nin(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
) -> NiN:
    """Return Network in Network for ImageNet, 224x224 pixels.

    Departures: the paper has no network for ImageNet; this is its first author's, for
    Caffe, whose poolings round up. *Dive into Deep Learning* rounds down, which leaves
    5x5 maps for 6x6, and makes the last layer `num_classes` wide throughout.

    Args:
        weights: A file or a state dict to load; random weights if None.
        num_classes: Classes.
        in_channels: Channels of an image.
        dropout: Share of activations that training drops before the last layer.

    Returns:
        The network, in training mode.

    Raises:
        TypeError: If `weights` holds no state dict.
        ValueError: If names or shapes of the weights differ from the network's.

    Examples:
        >>> import torch
        >>> network = nin(num_classes=10).eval()
        >>> network(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
    """
    network = NiN(num_classes, dropout, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def nin_cifar10(
    *,
    weights: Weights | None = None,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.5,
) -> NiNCIFAR10:
    """Return the paper's Network in Network, for images of 32x32 pixels.

    Args:
        weights: A file or a state dict to load; random weights if None.
        num_classes: Classes.
        in_channels: Channels of an image.
        dropout: Share of activations that training drops after each of two poolings.

    Returns:
        The network, in training mode.

    Raises:
        TypeError: If `weights` holds no state dict.
        ValueError: If names or shapes of the weights differ from the network's.

    Examples:
        >>> import torch
        >>> network = nin_cifar10().eval()
        >>> network(torch.rand(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """
    network = NiNCIFAR10(num_classes, dropout, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def _init_gaussian(network: nn.Module, narrow: tuple[str, ...] = ()) -> None:
    """Draw weights as the authors' definitions do; the `narrow` ones closer to 0."""
    for name, value in network.named_parameters():
        layer, kind = name.rsplit(".", 1)
        if kind == "bias":
            nn.init.zeros_(value)
        else:
            nn.init.normal_(value, std=0.01 if layer in narrow else 0.05)

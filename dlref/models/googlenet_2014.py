r"""GoogLeNet (2014), the paper's network: kernels of several sizes side by side.

An *Inception* block sends its input through four branches and stacks what they give
along the channels:

$$
y = \bigl[\, f_{1 \times 1}(x),\; f_{3 \times 3}(f_{1 \times 1}(x)),\;
f_{5 \times 5}(f_{1 \times 1}(x)),\; f_{1 \times 1}(\mathrm{maxpool}(x)) \,\bigr]
$$

where $f$ is a convolution with a bias and a ReLU. The 1x1 convolutions in front of the
larger kernels reduce the channels, and with them the cost.

What the paper leaves open is as in Caffe's `bvlc_googlenet`: poolings round up, local
response normalization has 5 channels, $\alpha = 10^{-4}$, $\beta = 0.75$, and weights
are drawn uniformly with variance 1 / fan-in, biases 0.2 (0 where logits come out).

References:
    - Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich
      (2014), Going deeper with convolutions,
      [arXiv:1409.4842](https://arxiv.org/abs/1409.4842), section 5, table 1, figure 3.
    - [Caffe's definition](https://github.com/BVLC/caffe/tree/master/models/bvlc_googlenet).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = [
    "Block",
    "GoogLeNet2014",
    "GoogLeNet2014Outputs",
    "Head",
    "googlenet_2014",
]


class GoogLeNet2014Outputs(NamedTuple):
    """What training gives: the logits, and those of the heads, the later one first.

    Attributes:
        logits: Of the network, (N, num_classes).
        aux_logits2: Of the head behind inception (4d), (N, num_classes).
        aux_logits1: Of the head behind inception (4a), (N, num_classes).
    """

    logits: Float[Tensor, "n classes"]
    aux_logits2: Float[Tensor, "n classes"]
    aux_logits1: Float[Tensor, "n classes"]


class GoogLeNet2014(nn.Module):
    """Three convolutions, nine Inception blocks, the mean of each map, one layer.

    13,378,280 parameters, 6,379,728 of them in the two auxiliary heads. Shapes are
    those of 224x224 pixels. Others do as well; the heads take 223 to 270.

    Args:
        num_classes: Classes.
        aux_logits: Whether there are auxiliary heads; only training uses them.
        dropout: Share of features that training drops before the last layer.
        dropout_aux: The same in the heads.
        in_channels: Channels of an image.

    Raises:
        ValueError: In training, if images are of a size that the heads do not take.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        dropout: float = 0.4,
        dropout_aux: float = 0.7,
        *,
        in_channels: int = 3,
    ) -> None:
        """Build the layers in the order of table 1."""
        super().__init__()
        self.in_channels = in_channels
        self.conv1 = _conv(in_channels, 64, 7, stride=2)  # (N, 64, 112, 112)
        self.maxpool1 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 64, 56, 56)
        self.norm1 = nn.LocalResponseNorm(5)
        self.conv2 = _conv(64, 64, 1)  # (N, 64, 56, 56)
        self.conv3 = _conv(64, 192, 3)  # (N, 192, 56, 56)
        self.norm2 = nn.LocalResponseNorm(5)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 192, 28, 28)
        self.inception3a = Block(192, 64, 96, 128, 16, 32, 32)  # (N, 256, 28, 28)
        self.inception3b = Block(256, 128, 128, 192, 32, 96, 64)  # (N, 480, 28, 28)
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 480, 14, 14)
        self.inception4a = Block(480, 192, 96, 208, 16, 48, 64)  # (N, 512, 14, 14)
        self.inception4b = Block(512, 160, 112, 224, 24, 64, 64)  # (N, 512, 14, 14)
        self.inception4c = Block(512, 128, 128, 256, 24, 64, 64)  # (N, 512, 14, 14)
        self.inception4d = Block(512, 112, 144, 288, 32, 64, 64)  # (N, 528, 14, 14)
        self.inception4e = Block(528, 256, 160, 320, 32, 128, 128)  # (N, 832, 14, 14)
        self.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True)  # (N, 832, 7, 7)
        self.inception5a = Block(832, 256, 160, 320, 32, 128, 128)  # (N, 832, 7, 7)
        self.inception5b = Block(832, 384, 192, 384, 48, 128, 128)  # (N, 1024, 7, 7)
        self.aux1 = Head(512, num_classes, dropout_aux) if aux_logits else None
        self.aux2 = Head(528, num_classes, dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d(1)  # (N, 1024, 1, 1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)  # (N, num_classes)
        _init_xavier(self)

    def forward(
        self, x: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, "n classes"] | GoogLeNet2014Outputs:
        """Return the logits; in training together with those of the heads."""
        check_images(x, self.in_channels, 31)
        x = self.norm1(self.maxpool1(self.conv1(x)))
        x = self.maxpool2(self.norm2(self.conv3(self.conv2(x))))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        aux1 = self.aux1(x) if self.aux1 is not None and self.training else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x) if self.aux2 is not None and self.training else None
        x = self.maxpool4(self.inception4e(x))
        x = self.avgpool(self.inception5b(self.inception5a(x)))
        logits = self.fc(self.dropout(x.flatten(1)))
        if aux1 is None or aux2 is None:
            return logits
        return GoogLeNet2014Outputs(logits, aux2, aux1)


class Block(nn.Module):
    """An Inception block; its arguments are the columns of table 1."""

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
    ) -> None:
        """Build the branches in the order of the columns."""
        super().__init__()
        self.branch1 = _conv(in_channels, ch1x1, 1)
        self.branch2 = nn.Sequential(
            _conv(in_channels, ch3x3red, 1), _conv(ch3x3red, ch3x3, 3)
        )
        self.branch3 = nn.Sequential(
            _conv(in_channels, ch5x5red, 1), _conv(ch5x5red, ch5x5, 5)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), _conv(in_channels, pool_proj, 1)
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n out h w"]:
        """Return the branches' maps, stacked along the channels."""
        branches = self.branch1, self.branch2, self.branch3, self.branch4
        return torch.cat([branch(x) for branch in branches], 1)


class Head(nn.Module):
    """An auxiliary head; its layers are those that section 5 lists."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float) -> None:
        """Build the layers in their order."""
        super().__init__()
        self.avgpool = nn.AvgPool2d(5, 3)  # (N, in_channels, 4, 4)
        self.conv = _conv(in_channels, 128, 1)  # (N, 128, 4, 4)
        self.fc1 = nn.Linear(2048, 1024)  # (N, 1024)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(1024, num_classes)  # (N, num_classes)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return logits; of maps of 14 to 16 pixels, which become 4x4."""
        size = tuple(x.shape[2:])
        if not all(14 <= length <= 16 for length in size):
            raise ValueError(
                f"the auxiliary heads expect images of 223 to 270 pixels, whose maps "
                f"have 14 to 16, got maps of {size}; others need aux_logits=False"
            )
        x = self.conv(self.avgpool(x))
        x = self.relu(self.fc1(x.flatten(1)))
        return self.fc2(self.dropout(x))


def googlenet_2014(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    aux_logits: bool | None = None,
    dropout: float = 0.4,
    dropout_aux: float = 0.7,
) -> GoogLeNet2014:
    """Return the paper's GoogLeNet, for 224x224 pixels.

    Args:
        weights: A file or a state dict to load; random weights if None.
        num_classes: Classes.
        in_channels: Channels of an image.
        aux_logits: Whether there are auxiliary heads; if None, where `weights` is None.
            Without them, those of a file are left out.
        dropout: Share of features that training drops before the last layer.
        dropout_aux: The same in the heads.

    Returns:
        The network, in training mode.

    Raises:
        TypeError: If `weights` holds no state dict.
        ValueError: If names or shapes of the weights differ from the network's.

    Examples:
        >>> network = googlenet_2014(num_classes=10, aux_logits=False)
        >>> network(torch.rand(1, 3, 64, 64)).shape
        torch.Size([1, 10])
    """
    has_heads = weights is None if aux_logits is None else aux_logits
    network = GoogLeNet2014(
        num_classes, has_heads, dropout, dropout_aux, in_channels=in_channels
    )
    if weights is not None:
        load_weights(network, weights, ignore=() if has_heads else ("aux1.", "aux2."))
    return network


def _conv(C: int, K: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the size at stride 1, and a ReLU."""
    conv = nn.Conv2d(C, K, kernel_size, stride, padding=kernel_size // 2)
    return nn.Sequential(conv, nn.ReLU(inplace=True))


def _init_xavier(network: nn.Module) -> None:
    """Draw weights as Caffe's "xavier" does: uniformly, with variance 1 / fan-in."""
    for name, value in network.named_parameters():
        if name.endswith("weight"):
            nn.init.kaiming_uniform_(value, nonlinearity="linear")
        else:
            gives_logits = name in ("fc.bias", "aux1.fc2.bias", "aux2.fc2.bias")
            nn.init.constant_(value, 0.0 if gives_logits else 0.2)

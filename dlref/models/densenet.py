r"""DenseNet: each layer reads what all layers before it in its block have made.

$$x_l = H_l\bigl([x_0, x_1, \dots, x_{l-1}]\bigr)$$

The brackets stack along the channels, where a residual network would add. A layer
$H_l$ makes only $k$ channels, the *growth rate*, by BN, ReLU, 1x1 convolution, BN,
ReLU, 3x3 convolution (DenseNet-B); between blocks, a transition halves the channels and
the image (DenseNet-C).

The network is torchvision's, with its names and its order of construction: the same
seed draws the same weights, and its files load, whose names are of an older kind.
Behind the last block it has a BN and a ReLU that table 1 does not list.

References:
    Huang, Liu, van der Maaten and Weinberger (2016), Densely connected convolutional
    networks, [arXiv:1608.06993](https://arxiv.org/abs/1608.06993), section 3 and
    table 1.
"""

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils import checkpoint

from dlref._network import Weights, check_images, load_weights

__all__ = ["DenseBlock", "DenseLayer", "DenseNet", "Transition", "densenet121"]

_OLD_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


class DenseLayer(nn.Module):
    """BN, ReLU, 1x1 to narrow, BN, ReLU, 3x3 to the channels that are added."""

    def __init__(
        self,
        in_channels: int,
        growth_rate: int,
        bn_size: int,
        drop_rate: int | float,
        memory_efficient: bool = False,
    ) -> None:
        """Prepare the layers."""
        super().__init__()
        width = bn_size * growth_rate
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)  # (N, width, H, W)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, growth_rate, 3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)
        self.memory_efficient = memory_efficient

    def forward(self, features: list[Float[Tensor, "n _ h w"]]) -> Tensor:
        """Return the new channels, (N, growth_rate, H, W)."""
        if self.memory_efficient and any(x.requires_grad for x in features):
            x = cast("Any", checkpoint).checkpoint(
                self._narrow, *features, use_reentrant=False
            )
        else:
            x = self._narrow(*features)
        x = self.conv2(self.relu2(self.norm2(x)))
        return F.dropout(x, self.drop_rate, self.training) if self.drop_rate else x

    def _narrow(self, *features: Tensor) -> Tensor:
        """Stack all that is there, and narrow it: what is cheap to do again."""
        x = torch.cat(features, 1)
        return self.conv1(self.relu1(self.norm1(x)))


class DenseBlock(nn.ModuleDict):
    """Layers that each read the block's input and all that was added to it."""

    def __init__(
        self,
        count: int,
        in_channels: int,
        growth_rate: int,
        bn_size: int,
        drop_rate: int | float,
        memory_efficient: bool = False,
    ) -> None:
        """Prepare the layers, each with `growth_rate` more channels to read."""
        super().__init__()
        for i in range(count):
            self[f"denselayer{i + 1}"] = DenseLayer(
                in_channels + i * growth_rate,
                growth_rate,
                bn_size,
                drop_rate,
                memory_efficient,
            )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        """Return the input with all that was added."""
        features = [x]
        for layer in self.values():
            features.append(layer(features))
        return torch.cat(features, 1)


class Transition(nn.Sequential):
    """BN, ReLU, 1x1 convolution to fewer channels, 2x2 average pooling."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        """Prepare the layers."""
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.pool = nn.AvgPool2d(2, 2)  # (N, out_channels, H / 2, W / 2)


class DenseNet(nn.Module):
    """A stem, dense blocks with transitions between them, and one linear layer.

    Args:
        growth_rate: Channels $k$ that each layer adds.
        block_config: Layers in each block.
        num_init_features: Channels of the stem.
        bn_size: Channels of the 1x1 convolutions, in units of `growth_rate`.
        drop_rate: Share of each layer's channels that training drops.
        num_classes: Length of the output.
        memory_efficient: Whether training keeps less in memory and computes the stacked
            and narrowed channels again on the way back. (Their batch norms then see
            each batch twice.)
        in_channels: Channels of the images.

    Raises:
        ValueError: If there is no block. Forward: if the images have other channels, or
            fewer than $2^{b + 1} - 3$ pixels in height or width with $b$ blocks (29
            with four).
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: int | float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
        *,
        in_channels: int = 3,
    ) -> None:
        """Make the layers, in the order of table 1, and draw their weights."""
        super().__init__()
        if not block_config:
            raise ValueError("expected the number of layers of each block, got none")
        k, c, last = growth_rate, num_init_features, len(block_config)
        self.in_channels = in_channels
        self.least = 2 ** (last + 1) - 3  # pixels, so that a map is left to pool
        # the shapes are those of DenseNet-121 on a 224 x 224 image
        layers: dict[str, nn.Module] = {
            "conv0": nn.Conv2d(in_channels, c, 7, 2, 3, bias=False),
            "norm0": nn.BatchNorm2d(c),  # (N, 64, 112, 112)
            "relu0": nn.ReLU(inplace=True),
            "pool0": nn.MaxPool2d(3, 2, 1),  # (N, 64, 56, 56)
        }
        for i, count in enumerate(block_config, 1):
            block = DenseBlock(count, c, k, bn_size, drop_rate, memory_efficient)
            layers[f"denseblock{i}"] = block
            c += (
                count * k
            )  # 256 at 56 x 56, 512 at 28 x 28, 1024 at 14 x 14, 1024 at 7 x 7
            if i < last:
                layers[f"transition{i}"] = Transition(c, c // 2)
                c //= 2
        layers["norm5"] = nn.BatchNorm2d(c)  # (N, 1024, 7, 7)
        self.features = nn.Sequential(OrderedDict(layers))
        self.classifier = nn.Linear(c, num_classes)  # (N, num_classes)
        _initialise(self)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.in_channels, self.least)
        x = F.relu(self.features(x), inplace=True)
        x = F.adaptive_avg_pool2d(x, (1, 1)).flatten(1)  # (N, 1024)
        return self.classifier(x)


def densenet121(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    bn_size: int = 4,
    drop_rate: int | float = 0,
    memory_efficient: bool = False,
) -> DenseNet:
    """Return DenseNet-121: blocks of 6, 12, 24, 16 layers; 7,978,856 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
            The names of torchvision's file, which is older than those of today
            (`norm.1` for `norm1`, and no counts of batches), are understood.
        num_classes: Length of the output.
        in_channels: Channels of the images.
        bn_size: As of [`DenseNet`][dlref.models.DenseNet].
        drop_rate: As of [`DenseNet`][dlref.models.DenseNet].
        memory_efficient: As of [`DenseNet`][dlref.models.DenseNet].

    Returns:
        The network, in training mode.

    Examples:
        >>> network = densenet121(num_classes=10)
        >>> network(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """
    network = DenseNet(
        32,
        (6, 12, 24, 16),
        64,
        bn_size,
        drop_rate,
        num_classes,
        memory_efficient,
        in_channels=in_channels,
    )
    if weights is not None:
        load_weights(network, _rename(weights))
    return network


def _rename(weights: Weights) -> Weights:
    """Return weights under the names of today: until 2018 they could have dots."""
    given: Any = weights
    if isinstance(weights, str | PathLike):
        given = torch.load(fspath(weights), map_location="cpu", weights_only=True)
    if not isinstance(given, Mapping):
        return given
    state = cast("Mapping[str, Any]", given)
    named = {_OLD_NAME.sub(r"\1\2", str(name)): state[name] for name in state}
    if named.keys() == state.keys():
        return state
    means = [name for name in named if name.endswith("running_mean")]
    counts = (name.replace("running_mean", "num_batches_tracked") for name in means)
    return {**dict.fromkeys(counts, torch.tensor(0)), **named}


def _initialise(network: DenseNet) -> None:
    """Draw the convolutions; start the linear layer's biases at zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    nn.init.zeros_(network.classifier.bias)

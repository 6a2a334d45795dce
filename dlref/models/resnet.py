r"""ResNet: a block computes what is to be *added* to its input.

$$y = \mathrm{ReLU}\bigl(\mathcal F(x) + x\bigr)$$

The networks are torchvision's, with its names and its order of construction: its files
load, and the same seed draws the same weights. From the paper they depart in one place.
Where a bottleneck halves the image, its 3x3 has the stride ("v1.5"); in the paper its
first 1x1 has it (`dlref.models.resnet_v1`). Shortcuts that change the shape are
projections at every depth, the paper's option B.

References:
    - He, Zhang, Ren and Sun (2015), Deep residual learning for image recognition,
      [arXiv:1512.03385](https://arxiv.org/abs/1512.03385), section 3 and table 1.
    - Goyal et al. (2017), Accurate, large minibatch SGD: training ImageNet in 1 hour,
      [arXiv:1706.02677](https://arxiv.org/abs/1706.02677), section 5.1
      (`zero_init_residual`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypedDict, Unpack

from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

# fmt: off
__all__ = [
    "BasicBlock", "Bottleneck", "Norm", "Options", "ResNet",
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
]
# fmt: on

Norm = Callable[..., nn.Module]
"""What makes a normalization from a number of channels."""


class Options(TypedDict, total=False):
    """What each constructor passes on to [`ResNet`][dlref.models.ResNet]."""

    num_classes: int
    in_channels: int
    zero_init_residual: bool
    groups: int
    width_per_group: int
    replace_stride_with_dilation: Sequence[bool] | None
    norm_layer: Norm | None


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around which the input is added (figure 5, left)."""

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        """Prepare the layers; groups, width and dilation are for bottlenecks only."""
        super().__init__()
        if (groups, base_width, dilation) != (1, 64, 1):
            raise ValueError(
                "expected groups=1, base_width=64 and dilation=1 in a basic block, "
                f"got {groups=}, {base_width=}, {dilation=}"
            )
        norm = norm_layer or nn.BatchNorm2d
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = norm(planes)  # (N, planes, H / stride, W / stride)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False)
        self.bn2 = norm(planes)  # (N, planes, H / stride, W / stride)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return ReLU(F(x) + x)."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


class Bottleneck(nn.Module):
    """1x1 to narrow, 3x3, 1x1 to widen, and the input added (figure 5, right)."""

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        """Prepare the layers; groups and width are ResNeXt's and Wide ResNet's."""
        super().__init__()
        norm = norm_layer or nn.BatchNorm2d
        width = int(planes * (base_width / 64)) * groups
        self.conv1 = nn.Conv2d(inplanes, width, 1, bias=False)
        self.bn1 = norm(width)  # (N, width, H, W)
        self.conv2 = nn.Conv2d(
            width, width, 3, stride, dilation, dilation, groups, bias=False
        )
        self.bn2 = norm(width)  # (N, width, H / stride, W / stride)
        self.conv3 = nn.Conv2d(width, 4 * planes, 1, bias=False)
        self.bn3 = norm(4 * planes)  # (N, 4 planes, H / stride, W / stride)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        """Return ReLU(F(x) + x)."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """A stem, four stages of blocks, global average pooling, one linear layer.

    Args:
        block: `BasicBlock` or `Bottleneck` of `dlref.models.resnet`.
        layers: Blocks in each of the four stages.
        num_classes: Length of the output.
        zero_init_residual: Start with the last normalization of each block at zero, so
            that every block begins as the identity (Goyal et al., 2017).
        groups: Groups of channels in each 3x3 of a bottleneck: ResNeXt's cardinality.
        width_per_group: Channels of each group where a block has 64 `planes`.
        replace_stride_with_dilation: For each of the last three stages, whether its
            stride becomes a dilation of all that follows, so that the maps stay large.
        norm_layer: What makes a normalization from a number of channels; None for
            `torch.nn.BatchNorm2d`.
        in_channels: Channels of the images.

    Raises:
        ValueError: If there are not four stages and three flags, or the blocks do not
            take the options. Forward: if the images have other channels.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: Norm | None = None,
        *,
        in_channels: int = 3,
    ) -> None:
        """Make the layers, in the order of table 1, and draw their weights."""
        super().__init__()
        flags = tuple(replace_stride_with_dilation or (False, False, False))
        if len(layers) != 4 or len(flags) != 3:
            raise ValueError(
                "expected the blocks of 4 stages, and 3 flags or None as "
                f"replace_stride_with_dilation, got {layers} and {flags}"
            )
        norm, e = norm_layer or nn.BatchNorm2d, block.expansion
        how = {"groups": groups, "base_width": width_per_group, "norm_layer": norm}
        stage = partial(_stage, partial(block, **how), e, norm)
        # the shapes are those of a 224 x 224 image
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = norm(64)  # (N, 64, 112, 112)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)  # (N, 64, 56, 56)
        self.layer1 = stage(64, 64, layers[0], 1, (False,))  # (N, 64 e, 56, 56)
        self.layer2 = stage(64 * e, 128, layers[1], 2, flags[:1])  # (N, 128 e, 28, 28)
        self.layer3 = stage(128 * e, 256, layers[2], 2, flags[:2])  # (N, 256 e, 14, 14)
        self.layer4 = stage(256 * e, 512, layers[3], 2, flags)  # (N, 512 e, 7, 7)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * e, num_classes)  # (N, num_classes)
        _initialise(self, zero_init_residual=zero_init_residual)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.conv1.in_channels)
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.avgpool(x).flatten(1)  # (N, 512 e)
        return self.fc(x)


def resnet18(*, weights: Weights | None = None, **options: Unpack[Options]) -> ResNet:
    """Return ResNet-18: 2, 2, 2, 2 basic blocks; 11,689,512 parameters.

    Args:
        weights: A file that holds a state dict, or a state dict; None for random ones.
        options: What [`ResNet`][dlref.models.ResNet] takes, all by name: `num_classes`,
            `in_channels`, `zero_init_residual`, `norm_layer` ...

    Returns:
        The network, in training mode.
    """
    return _resnet(BasicBlock, (2, 2, 2, 2), weights, options)


def resnet34(*, weights: Weights | None = None, **options: Unpack[Options]) -> ResNet:
    """Return ResNet-34: 3, 4, 6, 3 basic blocks; 21,797,672 parameters.

    Args:
        weights: As of [`resnet18`][dlref.models.resnet18].
        options: As of [`resnet18`][dlref.models.resnet18].

    Returns:
        The network, in training mode.
    """
    return _resnet(BasicBlock, (3, 4, 6, 3), weights, options)


def resnet50(*, weights: Weights | None = None, **options: Unpack[Options]) -> ResNet:
    """Return ResNet-50, v1.5: 3, 4, 6, 3 bottlenecks; 25,557,032 parameters.

    Args:
        weights: As of [`resnet18`][dlref.models.resnet18].
        options: As of [`resnet18`][dlref.models.resnet18].

    Returns:
        The network, in training mode.
    """
    return _resnet(Bottleneck, (3, 4, 6, 3), weights, options)


def resnet101(*, weights: Weights | None = None, **options: Unpack[Options]) -> ResNet:
    """Return ResNet-101, v1.5: 3, 4, 23, 3 bottlenecks; 44,549,160 parameters.

    Args:
        weights: As of [`resnet18`][dlref.models.resnet18].
        options: As of [`resnet18`][dlref.models.resnet18].

    Returns:
        The network, in training mode.
    """
    return _resnet(Bottleneck, (3, 4, 23, 3), weights, options)


def resnet152(*, weights: Weights | None = None, **options: Unpack[Options]) -> ResNet:
    """Return ResNet-152, v1.5: 3, 8, 36, 3 bottlenecks; 60,192,808 parameters.

    Args:
        weights: As of [`resnet18`][dlref.models.resnet18].
        options: As of [`resnet18`][dlref.models.resnet18].

    Returns:
        The network, in training mode.
    """
    return _resnet(Bottleneck, (3, 8, 36, 3), weights, options)


def _resnet(
    block: type[BasicBlock] | type[Bottleneck],
    layers: Sequence[int],
    weights: Weights | None,
    options: Options,
) -> ResNet:
    network = ResNet(block, layers, **options)
    if weights is not None:
        load_weights(network, weights)
    return network


def _stage(
    block: Callable[..., nn.Module],
    expansion: int,
    norm: Norm,
    inplanes: int,
    planes: int,
    count: int,
    stride: int,
    replaced: Sequence[bool],
) -> nn.Sequential:
    """Chain blocks, the first of which may change the shape.

    `replaced` says of this stage, last, and of those before it whether their stride is
    a dilation; the first 3x3 still reads the maps that the stage before has made.
    """
    stride = 1 if replaced[-1] else stride
    outplanes = planes * expansion
    downsample = None
    if stride != 1 or inplanes != outplanes:
        downsample = nn.Sequential(
            nn.Conv2d(inplanes, outplanes, 1, stride, bias=False), norm(outplanes)
        )
    before, after = 2 ** sum(replaced[:-1]), 2 ** sum(replaced)
    first = block(inplanes, planes, stride, downsample, dilation=before)
    rest = (block(outplanes, planes, dilation=after) for _ in range(1, count))
    return nn.Sequential(first, *rest)


def _initialise(network: ResNet, *, zero_init_residual: bool) -> None:
    """Draw the convolutions by the rule of section 3.4; linear layers keep torch's."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif zero_init_residual and isinstance(module, BasicBlock | Bottleneck):
            last = module.bn3 if isinstance(module, Bottleneck) else module.bn2
            if isinstance(last.weight, Tensor):  # None without affine parameters
                nn.init.zeros_(last.weight)

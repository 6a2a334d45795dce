"""LeNet-5, the network that read cheques: LeCun, Bottou, Bengio and Haffner (1998).

Two networks bear the name. `lenet5` is what most people mean by it: the paper's sizes,
but layers as they are built today, 61,706 parameters. `lenet5_1998` is the paper's, to
the last of its 60,000 parameters.

| | `lenet5` | `lenet5_1998`, section II-B |
|---|---|---|
| S2, S4 | mean of 2 x 2 | sum of 2 x 2, times a coefficient, plus a bias |
| C3 | each map reads all 6 | each map reads 3, 4 or 6: table I |
| C5 | a linear layer | a convolution, of 5 x 5 maps, which is the same |
| squashing | tanh after C1, C3, C5, F6 | 1.7159 tanh(2a/3), after S2, S4 too |
| output | a linear layer | distances from fixed codes of -1 and 1 |

References:
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-Based Learning Applied to
    Document Recognition", Proceedings of the IEEE 86(11), section II-B and appendix A,
    [doi:10.1109/5.726791](https://doi.org/10.1109/5.726791).
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

# fmt: off
__all__ = [
    "EuclideanRBF", "LeNet5", "LeNet1998", "PartialConv2d", "Subsampling", "lenet5",
    "lenet5_1998",
]
# fmt: on

# Table I, column by column: the maps of S2 that each of the 16 maps of C3 reads. Runs
# of three, runs of four (0 follows 5), fours with gaps, and all six.
_TABLE_I = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5)),
    *((0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)

# The ten digits on 7 x 12 pixels, after the manner of figure 3, which has all of ASCII.
_DIGITS = """
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
..###.. ...#... ..###.. .#####. ....##. .#####. ...###. .#####. ..###.. ..###..
.##.##. ..##... .##.##. .....#. ...###. .#..... ..##... .....#. .##.##. .##.##.
.#...#. .###... .#...#. ....##. ...#.#. .#..... .##.... ....##. .#...#. .#...#.
##...## ...#... .....#. ...##.. ..##.#. .####.. .#..... ....#.. .##.##. ##...##
##...## ...#... ....##. ...###. .##..#. ....##. .####.. ...##.. ..###.. .##.###
##...## ...#... ...##.. .....#. .#...#. .....#. .##.##. ...#... .##.##. ..###.#
##...## ...#... ..##... .....## ####### .....## ##...## ..##... ##...## .....##
.#...#. ...#... .##.... ##...## .....#. ##...## ##...## ..#.... ##...## .....#.
.##.##. ...#... .#..... .##.##. .....#. .##.##. .##.##. .##.... .##.##. ...###.
..###.. .#####. .#####. ..###.. .....#. ..###.. ..###.. .#..... ..###.. .###...
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


class LeNet5(nn.Module):
    """LeNet-5 as it is built today: 61,706 parameters for 10 classes.

    The module's table says in what it departs from the paper.

    Args:
        num_classes: Number of outputs, one logit each.
        in_channels: Channels of the images.

    References:
        LeCun et al. (1998), section II-B.
    """

    def __init__(self, num_classes: int = 10, *, in_channels: int = 1) -> None:
        """Build the layers, under the paper's names."""
        super().__init__()
        self.in_channels = in_channels
        self.c1 = nn.Conv2d(in_channels, 6, 5)  # (N, 6, 28, 28)
        self.s2 = nn.AvgPool2d(2)  # (N, 6, 14, 14)
        self.c3 = nn.Conv2d(6, 16, 5)  # (N, 16, 10, 10)
        self.s4 = nn.AvgPool2d(2)  # (N, 16, 5, 5)
        self.c5 = nn.Linear(16 * 5 * 5, 120)  # (N, 120)
        self.f6 = nn.Linear(120, 84)  # (N, 84)
        self.output = nn.Linear(84, num_classes)  # (N, num_classes)

    def forward(self, x: Float[Tensor, "n c 32 32"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        _check(x, self.in_channels)
        x = self.s2(torch.tanh(self.c1(x)))
        x = self.s4(torch.tanh(self.c3(x))).flatten(1)  # (N, 16, 5, 5) -> (N, 400)
        x = torch.tanh(self.f6(torch.tanh(self.c5(x))))
        return self.output(x)


class LeNet1998(nn.Module):
    r"""The paper's LeNet-5: 60,000 parameters for 10 classes, 340,908 connections.

    Its units squash their sums $a$ by $f(a) = 1.7159 \tanh(2a/3)$, so that
    $f(\pm 1) = \pm 1$. Weights are drawn from $\pm 2.4 / F$, where $F$ is the number of
    a unit's inputs (appendix A); biases, of which the paper says nothing, begin at 0.

    An output is the distance of F6 from the code $w_i \in \{-1, 1\}^{84}$ of its class,

    $$y_i = \sum_j (x_j - w_{ij})^2$$

    the class with the smallest one being the answer. Returned is $-y_i$: logits, as
    other networks have them, of which the largest is the answer. The codes of up to 10
    classes are pictures of the digits, 7 x 12 pixels (drawn anew: the paper's are only
    printed small); those of more classes are drawn at random, which the paper mentions.

    Args:
        num_classes: Number of outputs.
        in_channels: Channels of the images.

    References:
        LeCun et al. (1998), section II-B, table I, equations 5 to 7, appendix A.
    """

    def __init__(self, num_classes: int = 10, *, in_channels: int = 1) -> None:
        """Build the layers, under the paper's names."""
        super().__init__()
        self.in_channels = in_channels
        self.c1 = nn.Conv2d(in_channels, 6, 5)  # (N, 6, 28, 28), 156 parameters
        self.s2 = Subsampling(6)  # (N, 6, 14, 14), 12
        self.c3 = PartialConv2d(_TABLE_I, 5)  # (N, 16, 10, 10), 1,516
        self.s4 = Subsampling(16)  # (N, 16, 5, 5), 32
        self.c5 = nn.Conv2d(16, 120, 5)  # (N, 120, 1, 1), 48,120
        self.f6 = nn.Linear(120, 84)  # (N, 84), 10,164
        self.output = EuclideanRBF(_codes(num_classes))  # (N, num_classes), fixed
        self._initialise()

    def _initialise(self) -> None:
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear | Subsampling):
                F_i = 4 if isinstance(layer, Subsampling) else layer.weight[0].numel()
                nn.init.uniform_(layer.weight, -2.4 / F_i, 2.4 / F_i)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Float[Tensor, "n c 32 32"]) -> Float[Tensor, "n classes"]:
        """Return the negative distances of a batch of images from the codes."""
        _check(x, self.in_channels)
        x = _squash(self.s2(_squash(self.c1(x))))
        x = _squash(self.s4(_squash(self.c3(x))))
        x = _squash(self.c5(x)).flatten(1)  # (N, 120, 1, 1) -> (N, 120)
        return -self.output(_squash(self.f6(x)))


class Subsampling(nn.Module):
    """The sum of 2 x 2 units, times a coefficient, plus a bias: one pair a channel.

    Args:
        channels: Number of maps.

    References:
        LeCun et al. (1998), section II-B, layers S2 and S4.
    """

    def __init__(self, channels: int) -> None:
        """Begin as a mean: coefficients 1/4, biases 0."""
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), 0.25))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c _ _"]:
        """Return maps of half the size."""
        sums = F.avg_pool2d(x, 2, divisor_override=1)  # (N, C, H // 2, W // 2)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


class PartialConv2d(nn.ModuleList):
    """A convolution whose output maps read some of the input maps each.

    Args:
        table: For each output map, the numbers of the maps that it reads.
        kernel_size: Side of the kernels, of which there is one for each number.

    References:
        LeCun et al. (1998), section II-B, layer C3 and table I.
    """

    def __init__(self, table: Sequence[Sequence[int]], kernel_size: int) -> None:
        """Make one small convolution for each output map."""
        super().__init__(nn.Conv2d(len(maps), 1, kernel_size) for maps in table)
        self.table = [list(maps) for maps in table]

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n _ _ _"]:
        """Return one map for each entry of the table."""
        pairs = zip(self, self.table, strict=True)
        return torch.cat([conv(x[:, maps]) for conv, maps in pairs], dim=1)


class EuclideanRBF(nn.Module):
    """Squared Euclidean distances from fixed codes.

    Args:
        codes: One row for each class; kept with the weights, but not trained.

    References:
        LeCun et al. (1998), equation 7.
    """

    weight: Tensor

    def __init__(self, codes: Float[Tensor, "classes units"]) -> None:
        """Keep the codes as a buffer."""
        super().__init__()
        self.register_buffer("weight", codes)

    def forward(self, x: Float[Tensor, "n units"]) -> Float[Tensor, "n classes"]:
        """Return a distance for each image and class: the smallest is the answer."""
        return (x[:, None] - self.weight).square().sum(dim=2)  # of (N, classes, units)


def _squash(a: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return 1.7159 * torch.tanh(2 / 3 * a)


def _codes(num_classes: int) -> Float[Tensor, "classes 84"]:
    """Return a code of 84 times -1 or 1 for each class."""
    if num_classes > 10:
        return 2.0 * torch.randint(2, (num_classes, 84)) - 1
    rows = [line.split() for line in _DIGITS.split("\n") if line]
    digits = ["".join(digit) for digit in zip(*rows, strict=True)]
    codes = [[1.0 if pixel == "#" else -1.0 for pixel in digit] for digit in digits]
    return torch.tensor(codes[:num_classes])  # (num_classes, 12 x 7)


def _check(x: object, channels: int) -> None:
    check_images(x, channels, 32)
    if isinstance(x, Tensor) and x.shape[2:] != (32, 32):
        raise ValueError(f"expected images of 32 x 32 pixels, got {(*x.shape,)}")


def lenet5(
    *, weights: Weights | None = None, num_classes: int = 10, in_channels: int = 1
) -> LeNet5:
    """Return LeNet-5 as it is built today: 61,706 parameters for 10 classes.

    Args:
        weights: State dict, or the path of a file with one.
        num_classes: Number of outputs, one logit each.
        in_channels: Channels of the images.

    Returns:
        The network, for images of (N, in_channels, 32, 32); logits: (N, num_classes).

    Raises:
        ValueError: If the weights are those of another network.

    Examples:
        >>> net = lenet5()
        >>> net(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 10])
        >>> sum(weight.numel() for weight in net.parameters())
        61706

    References:
        LeCun et al. (1998), section II-B.
    """
    network = LeNet5(num_classes, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def lenet5_1998(
    *, weights: Weights | None = None, num_classes: int = 10, in_channels: int = 1
) -> LeNet1998:
    """Return the paper's LeNet-5: 60,000 parameters for 10 classes.

    Args:
        weights: State dict, or the path of a file with one; the codes are part of it.
        num_classes: Number of outputs, one negative distance each.
        in_channels: Channels of the images.

    Returns:
        The network, for images of (N, in_channels, 32, 32); logits: (N, num_classes).

    Raises:
        ValueError: If the weights are those of another network.

    Examples:
        >>> net = lenet5_1998()
        >>> sum(weight.numel() for weight in net.parameters())
        60000
        >>> [sum(weight.numel() for weight in conv.parameters()) for conv in net.c3]
        [76, 76, 76, 76, 76, 76, 101, 101, 101, 101, 101, 101, 101, 101, 101, 151]

    References:
        LeCun et al. (1998), section II-B, table I and appendix A.
    """
    network = LeNet1998(num_classes, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network

"""AlexNet: the network that won ImageNet's contest of 2012, and its simpler heir.

Two networks bear the name. `alexnet_2012` is that of the paper: two halves of channels,
one to a GPU, with local response normalization. `alexnet` is torchvision's, the one of
Krizhevsky's "one weird trick" (2014): a single column without normalization.

References:
    Krizhevsky, Sutskever and Hinton (2012), "ImageNet Classification with Deep
    Convolutional Neural Networks", NeurIPS 2012.
    Krizhevsky (2014), [arXiv:1404.5997](https://arxiv.org/abs/1404.5997).
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from dlref._network import Weights, check_images, load_weights

__all__ = ["AlexNet", "AlexNet2012", "alexnet", "alexnet_2012"]


class AlexNet(nn.Module):
    """Torchvision's AlexNet: one column, 61,100,840 parameters for 1000 classes.

    Images have at least 63 x 63 pixels; shapes beside the layers are for 224 x 224. The
    names of the weights, and the draws that initialise them, are torchvision's.

    The paper's network (`AlexNet2012`) has 96, 256, 384, 384 and 256 channels instead
    of 64, 192, 384, 256 and 256, of which the second, fourth and fifth layers see half;
    it normalizes the first two layers, and drops units *behind* its two hidden fully
    connected layers, not before them. The paper of 2014 gives 384 channels to the
    fourth layer (page 5, footnote); 256 are in its author's published configuration
    ([pytorch/vision#704](https://github.com/pytorch/vision/pull/704)).

    Args:
        num_classes: Number of outputs, one logit each.
        dropout: Probability that a unit is set to zero in training.
        in_channels: Channels of the images.

    References:
        Krizhevsky (2014), "One weird trick for parallelizing convolutional neural
        networks", [arXiv:1404.5997](https://arxiv.org/abs/1404.5997).
    """

    def __init__(
        self, num_classes: int = 1000, dropout: float = 0.5, *, in_channels: int = 3
    ) -> None:
        """Build the layers in the order in which an image meets them."""
        super().__init__()
        self.in_channels = in_channels
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 64, 11, stride=4, padding=2),  # (N, 64, 55, 55)
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),  # (N, 64, 27, 27)
            nn.Conv2d(64, 192, 5, padding=2),  # (N, 192, 27, 27)
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),  # (N, 192, 13, 13)
            nn.Conv2d(192, 384, 3, padding=1),  # (N, 384, 13, 13)
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1),  # (N, 256, 13, 13)
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1),  # (N, 256, 13, 13)
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),  # (N, 256, 6, 6)
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)  # (N, 256, 6, 6) from any size
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(256 * 6 * 6, 4096),  # (N, 4096)
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),  # (N, 4096)
            nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes),  # (N, num_classes)
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.in_channels, 63)
        x = self.avgpool(self.features(x))
        return self.classifier(x.flatten(1))  # (N, 256, 6, 6) -> (N, 9216)


class AlexNet2012(nn.Module):
    r"""The paper's AlexNet: two groups, 60,965,224 parameters for 1000 classes.

    After the first and the second convolution and their ReLU, the activity $a^i$ of
    channel $i$ is normalized by those of its neighbours (section 3.3),

    $$b^i = \frac{a^i}{\bigl(k + \alpha \sum_{j=i-n/2}^{i+n/2} (a^j)^2\bigr)^\beta},
    \qquad k = 2,\; n = 5,\; \alpha = 10^{-4},\; \beta = 0.75$$

    PyTorch's layer divides $\alpha$ by $n$, so that it is given $5 \cdot 10^{-4}$.

    Two GPUs held half of the channels each, and met in the third convolution and in the
    fully connected layers: here, `groups=2` in the others. Pooling windows overlap: 3
    pixels, 2 apart. Weights are drawn from a Gaussian of deviation 0.01; the biases of
    convolutions 2, 4 and 5 and of the hidden fully connected layers are 1, the others 0
    (section 5).

    The paper prints images of 224 x 224 pixels and maps of 55 x 55, and no padding, of
    which one must be wrong: here, the first convolution pads 2 pixels.

    Args:
        num_classes: Number of outputs, one logit each.
        dropout: Probability that a hidden unit is set to zero in training.
        in_channels: Channels of the images.

    References:
        Krizhevsky, Sutskever and Hinton (2012), "ImageNet Classification with Deep
        Convolutional Neural Networks", sections 3 to 5.
    """

    def __init__(
        self, num_classes: int = 1000, dropout: float = 0.5, *, in_channels: int = 3
    ) -> None:
        """Build the layers in the order in which an image meets them."""
        super().__init__()
        self.in_channels = in_channels
        self.conv1 = nn.Conv2d(in_channels, 96, 11, stride=4, padding=2)  # 55 x 55
        self.norm1 = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
        self.pool1 = nn.MaxPool2d(3, stride=2)  # (N, 96, 27, 27)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)  # (N, 256, 27, 27)
        self.norm2 = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
        self.pool2 = nn.MaxPool2d(3, stride=2)  # (N, 256, 13, 13)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)  # (N, 384, 13, 13)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)  # (N, 384, 13, 13)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)  # (N, 256, 13, 13)
        self.pool5 = nn.MaxPool2d(3, stride=2)  # (N, 256, 6, 6)
        self.fc6 = nn.Linear(256 * 6 * 6, 4096)  # (N, 4096)
        self.drop6 = nn.Dropout(dropout)
        self.fc7 = nn.Linear(4096, 4096)  # (N, 4096)
        self.drop7 = nn.Dropout(dropout)
        self.fc8 = nn.Linear(4096, num_classes)  # (N, num_classes)
        self._initialise()

    def _initialise(self) -> None:
        ones = {"conv2.bias", "conv4.bias", "conv5.bias", "fc6.bias", "fc7.bias"}
        for name, parameter in self.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(parameter, std=0.01)
            else:
                nn.init.constant_(parameter, float(name in ones))

    def forward(self, x: Float[Tensor, "n c 224 224"]) -> Float[Tensor, "n classes"]:
        """Return the logits of a batch of images."""
        check_images(x, self.in_channels, 224)
        if x.shape[2:] != (224, 224):
            raise ValueError(f"expected images of 224 x 224 pixels, got {(*x.shape,)}")
        x = self.pool1(self.norm1(F.relu(self.conv1(x))))
        x = self.pool2(self.norm2(F.relu(self.conv2(x))))
        x = F.relu(self.conv4(F.relu(self.conv3(x))))
        x = self.pool5(F.relu(self.conv5(x))).flatten(1)  # (N, 9216)
        x = self.drop6(F.relu(self.fc6(x)))
        x = self.drop7(F.relu(self.fc7(x)))
        return self.fc8(x)


def alexnet(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
) -> AlexNet:
    """Return torchvision's AlexNet: 61,100,840 parameters for 1000 classes.

    Args:
        weights: State dict, or the path of a file with one; torchvision's fit.
        num_classes: Number of outputs, one logit each.
        in_channels: Channels of the images.
        dropout: Probability that a unit is set to zero in training.

    Returns:
        The network, in training mode, for images of (N, in_channels, H, W) with H and W
        at least 63; logits are (N, num_classes).

    Raises:
        ValueError: If the weights are those of another network.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes and counts, no memory
        ...     net = alexnet()
        >>> sum(weight.numel() for weight in net.parameters())
        61100840

    References:
        Krizhevsky (2014), [arXiv:1404.5997](https://arxiv.org/abs/1404.5997).
    """
    network = AlexNet(num_classes, dropout, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network


def alexnet_2012(
    *,
    weights: Weights | None = None,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
) -> AlexNet2012:
    """Return the paper's AlexNet: 60,965,224 parameters for 1000 classes.

    Args:
        weights: State dict, or the path of a file with one.
        num_classes: Number of outputs, one logit each.
        in_channels: Channels of the images.
        dropout: Probability that a hidden unit is set to zero in training.

    Returns:
        The network, in training mode, for images of (N, in_channels, 224, 224); logits
        are (N, num_classes).

    Raises:
        ValueError: If the weights are those of another network.

    Examples:
        >>> import torch
        >>> with torch.device("meta"):  # shapes and counts, no memory
        ...     net = alexnet_2012()
        >>> sum(weight.numel() for weight in net.parameters())
        60965224
        >>> net.conv2  # 256 kernels of 5 x 5 x 48
        Conv2d(96, 256, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2), groups=2)

    References:
        Krizhevsky, Sutskever and Hinton (2012), NeurIPS 2012.
    """
    network = AlexNet2012(num_classes, dropout, in_channels=in_channels)
    if weights is not None:
        load_weights(network, weights)
    return network

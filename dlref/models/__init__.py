"""The classic convolutional networks, one paper a file."""

from dlref.models.alexnet import AlexNet, AlexNet2012, alexnet, alexnet_2012
from dlref.models.lenet import LeNet5, LeNet1998, lenet5, lenet5_1998
from dlref.models.resnet import (
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)
from dlref.models.vgg import (
    VGG,
    vgg11,
    vgg11_bn,
    vgg13,
    vgg13_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
)

__all__ = [
    "VGG",
    "AlexNet",
    "AlexNet2012",
    "LeNet5",
    "LeNet1998",
    "ResNet",
    "alexnet",
    "alexnet_2012",
    "lenet5",
    "lenet5_1998",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

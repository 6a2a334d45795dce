"""The classic convolutional networks, one paper a file."""

from dlref.models.alexnet import AlexNet, AlexNet2012, alexnet, alexnet_2012
from dlref.models.googlenet import (
    GoogLeNet,
    GoogLeNetOutputs,
    Inception,
    InceptionAux,
    googlenet,
)
from dlref.models.googlenet_2014 import (
    GoogLeNet2014,
    GoogLeNet2014Outputs,
    googlenet_2014,
)
from dlref.models.inception import Inception3, InceptionOutputs, inception_v3
from dlref.models.lenet import LeNet5, LeNet1998, lenet5, lenet5_1998
from dlref.models.nin import NiN, NiNCIFAR10, nin, nin_block, nin_cifar10
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
    "GoogLeNet",
    "GoogLeNet2014",
    "GoogLeNet2014Outputs",
    "GoogLeNetOutputs",
    "Inception",
    "Inception3",
    "InceptionAux",
    "InceptionOutputs",
    "LeNet5",
    "LeNet1998",
    "NiN",
    "NiNCIFAR10",
    "ResNet",
    "alexnet",
    "alexnet_2012",
    "googlenet",
    "googlenet_2014",
    "inception_v3",
    "lenet5",
    "lenet5_1998",
    "nin",
    "nin_block",
    "nin_cifar10",
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

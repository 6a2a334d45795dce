"""The classic convolutional networks, one paper a file."""

from dlref.models.alexnet import AlexNet, AlexNet2012, alexnet, alexnet_2012
from dlref.models.densenet import DenseNet, densenet121
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
from dlref.models.lenet import (
    EuclideanRBF,
    LeNet5,
    LeNet1998,
    PartialConv2d,
    Subsampling,
    lenet5,
    lenet5_1998,
)
from dlref.models.mobilenet_v1 import MobileNetV1, mobilenet_v1
from dlref.models.mobilenet_v2 import InvertedResidual, MobileNetV2, mobilenet_v2
from dlref.models.nin import NiN, NiNCIFAR10, nin, nin_block, nin_cifar10
from dlref.models.resnest import ResNeSt, SplitAttention, resnest50
from dlref.models.resnet import (
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)
from dlref.models.resnet_v1 import ResNetV1, resnet50_v1, resnet101_v1, resnet152_v1
from dlref.models.resnet_v2 import (
    ResNetV2,
    resnet18_v2,
    resnet34_v2,
    resnet50_v2,
    resnet101_v2,
    resnet152_v2,
)
from dlref.models.resnext import ResNeXt, resnext50_32x4d
from dlref.models.squeezenet import Fire, SqueezeNet, squeezenet1_0, squeezenet1_1
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
from dlref.models.wide_resnet import WideResNet, wide_resnet50_2
from dlref.models.xception import Xception, xception

__all__ = [
    "VGG",
    "AlexNet",
    "AlexNet2012",
    "DenseNet",
    "EuclideanRBF",
    "Fire",
    "GoogLeNet",
    "GoogLeNet2014",
    "GoogLeNet2014Outputs",
    "GoogLeNetOutputs",
    "Inception",
    "Inception3",
    "InceptionAux",
    "InceptionOutputs",
    "InvertedResidual",
    "LeNet5",
    "LeNet1998",
    "MobileNetV1",
    "MobileNetV2",
    "NiN",
    "NiNCIFAR10",
    "PartialConv2d",
    "ResNeSt",
    "ResNeXt",
    "ResNet",
    "ResNetV1",
    "ResNetV2",
    "SplitAttention",
    "SqueezeNet",
    "Subsampling",
    "WideResNet",
    "Xception",
    "alexnet",
    "alexnet_2012",
    "densenet121",
    "googlenet",
    "googlenet_2014",
    "inception_v3",
    "lenet5",
    "lenet5_1998",
    "mobilenet_v1",
    "mobilenet_v2",
    "nin",
    "nin_block",
    "nin_cifar10",
    "resnest50",
    "resnet18",
    "resnet18_v2",
    "resnet34",
    "resnet34_v2",
    "resnet50",
    "resnet50_v1",
    "resnet50_v2",
    "resnet101",
    "resnet101_v1",
    "resnet101_v2",
    "resnet152",
    "resnet152_v1",
    "resnet152_v2",
    "resnext50_32x4d",
    "squeezenet1_0",
    "squeezenet1_1",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
    "wide_resnet50_2",
    "xception",
]

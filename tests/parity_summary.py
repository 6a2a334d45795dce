"""dlref.summary against torchinfo's hooks and torch's flop counter."""

from collections.abc import Iterator

import matplotlib.colors
import matplotlib.figure
import torch
import torchinfo
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dlref.summary import draw_architecture, summary
from tests.parity_cases import Pairs, case

NETWORKS = ("alexnet", "vgg16_bn", "resnet50", "densenet121", "mobilenet_v2")
SIZE = (3, 224, 224)
BLUE = matplotlib.colors.to_rgb("C0")  # of images; vectors have another colour


def networks() -> Iterator[nn.Module]:
    """Networks without numbers, ready to be counted."""
    for name in NETWORKS:
        with torch.device("meta"):
            net = getattr(torchvision.models, name)()
        yield net.eval()


def theirs(net: nn.Module) -> torchinfo.ModelStatistics:
    return torchinfo.summary(
        net, input_size=(1, *SIZE), device="meta", verbose=0, depth=99
    )


@case("dlref.summary.summary", "torchinfo: shapes and parameters of each layer")
def rows() -> Pairs:
    for net in networks():
        layers = [x for x in theirs(net).summary_list if x.is_leaf_layer]
        for row, layer in zip(summary(net, SIZE).rows, layers, strict=True):
            yield row.output_shape, layer.output_size[1:]
            yield row.num_params, 0 if layer.is_recursive else layer.num_params


@case("dlref.summary.Summary", "torch.utils.flop_counter; torchinfo")
def totals() -> Pairs:
    for net in networks():
        result = summary(net, SIZE)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            net(torch.empty(1, *SIZE, device="meta"))
        yield result.macs, counter.get_total_flops() // 2
        yield result.num_params, theirs(net).total_params


@case("dlref.summary.draw_architecture", "torchinfo: shapes of the last layers", 1e-12)
def drawing() -> Pairs:
    for net in networks():
        ax = matplotlib.figure.Figure().add_subplot()
        draw_architecture(summary(net, SIZE), ax)
        sides = [layer.output_size[2] for layer in theirs(net).summary_list
                 if layer.is_leaf_layer and len(layer.output_size) == 4]  # fmt: skip
        images = [bar for bar in ax.patches if bar.get_facecolor()[:3] == BLUE]
        first, last = images[0].get_height(), images[-1].get_height()
        yield (first / last) ** 2, sides[0] / sides[-1]

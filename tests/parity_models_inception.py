"""Pairs for NiN, GoogLeNet and Inception v3; see tests/parity_cases.py."""

import torch

from dlref import models
from tests.inception_oracle import caffe_nin, images, paper_googlenet, twins
from tests.parity_cases import Pairs, case


def torchvisions(name: str, size: int) -> Pairs:
    """Predictions, and what training gives, the heads' logits included."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ours, theirs = twins(name, num_classes=10)
        x = images(2, 3, size, size)
        with torch.no_grad():
            yield ours.eval()(x), theirs.eval()(x)
            torch.manual_seed(1)
            mine = ours.train()(x)
            torch.manual_seed(1)
            yield from zip(mine, theirs.train()(x), strict=True)


@case("dlref.models.googlenet", "torchvision.models.googlenet")
def googlenet() -> Pairs:
    yield from torchvisions("googlenet", 64)


@case("dlref.models.inception_v3", "torchvision.models.inception_v3")
def inception_v3() -> Pairs:
    yield from torchvisions("inception_v3", 299)


@case("dlref.models.googlenet_2014", "torch.nn.functional, by table 1", 1e-12)
def googlenet_2014() -> Pairs:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        options = {"num_classes": 10, "dropout": 0.0, "dropout_aux": 0.0}
        network = models.googlenet_2014(**options).double()
        x = images(1, 3, 224, 224, dtype=torch.float64)
        yield from zip(
            network(x), paper_googlenet(network.state_dict(), x), strict=True
        )


def authors_nin(name: str, stride: int, padding: int, size: int) -> Pairs:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = getattr(models, name)(num_classes=10).double().eval()
        x = images(2, 3, size, size, dtype=torch.float64)
        yield network(x), caffe_nin(network, x, stride, padding)


@case("dlref.models.nin", "torch.nn.functional, by Caffe's definition", 1e-12)
def nin() -> Pairs:
    yield from authors_nin("nin", 4, 0, 96)


@case("dlref.models.nin_cifar10", "torch.nn.functional, by its definition", 1e-12)
def nin_cifar10() -> Pairs:
    yield from authors_nin("nin_cifar10", 1, 2, 32)


@case("dlref.models.nin_block", "a perceptron at each pixel", 1e-12)
def nin_block() -> Pairs:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        block = models.nin_block(3, (8, 7, 5), 1).double()
        x = images(2, 3, 6, 7, dtype=torch.float64)
        rows = x.permute(0, 2, 3, 1)  # (2, 6, 7, 3)
        for layer in (block[0], block[2], block[4]):
            rows = (rows @ layer.weight[:, :, 0, 0].T + layer.bias).clamp(min=0)
        yield block(x), rows.permute(0, 3, 1, 2)

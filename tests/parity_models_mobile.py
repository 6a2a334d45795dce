"""How far the light and the dense networks are from torchvision's, or from timm's."""

import torch

from tests.mobile_oracle import ALL, TORCHVISION, images, twins
from tests.parity_cases import Pairs, case


def _network(name: str) -> None:
    oracle = (
        f"torchvision.models.{name}"
        if name in TORCHVISION
        else "timm: {}".format("mobilenetv1_100, with ReLU")
    )

    @case(f"dlref.models.{name}", oracle)
    def pairs() -> Pairs:
        with torch.no_grad():
            ours, theirs = twins(name)
            x = images(2, 3, 47, 64)
            yield ours.eval()(x), theirs.eval()(x)


for _name in ALL:
    _network(_name)

"""How far the residual networks are from torchvision's, or from timm's."""

import torch

from tests.parity_cases import Pairs, case
from tests.residual_oracle import ALL, TIMM, V1, images, twins


def _network(name: str) -> None:
    oracle = f"torchvision.models.{name.removesuffix('_v1')}"
    oracle += ", strides exchanged" if name in V1 else ""
    oracle = f"timm: {TIMM[name]}" if name in TIMM else oracle
    # timm's last layer of version 2 is a 1x1 convolution, which rounds differently
    rounds = name.endswith("_v2")

    @case(f"dlref.models.{name}", oracle, 1e-13 if rounds else 0.0)
    def pairs() -> Pairs:
        dtype = torch.float64 if rounds else torch.float32
        with torch.no_grad():
            ours, theirs = (network.to(dtype) for network in twins(name))
            x = images(2, 3, 47, 64, dtype=dtype)
            yield ours(x), theirs(x)


for _name in ALL:
    _network(_name)

"""What tests/test_parity.py measures of dlref.init: torch's draws, bit by bit."""

import math
from typing import Any

import torch
from torch import nn

from dlref import init as ours
from tests.parity_cases import Pairs, case

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "kaiming_normal_": [{}, {"a": 0.2, "mode": "fan_out"}, {"nonlinearity": "tanh"}],
    "kaiming_uniform_": [{}, {"a": math.sqrt(5)}, {"nonlinearity": "relu"}],
    "orthogonal_": [{}, {"gain": 1.4}],
    "xavier_normal_": [{}, {"gain": 5 / 3}],
    "xavier_uniform_": [{}, {"gain": 5 / 3}],
}
SHAPES = [(5, 3), (3, 5), (64, 64), (16, 3, 7, 7)]
FUNCTIONS = ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]


def _function(name: str, options: list[dict[str, Any]]) -> None:
    @case(f"dlref.init.{name}", f"torch.nn.init.{name}")
    def pairs() -> Pairs:
        for shape in SHAPES:
            for given in options:
                mine, theirs = (
                    getattr(module, name)(
                        torch.empty(shape, dtype=torch.float64, device="cpu"),
                        **given,
                        generator=torch.Generator("cpu").manual_seed(0),
                    )
                    for module in (ours, nn.init)
                )
                yield mine, theirs


for _name, _options in OPTIONS.items():
    _function(_name, _options)


@case("dlref.init.calculate_gain", "torch.nn.init.calculate_gain")
def gains() -> Pairs:
    for name in FUNCTIONS:
        for param in (None, 0.0, 0.2):
            yield (
                ours.calculate_gain(name, param),
                nn.init.calculate_gain(name, param),
            )


@case(
    "dlref.init.init_forget_gate_bias_",
    "torch.nn.LSTMCell: what is left after T",
    1e-12,
)
def forget_gates() -> Pairs:
    for value in (0.0, 1.0, 2.0):
        cell = nn.LSTMCell(2, 3, dtype=torch.float64, device="cpu")
        for p in cell.parameters():
            nn.init.zeros_(p)
        ours.init_forget_gate_bias_(cell, value)
        x = torch.zeros(1, 2, dtype=torch.float64, device="cpu")
        h = torch.zeros(1, 3, dtype=torch.float64, device="cpu")
        c = torch.ones_like(h)
        for t in range(1, 21):
            h, c = cell(x, (h, c))
            yield c, torch.full_like(c, value).sigmoid() ** t

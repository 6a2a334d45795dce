"""What LeNet, AlexNet and VGG are compared with: torchvision, and papers by hand."""

from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from dlref import models

VGGS = [f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn")]
IN_TORCHVISION = ["alexnet", *VGGS]

# LeCun et al. (1998), table I, as it is printed: rows are maps of S2, columns of C3.
TABLE_I = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""


def pair(name: str, **options: Any) -> tuple[nn.Module, nn.Module]:
    """Our network and torchvision's, without memory for their weights."""
    with torch.device("meta"):
        ours = getattr(models, name)(**options)
        return ours, getattr(torchvision.models, name)(**options)


def twins(
    name: str, dtype: torch.dtype = torch.float32, **options: Any
) -> tuple[nn.Module, nn.Module]:
    """Our network and torchvision's with the same weights, ready to predict."""
    ours, theirs = pair(name, **options)
    state = {
        key: draw(key, tuple(value.shape), value.dtype, dtype)
        for key, value in theirs.state_dict().items()
    }
    for network in (ours, theirs):
        own = {
            key: value.clone() if "features" in key else value
            for key, value in state.items()
        }
        network.load_state_dict(own, strict=True, assign=True)
    return ours.eval(), theirs.eval()


@cache
def draw(
    key: str, shape: tuple[int, ...], kind: torch.dtype, dtype: torch.dtype
) -> Tensor:
    """One layer's weights, neither too small nor too large; the large ones kept."""
    if not kind.is_floating_point:
        return torch.zeros(shape, dtype=kind)
    if key.endswith("running_var"):
        return torch.rand(shape, dtype=dtype) + 0.5
    size = max(torch.Size(shape[1:]).numel(), 1)
    return torch.empty(shape, dtype=dtype).normal_(0, (2 / size) ** 0.5 / 2 + 1e-3)


def images(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal pixels, the same at every call."""
    generator = torch.Generator(device="cpu").manual_seed(0)
    options = {"generator": generator, "dtype": torch.float64, "device": "cpu"}
    drawn = torch.randn(shape, **options)
    return drawn.to(torch.get_default_device(), dtype)


def lenet_chain(network: nn.Module) -> nn.Module:
    """Today's LeNet-5 as a chain of torch's layers, with the same weights."""
    chain = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh(),
        nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    ).double()  # fmt: skip
    values = network.state_dict().values()
    pairs = zip(chain.state_dict().items(), values, strict=True)
    chain.load_state_dict({key: given for (key, _), given in pairs})
    return chain


def lenet_1998(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """The paper's LeNet-5 as section II-B tells it; of the outputs, the least wins."""
    dense = x.new_zeros(16, 6, 5, 5)
    reads = TABLE_I.split()
    for unit in range(16):
        maps = [row for row in range(6) if reads[row][unit] == "X"]
        dense[unit, maps] = state[f"c3.{unit}.weight"][0]
    bias = torch.cat([state[f"c3.{unit}.bias"] for unit in range(16)])
    x = _squash(F.conv2d(x, state["c1.weight"], state["c1.bias"]))
    x = _subsample(x, state["s2.weight"], state["s2.bias"])
    x = _squash(F.conv2d(x, dense, bias))
    x = _subsample(x, state["s4.weight"], state["s4.bias"])
    x = _squash(torch.einsum("ncij,ocij->no", x, state["c5.weight"]) + state["c5.bias"])
    x = _squash(x @ state["f6.weight"].T + state["f6.bias"])
    return torch.stack([(x - w).pow(2).sum(1) for w in state["output.weight"]], dim=1)


def _subsample(x: Tensor, coefficient: Tensor, bias: Tensor) -> Tensor:
    sums = x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]
    columns = [sums[:, c] * coefficient[c] + bias[c] for c in range(x.shape[1])]
    return _squash(torch.stack(columns, dim=1))


def _squash(a: Tensor) -> Tensor:
    e = torch.exp(4 / 3 * a)
    return 1.7159 * (e - 1) / (e + 1)


def alexnet_2012(network: nn.Module, x: Tensor) -> Tensor:
    """The paper's AlexNet on two GPUs: the halves meet where figure 2 lets them."""
    w = dict(network.named_parameters())

    def half(x: Tensor, layer: str, gpu: int, **options: Any) -> Tensor:
        weight, bias = w[f"{layer}.weight"].chunk(2)[gpu], w[f"{layer}.bias"].chunk(2)
        return F.conv2d(x, weight, bias[gpu], **options).clamp(min=0)

    def pool(x: Tensor) -> Tensor:
        return x.unfold(2, 3, 2).unfold(3, 3, 2).amax(dim=(-2, -1))

    x = torch.cat([half(x, "conv1", g, stride=4, padding=2) for g in (0, 1)], 1)
    columns = pool(normalize(x)).chunk(2, 1)
    x = torch.cat([half(columns[g], "conv2", g, padding=2) for g in (0, 1)], 1)
    x = pool(normalize(x))
    columns = [half(x, "conv3", g, padding=1) for g in (0, 1)]
    columns = [half(columns[g], "conv4", g, padding=1) for g in (0, 1)]
    columns = [pool(half(columns[g], "conv5", g, padding=1)) for g in (0, 1)]
    x = torch.cat(columns, 1).flatten(1)
    for layer in ("fc6", "fc7"):
        x = (x @ w[f"{layer}.weight"].T + w[f"{layer}.bias"]).clamp(min=0)
    return x @ w["fc8.weight"].T + w["fc8.bias"]


def normalize(a: Tensor) -> Tensor:
    """Section 3.3, channel by channel."""
    N = a.shape[1]
    b = [
        a[:, i] / (2 + 1e-4 * a[:, max(0, i - 2) : i + 3].pow(2).sum(1)) ** 0.75
        for i in range(N)
    ]
    return torch.stack(b, dim=1)

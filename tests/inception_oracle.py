"""What NiN, GoogLeNet, Inception v3 are compared with: torchvision, or the papers."""

import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from dlref import models

# Table 1 of the paper: where a block reads, and its columns
TABLE_1 = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def images(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw on the CPU, whatever the default device."""
    generator = torch.Generator("cpu").manual_seed(0)
    x = torch.randn(shape, generator=generator, device="cpu", dtype=dtype)
    return x.to(torch.get_default_device())


def twins(name: str, **options: object) -> tuple[nn.Module, nn.Module]:
    """Ours and torchvision's with the same weights, and statistics of real maps."""
    theirs = getattr(torchvision.models, name)(init_weights=False, **options)
    norms = [m for m in theirs.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias)
        norm.momentum = 1.0
    with torch.no_grad():
        theirs(images(2, 3, 64, 64) if name == "googlenet" else images(2, 3, 299, 299))
    for norm in norms:
        norm.momentum = 0.1
    ours = getattr(models, name)(init_weights=False, **options)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


def paper_googlenet(state: dict[str, Tensor], x: Tensor) -> tuple[Tensor, ...]:
    """Section 5 and table 1 in functions, without dropout."""

    def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight, bias = state[f"{name}.0.weight"], state[f"{name}.0.bias"]
        return F.relu(F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2))

    def pool(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 2, ceil_mode=True)

    def normalize(x: Tensor) -> Tensor:
        squares = F.pad(x**2, (0, 0, 0, 0, 2, 2))
        total = sum(squares[:, i : i + x.shape[1]] for i in range(5))
        return x / (1 + 1e-4 / 5 * total) ** 0.75

    def block(name: str, x: Tensor) -> Tensor:
        b = [f"inception{name}.branch{i}" for i in range(5)]
        three = conv(f"{b[2]}.1", conv(f"{b[2]}.0", x))
        five = conv(f"{b[3]}.1", conv(f"{b[3]}.0", x))
        pooled = conv(f"{b[4]}.1", F.max_pool2d(x, 3, 1, 1))
        return torch.cat([conv(b[1], x), three, five, pooled], dim=1)

    def linear(name: str, x: Tensor) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def head(name: str, x: Tensor) -> Tensor:
        x = conv(f"{name}.conv", F.avg_pool2d(x, 5, 3)).reshape(len(x), 2048)
        return linear(f"{name}.fc2", F.relu(linear(f"{name}.fc1", x)))

    x = conv("conv3", conv("conv2", normalize(pool(conv("conv1", x, 2)))))
    x = pool(normalize(x))
    maps = {}
    for name in TABLE_1:
        x = maps[name] = block(name, pool(x) if name in ("4a", "5a") else x)
    logits = linear("fc", x.mean((2, 3)))
    return logits, head("aux2", maps["4d"]), head("aux1", maps["4a"])


def caffe_nin(network: nn.Module, x: Tensor, first: int, padding: int) -> Tensor:
    """Convolutions in a row; behind each third a pooling that rounds up."""
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    for i, layer in enumerate(layers):
        stride, pad = (first, padding) if i == 0 else (1, layer.kernel_size[0] // 2)
        x = F.relu(F.conv2d(x, layer.weight, layer.bias, stride, pad))
        if i % 3 == 2 and i < len(layers) - 1:
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
    return x.mean((2, 3))

"""What tests/test_parity.py measures: pairs of our value and theirs, on fixed seeds."""

import warnings
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import scipy.spatial.distance
import scipy.stats
import sklearn.metrics
import torch
import torch.nn.functional as F
import torchvision.transforms as TV
import torchvision.transforms.functional as TF
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dlref import information, shapes, transforms
from tests.transforms_oracle import PIL_MODES, pil_image, tensor_image

Pairs = Iterator[tuple[Any, Any]]
CASES: dict[tuple[str, str], tuple[float, Callable[[], Pairs]]] = {}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
GEOMETRIES = list(product(range(1, 24), (1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2)))


def case(function: str, oracle: str, tolerance: float = 0.0) -> Callable[..., Any]:
    """Register a generator of pairs, with the tolerance between them."""

    def register(generate: Callable[[], Pairs]) -> Callable[[], Pairs]:
        CASES[function, oracle] = (tolerance, generate)
        return generate

    return register


# --- transforms: torchvision, value by value ------------------------------------------


def pictures() -> Iterator[Any]:
    """Images of both kinds."""
    yield from (pil_image(mode, 17, 23) for mode in ("L", "RGB"))
    yield tensor_image(3, 17, 23)
    yield tensor_image(2, 3, 17, 23, dtype=torch.uint8)


FUNCTIONS: dict[str, list[tuple[Any, ...]]] = {
    "adjust_brightness": [(0,), (0.4,), (1.7,)],
    "adjust_contrast": [(0,), (0.4,), (1.7,)],
    "adjust_hue": [(-0.5,), (-0.13,), (0.27,)],
    "adjust_saturation": [(0,), (0.4,), (1.7,)],
    "affine": [(25, [2, -3], 1.2, [5, -4]), (-80, [0, 1], 0.7, [0, 0])],
    "center_crop": [(9,), ((12, 30),)],
    "crop": [(2, 3, 8, 9), (-2, 5, 12, 30)],
    "hflip": [()],
    "pad": [(2,), ([1, 2, 3, 4], 0, "edge"), ((2, 1), 0, "reflect")],
    "resize": [(8,), ((40, 31),), ((9, 50),)],
    "rotate": [(90,), (33.3,), (-120,)],
    "vflip": [()],
}
RANDOM: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "ColorJitter": ((0.4, 0.4, 0.4, 0.1), {}),
    "RandomAffine": ((30, (0.2, 0.3), (0.5, 1.5), 10), {}),
    "RandomCrop": ((12,), {"padding": 2}),
    "RandomHorizontalFlip": ((), {}),
    "RandomResizedCrop": ((11,), {}),
    "RandomRotation": ((45,), {}),
    "RandomVerticalFlip": ((), {}),
}


def _function(name: str, calls: list[tuple[Any, ...]]) -> None:
    @case(f"dlref.transforms.{name}", f"torchvision.transforms.functional.{name}")
    def pairs() -> Pairs:
        for picture, arguments in product(pictures(), calls):
            ours = getattr(transforms, name)(picture, *arguments)
            yield ours, getattr(TF, name)(picture, *arguments)


def _random(name: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    @case(f"dlref.transforms.{name}", f"torchvision.transforms.{name}")
    def pairs() -> Pairs:
        ours = getattr(transforms, name)(*arguments, **options)
        theirs = getattr(TV, name)(*arguments, **options)
        for seed, picture in product(range(10), pictures()):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                mine = ours(picture)
                torch.manual_seed(seed)
                yield mine, theirs(picture)


for _name, _calls in FUNCTIONS.items():
    _function(_name, _calls)
for _name, (_arguments, _options) in RANDOM.items():
    _random(_name, _arguments, _options)


@case("dlref.transforms.to_tensor", "torchvision.transforms.functional.to_tensor")
def to_tensor() -> Pairs:
    for mode in PIL_MODES:
        picture = pil_image(mode)
        yield transforms.to_tensor(picture), TF.to_tensor(picture)


@case("dlref.transforms.ToTensor", "torchvision.transforms.ToTensor")
def to_tensor_class() -> Pairs:
    picture = pil_image("RGB", 17, 23)
    yield transforms.ToTensor()(picture), TV.ToTensor()(picture)


def tensors() -> Iterator[torch.Tensor]:
    """Images that can become PIL images."""
    for channels in (1, 2, 3, 4):
        yield tensor_image(channels, 17, 23)
        yield tensor_image(channels, 17, 23, dtype=torch.uint8)
    yield tensor_image(1, 17, 23, dtype=torch.int32)


@case("dlref.transforms.to_pil_image", "torchvision.transforms.functional.to_pil_image")
def to_pil_image() -> Pairs:
    for x in tensors():
        yield transforms.to_pil_image(x), TF.to_pil_image(x)


@case("dlref.transforms.ToPILImage", "torchvision.transforms.ToPILImage")
def to_pil_image_class() -> Pairs:
    for x in tensors():
        yield transforms.ToPILImage()(x), TV.ToPILImage()(x)


@case("dlref.transforms.normalize", "torchvision.transforms.functional.normalize")
def normalize() -> Pairs:
    for shape in ((3, 17, 23), (2, 3, 17, 23)):
        x = tensor_image(*shape)
        yield transforms.normalize(x, MEAN, STD), TF.normalize(x, MEAN, STD)


@case("dlref.transforms.Normalize", "torchvision.transforms.Normalize")
def normalize_class() -> Pairs:
    x = tensor_image(2, 3, 17, 23)
    yield transforms.Normalize(MEAN, STD)(x), TV.Normalize(MEAN, STD)(x)


@case("dlref.transforms.to_normalized_tensor", "torchvision: ToTensor, Normalize")
def to_normalized_tensor() -> Pairs:
    theirs = TV.Compose([TV.ToTensor(), TV.Normalize(MEAN, STD)])
    picture = pil_image("RGB", 17, 23)
    yield transforms.to_normalized_tensor(picture, MEAN, STD), theirs(picture)


@case("dlref.transforms.Compose", "torchvision.transforms.Compose")
def compose() -> Pairs:
    picture = pil_image("RGB", 17, 23)
    steps = [TV.CenterCrop(9), TV.ToTensor()]
    yield transforms.Compose(steps)(picture), TV.Compose(steps)(picture)


def _denormalized(x: torch.Tensor) -> np.ndarray:
    mean, std = (np.array(v)[:, None, None] for v in (MEAN, STD))
    return x.double().numpy() * std + mean


@case("dlref.transforms.denormalize", "NumPy, float64", 1e-6)
def denormalize() -> Pairs:
    x = tensor_image(3, 17, 23) * 4 - 2
    yield transforms.denormalize(x, MEAN, STD).double(), _denormalized(x)


@case("dlref.transforms.Denormalize", "NumPy, float64", 1e-6)
def denormalize_class() -> Pairs:
    x = tensor_image(3, 17, 23) * 4 - 2
    yield transforms.Denormalize(MEAN, STD)(x).double(), _denormalized(x)


# --- shapes: what torch's layers give -------------------------------------------------


@case("dlref.shapes.conv_output_size", "torch.nn.functional.conv1d")
def conv_output_size() -> Pairs:
    for i, k, s, p, d in GEOMETRIES:
        if d * (k - 1) + 1 <= i + 2 * p:
            x, w = torch.zeros(1, 1, i), torch.zeros(1, 1, k)
            y = F.conv1d(x, w, stride=s, padding=p, dilation=d)
            ours = shapes.conv_output_size(i, k, stride=s, padding=p, dilation=d)
            yield ours, y.shape[-1]


@case("dlref.shapes.conv_transpose_output_size", "torch.nn.functional.conv_transpose1d")
def conv_transpose_output_size() -> Pairs:
    for i, k, s, p, d in GEOMETRIES:
        options = {"stride": s, "padding": p, "dilation": d}
        if (i - 1) * s - 2 * p + d * (k - 1) + 1 >= 1:
            x, w = torch.zeros(1, 1, i), torch.zeros(1, 1, k)
            y = F.conv_transpose1d(x, w, **options)
            yield shapes.conv_transpose_output_size(i, k, **options), y.shape[-1]


@case("dlref.shapes.pool_output_size", "torch.nn.functional.max_pool1d")
def pool_output_size() -> Pairs:
    for (i, k, s, p, d), ceil in product(GEOMETRIES, (False, True)):
        if d * (k - 1) + 1 <= i + 2 * p and 2 * p <= k:
            options = {"stride": s, "padding": p, "dilation": d, "ceil_mode": ceil}
            y = F.max_pool1d(torch.zeros(1, 1, i), k, **options)
            yield shapes.pool_output_size(i, k, **options), y.shape[-1]


@case("dlref.shapes.same_padding", 'torch.nn.functional.conv1d(padding="same")')
def same_padding() -> Pairs:
    for k, d in product(range(1, 9), range(1, 5)):
        x = torch.arange(40.0).view(1, 1, -1)
        w = torch.arange(1.0, k + 1).view(1, 1, -1)
        padded = F.pad(x, shapes.same_padding(k, dilation=d))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an even kernel: torch copies the input
            theirs = F.conv1d(x, w, dilation=d, padding="same")
        yield F.conv1d(padded, w, dilation=d), theirs


@case("dlref.shapes.receptive_field", "torch: support of the gradient")
def receptive_field() -> Pairs:
    kinds = [(1, 1), (2, 2), (3, 1), (3, 2), (5, 1)]
    for layers in product(kinds, kinds, kinds):
        x = torch.ones(1, 1, 200, requires_grad=True)
        y = x
        for k, s in layers:
            y = F.conv1d(y, torch.ones(1, 1, k), stride=s)
        (dx,) = torch.autograd.grad(y[0, 0, 3], x)
        yield shapes.receptive_field(layers).size, (dx != 0).sum().item()


@case("dlref.shapes.conv_num_params", "torch.nn.Conv2d")
def conv_num_params() -> Pairs:
    for c, o, k, g, bias in product((2, 4), (4, 8), (1, 3), (1, 2), (True, False)):
        layer = nn.Conv2d(c, o, k, groups=g, bias=bias)
        theirs = sum(p.numel() for p in layer.parameters())
        yield shapes.conv_num_params(c, o, k, groups=g, bias=bias), theirs


@case("dlref.shapes.linear_num_params", "torch.nn.Linear")
def linear_num_params() -> Pairs:
    for c, o, bias in product((1, 3, 7), (1, 4), (True, False)):
        theirs = sum(p.numel() for p in nn.Linear(c, o, bias=bias).parameters())
        yield shapes.linear_num_params(c, o, bias=bias), theirs


@case("dlref.shapes.conv_macs", "torch.utils.flop_counter")
def conv_macs() -> Pairs:
    for c, o, k, g in product((2, 4), (4, 8), (1, 3), (1, 2)):
        layer, x = nn.Conv2d(c, o, k, groups=g), torch.zeros(1, c, 9, 11)
        with FlopCounterMode(display=False) as counter:
            y = layer(x)
        ours = shapes.conv_macs(c, o, k, y.shape[-2:], groups=g)
        yield ours, counter.get_total_flops() // 2


# --- information: SciPy, torch, scikit-learn ------------------------------------------


def distributions(count: int, seed: int = 0) -> Iterator[list[torch.Tensor]]:
    """Rows of float64 probabilities, small ones among them."""
    rng = np.random.default_rng(seed)
    for n in (2, 3, 10, 100):
        for _ in range(25):
            weights = rng.random((count, n)) ** 4 + 1e-9
            rows = weights / weights.sum(axis=1, keepdims=True)
            yield [torch.from_numpy(row) for row in rows]


@case("dlref.information.entropy", "scipy.stats.entropy", 1e-12)
def entropy() -> Pairs:
    for (p,), base in product(distributions(1), (None, 2, 10)):
        yield information.entropy(p, base), scipy.stats.entropy(p, base=base)


@case("dlref.information.kl_divergence", "scipy.stats.entropy", 1e-12)
def kl_divergence() -> Pairs:
    for (p, q), base in product(distributions(2), (None, 2)):
        yield information.kl_divergence(p, q, base), scipy.stats.entropy(p, q, base)


@case("dlref.information.cross_entropy", "torch.nn.functional.cross_entropy", 1e-12)
def cross_entropy() -> Pairs:
    for p, q in distributions(2):
        yield information.cross_entropy(p, q), F.cross_entropy(q.log(), p)


@case("dlref.information.js_divergence", "scipy: jensenshannon, squared", 1e-12)
def js_divergence() -> Pairs:
    for p, q in distributions(2):
        root = scipy.spatial.distance.jensenshannon(p, q)
        yield information.js_divergence(p, q), root**2


@case(
    "dlref.information.mutual_information", "sklearn.metrics.mutual_info_score", 1e-12
)
def mutual_information() -> Pairs:
    rng = np.random.default_rng(0)
    for rows, columns in product((2, 3, 5), (2, 4)):
        table = rng.integers(1, 50, (rows, columns))
        joint = torch.from_numpy(table / table.sum())
        theirs = sklearn.metrics.mutual_info_score(None, None, contingency=table)
        yield information.mutual_information(joint), theirs


@case("dlref.information.huffman_code_lengths", "every complete prefix code", 1e-12)
def huffman_code_lengths() -> Pairs:
    rng = np.random.default_rng(0)
    for n in (2, 3, 4, 5, 6, 7):
        codes = np.array(list(_complete_codes(n)))
        for _ in range(20):
            p = np.sort(rng.random(n) ** 3 + 1e-6)[::-1]
            p /= p.sum()
            lengths = information.huffman_code_lengths(torch.from_numpy(p.copy()))
            yield p @ lengths, (codes @ p).min()


def _complete_codes(
    n: int, shortest: int = 1, room: float = 1.0
) -> Iterator[list[int]]:
    """Yield the rising lengths of n words whose Kraft sum fills the room exactly."""
    if n == 0:
        if room == 0:
            yield []
        return
    for length in range(shortest, 8):
        if 2.0**-length <= room:
            for rest in _complete_codes(n - 1, length, room - 2.0**-length):
                yield [length, *rest]

"""What to time of dlref.transforms, against torchvision.

A target is the largest ratio, ours to theirs, that passes.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dlref import transforms as ours
from docs.tools.oracle import prepare_torchvision
from tests.benchmarks.harness import Case

NOT_SLOWER = 1.05
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# fmt: off
MODES = [
    "1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr",
    "HSV", "LAB", "I", "I;16", "I;16L", "I;16B", "F",
]
# fmt: on
MODES_OF_TENSORS = {
    torch.uint8: ["L", "LA", "RGB", "YCbCr", "HSV", "RGBA", "CMYK", "RGBX"],
    torch.int16: ["I;16"],
    torch.int32: ["I"],
    torch.float32: ["F", "L", "LA", "RGB", "RGBA"],
}


def image(mode: str, side: int) -> Image.Image:
    size = (side, side)
    count = len(Image.new(mode, size).tobytes())
    return Image.frombytes(mode, size, np.random.default_rng(0).bytes(count))


def planes(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def to_tensor_cases(theirs: Callable[..., Tensor]) -> Iterator[Case]:
    def case(name: str, pic: object, target: float = NOT_SLOWER) -> Case:
        return Case(
            "to_tensor", name, lambda: ours.to_tensor(pic), lambda: theirs(pic), target
        )

    targets = {("RGB", 32): 0.6, ("RGB", 224): 0.8}
    for side in 32, 224:
        for mode in MODES:
            target = targets.get((mode, side), NOT_SLOWER)
            yield case(f"PIL {mode} {side}²", image(mode, side), target)
        for dtype in "uint8", "float32":
            levels = np.asarray(image("RGB", side)).astype(dtype)
            yield case(f"ndarray {dtype} {side}²", levels)
    yield case("PIL RGB 1080²", image("RGB", 1080))


def to_pil_image_cases(theirs: Callable[..., Image.Image]) -> Iterator[Case]:
    def case(
        name: str, pic: object, mode: str | None, target: float = NOT_SLOWER
    ) -> Case:
        return Case(
            "to_pil_image",
            name,
            lambda: ours.to_pil_image(pic, mode),
            lambda: theirs(pic, mode),
            target,
        )

    targets = {(torch.uint8, "RGB", 224): 0.2, (torch.float32, "RGB", 224): 0.35}
    for side in 32, 224:
        for dtype, modes in MODES_OF_TENSORS.items():
            kind = str(dtype).removeprefix("torch.")
            for mode in modes:
                x = planes(len(Image.new(mode, (1, 1)).getbands()), side, side)
                x = x if dtype.is_floating_point else (x * 256).to(dtype)
                target = targets.get((dtype, mode, side), NOT_SLOWER)
                yield case(f"{kind} {mode} {side}²", x, mode, target)
        levels = np.asarray(image("RGB", side))
        yield case(f"ndarray uint8 RGB {side}²", levels, None)


def normalize_cases(theirs: Callable[..., Tensor]) -> Iterator[Case]:
    for shape in (3, 32, 32), (3, 224, 224), (16, 3, 224, 224):
        x = planes(*shape)
        yield Case(
            "normalize",
            " × ".join(map(str, shape)),
            lambda x=x: ours.normalize(x, MEAN, STD),
            lambda x=x: theirs(x, MEAN, STD),
            0.8,
        )
    x = planes(3, 224, 224)
    negated = [-m / s for m, s in zip(MEAN, STD, strict=True)]
    inverted = [1 / s for s in STD]
    yield Case(
        "denormalize",
        "224² ÷ normalize(-mean/std, 1/std)",
        lambda: ours.denormalize(x, MEAN, STD),
        lambda: theirs(x, negated, inverted),
        0.8,
    )


def class_cases(
    normalize: Callable[..., Tensor], composition: Callable[..., Tensor]
) -> Iterator[Case]:
    transform = ours.Normalize(MEAN, STD)
    for side, target in (32, 0.2), (224, 0.5):
        x = planes(3, side, side)
        yield Case(
            "Normalize",
            f"{side}²",
            lambda x=x: transform(x),
            lambda x=x: normalize(x),
            target,
        )
    composed = ours.Compose([ours.ToTensor(), transform])
    for side in 32, 224:
        pic = image("RGB", side)
        target = 0.65 if side == 224 else NOT_SLOWER
        yield Case(
            "to_normalized_tensor",
            f"PIL RGB {side}²",
            lambda pic=pic: ours.to_normalized_tensor(pic, MEAN, STD),
            lambda pic=pic: composition(pic),
            target,
        )
        yield Case(
            "Compose",
            f"ToTensor, Normalize {side}²",
            lambda pic=pic: composed(pic),
            lambda pic=pic: composition(pic),
            NOT_SLOWER,
        )


def cases() -> list[Case]:
    """Return one case a mode, size and function."""
    prepare_torchvision()
    import torchvision.transforms.functional as TF
    from torchvision import transforms as TV

    composed = TV.Compose([TV.ToTensor(), TV.Normalize(MEAN, STD)])
    return [
        *to_tensor_cases(TF.to_tensor),
        *to_pil_image_cases(TF.to_pil_image),
        *normalize_cases(TF.normalize),
        *class_cases(TV.Normalize(MEAN, STD), composed),
    ]

"""What the tests of image transforms share: images to transform, and comparisons."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image
from torch import Tensor

quick = settings(max_examples=150, deadline=None)

PIL_MODES = (
    *("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"),
    *("I", "I;16", "F", "LA", "PA", "RGBX", "RGBa", "La"),
)
SHAPES = [(7, 9), (3, 7, 9), (2, 3, 7, 9), (2, 1, 3, 7, 9)]
DTYPES = (torch.uint8, torch.int16, torch.int32, torch.float32, torch.float64)
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": lambda x: x,
    "channels_last": lambda x: x.to(memory_format=torch.channels_last),
    "transposed": lambda x: x.mT.contiguous().mT,
    "strided": lambda x: x.repeat_interleave(2, dim=-1)[..., ::2],
    "expanded": lambda x: x[:1].expand(2, -1, -1, -1),
}


def pil_image(mode: str, height: int = 7, width: int = 9, seed: int = 0) -> Image.Image:
    """Return an image of noise."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    if mode == "I;16":
        return Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    if mode in ("I", "F"):
        scale = np.int32(100_000) if mode == "I" else np.float32(0.37)
        return Image.fromarray((noise[..., 0] - 128.0).astype(scale.dtype) * scale)
    if mode == "1":
        return Image.fromarray(noise[..., 0] > 127)
    bands = Image.getmodebands(mode)
    image = Image.frombytes(mode, (width, height), noise[..., :bands].tobytes())
    if mode in ("P", "PA"):
        image.putpalette(rng.integers(0, 256, 768, dtype=np.uint8).tobytes())
    return image


def tensor_image(
    *shape: int, dtype: torch.dtype = torch.float32, seed: int = 0
) -> Tensor:
    """Return a tensor of noise: 0 to 1, or all values of an integer type to 2 ** 15."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(shape, generator=generator, dtype=torch.float64)
    if dtype.is_floating_point or dtype == torch.bool:
        return x.round().bool() if dtype == torch.bool else x.to(dtype)
    return (x * (min(torch.iinfo(dtype).max, 2**15 - 1) + 1)).floor().to(dtype)


def assert_same(ours: Any, theirs: Any) -> None:
    """Assert that two images are equal, bit by bit."""
    if isinstance(theirs, Tensor):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        assert torch.equal(ours, theirs)
        return
    assert isinstance(ours, Image.Image)
    assert (ours.mode, ours.size) == (theirs.mode, theirs.size)
    assert ours.tobytes() == theirs.tobytes()
    assert ours.getpalette() == theirs.getpalette()


def check(ours: Callable[[Any], Any], theirs: Callable[[Any], Any], img: Any) -> None:
    """Assert that both give the same, or raise the same, and leave the image alone."""
    before = img.clone() if isinstance(img, Tensor) else img.copy()
    try:
        expected = theirs(img)
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            ours(img)
    else:
        assert_same(ours(img), expected)
    assert_same(img, before)


def gradient(function: Callable[[Tensor], Tensor], x: Tensor, seed: int = 0) -> Tensor:
    """Return the gradient of a random weighting of the function's values."""
    x = x.clone().requires_grad_()
    y = function(x)
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(y.shape, generator=generator, dtype=torch.float64)
    (dx,) = torch.autograd.grad(y, x, weights.to(y.dtype))
    return dx


def assert_refused(
    ours: Callable[[], object], theirs: Callable[[], object] | None, kind: type
) -> None:
    """Assert that a call is refused at our door, and as they do where they do."""
    with pytest.raises(kind, match=r"(?s)expected.*got") as refusal:
        ours()
    assert type(refusal.value) is kind
    assert refusal.traceback[-1].path.parts[-3:-1] == ("dlref", "transforms")
    if theirs is not None:
        with pytest.raises(kind):
            theirs()

"""to_pil_image against torchvision: the same pixels, modes, refusals and aliases."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from torch import Tensor
from torchvision import transforms as TV

import dlref.transforms.pil_image as room
from dlref.transforms import ToPILImage, ToTensor, to_pil_image, to_tensor

# fmt: off
MODES = [
    None, "1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK",
    "YCbCr", "HSV", "LAB", "I", "I;16", "I;16B", "F", "",
]
DTYPES = [
    "?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16",
]
# fmt: on
SHAPES = [(1, 1), (1, 7), (5, 3), (151, 139)]  # H, W; the last is large
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "by pixels": lambda a: a,
    "by planes": lambda a: np.ascontiguousarray(a.transpose(2, 0, 1)).transpose(
        1, 2, 0
    ),
    "Fortran": np.asfortranarray,
    "upside down": lambda a: a[::-1],
    "mirrored": lambda a: a[:, ::-1],
    "planes upside down": lambda a: LAYOUTS["by planes"](a)[::-1],
    "cut out of planes": lambda a: LAYOUTS["by planes"](
        np.pad(a, [(1, 1), (1, 1), (0, 0)])
    )[1:-1, 1:-1],
    "stepped": lambda a: a.repeat(2, 0).repeat(2, 1)[::2, ::2],
    "channels reversed": lambda a: a[:, :, ::-1],
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


def array(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Random values: floating ones in [-3, 3), integers over their whole range."""
    rng = np.random.default_rng(0)
    kind = np.dtype(dtype).kind
    if kind in "fc":
        return rng.uniform(-3, 3, shape).astype(dtype)
    if kind == "b":
        return rng.random(shape) < 0.5
    info = np.iinfo(dtype)
    native = dtype.removeprefix(">")
    return rng.integers(info.min, info.max, shape, native, endpoint=True).astype(dtype)


def assert_same(ours: Image.Image, theirs: Image.Image) -> None:
    assert (ours.mode, ours.size) == (theirs.mode, theirs.size)
    assert ours.tobytes() == theirs.tobytes()
    if ours.mode in {"LA", "RGB", "RGBA", "YCbCr", "CMYK"} and 0 not in ours.size:
        for mode in "L", "RGB", "RGBA":  # bytes that tobytes() leaves out
            if ours.mode != "YCbCr" or mode == "RGB":
                assert ours.convert(mode).tobytes() == theirs.convert(mode).tobytes()


def outcome(
    convert: Callable[..., Image.Image], pic: Tensor | np.ndarray, mode: str | None
) -> Image.Image | type[Exception]:
    try:
        return convert(pic, mode)
    except (TypeError, ValueError) as error:
        return type(error)


def assert_same_outcome(pic: Tensor | np.ndarray, mode: str | None) -> None:
    ours, theirs = outcome(to_pil_image, pic, mode), outcome(TF.to_pil_image, pic, mode)
    if isinstance(ours, Image.Image) and isinstance(theirs, Image.Image):
        assert_same(ours, theirs)
    else:
        assert ours == theirs


@pytest.mark.parametrize("dtype", [*DTYPES, ">i2", ">i4", ">f4", ">f8"])
def test_every_dtype_in_every_mode(dtype: str) -> None:
    for h, w, c in [(*shape, c) for shape in SHAPES for c in (1, 2, 3, 4)]:
        a = array((h, w, c), dtype)
        before = a.tobytes()
        for mode in MODES:
            assert_same_outcome(a, mode)
            if a.dtype.isnative:
                assert_same_outcome(torch.from_numpy(a).permute(2, 0, 1), mode)
                assert_same_outcome(torch.from_numpy(a.T.copy()), mode)
        assert a.tobytes() == before


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["u1", "f2", "f4", "f8", "i2", "i4"])
def test_every_layout(dtype: str, layout: str) -> None:
    for c in 1, 2, 3, 4:
        for h, w in SHAPES:
            a = LAYOUTS[layout](array((h, w, c), dtype))
            for mode in None, "F", "HSV", "CMYK":
                assert_same_outcome(a, mode)


@pytest.mark.parametrize("few", [-1, 10**9], ids=["all are many", "all are few"])
def test_the_size_decides_the_route_only(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_FEW", few)
    for layout in LAYOUTS.values():
        for h, w in SHAPES:
            for mode in "LA", "RGB", "YCbCr", "HSV", "RGBA", "CMYK", "RGBX":
                a = layout(array((h, w, len(Image.new(mode, (1, 1)).getbands())), "u1"))
                assert_same(to_pil_image(a, mode), TF.to_pil_image(a, mode))


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8"])
def test_two_dimensions_are_one_channel(dtype: str) -> None:
    for shape in SHAPES:
        for pic in array(shape, dtype), torch.from_numpy(array(shape, dtype)):
            assert_same(to_pil_image(pic), TF.to_pil_image(pic))


@given(
    hnp.arrays(
        st.sampled_from(["u1", "f4", "f8"]),
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 5)),
        elements={"min_value": 0, "max_value": 1},
    ),
    st.sampled_from(MODES),
)
@settings(max_examples=200, deadline=None)
def test_any_array(a: np.ndarray, mode: str | None) -> None:
    assert_same_outcome(a, mode)


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.integers(1, 4),
    st.sampled_from([torch.uint8, torch.float32, torch.float64]),
)
@settings(max_examples=200, deadline=None)
def test_any_tensor(size: tuple[int, int], channels: int, dtype: torch.dtype) -> None:
    x = torch.from_numpy(array((channels, *size), "u1"))
    x = x / 255 if dtype.is_floating_point else x
    assert_same(to_pil_image(x.to(dtype)), TF.to_pil_image(x.to(dtype)))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_values_no_integer_can_hold(dtype: str) -> None:
    a = np.array([np.nan, np.inf, -np.inf, 1e9, -1e9, 1e30, 2**24, 8.5e6] * 5, dtype)
    a = np.stack([a.reshape(5, 8)] * 3, axis=-1)
    with pytest.warns(RuntimeWarning, match="invalid value"):
        to_pil_image(a)
    with np.errstate(invalid="ignore", over="ignore"):
        assert_same(to_pil_image(a), TF.to_pil_image(a))


def test_levels_are_truncated_and_wrap() -> None:
    def level(value: float) -> object:
        return to_pil_image(torch.full((1, 1), value)).getpixel((0, 0))

    assert (level(0.999), level(1.0), level(0.5), level(0.0)) == (254, 255, 127, 0)
    assert (level(1.5), level(-0.5)) == (126, 129)
    assert to_pil_image(torch.full((1, 1), 7, dtype=torch.uint8)).getpixel((0, 0)) == 7
    assert to_pil_image(torch.full((1, 1), 0.5), mode="F").getpixel((0, 0)) == 0.5


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.float32, torch.float64], ids=str
)
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "YCbCr", "HSV", "RGBA", "CMYK"])
def test_round_trip_of_all_levels(mode: str, dtype: torch.dtype) -> None:
    channels = len(Image.new(mode, (1, 1)).getbands())
    for size in (16, 16), (160, 160):
        levels = np.resize(np.arange(256, dtype=np.uint8), (*size, channels))
        pic = Image.frombytes(mode, size, levels.tobytes())
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            x = to_tensor(pic)
        finally:
            torch.set_default_dtype(before)
        assert x.dtype == dtype
        assert_same(to_pil_image(x, mode if channels > 1 else None), pic)


@given(
    hnp.arrays("u1", st.tuples(*[st.integers(1, 9)] * 2, st.sampled_from([1, 3, 4])))
)
@settings(max_examples=100, deadline=None)
def test_round_trip_of_any_8_bit_array(a: np.ndarray) -> None:
    b = np.asarray(to_pil_image(to_tensor(a)))
    assert np.array_equal(b.reshape(a.shape), a)


@pytest.mark.parametrize("mode", ["I", "I;16", "F"])
def test_round_trip_of_wide_levels(mode: str) -> None:
    pic = Image.frombytes(mode, (5, 3), np.arange(15, dtype="i4").tobytes())
    if mode == "I;16":
        pic = Image.frombytes(mode, (5, 3), np.arange(15, dtype="i2").tobytes())
    assert_same(to_pil_image(to_tensor(pic), mode), pic)


@pytest.mark.parametrize("shape", [(5, 3), (151, 139)], ids=str)
@pytest.mark.parametrize(
    ("dtype", "channels"),
    [
        ("u1", 1),
        ("i2", 1),
        ("i4", 1),
        ("f4", 1),
        ("u1", 2),
        ("u1", 3),
        ("u1", 4),
        ("f8", 1),
    ],
)
@pytest.mark.parametrize(
    "layout", ["by pixels", "by planes", "mirrored", "as a tensor"]
)
def test_memory_is_shared_where_torchvision_shares_it(
    layout: str, dtype: str, channels: int, shape: tuple[int, int]
) -> None:
    a = array((*shape, channels), dtype)
    if layout == "as a tensor":
        pic = torch.from_numpy(a).permute(2, 0, 1).contiguous()
    else:
        pic = LAYOUTS[layout](a)
    mode = "F" if dtype == "f4" else None
    ours, theirs = to_pil_image(pic, mode), TF.to_pil_image(pic, mode)
    before = ours.tobytes()
    pic[:] = 1
    assert (ours.tobytes() == before) == (theirs.tobytes() == before)
    assert ours.tobytes() == theirs.tobytes()


def test_writing_to_an_image_that_shares_memory_leaves_the_source_alone() -> None:
    x = torch.zeros(1, 5, 3, dtype=torch.uint8)
    pic = to_pil_image(x)
    pic.putpixel((0, 0), 9)
    assert not x.any()


def test_tensors_with_a_gradient_or_a_lazy_conjugate() -> None:
    x = torch.rand(3, 5, 3, requires_grad=True)
    assert_same(to_pil_image(x), to_pil_image(x.detach()))
    y = torch._neg_view(torch.rand(3, 5, 3))
    assert_same(to_pil_image(y), TF.to_pil_image(y))


def test_class() -> None:
    x = torch.rand(3, 5, 3)
    assert_same(ToPILImage()(x), TV.ToPILImage()(x))
    assert_same(ToPILImage("HSV")(x), TV.ToPILImage("HSV")(x))
    assert_same(ToPILImage()(ToTensor()(ToPILImage()(x))), ToPILImage()(x))
    assert repr(ToPILImage()) == repr(TV.ToPILImage()) == "ToPILImage()"
    assert repr(ToPILImage("L")) == repr(TV.ToPILImage("L")) == "ToPILImage(mode=L)"


def pixels(c: int, dtype: str) -> np.ndarray:
    return np.zeros((2, 2, c), dtype)


REFUSED = {
    "list": ([[1, 2]], None, TypeError, "tensor or a NumPy array, got list"),
    "image": (Image.new("L", (1, 1)), None, TypeError, "got Image"),
    "0-D": (torch.tensor(1.0), None, ValueError, r"got shape \(\)"),
    "1-D": (np.zeros(3), None, ValueError, r"2 or 3 dimensions, got shape \(3,\)"),
    "4-D": (torch.zeros(1, 3, 2, 2), None, ValueError, r"got shape \(1, 3, 2, 2\)"),
    "5 channels": (pixels(5, "u1"), None, ValueError, "1 to 4 channels, got 5"),
    "no channels": (pixels(0, "u1"), None, ValueError, "1 to 4 channels, got 0"),
    "H, W, C as a tensor": (torch.zeros(5, 5, 3), None, ValueError, "got 5"),
    "bfloat16": (
        torch.zeros(3, 2, 2).bfloat16(),
        None,
        TypeError,
        "got torch.bfloat16",
    ),
    "int64": (
        pixels(1, "i8"),
        None,
        TypeError,
        r"no mode holds 1 channel\(s\) of .*int64",
    ),
    "int64, RGB": (pixels(3, "i8"), None, TypeError, r"3 channel\(s\) of .*int64"),
    "bool": (pixels(1, "?"), None, TypeError, "bool"),
    "complex": (pixels(3, "c8"), None, TypeError, "complex64"),
    "uint16": (pixels(1, "u2"), None, TypeError, "uint16"),
    "mode for 1": (pixels(1, "u1"), "RGB", ValueError, r"one of \('L',\), got 'RGB'"),
    "mode for int64": (pixels(1, "i8"), "I", ValueError, "int64"),
    "mode for float64": (pixels(1, "f8"), "F", ValueError, "float64"),
    "mode for 2": (pixels(2, "u1"), "RGB", ValueError, r"\('LA',\), got 'RGB'"),
    "mode for 3": (pixels(3, "u1"), "LAB", ValueError, "'YCbCr', 'HSV'.*, got 'LAB'"),
    "mode for 4": (pixels(4, "u1"), "RGB", ValueError, "'CMYK', 'RGBX'.*, got 'RGB'"),
    "no mode at all": (pixels(3, "u1"), "BGR", ValueError, "got 'BGR'"),
}


@pytest.mark.refusal
@pytest.mark.parametrize("what", REFUSED)
def test_refusals(what: str) -> None:
    pic, mode, error, message = REFUSED[what]
    with pytest.raises(error, match=message):
        to_pil_image(pic, mode)
    with pytest.raises(error):
        TF.to_pil_image(pic, mode)

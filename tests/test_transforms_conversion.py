"""to_tensor against torchvision: every mode, every dtype, the same bits."""

import io
from collections.abc import Callable, Iterator
from fractions import Fraction

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

import dlref.transforms.conversion as room
from dlref.transforms import ToTensor, to_tensor

# fmt: off
MODES = [
    "1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr",
    "HSV", "LAB", "I", "I;16", "I;16L", "I;16B", "I;16N", "F",
]
DTYPES = [
    "?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16",
]
# fmt: on
SIZES = [(1, 1), (7, 1), (1, 5), (5, 3), (32, 32), (139, 151)]  # W, H; small and large
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it is": lambda a: a,
    "Fortran": np.asfortranarray,
    "stepped": lambda a: a[::2, 1::3],
    "transposed": lambda a: a.swapaxes(0, 1),
    "by planes": lambda a: np.ascontiguousarray(a.T).T,
    "stride 0": lambda a: np.lib.stride_tricks.as_strided(
        a, a.shape, (0, *a.strides[1:])
    ),
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


def image(mode: str, size: tuple[int, int]) -> Image.Image:
    """An image of random pixels, in "F" also far outside [0, 1]."""
    rng = np.random.default_rng(0)
    if mode == "F":
        values = rng.normal(scale=300, size=size[::-1]).astype(np.float32)
        return Image.frombytes(mode, size, values.tobytes())
    return Image.frombytes(mode, size, rng.bytes(len(Image.new(mode, size).tobytes())))


def array(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """An array of random values, over the whole range of integers."""
    rng = np.random.default_rng(0)
    if dtype[0] in "fc":
        return rng.normal(scale=300, size=shape).astype(dtype)
    if dtype == "?":
        return rng.random(shape) < 0.5
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def assert_same(ours: Tensor, theirs: Tensor) -> None:
    """The same bits, dtype and shape, and strides where they lead anywhere."""
    assert (ours.dtype, ours.shape, ours.device) == (
        theirs.dtype,
        theirs.shape,
        theirs.device,
    )
    assert ours.is_contiguous()
    if ours.numel():
        strides = zip(ours.shape, ours.stride(), theirs.stride(), strict=True)
        assert all(s == t for n, s, t in strides if n > 1)
        bits = ours.flatten().view(torch.uint8), theirs.flatten().view(torch.uint8)
        assert torch.equal(*bits)


def shares_memory(x: Tensor, a: np.ndarray) -> bool:
    return np.may_share_memory(x.numpy(), a)


@pytest.fixture(params=[torch.float64, torch.float16, torch.bfloat16], ids=str)
def default_dtype(request: pytest.FixtureRequest) -> Iterator[torch.dtype]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(request.param)
    yield request.param
    torch.set_default_dtype(before)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_image(mode: str, size: tuple[int, int]) -> None:
    pic = image(mode, size)
    before = pic.tobytes()
    ours = to_tensor(pic)
    assert_same(ours, TF.to_tensor(pic))
    ours.zero_()
    assert pic.tobytes() == before


@pytest.mark.parametrize("mode", MODES)
def test_image_in_other_default_dtypes(mode: str, default_dtype: torch.dtype) -> None:
    for size in (5, 3), (139, 151):
        pic = image(mode, size)
        assert_same(to_tensor(pic), TF.to_tensor(pic))
    assert to_tensor(image("RGB", (5, 3))).dtype == default_dtype


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)], ids=str)
@pytest.mark.parametrize("mode", MODES)
def test_image_without_pixels(mode: str, size: tuple[int, int]) -> None:
    pic = Image.new(mode, size)
    assert_same(to_tensor(pic), TF.to_tensor(pic))


@pytest.mark.parametrize(
    ("form", "mode"), [("PNG", "1"), ("PNG", "P"), ("JPEG", "RGB")]
)
def test_image_not_yet_loaded(form: str, mode: str) -> None:
    file = io.BytesIO()
    image(mode, (139, 151)).save(file, form)
    assert_same(to_tensor(Image.open(file)), TF.to_tensor(Image.open(file)))


def test_image_whose_mode_and_size_change_as_it_loads() -> None:
    class Late(Image.Image):
        def load(self) -> object:
            loaded = image("I", (5, 3))
            self._mode, self._size, self.im = "I", (5, 3), loaded.im
            return super().load()

    late = Late()
    late._mode, late._size = "RGB", (50, 30)
    assert_same(to_tensor(late), to_tensor(image("I", (5, 3))))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_array(dtype: str, layout: str) -> None:
    for shape in (5, 3), (5, 3, 1), (1, 3, 2), (5, 1, 3), (9, 7, 4), (151, 139, 3):
        a = LAYOUTS[layout](array(shape, dtype))
        before = a.copy()
        ours, theirs = (
            to_tensor(a),
            TF.to_tensor(a.copy("K") if layout == "read-only" else a),
        )
        assert_same(ours, theirs)
        if layout != "read-only":
            assert shares_memory(ours, a) == shares_memory(theirs, a)
        assert np.array_equal(a, before)


def test_array_in_other_default_dtypes(default_dtype: torch.dtype) -> None:
    for shape in (16, 16), (5, 3, 2), (151, 139, 3):
        for dtype in DTYPES:
            a = array(shape, dtype)
            assert_same(to_tensor(a), TF.to_tensor(a))
    assert to_tensor(array((5, 3), "u1")).dtype == default_dtype


@pytest.mark.parametrize("shape", [(0, 5), (5, 0, 3), (5, 5, 0), (5, 5, 7)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_array_with_any_number_of_rows_and_channels(
    dtype: str, shape: tuple[int, ...]
) -> None:
    a = array(shape, dtype)
    assert_same(to_tensor(a), TF.to_tensor(a))


@given(
    hnp.arrays(
        st.sampled_from(["u1", "i4", "f4", "f8"]),
        hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=9),
    )
)
@settings(max_examples=200, deadline=None)
def test_any_array(a: np.ndarray) -> None:
    assert_same(to_tensor(a), TF.to_tensor(a))


@given(
    mode=st.sampled_from(MODES), size=st.tuples(st.integers(1, 90), st.integers(1, 90))
)
@settings(max_examples=200, deadline=None)
def test_any_image(mode: str, size: tuple[int, int]) -> None:
    pic = image(mode, size)
    assert_same(to_tensor(pic), TF.to_tensor(pic))


@pytest.mark.parametrize("few", [-1, 10**9], ids=["all are many", "all are few"])
def test_the_size_decides_the_route_only(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_FEW", few)
    for mode in MODES:
        for size in (1, 1), (5, 3), (139, 151):
            assert_same(to_tensor(image(mode, size)), TF.to_tensor(image(mode, size)))
    for layout in LAYOUTS.values():
        a = layout(array((9, 7, 3), "u1"))
        assert_same(to_tensor(a), TF.to_tensor(a.copy()))


def test_all_levels_are_the_quotients_correctly_rounded() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    quotients = [np.float32(float(Fraction(k, 255))) for k in range(256)]
    assert to_tensor(levels).flatten().tolist() == [float(q) for q in quotients]
    times_reciprocal = torch.arange(256) * torch.tensor(1 / 255)
    assert (to_tensor(levels).flatten() != times_reciprocal).sum() == 126


def test_only_8_bit_levels_are_scaled() -> None:
    assert to_tensor(np.array([[995.3]])).item() == 995.3
    assert to_tensor(np.array([[255]], np.int16)).item() == 255
    assert to_tensor(Image.new("I", (1, 1), 70_000)).item() == 70_000
    assert to_tensor(Image.new("F", (1, 1), 0.5)).item() == 0.5
    assert to_tensor(Image.new("I;16", (1, 1), 40_000)).item() == 40_000 - 2**16
    assert to_tensor(Image.new("1", (1, 1), 1)).item() == 1.0
    assert to_tensor(Image.new("L", (1, 1), 1)).item() == np.float32(1 / 255)


def test_axes_are_transposed_not_reshaped() -> None:
    a = np.arange(5 * 7 * 3).reshape(5, 7, 3)
    x = to_tensor(a)  # (3, 5, 7)
    assert x.shape == (3, 5, 7)
    assert all(
        x[c, h, w] == a[h, w, c] for c in range(3) for h in range(5) for w in range(7)
    )


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4"])
@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 3), (151, 139, 3)], ids=str)
def test_read_only_memory_is_copied_without_a_warning(
    shape: tuple[int, ...], dtype: str
) -> None:
    a = LAYOUTS["read-only"](array(shape, dtype))
    before = a.copy()
    torch.set_warn_always(True)  # else torch warns once in the life of a process
    try:
        x = to_tensor(a)
        with pytest.warns(UserWarning, match="not writable"):
            TF.to_tensor(a)
    finally:
        torch.set_warn_always(False)
    x.zero_()
    assert np.array_equal(a, before)


def test_subclasses_of_array_count_as_plain_ones() -> None:
    masked = np.ma.masked_array(array((5, 3), "u1"), mask=True)
    assert_same(to_tensor(masked), TF.to_tensor(masked))
    assert_same(
        to_tensor(array((5, 3), "f4").view(np.recarray)), to_tensor(array((5, 3), "f4"))
    )


def test_the_default_device_is_not_asked() -> None:
    for size in (5, 3), (139, 151):
        for pic in image("RGB", size), image("I", size), array((*size, 3), "f4"):
            with torch.device("meta"):
                ours, theirs = to_tensor(pic), TF.to_tensor(pic)
            assert_same(ours, theirs)


def test_class() -> None:
    pic = image("RGB", (5, 3))
    assert_same(ToTensor()(pic), TV.ToTensor()(pic))
    assert repr(ToTensor()) == repr(TV.ToTensor()) == "ToTensor()"


STEP = np.dtype([("a", "u1"), ("b", "f4")])
REFUSED = {
    "list": ([[1, 2]], TypeError, "PIL image or a NumPy array, got list"),
    "None": (None, TypeError, "got NoneType"),
    "tensor": (torch.zeros(3, 2, 2), TypeError, "got Tensor"),
    "path": ("cat.png", TypeError, "got str"),
    "1-D": (np.zeros(3), ValueError, r"2 or 3 dimensions, got shape \(3,\)"),
    "4-D": (np.zeros((1, 2, 2, 3)), ValueError, r"got shape \(1, 2, 2, 3\)"),
    "object": (np.zeros((2, 2), object), TypeError, "numeric dtype, got object"),
    "text": (np.zeros((2, 2), "U1"), TypeError, "got <U1"),
    "date": (np.zeros((2, 2), "M8[s]"), TypeError, r"got datetime64\[s\]"),
    "long double": (np.zeros((2, 2), np.longdouble), TypeError, "got float128"),
    "record": (np.zeros((2, 2), STEP), TypeError, "numeric dtype, got"),
    "big-endian": (np.zeros((2, 2), ">i2"), ValueError, "byte order, got dtype '>i2'"),
    "negative stride": (np.zeros((4, 2))[::-1], ValueError, r"got \(-16, 8\)"),
    "negative, 8-bit": (np.zeros((4, 2), "u1")[:, ::-1], ValueError, r"got \(2, -1\)"),
    "negative, unused": (np.zeros((1, 2))[::-1], ValueError, "strides"),
    "odd stride": (
        np.zeros((2, 2), STEP)["b"],
        ValueError,
        r"4-byte items, got \(10, 5\)",
    ),
}


@pytest.mark.refusal
@pytest.mark.parametrize("what", REFUSED)
def test_refusals(what: str) -> None:
    pic, error, message = REFUSED[what]
    with pytest.raises(error, match=message):
        to_tensor(pic)
    with pytest.raises((TypeError, ValueError)):
        TF.to_tensor(pic)

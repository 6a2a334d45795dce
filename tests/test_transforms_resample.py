"""Resizing: torchvision's bits, and the formula of the docstring written out."""

import warnings

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dlref.transforms import InterpolationMode, resize
from dlref.transforms.resample import resized_size
from tests.transforms_oracle import (
    DTYPES,
    LAYOUTS,
    PIL_MODES,
    SHAPES,
    assert_refused,
    assert_same,
    check,
    gradient,
    pil_image,
    quick,
    tensor_image,
)

M = InterpolationMode
TENSOR_MODES = [M.NEAREST, M.NEAREST_EXACT, M.BILINEAR, M.BICUBIC]
SIZES = [4, [12], (3, 5), [12, 4], (7, 9), 7]
sides = st.integers(1, 12)


def theirs(mode):
    return TF.InterpolationMode(mode.value)


@pytest.mark.parametrize("mode", M)
@pytest.mark.parametrize("pil_mode", PIL_MODES)
def test_pil(pil_mode, mode):
    for size in SIZES:
        check(
            lambda i, s=size: resize(i, s, mode),
            lambda i, s=size: TF.resize(i, s, theirs(mode)),
            pil_image(pil_mode),
        )


@pytest.mark.parametrize("number", range(6))
def test_pillows_numbers(number):
    check(
        lambda i: resize(i, 5, number),
        lambda i: TF.resize(i, 5, number),
        pil_image("RGB"),
    )


def test_pil_warns_that_it_always_antialiases():
    image = pil_image("RGB")
    with pytest.warns(UserWarning, match="antialias"):
        ours = resize(image, 4, antialias=False)
    with pytest.warns(UserWarning, match="[Aa]nti-?alias"):
        assert_same(ours, TF.resize(image, 4, antialias=False))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(resize(image, 4, antialias=None), resize(image, 4))
        assert resize(image, (7, 9), antialias=False) is image


@pytest.mark.parametrize("antialias", [True, False, None])
@pytest.mark.parametrize("mode", TENSOR_MODES)
@pytest.mark.parametrize("dtype", [*DTYPES, torch.int8, torch.float16, torch.bool])
def test_tensor(dtype, mode, antialias):
    for shape in SHAPES[1:3]:
        x = tensor_image(*shape, dtype=dtype)
        for size in SIZES:
            check(
                lambda i, s=size: resize(i, s, mode, antialias=antialias),
                lambda i, s=size: TF.resize(i, s, theirs(mode), antialias=antialias),
                x,
            )


@pytest.mark.parametrize("mode", TENSOR_MODES)
def test_any_leading_axes(mode):
    """torchvision resizes (C, H, W) and (N, C, H, W) only."""
    x = tensor_image(2, 1, 3, 7, 9)
    y = resize(x, (4, 12), mode)
    assert y.shape == (2, 1, 3, 4, 12)
    for i in range(2):
        assert torch.equal(y[i], resize(x[i], (4, 12), mode))
    assert torch.equal(resize(x[0, 0, 0], 5, mode), resize(x[0, 0, :1], 5, mode)[0])


@pytest.mark.parametrize("mode", TENSOR_MODES)
def test_uint16_is_rounded(mode):
    """torchvision rounds all integers but these, and cuts them off."""
    x = tensor_image(3, 7, 9, dtype=torch.uint16)
    ours, cut = resize(x, 5, mode).int(), TF.resize(x, 5, theirs(mode)).int()
    assert ((ours - cut == 0) | (ours - cut == 1)).all()
    assert torch.equal(ours, resize(x.int(), 5, mode))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", TENSOR_MODES)
def test_layouts(mode, layout):
    for dtype in (torch.uint8, torch.float32, torch.float64):
        x = LAYOUTS[layout](tensor_image(2, 3, 6, 8, dtype=dtype))
        check(
            lambda i: resize(i, (4, 11), mode),
            lambda i: TF.resize(i, (4, 11), theirs(mode)),
            x,
        )
        y, z = resize(x, 4, mode), TF.resize(x, 4, theirs(mode))
        assert y.stride() == z.stride()


@quick
@given(
    *(sides, sides, sides, sides, st.sampled_from(TENSOR_MODES), st.booleans()),
    st.sampled_from([torch.uint8, torch.float32, torch.float64]),
)
def test_any_size(H, W, h, w, mode, antialias, dtype):
    check(
        lambda i: resize(i, (h, w), mode, antialias=antialias),
        lambda i: TF.resize(i, (h, w), theirs(mode), antialias=antialias),
        tensor_image(2, H, W, dtype=dtype),
    )
    if dtype == torch.uint8:
        check(
            lambda i: resize(i, (h, w), mode),
            lambda i: TF.resize(i, (h, w), theirs(mode)),
            pil_image("RGB", H, W),
        )


@quick
@given(
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.integers(1, 600),
    st.none() | st.integers(1, 700),
)
def test_resized_size(H, W, size, max_size):
    try:
        expected = TF._compute_resized_output_size((H, W), [size], max_size)
    except ValueError:
        expected = None
    if expected is None or min(expected) < 1:
        with pytest.raises(ValueError, match="expected"):
            resized_size((H, W), size, max_size)
    else:
        assert list(resized_size((H, W), [size], max_size)) == expected


@pytest.mark.parametrize("image", [pil_image("RGB", 30, 50), torch.zeros(3, 50, 30)])
def test_max_size(image):
    for size, bound in ((20, 25), (20, 40), ([20], 33), (2, 3)):
        check(
            lambda i, s=size, b=bound: resize(i, s, max_size=b),
            lambda i, s=size, b=bound: TF.resize(i, s, max_size=b),
            image,
        )


def test_an_image_of_that_size_is_returned_itself():
    for image in (pil_image("L"), torch.zeros(3, 7, 9)):
        for size in (7, (7, 9)):
            assert resize(image, size) is image
            assert TF.resize(image, size) is image


def kernel(mode, antialias):
    """Return k(t) of the docstring."""
    if mode is M.BILINEAR:
        return lambda t: np.maximum(0, 1 - abs(t))
    a = -0.5 if antialias else -0.75

    def keys(t):
        t = abs(t)
        near = (a + 2) * t**3 - (a + 3) * t**2 + 1
        far = a * t**3 - 5 * a * t**2 + 8 * a * t - 4 * a
        return np.where(t <= 1, near, np.where(t < 2, far, 0.0))

    return keys


def weights(N, n, mode, antialias):
    """Return the (n, N) matrix that the docstring says resizing is."""
    i, j = np.arange(n)[:, None], np.arange(N)
    x = N / n * (i + 0.5) - 0.5
    if mode is M.NEAREST:
        return (j == i * N // n).astype(float)
    if mode is M.NEAREST_EXACT:
        return (j == np.floor(x + 0.5)).astype(float)
    grow = n / N if antialias and n < N else 1.0
    k = kernel(mode, antialias)
    if antialias:  # pixels beyond the edge do not take part
        w = k((x - j) * grow)
        return w / w.sum(1, keepdims=True)
    w = np.zeros((n, N))  # the pixel at the edge stands for those beyond it
    for beyond in range(-4, N + 4):
        w[:, [min(max(beyond, 0), N - 1)]] += k(x - beyond)
    return w


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("mode", TENSOR_MODES)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 11, 16, 23])
def test_the_formula(mode, antialias, n):
    """Equal to the docstring's weights, written out in NumPy."""
    N = 11
    got = resize(torch.eye(N, dtype=torch.float64)[:, None], (1, n), mode,
                 antialias=antialias)  # fmt: skip
    expected = weights(N, n, mode, antialias).T
    np.testing.assert_allclose(got[:, 0].numpy(), expected, rtol=0, atol=1e-12)


def test_without_antialiasing_a_fine_pattern_becomes_a_coarse_one():
    stripes = (torch.arange(256) % 2).double().expand(1, 1, 256)
    aliased = resize(stripes, (1, 100), antialias=False)
    assert aliased.max() - aliased.min() > 0.9
    smooth = resize(stripes, (1, 100))[..., 2:-2]
    assert (smooth - 0.5).abs().max() < 0.05


@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("mode", TENSOR_MODES)
def test_gradient(mode, antialias):
    for size in ((3, 7), (6, 4)):

        def ours(x, s=size):
            return resize(x, s, mode, antialias=antialias)

        x = tensor_image(2, 5, 4, dtype=torch.float64)
        expected = gradient(
            lambda i, s=size: TF.resize(i, s, theirs(mode), antialias=antialias), x
        )
        assert torch.equal(gradient(ours, x), expected)
        assert torch.autograd.gradcheck(ours, x.requires_grad_())


@pytest.mark.refusal
def test_the_warning_points_at_the_caller():
    with pytest.warns(UserWarning, match="antialias") as caught:
        resize(pil_image("RGB"), 4, antialias=False)
    assert caught[0].filename == __file__


@pytest.mark.refusal
@pytest.mark.parametrize("img", [torch.zeros(3, 4, 5), Image.new("RGB", (5, 4))])
class TestRefuses:
    def test_what_is_no_size(self, img):
        for size in (None, "5", 2.5, [2.5, 3]):
            assert_refused(lambda s=size: resize(img, s), None, TypeError)

    def test_other_numbers_of_sizes(self, img):
        for size in ((), (1, 2, 3)):
            assert_refused(
                lambda s=size: resize(img, s),
                lambda s=size: TF.resize(img, s),
                ValueError,
            )

    def test_sizes_out_of_range(self, img):
        for size in (0, -1, (0, 3), (3, -1)):
            assert_refused(lambda s=size: resize(img, s), None, ValueError)

    def test_max_size(self, img):
        for size, bound in (((3, 4), 5), (3, 3), (3, 2)):
            assert_refused(
                lambda s=size, b=bound: resize(img, s, max_size=b),
                lambda s=size, b=bound: TF.resize(img, s, max_size=b),
                ValueError,
            )
        assert_refused(lambda: resize(img, 3, max_size="9"), lambda: TF.resize(
            img, 3, max_size="9"), TypeError)  # fmt: skip

    def test_interpolation(self, img):
        for value in ("bilinear", None, 1.0):
            assert_refused(
                lambda v=value: resize(img, 3, v),
                lambda v=value: TF.resize(img, 3, v),
                TypeError,
            )
        assert_refused(lambda: resize(img, 3, 6), None, ValueError)

    def test_methods_that_tensors_do_not_have(self, img):
        for mode in (M.BOX, M.HAMMING, M.LANCZOS):
            if isinstance(img, torch.Tensor):
                assert_refused(lambda m=mode: resize(img, 3, m), None, ValueError)
            else:
                assert resize(img, 3, mode).size == (3, 3)


@pytest.mark.refusal
def test_refuses_what_is_no_image():
    for img in (torch.zeros(3), np.zeros((4, 4)), None):
        assert_refused(
            lambda i=img: resize(i, 3), lambda i=img: TF.resize(i, 3), TypeError
        )
    assert_refused(lambda: resize(torch.zeros(3, 0, 4), 3), None, ValueError)

"""Brightness, contrast, saturation and hue: torchvision's bits; HSV is colorsys's."""

import colorsys
import math

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dlref.transforms import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)
from dlref.transforms.color import rgb_to_gray
from dlref.transforms.hsv import hsv_to_rgb, rgb_to_hsv
from tests.transforms_oracle import (
    LAYOUTS,
    PIL_MODES,
    SHAPES,
    assert_refused,
    check,
    gradient,
    pil_image,
    quick,
    tensor_image,
)

BLENDS = {
    adjust_brightness: TF.adjust_brightness,
    adjust_contrast: TF.adjust_contrast,
    adjust_saturation: TF.adjust_saturation,
}
FACTORS = [0, 0.0, 0.3, 1, 1.0, 1.7, 25.0]
HUES = [-0.5, -0.31, -1 / 3, -0.001, 0, 0.0, 0.001, 1 / 6, 0.25, 0.5]
DTYPES = [
    *(torch.uint8, torch.int8, torch.int16, torch.uint16, torch.bool),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
]
every = pytest.mark.parametrize("ours", [*BLENDS, adjust_hue])
blends = pytest.mark.parametrize("ours", BLENDS)


def theirs(ours):
    return TF.adjust_hue if ours is adjust_hue else BLENDS[ours]


def check_all(ours, img):
    for factor in HUES if ours is adjust_hue else FACTORS:
        check(
            lambda i, f=factor: ours(i, f), lambda i, f=factor: theirs(ours)(i, f), img
        )


@every
@pytest.mark.parametrize("mode", PIL_MODES)
def test_pil(ours, mode):
    """Equal in all modes; where Pillow cannot, both raise its ValueError."""
    check_all(ours, pil_image(mode))


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 10), st.floats(-0.5, 0.5), st.integers(0, 100))
def test_any_factor(factor, hue, seed):
    images = [
        pil_image("RGB", seed=seed),
        tensor_image(3, 7, 9, dtype=torch.uint8, seed=seed),
        tensor_image(2, 3, 7, 9, seed=seed),
        tensor_image(3, 7, 9, dtype=torch.float64, seed=seed),
    ]
    for image in images:
        for ours in BLENDS:
            there = theirs(ours)
            check(
                lambda i, o=ours: o(i, factor), lambda i, t=there: t(i, factor), image
            )
        check(lambda i: adjust_hue(i, hue), lambda i: TF.adjust_hue(i, hue), image)


@every
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensor(ours, dtype):
    for shape in SHAPES[1:]:
        check_all(ours, tensor_image(*shape, dtype=dtype))
    check_all(ours, tensor_image(1, 7, 9, dtype=dtype))


@blends
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_wide_integers(ours, dtype):
    check_all(ours, tensor_image(3, 7, 9, dtype=dtype))


@blends
def test_beyond_the_range(ours):
    check_all(ours, tensor_image(3, 7, 9) * 3 - 1)


@every
def test_height_and_width_only(ours):
    x = tensor_image(7, 9)
    assert torch.equal(ours(x, 0.4), ours(x[None], 0.4)[0])
    if ours is not adjust_contrast:  # of which torchvision wants three axes
        check_all(ours, x)


@every
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(ours, layout):
    for dtype in (torch.uint8, torch.float32):
        check_all(ours, LAYOUTS[layout](tensor_image(2, 3, 6, 8, dtype=dtype)))


@every
def test_levels_of_all_colours(ours):
    """Every hue, pure colours and greys: where the formulas have their corners."""
    levels = torch.tensor([0, 1, 2, 84, 127, 128, 129, 254, 255], dtype=torch.uint8)
    x = torch.cartesian_prod(levels, levels, levels).T.reshape(3, 27, 27)
    check_all(ours, x)
    check_all(ours, x / 255)
    check_all(ours, Image.fromarray(x.permute(1, 2, 0).numpy()))


@every
def test_a_factor_may_be_a_scalar_of_numpy_or_torch(ours):
    x = tensor_image(3, 4, 5)
    for factor in (np.float32(0.25), np.float64(0.25), torch.tensor(0.25)):
        assert torch.equal(ours(x, factor), ours(x, 0.25))


def test_one_channel_has_no_colour():
    x = tensor_image(2, 1, 4, 5)
    assert adjust_saturation(x, 0.3) is x
    assert adjust_hue(x, 0.3) is x
    image = pil_image("L")
    assert adjust_hue(image, 0.3) is image


class TestMeaning:
    def test_zero_gives_the_image_without_the_property(self):
        x = tensor_image(2, 3, 4, 5, dtype=torch.float64)
        gray = (x * torch.tensor([0.2989, 0.587, 0.114])[:, None, None]).sum(1, True)
        assert (adjust_brightness(x, 0) == 0).all()
        mean = gray.mean((1, 2, 3), keepdim=True).expand_as(x)
        torch.testing.assert_close(adjust_contrast(x, 0), mean, rtol=0, atol=1e-7)
        torch.testing.assert_close(
            adjust_saturation(x, 0), gray.expand_as(x), rtol=0, atol=1e-7
        )
        torch.testing.assert_close(rgb_to_gray(x), gray, rtol=0, atol=1e-7)

    @blends
    def test_one_gives_the_image(self, ours):
        for x in (tensor_image(3, 4, 5, dtype=torch.uint8), tensor_image(3, 4, 5)):
            assert torch.equal(ours(x, 1), x)

    def test_integers_are_cut_off(self):
        x = torch.tensor([[1, 3, 255]], dtype=torch.uint8)
        assert adjust_brightness(x, 0.99).tolist() == [[0, 2, 252]]

    def test_contrast_of_a_batch_is_of_each_image_by_itself(self):
        x = tensor_image(2, 3, 4, 5)
        each = torch.stack([adjust_contrast(image, 0.3) for image in x])
        torch.testing.assert_close(adjust_contrast(x, 0.3), each, rtol=0, atol=1e-7)

    @quick
    @given(*4 * [st.floats(0, 1)])
    def test_hsv_is_colorsyss(self, r, g, b, turn):
        rgb = torch.tensor([r, g, b], dtype=torch.float64).view(3, 1, 1)
        h, s, v = (t.item() for t in rgb_to_hsv(rgb))
        expected = colorsys.rgb_to_hsv(r, g, b)
        difference = abs(h - expected[0])
        # the hue of almost grey has no digits: it counts by what it does to the colour
        assert min(difference, 1 - difference) * (max(r, g, b) - min(r, g, b)) < 1e-15
        assert (s, v) == pytest.approx(expected[1:], rel=1e-15, abs=0)
        back = hsv_to_rgb(
            *(torch.full((1, 1), t, dtype=rgb.dtype) for t in (turn, s, v))
        )
        assert back.flatten().tolist() == pytest.approx(
            colorsys.hsv_to_rgb(turn, s, v), rel=0, abs=2e-15
        )

    def test_half_a_turn_gives_the_complement(self):
        x = tensor_image(3, 4, 5)
        torch.testing.assert_close(
            adjust_hue(x, 0.5), adjust_hue(x, -0.5), rtol=0, atol=1e-6
        )
        low, high = x.amin(0), x.amax(0)
        torch.testing.assert_close(
            adjust_hue(x, 0.5), low + high - x, rtol=0, atol=1e-6
        )

    def test_hue_is_computed_in_float32(self):
        x = tensor_image(3, 4, 5, dtype=torch.float64)
        assert torch.equal(adjust_hue(x, 0.2), adjust_hue(x.float(), 0.2).double())


class TestGradient:
    @every
    @pytest.mark.parametrize("factor", [0.0, 0.3, 0.5])
    def test_is_torchvisions(self, ours, factor):
        for x in (tensor_image(2, 3, 4, 5), tensor_image(1, 4, 5).double()):
            if ours in (adjust_saturation, adjust_hue) and len(x) == 1:
                continue  # the image itself
            got = gradient(lambda i: ours(i, factor), x)
            expected = gradient(lambda i: theirs(ours)(i, factor), x)
            if ours is adjust_hue:  # other formulas for the same curve
                torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)
            else:
                assert torch.equal(got, expected)

    @blends
    @pytest.mark.parametrize("factor", [0.0, 0.3, 0.9])
    def test_is_the_derivative(self, ours, factor):
        x = tensor_image(3, 3, 4, dtype=torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(lambda i: ours(i, factor), x)

    def test_of_hsv_is_the_derivative(self):
        x = tensor_image(3, 3, 4, dtype=torch.float64).requires_grad_()
        assert torch.autograd.gradcheck(rgb_to_hsv, x)
        hsv = [t.detach().requires_grad_() for t in rgb_to_hsv(x)]
        assert torch.autograd.gradcheck(hsv_to_rgb, hsv)


@pytest.mark.refusal
class TestRefuses:
    @every
    def test_factors(self, ours):
        for img in (torch.zeros(3, 4, 5), Image.new("RGB", (5, 4))):
            for factor in ("1", None, [1.0], 1j):
                assert_refused(lambda i=img, f=factor: ours(i, f), None, TypeError)
            for factor in (-1, 26 if ours is adjust_hue else -0.1, math.nan, math.inf):
                assert_refused(lambda i=img, f=factor: ours(i, f), None, ValueError)

    @every
    def test_factors_that_torchvision_refuses(self, ours):
        x = torch.zeros(3, 4, 5)
        assert_refused(lambda: ours(x, -1), lambda: theirs(ours)(x, -1), ValueError)
        assert_refused(lambda: ours(x, "1"), lambda: theirs(ours)(x, "1"), TypeError)

    @every
    def test_other_numbers_of_channels(self, ours):
        for shape in ((2, 4, 5), (4, 4, 5), (1, 5, 4, 5)):
            x = torch.zeros(shape)
            assert_refused(
                lambda i=x: ours(i, 0.5), lambda i=x: theirs(ours)(i, 0.5), TypeError
            )

    @every
    def test_what_is_no_image(self, ours):
        for img in (torch.zeros(3), np.zeros((4, 5, 3)), None):
            assert_refused(
                lambda i=img: ours(i, 0.5),
                lambda i=img: theirs(ours)(i, 0.5),
                TypeError,
            )

    @pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
    def test_integers_that_float32_cannot_hold(self, dtype):
        x = torch.zeros(3, 4, 5, dtype=dtype)
        assert_refused(lambda: adjust_hue(x, 0.1), None, TypeError)
        with pytest.raises(RuntimeError, match="cannot be performed safely"):
            TF.adjust_hue(x, 0.1)

"""Flips, crops and names of methods: torchvision's bits, and its refusals."""

import enum

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dlref.transforms import InterpolationMode, center_crop, crop, hflip, pad, vflip
from dlref.transforms.interpolation import as_interpolation, pil_resampling
from tests.transforms_oracle import (
    DTYPES,
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

sides = st.integers(1, 9)


class TestInterpolationMode:
    def test_members_are_torchvisions(self):
        assert {mode.name: mode.value for mode in InterpolationMode} == {
            mode.name: mode.value for mode in TF.InterpolationMode
        }

    @pytest.mark.parametrize("mode", TF.InterpolationMode)
    def test_reads_torchvisions_members(self, mode):
        ours = as_interpolation(mode)
        assert ours is InterpolationMode[mode.name]
        assert as_interpolation(ours) is ours
        assert pil_resampling(ours) == TF.pil_modes_mapping[mode]

    @pytest.mark.parametrize("number", range(6))
    def test_reads_pillows_numbers(self, number):
        expected = TF._interpolation_modes_from_int(number)
        assert as_interpolation(number).value == expected.value
        assert as_interpolation(Image.Resampling(number)).value == expected.value

    @pytest.mark.refusal
    def test_refuses_others(self):
        assert_refused(lambda: as_interpolation("bilinear"), None, TypeError)
        assert_refused(lambda: as_interpolation(None), None, TypeError)
        assert_refused(lambda: as_interpolation(6), None, ValueError)
        other = enum.Enum("Other", {"CUBIC": "cubic"})
        assert_refused(lambda: as_interpolation(other.CUBIC), None, ValueError)


class TestFlip:
    @pytest.mark.parametrize("mode", PIL_MODES)
    def test_pil(self, mode):
        check(hflip, TF.hflip, pil_image(mode))
        check(vflip, TF.vflip, pil_image(mode))

    @pytest.mark.parametrize("dtype", [*DTYPES, torch.bool, torch.float16])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_tensor(self, shape, dtype):
        x = tensor_image(*shape, dtype=dtype)
        check(hflip, TF.hflip, x)
        check(vflip, TF.vflip, x)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_layouts(self, layout):
        x = LAYOUTS[layout](tensor_image(2, 3, 6, 8))
        check(hflip, TF.hflip, x)
        assert hflip(x).stride() == TF.hflip(x).stride()

    def test_gradient_is_the_flipped_one(self):
        x = tensor_image(3, 4, 5, dtype=torch.float64)
        assert torch.equal(gradient(hflip, x), gradient(TF.hflip, x))
        assert torch.equal(gradient(vflip, x), gradient(TF.vflip, x))
        assert torch.autograd.gradcheck(hflip, x.requires_grad_())

    @pytest.mark.refusal
    @pytest.mark.parametrize("img", [torch.zeros(3), np.zeros((4, 4, 3)), "x", None])
    def test_refuses_what_is_no_image(self, img):
        for ours, theirs in ((hflip, TF.hflip), (vflip, TF.vflip)):
            assert_refused(lambda f=ours: f(img), lambda f=theirs: f(img), TypeError)
        assert_refused(
            lambda: crop(img, 0, 0, 1, 1), lambda: TF.crop(img, 0, 0, 1, 1), TypeError
        )
        for ours, theirs in ((center_crop, TF.center_crop), (pad, TF.pad)):
            assert_refused(
                lambda f=ours: f(img, 1), lambda f=theirs: f(img, 1), TypeError
            )


class TestCrop:
    @pytest.mark.parametrize("mode", PIL_MODES)
    def test_pil(self, mode):
        for box in ((1, 2, 3, 4), (-2, -3, 12, 16), (5, 6, 7, 8), (0, 0, 7, 9)):
            check(
                lambda i, b=box: crop(i, *b),
                lambda i, b=box: TF.crop(i, *b),
                pil_image(mode),
            )

    @quick
    @given(sides, sides, *2 * [st.integers(-12, 12)], *2 * [st.integers(0, 12)])
    def test_tensor_and_pil_agree_with_torchvision(
        self, h, w, top, left, height, width
    ):
        box = (top, left, height, width)
        for dtype in (torch.uint8, torch.float32):
            x = tensor_image(2, h, w, dtype=dtype)
            if top + height >= 0 and left + width >= 0:
                check(lambda i: crop(i, *box), lambda i: TF.crop(i, *box), x)
        image = pil_image("L", h, w)
        expected = np.asarray(image.crop((left, top, left + width, top + height)))
        y = crop(torch.from_numpy(np.array(image)), *box)
        assert np.array_equal(y.numpy(), expected.reshape(height, width))
        assert np.array_equal(np.asarray(crop(image, *box)), expected)

    def test_torchvision_is_wrong_beyond_the_upper_edge(self):
        x = torch.ones(1, 8, 8)
        assert TF.crop(x, -10, 0, 5, 8).shape == (1, 8, 8)  # 5 rows were asked for
        assert torch.equal(crop(x, -10, 0, 5, 8), torch.zeros(1, 5, 8))

    @pytest.mark.parametrize("shape", SHAPES)
    def test_shapes_and_views(self, shape):
        x = tensor_image(*shape)
        check(lambda i: crop(i, 1, 2, 3, 4), lambda i: TF.crop(i, 1, 2, 3, 4), x)
        assert crop(x, 1, 2, 3, 4).data_ptr() == x[..., 1:, 2:].data_ptr()
        check(lambda i: crop(i, -1, 2, 3, 9), lambda i: TF.crop(i, -1, 2, 3, 9), x)

    def test_numpy_integers(self):
        x = tensor_image(3, 7, 9)
        box = np.array([1, 2, 3, 4])
        assert torch.equal(crop(x, *box), crop(x, 1, 2, 3, 4))
        assert torch.equal(crop(x, *torch.tensor([1, 2, 3, 4])), crop(x, 1, 2, 3, 4))
        assert torch.equal(center_crop(x, np.int64(3)), center_crop(x, 3))

    def test_gradient(self):
        x = tensor_image(2, 4, 5, dtype=torch.float64)
        for box in ((1, 1, 2, 3), (-1, 2, 4, 6)):
            ours = gradient(lambda i, b=box: crop(i, *b), x)
            assert torch.equal(ours, gradient(lambda i, b=box: TF.crop(i, *b), x))
            assert torch.autograd.gradcheck(
                lambda i, b=box: crop(i, *b), x.clone().requires_grad_()
            )

    @pytest.mark.refusal
    @pytest.mark.parametrize("img", [torch.zeros(3, 4, 5), Image.new("L", (5, 4))])
    def test_refuses(self, img):
        assert_refused(lambda: crop(img, 0, 0, -1, 2), None, ValueError)
        assert_refused(lambda: crop(img, 0.0, 0, 1, 2), None, TypeError)
        assert_refused(
            lambda: crop(img, "0", 0, 1, 2),
            lambda: TF.crop(img, "0", 0, 1, 2),
            TypeError,
        )


class TestCenterCrop:
    @pytest.mark.parametrize("mode", PIL_MODES)
    def test_pil(self, mode):
        for size in (3, [4], (4, 5), [12, 4], (5, 13), 14, (7, 9), (8, 10)):
            check(
                lambda i, s=size: center_crop(i, s),
                lambda i, s=size: TF.center_crop(i, s),
                pil_image(mode),
            )

    @quick
    @given(
        sides, sides, st.integers(1, 14), st.integers(1, 14), st.sampled_from(DTYPES)
    )
    def test_tensor(self, h, w, height, width, dtype):
        size = (height, width)
        for shape in ((h, w), (2, h, w), (1, 2, 2, h, w)):
            check(
                lambda i: center_crop(i, size),
                lambda i: TF.center_crop(i, size),
                tensor_image(*shape, dtype=dtype),
            )

    def test_rounds_half_to_even(self):
        assert center_crop(torch.arange(5).view(1, 5), (1, 4)).tolist() == [
            [0, 1, 2, 3]
        ]
        x = center_crop(torch.arange(7).view(1, 7), (1, 4))
        assert x.tolist() == [[2, 3, 4, 5]]

    @pytest.mark.refusal
    @pytest.mark.parametrize("img", [torch.zeros(3, 4, 5), Image.new("L", (5, 4))])
    def test_refuses(self, img):
        def theirs(size):
            return lambda: TF.center_crop(img, size)

        assert_refused(
            lambda: center_crop(img, (1, 2, 3)), theirs((1, 2, 3)), ValueError
        )
        assert_refused(lambda: center_crop(img, ()), theirs(()), ValueError)
        assert_refused(lambda: center_crop(img, 0), None, ValueError)
        assert_refused(lambda: center_crop(img, None), theirs(None), TypeError)
        assert_refused(lambda: center_crop(img, "12"), None, TypeError)
        assert_refused(lambda: center_crop(img, 2.5), None, TypeError)

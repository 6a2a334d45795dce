"""Rotation and affine maps: torchvision's bits, and the matrices multiplied out."""

import math

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import _functional_tensor

from dlref.transforms import InterpolationMode, affine, rotate
from dlref.transforms.sampling import (
    expanded_size,
    inverse_affine_matrix,
    sampling_grid,
)
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
TENSOR_MODES = [M.NEAREST, M.BILINEAR]
ANGLES = [0, 30, 45.0, 90, -90, 180, 270, 359.9, -400.5]
AFFINE = [
    (0, (0, 0), 1.0, 0),
    (30, [2, -1], 0.7, [10, 20]),
    (-200.5, (0.5, 1), 2, (5,)),
    (45, [0, 0], 1.0, [45.0, 0.0]),
    (0, [-3, 2], 1.5, -30.5),
]
sides = st.integers(1, 11)
angles = st.floats(-400, 400) | st.sampled_from(ANGLES)
shifts = st.tuples(st.integers(-5, 5), st.integers(-5, 5))


def theirs(mode):
    return TF.InterpolationMode(mode.value)


def check_rotate(img, angle, mode=M.NEAREST, *rest, **options):
    check(
        lambda i: rotate(i, angle, mode, *rest, **options),
        lambda i: TF.rotate(i, angle, theirs(mode), *rest, **options),
        img,
    )


def check_affine(img, arguments, mode=M.NEAREST, **options):
    check(
        lambda i: affine(i, *arguments, mode, **options),
        lambda i: TF.affine(i, *arguments, theirs(mode), **options),
        img,
    )


class TestPIL:
    @pytest.mark.parametrize("pil_mode", PIL_MODES)
    @pytest.mark.parametrize("mode", [*TENSOR_MODES, M.BICUBIC, M.NEAREST_EXACT])
    def test_modes(self, pil_mode, mode):
        image = pil_image(pil_mode)
        bands = len(image.getbands())
        for fill in (None, 0, 3, 2.7, [5], tuple(range(10, 10 + bands)), [1.5, 2, 3]):
            check_rotate(image, 30, mode, fill=fill)
            check_affine(image, AFFINE[1], mode, fill=fill)

    @pytest.mark.parametrize("angle", ANGLES)
    @pytest.mark.parametrize("expand", [False, True])
    @pytest.mark.parametrize("center", [None, [0, 0], (4, 2.5)])
    def test_rotate(self, angle, expand, center):
        for mode in (M.NEAREST, M.BICUBIC):
            check_rotate(pil_image("RGB"), angle, mode, expand, center)

    @pytest.mark.parametrize("arguments", AFFINE)
    @pytest.mark.parametrize("center", [None, [0, 0], (4, 2.5)])
    def test_affine(self, arguments, center):
        for mode in (M.NEAREST, M.BICUBIC):
            check_affine(pil_image("RGB"), arguments, mode, center=center)

    @pytest.mark.parametrize("mode", [M.BOX, M.HAMMING, M.LANCZOS])
    def test_methods_that_pillow_does_not_take(self, mode):
        check_rotate(pil_image("RGB"), 30, mode)
        check_affine(pil_image("RGB"), AFFINE[1], mode)


class TestTensor:
    @pytest.mark.parametrize("dtype", [*DTYPES, torch.int8, torch.bool])
    @pytest.mark.parametrize("mode", TENSOR_MODES)
    def test_dtypes_and_fills(self, dtype, mode):
        for shape in SHAPES[1:3]:
            x = tensor_image(*shape, dtype=dtype)
            for fill in (None, 0, 1, [1], [0.0, 1.0, 0.5], (1, 0, 1)):
                check_rotate(x, 30, mode, fill=fill)
                check_affine(x, AFFINE[1], mode, fill=fill)

    @pytest.mark.parametrize("angle", ANGLES)
    @pytest.mark.parametrize("expand", [False, True])
    @pytest.mark.parametrize("center", [None, [0, 0], (4, 2.5)])
    def test_rotate(self, angle, expand, center):
        for mode in TENSOR_MODES:
            for dtype in (torch.uint8, torch.float32, torch.float64):
                x = tensor_image(3, 7, 9, dtype=dtype)
                check_rotate(x, angle, mode, expand, center)

    @pytest.mark.parametrize("arguments", AFFINE)
    @pytest.mark.parametrize("center", [None, [0, 0], (4, 2.5)])
    def test_affine(self, arguments, center):
        for mode in TENSOR_MODES:
            for dtype in (torch.uint8, torch.float32, torch.float64):
                x = tensor_image(3, 7, 9, dtype=dtype)
                check_affine(x, arguments, mode, center=center)

    @quick
    @given(*(sides, sides, angles, st.booleans(), st.sampled_from(TENSOR_MODES)))
    def test_rotate_any(self, h, w, angle, expand, mode):
        for dtype in (torch.uint8, torch.float32):
            check_rotate(
                tensor_image(2, h, w, dtype=dtype), angle, mode, expand, fill=1
            )

    @quick
    @given(
        *(
            sides,
            sides,
            angles,
            shifts,
            st.floats(0.1, 5),
            st.sampled_from(TENSOR_MODES),
        ),
        st.floats(-80, 80) | st.tuples(st.floats(-80, 80), st.floats(-80, 80)),
    )
    def test_affine_any(self, h, w, angle, translate, scale, mode, shear):
        arguments = (angle, translate, scale, shear)
        check_affine(tensor_image(2, h, w), arguments, mode)
        check_affine(pil_image("RGB", h, w), arguments, mode)

    @pytest.mark.parametrize("mode", TENSOR_MODES)
    def test_any_leading_axes(self, mode):
        """torchvision turns (C, H, W) and (N, C, H, W) only."""
        x = tensor_image(2, 1, 3, 7, 9)
        for fill in (None, [1, 2, 3]):
            y = rotate(x, 30, mode, True, fill=fill)
            z = affine(x, *AFFINE[1], mode, fill)
            for i in range(2):
                assert torch.equal(y[i], rotate(x[i], 30, mode, True, fill=fill))
                assert torch.equal(z[i], affine(x[i], *AFFINE[1], mode, fill))
        flat = rotate(x[0, 0, 0], 30, mode, fill=7)
        assert torch.equal(flat, rotate(x[0, 0, :1], 30, mode, fill=7)[0])

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("mode", TENSOR_MODES)
    def test_layouts(self, mode, layout):
        for dtype in (torch.uint8, torch.float32):
            x = LAYOUTS[layout](tensor_image(2, 3, 6, 8, dtype=dtype))
            check_rotate(x, 30, mode)
            check_affine(x, AFFINE[1], mode, fill=1)

    @pytest.mark.parametrize("mode", TENSOR_MODES)
    def test_half_precision_is_computed_in_single(self, mode):
        """torchvision computes the coordinates in it, too, and misses pixels."""
        x = tensor_image(1, 200, 200, dtype=torch.float16)
        exact = rotate(x.float(), 30, mode)
        assert torch.equal(rotate(x, 30, mode), exact.half())
        assert not torch.equal(TF.rotate(x, 30, theirs(mode)), exact.half())

    @pytest.mark.parametrize("mode", TENSOR_MODES)
    @pytest.mark.parametrize("fill", [None, 0.5])
    def test_gradient(self, mode, fill):
        x = tensor_image(1, 2, 5, 4, dtype=torch.float64)
        tv = theirs(mode)
        for ours, expected in (
            (lambda i: rotate(i, 30, mode, True, fill=fill),
             lambda i: TF.rotate(i, 30, tv, True, fill=fill)),
            (lambda i: affine(i, *AFFINE[1], mode, fill),
             lambda i: TF.affine(i, *AFFINE[1], tv, fill)),
        ):  # fmt: skip
            assert torch.equal(gradient(ours, x), gradient(expected, x))
            assert torch.autograd.gradcheck(ours, x.clone().requires_grad_())


class TestMeaning:
    """What torchvision's bits mean, without torchvision."""

    @pytest.mark.parametrize("mode", TENSOR_MODES)
    def test_quarter_turns(self, mode):
        x = tensor_image(3, 6, 6, dtype=torch.uint8)
        for k in range(-3, 4):
            assert torch.equal(rotate(x, 90 * k, mode), x.rot90(k, (-2, -1)))
            turned = affine(x, -90.0 * k, [0, 0], 1, 0, mode)
            assert torch.equal(turned, x.rot90(k, (-2, -1)))

    @pytest.mark.parametrize("mode", TENSOR_MODES)
    def test_whole_pixel_shifts(self, mode):
        x = tensor_image(3, 6, 8, dtype=torch.uint8)
        y = affine(x, 0, [2, -1], 1, 0, mode, fill=9)
        assert torch.equal(y[:, :-1, 2:], x[:, 1:, :-2])
        assert (y[:, -1] == 9).all()
        assert (y[:, :, :2] == 9).all()

    def test_a_number_shears_along_x_but_a_sequence_of_one_along_both(self):
        x = tensor_image(3, 9, 9)
        one, both = affine(x, 0, [0, 0], 1, 20), affine(x, 0, [0, 0], 1, [20])
        assert torch.equal(one, affine(x, 0, [0, 0], 1, [20, 0]))
        assert torch.equal(both, affine(x, 0, [0, 0], 1, [20, 20]))
        assert not torch.equal(one, both)

    @quick
    @given(
        *(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), angles, shifts),
        *(st.floats(0.1, 10), st.tuples(st.floats(-60, 60), st.floats(-60, 60))),
    )
    def test_the_matrix_is_the_inverse(self, center, angle, translate, scale, shear):
        """M multiplied out from the docstring's factors, times ours, is 1."""

        def move(x, y):
            return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])

        def linear(a, b, c, d):
            return np.array([[a, b, 0], [c, d, 0], [0, 0, 1]])

        alpha, phi_x, phi_y = np.radians([angle, *shear])
        cos, sin = np.cos(alpha), np.sin(alpha)
        RS = linear(cos, -sin, sin, cos) @ linear(scale, 0, 0, scale)
        RS = RS @ linear(1, 0, -np.tan(phi_y), 1) @ linear(1, -np.tan(phi_x), 0, 1)
        C = move(*center)
        forward = move(*translate) @ C @ RS @ np.linalg.inv(C)
        six = inverse_affine_matrix(center, angle, translate, scale, shear)
        product = np.vstack([np.reshape(six, (2, 3)), [0, 0, 1]]) @ forward
        np.testing.assert_allclose(product, np.eye(3), rtol=0, atol=1e-9)
        expected = TF._get_inverse_affine_matrix(
            list(center), angle, list(translate), scale, list(shear)
        )
        assert six == expected

    def test_the_grid_is_the_source_points(self):
        six = inverse_affine_matrix((1, 2), 30, (3, 1), 1.5, (10, 5))
        like = torch.zeros(1, dtype=torch.float64)
        grid = sampling_grid(six, (4, 6), (5, 3), like)
        for i in range(5):
            for j in range(3):
                point = np.reshape(six, (2, 3)) @ [j + 0.5 - 1.5, i + 0.5 - 2.5, 1]
                np.testing.assert_allclose(grid[0, i, j], point / [3, 2], atol=1e-14)

    @quick
    @given(
        *2 * [st.integers(1, 3000)],
        angles | st.floats(-0.02, 0.02) | st.integers(-72, 72).map(lambda k: 5 * k),
        st.just((0, 0)) | shifts,
    )
    def test_expanded_size(self, H, W, angle, center):
        six = inverse_affine_matrix(center, -angle, (0, 0), 1, (0, 0))
        h, w = expanded_size(six, (H, W))
        assert (w, h) == _functional_tensor._compute_affine_output_size(six, W, H)
        theta = math.radians(angle)
        cos, sin = abs(math.cos(theta)), abs(math.sin(theta))
        # whole pixels, counted outwards on both sides
        assert -2e-3 < w - (W * cos + H * sin) < 2 + 2e-3
        assert -2e-3 < h - (W * sin + H * cos) < 2 + 2e-3

    @pytest.mark.parametrize("beyond", [0.5e-4, 1.5e-4, 2.5e-4])
    def test_a_ten_thousandth_of_a_pixel_does_not_count(self, beyond):
        angle = math.degrees(beyond / 100)
        x = torch.zeros(1, 200, 200)
        size = 200 if beyond < 1e-4 else 202
        assert rotate(x, angle, expand=True).shape == (1, size, size)
        check_rotate(x, angle, expand=True)

    def test_a_quarter_turn_may_expand_too_far(self):
        """Sides of different parity: each comes out 1 pixel too long."""
        for H in range(1, 8):
            for W in range(1, 8):
                odd = (H + W) % 2
                assert rotate(torch.zeros(1, H, W), 90, expand=True).shape == (
                    *(1, W + odd, H + odd),
                )
                assert rotate(Image.new("L", (W, H)), 90, expand=True).size == (H, W)

    def test_fill_zero_leaves_a_dark_seam(self):
        """m v + (1 - m) fill, where v has lost the share 1 - m already."""
        x = torch.ones(1, 8, 8, dtype=torch.float64)
        v = rotate(x, 30, M.BILINEAR)
        assert torch.equal(rotate(x, 30, M.BILINEAR, fill=0), v * v)  # here m = v
        assert ((v > 0.01) & (v < 0.99)).any()


@pytest.mark.refusal
@pytest.mark.parametrize("img", [torch.zeros(3, 4, 5), Image.new("RGB", (5, 4))])
class TestRefuses:
    @staticmethod
    def rotate(img, kind, *arguments, same=True, **options):
        there = (lambda: TF.rotate(img, *arguments, **options)) if same else None
        assert_refused(lambda: rotate(img, *arguments, **options), there, kind)

    @staticmethod
    def affine(img, kind, *arguments, same=True, **options):
        there = (lambda: TF.affine(img, *arguments, **options)) if same else None
        assert_refused(lambda: affine(img, *arguments, **options), there, kind)

    def test_angles(self, img):
        for angle in ("30", None, [30]):
            self.rotate(img, TypeError, angle)
            self.affine(img, TypeError, angle, [0, 0], 1, 0)
        for angle in (math.nan, math.inf):
            self.rotate(img, ValueError, angle, same=False)
            self.affine(img, ValueError, angle, [0, 0], 1, 0, same=False)

    def test_centers(self, img):
        self.rotate(img, TypeError, 30, center=3)
        self.affine(img, TypeError, 30, [0, 0], 1, 0, center=3)
        self.rotate(img, ValueError, 30, center=[3], same=False)
        self.affine(img, ValueError, 30, [0, 0], 1, 0, center=[1, 2, 3], same=False)
        self.rotate(img, TypeError, 30, center=["a", "b"], same=False)

    def test_interpolation(self, img):
        for value in ("nearest", None):
            self.rotate(img, TypeError, 30, value)
            self.affine(img, TypeError, 30, [0, 0], 1, 0, value)
        if isinstance(img, torch.Tensor):
            for mode in (M.NEAREST_EXACT, M.BICUBIC, M.BOX, M.HAMMING, M.LANCZOS):
                self.rotate(img, ValueError, 30, mode, same=False)
                self.affine(img, ValueError, 30, [0, 0], 1, 0, mode, same=False)

    def test_fills(self, img):
        for fill in ([1, 2], (1, 2, 3, 4)):
            self.rotate(img, ValueError, 30, fill=fill)
            self.affine(img, ValueError, 30, [0, 0], 1, 0, fill=fill)
        self.rotate(img, ValueError, 30, fill=[], same=False)
        for fill in ("red", ["a"], {1}):
            self.rotate(img, TypeError, 30, fill=fill, same=False)
        if isinstance(img, torch.Tensor):
            for fill in (-1, 256, [0, 300, 0], math.inf):
                self.rotate(img.byte(), ValueError, 30, fill=fill, same=False)
        else:
            self.rotate(img, ValueError, 30, fill=math.nan, same=False)

    def test_affine_arguments(self, img):
        self.affine(img, TypeError, 0, 3, 1, 0)
        self.affine(img, ValueError, 0, [1], 1, 0)
        self.affine(img, ValueError, 0, [1, 2, 3], 1, 0)
        for scale in (0, -1, 0.0):
            self.affine(img, ValueError, 0, [0, 0], scale, 0)
        self.affine(img, TypeError, 0, [0, 0], "1", 0)
        self.affine(img, ValueError, 0, [0, 0], math.nan, 0, same=False)
        self.affine(img, TypeError, 0, [0, 0], 1, "0")
        self.affine(img, TypeError, 0, [0, 0], 1, None)
        for shear in ([], [1, 2, 3]):
            self.affine(img, ValueError, 0, [0, 0], 1, shear)


@pytest.mark.refusal
def test_refuses_what_is_no_image():
    for img in (torch.zeros(3), np.zeros((4, 4)), None):
        assert_refused(
            lambda i=img: rotate(i, 3), lambda i=img: TF.rotate(i, 3), TypeError
        )
        assert_refused(
            lambda i=img: affine(i, 3, [0, 0], 1, 0),
            lambda i=img: TF.affine(i, 3, [0, 0], 1, 0),
            TypeError,
        )


def test_same_and_close_mean_what_they_say():
    with pytest.raises(AssertionError):
        assert_same(torch.zeros(2), torch.tensor([0.0, 1e-30]))
    with pytest.raises(AssertionError):
        assert_same(Image.new("L", (1, 1), 1), Image.new("L", (1, 1), 2))

"""Borders: the same bits as torchvision, on tensors and PIL images of all modes."""

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dlref.transforms import pad
from dlref.transforms.padding import source_index
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

BORDERS = [2, [3], (1, 2), [4, 3, 2, 1], -1, (-2, 3), [-1, 2, 3, -2], 0]
MIRRORED = ["edge", "reflect", "symmetric"]
sides = st.integers(1, 9)
border = st.integers(-3, 8)


class TestPadPIL:
    @pytest.mark.parametrize("mode", PIL_MODES)
    @pytest.mark.parametrize("padding", BORDERS)
    def test_constant(self, mode, padding):
        fills = [0, None, 3, 2.7, [5]]
        bands = len(pil_image(mode).getbands())
        fills += [tuple(range(10, 10 + bands)), [1.5] * bands]
        for fill in fills:
            check(
                lambda i, f=fill: pad(i, padding, f),
                lambda i, f=fill: TF.pad(i, padding, f),
                pil_image(mode),
            )

    @pytest.mark.parametrize("mode", PIL_MODES)
    @pytest.mark.parametrize("padding_mode", MIRRORED)
    def test_mirrored(self, mode, padding_mode):
        """The same pixels; torchvision forgets what they mean in eight modes."""
        relabelled = dict.fromkeys(("YCbCr", "LAB", "HSV"), "RGB")
        relabelled |= dict.fromkeys(("CMYK", "RGBX", "RGBa"), "RGBA")
        relabelled |= dict.fromkeys(("PA", "La"), "LA")
        for padding in BORDERS:
            image = pil_image(mode)
            ours = pad(image, padding, padding_mode=padding_mode)
            theirs = TF.pad(image, padding, padding_mode=padding_mode)
            assert theirs.mode == relabelled.get(mode, mode)
            assert np.array_equal(np.asarray(ours), np.asarray(theirs))
            assert ours.mode == mode
            assert ours.getpalette() == image.getpalette()
            if mode == theirs.mode:
                assert_same(ours, theirs)

    @quick
    @given(sides, sides, st.tuples(*4 * [border]), st.sampled_from(MIRRORED))
    def test_any_width(self, h, w, padding, mode):
        left, top, right, bottom = padding
        if h + min(top, 0) + min(bottom, 0) < 1 or w + min(left, 0) + min(right, 0) < 1:
            return  # nothing left to mirror
        check(
            lambda i: pad(i, padding, padding_mode=mode),
            lambda i: TF.pad(i, padding, padding_mode=mode),
            pil_image("RGB", h, w),
        )

    def test_more_may_be_cut_off_than_is_there(self):
        image = pil_image("L")
        cut = [-10, 0, 12, 0]
        check(lambda i: pad(i, cut, 7), lambda i: TF.pad(i, cut, 7), image)
        assert pad(image, [-9, 0, 0, 0]).size == (0, 7)

    def test_keeps_transparency(self):
        image = pil_image("P")
        image.info["transparency"] = 3
        for mode in ("constant", "reflect"):
            assert pad(image, 2, padding_mode=mode).info == {"transparency": 3}

    def test_keeps_a_palette_with_alpha(self):
        image = pil_image("P")
        image.putpalette(bytes(range(256)) * 4, "RGBA")
        for mode in ("constant", "edge"):
            padded = pad(image, 1, padding_mode=mode)
            assert padded.getpalette("RGBA") == image.getpalette("RGBA")


class TestPadTensor:
    @pytest.mark.parametrize("dtype", [*DTYPES, torch.bool, torch.float16, torch.int8])
    @pytest.mark.parametrize("shape", SHAPES)
    def test_constant(self, shape, dtype):
        x = tensor_image(*shape, dtype=dtype)
        for padding in BORDERS:
            for fill in (0, 1, None, 0.5):
                check(
                    lambda i, p=padding, f=fill: pad(i, p, f),
                    lambda i, p=padding, f=fill: TF.pad(i, p, f),
                    x,
                )

    @pytest.mark.parametrize("padding", [[-9, 2, 0, 0], [-4, 0, -5, 1], [-9, 0, 3, 0]])
    def test_all_may_be_cut_off(self, padding):
        x = tensor_image(3, 7, 9)
        check(lambda i: pad(i, padding, 5), lambda i: TF.pad(i, padding, 5), x)

    @pytest.mark.parametrize("value", [float("inf"), -float("inf")])
    def test_infinite_fill(self, value):
        x = tensor_image(3, 4, 5)
        check(lambda i: pad(i, 1, value), lambda i: TF.pad(i, 1, value), x)

    @pytest.mark.parametrize("dtype", [*DTYPES, torch.bool, torch.float16, torch.int8])
    @pytest.mark.parametrize("mode", MIRRORED)
    def test_mirrored(self, mode, dtype):
        for shape in SHAPES[:3]:
            if mode == "symmetric" and len(shape) == 2:
                continue  # torchvision cannot
            x = tensor_image(*shape, dtype=dtype)
            for padding in BORDERS:
                check(
                    lambda i, p=padding: pad(i, p, padding_mode=mode),
                    lambda i, p=padding: TF.pad(i, p, padding_mode=mode),
                    x,
                )

    @quick
    @given(
        sides,
        sides,
        st.tuples(*4 * [border]),
        st.sampled_from(MIRRORED),
        st.sampled_from(DTYPES),
    )
    def test_agrees_with_numpy_and_pillow_at_any_width(
        self, h, w, padding, mode, dtype
    ):
        left, top, right, bottom = padding
        cut = [max(-side, 0) for side in padding]
        if h <= cut[1] + cut[3] or w <= cut[0] + cut[2]:
            return
        x = tensor_image(2, 1, 2, h, w, dtype=dtype)
        kept = x[..., cut[1] : h - cut[3], cut[0] : w - cut[2]].numpy()
        widths = [(max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0))]
        expected = np.pad(kept, [(0, 0)] * 3 + widths, mode=mode)
        y = pad(x, padding, padding_mode=mode)
        assert y.dtype == dtype
        assert np.array_equal(y.numpy(), expected)

    @pytest.mark.parametrize("mode", MIRRORED)
    def test_wide_integers_are_copied_exactly(self, mode):
        """torchvision sends them through float32, which has 24 bits."""
        for dtype in (torch.int32, torch.int64):
            x = torch.tensor([[2**24 + 1, 2**24 + 3, 7]], dtype=dtype)[None]
            y = pad(x, [2, 0], padding_mode=mode)
            assert torch.equal(y[..., 2:5], x)
            assert set(y.flatten().tolist()) <= set(x.flatten().tolist())

    @pytest.mark.parametrize("layout", LAYOUTS)
    @pytest.mark.parametrize("mode", ["constant", *MIRRORED])
    def test_layouts(self, mode, layout):
        for dtype in (torch.uint8, torch.float32):
            x = LAYOUTS[layout](tensor_image(2, 3, 6, 8, dtype=dtype))
            check(
                lambda i: pad(i, 2, padding_mode=mode),
                lambda i: TF.pad(i, 2, padding_mode=mode),
                x,
            )

    @pytest.mark.parametrize("mode", ["constant", *MIRRORED])
    @pytest.mark.parametrize("padding", [2, [1, -1, 3, 2]])
    def test_gradient(self, mode, padding):
        def ours(x):
            return pad(x, padding, padding_mode=mode)

        x = tensor_image(2, 5, 4, dtype=torch.float64)
        theirs = gradient(lambda i: TF.pad(i, padding, padding_mode=mode), x)
        # sums of up to nine terms, in another order
        torch.testing.assert_close(gradient(ours, x), theirs, rtol=0, atol=1e-15)
        assert torch.autograd.gradcheck(ours, x.requires_grad_())

    @pytest.mark.parametrize("mode", MIRRORED)
    @given(n=st.integers(1, 6), before=st.integers(0, 20), after=st.integers(0, 20))
    @quick
    def test_source_index(self, mode, n, before, after):
        expected = np.pad(np.arange(n), (before, after), mode=mode)
        assert np.array_equal(source_index(n, before, after, mode), expected)


@pytest.mark.refusal
@pytest.mark.parametrize("img", [torch.zeros(3, 4, 5), Image.new("RGB", (5, 4))])
class TestPadRefuses:
    @pytest.mark.parametrize("padding", ["12", None, {1, 2}])
    def test_what_is_no_width(self, img, padding):
        assert_refused(
            lambda: pad(img, padding), lambda: TF.pad(img, padding), TypeError
        )

    def test_fractions(self, img):
        assert_refused(lambda: pad(img, 1.5), None, TypeError)

    @pytest.mark.parametrize("padding", [(), (1, 2, 3), [1] * 5])
    def test_other_numbers_of_widths(self, img, padding):
        assert_refused(
            lambda: pad(img, padding), lambda: TF.pad(img, padding), ValueError
        )

    @pytest.mark.parametrize("fill", ["red", {1}])
    def test_what_is_no_fill(self, img, fill):
        assert_refused(
            lambda: pad(img, 1, fill), lambda: TF.pad(img, 1, fill), TypeError
        )

    def test_modes(self, img):
        assert_refused(
            lambda: pad(img, 1, padding_mode=3),
            lambda: TF.pad(img, 1, padding_mode=3),
            TypeError,
        )
        assert_refused(
            lambda: pad(img, 1, padding_mode="wrap"),
            lambda: TF.pad(img, 1, padding_mode="wrap"),
            ValueError,
        )

    @pytest.mark.parametrize("mode", ["constant", *MIRRORED])
    def test_borders_that_leave_nothing(self, img, mode):
        assert_refused(lambda: pad(img, -3, padding_mode=mode), None, ValueError)

    def test_fills_that_do_not_fit(self, img):
        tensor = isinstance(img, torch.Tensor)
        kind = TypeError if tensor else ValueError
        assert_refused(
            lambda: pad(img, 1, (1, 2)), lambda: TF.pad(img, 1, (1, 2)), kind
        )
        if not tensor:
            assert_refused(lambda: pad(img, 1, float("inf")), None, ValueError)
            return
        for value in (-1, 256, float("nan")):
            assert_refused(lambda v=value: pad(img.byte(), 1, v), None, ValueError)

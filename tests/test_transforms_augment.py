"""Random transforms: torchvision's draws, seed by seed, and its results."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
import torchvision.transforms as TV
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dlref import transforms
from dlref.transforms import (
    ColorJitter,
    InterpolationMode,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
)
from tests.transforms_oracle import (
    assert_refused,
    assert_same,
    pil_image,
    quick,
    tensor_image,
)

BILINEAR = InterpolationMode.BILINEAR
CALLS = [
    ("RandomHorizontalFlip", (), {}),
    ("RandomHorizontalFlip", (0.9,), {}),
    ("RandomVerticalFlip", (), {"p": 0}),
    ("RandomVerticalFlip", (0.3,), {}),
    ("RandomCrop", (5,), {}),
    ("RandomCrop", ([4],), {"padding": 2}),
    ("RandomCrop", ((12, 14),), {"padding": [3, 4]}),
    ("RandomCrop", ((10, 4), None, True), {"fill": 1}),
    ("RandomCrop", ([4, 10], (1, 2, 0, 1), True, 1, "edge"), {}),
    ("RandomCrop", ((10, 12),), {"pad_if_needed": True, "padding_mode": "reflect"}),
    ("RandomCrop", ((7, 9),), {}),
    ("RandomResizedCrop", (6,), {}),
    ("RandomResizedCrop", ([6],), {"scale": (0.5, 1)}),
    ("RandomResizedCrop", ([3, 12],), {"ratio": [1, 1.0]}),
    ("RandomResizedCrop", ((4, 5), (0.9, 1.0), (3.0, 4.0)), {}),
    ("RandomResizedCrop", (5, (0.9, 1.0), (0.1, 0.2)), {}),
    ("RandomResizedCrop", (5, (1.5, 2.0)), {}),
    ("RandomResizedCrop", (6,), {"interpolation": 3, "antialias": None}),
    ("RandomResizedCrop", (6,), {"interpolation": InterpolationMode.NEAREST}),
    ("RandomRotation", (30,), {}),
    ("RandomRotation", ((20, 170.5), BILINEAR), {"fill": 1}),
    ("RandomRotation", ([-90, -10], 2, True), {"fill": None}),
    ("RandomRotation", (180,), {"center": (2, 3.5), "fill": (1, 0, 1)}),
    ("RandomRotation", (0.0,), {"fill": [1, 0, 1]}),
    ("RandomAffine", (30,), {}),
    ("RandomAffine", (0, (0.2, 0.3)), {}),
    ("RandomAffine", ([10, 20], [0.1, 0]), {"scale": (0.5, 1.5), "shear": 10}),
    ("RandomAffine", (5,), {"shear": [5, 10], "interpolation": BILINEAR, "fill": 1}),
    ("RandomAffine", (5,), {"shear": (5, 10, -3, 4), "center": [1, 2], "fill": None}),
    ("RandomAffine", (5,), {"scale": [0.5, 0.6], "fill": (1, 0, 1)}),
    ("ColorJitter", (), {}),
    ("ColorJitter", (0.4, 0.4, 0.4, 0.1), {}),
    ("ColorJitter", (3, (0.5, 2)), {}),
    ("ColorJitter", (), {"saturation": [0, 0.2], "hue": (-0.5, 0.25)}),
    ("ColorJitter", (), {"hue": 0.5, "contrast": (1.0, 1.0)}),
    ("ColorJitter", ((0.5, 0.5), 0.0), {"saturation": (0, 0), "hue": (0.2, 0.2)}),
]
IDS = [f"{i}-{name}" for i, (name, _, _) in enumerate(CALLS)]
calls = pytest.mark.parametrize(("name", "arguments", "options"), CALLS, ids=IDS)


def translated(value):
    """Return torchvision's member of a mode, and other values as they are."""
    if isinstance(value, InterpolationMode):
        return TV.InterpolationMode(value.value)
    return value


def pair(name, arguments, options):
    """Return our transform and torchvision's."""
    there = getattr(TV, name)(
        *map(translated, arguments), **{k: translated(v) for k, v in options.items()}
    )
    return getattr(transforms, name)(*arguments, **options), there


def run(transform, img, seed):
    torch.manual_seed(seed)
    return transform(img), torch.get_rng_state()


@calls
@pytest.mark.parametrize(
    "img",
    [
        pil_image("RGB"),
        tensor_image(3, 7, 9),
        tensor_image(2, 3, 7, 9, dtype=torch.uint8),
        tensor_image(3, 7, 9, dtype=torch.float64),
    ],
    ids=["PIL", "float32", "batch-uint8", "float64"],
)
def test_same_draws_same_results(name, arguments, options, img):
    ours, theirs = pair(name, arguments, options)
    before = copy.deepcopy(img)
    for seed in range(6):
        expected, state = run(theirs, img, seed)
        got, after = run(ours, img, seed)
        assert_same(got, expected)
        assert torch.equal(after, state)
    assert_same(img, before)


@calls
def test_prints_as_torchvision_does(name, arguments, options):
    ours, theirs = pair(name, arguments, options)
    assert repr(ours) == repr(theirs)


@calls
def test_same_attributes(name, arguments, options):
    ours, theirs = pair(name, arguments, options)
    for attribute, value in vars(theirs).items():
        if attribute.startswith("_") or attribute == "training":
            continue
        got = getattr(ours, attribute)
        assert translated(got) == value, attribute
        assert type(translated(got)) is type(value), attribute


@calls
def test_is_a_module_that_can_be_copied(name, arguments, options):
    ours, _ = pair(name, arguments, options)
    assert isinstance(ours, torch.nn.Module)
    again = pickle.loads(pickle.dumps(ours))
    expected, _ = run(ours, pil_image("RGB"), 3)
    got, _ = run(again, pil_image("RGB"), 3)
    assert_same(got, expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "I", "F", "CMYK"])
def test_pil_modes(mode):
    image = pil_image(mode)
    for name, arguments, options in CALLS:
        if name == "ColorJitter" or isinstance(options.get("fill"), tuple | list):
            continue
        if mode == "CMYK" and options.get("padding_mode", "") == "reflect":
            continue  # torchvision loses the mode
        if mode == "CMYK" and "edge" in arguments:
            continue
        ours, theirs = pair(name, arguments, options)
        expected, state = run(theirs, image, 1)
        got, after = run(ours, image, 1)
        assert_same(got, expected)
        assert torch.equal(after, state)


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "CMYK"])
def test_color_jitter_of_pil_modes(mode):
    ours, theirs = ColorJitter(0.4, 0.4, 0.4), TV.ColorJitter(0.4, 0.4, 0.4)
    for seed in range(5):
        expected, _ = run(theirs, pil_image(mode), seed)
        assert_same(run(ours, pil_image(mode), seed)[0], expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_default_dtype_changes_both(dtype):
    torch.set_default_dtype(dtype)
    try:
        for name, arguments, options in CALLS:
            ours, theirs = pair(name, arguments, options)
            x = tensor_image(3, 7, 9)
            expected, state = run(theirs, pil_image("RGB"), 5)
            got, after = run(ours, pil_image("RGB"), 5)
            assert_same(got, expected)
            assert torch.equal(after, state)
            assert run(ours, x, 5)[0].dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


class TestGetParams:
    """The static methods, called as torchvision's are."""

    @quick
    @given(*4 * [st.integers(1, 12)], st.integers(0, 1000))
    def test_crop(self, H, W, h, w, seed):
        img = torch.zeros(3, H, W)
        torch.manual_seed(seed)
        if h > H or w > W:
            with pytest.raises(ValueError, match="expected a larger image"):
                RandomCrop.get_params(img, (h, w))
            return
        ours, state = RandomCrop.get_params(img, (h, w)), torch.get_rng_state()
        torch.manual_seed(seed)
        assert ours == TV.RandomCrop.get_params(img, (h, w))
        assert torch.equal(torch.get_rng_state(), state)

    @quick
    @given(
        *(st.integers(1, 400), st.integers(1, 400), st.integers(0, 1000)),
        st.tuples(st.floats(0, 2), st.floats(0, 2)).map(sorted),
        st.tuples(st.floats(0.05, 20), st.floats(0.05, 20)).map(sorted),
    )
    def test_resized_crop(self, H, W, seed, scale, ratio):
        img = Image.new("L", (W, H))
        torch.manual_seed(seed)
        ours = RandomResizedCrop.get_params(img, scale, ratio)
        state = torch.get_rng_state()
        torch.manual_seed(seed)
        assert ours == TV.RandomResizedCrop.get_params(img, scale, ratio)
        assert torch.equal(torch.get_rng_state(), state)
        top, left, h, w = ours
        assert 0 <= top <= H - h
        assert 0 <= left <= W - w

    @pytest.mark.parametrize("seed", range(5))
    def test_rotation_affine_jitter(self, seed):
        affine = ([-30, 30.0], (0.1, 0.2), (0.5, 2), [1, 2, 3, 4], [90, 70])
        jitter = ((0.5, 1.5), None, [0, 3], (-0.5, 0.5))
        for name, arguments in (
            ("RandomRotation", ((-3, 40),)),
            ("RandomAffine", affine),
            ("RandomAffine", ((0, 0), None, None, None, (5, 5))),
            ("RandomAffine", ((0, 0), None, None, (1, 2), (5, 5))),
            ("ColorJitter", jitter),
        ):
            torch.manual_seed(seed)
            ours = getattr(transforms, name).get_params(*arguments)
            torch.manual_seed(seed)
            theirs = getattr(TV, name).get_params(*arguments)
            if name == "ColorJitter":
                assert torch.equal(ours[0], theirs[0])
                ours, theirs = ours[1:], theirs[1:]
            assert ours == theirs
            assert type(ours) is type(theirs)

    def test_every_place_is_drawn(self):
        """A crop of 2 x 3 in 4 x 4 has 3 x 2 places: some 100 of 600 draws for each."""
        torch.manual_seed(0)
        img = torch.zeros(4, 4)
        drawn = [RandomCrop.get_params(img, (2, 3))[:2] for _ in range(600)]
        assert set(drawn) == {(i, j) for i in range(3) for j in range(2)}
        assert min(drawn.count(place) for place in set(drawn)) > 60

    def test_nothing_is_drawn_for_the_whole_image(self):
        torch.manual_seed(0)
        state = torch.get_rng_state()
        assert RandomCrop.get_params(torch.zeros(4, 5), (4, 5)) == (0, 0, 4, 5)
        assert torch.equal(torch.get_rng_state(), state)


def test_a_flip_has_its_probability():
    flips = {0: 0, 1: 400, 0.25: 100}
    x = torch.tensor([[0, 1]])
    for p, expected in flips.items():
        for transform in (RandomHorizontalFlip(p), RandomVerticalFlip(p)):
            torch.manual_seed(0)
            image = x if isinstance(transform, RandomHorizontalFlip) else x.T
            count = sum(int(transform(image).flatten()[0]) for _ in range(400))
            assert abs(count - expected) <= 3 * math.sqrt(400 * p * (1 - p))


def test_gradient_passes_through_a_pipeline():
    x = tensor_image(3, 12, 12, dtype=torch.float64).requires_grad_()
    pipeline = torch.nn.Sequential(
        RandomCrop(10, padding=2, padding_mode="reflect"),
        RandomHorizontalFlip(1.0),
        RandomRotation(30, BILINEAR),
        RandomResizedCrop(6, scale=(0.5, 1.0)),
    )
    theirs = torch.nn.Sequential(
        TV.RandomCrop(10, padding=2, padding_mode="reflect"),
        TV.RandomHorizontalFlip(1.0),
        TV.RandomRotation(30, TV.InterpolationMode.BILINEAR),
        TV.RandomResizedCrop(6, scale=(0.5, 1.0)),
    )
    gradients = []
    for transform in (pipeline, theirs):
        torch.manual_seed(4)
        (dx,) = torch.autograd.grad(transform(x).square().sum(), x)
        gradients.append(dx)
    assert torch.equal(*gradients)


@pytest.mark.refusal
class TestRefuses:
    @staticmethod
    def both(kind, name, *arguments, same=True, **options):
        there = (lambda: getattr(TV, name)(*arguments, **options)) if same else None
        ours = getattr(transforms, name)
        assert_refused(lambda: ours(*arguments, **options), there, kind)

    @pytest.mark.parametrize("name", ["RandomHorizontalFlip", "RandomVerticalFlip"])
    def test_probabilities(self, name):
        for p in (-0.1, 1.1, math.nan):
            self.both(ValueError, name, p, same=False)
        for p in ("0.5", None, [0.5]):
            self.both(TypeError, name, p, same=False)

    @pytest.mark.parametrize("name", ["RandomCrop", "RandomResizedCrop"])
    def test_sizes(self, name):
        self.both(ValueError, name, (1, 2, 3))
        self.both(ValueError, name, ())
        self.both(ValueError, name, 0, same=False)
        self.both(ValueError, name, (3, -1), same=False)
        self.both(TypeError, name, None)
        self.both(TypeError, name, 2.5, same=False)

    def test_crops_larger_than_the_image(self):
        for img in (pil_image("RGB"), tensor_image(3, 7, 9)):
            for size in ((8, 9), (7, 10)):
                assert_refused(
                    lambda i=img, s=size: RandomCrop(s)(i),
                    lambda i=img, s=size: TV.RandomCrop(s)(i),
                    ValueError,
                )

    def test_ranges_of_resized_crops(self):
        self.both(TypeError, "RandomResizedCrop", 5, scale=0.5)
        self.both(TypeError, "RandomResizedCrop", 5, ratio=1.0)
        for scale in ((0.5,), (1.0, 0.5), (-0.1, 0.5), (0.1, math.nan)):
            self.both(ValueError, "RandomResizedCrop", 5, scale, same=False)
        for ratio in ((0.5,), (1.0, 0.5), (0, 0.5), (0.1, math.inf)):
            self.both(ValueError, "RandomResizedCrop", 5, ratio=ratio, same=False)

    def test_interpolation(self):
        for name, argument in (
            ("RandomResizedCrop", 5),
            ("RandomRotation", 5),
            ("RandomAffine", 5),
        ):
            for value in ("bilinear", None):
                self.both(TypeError, name, argument, interpolation=value, same=False)
            self.both(ValueError, name, argument, interpolation=9, same=False)

    @pytest.mark.parametrize("name", ["RandomRotation", "RandomAffine"])
    def test_angles_centers_fills(self, name):
        self.both(ValueError, name, -1)
        self.both(ValueError, name, (1, 2, 3))
        self.both(ValueError, name, (3, 2), same=False)
        self.both(ValueError, name, math.inf, same=False)
        self.both(TypeError, name, None)
        self.both(TypeError, name, {1, 2})
        self.both(TypeError, name, 5, center=3)
        self.both(ValueError, name, 5, center=(1, 2, 3))
        self.both(TypeError, name, 5, fill={1})
        self.both(TypeError, name, 5, fill="red", same=False)
        self.both(TypeError, name, 5, fill=["red"], same=False)

    def test_affine(self):
        self.both(TypeError, "RandomAffine", 5, translate=0.1)
        self.both(ValueError, "RandomAffine", 5, translate=(0.1,))
        for translate in ((0.1, 1.1), (-0.1, 0.5)):
            self.both(ValueError, "RandomAffine", 5, translate=translate)
        self.both(TypeError, "RandomAffine", 5, scale=0.5)
        self.both(ValueError, "RandomAffine", 5, scale=(0.5,))
        for scale in ((0.0, 1.0), (-1.0, 1.0)):
            self.both(ValueError, "RandomAffine", 5, scale=scale)
        self.both(ValueError, "RandomAffine", 5, scale=(1.0, 0.5), same=False)
        self.both(ValueError, "RandomAffine", 5, shear=-1)
        for shear in ((1, 2, 3), (1,)):
            self.both(ValueError, "RandomAffine", 5, shear=shear)
        for shear in ((2, 1), (1, 2, 4, 3)):
            self.both(ValueError, "RandomAffine", 5, shear=shear, same=False)

    @pytest.mark.parametrize("option", ["brightness", "contrast", "saturation", "hue"])
    def test_jitter(self, option):
        for value in (-0.1, (0.4, 0.2), (-0.6, 0.3)):
            self.both(ValueError, "ColorJitter", **{option: value})
        for value in ("0.1", None, {1, 2}):
            self.both(TypeError, "ColorJitter", **{option: value})
        self.both(ValueError, "ColorJitter", **{option: (0.1, math.nan)})
        for value in ((0.1,), (0.1, 0.2, 0.3)):
            self.both(TypeError, "ColorJitter", **{option: value})

    def test_hue_beyond_half_a_turn(self):
        for value in (0.6, (-0.5, 0.6)):
            self.both(ValueError, "ColorJitter", hue=value)

    @pytest.mark.parametrize("name", sorted({name for name, _, _ in CALLS}))
    def test_what_is_no_image(self, name):
        argument = {"RandomCrop": 3, "RandomResizedCrop": 3}.get(name, 0.5)
        for img in (torch.zeros(3), np.zeros((4, 5, 3)), None):
            for p in (1.0,) if "Flip" in name else (argument,):
                assert_refused(
                    lambda i=img, a=p: getattr(transforms, name)(a)(i),
                    lambda i=img, a=p: getattr(TV, name)(a)(i),
                    TypeError,
                )

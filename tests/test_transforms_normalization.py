"""normalize, its inverse and the transforms made of them, against torchvision."""

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torchvision.transforms.functional as TF
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn
from torchvision import transforms as TV

from dlref.transforms import (
    Compose,
    Denormalize,
    Normalize,
    ToTensor,
    denormalize,
    normalize,
    to_normalized_tensor,
)

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
SHAPES = [
    (3, 1, 1),
    (3, 5, 7),
    (3, 224, 224),
    (2, 3, 5, 7),
    (2, 4, 3, 5, 7),
    (0, 3, 5, 7),
]
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "as it is": lambda x: x,
    "channels last": lambda x: x.transpose(-3, -1).contiguous().transpose(-3, -1),
    "transposed": lambda x: x.mT.contiguous().mT,
    "stepped": lambda x: x.repeat_interleave(2, -1)[..., ::2],
    "expanded": lambda x: x[..., :1, :].expand(x.shape),
    "one plane three times": lambda x: x[..., :1, :, :].expand(x.shape),
}
STATISTICS = {
    "tuples": (MEAN, STD),
    "lists": ([*MEAN], [*STD]),
    "lists of integers": ([1, 2, 3], [4, 5, 6]),
    "one number for all": ([0.5], [0.25]),
    "bare numbers": (0.5, 2),
    "arrays": (np.array(MEAN), np.array(STD, np.float32)),
    "NumPy's numbers": (list(np.array(MEAN)), tuple(np.array(STD, np.float32))),
    "tensors": (torch.tensor(MEAN), torch.tensor(STD, dtype=torch.float64)),
    "(C, 1, 1)": (torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)),
    "nested lists": ([[[0.1]], [[0.2]], [[0.3]]], [[[1.0]], [[2.0]], [[3.0]]]),
    "one number a column": ([[0.0, 1, 2, 3, 4, 5, 6]], [[1.0, 2, 3, 4, 5, 6, 7]]),
    "one number a pixel": (torch.arange(105.0).view(3, 5, 7), torch.full((5, 7), 2.0)),
    "a negative std": (MEAN, (-1.0, 2.0, float("inf"))),
}


def images(shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(shape, generator=generator).to(dtype)


def assert_same(ours: Tensor, theirs: Tensor) -> None:
    """The same bits, dtype and shape, and strides where they lead anywhere."""
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    strides = zip(ours.shape, ours.stride(), theirs.stride(), strict=True)
    assert all(s == t for n, s, t in strides if n > 1) or not ours.numel()
    assert torch.equal(
        ours.flatten().view(torch.uint8), theirs.flatten().view(torch.uint8)
    )


def fits(shape: tuple[int, ...], what: str) -> bool:
    return shape[-2:] == (5, 7) or not what.startswith("one number a")


@pytest.mark.parametrize("what", STATISTICS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_normalize(dtype: torch.dtype, shape: tuple[int, ...], what: str) -> None:
    if not fits(shape, what):
        shape = (*shape[:-2], 5, 7)
    mean, std = STATISTICS[what]
    x = images(shape, dtype)
    before = x.clone()
    theirs = TF.normalize(x, mean, std)
    assert_same(normalize(x, mean, std), theirs)
    transform = Normalize(mean, std)
    for _ in range(2):  # the second time with what the first prepared
        assert_same(transform(x), theirs)
    assert torch.equal(x, before)


@pytest.mark.parametrize("what", STATISTICS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_denormalize(dtype: torch.dtype, shape: tuple[int, ...], what: str) -> None:
    if not fits(shape, what):
        shape = (*shape[:-2], 5, 7)
    mean, std = STATISTICS[what]
    y = images(shape, dtype)
    before = y.clone()
    mu, sigma = (torch.as_tensor(s, dtype=dtype) for s in (mean, std))
    if mu.ndim < 2:
        mu, sigma = mu.view(-1, 1, 1), sigma.view(-1, 1, 1)
    formula = sigma * y + mu
    assert_same(denormalize(y, mean, std), formula)
    transform = Denormalize(mean, std)
    for _ in range(2):
        assert_same(transform(y), formula)
    assert torch.equal(y, before)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 3, 5, 7)], ids=str)
def test_layout(shape: tuple[int, ...], layout: str) -> None:
    x = LAYOUTS[layout](images(shape))
    assert_same(normalize(x, MEAN, STD), TF.normalize(x, MEAN, STD))
    assert_same(Normalize(MEAN, STD)(x), TF.normalize(x, MEAN, STD))


@pytest.mark.parametrize("call", [normalize, denormalize])
@pytest.mark.parametrize("layout", ["as it is", "channels last", "stepped"])
def test_in_place(call: Callable[..., Tensor], layout: str) -> None:
    x = LAYOUTS[layout](images((2, 3, 5, 7)))
    expected = call(x, MEAN, STD)
    assert call(x, MEAN, STD, inplace=True) is x
    assert torch.equal(x, expected)


@pytest.mark.parametrize("kind", [Normalize, Denormalize])
def test_class_in_place(kind: Callable[..., nn.Module]) -> None:
    x = images((3, 5, 7))
    expected = kind(MEAN, STD)(x)
    assert kind(MEAN, STD, inplace=True)(x) is x
    assert torch.equal(x, expected)


def test_in_place_on_a_leaf_is_left_to_autograd_to_refuse() -> None:
    x = images((3, 5, 7)).requires_grad_()
    for call in normalize, TF.normalize:
        with pytest.raises(RuntimeError, match="leaf Variable"):
            call(x, MEAN, STD, inplace=True)


values = st.floats(0, 1, width=32)
means = st.lists(st.floats(-2, 2), min_size=3, max_size=3)
stds = st.lists(st.floats(0.125, 4), min_size=3, max_size=3)


@given(st.lists(values, min_size=12, max_size=12), means, stds)
@settings(max_examples=200, deadline=None)
def test_any_statistics(x: list[float], mean: list[float], std: list[float]) -> None:
    image = torch.tensor(x).view(3, 2, 2)
    assert torch.equal(normalize(image, mean, std), TF.normalize(image, mean, std))


@given(st.lists(values, min_size=12, max_size=12), means, stds)
@settings(max_examples=200, deadline=None)
def test_inverse(x: list[float], mean: list[float], std: list[float]) -> None:
    image = torch.tensor(x, dtype=torch.float64).view(3, 2, 2)
    there = denormalize(normalize(image, mean, std), mean, std)
    back = normalize(denormalize(image, mean, std), mean, std)
    u = 2**-53  # |x| <= 1, |mean| <= 2, std <= 4: the sums of what each step rounds off
    assert (there - image).abs().max() <= (3 + 3 + 3 + 1) * u * 1.001
    assert (back - image).abs().max() <= ((4 + 6 + 4) / min(std) + 1) * u * 1.001


def test_inverse_is_exact_to_8_bits_only_if_rounded() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16).repeat(3).reshape(16, 16, 3)
    x = to_normalized_tensor(levels, MEAN, STD)
    back = denormalize(x, MEAN, STD) * 255
    expected = torch.from_numpy(levels).permute(2, 0, 1)
    assert torch.equal(back.round().to(torch.uint8), expected)
    truncated = back.to(torch.uint8).int()
    assert (truncated != expected).any()
    assert (truncated - expected).abs().max() == 1


def test_range_is_not_standardisation() -> None:
    x = torch.linspace(0, 1, 10_001).view(1, 1, -1)
    y = normalize(x, [0.5], [0.5])
    assert (y.min(), y.max()) == (-1, 1)
    assert y.std(correction=0).item() == pytest.approx(1 / 3**0.5, abs=1e-3)
    ends = normalize(torch.tensor([0.0, 1.0]).expand(3, 1, 2), MEAN, STD)
    assert ends.min().item() == pytest.approx(-2.118, abs=1e-3)
    assert ends.max().item() == pytest.approx(2.640, abs=1e-3)


@pytest.mark.parametrize("call", [normalize, denormalize])
def test_gradients(call: Callable[..., Tensor]) -> None:
    x, mean = (
        images((2, 3, 2, 2), torch.float64),
        torch.tensor(MEAN, dtype=torch.float64),
    )
    std = torch.tensor(STD, dtype=torch.float64)
    inputs = [t.requires_grad_() for t in (x, mean, std)]
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)
    assert torch.autograd.gradcheck(lambda t: call(t, MEAN, STD), x)


@pytest.mark.parametrize("kind", [Normalize, Denormalize])
def test_gradients_of_the_classes(kind: Callable[..., nn.Module]) -> None:
    x = images((2, 3, 2, 2), torch.float64).requires_grad_()
    mean = torch.tensor(MEAN, dtype=torch.float64, requires_grad=True)
    transform, learned = kind(MEAN, STD), kind(mean, STD)
    for _ in range(2):
        assert torch.autograd.gradcheck(transform, x)
        assert torch.autograd.grad(learned(x).sum(), mean)[0].abs().sum() > 0


def test_prepared_statistics_serve_later_calls_of_any_kind() -> None:
    transform = Normalize(MEAN, STD)
    shapes = [(3, 5, 7), (3, 2, 2), (2, 3, 5, 7)]
    for shape in shapes * 2:
        for dtype in DTYPES:
            x = images(shape, dtype)
            assert_same(transform(x), TF.normalize(x, MEAN, STD))
    one = Normalize([0.5], [0.5])
    for channels in 1, 3, 1, 4:
        x = images((channels, 5, 7))
        assert_same(one(x), TF.normalize(x, [0.5], [0.5]))


@pytest.mark.parametrize("kind", [Normalize, Denormalize])
def test_prepared_statistics_follow_the_images(kind: Callable[..., nn.Module]) -> None:
    transform, x = kind(MEAN, STD), images((3, 5, 7))
    expected = transform(x)
    ((known, pair),) = transform._prepared.items()
    elsewhere = tuple(statistic.to("meta") for statistic in pair)
    transform._prepared[known] = elsewhere  # as if images of that device had come last
    assert_same(transform(x), expected)
    assert transform._prepared[known] is not elsewhere


def test_a_leaf_is_not_overwritten() -> None:
    transform = Normalize(MEAN, STD, inplace=True)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="leaf Variable"):
            transform(images((3, 5, 7)).requires_grad_())


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_prepared_without_autograd_serves_it_later(mode: Callable[[], object]) -> None:
    transform = Normalize(MEAN, STD)
    with mode():
        transform(images((3, 5, 7)))
    x = images((3, 5, 7)).requires_grad_()
    transform(x).sum().backward()
    assert torch.allclose(x.grad[:, 0, 0], 1 / torch.tensor(STD))


def test_statistics_given_as_tensors_are_read_at_each_call() -> None:
    mean = torch.zeros(3)
    transform, x = Normalize(mean, STD), images((3, 5, 7))
    for _ in range(3):
        assert_same(transform(x), TF.normalize(x, mean, STD))
        mean += 1


def test_attributes_can_be_set() -> None:
    transform, x = Normalize([0.0], [1.0]), images((3, 5, 7))
    assert torch.equal(transform(x), x)
    transform.mean = [1.0]
    assert torch.equal(transform(x), x - 1)
    transform.std = [2.0]
    assert torch.equal(transform(x), (x - 1) / 2)
    transform.inplace = True
    assert transform(x) is x


def test_is_a_module_without_state() -> None:
    model = nn.Sequential(Normalize(MEAN, STD), Denormalize(MEAN, STD))
    x = images((2, 3, 5, 7))
    assert torch.allclose(model(x), x, atol=1e-6)
    assert not model.state_dict()
    theirs = TV.Normalize(MEAN, STD)
    assert repr(Normalize(MEAN, STD)) == repr(theirs)
    assert repr(Denormalize([0.5], 2.0)) == "Denormalize(mean=[0.5], std=2.0)"


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, copy.copy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_copies(clone: Callable[[nn.Module], nn.Module]) -> None:
    transform, x = Normalize(MEAN, STD), images((3, 5, 7))
    transform(x)
    twin = clone(transform)
    twin.mean = (0.0, 0.0, 0.0)
    assert_same(twin(x), TF.normalize(x, (0.0, 0.0, 0.0), STD))
    assert_same(transform(x), TF.normalize(x, MEAN, STD))


def test_other_devices() -> None:
    transform = Normalize(MEAN, STD)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices * 2:
        x = images((2, 3, 5, 7)).to(device)
        theirs = TF.normalize(x, MEAN, STD)
        assert transform(x).device == theirs.device
        assert torch.equal(transform(x), theirs)
        assert torch.equal(normalize(x, MEAN, STD), theirs)


def test_the_default_device_is_not_asked() -> None:
    x = images((3, 5, 7))
    with torch.device("meta"):
        ours = [normalize(x, MEAN, STD), Normalize(MEAN, STD)(x)]
    for y in ours:
        assert torch.equal(y, TF.normalize(x, MEAN, STD))


def test_vmap() -> None:
    x = images((5, 3, 2, 2))
    assert torch.equal(
        torch.func.vmap(Normalize(MEAN, STD))(x), normalize(x, MEAN, STD)
    )


PICTURES = {
    mode: Image.effect_noise((160, 140), 90).convert("RGB").convert(mode)
    for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F")
}


@pytest.mark.parametrize("mode", PICTURES)
def test_to_normalized_tensor(mode: str) -> None:
    theirs = TV.Compose([TV.ToTensor(), TV.Normalize([0.4], [0.3])])
    ours = Compose([ToTensor(), Normalize([0.4], [0.3])])
    for pic in PICTURES[mode], PICTURES[mode].crop((2, 1, 7, 4)):
        expected = theirs(pic)
        assert_same(to_normalized_tensor(pic, [0.4], [0.3]), expected)
        assert_same(ours(pic), expected)
        if mode not in {"1", "P"}:
            a = np.asarray(pic)
            expected = theirs(a.copy())
            assert_same(to_normalized_tensor(a, [0.4], [0.3]), expected)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)], ids=str)
def test_to_normalized_tensor_leaves_a_floating_array_alone(
    shape: tuple[int, ...],
) -> None:
    a = np.random.default_rng(0).random(shape, np.float32)
    before = a.copy()
    y = to_normalized_tensor(a, [0.4], [0.3])
    assert_same(y, TF.normalize(TF.to_tensor(a), [0.4], [0.3]))
    assert np.array_equal(a, before)
    assert not np.may_share_memory(y.numpy(), a)


def test_compose() -> None:
    steps: list[Callable[..., object]] = [lambda x: x + 1, lambda x: x * 2, str]
    assert Compose(steps)(3) == "8"
    assert Compose(reversed(steps[:2]))(3) == 7
    assert Compose([])("anything") == "anything"
    assert Compose([Compose(steps), len])(30) == 2
    generated = Compose(step for step in steps)
    assert generated(3) == generated(3) == "8"
    ours = Compose([ToTensor(), Normalize(MEAN, STD)])
    theirs = TV.Compose([TV.ToTensor(), TV.Normalize(MEAN, STD)])
    assert repr(ours) == repr(theirs)
    assert repr(Compose([])) == repr(TV.Compose([]))


@pytest.mark.refusal
def test_compose_refuses_what_it_cannot_call() -> None:
    with pytest.raises(TypeError, match=r"transforms\[1\] must be callable, got 3"):
        Compose([ToTensor(), 3])


X = torch.zeros(3, 2, 2)
REFUSED = {
    "image": (Image.new("RGB", (2, 2)), MEAN, STD, TypeError, "a Tensor, got Image"),
    "array": (X.numpy(), MEAN, STD, TypeError, "a Tensor, got ndarray"),
    "list": ([1.0], MEAN, STD, TypeError, "a Tensor, got list"),
    "uint8": (X.byte(), MEAN, STD, TypeError, "floating point, got torch.uint8"),
    "int64": (X.long(), MEAN, STD, TypeError, "floating point, got torch.int64"),
    "bool": (X.bool(), MEAN, STD, TypeError, "floating point, got torch.bool"),
    "complex": (X.cfloat(), MEAN, STD, TypeError, "got torch.complex64"),
    "2-D": (X[0], [0.5], [0.5], ValueError, r"\(..., C, H, W\), got \(2, 2\)"),
    "std 0": (
        X,
        MEAN,
        (1, 0, 1),
        ValueError,
        r"zero in torch.float32, got \(1, 0, 1\)",
    ),
    "std -0": (X, MEAN, (1, -0.0, 1), ValueError, "zero in torch.float32"),
    "std underflows": (X.half(), MEAN, [1e-9], ValueError, "zero in torch.float16"),
}
MISFITS = {
    "0-D": (X[0, 0, 0], 0.5, 0.5, ValueError, r"got \(\)"),
    "2 means": (X, (0.5, 0.5), STD, ValueError, "mean .* each of 3 channels, got"),
    "4 stds": (X, MEAN, (1, 1, 1, 1), ValueError, "std .* each of 3 channels, got"),
    "3 for 1": (X[:1], MEAN, STD, ValueError, "mean .* each of 1 channels, got"),
    "none": (X, [], STD, ValueError, "mean .* each of 3 channels, got"),
    "too large": (X[:, :1], torch.zeros(3, 2, 2), STD, ValueError, "mean must be"),
    "a batch": (X, torch.zeros(2, 3, 1, 1), STD, ValueError, "mean must be"),
    "text": (X, "0.5", STD, TypeError, "must be numbers, got '0.5' and"),
    "None": (X, MEAN, None, TypeError, "must be numbers, got .* and None"),
    "ragged": (X, [0.5, [0.5]], STD, TypeError, "must be numbers"),
}


@pytest.mark.refusal
@pytest.mark.parametrize("what", [*REFUSED, *MISFITS])
def test_refusals(what: str) -> None:
    x, mean, std, error, message = (REFUSED | MISFITS)[what]
    before = copy.deepcopy(x)
    calls = [normalize, denormalize]
    calls += [lambda x, *s, k=k: k(*s)(x) for k in (Normalize, Denormalize)]
    for call in calls:
        with pytest.raises(error, match=message):
            call(x, mean, std)
    with pytest.raises(error, match=message):
        normalize(x, mean, std, inplace=True)
    # torchvision lets torch refuse what does not fit, partly after a change in place
    theirs = error if what in REFUSED else (TypeError, ValueError, RuntimeError)
    with pytest.raises(theirs):
        TF.normalize(copy.deepcopy(x), mean, std)
    assert x.equal(before) if isinstance(x, Tensor) else True


@pytest.mark.refusal
@pytest.mark.parametrize("kind", [Normalize, Denormalize])
def test_what_was_prepared_lets_nothing_pass(kind: Callable[..., nn.Module]) -> None:
    transform = kind(MEAN, STD)
    transform(X)
    for x in X[:1], X[:2], X.repeat(2, 1, 1):
        with pytest.raises(ValueError, match="channels"):
            transform(x)
    for x in X.int(), X.numpy(), None, 3.0:
        with pytest.raises(TypeError):
            transform(x)
    with pytest.raises(ValueError, match=r"got \(2, 2\)"):
        transform(X[0])


@pytest.mark.refusal
def test_to_normalized_tensor_refuses() -> None:
    with pytest.raises(TypeError, match="got list"):
        to_normalized_tensor([[1]], MEAN, STD)
    with pytest.raises(TypeError, match=r"floating point, got .*int32"):
        to_normalized_tensor(Image.new("I", (2, 2)), [0.5], [0.5])
    with pytest.raises(TypeError, match=r"floating point, got .*int16"):
        to_normalized_tensor(np.zeros((2, 2), np.int16), [0.5], [0.5])
    with pytest.raises(ValueError, match="channels"):
        to_normalized_tensor(Image.new("L", (2, 2)), MEAN, STD)

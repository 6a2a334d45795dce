"""dlref.normalization's layers, against torch's, and their state in both directions."""

import copy
import io
from collections import OrderedDict
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from dlref.normalization import BatchNorm1d, BatchNorm2d

KINDS = {
    "1d": (BatchNorm1d, nn.BatchNorm1d, (5, 3)),
    "1d of sequences": (BatchNorm1d, nn.BatchNorm1d, (4, 3, 5)),
    "2d": (BatchNorm2d, nn.BatchNorm2d, (4, 3, 2, 5)),
}
kinds = pytest.mark.parametrize("kind", KINDS)
OPTIONS = [
    {"momentum": momentum, "affine": affine, "track_running_stats": tracked}
    for momentum, affine, tracked in product((0.1, None), (True, False), (True, False))
]


def batches(shape: tuple[int, ...], count: int, device: str) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [
        (3 * torch.randn(shape, generator=generator, device="cpu") + 2).to(device)
        for _ in range(count)
    ]


def same_state(a: nn.Module, b: nn.Module) -> None:
    x, y = a.state_dict(), b.state_dict()
    assert list(x) == list(y)
    for name in x:
        torch.testing.assert_close(x[name], y[name])


@kinds
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_training_and_evaluation_in_turns(device, kind, options):
    mine, theirs, shape = KINDS[kind]
    mine, theirs = (
        layer(3, eps=0.01, **options).to(device) for layer in (mine, theirs)
    )
    for layer in (mine, theirs):
        if options["affine"]:
            with torch.no_grad():
                layer.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
                layer.bias.copy_(torch.tensor([0.1, 0.2, 0.3]))
    for step, x in enumerate(batches(shape, 6, device)):
        results = []
        for layer in (mine, theirs):
            layer.train(step % 3 < 2)
            leaf = x.clone().requires_grad_()
            y = layer(leaf)
            given = [leaf, *layer.parameters()]
            results.append((y, *torch.autograd.grad(y.pow(2).sum(), given)))
        for got, expected in zip(*results, strict=True):
            torch.testing.assert_close(got, expected, rtol=1e-5, atol=2e-5)
        same_state(mine, theirs)


@kinds
def test_the_cumulative_average_is_that_of_all_batches(device, kind):
    mine, _, shape = KINDS[kind]
    layer = mine(3, momentum=None).double().to(device)
    xs = [x.double() for x in batches(shape, 4, device)]
    for x in xs:
        layer(x)
    rows = torch.stack([x.transpose(0, 1).flatten(1) for x in xs])  # (4, 3, m)
    torch.testing.assert_close(layer.running_mean, rows.mean(2).mean(0))
    torch.testing.assert_close(layer.running_var, rows.var(2).mean(0))
    assert layer.num_batches_tracked.item() == 4


@kinds
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("options", OPTIONS[::-1], ids=str)
def test_state_goes_both_ways(kind, bias, options):
    mine, theirs, shape = KINDS[kind]
    source, target = mine(3, **options, bias=bias), theirs(3, **options, bias=bias)
    assert list(source.state_dict()) == list(target.state_dict())
    for a, b in ((source, target), (target, source)):
        a(batches(shape, 1, "cpu")[0])
        assert (
            str(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
        )
        same_state(a, b)
    assert repr(source) == repr(target)


def test_state_goes_through_a_file_and_in_a_network():
    mine = nn.Sequential(nn.Conv2d(1, 3, 1), BatchNorm2d(3))
    theirs = nn.Sequential(nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3))
    mine(torch.rand(2, 1, 4, 4))
    file = io.BytesIO()
    torch.save(mine.state_dict(), file)
    file.seek(0)
    theirs.load_state_dict(torch.load(file))
    same_state(mine, theirs)


@pytest.mark.parametrize("layer", [BatchNorm2d, nn.BatchNorm2d])
def test_files_from_before_batches_were_counted(layer):
    old = layer(3).state_dict()
    del old["num_batches_tracked"]
    network = layer(3)
    network.load_state_dict(OrderedDict(old))  # without metadata: of an old version
    assert network.num_batches_tracked.item() == 0
    assert "num_batches_tracked" not in old
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        network.load_state_dict(old)  # with: of the present one


def test_parameters_and_buffers():
    layer = BatchNorm2d(3)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    named = [name for name, _ in layer.named_buffers()]
    assert named == ["running_mean", "running_var", "num_batches_tracked"]
    assert layer.num_batches_tracked.dtype == torch.int64
    bare = BatchNorm2d(3, affine=False, track_running_stats=False)
    assert not bare.state_dict()
    assert bare.weight is bare.bias is bare.running_mean is None


def test_reset():
    layer, fresh = BatchNorm1d(3), BatchNorm1d(3)
    layer(torch.rand(4, 3))
    layer.reset_running_stats()
    same_state(layer, fresh)
    with torch.no_grad():
        layer.weight.fill_(3)
        layer.bias.fill_(3)
    layer.reset_parameters()
    same_state(layer, fresh)
    bare = BatchNorm1d(3, affine=False, track_running_stats=False)
    bare.reset_parameters()


def test_dtype_device_and_copies():
    layer = BatchNorm2d(3, dtype=torch.float64, device="cpu")
    assert layer(torch.rand(2, 3, 4, 4, dtype=torch.float64)).dtype == torch.float64
    assert layer.running_var.dtype == layer.weight.dtype == torch.float64
    assert BatchNorm2d(3, device="meta").num_batches_tracked.is_meta
    same_state(copy.deepcopy(layer), layer)
    assert layer.half().running_mean.dtype == torch.float16
    assert layer.num_batches_tracked.dtype == torch.int64


def test_it_learns_as_torchs_does(device):
    """Ten steps of SGD, and the loss at the end, in float64."""
    losses = []
    for norm in (BatchNorm2d, nn.BatchNorm2d):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(1, 4, 3), norm(4), nn.ReLU(inplace=True),
                            nn.Flatten(), nn.Linear(4 * 36, 2)).double()  # fmt: skip
        net = net.to(device)
        rate = torch.optim.SGD(net.parameters(), 0.1)
        x, y = (v.double() for v in batches((16, 1, 8, 8), 2, device))
        for _ in range(10):
            loss = (net(x) - y[:, 0, 0, :2]).square().mean()
            rate.zero_grad()
            loss.backward()
            rate.step()
        losses.append(net.eval()(x).square().mean())
    torch.testing.assert_close(*losses, rtol=1e-9, atol=0)


@pytest.mark.refusal
class TestRefusals:
    @pytest.mark.parametrize(
        ("layer", "shape", "words"),
        [(BatchNorm1d, (2, 3, 4, 4), r"expected 2D or 3D input \(got 4D input\)"),
         (BatchNorm1d, (3,), r"expected 2D or 3D input \(got 1D input\)"),
         (BatchNorm2d, (2, 3), r"expected 4D input \(got 2D input\)"),
         (BatchNorm2d, (3, 4, 4), r"expected 4D input \(got 3D input\)"),
         (BatchNorm2d, (2, 5, 4, 4), r"weight of the shape \(5,\)"),
         (BatchNorm2d, (1, 3, 1, 1), "more than 1 value per channel")],
    )  # fmt: skip
    def test_shapes(self, layer, shape, words):
        with pytest.raises(ValueError, match=words):
            layer(3)(torch.ones(shape))

    def test_types(self):
        with pytest.raises(TypeError, match="expected input to be a Tensor, got list"):
            BatchNorm2d(3)([[1.0]])
        with pytest.raises(TypeError, match="expected one dtype"):
            BatchNorm2d(3)(torch.ones(2, 3, 4, 4, dtype=torch.float64))
        with pytest.raises(TypeError, match="expected input of floating point"):
            BatchNorm2d(3)(torch.ones(2, 3, 4, 4, dtype=torch.int64))

    def test_one_sample_is_fine_in_evaluation(self):
        assert BatchNorm1d(3).eval()(torch.ones(1, 3)).shape == (1, 3)

"""Weights in, and images of the wrong shape refused."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dlref._network import check_images, load_weights


def network() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


def same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("kind", ["dict", "str", "path"])
def test_weights_come_from_a_dict_or_a_file(kind: str, tmp_path: Path) -> None:
    source, target = network(), network()
    source(torch.rand(2, 1, 5, 5))  # moves the statistics
    path = tmp_path / "net.pth"
    torch.save(source.state_dict(), path)
    weights = {"dict": source.state_dict(), "str": str(path), "path": path}[kind]
    assert not same(source, target)
    load_weights(target, weights)
    assert same(source, target)


def test_what_was_given_stays_apart() -> None:
    source, target = network(), network()
    state = source.state_dict()
    load_weights(target, state)
    with torch.no_grad():
        target[0].weight.zero_()
    assert state["0.weight"].any()


@pytest.mark.refusal
@pytest.mark.parametrize("weights", [3, [torch.zeros(2)], {"state_dict": {}}, None])
def test_no_weights(weights: object) -> None:
    with pytest.raises(TypeError, match="path or a state dict of tensors, got"):
        load_weights(network(), weights)


@pytest.mark.refusal
def test_a_file_of_something_else(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "model": network().state_dict()}, tmp_path / "net.pth")
    with pytest.raises(TypeError, match="got a mapping to OrderedDict, int"):
        load_weights(network(), tmp_path / "net.pth")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        load_weights(network(), tmp_path / "absent.pth")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.bias": None}, "with 1 missing: 0.bias$"),
        ({"2.bias": torch.zeros(1)}, "with 1 unexpected: 2.bias$"),
        ({"0.bias": torch.zeros(3)}, r"of another shape: 0.bias \(3,\) for \(2,\)"),
        (dict.fromkeys(network().state_dict()), r"6 missing: .* and 2 more$"),
    ],
)
def test_other_names_or_shapes_are_refused(change: dict, message: str) -> None:
    target = network()
    before = OrderedDict((k, v.clone()) for k, v in target.state_dict().items())
    state = {**target.state_dict(), **change}
    state = {k: v for k, v in state.items() if v is not None}
    with pytest.raises(ValueError, match=message):
        load_weights(target, state)
    assert all(torch.equal(v, before[k]) for k, v in target.state_dict().items())


class TestCountsOfBatches:
    """Files from before PyTorch 0.4.1 have no `num_batches_tracked`."""

    def without(self, source: nn.Module) -> OrderedDict:
        state = source.state_dict()
        del state["1.num_batches_tracked"]
        return state

    def test_old_files_are_accepted_as_by_torch(self, tmp_path: Path) -> None:
        source, target, torchs = network(), network(), network()
        for net in (source, target, torchs):
            net(torch.rand(2, 1, 5, 5))
        source(torch.rand(2, 1, 5, 5))
        old = self.without(source)
        old._metadata["1"]["version"] = 1
        torch.save(old, tmp_path / "net.pth")
        for weights in (old, dict(old), tmp_path / "net.pth"):
            load_weights(target, weights)
            torchs.load_state_dict(old)
            assert same(target, torchs)
        assert target[1].num_batches_tracked == 1  # its own
        assert target[1].running_mean.equal(source[1].running_mean)
        assert "1.num_batches_tracked" not in old

    def test_new_files_that_lack_one_are_refused_as_by_torch(self) -> None:
        state = self.without(network())
        with pytest.raises(ValueError, match=r"1 missing: 1\.num_batches_tracked$"):
            load_weights(network(), state)
        with pytest.raises(RuntimeError, match="num_batches_tracked"):
            network().load_state_dict(state)


@pytest.mark.parametrize("shape", [(1, 3, 32, 32), (0, 3, 40, 33), (5, 3, 99, 32)])
def test_images(shape: tuple[int, ...]) -> None:
    check_images(torch.zeros(shape), 3, 32)


def test_sides_apart() -> None:
    check_images(torch.zeros(1, 3, 4, 6), 3, 4, 6)
    with pytest.raises(ValueError, match="H >= 4 and W >= 7"):
        check_images(torch.zeros(1, 3, 4, 6), 3, 4, 7)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (np.zeros((1, 3, 32, 32)), TypeError, "Tensor of images, got ndarray"),
        (torch.zeros(1, 3, 32, 32).long(), TypeError, "floating point, got torch.int"),
        (torch.zeros(3, 32, 32), ValueError, r"got \(3, 32, 32\)"),
        (torch.zeros(1, 1, 32, 32), ValueError, r"\(N, 3, H, W\) .* \(1, 1, 32, 32\)"),
        (torch.zeros(1, 3, 31, 32), ValueError, "H >= 32 and W >= 32"),
    ],
)
def test_what_is_no_image(x: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check_images(x, 3, 32)

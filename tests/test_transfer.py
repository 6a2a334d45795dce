"""dlref.transfer: what is frozen stays, heads fit, rates belong to layers."""

import copy
import inspect
import io
import warnings

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from dlref import models
from dlref.normalization import BatchNorm2d
from dlref.transfer import (
    freeze,
    parameter_groups,
    replace_head,
    unfreeze,
    unfreeze_last,
)

HEADS = {
    "alexnet": "classifier.6", "vgg11_bn": "classifier.6", "googlenet": "fc",
    "inception_v3": "fc", "resnet18": "fc", "resnext50_32x4d": "fc",
    "wide_resnet50_2": "fc", "densenet121": "classifier",
    "mobilenet_v2": "classifier.1",
    "mobilenet_v3_small": "classifier.3", "squeezenet1_1": "classifier.1",
    "shufflenet_v2_x1_0": "fc", "mnasnet0_5": "classifier.1",
    "efficientnet_b0": "classifier.1", "convnext_tiny": "classifier.2",
    "regnet_y_400mf": "fc", "vit_b_32": "heads.head", "swin_t": "head",
}  # fmt: skip
OURS = sorted(
    name
    for name in models.__all__
    if name.islower()
    and "weights" in inspect.signature(getattr(models, name)).parameters
    and name != "lenet5_1998"  # ends in fixed prototypes
)


def small() -> nn.Sequential:
    """A network with both kinds of trouble: batch normalisation and dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3),
        BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(4 * 16, 3),
    )  # fmt: skip


def train(net: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 3) -> None:
    """Some steps, in training mode."""
    net.train()
    for step in range(steps):
        torch.manual_seed(step)
        x, y = torch.randn(8, 1, 8, 8), torch.arange(8) % 3
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()


def state(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def changed(net: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    now = net.state_dict()
    return {name for name, value in before.items() if not torch.equal(value, now[name])}


class TestFreeze:
    def test_training_leaves_nothing_behind_but_the_head(self) -> None:
        net = small()
        freeze(net)
        unfreeze_last(net, 1)
        before = state(net)
        train(net, torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=0.1))
        assert changed(net, before) == {"7.weight", "7.bias"}

    def test_parameters_alone_let_the_statistics_move(self) -> None:
        """C066: a frozen network whose batch norm still drifts."""
        net = freeze(small(), batch_norm=False).train()
        before = state(net)
        net(torch.randn(8, 1, 8, 8))
        assert changed(net, before) == {
            f"{layer}.{name}"
            for layer in (1, 4)
            for name in ("running_mean", "running_var", "num_batches_tracked")
        }

    def test_flags_after_train_and_eval(self) -> None:
        net = nn.Sequential(freeze(small()), nn.BatchNorm1d(3))
        for mode in (True, False, True):
            assert net.train(mode) is net
            flags = [module.training for module in net[0]]
            assert flags == [mode, False, mode, mode, False, mode, mode, mode]
            assert net[1].training == mode
            assert net.training == mode
        assert net[0][1].train() is net[0][1]
        assert net[0][1].eval() is net[0][1]

    def test_the_output_is_that_of_evaluation(self) -> None:
        net = small()
        net[5] = nn.Identity()
        x = torch.randn(8, 1, 8, 8)
        net(x)  # moves the statistics away from 0 and 1
        expected = net.eval()(x)
        assert torch.equal(freeze(net).train()(x), expected)

    def test_copies_and_files_stay_frozen(self) -> None:
        net = freeze(small())
        file = io.BytesIO()
        torch.save(net, file)
        file.seek(0)
        for other in (copy.deepcopy(net), torch.load(file, weights_only=False)):
            other.train()
            assert not other[1].training
            assert not other[4].training
            unfreeze(other).train()
            assert other[1].training
            assert not net.train()[1].training
        assert net.state_dict().keys() == small().state_dict().keys()

    def test_twice_is_once(self) -> None:
        net = freeze(freeze(small()))
        assert unfreeze(net).train()[1].training

    def test_without_running_statistics_there_is_nothing_to_keep(self) -> None:
        norm = freeze(nn.BatchNorm2d(3, track_running_stats=False)).train()
        assert norm.training
        instance = nn.InstanceNorm2d(3, track_running_stats=True)
        assert not freeze(instance).train().training

    def test_returns_what_it_was_given(self) -> None:
        net = small()
        assert freeze(net) is net
        assert unfreeze(net) is net
        assert unfreeze_last(net, 1) is net

    def test_gradients_flow_through(self) -> None:
        net = freeze(small()).train()
        x = torch.randn(8, 1, 8, 8, requires_grad=True)
        net(x).sum().backward()
        assert x.grad.abs().sum() > 0
        assert all(p.grad is None for p in net.parameters())


class TestUnfreeze:
    @pytest.mark.parametrize("mode", [False, True])
    def test_undoes_all(self, mode) -> None:
        net = small().train(mode)
        attributes = [set(vars(module)) for module in net]
        unfreeze(freeze(net))
        assert all(p.requires_grad for p in net.parameters())
        assert [module.training for module in net] == [mode] * 8
        assert [set(vars(module)) for module in net] == attributes

    def test_statistics_may_stay(self) -> None:
        net = unfreeze(freeze(small()), batch_norm=False).train()
        assert all(p.requires_grad for p in net.parameters())
        assert not net[1].training

    @pytest.mark.parametrize(
        ("n", "first"), [(1, "7.weight"), (2, "3.weight"), (3, "0.weight")]
    )
    def test_last_layers_with_their_normalisation(self, n, first) -> None:
        net = unfreeze_last(freeze(small()), n).train()
        names = [name for name, _ in net.named_parameters()]
        learns = [name for name, p in net.named_parameters() if p.requires_grad]
        assert learns == names[names.index(first) :]
        assert net[4].training == (n >= 2)
        assert net[1].training == (n >= 3)
        kept = unfreeze_last(freeze(small()), n, batch_norm=False).train()
        assert not kept[4].training

    def test_layers_are_those_of_the_name(self) -> None:
        with torch.device("meta"):
            vgg, resnet = models.vgg16(), models.resnet50()
        unfreeze_last(freeze(vgg), 16)
        assert all(p.requires_grad for p in vgg.parameters())
        with pytest.raises(ValueError, match=r"expected n <= 16, its layers, got n=17"):
            unfreeze_last(vgg, 17)
        unfreeze_last(freeze(vgg), 4)
        learns = {
            n.rpartition(".")[0] for n, p in vgg.named_parameters() if p.requires_grad
        }
        assert learns == {"features.28", "classifier.0", "classifier.3", "classifier.6"}
        unfreeze_last(freeze(resnet), 2)
        learns = {n for n, p in resnet.named_parameters() if p.requires_grad}
        assert learns == {
            "layer4.2.conv3.weight", "layer4.2.bn3.weight", "layer4.2.bn3.bias",
            "fc.weight", "fc.bias",
        }  # fmt: skip

    def test_auxiliary_heads_go_with_the_head(self) -> None:
        with torch.device("meta"):
            net = unfreeze_last(freeze(models.googlenet()), 1)
        learns = {n.split(".")[0] for n, p in net.named_parameters() if p.requires_grad}
        assert learns == {"fc", "aux1", "aux2"}


class TestReplaceHead:
    @pytest.mark.parametrize("name", HEADS)
    def test_torchvision_s_networks(self, name) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            build = getattr(torchvision.models, name)
            if name.startswith("regnet"):  # computes with values while it is built
                net = build().to("meta")
            else:
                with torch.device("meta"):
                    net = build()
        self.check(freeze(net), HEADS[name], 299 if "inception" in name else 224)

    @pytest.mark.parametrize("name", OURS)
    def test_dlref_s_networks(self, name) -> None:
        with torch.device("meta"):
            net = freeze(getattr(models, name)())
        head = [path for path, m in net.named_modules() if isinstance(m, nn.Linear)]
        convolution = {"nin": "mlpconv4.4", "nin_cifar10": "mlpconv3.4",
                       "squeezenet1_0": "classifier.1",
                       "squeezenet1_1": "classifier.1"}  # fmt: skip
        side = 32 if name in ("lenet5", "nin_cifar10") else 299
        side = (
            224 if "alexnet" in name or "googlenet" in name or "vgg" in name else side
        )
        self.check(net, convolution.get(name) or head[-1], side)

    def check(self, net: nn.Module, name: str, side: int) -> None:
        old = net.get_submodule(name)
        others = {
            path: p for path, p in net.named_parameters() if "aux" not in path.lower()
        }
        fresh = replace_head(net, 7)
        assert net.get_submodule(name) is fresh
        assert type(fresh) is nn.Linear or isinstance(old, nn.Conv2d)
        assert (fresh.bias is None) == (old.bias is None)
        assert fresh.weight.device.type == "meta"
        for path, parameter in net.named_parameters():
            if path.rpartition(".")[0] != name and path in others:
                assert parameter is others[path]
                assert not parameter.requires_grad
        assert all(p.requires_grad for p in fresh.parameters())
        channels = next(p for p in net.parameters() if p.ndim == 4).shape[1]
        x = torch.empty(2, channels, side, side, device="meta")
        for mode in (False, True):
            y = net.train(mode)(x)
            for out in y if isinstance(y, tuple) else (y,):
                assert out.shape[:2] == (2, 7)

    def test_named(self) -> None:
        net = nn.Sequential(nn.Linear(4, 3), nn.Linear(9, 9))
        fresh = replace_head(net, 5, name="0")
        assert net[0] is fresh
        assert fresh.out_features == 5
        assert net[1].out_features == 9

    @pytest.mark.parametrize(
        "head",
        [nn.Linear(4, 3, bias=False, dtype=torch.float64), nn.Conv1d(4, 3, 1),
         nn.Conv2d(4, 3, 1, padding=1, bias=False), nn.Conv3d(4, 3, 1, stride=2)],
        ids=lambda layer: type(layer).__name__,
    )  # fmt: skip
    def test_the_new_one_is_like_the_old(self, head) -> None:
        net = nn.Sequential(head).eval()
        words = str(head).replace("4, 3,", "4, 6,").replace("=3,", "=6,")
        fresh = replace_head(net, 6)
        assert str(fresh) == words
        assert fresh.weight.dtype == head.weight.dtype
        assert not fresh.training

    def test_drawn_as_torch_draws(self) -> None:
        torch.manual_seed(1)
        expected = nn.Linear(4 * 16, 5).weight
        net = small()
        torch.manual_seed(1)
        assert torch.equal(replace_head(net, 5).weight, expected)

    def test_the_count_of_classes_is_kept(self) -> None:
        with torch.device("meta"):
            net = torchvision.models.squeezenet1_1()
        net.num_classes = 1000
        replace_head(net, 4)
        assert net.num_classes == 4

    @pytest.mark.refusal
    def test_refusals(self) -> None:
        with torch.device("meta"):
            mobile, lenet = torchvision.models.mobilenet_v2(), models.lenet5_1998()
        for net, what in [
            (mobile.features, r"got BatchNorm2d \(18\.1\)"),
            (nn.Sequential(nn.Conv2d(1, 2, 3)), r"got Conv2d \(0\)"),
            (nn.Sequential(nn.Conv2d(2, 2, 1, groups=2)), r"got Conv2d \(0\)"),
            (lenet, r"got .*; pass name= if the head is elsewhere"),
            (nn.Linear(3, 4), "expected a network with a head in it, got Linear"),
            (nn.ReLU(), "expected a network with a head in it, got ReLU"),
        ]:
            with pytest.raises(ValueError, match=what):
                replace_head(net, 3)
        with pytest.raises(ValueError, match="name of a module, got name='fc'"):
            replace_head(small(), 3, name="fc")
        with pytest.raises(ValueError, match="expected num_classes >= 1, got"):
            replace_head(small(), 0)
        with pytest.raises(TypeError, match="expected num_classes to be an int"):
            replace_head(small(), 3.0)

    def test_a_refusal_changes_nothing(self) -> None:
        with torch.device("meta"):
            net = models.googlenet()
        net.aux2.fc2 = nn.Identity()
        net.aux2.fc1 = nn.Conv2d(1, 1, 3)
        net.aux2.conv = nn.Identity()
        fc = net.fc
        with pytest.raises(ValueError):
            replace_head(net, 3)
        assert net.fc is fc


class TestParameterGroups:
    def test_two_groups(self) -> None:
        net = small()
        body, head = parameter_groups(net, 1e-3, head_lr=1e-2)
        assert (body["name"], body["lr"]) == ("body", 1e-3)
        assert (head["name"], head["lr"]) == ("head", 1e-2)
        assert [id(p) for p in head["params"]] == [id(p) for p in net[7].parameters()]
        both = [id(p) for group in (body, head) for p in group["params"]]
        assert both == [id(p) for p in net.parameters()]

    def test_one_rate_for_all(self) -> None:
        assert {group["lr"] for group in parameter_groups(small(), 0.1)} == {0.1}

    def test_decay_by_layer(self) -> None:
        groups = parameter_groups(small(), 0.1, decay=0.5)
        assert [(g["name"], g["lr"], len(g["params"])) for g in groups] == [
            ("0", 0.05, 4), ("3", 0.1, 4), ("head", 0.1, 2),
        ]  # fmt: skip

    def test_frozen_parameters_are_left_out(self) -> None:
        net = unfreeze_last(freeze(small()), 2)
        groups = parameter_groups(net, 0.1, decay=0.5)
        assert [group["name"] for group in groups] == ["3", "head"]
        assert groups[0]["lr"] == 0.1
        replace_head(freeze(net), 2)
        assert [group["name"] for group in parameter_groups(net, 0.1)] == ["head"]

    @pytest.mark.parametrize("name", ["resnet18", "googlenet", "vgg11", "densenet121"])
    @pytest.mark.parametrize("decay", [1.0, 0.9])
    def test_each_parameter_once(self, name, decay) -> None:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net = getattr(torchvision.models, name)()
        groups = parameter_groups(net, 0.1, decay=decay)
        ids = [id(p) for group in groups for p in group["params"]]
        assert sorted(ids) == sorted(id(p) for p in net.parameters())
        rates = [group["lr"] for group in groups[:-1]]
        assert rates == sorted(rates)
        assert rates[-1] == 0.1
        if name == "googlenet":
            aux = {id(p) for n, p in net.named_parameters() if n.startswith("aux")}
            assert aux < {id(p) for p in groups[-1]["params"]}

    def test_tied_parameters_once(self) -> None:
        net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2))
        net[1].weight = net[0].weight
        sizes = [len(g["params"]) for g in parameter_groups(net, 0.1, decay=0.5)]
        assert sizes == [2, 1, 2]

    def test_an_optimizer_uses_them(self) -> None:
        net = small()
        groups = parameter_groups(net, 0.0, head_lr=0.1)
        optimizer = torch.optim.SGD(groups, lr=1.0, momentum=0.9)
        assert [group["name"] for group in optimizer.param_groups] == ["body", "head"]
        before = state(net)
        train(net, optimizer)
        moved = {
            n for n in changed(net, before) if "running" not in n and "num" not in n
        }
        assert moved == {"7.weight", "7.bias"}

    def test_rates_are_the_steps_of_sgd(self) -> None:
        net = small()
        groups = parameter_groups(net, 0.1, head_lr=0.3, decay=0.5)
        before = [p.clone() for group in groups for p in group["params"]]
        rates = [group["lr"] for group in groups for _ in group["params"]]
        train(net, torch.optim.SGD(groups), steps=1)
        after = [p for group in groups for p in group["params"]]
        for old, new, rate in zip(before, after, rates, strict=True):
            torch.testing.assert_close(new, old - rate * new.grad)

    def test_parameters_before_the_first_layer_belong_to_it(self) -> None:
        net = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 3), nn.Linear(3, 2))
        groups = parameter_groups(net, 0.1, decay=0.5)
        assert [(g["name"], len(g["params"])) for g in groups] == [
            ("1", 4),
            ("head", 2),
        ]
        only = parameter_groups(nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2)), 0.1)
        assert [(g["name"], len(g["params"])) for g in only] == [("head", 4)]

    @pytest.mark.refusal
    def test_refusals(self) -> None:
        for options, what in [
            ({"lr": -1.0}, "expected lr >= 0, got lr=-1.0"),
            ({"lr": float("nan")}, "expected lr >= 0"),
            ({"lr": 0.1, "head_lr": -0.5}, "expected head_lr >= 0, got head_lr=-0.5"),
            ({"lr": 0.1, "decay": 0.0}, r"decay in \(0, 1\], got decay=0.0"),
            ({"lr": 0.1, "decay": 1.1}, r"decay in \(0, 1\], got decay=1.1"),
        ]:
            with pytest.raises(ValueError, match=what):
                parameter_groups(small(), **options)
        with pytest.raises(ValueError, match="got a network that is frozen"):
            parameter_groups(freeze(small()), 0.1)


@pytest.mark.refusal
@pytest.mark.parametrize(
    "call",
    [freeze, unfreeze, lambda m: unfreeze_last(m, 1), lambda m: replace_head(m, 1),
     lambda m: parameter_groups(m, 0.1)],
)  # fmt: skip
def test_no_module(call) -> None:
    with pytest.raises(TypeError, match=r"expected an nn\.Module, got type"):
        call(nn.Linear)


@pytest.mark.refusal
def test_counts_that_are_none() -> None:
    with pytest.raises(ValueError, match="expected n >= 1, got n=0"):
        unfreeze_last(small(), 0)
    with pytest.raises(TypeError, match="expected n to be an int"):
        unfreeze_last(small(), 1.5)

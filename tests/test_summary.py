"""dlref.summary against torchinfo's hooks and torch's flop counter; what it leaves."""

import inspect
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchinfo
import torchvision
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.utils.flop_counter import FlopCounterMode

from dlref import models
from dlref.summary import Row, Summary, summary

THEIRS = {
    "alexnet": 224, "vgg16_bn": 224, "googlenet": 224, "inception_v3": 299,
    "resnet18": 224, "resnet50": 97, "resnext50_32x4d": 64, "densenet121": 64,
    "mobilenet_v2": 65, "mobilenet_v3_small": 224, "squeezenet1_1": 224,
    "shufflenet_v2_x1_0": 224, "efficientnet_b0": 64, "convnext_tiny": 64,
}  # fmt: skip
OURS = sorted(
    name
    for name in models.__all__
    if name.islower()
    and "weights" in inspect.signature(getattr(models, name)).parameters
    and not {"101", "152"} & {name[6:9]}  # resnet50 with more of the same blocks
)
SIZES = {"lenet5": (1, 32, 32), "lenet5_1998": (1, 32, 32), "nin_cifar10": (3, 32, 32)}


def on_meta(build: Callable[..., nn.Module], **options: object) -> nn.Module:
    """A network without numbers, so that it is there at once."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchvision: initialisation will change
        return build(**options).eval()


def flops(net: nn.Module, size: tuple[int, ...]) -> int:
    """MACs of all operations, by torch's own counter."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.empty(1, *size, device="meta"))
    return counter.get_total_flops() // 2


def check_against_torchinfo(net: nn.Module, size: tuple[int, ...]) -> None:
    """Layer by layer: name, kind, shape, kernel, parameters; then the totals."""
    info = torchinfo.summary(
        net, input_size=(1, *size), device="meta", verbose=0, depth=99,
        col_names=("output_size", "num_params", "kernel_size"),
    )  # fmt: skip
    layers = [layer for layer in info.summary_list if layer.is_leaf_layer]
    executed = [layer for layer in layers if layer.executed]
    ours = summary(net, size)
    rows = [row for row in ours.rows if row.kind not in {"CNBlock"}]  # its own scale
    assert [row.kind for row in rows] == [layer.class_name for layer in executed]
    for row, layer in zip(rows, executed, strict=True):
        assert row.name.rpartition(".")[2] == layer.var_name
        assert [1, *row.output_shape] == layer.output_size
        first = 0 if layer.is_recursive else layer.num_params
        assert row.num_params == first, row.name
        kernel = layer.kernel_size
        if kernel is not None:  # of pooling torchinfo has what the layer was given
            pair = kernel if isinstance(kernel, list | tuple) else [kernel] * 2
            assert list(row.kernel_size or ()) == list(pair)
    assert ours.num_params == info.total_params
    assert ours.num_trainable_params == info.trainable_params


@pytest.mark.parametrize("name", THEIRS)
def test_torchvision_s_networks(name: str) -> None:
    net, size = on_meta(getattr(torchvision.models, name)), (3, *[THEIRS[name]] * 2)
    check_against_torchinfo(net, size)
    assert summary(net, size).macs == flops(net, size)


@pytest.mark.parametrize("name", OURS)
def test_dlref_s_networks(name: str) -> None:
    net = on_meta(getattr(models, name))
    size = SIZES.get(name, (3, 299, 299) if "ception" in name else (3, 224, 224))
    ours = summary(net, size)
    assert ours.num_params == sum(p.numel() for p in net.parameters())
    counted = sum(row.num_params for row in ours.rows)
    idle = {name: net.get_submodule(name).parameters() for name in ours.not_called}
    assert counted == ours.num_params - sum(p.numel() for q in idle.values() for p in q)
    assert ours.macs == flops(net, size)
    merged = summary(net, size, depth=1 + len(name) % 3)
    assert sum(row.num_params for row in merged.rows) == counted
    assert sum(row.macs for row in merged.rows) == merged.macs == ours.macs
    assert merged.rows[-1].output_shape == ours.rows[-1].output_shape


class TestOddLayers:
    @pytest.mark.parametrize(
        ("layer", "size"),
        [
            (nn.Conv2d(6, 4, (3, 5), (2, 1), (0, 2), (1, 2), groups=2), (6, 11, 13)),
            (nn.Conv2d(4, 4, 3, padding="same", groups=4, bias=False), (4, 7, 9)),
            (nn.Conv1d(3, 8, 5, 2, 1), (3, 20)),
            (nn.Conv3d(2, 3, (1, 3, 2), padding=(0, 1, 1)), (2, 5, 6, 7)),
            (nn.ConvTranspose2d(6, 4, 3, 2, 1, 1, groups=2), (6, 5, 7)),
            (nn.ConvTranspose1d(3, 2, 4, 3, dilation=2), (3, 8)),
            (nn.ConvTranspose3d(2, 3, 2, 2), (2, 3, 4, 5)),
            (nn.Linear(7, 3, bias=False), (7,)),
            (nn.Linear(7, 3), (4, 5, 7)),
            (parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), (3, 8, 8)),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_macs_are_those_of_the_flop_counter(self, layer, size) -> None:
        (row,) = summary(layer, size).rows
        assert row.macs == flops(layer.to("meta"), size)
        assert row.num_params == sum(p.numel() for p in layer.parameters())
        assert row.name == ""
        assert row.output_shape == tuple(
            layer(torch.empty(1, *size, device="meta")).shape[1:]
        )

    def test_windows_have_a_number_for_each_axis(self) -> None:
        net = nn.Sequential(
            nn.Conv2d(1, 1, (3, 5), 2, (1, 2), dilation=(1, 3)),
            nn.MaxPool2d(3, padding=1),
            nn.AvgPool2d((1, 2), stride=(1, 1)),
            nn.Conv2d(1, 1, 3, padding="same"),
            nn.ReLU(),
        )
        rows = summary(net, (1, 40, 50)).rows
        assert rows[0][3:7] == ((3, 5), (2, 2), (1, 2), (1, 3))
        assert rows[1][3:7] == ((3, 3), (3, 3), (1, 1), (1, 1))
        assert rows[2][3:7] == ((1, 2), (1, 1), (0, 0), None)
        assert rows[3][3:7] == ((3, 3), (1, 1), "same", (1, 1))
        assert rows[4][3:7] == (None, None, None, None)

    @pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
    def test_recurrent_layers_use_every_matrix_at_every_step(self, kind) -> None:
        layer = kind(5, 7, num_layers=2, bidirectional=True, batch_first=True)
        (row,) = summary(layer, (11, 5)).rows
        matrices = sum(p.numel() for p in layer.parameters() if p.ndim == 2)
        assert row.macs == 11 * matrices
        assert row.output_shape == (11, 14)
        cell = nn.GRUCell(5, 7)
        assert summary(cell, (5,)).macs == 3 * 7 * (5 + 7)

    def test_lookups_and_norms_multiply_nothing(self) -> None:
        net = nn.Sequential(nn.Embedding(100, 8), nn.LayerNorm((6, 8)), nn.PReLU(6))
        result = summary(net, (6,), dtype=torch.int64)
        assert result.macs == 0
        assert result.rows[0].output_shape == (6, 8)
        assert [row.num_params for row in result.rows] == [800, 96, 6]

    def test_what_is_not_known_is_marked(self) -> None:
        class Own(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.W = nn.Parameter(torch.ones(3, 3))

            def forward(self, x: Tensor) -> Tensor:
                return x @ self.W

        attention = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        net = nn.Sequential(Own(), nn.Linear(3, 8), nn.Unflatten(1, (2, 4)))
        rows = summary(net, (3,)).rows
        assert [row.macs for row in rows] == [None, 24, 0]
        assert "without the rows marked ?" in str(summary(net, (3,)))
        merged = summary(nn.Sequential(net, nn.ReLU()), (3,), depth=1).rows
        assert [row.macs for row in merged] == [None, 0]
        kinds = {row.kind: row.macs for row in summary(attention, (5, 8)).rows}
        assert kinds["MultiheadAttention"] is None
        assert kinds["Linear"] == 5 * 16 * 8

    def test_functions_have_no_row(self) -> None:
        class Functional(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.conv = nn.Conv2d(1, 2, 3)

            def forward(self, x: Tensor) -> Tensor:
                weight = torch.ones(4, 2, 1, 1, device=x.device)
                return F.max_pool2d(F.conv2d(torch.relu(self.conv(x)), weight), 2)

        result = summary(Functional(), (1, 8, 8))
        assert [row.kind for row in result.rows] == ["Conv2d"]
        assert result.macs == result.rows[0].macs == 2 * 9 * 36
        (block,) = [call.row for call in result.calls if not call.is_layer]
        assert block.output_shape == (4, 3, 3)
        assert block.receptive_field == 4

    def test_parameters_of_a_block_itself(self) -> None:
        class Scaled(nn.Sequential):
            def __init__(self, *shape: int) -> None:
                super().__init__(nn.Linear(3, 3))
                self.scale = nn.Parameter(torch.ones(*shape))

        for shape, macs in [((3,), 0), ((1, 3), None)]:
            result = summary(nn.Sequential(Scaled(*shape)), (3,))
            assert [row.num_params for row in result.rows] == [12, 3]
            assert [row.name for row in result.rows] == ["0.0", "0"]
            assert result.rows[1].macs == macs
            assert [call.depth for call in result.calls] == [0, 1, 2, 2]
            assert summary(nn.Sequential(Scaled(*shape)), (3,), depth=1).rows == [
                Row("0", "Scaled", (3,), num_params=15,
                    macs=None if macs is None else 9, receptive_field="all")
            ]  # fmt: skip


class TestSharing:
    def test_a_layer_that_runs_twice_is_counted_once(self) -> None:
        layer = nn.Linear(4, 4)
        result = summary(nn.Sequential(layer, nn.ReLU(), layer), (4,))
        assert [row.num_params for row in result.rows] == [20, 0, 0]
        assert [row.macs for row in result.rows] == [16, 0, 16]
        assert [row.name for row in result.rows] == ["0", "1", "0"]
        assert result.num_params == 20

    def test_tied_parameters_are_counted_once(self) -> None:
        net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        net[1].weight = net[0].weight
        result = summary(net, (4,))
        assert [row.num_params for row in result.rows] == [20, 4]
        assert result.num_params == 24

    def test_what_is_never_called(self) -> None:
        net = nn.Sequential(nn.Linear(4, 4))
        net.register_module("idle", nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)))
        net.forward = lambda x: net[0](x)
        result = summary(net, (4,))
        assert result.not_called == ("idle",)
        assert result.num_params == 32
        assert "not called  idle" in str(result)

    def test_frozen_parameters(self) -> None:
        net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
        net[0].requires_grad_(requires_grad=False)
        result = summary(net, (4,))
        assert (result.num_params, result.num_trainable_params) == (30, 10)
        assert "parameters  30, 20 frozen" in str(result)

    def test_auxiliary_heads_run_in_training(self) -> None:
        net = on_meta(models.googlenet)
        assert summary(net, (3, 64, 64)).not_called == ("aux1", "aux2")
        with_heads = summary(net, (3, 64, 64), training=True)
        assert with_heads.not_called == ()
        assert sum(row.num_params for row in with_heads.rows) == with_heads.num_params
        counted = {row.name: row.macs for row in summary(net, (3, 64, 64)).rows}
        counted_too = {row.name: row.macs for row in with_heads.rows}
        assert counted.items() <= counted_too.items()  # for one input, not for two


class Looks(nn.Module):
    """A forward that needs values, and leaves things behind."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("seen", torch.zeros(()))
        self.cache = None

    def forward(self, x: Tensor) -> Tensor:
        self.seen += 1
        self.cache = torch.rand(3)
        self.late = x
        self.register_buffer("later", x)
        y = self.norm(F.dropout(x))
        return y if y.sum().item() > 1e9 else 2 * y


class TestLeavesTheModelAlone:
    @pytest.mark.parametrize("training", [False, True])
    @pytest.mark.parametrize("flag", [False, True])
    @pytest.mark.parametrize("build", [Looks, lambda: nn.BatchNorm1d(3)])
    def test_state_flags_hooks_and_generators(self, build, flag, training) -> None:
        net = nn.Sequential(build(), nn.Dropout(), nn.Linear(3, 2)).train(flag)
        net[1].train(not flag)
        flags = [module.training for module in net.modules()]
        held = [{**vars(module)} for module in net.modules()]
        before = {name: value.clone() for name, value in net.state_dict().items()}
        generator = torch.get_rng_state()
        numpys = np.random.get_state()[1].copy()  # noqa: NPY002
        summary(net, (3,), training=training)
        assert [module.training for module in net.modules()] == flags
        assert [{**vars(module)} for module in net.modules()] == held
        assert net.state_dict().keys() == before.keys()
        for name, value in net.state_dict().items():
            assert torch.equal(value, before[name])
        assert torch.equal(torch.get_rng_state(), generator)
        assert np.array_equal(np.random.get_state()[1], numpys)  # noqa: NPY002
        for module in net.modules():
            assert not module._forward_hooks
            assert not module._forward_pre_hooks
        assert all(p.grad is None for p in net.parameters())

    def test_a_model_that_fails(self) -> None:
        net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)).train()
        with pytest.raises(ValueError):
            summary(net, (1, 8, 8))
        assert not net[0]._forward_hooks
        assert net[1].training
        assert net[1].num_batches_tracked == 0
        assert net[0].weight.device.type == torch.get_default_device().type

    def test_values_are_looked_at_where_they_are(self) -> None:
        net = nn.Sequential(Looks(), nn.Linear(3, 2))
        result = summary(net, (3,))
        assert [row.kind for row in result.rows] == ["BatchNorm1d", "Linear"]
        assert result.num_params == 14

    def test_training_with_batch_normalisation_of_one_pixel(self) -> None:
        net = nn.Sequential(nn.Conv2d(1, 2, 4), nn.BatchNorm2d(2)).train()
        assert summary(net, (1, 4, 4), training=True).macs == 32

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
    def test_the_input_has_the_type_of_the_parameters(self, dtype) -> None:
        net = nn.Sequential(nn.Linear(3, 2), nn.ReLU()).to(dtype)
        assert summary(net, (3,)).macs == 6

    def test_gradients_are_not_recorded(self) -> None:
        seen: list[bool] = []
        net = nn.Linear(2, 2)
        net.register_forward_hook(lambda *_: seen.append(torch.is_grad_enabled()))
        summary(net, (2,))
        assert seen == [False]
        assert torch.is_grad_enabled()


class TestShapes:
    def test_the_first_tensor_of_several(self) -> None:
        assert summary(nn.LSTM(3, 5, batch_first=True), (4, 3)).rows[
            0
        ].output_shape == (
            4,
            5,
        )

        class Named(nn.Module):
            def forward(self, x: Tensor) -> object:
                return {"none": None, "y": [2 * x]}

        class Outer(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = Named()

            def forward(self, x: Tensor) -> Tensor:
                return self.inner(x)["y"][0]

        assert summary(Outer(), (7,)).rows == [Row("inner", "Named", (7,))]

    def test_arguments_by_name(self) -> None:
        class Outer(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.up = nn.ConvTranspose1d(2, 3, 4)

            def forward(self, x: Tensor) -> Tensor:
                return self.up(input=x)

        assert summary(Outer(), (2, 5)).macs == 2 * 3 * 4 * 5

    def test_a_first_axis_that_is_no_batch_stays(self) -> None:
        class Windows(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return x.unflatten(-1, (-1, 2)).movedim(-2, 0).flatten(0, 1)

        assert summary(Windows(), (3, 8)).rows[0].output_shape == (4, 3, 2)

    def test_modules_without_tensors(self) -> None:
        class Nothing(nn.Module):
            def forward(self, x: Tensor) -> None: ...

        assert summary(Nothing(), (3,)).rows == [Row("", "Nothing")]


class TestText:
    def test_columns_line_up(self) -> None:
        text = str(summary(on_meta(torchvision.models.resnet18), (3, 224, 224)))
        lines = text.splitlines()
        assert max(map(len, lines)) <= 100
        header, rule, *rows = lines
        assert set(rule) == {"-"}
        table = rows[: rows.index(rule)]
        assert len(table) == 60
        for title in ("parameters", "MACs", "field"):
            end = header.index(title) + len(title)
            assert all(row[end - 1] != " " for row in table), title
            assert all(row[end : end + 2] in ("  ", "") for row in table), title
        assert rows[-3:] == [
            "input       3x224x224, one without its batch",
            "parameters  11,689,512",
            "MACs        1,814,073,344",
        ]

    def test_long_names_lose_their_beginning(self) -> None:
        text = str(summary(on_meta(models.inception_v3), (3, 299, 299)))
        assert max(map(len, text.splitlines())) <= 100
        assert "…_7c.branch3x3dbl_1.conv" in text or "…" in text

    def test_dilation_has_a_column_where_there_is_some(self) -> None:
        net = nn.Sequential(nn.Conv2d(1, 1, 3, dilation=2), nn.Conv2d(1, 1, (1, 3)))
        assert str(summary(net, (1, 16, 16))) == (
            "layer  kind    output     k  s  p  d  parameters   MACs  field\n"
            "--------------------------------------------------------------\n"
            "0      Conv2d  1x12x12    3  1  0  2          10  1,296      5\n"
            "1      Conv2d  1x12x10  1x3  1  0  1           4    360    5x7\n"
            "--------------------------------------------------------------\n"
            "input       1x16x16, one without its batch\n"
            "parameters  14\n"
            "MACs        1,656"
        )

    def test_repr(self) -> None:
        result = summary(nn.Linear(3, 4), (3,))
        assert isinstance(result, Summary)
        assert repr(result) == "<Summary of 1 rows, 16 parameters, 12 MACs>"


@pytest.mark.refusal
class TestRefusals:
    def test_no_module(self) -> None:
        with pytest.raises(TypeError, match=r"expected an nn\.Module, got type"):
            summary(nn.Linear, (3,))

    @pytest.mark.parametrize("size", [3, "3x224", None, (), (3.0, 4), (True,)])
    def test_no_shape(self, size) -> None:
        with pytest.raises(TypeError, match="expected input_size to be"):
            summary(nn.ReLU(), size)

    def test_sizes_out_of_range(self) -> None:
        with pytest.raises(ValueError, match="expected input_size >= 1, got"):
            summary(nn.ReLU(), (3, 0))
        with pytest.raises(ValueError, match="expected depth >= 1, got depth=0"):
            summary(nn.ReLU(), (3,), depth=0)

    def test_lazy_parameters(self) -> None:
        with pytest.raises(ValueError, match=r"lazy ones \(weight, bias\)"):
            summary(nn.LazyLinear(3), (3,))
        with pytest.raises(ValueError, match=r"lazy ones \(running_mean"):
            summary(nn.LazyBatchNorm2d(affine=False), (3, 4, 4))

    def test_a_shape_that_the_model_does_not_take(self) -> None:
        net = nn.Sequential(nn.Conv2d(3, 1, 3))
        with pytest.raises(
            ValueError,
            match=r"without the batch, that a Sequential takes; \(1, 3, 8, 8\) gave "
            r"RuntimeError: .*5D|input of size",
        ):
            summary(net, (1, 3, 8, 8))

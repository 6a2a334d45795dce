"""draw_architecture: blocks whose heights, widths and words are those of the model."""

import warnings

import matplotlib.figure
import pytest
import torch
import torchvision
from matplotlib.backends.backend_agg import FigureCanvasAgg
from torch import Tensor, nn

from dlref.summary import draw_architecture, summary


def draw(net: nn.Module, *size: int):
    figure = matplotlib.figure.Figure(figsize=(7, 3), layout="constrained", dpi=144)
    ax = figure.add_subplot()
    draw_architecture(summary(net, size), ax)
    FigureCanvasAgg(figure).draw()
    return ax


def on_meta(name: str) -> nn.Module:
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(torchvision.models, name)()


def words(ax) -> list[tuple[str, str, str]]:
    """Channels, size and name of each block, from left to right."""
    columns: dict[float, list[str]] = {}
    for text in ax.texts:
        columns.setdefault(text.get_position()[0], []).append(text.get_text())
    return [(c[0], c[1] if len(c) == 3 else "", c[-1]) for c in columns.values()]


EXPECTED = {
    "vgg16": [
        ("3", "224²", "input"), ("64", "224²", "features.0–3"),
        ("128", "112²", "features.5–8"), ("256", "56²", "features.10–15"),
        ("512", "28²", "features.17–22"), ("512", "14²", "features.24–29"),
        ("512", "7²", "avgpool"), ("4096", "", "classifier.0–4"),
        ("1000", "", "classifier.6"),
    ],
    "resnet50": [
        ("3", "224²", "input"), ("64", "112²", "conv1–relu"), ("256", "56²", "layer1"),
        ("512", "28²", "layer2"), ("1024", "14²", "layer3"), ("2048", "7²", "layer4"),
        ("2048", "1²", "avgpool"), ("1000", "", "fc"),
    ],
    "googlenet": [
        ("3", "224²", "input"), ("64", "112²", "conv1"), ("64", "56²", "conv2"),
        ("192", "56²", "conv3"), ("256", "28²", "inception3a"),
        ("480", "28²", "inception3b"), ("512", "14²", "inception4a–4c"),
        ("528", "14²", "inception4d"), ("832", "14²", "inception4e"),
        ("832", "7²", "inception5a"), ("1024", "7²", "inception5b"),
        ("1024", "1²", "avgpool"), ("1000", "", "fc"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_blocks_of(name) -> None:
    assert words(draw(on_meta(name), 3, 224, 224)) == EXPECTED[name]


@pytest.mark.parametrize(
    "name", ["densenet121", "mobilenet_v2", "squeezenet1_1", "alexnet", "inception_v3"]
)
def test_words_do_not_overlap_and_stay_inside(name) -> None:
    side = 299 if name == "inception_v3" else 224
    ax = draw(on_meta(name), 3, side, side)
    frame = ax.figure.bbox
    boxes = [text.get_window_extent() for text in ax.texts]
    for i, box in enumerate(boxes):
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1
        assert frame.y0 <= box.y0 < box.y1 <= frame.y1
        assert not any(box.overlaps(other) for other in boxes[:i]), ax.texts[i]
    assert len(words(ax)) <= 17


def test_heights_follow_the_size_and_widths_the_channels() -> None:
    net = nn.Sequential(
        nn.Conv2d(1, 4, 1), nn.Conv2d(4, 16, 1, 2), nn.Conv2d(16, 16, 1, 2),
        nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    ax = draw(net, 1, 8, 8)
    bars = ax.patches
    tall = [bar.get_height() for bar in bars]
    assert tall[0] == pytest.approx(1)
    assert tall[1] == pytest.approx(tall[0])
    assert tall[2] == pytest.approx(2**-0.5)
    assert tall[3] == pytest.approx(1 / 2)
    wide = [bar.get_width() for bar in bars]
    assert wide[0] < wide[1] < wide[2] == pytest.approx(wide[3])
    lefts = [bar.get_x() for bar in bars]
    assert all(a + w < b for a, w, b in zip(lefts, wide, lefts[1:], strict=False))
    assert len({bar.get_facecolor() for bar in bars}) == 3  # input, images, vectors


def test_depth_does_not_matter() -> None:
    net = on_meta("resnet18")
    axes = [matplotlib.figure.Figure().add_subplot() for _ in range(2)]
    draw_architecture(summary(net, (3, 64, 64)), axes[0])
    draw_architecture(summary(net, (3, 64, 64), depth=1), axes[1])
    assert words(axes[0]) == words(axes[1])


def test_many_blocks_are_merged_where_the_size_stays() -> None:
    net = nn.Sequential(
        *(nn.Conv2d(c, c + 1, 1) for c in range(1, 21)), nn.MaxPool2d(2),
        *(nn.Conv2d(c, c + 1, 1) for c in range(21, 31)),
    )  # fmt: skip
    assert words(draw(net, 1, 8, 8)) == [
        ("1", "8²", "input"), ("21", "8²", "0–19"), ("31", "4²", "21–30"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("net", "size", "expected"),
    [
        (nn.Linear(4, 3), (4,), [("4", "", "input"), ("3", "", "")]),
        (nn.Conv1d(2, 3, 3), (2, 9), [("2", "9", "input"), ("3", "7", "")]),
        (nn.Conv2d(1, 3, 1), (1, 4, 6), [("1", "4×6", "input"), ("3", "4×6", "")]),
        (nn.MaxPool3d(2), (1, 8, 8, 8), [("1", "8³", "input"), ("1", "4³", "")]),
        (nn.Dropout(), (4,), [("4", "", "input"), ("4", "", "")]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_small_ones(net, size, expected) -> None:
    assert words(draw(net, *size)) == expected


def test_a_model_that_gives_no_tensor() -> None:
    class Sum(nn.Module):
        def forward(self, x: Tensor) -> float:
            return x.shape[0]

    assert words(draw(Sum(), 3)) == [("3", "", "input")]


def test_long_names_are_cut() -> None:
    net = nn.Sequential()
    net.add_module("a_very_long_name_of_a_layer", nn.Conv2d(1, 1, 1))
    assert words(draw(net, 1, 4, 4))[1][2] == "…ong_name_of_a_layer"

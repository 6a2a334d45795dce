"""Golden outputs and figures: every digit counts, and only what is seen counts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.tools.compare import Tolerance, explain_difference

CPU = Tolerance.for_device("cpu")
CUDA = Tolerance.for_device("cuda")


@pytest.mark.parametrize(
    ("shown", "got", "cpu", "cuda"),
    [
        ("1.75 bits", "1.75 bits", True, True),
        ("1.75 bits", "1.76 bits", False, True),
        ("1.75 bits", "1.77 bits", False, False),
        ("1.75 bits", "1.75 nats", False, False),
        ("1.75", "1.750", False, False),
        ("12", "13", False, False),
        ("12", "12.0", False, False),
        ("(2, 3)", "(2, 4)", False, False),
        ("0.12345678", "0.12345679", True, True),
        ("-0.5", "0.5", False, False),
        ("0.0", "-0.0", True, True),
        ("1.0e-07", "1.1e-07", False, True),
        ("1.0e-07", "1.0e-06", False, False),
        ("conv2d", "conv3d", False, False),
        ("nan", "inf", False, False),
        ("a  b", "a b", False, True),  # on another device a column may move
        ("1000.5", "1001.2", False, True),
        ("v2.13.0", "v2.14.0", False, False),
        ("", "1", False, False),
        ("1\n2", "1", False, False),
        ("1", "1\n2", False, False),
        ("1  \n\n", "1", True, True),
    ],
)
def test_pairs(shown: str, got: str, cpu: bool, cuda: bool):
    assert (not explain_difference(shown, got, CPU)) is cpu
    assert (not explain_difference(shown, got, CUDA)) is cuda


def test_a_page_can_only_tighten():
    assert not CPU.tightened(0.0).admits("0.12345678", "0.12345679")
    with pytest.raises(ValueError, match=re.escape("expected 0 … 1e-06, got 0.1")):
        CPU.tightened(0.1)


def test_the_diff_names_only_the_culprit():
    text = explain_difference("a 1.0\nb 2.0\nc 3.0", "a 1.0\nb 2.5\nc 3.0", CPU, 10)
    assert text.startswith("first difference on line 11")
    assert "-b 2.0\n+b 2.5" in text
    assert "-a" not in text


@given(st.floats(-1e6, 1e6), st.integers(1, 6), st.data())
def test_any_changed_digit_of_a_rounded_number_is_seen(
    value: float, digits: int, data: st.DataObject
):
    shown = f"{value:.{digits}g}"
    places = [n for n, c in enumerate(shown.partition("e")[0]) if c.isdigit()]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != shown[place]]))
    changed = shown[:place] + other + shown[place + 1 :]
    assert explain_difference(shown, changed, CPU)


@pytest.fixture(scope="module")
def svg() -> str:
    return draw()


def draw(shift: float = 0.0, title: str = "$x^2$", level: int = 0) -> str:
    import matplotlib.pyplot as plt
    import numpy as np

    from docs.tools.figures import render_open_figures, use_style

    with plt.rc_context():
        use_style()
        figure, axes = plt.subplots(1, 2, figsize=(4, 2), layout="constrained")
        axes[0].plot([0, 1, 2], [0, 1 + shift, 4])
        axes[0].set_title(title)
        axes[1].imshow(np.arange(64).reshape(8, 8) * 4 + level, vmin=0, vmax=300)
        assert figure is not None
        (drawn,) = render_open_figures()
    return drawn


def explain(a: str, b: str, device: str = "cpu") -> str:
    from docs.tools.figures import explain_figure_difference

    return explain_figure_difference(a, b, device)


def test_figures_are_reproducible_and_bare(svg: str):
    assert draw() == svg
    assert "<metadata>" not in svg
    assert "#000000" not in svg
    assert "currentColor" in svg
    assert "prefers-color-scheme:dark" in svg
    assert "Matplotlib v" not in svg


def test_a_changed_figure_is_seen(svg: str):
    assert "drawn" in explain(svg, draw(shift=0.1))
    assert explain(svg, draw(title="$x^3$"))
    assert "pixels differ" in explain(svg, draw(level=20))
    assert explain(svg.replace("#1f77b4", "#1f77b5", 1), svg)
    assert explain(svg.replace('<g id="axes_1">', '<g id="axes_1"><rect/>', 1), svg)
    assert "no SVG" in explain(svg[:500], svg)


def test_ids_and_last_digits_are_not_the_figure(svg: str):
    renamed = re.sub(r"(DejaVuSans-|#m|\"m)(?=[0-9a-f])", r"\1x", svg)
    assert renamed != svg
    assert not explain(renamed, svg)
    nudged = re.sub(r"(\d+\.\d{4})\d\d\b", r"\g<1>99", svg)
    assert nudged != svg
    assert not explain(nudged, svg)


def test_another_device_may_move_a_line_by_half_a_point(svg: str):
    moved = draw(shift=0.005)
    assert explain(svg, moved)
    assert not explain(svg, moved, "cuda")

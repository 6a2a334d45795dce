"""The lab on LeNet-5 reaches what it was written for."""

import re

import pytest

from docs.tools.lab_file import load
from docs.tools.snippets import DOCS, LANGUAGES


def printed(language: str, cell: str) -> str:
    lab = load(DOCS / language / "labs/lenet-digits.ipynb")
    output = lab.blocks[lab.cells.index(cell)].output
    assert output is not None
    return output.code


@pytest.mark.parametrize("language", LANGUAGES)
def test_lenet_reads_98_of_100_digits(language: str) -> None:
    found = re.search(r"LeNet-5 +(\d+) of (\d+)", printed(language, "final"))
    assert found is not None
    right, total = map(int, found.groups())
    assert total == 360
    assert right >= 0.98 * total


@pytest.mark.parametrize("language", LANGUAGES)
def test_lenet_tolerates_more_than_the_linear_model(language: str) -> None:
    lines = printed(language, "shifts").splitlines()
    lenet, linear = ([int(a) for a in re.findall(r"(\d+)%", line)] for line in lines)
    assert len(lenet) == len(linear) == 9
    assert all(a > b for a, b in zip(lenet, linear, strict=True))
    assert lenet[3] > 85 > lenet[5]  # and not everything

"""The engine at work: one namespace a page, no leaks, failures that say where."""

import os
import random
import socket
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from docs.tools.snippets import BlockError, Page, Result, Session, parse, verify

Run = Callable[..., list[Result]]


def page_of(*blocks: str, head: str = "") -> Page:
    fences = [b if b.startswith("```") else f"```python\n{b}\n```" for b in blocks]
    return parse(head + "\n\n".join(fences) + "\n", Path("page.md"))


def run(*blocks: str, head: str = "", **options: object) -> list[Result]:
    page = page_of(*blocks, head=head)
    session = Session(page, **options)  # type: ignore[arg-type]
    try:
        return [session.run(block) for block in page.blocks]
    finally:
        session.close()


def check(text: str, device: str = "cpu") -> None:
    page = parse(text, Path("page.md"))
    session = Session(page)
    for block in page.blocks:
        verify(page, block, session.run(block), device)


def test_a_page_is_one_namespace():
    assert [r.printed for r in run("x = 2", "print(x)", "x += 1\nprint(x)")] == [
        "",
        "2\n",
        "3\n",
    ]


def test_one_block_alone_replays_the_earlier_ones():
    page = page_of("x = 2", "x += 1", "print(x)")
    assert Session(page).run(page.blocks[2]).printed == "3\n"


def test_a_block_runs_once_in_linear_time():
    page = page_of("n = []", *["n.append(1)"] * 30, "print(len(n))")
    session = Session(page)
    assert [session.run(b) for b in page.blocks][-1].printed == "30\n"
    with pytest.raises(ValueError, match="already run"):
        session.run(page.blocks[0])


def test_after_a_failure_later_blocks_fail_and_say_why():
    first, second = run("1 / 0", "print('never')")
    assert "ZeroDivisionError" in first.error
    assert 'File "page.md", line 2' in first.error
    assert "line 1 failed before it" in second.error


def test_syntax_errors_and_exits_are_failures():
    assert "SyntaxError" in run("x = = 1")[0].error
    assert "SystemExit" in run("raise SystemExit(0)")[0].error


def test_seeded_at_page_start_by_the_page():
    draw = "import torch, random\nprint(torch.rand(1).item(), random.random())"
    (one,), (two,) = run(draw), run(draw)
    assert one.printed == two.printed
    (other,) = run(draw, head="---\nseed: 1\n---\n")
    assert other.printed != one.printed
    first, second = run(draw, "print(torch.rand(1).item(), random.random())")
    assert first.printed != second.printed


LEAK = """
import os, random, sys, warnings
import numpy as np
import torch
random.random(); np.random.rand(); torch.rand(1)
torch.set_default_dtype(torch.float64)
torch.set_grad_enabled(False)
torch.use_deterministic_algorithms(True)
torch.set_printoptions(precision=2)
np.set_printoptions(precision=2)
np.seterr(all="raise")
os.environ["DLREF_LEAK"] = "1"
sys.path.append("leak")
warnings.simplefilter("ignore")
import matplotlib.pyplot as plt
plt.rcParams["font.size"] = 30
open("file.txt", "w").close()
"""


def test_nothing_leaks():
    def state() -> list[object]:
        import matplotlib as mpl

        return [
            random.getstate(),
            str(np.random.get_state()),  # noqa: NPY002
            torch.get_rng_state().tolist(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_default_device(),
            repr(torch.tensor(1 / 3)),
            repr(np.array([1 / 3])),
            np.geterr(),
            dict(os.environ),
            Path.cwd(),
            list(__import__("sys").path),
            mpl.rcParams["font.size"],
            list(warnings.filters),
        ]

    before = state()
    (result,) = run(LEAK)
    assert not result.error
    assert state() == before
    assert not Path("file.txt").exists()


def test_state_lives_on_within_the_page():
    *_, last = run(
        LEAK,
        "import os, torch\nprint(os.environ['DLREF_LEAK'], torch.zeros(1).dtype,"
        " torch.is_grad_enabled(), os.listdir('.'))",
    )
    assert last.printed == "1 torch.float64 False ['file.txt']\n"


def test_every_page_has_a_folder_of_its_own():
    assert run(LEAK, "import os\nprint(os.listdir('.'))")[1].printed == "['file.txt']\n"
    assert run("import os\nprint(os.listdir('.'))")[0].printed == "[]\n"


def test_warnings_are_errors():
    (result,) = run("import warnings\nwarnings.warn('old', DeprecationWarning)")
    assert "DeprecationWarning: old" in result.error


def test_torch_warns_on_every_page_alike():
    code = (
        "import torch\n"
        "torch.nn.functional.conv1d(torch.zeros(1, 1, 4), torch.zeros(1, 1, 2),"
        " padding='same')"
    )
    assert "UserWarning" in run(code)[0].error
    assert "UserWarning" in run(code)[0].error


@pytest.mark.parametrize(
    "code",
    [
        "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        "import socket\nsocket.getaddrinfo('example.invalid', 80)",
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')",
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\n"
        "except Exception:\n    pass",
    ],
)
def test_the_network_is_shut(code: str):
    (result,) = run(code)
    assert "NetworkError" in result.error


def test_the_network_is_open_again_afterwards():
    run("x = 1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_worker_processes_of_a_block_still_work():
    (result,) = run(
        "import multiprocessing as mp\n"
        "with mp.get_context('fork').Pool(1) as pool:\n    print(pool.map(abs, [-1]))"
    )
    assert result.printed == "[1]\n", result.error


def test_a_block_has_a_time_limit():
    (result,) = run("while True:\n    pass", timeout=0.2)
    assert "BlockTimeoutError" in result.error
    assert "0.2 s" in result.error


def test_classes_of_a_page_can_be_pickled():
    (result,) = run(
        "import pickle\nclass A:\n    x = 1\nprint(pickle.loads(pickle.dumps(A())).x)"
    )
    assert result.printed == "1\n", result.error


def test_raises_shows_the_last_line():
    check(
        '```python raises="ValueError"\nraise ValueError("no\\nmore")\n```\n'
        "```output\nValueError: no\n```\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\nprint(1)\n```\n", r"page.md:1: the block prints"),
        (
            "```python\nprint(1.25)\n```\n```output\n1.26\n```\n",
            r"(?s)page.md:4: wrong output.*line 5.*-1\.26.*\+1\.25",
        ),
        ("```python\nx = 1\n```\n```output\n1\n```\n", r"page.md:4: wrong output"),
        (
            '```python raises="ValueError"\nx = 1\n```\n',
            "expected ValueError, but nothing was raised",
        ),
        ('```python raises="ValueError"\nint([])\n```\n', "TypeError"),
        (
            "a\n\n```python\nimport torch\nx = torch.zeros(2, 3)  # (3, 2)\n```\n",
            r"(?s)page.md:3.*line 5.*promises \(3, 2\), got \(2, 3\)",
        ),
        (
            "```python\nimport matplotlib.pyplot as plt\nplt.figure()\n```\n",
            "1 figures open, but 0 images",
        ),
        (
            "```python\nx = 1\n```\n\n![a](../../assets/figures/a/b.svg)\n",
            "0 figures open, but 1 images",
        ),
        (
            "```python\nimport matplotlib.pyplot as plt\nplt.figure()\n```\n"
            "![a](../../assets/figures/none/b.svg)\n",
            "page.md:5: assets/figures/none/b.svg does not exist",
        ),
    ],
)
def test_failures_say_page_line_and_why(text: str, message: str):
    with pytest.raises(BlockError, match=message):
        check(text)


def test_skips_run_nothing_and_may_be_for_one_device():
    page = page_of('```python skip="no room"\n1 / 0\n```')
    assert Session(page).run(page.blocks[0]).skipped == "no room"
    page = page_of('```python skip-cuda="CPU only"\nprint(1)\n```')
    assert Session(page).run(page.blocks[0]).printed == "1\n"
    assert page.blocks[0].skip_reason("cuda") == "CPU only"


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("x = t(2, 3)  # (2, 3)", True),
        ("x = t(2, 3)  # (2, 4)", False),
        ("x = t(5)  # (5,)", True),
        ("x = t(5)  # (5)", True),
        ("x = t(())  # ()", True),
        ("a, b = t(1), t(2, 2)  # (1,), (2, 2)", True),
        ("a, b = t(1), t(2, 2)  # (1,), (2, 3)", False),
        ("a = t(1)  # (1,), (2, 2)", False),
        ("t(2, 3)  # (2, 3)", True),
        ("t(2, 3).shape  # (2, 3)", True),
        ("t(2, 3).shape  # (3, 2)", False),
        ("def f():\n    return t(2)  # (2,)\nf()", True),
        ("def f():\n    return t(2)  # (3,)\nf()", False),
        ("for n in (1, 2):\n    y = t(n)  # (1,)", False),
        ("x = t(\n    2,\n    3,\n)  # (2, 3)", True),
        ("x = t(\n    2,\n    3,\n)  # (3, 2)", False),
        ("x: object = t(2)  # (3,)", False),
        ("if (y := t(2)) is None:  # (9, 9)\n    pass", False),
        ("x = 1  # (3,)", False),
        ("print(1)  # (2, 3)", False),
        ("x = t(2); y = t(3)  # (3,)", True),
        ("x = t(2)  # (B, T)", True),
        ("x = t(2)  # (9, 9) is not a literal shape alone", True),
        ("# (9, 9)\nx = t(2)", True),
        ("x = t(2)\nx += 1  # (2,)", False),
    ],
)
def test_shape_comments_are_assertions(code: str, good: bool):
    (result,) = run(f"from torch import zeros as t\n{code}")
    assert ("ShapeError" not in result.error) is good, result.error


def test_random_numbers_do_not_depend_on_the_device():
    from docs.tools.cpu_random import CpuRandom

    def draw() -> list[torch.Tensor]:
        torch.manual_seed(0)
        x = torch.zeros(3, 4)
        return [
            torch.rand(3),
            torch.randn(2, 3, dtype=torch.float64),
            torch.randint(10, (4,)),
            torch.randint(5, 9, (4,)),
            torch.randperm(7),
            torch.normal(0.0, 1.0, (3,)),
            torch.normal(x, 1.0),
            torch.rand_like(x),
            torch.randn_like(x),
            torch.bernoulli(torch.full((5,), 0.5)),
            torch.multinomial(torch.ones(4), 3),
            torch.empty(5).uniform_(-1, 1),
            torch.empty(5).normal_(),
            torch.nn.init.kaiming_normal_(torch.empty(4, 4)),
            torch.nn.functional.dropout(torch.ones(9), 0.5),
            torch.nn.Linear(3, 2).weight.detach(),
        ]

    plain = draw()
    with CpuRandom():
        redirected = draw()
    for a, b in zip(plain, redirected, strict=True):
        assert torch.equal(a, b)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_random_numbers_on_a_gpu_are_those_of_the_cpu():
    code = (
        "import torch\nx = torch.randn(3)\ny = torch.nn.Linear(3, 3).weight\n"
        "z = torch.nn.functional.dropout(torch.ones(64), 0.5)\n"
        "print(x.tolist(), y.tolist(), z.tolist())"
    )
    (cpu,), (cuda,) = run(code), run(code, device="cuda")
    assert cpu.printed == cuda.printed
    assert run("import torch\nprint(torch.zeros(1).device.type)", device="cuda")[
        0
    ].printed == ("cuda\n")

"""`python -m dlref`: answers, help, and one line where the words make no sense."""

import runpy
import subprocess
import sys

import pytest
import torch

from dlref import models
from dlref.__main__ import main
from dlref.shapes import conv_output_size
from dlref.summary import summary
from docs.tools.snippets import ROOT


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as a reader starts it."""
    return subprocess.run(
        [sys.executable, "-m", "dlref", *words],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints, without a process."""
    assert main(words) == 0
    printed, complaint = capsys.readouterr()
    assert not complaint
    return printed


def refuse(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command complains of: one line, and status 2."""
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    printed, complaint = capsys.readouterr()
    assert not printed
    assert complaint.count("\n") == 1
    return complaint


class TestShape:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("224 --kernel 7 --stride 2 --padding 3", "112"),
            ("32 --kernel 5", "28"),
            ("224 --kernel 3 --padding 2 --dilation 2", "224"),
            ("9 --kernel 3 --padding same", "9"),
            ("9 --kernel 3 --padding valid", "7"),
            ("224x320 --kernel 7 --stride 2 --padding 3", "112x160"),
            ("224 --kernel 3x5", "222x220"),
            ("8x9x10 --kernel 3 --stride 1x1x2", "6x7x4"),
            ("112 --kernel 2 --pool", "56"),
            ("112 --kernel 3 --stride 2 --pool", "55"),
            ("112 --kernel 3 --stride 2 --pool --ceil-mode", "56"),
            ("7 --kernel 4 --stride 2 --padding 1 --transposed", "14"),
            ("7 --kernel 3 --stride 2 --padding 1 --transposed --output-padding 1",
             "14"),
        ],
    )  # fmt: skip
    def test_answers(self, capsys, words, expected) -> None:
        assert ask(capsys, "shape", *words.split()) == f"{expected}\n"

    def test_agrees_with_the_function(self, capsys) -> None:
        for size in range(5, 12):
            words = f"shape {size} --kernel 2 --stride 3 --padding 1 --dilation 2"
            o = conv_output_size(size, 2, stride=3, padding=1, dilation=2)
            assert ask(capsys, *words.split()) == f"{o}\n"

    @pytest.mark.refusal
    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            ("224", "the following arguments are required: --kernel"),
            ("4 --kernel 7 --padding 1", "got one of 7 pixels (kernel_size=7"),
            ("224 --kernel three", "expected numbers joined by x, such as 3x224x224"),
            ("224 --kernel 3 --stride 0", "expected stride >= 1, got stride=0"),
            ("8x8 --kernel 3x3x3", "one int for each axis of size, got kernel_size"),
            ("8 --kernel 3 --ceil-mode", "--ceil-mode goes with --pool"),
            ("8 --kernel 3 --output-padding 1", "-padding goes with --transposed"),
            ("8 --kernel 3 --pool --transposed", "not allowed with argument --pool"),
            ("8 --kernel 2 --pool --padding same", "expected padding to be an int"),
            ("8 --kernel 3 --paddling 1", "unrecognized arguments: --paddling 1"),
        ],
    )  # fmt: skip
    def test_refusals(self, capsys, words, complaint) -> None:
        line = refuse(capsys, "shape", *words.split())
        assert complaint in line
        assert line.startswith("python -m dlref")

    def test_starts_without_torch(self) -> None:
        """0.2 s are the bound, most of it Python's own (processor, not the wall)."""
        code = (
            "import sys, time; sys.argv = 'dlref shape 224 --kernel 7'.split();"
            "import runpy\n"
            "try: runpy.run_module('dlref', run_name='__main__')\n"
            "except SystemExit as stop: assert stop.code == 0\n"
            "loaded = {m.split('.')[0] for m in sys.modules}\n"
            "assert not loaded & {'torch', 'numpy', 'PIL', 'jaxtyping'}, loaded\n"
            "assert time.process_time() < 0.2, time.process_time()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
        )
        assert (done.stdout, done.stderr, done.returncode) == ("218\n", "", 0)


class TestSummary:
    def test_prints_the_table(self, capsys) -> None:
        printed = ask(capsys, "summary", "resnet18", "--input", "3x64x96")
        with torch.device("meta"):
            expected = summary(models.resnet18(), (3, 64, 96))
        assert printed == f"{expected}\n"

    def test_options(self, capsys) -> None:
        options = ["--input", "1x32x32", "--num-classes", "7", "--depth", "1"]
        printed = ask(capsys, "summary", "lenet5", *options)
        with torch.device("meta"):
            expected = summary(models.lenet5(num_classes=7), (1, 32, 32), depth=1)
        assert printed == f"{expected}\n"
        printed = ask(capsys, "summary", "googlenet", "--training", "--depth", "1")
        assert "\naux1 " in printed

    def test_channels_are_those_of_the_input(self, capsys) -> None:
        printed = ask(capsys, "summary", "vgg11", "--input", "1x224x224")
        assert "64x224x224   3  1  1          640" in printed

    def test_224_pixels_unless_said_otherwise(self, capsys) -> None:
        assert "input       3x224x224" in ask(capsys, "summary", "alexnet")

    @pytest.mark.refusal
    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            ("resnet5", "no network 'resnet5'; there is res"),
            ("resnet_50", "resnet50"),
            ("zzz", "alexnet, alexnet_2012"),  # nothing is near: all of them
            ("ResNet", "no network 'ResNet'; there is res"),
            ("nin_block", "no network 'nin_block'; there is alexnet"),
            ("vgg11 --input 3x224", "got (1, 3, 224)"),
            ("vgg11 --input big", "expected numbers joined by x, such as 3x224"),
            ("vgg11 --depth 0", "expected depth >= 1"),
            ("vgg11 --depth one", "invalid int value: 'one'"),
            ("--input 3x224x224", "the following arguments are required: NETWORK"),
        ],
    )  # fmt: skip
    def test_refusals(self, capsys, words, complaint) -> None:
        assert complaint in refuse(capsys, "summary", *words.split())


class TestProcess:
    def test_without_words_it_helps(self, capsys) -> None:
        printed = ask(capsys)
        assert "shape" in printed
        assert "summary" in printed
        assert run().stdout == printed

    @pytest.mark.parametrize("command", [(), ("shape",), ("summary",)])
    def test_help_names_every_option(self, capsys, command) -> None:
        with pytest.raises(SystemExit) as stop:
            main([*command, "--help"])
        assert stop.value.code == 0
        printed = capsys.readouterr().out
        assert max(map(len, printed.splitlines())) <= 88
        if command:
            assert "examples:" in printed
            option = {"shape": "--kernel K", "summary": "--input CxHxW"}[command[0]]
            assert option in printed

    def test_the_examples_of_the_help_hold(self, capsys) -> None:
        with pytest.raises(SystemExit):
            main(["shape", "--help"])
        lines = capsys.readouterr().out.partition("examples:")[2].splitlines()
        examples = [line.split("dlref ")[1] for line in lines if line.strip()]
        assert len(examples) == 3
        for example in examples:
            words, _, answer = example.rpartition("  ")
            number = answer.split(",")[0].strip()
            assert ask(capsys, *words.split()) == f"{number}\n"

    def test_an_unknown_command(self, capsys) -> None:
        assert "invalid choice: 'shapes'" in refuse(capsys, "shapes")

    def test_a_refusal_of_the_process(self) -> None:
        done = run("shape", "0", "--kernel", "1")
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr == (
            "python -m dlref shape: expected size >= 1, got size=0 (try --help)\n"
        )

    def test_runs_as_a_module(self, capsys, monkeypatch) -> None:
        monkeypatch.setattr(sys, "argv", ["dlref", "shape", "5", "--kernel", "2"])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(ROOT / "dlref/__main__.py"), run_name="__main__")
        assert stop.value.code == 0
        assert capsys.readouterr().out == "4\n"

    def test_a_reader_that_has_seen_enough(self) -> None:
        code = f"{sys.executable} -m dlref shape 5 --kernel 2 | true"
        done = subprocess.run(
            ["/bin/sh", "-c", code], cwd=ROOT, capture_output=True, text=True
        )
        assert done.stderr == ""

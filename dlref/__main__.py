"""The command line: `python -m dlref shape …` and `python -m dlref summary …`."""

import argparse
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from inspect import signature
from typing import Any, NoReturn

from dlref.shapes import (
    conv_output_size,
    conv_transpose_output_size,
    pool_output_size,
)

__all__ = ["main"]

_SHAPE = """\
length of an axis after a convolution or a pooling

A size and what belongs to it are one number for every axis, or one number for
each: 224x320.
"""
_SHAPE_EXAMPLES = """\
examples:
  python -m dlref shape 224 --kernel 7 --stride 2 --padding 3      112, ResNet's stem
  python -m dlref shape 112 --kernel 3 --stride 2 --pool --ceil-mode               56
  python -m dlref shape 28x40 --kernel 4 --stride 2 --padding 1 --transposed    56x80
"""
_SUMMARY = """\
layers of a network: output shape, window, parameters, MACs and receptive field

The network is built without weights and run once without values, so that the
largest takes a moment.
"""
_SUMMARY_EXAMPLES = """\
examples:
  python -m dlref summary resnet50 --input 3x224x224
  python -m dlref summary googlenet --depth 1
  python -m dlref summary lenet5 --input 1x32x32 --num-classes 10
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (try --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command of `python -m dlref`.

    Args:
        argv: The words after `dlref`; those of the process if None.

    Returns:
        The exit status: 0.

    Raises:
        SystemExit: With status 2, after one line on the error stream, if the words make
            no sense; with 0 after `--help`.

    Examples:
        >>> main(["shape", "224", "--kernel", "7", "--stride", "2", "--padding", "3"])
        112
        0
    """
    parser, commands = _parsers()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 0
    run = {"shape": _shape, "summary": _summarize}[options.command]
    try:
        text = run(options)
    except (TypeError, ValueError) as error:
        commands[options.command].error(" ".join(str(error).split()))
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parsers() -> tuple[_Parser, dict[str, _Parser]]:
    """Return the parser, and that of each command."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = _Parser("python -m dlref", description="Small questions about networks.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    shape = commands.add_parser(
        "shape",
        help="length of an axis after a convolution or a pooling",
        description=_SHAPE,
        epilog=_SHAPE_EXAMPLES,
        formatter_class=layout,
    )
    _add_shape(shape)
    summary = commands.add_parser(
        "summary",
        help="layers of a network: shapes, parameters, MACs, receptive field",
        description=_SUMMARY,
        epilog=_SUMMARY_EXAMPLES,
        formatter_class=layout,
    )
    _add_summary(summary)
    return parser, {"shape": shape, "summary": summary}


def _add_shape(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("size", type=_sizes, metavar="SIZE", help="length of the input, in pixels")
    add("--kernel", type=_sizes, required=True, metavar="K", help="number of taps")
    add("--stride", type=_sizes, metavar="S",
        help="pixels from one window to the next (1; with --pool, K)")  # fmt: skip
    add("--padding", type=_padding, default=0, metavar="P",
        help="pixels added at each end, or same, or valid (0)")  # fmt: skip
    add("--dilation", type=_sizes, default=1, metavar="D",
        help="pixels from one tap to the next (1)")  # fmt: skip
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--pool", action="store_true", help="max or average pooling")
    kind.add_argument(
        "--transposed", action="store_true", help="transposed convolution"
    )
    add("--ceil-mode", action="store_true", help="with --pool: round up, not down")
    add("--output-padding", type=_sizes, default=0, metavar="A",
        help="with --transposed: pixels added at the far end (0)")  # fmt: skip


def _add_summary(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("network", metavar="NETWORK", help="a constructor of dlref.models: resnet50")
    add("--input", type=_numbers, default=(3, 224, 224), metavar="CxHxW",
        help="shape of one input, without the batch (3x224x224)")  # fmt: skip
    add("--num-classes", type=int, metavar="N", help="outputs of the last layer")
    add("--depth", type=int, metavar="N",
        help="merge layers to modules at this depth: 1 for stages")  # fmt: skip
    add("--training", action="store_true",
        help="run as in training, auxiliary heads included")  # fmt: skip


def _numbers(text: str) -> tuple[int, ...]:
    """Read one number for each axis: 3x224x224."""
    try:
        return tuple(int(number) for number in text.split("x"))
    except ValueError:
        message = f"expected numbers joined by x, such as 3x224x224, got {text!r}"
        raise argparse.ArgumentTypeError(message) from None


def _sizes(text: str) -> int | tuple[int, ...]:
    """Read one number for every axis, or one for each."""
    numbers = _numbers(text)
    return numbers[0] if len(numbers) == 1 else numbers


def _padding(text: str) -> int | tuple[int, ...] | str:
    return text if text in ("same", "valid") else _sizes(text)


def _shape(options: argparse.Namespace) -> str:
    """Return the answer of `shape`."""
    window: dict[str, Any] = {"padding": options.padding, "dilation": options.dilation}
    if options.stride is not None:
        window["stride"] = options.stride
    function: Any = conv_output_size
    if options.pool:
        function, window["ceil_mode"] = pool_output_size, options.ceil_mode
    elif options.ceil_mode:
        raise ValueError("--ceil-mode goes with --pool; a convolution rounds down")
    if options.transposed:
        function = conv_transpose_output_size
        window["output_padding"] = options.output_padding
    elif options.output_padding:
        raise ValueError("--output-padding goes with --transposed")
    size, axes = options.size, _axes(options.kernel, *window.values())
    if axes > 1 == _axes(size):  # a square, and a window that is none
        size = (size,) * axes
    length: int | tuple[int, ...] = function(size, options.kernel, **window)
    return "x".join(map(str, length)) if isinstance(length, tuple) else str(length)


def _axes(*counts: int | tuple[int, ...] | str) -> int:
    return max(len(count) if isinstance(count, tuple) else 1 for count in counts)


def _summarize(options: argparse.Namespace) -> str:
    """Return the answer of `summary`."""
    import torch  # the other command does without

    import dlref.models as models
    from dlref.summary import summary

    builders: dict[str, Any] = {name: getattr(models, name) for name in models.__all__}
    networks = {
        builder: build
        for builder, build in builders.items()
        if builder.islower() and "weights" in signature(build).parameters
    }
    name: str = options.network
    if name not in networks:
        near = get_close_matches(name.lower(), networks, n=6) or sorted(networks)
        raise ValueError(f"no network {name!r}; there is {', '.join(near)}")
    given = {"in_channels": options.input[0]}
    if options.num_classes is not None:
        given["num_classes"] = options.num_classes
    with torch.device("meta"):  # shapes without numbers
        network = networks[name](**given)
    return str(
        summary(network, options.input, depth=options.depth, training=options.training)
    )


if __name__ == "__main__":
    sys.exit(main())

"""The engine: a page as blocks, and a session that runs them.

It knows neither MkDocs nor pytest nor the network; thin adapters do. One page is one
namespace, run from top to bottom: `Session(page).run(block)` returns what the block
printed and drew, and `verify` says whether that is what the page shows.

    page = load(Path("docs/en/cnn/output-size.md"))
    session = Session(page)
    for block in page.blocks:
        verify(page, block, session.run(block))
"""

import ast
import hashlib
import io
import re
import sys
import time
import tokenize
import traceback
import types
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from docs.tools.compare import Tolerance, explain_difference
from docs.tools.fences import OUTPUT, Fence, PageError, find_fences, split_lines
from docs.tools.sandbox import Sandbox
from docs.tools.shape_comments import check_shape, insert_shape_checks

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LANGUAGES = ("zh", "en")

_FIGURE = re.compile(
    r"[ >]*!\[(?P<alt>[^\]]*)\]\((?P<src>[^)\s]*assets/figures/[^)\s]+)\)"
)


class BlockError(AssertionError):
    """A block that does not do what its page says; the message names page and line."""


@dataclass(frozen=True)
class Figure:
    """An image line that shows what the block before it drew."""

    line: int
    alt: str
    path: str  # below docs/, such as assets/figures/cnn/output-size/windows.svg


@dataclass(frozen=True)
class Block:
    """A program on a page with what the page shows beneath it."""

    index: int  # from 1
    fence: Fence
    output: Fence | None
    figures: tuple[Figure, ...]

    @property
    def line(self) -> int:
        """Line of the opening fence, from 1."""
        return self.fence.line + 1

    @property
    def options(self) -> dict[str, str]:
        """The fence's options."""
        return dict(self.fence.options)

    @property
    def claims(self) -> tuple[str, ...]:
        """Ids of the claims that the block proves or refutes."""
        return tuple(self.options.get("claims", "").replace(",", " ").split())

    @property
    def program(self) -> str:
        """The code without comments and blank lines: what both languages share."""
        return strip_comments(self.fence.code)

    @property
    def hash(self) -> str:
        """Fingerprint of the program, its options and the output that it must give."""
        shown = self.output.code if self.output else ""
        options = sorted((k, v) for k, v in self.options.items() if k != "title")
        text = repr((self.program, options, shown, [f.path for f in self.figures]))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def skip_reason(self, device: str) -> str | None:
        """Why the block does not run on `device`, or None if it does."""
        return self.options.get("skip") or self.options.get(f"skip-{device}")


@dataclass(frozen=True)
class Page:
    """A Markdown page, parsed."""

    text: str
    path: Path | None = None
    fences: tuple[Fence, ...] = ()
    blocks: tuple[Block, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Path as a person would write it."""
        if self.path is None:
            return "<page>"
        path = self.path
        return (
            path.relative_to(ROOT).as_posix()
            if path.is_relative_to(ROOT)
            else str(path)
        )

    @property
    def key(self) -> str:
        """Path without language and suffix, such as `cnn/output-size`."""
        parts = Path(self.name).with_suffix("").parts
        for number, part in enumerate(parts):
            if part in LANGUAGES:
                return "/".join(parts[number + 1 :])
        return "/".join(parts)

    @cached_property
    def lines(self) -> list[str]:
        """Lines of the source."""
        return split_lines(self.text)

    @cached_property
    def prose(self) -> list[str]:
        """The lines outside fences and front matter; the others are blank."""
        lines = list(self.lines)
        for fence in self.fences:
            for number in range(fence.line, fence.end + 1):
                lines[number] = ""
        for number in range(_front_matter_end(self.lines)):
            lines[number] = ""
        return lines


@dataclass
class Result:
    """What running one block gave."""

    printed: str = ""
    figures: list[str] = field(default_factory=list)  # SVG
    seconds: float = 0.0
    error: str = ""  # a failure of the block itself, ready to be read
    skipped: str = ""


def parse(text: str, path: Path | None = None) -> Page:
    """Parse a page into fences and blocks.

    Raises:
        PageError: If a fence, an option or the front matter cannot be read.
    """
    fences = tuple(find_fences(text))
    page = Page(text, path, fences, (), _read_meta(split_lines(text)))
    shown: set[int] = set()
    blocks: list[Block] = []
    for number, fence in enumerate(fences):
        if not fence.is_python:
            continue
        after = fence.end + 1
        output = fences[number + 1] if number + 1 < len(fences) else None
        if output and output.lang == OUTPUT and _only_blank(page, after, output.line):
            if len(output.indent) != len(fence.indent):
                raise PageError(
                    output.line + 1, "the output is indented unlike its block"
                )
            shown.add(output.line)
            after = output.end + 1
        else:
            output = None
        figures = tuple(_read_figures(page, after))
        blocks.append(Block(len(blocks) + 1, fence, output, figures))
    for fence in fences:
        if fence.lang == OUTPUT and fence.line not in shown:
            raise PageError(fence.line + 1, "an output stands under no Python block")
    _refuse_orphan_figures(page, blocks)
    return Page(text, path, fences, tuple(blocks), page.meta)


def load(path: Path) -> Page:
    """Parse the page in a file; an error names the file."""
    try:
        return parse(path.read_bytes().decode("utf-8"), path)
    except PageError as error:
        raise PageError(error.line, f"{error} ({path})") from error


def pages(language: str, docs: Path = DOCS) -> list[Path]:
    """Return the sources of one language, sorted."""
    return sorted((docs / language).rglob("*.md"))


def strip_comments(code: str) -> str:
    """Drop comments, blank lines and trailing spaces; code that is no Python stays."""
    lines = code.splitlines()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return code
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    return "".join(f"{line.rstrip()}\n" for line in lines if line.strip())


class Session:
    """One page, one namespace; blocks run in order, in a world of their own."""

    def __init__(self, page: Page, device: str = "cpu", timeout: float = 30.0) -> None:
        """Prepare a fresh namespace, seeded by the page's `seed`."""
        self.page = page
        self.device = device
        self.done = 0  # blocks run so far
        self.failed: Block | None = None
        self._module = types.ModuleType("__page__")
        self._module.__dict__["__file__"] = str(page.path)
        self._module.__dict__["__check_shape__"] = check_shape
        wants_figures = "matplotlib" in page.text
        self._sandbox = Sandbox(
            int(page.meta.get("seed", 0)), device, timeout, matplotlib=wants_figures
        )

    def run(self, block: Block) -> Result:
        """Run one block, and the earlier ones first if they have not run yet."""
        for earlier in self.page.blocks[self.done : block.index - 1]:
            self._run_one(earlier)
        if block.index <= self.done:
            raise ValueError(f"block {block.index} has already run in this session")
        return self._run_one(block)

    def close(self) -> None:
        """Delete the page's temporary folder and forget its names."""
        self._sandbox.close()
        self._module.__dict__.clear()

    def _run_one(self, block: Block) -> Result:
        self.done = block.index
        if reason := block.skip_reason(self.device):
            return Result(skipped=reason)
        if self.failed is not None:
            line = self.failed.line
            return Result(error=f"not run: the block on line {line} failed before it")
        result = Result()
        started = time.perf_counter()
        stream = io.StringIO()
        try:
            code = self._compile(block)
            with self._sandbox, redirect_stdout(stream):
                self._execute(block, code, stream)
                result.figures = self._sandbox.take_figures()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self.failed = block
            result.error = self._format(error)
        result.printed = _trim(stream.getvalue())
        result.seconds = time.perf_counter() - started
        return result

    def _compile(self, block: Block) -> types.CodeType:
        tree = ast.parse(block.fence.code)
        insert_shape_checks(tree, block.fence.code)
        ast.increment_lineno(tree, block.line)
        return compile(tree, self.page.name, "exec", dont_inherit=True)

    def _execute(self, block: Block, code: types.CodeType, stream: io.StringIO) -> None:
        expected = block.options.get("raises")
        sys.modules["__page__"] = self._module  # so that classes can be pickled
        try:
            exec(code, self._module.__dict__)
        except Exception as error:
            if expected is None or type(error).__name__ != expected:
                raise
            message = str(error).split("\n", 1)[0]
            stream.write(f"{expected}: {message}\n" if message else f"{expected}\n")
            return
        finally:
            sys.modules.pop("__page__", None)
        if expected is not None:
            raise AssertionError(f"expected {expected}, but nothing was raised")

    def _format(self, error: BaseException) -> str:
        """Show the frames from the page downwards, and the message."""
        frames = traceback.extract_tb(error.__traceback__)
        start = next(
            (n for n, f in enumerate(frames) if f.filename == self.page.name), None
        )
        kept = frames[start:] if start is not None else []
        lines = traceback.format_list(kept)
        if isinstance(error, SyntaxError) and error.lineno is not None:
            lines = []
        return "".join([*lines, *traceback.format_exception_only(error)]).rstrip()


def verify(
    page: Page, block: Block, result: Result, device: str = "cpu", docs: Path = DOCS
) -> None:
    """Compare what a block gave with what its page shows.

    Raises:
        BlockError: Naming page, line and difference.
    """
    where = f"{page.name}:{block.line}"
    if result.skipped:
        return
    if result.error:
        raise BlockError(f"{where}: block {block.index} failed\n{result.error}")
    shown = block.output.code if block.output else None
    if shown is None and result.printed:
        raise BlockError(
            f"{where}: the block prints, but no ```output stands beneath it"
            f" (`make outputs` writes it)\n{result.printed}"
        )
    if shown is not None:
        tolerance = page_tolerance(page, block, device)
        assert block.output is not None
        line = block.output.line + 1
        if difference := explain_difference(shown, result.printed, tolerance, line + 1):
            raise BlockError(f"{page.name}:{line}: wrong output\n{difference}")
    _verify_figures(page, block, result, device, docs)


def _verify_figures(
    page: Page, block: Block, result: Result, device: str, docs: Path
) -> None:
    from docs.tools.figures import explain_figure_difference

    if len(result.figures) != len(block.figures):
        raise BlockError(
            f"{page.name}:{block.line}: the block leaves {len(result.figures)} figures"
            f" open, but {len(block.figures)} images of assets/figures/ follow it"
        )
    for figure, drawn in zip(block.figures, result.figures, strict=True):
        where = f"{page.name}:{figure.line + 1}: {figure.path}"
        path = docs / figure.path
        if not path.is_file():
            raise BlockError(f"{where} does not exist (`make outputs` draws it)")
        committed = path.read_text(encoding="utf-8")
        if difference := explain_figure_difference(committed, drawn, device):
            raise BlockError(f"{where} is not what the block draws: {difference}")


def page_tolerance(page: Page, block: Block, device: str) -> Tolerance:
    """Tolerance of the device, tightened by the page and the block."""
    tolerance = Tolerance.for_device(device)
    for source in (page.meta.get("rtol"), block.options.get("rtol")):
        if source is not None:
            tolerance = tolerance.tightened(float(source))
    return tolerance


def _read_meta(lines: list[str]) -> dict[str, Any]:
    end = _front_matter_end(lines)
    if not end:
        return {}
    try:
        meta = yaml.safe_load("\n".join(lines[1 : end - 1])) or {}
    except yaml.YAMLError as error:
        raise PageError(1, f"the front matter is no YAML: {error}") from error
    if not isinstance(meta, dict):
        raise PageError(1, "the front matter is no table of keys")
    return meta


def _front_matter_end(lines: Sequence[str]) -> int:
    """Index behind the closing `---`, or 0 where there is no front matter."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() in {"---", "..."}:
            return number + 1
    return 0


def _only_blank(page: Page, start: int, end: int) -> bool:
    return not any(line.strip(" >") for line in page.lines[start:end])


def _read_figures(page: Page, start: int) -> list[Figure]:
    """Collect the image lines that follow, blank lines between them allowed."""
    figures: list[Figure] = []
    for number in range(start, len(page.lines)):
        line = page.lines[number]
        if image := _FIGURE.match(line):
            figures.append(_read_figure(image, number))
        elif line.strip(" >"):
            break
    return figures


def _read_figure(image: re.Match[str], number: int) -> Figure:
    if not image["alt"].strip():
        raise PageError(number + 1, f"the figure {image['src']} needs an alt text")
    return Figure(number, image["alt"], image["src"][image["src"].index("assets/") :])


def _refuse_orphan_figures(page: Page, blocks: list[Block]) -> None:
    owned = {figure.line for block in blocks for figure in block.figures}
    for number, line in enumerate(page.prose):
        if _FIGURE.match(line) and number not in owned:
            raise PageError(number + 1, "this figure follows no block that draws it")


def _trim(text: str) -> str:
    """Printed text as a page can hold it: no spaces at line ends, no blank end."""
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return "".join(f"{line}\n" for line in lines)

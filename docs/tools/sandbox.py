"""The world in which one page runs: seeded, without network, and without traces.

The page's state (random generators, default dtype and device, options, environment,
working directory, matplotlib's settings) is put in place before each block and taken
away after it, so that pages, tests and the process around them never meet.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import types
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

Getter, Setter = Callable[[], Any], Callable[[Any], None]


class NetworkError(RuntimeError):
    """A block that reaches for the network: nothing on the site may download."""


class BlockTimeoutError(RuntimeError):
    """A block that takes longer than it may."""


class Sandbox:
    """A context manager that can be entered once per block; state lives on between."""

    def __init__(
        self, seed: int, device: str, timeout: float, *, matplotlib: bool = False
    ) -> None:
        """Remember what the page needs; nothing is changed until it is entered."""
        import numpy as np
        import torch

        self._device = device
        self._timeout = timeout
        self._matplotlib = matplotlib
        self._folder = tempfile.mkdtemp(prefix="dlref-page-")
        self._stack = ExitStack()
        self._page: list[Any] | None = None
        self._outer: list[Any] = []
        self._seed = seed
        self._states: list[tuple[Getter, Setter]] = [
            (os.getcwd, os.chdir),
            (lambda: dict(os.environ), _set_environment),
            (
                lambda: list(sys.path),
                lambda path: sys.path.__setitem__(slice(None), path),
            ),
            (random.getstate, random.setstate),
            (np.random.get_state, np.random.set_state),
            (np.geterr, lambda errors: np.seterr(**errors)),
            (np.get_printoptions, lambda options: np.set_printoptions(**options)),
            (torch.get_rng_state, torch.set_rng_state),
            (torch.get_default_dtype, torch.set_default_dtype),
            (_default_device, torch.set_default_device),
            (torch.is_grad_enabled, torch._C._set_grad_enabled),
            (
                torch.are_deterministic_algorithms_enabled,
                torch.use_deterministic_algorithms,
            ),
            (torch.get_num_threads, torch.set_num_threads),
            (torch.is_warn_always_enabled, torch.set_warn_always),
            (lambda: vars(torch._tensor_str.PRINT_OPTS).copy(), _set_print_options),
        ]
        if matplotlib:
            self._states.append(_matplotlib_state())

    def __enter__(self) -> "Sandbox":
        """Exchange the process's state for the page's."""
        self._outer = [get() for get, _ in self._states]
        if self._page is None:
            self._begin()
        else:
            for (_, put), value in zip(self._states, self._page, strict=True):
                put(value)
        self._stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        self._stack.enter_context(_TimeLimit(self._timeout))
        self._stack.enter_context(_network_shut)
        if self._device != "cpu":
            from docs.tools.cpu_random import CpuRandom

            self._stack.enter_context(CpuRandom())
        return self

    def __exit__(self, *_: object) -> None:
        """Keep the page's state for its next block, and restore the process's."""
        attempts = _network_shut.attempts
        self._stack.close()
        if self._matplotlib:
            _close_figures()
        self._page = [get() for get, _ in self._states]
        for (_, put), value in zip(self._states, self._outer, strict=True):
            put(value)
        if attempts and sys.exc_info()[0] is None:
            raise NetworkError(f"the block reached for the network: {attempts[0]}")

    def take_figures(self) -> list[str]:
        """Return the open matplotlib figures as SVG, and close them."""
        if not self._matplotlib:
            return []
        from docs.tools.figures import render_open_figures

        return render_open_figures()

    def close(self) -> None:
        """Delete the page's working directory."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self) -> None:
        """Seed everything, as at the top of the page."""
        import numpy as np
        import torch

        os.chdir(self._folder)
        random.seed(self._seed)
        np.random.seed(self._seed)  # noqa: NPY002
        torch.manual_seed(self._seed)
        torch.set_default_dtype(torch.float32)
        torch.set_warn_always(True)  # else a page's warning depends on earlier pages
        torch.set_default_device(None if self._device == "cpu" else self._device)
        if self._matplotlib:
            from docs.tools.figures import use_style

            os.environ["MPLBACKEND"] = "Agg"  # for processes that a block starts
            use_style()


class _TimeLimit:
    """Raise `BlockTimeoutError` after `seconds`, where the system has signals."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._usable = (
            hasattr(signal, "SIGALRM")
            and threading.current_thread() is threading.main_thread()
        )
        self._before: Any = None

    def __enter__(self) -> None:
        if self._usable:
            self._before = signal.signal(signal.SIGALRM, self._ring)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        if self._usable:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def _ring(self, _number: int, _frame: types.FrameType | None) -> None:
        raise BlockTimeoutError(f"the block took longer than {self._seconds:g} s")


class _NetworkShut:
    """Refuse look-ups and connections, except to processes of one's own (Unix sockets).

    An audit hook sees every socket whatever library opens it; it cannot be removed, so
    one is installed for the process and is inert outside the context.
    """

    EVENTS = frozenset(
        {
            "socket.connect",
            "socket.sendto",
            "socket.getaddrinfo",
            "socket.gethostbyname",
        }
    )

    def __init__(self) -> None:
        self.attempts: list[str] = []
        self._installed = False
        self._active = False

    def __enter__(self) -> None:
        if not self._installed:
            sys.addaudithook(self._hear)
            self._installed = True
        self.attempts = []
        self._active = True

    def __exit__(self, *_: object) -> None:
        self._active = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active or event not in self.EVENTS:
            return
        target = (
            arguments[-1]
            if event in {"socket.connect", "socket.sendto"}
            else arguments[0]
        )
        if isinstance(target, str | bytes) and event == "socket.connect":
            return
        self.attempts.append(f"{event} {target!r}")
        raise NetworkError(f"the network is shut while blocks run: {event} {target!r}")


_network_shut = _NetworkShut()


def _set_environment(environment: dict[str, str]) -> None:
    if environment != dict(os.environ):
        os.environ.clear()
        os.environ.update(environment)


def _default_device() -> Any:
    """The default device, or None where none was set (setting "cpu" costs time)."""
    import torch

    device = torch.get_default_device()
    return None if device.type == "cpu" else device


def _set_print_options(options: dict[str, Any]) -> None:
    import torch

    vars(torch._tensor_str.PRINT_OPTS).update(options)


def _matplotlib_state() -> tuple[Getter, Setter]:
    import matplotlib as mpl

    return lambda: dict(mpl.rcParams), _set_rc


def _set_rc(parameters: dict[str, Any]) -> None:
    import matplotlib as mpl

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # settings that matplotlib itself has deprecated
        dict.update(mpl.rcParams, parameters)


def _close_figures() -> None:
    import matplotlib.pyplot as plt

    plt.close("all")

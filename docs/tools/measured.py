"""How far dlref is from other implementations: measured by a test, kept in a file.

`docs/verification/parity.json` holds, for each function, its oracle, the tolerance that
the test allows, the worst error that it measured, and over how many values. Errors are
rounded up to a power of ten, so that the file changes only when something did.
`python -m pytest tests/test_parity.py --write-parity` writes it; without the option the
same test compares.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from docs.tools.snippets import DOCS


@dataclass(frozen=True)
class Measurement:
    """The worst error of one function against one oracle."""

    function: str
    oracle: str
    tolerance: float
    error: float  # a power of ten, or 0
    values: int


def parity_path(docs: Path = DOCS) -> Path:
    """Where the measurements are kept."""
    return docs / "verification" / "parity.json"


def read_parity(docs: Path = DOCS) -> tuple[str, list[Measurement]]:
    """Return the version of torch that was measured with, and the measurements."""
    path = parity_path(docs)
    if not path.is_file():
        return "", []
    kept = json.loads(path.read_text(encoding="utf-8"))
    return kept["torch"], [Measurement(**entry) for entry in kept["measurements"]]


def round_up(error: float) -> float:
    """Round an error up to a power of ten.

    Examples:
        >>> round_up(3e-8), round_up(1e-7), round_up(0.0)
        (1e-07, 1e-07, 0.0)
    """
    if not error or not math.isfinite(error):
        return error
    return float(f"1e{math.ceil(round(math.log10(error), 9))}")


class Parity:
    """What a run of the tests measures."""

    def __init__(self, torch: str, docs: Path = DOCS) -> None:
        """Measure with this version of torch, for the file below `docs`."""
        self.torch = torch.partition("+")[0]
        self.docs = docs
        self.measured: dict[tuple[str, str], Measurement] = {}

    def record(
        self, function: str, oracle: str, tolerance: float, error: float, values: int
    ) -> None:
        """Keep one measurement.

        Raises:
            AssertionError: If the error exceeds the tolerance.
        """
        assert error <= tolerance, f"{function} is {error:.2g} away from {oracle}"
        entry = Measurement(function, oracle, tolerance, round_up(error), values)
        self.measured[function, oracle] = entry

    def explain_difference(self) -> list[str]:
        """Say where the file does not hold what was measured.

        An error may be smaller than the file says, as it is on some processors; with
        another version of torch it may also be larger, within its tolerance.
        """
        torch, entries = read_parity(self.docs)
        kept = {(entry.function, entry.oracle): entry for entry in entries}
        problems = [
            f"{function} against {oracle}: no longer measured"
            for function, oracle in sorted(kept.keys() - self.measured.keys())
        ]
        for key, now in sorted(self.measured.items()):
            where, before = f"{now.function} against {now.oracle}", kept.get(key)
            if before is None:
                problems.append(f"{where}: not in the file")
            elif (now.tolerance, now.values) != (before.tolerance, before.values):
                problems.append(f"{where}: {before} was recorded, not {now}")
            elif now.error > before.error and torch == self.torch:
                problems.append(f"{where}: off by {now.error}, not {before.error}")
        return problems

    def write(self) -> None:
        """Write the file."""
        entries = [asdict(entry) for _, entry in sorted(self.measured.items())]
        kept: dict[str, Any] = {"torch": self.torch, "measurements": entries}
        path = parity_path(self.docs)
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{json.dumps(kept, indent=1)}\n", encoding="utf-8")
